//! TOML as `github.com/BurntSushi/toml` 1.6 reads and writes it: Helm's `toToml` and `fromToml`.
//!
//! The layout (indented tables, scalars before tables, no inline tables but in lists) and the words of errors are part of what charts
//! print, which no crate for TOML has in common with that library.

mod read;
mod scan;
mod write;

pub(super) use read::read;
pub(super) use write::{Unwritable, write};

/// Tables and lists inside one another, read or written. Go has no bound but its stack.
const MAX_DEPTH: usize = 400;

/// A dotted key as the library prints it: parts that are no bare words in quotes.
fn dotted<S: AsRef<str>>(key: &[S]) -> String {
    let parts: Vec<String> = key.iter().map(|part| quoted_key(part.as_ref())).collect();
    parts.join(".")
}

fn quoted_key(part: &str) -> String {
    if !part.is_empty() && part.chars().all(is_bare) {
        part.to_owned()
    } else {
        quoted(part)
    }
}

fn is_bare(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            c if c.is_ascii_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests;
