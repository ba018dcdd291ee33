//! Making strategic merge patches.

use pintle_model::{Map, Value};

use super::apply::{Purpose, merge_map};
use super::order::{printed, require_identity, sort_like};
use super::{DELETE_FROM, Elements, PATCH, RETAIN_KEYS, SET_ORDER, StrategicError};
use super::{elements, field, list_field, same_type};
use crate::schema::TypeRef;

/// What goes into a patch.
#[derive(Clone, Copy)]
struct Options {
    /// Leave out what is added or changed.
    ignore_changes: bool,
    /// Leave out what is deleted.
    ignore_deletions: bool,
    /// List every field that stays, for fields of the `retainKeys` strategy.
    retain_keys: bool,
}

/// Returns the patch that turns `original` into `modified`, both of the built-in type `of`; an empty map if nothing differs.
pub fn diff(original: &Value, modified: &Value, of: TypeRef<'_>) -> Result<Value, StrategicError> {
    let options = Options {
        ignore_changes: false,
        ignore_deletions: false,
        retain_keys: false,
    };
    Ok(diff_maps(as_map(original)?, as_map(modified)?, of, options)?.into())
}

/// Returns the patch that `kubectl apply` sends: everything in which `modified` differs from `current`, and the deletion of everything
/// that `original`, the configuration applied last, holds and `modified` does not. What others set on `current` stays.
pub fn create_three_way(
    original: Option<&Value>,
    modified: &Value,
    current: &Value,
    of: TypeRef<'_>,
) -> Result<Value, StrategicError> {
    let changes = Options {
        ignore_changes: false,
        ignore_deletions: true,
        retain_keys: false,
    };
    let changes = diff_maps(as_map(current)?, as_map(modified)?, of, changes)?;
    let empty = Map::new();
    let original = original.map_or(Ok(&empty), as_map)?;
    let deletions = Options {
        ignore_changes: true,
        ignore_deletions: false,
        retain_keys: false,
    };
    let deletions = diff_maps(original, as_map(modified)?, of, deletions)?;
    Ok(merge_map(deletions, changes, of, Purpose::Patch)?.into())
}

fn as_map(value: &Value) -> Result<&Map, StrategicError> {
    value.as_map().ok_or(StrategicError::NotAnObject(value.type_name()))
}

fn diff_maps(original: &Map, modified: &Map, of: TypeRef<'_>, options: Options) -> Result<Map, StrategicError> {
    let mut patch = Map::new();
    for (key, new) in modified.iter() {
        let Some(old) = original.get(key) else {
            if !options.ignore_changes {
                patch.insert(key, new.clone());
            }
            continue;
        };
        if key == PATCH {
            if old.as_str().is_none() || new.as_str().is_none() {
                return Err(StrategicError::BadDirective);
            }
            if old != new {
                patch.insert(PATCH, new.clone());
            }
            continue;
        }
        match (old, new) {
            (Value::Map(old), Value::Map(new)) => diff_field(&mut patch, key, old, new, of, options)?,
            (Value::List(old), Value::List(new)) => diff_list_field(&mut patch, key, old, new, of, options)?,
            _ if !options.ignore_changes && (!same_type(old, new) || old != new) => {
                patch.insert(key, new.clone());
            }
            _ => {}
        }
    }
    if !options.ignore_deletions {
        for key in original.keys().filter(|k| !modified.contains_key(k)) {
            patch.insert(key.clone(), Value::Null);
        }
    }
    if options.retain_keys {
        let kept: Vec<Value> = modified
            .iter()
            .filter(|(_, v)| !v.is_null())
            .map(|(k, _)| k.into())
            .collect();
        let clears = original.iter().any(|(k, v)| !v.is_null() && !modified.contains_key(k));
        if !kept.is_empty() && (!patch.is_empty() || clears) {
            patch.insert(RETAIN_KEYS, kept);
        }
    }
    Ok(patch)
}

fn diff_field(
    patch: &mut Map,
    key: &str,
    old: &Map,
    new: &Map,
    of: TypeRef<'_>,
    mut options: Options,
) -> Result<(), StrategicError> {
    let inner = match field(of, key) {
        Ok(inner) => inner,
        // What cannot be looked up does not matter while it is the same.
        Err(_) if old == new => return Ok(()),
        Err(error) => return Err(error),
    };
    options.retain_keys = inner.patch().retain_keys;
    if inner.patch().replace {
        // The peer sends such a field even when it is the same.
        if !options.ignore_changes {
            patch.insert(key, new.clone());
        }
    } else {
        let difference = diff_maps(old, new, inner, options)?;
        if !difference.is_empty() {
            patch.insert(key, difference);
        }
    }
    Ok(())
}

fn diff_list_field(
    patch: &mut Map,
    key: &str,
    old: &[Value],
    new: &[Value],
    of: TypeRef<'_>,
    mut options: Options,
) -> Result<(), StrategicError> {
    let (list, items) = match list_field(of, key) {
        Ok(found) => found,
        Err(_) if old == new => return Ok(()),
        Err(error) => return Err(error),
    };
    if !list.patch().merge {
        if !options.ignore_changes && old != new {
            patch.insert(key, new.to_vec());
        }
        return Ok(());
    }
    options.retain_keys = list.patch().retain_keys;
    let difference = diff_lists(old, new, items, list.patch().key.as_deref(), options)?;
    for (name, part) in [
        (key.to_owned(), difference.changes),
        (format!("{DELETE_FROM}/{key}"), difference.deletions),
        (format!("{SET_ORDER}/{key}"), difference.order),
    ] {
        if !part.is_empty() {
            patch.insert(name, part);
        }
    }
    Ok(())
}

