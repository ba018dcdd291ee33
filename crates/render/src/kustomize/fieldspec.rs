//! Field specs: which fields of which kinds a transformer writes, and the walk to them.

use pintle_yaml::{Node, Scalar, Tag};

use super::error::{Failure, Result};
use super::id::Gvk;
use super::resource::Resource;
use super::shared::Step;

/// A field of a kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(from = "Written")]
pub(super) struct FieldSpec {
    pub gvk: Gvk,
    pub path: String,
    pub create: bool,
}

/// As it stands in a file.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Written {
    group: String,
    version: String,
    kind: String,
    path: String,
    create: bool,
}

impl From<Written> for FieldSpec {
    fn from(written: Written) -> Self {
        Self {
            gvk: Gvk::new(written.group, written.version, written.kind),
            path: written.path,
            create: written.create,
        }
    }
}

/// What is put where a field spec may create its field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Create {
    Nothing,
    /// A text, whatever it looks like.
    Scalar,
    /// A scalar that is what it looks like.
    Untyped,
    Map,
}

/// Adds specs to a list; one that is there already must agree about creating.
pub(super) fn merge_all(into: &mut Vec<FieldSpec>, more: &[FieldSpec]) -> Result<()> {
    for spec in more {
        match into
            .iter()
            .find(|x| x.gvk.is_selected(&spec.gvk) && x.path == spec.path)
        {
            Some(same) if same.create != spec.create => {
                return Err(Failure::invalid(format!(
                    "conflicting fieldspecs for {:?}: one creates the field and one does not",
                    spec.path
                )));
            }
            Some(_) => {}
            None => into.push(spec.clone()),
        }
    }
    Ok(())
}

/// The parts of a path; `\` before a delimiter keeps it.
pub(super) fn split_path(path: &str, delimiter: char) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut pieces: Vec<&str> = path.split(delimiter).collect();
    if pieces.len() > 1 && pieces.first().is_some_and(|p| p.is_empty()) {
        pieces.remove(0);
    }
    for piece in pieces {
        match parts.last_mut() {
            Some(last) if last.ends_with('\\') => {
                last.pop();
                last.push(delimiter);
                last.push_str(piece);
            }
            _ => parts.push(piece.to_owned()),
        }
    }
    parts
}

/// Calls `set` on every node that a spec leads to in an object of its kind.
pub(super) fn apply(
    resource: &mut Resource,
    spec: &FieldSpec,
    create: Create,
    set: &mut dyn FnMut(&mut Node) -> Result<()>,
) -> Result<()> {
    visit(resource, spec, create, None, &mut |node, _| set(node))
}

/// What is called with a node and the steps that lead to it.
pub(super) type SetAt<'f> = dyn FnMut(&mut Node, &[Step]) -> Result<()> + 'f;

/// As [`apply`], with the steps to each node.
pub(super) fn apply_at(resource: &mut Resource, spec: &FieldSpec, create: Create, set: &mut SetAt<'_>) -> Result<()> {
    visit(resource, spec, create, Some(&mut Vec::new()), set)
}

