//! Strategic merge as Kustomize does it (kyaml's `merge2`): like an API server's, with its own order of list elements.
//!
//! Elements of the patch come before those that only the object has. Where a list has several keys, elements that both sides have move
//! behind the ones the patch adds.

use pintle_yaml::{Node, Scalar};

use super::error::{Failure, Result};
use super::schema::{Place, Table};

/// Merges `patch` into `object`; `None` if nothing is left of it.
pub(super) fn merge(object: Node, patch: Node, schema: &Table) -> Result<Option<Node>> {
    let merged = walk(schema, Some(object), Some(patch), None, false)?;
    Ok(merged.value)
}

/// The result for one place.
struct Merged {
    value: Option<Node>,
    /// The value is the patch's own and not the object's changed in place.
    foreign: bool,
}

impl Merged {
    fn own(value: Option<Node>) -> Result<Self> {
        Ok(Self { value, foreign: false })
    }
}

fn present(node: Option<&Node>) -> Option<&Node> {
    node.filter(|n| !n.is_null())
}

#[derive(PartialEq)]
enum Shape {
    Map,
    Seq,
    Scalar,
}

fn shape(node: &Node) -> Shape {
    match node {
        Node::Map(_) => Shape::Map,
        Node::Seq(_) => Shape::Seq,
        Node::Scalar(_) => Shape::Scalar,
    }
}