/// The difference of two merged lists. `deletions` is for lists of scalars; lists of maps delete by directive in `changes`.
#[derive(Default)]
struct ListDiff {
    changes: Vec<Value>,
    deletions: Vec<Value>,
    order: Vec<Value>,
}

fn diff_lists(
    old: &[Value],
    new: &[Value],
    items: TypeRef<'_>,
    key: Option<&str>,
    options: Options,
) -> Result<ListDiff, StrategicError> {
    if old.is_empty() {
        let changes = if options.ignore_changes {
            Vec::new()
        } else {
            new.to_vec()
        };
        return Ok(ListDiff {
            changes,
            ..ListDiff::default()
        });
    }
    match elements(&[old, new])? {
        Elements::Maps => {
            let key = key.ok_or(StrategicError::NoKeyForList)?;
            diff_maps_in_lists(old, new, items, key, options)
        }
        Elements::Scalars => diff_scalars(old, new, options),
    }
}

fn diff_maps_in_lists(
    old: &[Value],
    new: &[Value],
    items: TypeRef<'_>,
    key: &str,
    options: Options,
) -> Result<ListDiff, StrategicError> {
    let (old_sorted, new_sorted) = (sorted_by_key(old, key)?, sorted_by_key(new, key)?);
    let (mut changes, mut deletions) = (Vec::new(), Vec::new());
    let (mut olds, mut news) = (old_sorted.into_iter().peekable(), new_sorted.into_iter().peekable());
    loop {
        let ordering = match (olds.peek(), news.peek()) {
            (None, None) => break,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some((a, _)), Some((b, _))) => a.cmp(b),
        };
        let old = if ordering.is_le() {
            olds.next().map(|(_, v)| v)
        } else {
            None
        };
        let new = if ordering.is_ge() {
            news.next().map(|(_, v)| v)
        } else {
            None
        };
        match (old, new) {
            (Some(old), Some(new)) => {
                let mut difference = diff_maps(as_map(old)?, as_map(new)?, items, options)?;
                if !difference.is_empty() {
                    difference.insert(key, new.get(key).cloned().unwrap_or(Value::Null));
                    changes.push(difference.into());
                }
            }
            (None, Some(new)) if !options.ignore_changes => changes.push(new.clone()),
            (Some(old), None) if !options.ignore_deletions => {
                let mut deletion = Map::new();
                deletion.insert(PATCH, "delete");
                deletion.insert(key, old.get(key).cloned().unwrap_or(Value::Null));
                deletions.push(deletion.into());
            }
            _ => {}
        }
    }
    let mut changes = sort_like(changes, new, Some(key))?;
    changes.extend(deletions);
    let same_order = old.len() == new.len()
        && old
            .iter()
            .zip(new)
            .all(|(a, b)| a.get(key).is_some() && a.get(key) == b.get(key));
    let ordered = (!options.ignore_changes && (!changes.is_empty() || !same_order))
        || (!options.ignore_deletions && !changes.is_empty());
    let order = if ordered {
        new.iter()
            .map(|item| Map::from_iter([(key, item.get(key).cloned().unwrap_or(Value::Null))]).into())
            .collect()
    } else {
        Vec::new()
    };
    Ok(ListDiff {
        changes,
        deletions: Vec::new(),
        order,
    })
}

/// Elements in order of their printed merge keys. Equal ones (two ports of one number, TCP and UDP) come out in reverse, as they do
/// from the peer's sort, so that both sides pair them alike.
fn sorted_by_key<'v>(list: &'v [Value], key: &str) -> Result<Vec<(String, &'v Value)>, StrategicError> {
    let mut sorted = list
        .iter()
        .rev()
        .map(|item| {
            require_identity(item, Some(key))?;
            Ok((item.get(key).map(printed).unwrap_or_default(), item))
        })
        .collect::<Result<Vec<_>, StrategicError>>()?;
    sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(sorted)
}

fn diff_scalars(old: &[Value], new: &[Value], options: Options) -> Result<ListDiff, StrategicError> {
    let sorted = |list: &[Value]| {
        let mut sorted: Vec<(String, Value)> = list.iter().map(|v| (printed(v), v.clone())).collect();
        sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
        sorted
    };
    let (old_sorted, new_sorted) = (sorted(old), sorted(new));
    let old_in_order: Vec<Value> = old_sorted.iter().map(|(_, v)| v.clone()).collect();
    let (mut added, mut deletions) = (Vec::new(), Vec::new());
    let (mut olds, mut news) = (old_sorted.into_iter().peekable(), new_sorted.into_iter().peekable());
    loop {
        let ordering = match (olds.peek(), news.peek()) {
            (None, None) => break,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some((a, _)), Some((b, _))) => a.cmp(b),
        };
        let old = if ordering.is_le() { olds.next() } else { None };
        let new = if ordering.is_ge() { news.next() } else { None };
        match (old, new) {
            (None, Some((_, new))) if !options.ignore_changes => added.push(new),
            (Some((_, old)), None) if !options.ignore_deletions && deletions.last() != Some(&old) => {
                deletions.push(old)
            }
            _ => {}
        }
    }
    let changes = sort_like(added, new, None)?;
    // The peer compares with the old list after it has sorted it in place.
    let ordered = (!options.ignore_deletions && !deletions.is_empty())
        || (!options.ignore_changes && old_in_order.as_slice() != new);
    let order = if ordered { new.to_vec() } else { Vec::new() };
    Ok(ListDiff {
        changes,
        deletions,
        order,
    })
}