/// The walk of [`apply`]; the steps are noted only where somebody asks for them.
fn visit(
    resource: &mut Resource,
    spec: &FieldSpec,
    create: Create,
    steps: Option<&mut Vec<Step>>,
    set: &mut SetAt<'_>,
) -> Result<()> {
    if !spec.gvk.selects(resource.api_version(), resource.kind()) {
        return Ok(());
    }
    let escaped;
    let path: Vec<&str> = if spec.path.contains('\\') {
        escaped = split_path(&spec.path, '/');
        escaped.iter().map(String::as_str).collect()
    } else {
        let path = spec.path.strip_prefix('/').unwrap_or(&spec.path);
        path.split('/').collect()
    };
    let create = if spec.create { create } else { Create::Nothing };
    // The notes that Kustomize keeps in annotations make the field exist.
    let annotations = |resource: &Resource| {
        resource
            .node
            .get("metadata")
            .and_then(|m| m.get("annotations"))
            .is_none()
    };
    let leads_to_annotations = || {
        let names = path.iter().map(|part| part.strip_suffix("[]").unwrap_or(part).trim());
        names.filter(|name| !name.is_empty()).eq(["metadata", "annotations"])
    };
    let noted = resource.has_notes() && annotations(resource) && leads_to_annotations();
    if noted && let Some(metadata) = resource.node.get_mut("metadata") {
        metadata.set("annotations", Node::Map(Vec::new()));
    }
    let done = walk(&mut resource.node, &path, create, steps, set)
        .map_err(|e| e.within(format_args!("field {:?} of {}", spec.path, resource.id())));
    if noted
        && let Some(metadata) = resource.node.get_mut("metadata")
        && metadata.get("annotations").is_some_and(Node::is_nil_or_empty)
    {
        metadata.remove("annotations");
    }
    done
}

/// Whether Kustomize takes a part of a path for an element of a list: by its number, the last, all, or by a field.
pub(super) fn names_element(part: &str) -> bool {
    matches!(part, "-" | "*") || part.starts_with('[') && part.ends_with(']') || part.parse::<i64>().is_ok()
}

fn walk(
    node: &mut Node,
    path: &[&str],
    create: Create,
    mut steps: Option<&mut Vec<Step>>,
    set: &mut SetAt<'_>,
) -> Result<()> {
    let Some((first, rest)) = path.split_first() else {
        return set(node, steps.map_or(&[][..], |steps| steps));
    };
    match node {
        _ if node.is_null() => Ok(()),
        Node::Seq(items) => items.iter_mut().enumerate().try_for_each(|(at, item)| {
            if let Some(steps) = &mut steps {
                steps.push(Step::Index(at));
            }
            let done = walk(item, path, create, steps.as_deref_mut(), set);
            if let Some(steps) = &mut steps {
                steps.pop();
            }
            done
        }),
        Node::Map(_) => {
            let name = first.strip_suffix("[]");
            let is_list = name.is_some();
            let name = name.unwrap_or(first);
            if name.is_empty() {
                return Err(Failure::invalid("cannot set or create an empty field name"));
            }
            // Kustomize cuts off blanks, and steps nowhere for a part that has nothing else.
            let name = name.trim();
            if name.is_empty() {
                return walk(node, rest, create, steps, set);
            }
            if names_element(name) {
                return Err(Failure::invalid(format!(
                    "{name:?} names an element of a list, and here is a map"
                )));
            }
            let made = match (create, rest.is_empty()) {
                (Create::Nothing, _) => None,
                _ if is_list => None,
                // What stands for null stays as the text that it was.
                (Create::Scalar | Create::Untyped, true) => {
                    let tag = if create == Create::Scalar { Tag::Str } else { Tag::Open };
                    Some(match node.get(name) {
                        Some(Node::Scalar(null)) => Node::Scalar(Scalar { tag, ..null.clone() }),
                        _ => Node::Scalar(Scalar::tagged("", tag)),
                    })
                }
                _ => Some(Node::Map(Vec::new())),
            };
            if let Some(made) = made
                && node.get(name).is_none_or(Node::is_null)
            {
                node.set(name, made);
            }
            // A path that says list makes one of a null.
            if is_list && node.get(name).is_some_and(Node::is_null) {
                node.set(name, Node::Seq(Vec::new()));
            }
            let Some(field) = node.get_mut(name) else {
                return Ok(());
            };
            if let Some(steps) = &mut steps {
                steps.push(Step::Key(name.to_owned()));
            }
            let done = walk(field, rest, create, steps.as_deref_mut(), set);
            if let Some(steps) = &mut steps {
                steps.pop();
            }
            done
        }
        Node::Scalar(_) => Err(Failure::invalid("expected sequence or mapping node, found a scalar")),
    }
}