/// Merges one place. What a patch adds is merged with itself (`same`): both sides are one node then, and directives that are taken out of
/// one are out of the other.
fn walk(
    schema: &Table,
    dest: Option<Node>,
    patch: Option<Node>,
    place: Option<Place<'_>>,
    same: bool,
) -> Result<Merged> {
    let kinds = [present(dest.as_ref()).map(shape), present(patch.as_ref()).map(shape)];
    if let [Some(a), Some(b)] = &kinds
        && a != b
    {
        return Err(Failure::invalid(
            "wrong node kind: the patch and the object differ in whether a field is a map, a list or a scalar",
        ));
    }
    let [first, second] = kinds;
    let place = place.or_else(|| {
        [dest.as_ref(), patch.as_ref()].into_iter().find_map(|node| {
            let node = present(node)?;
            let kind = node.get("kind").and_then(Node::text)?;
            schema.of(node.get("apiVersion").and_then(Node::text)?, kind)
        })
    });
    match first.or(second) {
        Some(Shape::Seq) if place.is_some_and(Place::merges) => walk_list(schema, dest, patch, place, same),
        // A list that is not merged by element, or a scalar: the patch's, if it says anything.
        Some(Shape::Seq | Shape::Scalar) => Merged::own(patch.or(dest)),
        Some(Shape::Map) | None => walk_map(schema, dest, patch, place, same),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Directive {
    Merge,
    Replace,
    Delete,
}

fn directive_of(text: Option<&str>) -> Result<Directive> {
    match text {
        Some("delete") => Ok(Directive::Delete),
        Some("replace") => Ok(Directive::Replace),
        Some("merge") => Ok(Directive::Merge),
        _ => Err(Failure::invalid(
            "unknown patch strategy in `$patch`: write delete, replace or merge",
        )),
    }
}

/// Takes `$patch` out of a map.
fn map_directive(patch: &mut Node) -> Result<Directive> {
    let Some(found) = patch.get("$patch").filter(|n| !n.is_null()) else {
        return Ok(Directive::Merge);
    };
    let directive = directive_of(found.text())?;
    patch.remove("$patch");
    Ok(directive)
}

/// Takes an element that holds nothing but `$patch` out of a list.
fn list_directive(patch: &mut Node) -> Result<Directive> {
    let Node::Seq(items) = patch else {
        return Ok(Directive::Merge);
    };
    let Some(found) = items
        .iter()
        .find_map(|i| i.get("$patch").map(|d| (i.fields().len(), d)))
    else {
        return Ok(Directive::Merge);
    };
    if found.0 > 1 {
        return Ok(Directive::Merge);
    }
    let text = found.1.text().unwrap_or_default().to_owned();
    let directive = directive_of(Some(&text))?;
    // Elements that say nothing go with it.
    set_element(items, &["$patch"], &[text], None);
    Ok(directive)
}

fn walk_map(
    schema: &Table,
    dest: Option<Node>,
    patch: Option<Node>,
    place: Option<Place<'_>>,
    same: bool,
) -> Result<Merged> {
    let (mut dest, mut patch, foreign, same) = match (dest, patch) {
        (None, None) => return Merged::own(None),
        // Nothing, or null, stays as it is only if it is spelled out.
        (Some(null), None) if null.is_null() => {
            let keep = null.text().is_some_and(|t| !t.is_empty());
            return Ok(Merged {
                value: keep.then_some(null),
                foreign: false,
            });
        }
        (Some(dest), None) => (dest, Node::Map(Vec::new()), false, false),
        (dest, Some(mut patch)) => {
            let dest = dest.filter(|d| !d.is_null());
            if patch.is_null() {
                return Merged::own(None);
            }
            let directive = map_directive(&mut patch)?;
            match dest {
                _ if directive == Directive::Delete => return Merged::own(None),
                Some(dest) if directive == Directive::Merge && !same => (dest, patch, false, false),
                Some(_) if same => (patch.clone(), patch, false, true),
                // What is added is merged with itself: directives inside it act, and nulls go.
                _ => (patch.clone(), patch, true, true),
            }
        }
    };
    let mut names: Vec<String> = dest
        .fields()
        .iter()
        .chain(patch.fields())
        .map(|(k, _)| k.clone())
        .collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let old = dest.get_mut(&name).map(|n| std::mem::replace(n, Node::Seq(Vec::new())));
        let change = patch.remove(&name);
        let style = match (&old, &change) {
            (Some(Node::Scalar(old)), Some(Node::Scalar(_))) if !same => Some((old.quoted, old.tagged)),
            _ => None,
        };
        let explicit_null = change.is_none() && old.as_ref().is_some_and(Node::is_null);
        let merged = walk(schema, old, change, place.and_then(|p| p.field(&name)), same)?;
        match merged.value {
            Some(mut value) if explicit_null || !value.is_null() => {
                if let Node::Scalar(scalar) = &mut value {
                    match style {
                        // The new value is written as the old one was.
                        Some(style) => (scalar.quoted, scalar.tagged) = style,
                        None => scalar.quote(),
                    }
                }
                dest.set(&name, value);
            }
            _ => {
                dest.remove(&name);
            }
        }
    }
    Ok(Merged {
        value: Some(dest),
        foreign,
    })
}

/// The text of each key of an element; empty where it has none.
fn values_of(element: &Node, keys: &[&str]) -> Vec<String> {
    let field = |key: &&str| element.get(key).filter(|n| !n.is_nil_or_empty()).and_then(Node::text);
    keys.iter()
        .map(|key| field(key).unwrap_or_default().to_owned())
        .collect()
}

fn matches(element: &Node, keys: &[&str], values: &[String]) -> bool {
    keys.iter().zip(values).all(|(key, value)| {
        if key.is_empty() {
            return element.text() == Some(value);
        }
        match element.get(key) {
            // An empty value asks for nothing but the field.
            Some(field) => value.is_empty() || field.text() == Some(value),
            None => false,
        }
    })
}

/// Whether an element has these keys with these values; empty ones are to be there too.
fn is_named(element: &Node, keys: &[&str], values: &[String]) -> bool {
    keys.iter().zip(values).all(|(key, value)| {
        if key.is_empty() {
            return element.text() == Some(value);
        }
        element
            .get(key)
            .is_some_and(|field| field.text().unwrap_or_default() == value)
    })
}

fn is_void(element: &Node) -> bool {
    element.is_null() || matches!(element, Node::Map(fields) if fields.is_empty())
}

/// Puts an element where its equals are, or at the end; without one removes them.
fn set_element(list: &mut Vec<Node>, keys: &[&str], values: &[String], element: Option<&Node>) {
    let by_map = keys.first().is_some_and(|k| !k.is_empty()) && values.first().is_some_and(|v| !v.is_empty());
    let mut found = false;
    let mut out = Vec::with_capacity(list.len() + 1);
    for old in list.drain(..) {
        if is_void(&old) {
            continue;
        }
        if (by_map && !matches!(old, Node::Map(_))) || !matches(&old, keys, values) {
            out.push(old);
            continue;
        }
        found = true;
        out.extend(element.cloned());
    }
    if !found {
        out.extend(element.cloned());
    }
    *list = out;
}

/// The keys that any element has, with an element's values for them.
fn valid<'k>(all: &[Vec<String>], values: &[String], keys: &[&'k str]) -> (Vec<&'k str>, Vec<String>) {
    let used: Vec<bool> = (0..keys.len())
        .map(|i| all.iter().any(|v| v.get(i).is_some_and(|t| !t.is_empty())))
        .collect();
    if !used.contains(&true) {
        return (keys.to_vec(), values.to_vec());
    }
    keys.iter()
        .zip(values)
        .zip(used)
        .filter(|(_, used)| *used)
        .map(|((k, v), _)| (*k, v.clone()))
        .unzip()
}

/// Values that agree where both say something, and in one key at least, name one element.
fn unify(all: &mut [Vec<String>]) {
    for i in 0..all.len() {
        // As it was before the others changed it.
        let Some(a) = all.get(i).cloned() else { continue };
        for j in 0..all.len() {
            let Some(b) = all.get(j) else { continue };
            let agree = a.iter().zip(b).all(|(x, y)| x == y || x.is_empty() || y.is_empty());
            if a.len() != b.len() || !agree || !a.iter().zip(b).any(|(x, y)| x == y) {
                continue;
            }
            let both: Vec<String> = a
                .iter()
                .zip(b)
                .map(|(x, y)| if x.is_empty() { y.clone() } else { x.clone() })
                .collect();
            for at in [i, j] {
                if let Some(values) = all.get_mut(at) {
                    values.clone_from(&both);
                }
            }
        }
    }
}

