//! What a change in Git would do, as text for a terminal, as JSON, and as Markdown.

mod json;
mod markdown;
mod text;

pub(crate) use json::json;
pub(crate) use markdown::markdown;
pub(crate) use text::text;

use pintle_engine::app::change::{ObjectChange, What};

use super::diff::unified_as;

/// The sign of a line: comes, differs, goes.
fn sign(what: What) -> char {
    match what {
        What::Added => '+',
        What::Changed => '~',
        What::Removed => '-',
        What::Same | What::Stays => ' ',
    }
}

/// The word for it.
fn word(what: What) -> &'static str {
    match what {
        What::Added => "added",
        What::Changed => "changed",
        What::Removed => "removed",
        What::Same => "unchanged",
        What::Stays => "stays",
    }
}

/// `apps/Deployment shop/web`; what has no group or namespace is shown without.
fn named(object: &ObjectChange) -> String {
    let key = &object.key;
    let kind = if key.group.is_empty() {
        key.kind.to_string()
    } else {
        format!("{}/{}", key.group, key.kind)
    };
    let name = if key.namespace.is_empty() {
        key.name.to_string()
    } else {
        format!("{}/{}", key.namespace, key.name)
    };
    one_line(&format!("{kind} {name}"))
}

/// What changes in one object, as `diff -u` says it.
fn difference(object: &ObjectChange) -> String {
    let changed = unified_as(("base", "head"), object.before.as_ref(), object.after.as_ref());
    if changed.is_empty() {
        // Only for Secrets: what differs is hidden on both sides.
        return "(differs in values that are not shown)\n".into();
    }
    changed
}

/// Names come out of files: a control character among them would move a cursor or begin a line of its own.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests;