fn without_directives(node: &mut Node, deeply: bool) {
    node.remove("$patch");
    if let (Node::Map(fields), true) = (node, deeply) {
        for (_, value) in fields {
            without_directives(value, true);
        }
    }
}

fn walk_list(
    schema: &Table,
    dest: Option<Node>,
    patch: Option<Node>,
    place: Option<Place<'_>>,
    same: bool,
) -> Result<Merged> {
    let (dest, mut patch, same) = match (dest.filter(|d| !d.is_null()), patch) {
        (None, None) => return Merged::own(None),
        (None, Some(patch)) => (patch.clone(), Some(patch), true),
        (Some(_), Some(patch)) if patch.is_null() => return Merged::own(None),
        (Some(dest), Some(mut patch)) => match list_directive(&mut patch)? {
            Directive::Delete => return Merged::own(None),
            Directive::Replace => (patch.clone(), Some(patch), true),
            Directive::Merge if same => (patch.clone(), Some(patch), true),
            Directive::Merge => (dest, Some(patch), false),
        },
        (Some(dest), None) => (dest, None, false),
    };
    let Node::Seq(mut dest) = dest else {
        return Merged::own(Some(dest));
    };
    let keys: Vec<&str> = place
        .map(Place::keys)
        .unwrap_or_default()
        .iter()
        .map(String::as_str)
        .collect();
    let keys: &[&str] = if keys.is_empty() { &[""] } else { &keys };
    let mut all: Vec<Vec<String>> = Vec::new();
    for element in patch.as_ref().map(Node::items).unwrap_or_default().iter().chain(&dest) {
        let values = match keys {
            [""] => vec![element.text().unwrap_or_default().to_owned()],
            _ => values_of(element, keys),
        };
        if !all.contains(&values) {
            all.push(values);
        }
    }
    if keys.len() > 1 {
        unify(&mut all);
    }
    let mut added: Vec<Node> = Vec::new();
    let mut last_keys: Vec<&str> = keys.to_vec();
    for values in &all {
        let (keys, values) = valid(&all, values, keys);
        let (find_keys, find_values) = valid(std::slice::from_ref(&values), &values, &keys);
        let find = |list: &[Node]| list.iter().position(|e| is_named(e, &find_keys, &find_values));
        let at = find(&dest);
        let old = at.and_then(|i| dest.get(i)).cloned();
        let change = patch.as_mut().and_then(|p| match p {
            Node::Seq(items) => find(items).and_then(|i| items.get_mut(i)),
            _ => None,
        });
        let merged = walk(
            schema,
            old,
            change.as_deref().cloned(),
            place.and_then(Place::items),
            same,
        )?;
        // Directives that acted are gone from the patch, and the same element may be met again under keys that were completed.
        if let Some(met) = change {
            let deletes = met.get("$patch").and_then(Node::text) == Some("delete");
            without_directives(met, !deletes);
            // What became of the patch's own element is what is met again.
            if let Some(value) = merged.value.as_ref().filter(|_| merged.foreign) {
                met.clone_from(value);
            }
        }
        match merged.value.filter(|v| !is_void(v)) {
            None => {
                set_element(&mut dest, &keys, &values, None);
                // Merged with itself, the list is one.
                if let Some(Node::Seq(items)) = patch.as_mut().filter(|_| same) {
                    set_element(items, &keys, &values, None);
                }
            }
            Some(mut value) => {
                for (key, text) in keys.iter().zip(&values) {
                    if !key.is_empty() && value.get(key).is_none() && !text.is_empty() {
                        value.put(key, Scalar::open(text.clone()));
                    }
                }
                set_element(&mut added, &keys, &values, Some(&value));
                if let Some(slot) = at
                    .filter(|_| !merged.foreign && matches!(value, Node::Map(_)))
                    .and_then(|i| dest.get_mut(i))
                {
                    *slot = value;
                }
            }
        }
        last_keys = keys;
    }
    if !all.is_empty() {
        append(&mut added, &dest, &last_keys)?;
        dest = added;
    }
    Merged::own(Some(Node::Seq(dest)))
}

/// Adds the elements of the object behind those of the patch.
fn append(list: &mut Vec<Node>, more: &[Node], keys: &[&str]) -> Result<()> {
    for element in more {
        if keys.first().is_some_and(|k| k.is_empty()) {
            let text = element.text().unwrap_or_default().to_owned();
            set_element(list, &[""], &[text], Some(element));
            continue;
        }
        if !element.is_null() && !matches!(element, Node::Map(_)) {
            return Err(Failure::invalid("wrong node kind: a list of maps holds something else"));
        }
        let mut values = Vec::new();
        for key in keys {
            match element.get(key) {
                Some(value) => values.push(value.text().unwrap_or_default().to_owned()),
                None => list.push(element.clone()),
            }
        }
        if values.is_empty() {
            // An element without any key takes the place of all that are there.
            list.clear();
            if !element.is_null() {
                list.push(element.clone());
            }
            continue;
        }
        if keys.len() > 1 {
            set_element(list, keys, &values, None);
        }
        set_element(list, keys, &values, Some(element));
    }
    Ok(())
}
