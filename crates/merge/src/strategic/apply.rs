//! Applying a strategic merge patch.

use std::collections::BTreeSet;

use pintle_model::{Map, Value};

use super::order::{self, identity, positions, require_identity};
use super::{DELETE_FROM, Elements, PATCH, RETAIN_KEYS, SET_ORDER, StrategicError};
use super::{elements, field, into_list, into_map, list_field, parallel_field, same_type};
use crate::schema::TypeRef;

/// What a merge is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A patch goes into an object: parallel lists are acted on, nulls delete and vanish.
    Object,
    /// A patch goes into a patch: parallel lists and nulls are kept.
    Patch,
}

/// Applies `patch` to `original` and returns the result, as an API server does for a built-in type `of`.
pub fn apply(original: &Value, patch: &Value, of: TypeRef<'_>) -> Result<Value, StrategicError> {
    Ok(merge_map(
        into_map(original.clone())?,
        into_map(patch.clone())?,
        of,
        Purpose::Object,
    )?
    .into())
}

pub(super) fn merge_map(
    mut original: Map,
    mut patch: Map,
    of: TypeRef<'_>,
    purpose: Purpose,
) -> Result<Map, StrategicError> {
    if let Some(directive) = patch.remove(PATCH) {
        return match directive.as_str() {
            Some("replace") => Ok(patch),
            Some("delete") => Ok(Map::new()),
            _ => Err(StrategicError::BadDirective),
        };
    }
    retain_keys(&mut original, &mut patch, purpose)?;
    ordered_lists(&mut original, &mut patch, of, purpose)?;

    for (key, value) in patch {
        let deletes = key.starts_with(DELETE_FROM);
        let name: &str = if deletes {
            if purpose == Purpose::Patch {
                original.insert(key, value);
                continue;
            }
            parallel_field(&key, DELETE_FROM).ok_or(StrategicError::BadDeleteList)?
        } else {
            &key
        };
        if value.is_null() {
            original.remove(name);
            if purpose == Purpose::Object {
                continue;
            }
        }
        let replaces = original.get(name).is_none_or(|old| !same_type(old, &value))
            || !matches!(value, Value::Map(_) | Value::List(_));
        if replaces {
            let new_or_other_type = original.get(name).is_none_or(|old| !same_type(old, &value));
            if new_or_other_type && deletes {
                continue;
            }
            let value = if new_or_other_type && purpose == Purpose::Object {
                without_nulls(value)
            } else {
                value
            };
            match without_directives(value) {
                Some(value) => original.insert(name, value),
                None => original.remove(name),
            };
            continue;
        }
        let Some(slot) = original.get_mut(name) else { continue };
        let old = std::mem::replace(slot, Value::Null);
        *slot = if let Value::Map(_) = value {
            let inner = field(of, name)?;
            if inner.patch().replace {
                value
            } else {
                merge_map(into_map(old)?, into_map(value)?, inner, purpose)?.into()
            }
        } else {
            let (list, items) = list_field(of, name)?;
            if list.patch().merge || deletes {
                let key = list.patch().key.as_deref();
                merge_list(into_list(old), into_list(value), items, key, purpose, deletes)?.into()
            } else {
                value
            }
        };
    }
    Ok(original)
}

/// Acts on `$retainKeys`: clears what it does not name. Between patches it is carried over.
fn retain_keys(original: &mut Map, patch: &mut Map, purpose: Purpose) -> Result<(), StrategicError> {
    let Some(directive) = patch.remove(RETAIN_KEYS) else {
        return Ok(());
    };
    if purpose == Purpose::Patch {
        match original.get(RETAIN_KEYS) {
            Some(old) if *old != directive => return Err(StrategicError::BadRetainKeys),
            Some(_) => {}
            None => {
                original.insert(RETAIN_KEYS, directive);
            }
        }
        return Ok(());
    }
    let names = directive.as_list().ok_or(StrategicError::BadRetainKeys)?;
    let names: BTreeSet<&str> = names.iter().filter_map(Value::as_str).collect();
    let named = |key: &str| names.contains(key);
    let stray = patch.iter().any(|(key, value)| {
        !value.is_null() && !key.starts_with(DELETE_FROM) && !key.starts_with(SET_ORDER) && !named(key)
    });
    if stray {
        return Err(StrategicError::BadRetainKeys);
    }
    original.retain(|key, _| named(key));
    Ok(())
}

/// Acts on every `$setElementOrder/x`: merges list `x` and puts it in order, and takes both out of `patch`.
fn ordered_lists(original: &mut Map, patch: &mut Map, of: TypeRef<'_>, purpose: Purpose) -> Result<(), StrategicError> {
    let directives: Vec<_> = patch.keys().filter(|k| k.starts_with(SET_ORDER)).cloned().collect();
    for directive in directives {
        let Some(order_value) = patch.remove(&directive) else {
            continue;
        };
        if purpose == Purpose::Patch {
            match original.get(&directive) {
                Some(old) if *old != order_value => return Err(StrategicError::BadOrderList),
                Some(_) => {}
                None => {
                    original.insert(directive.clone(), order_value.clone());
                }
            }
        }
        let order_list = order_value.as_list().ok_or(StrategicError::BadOrderList)?;
        let name = parallel_field(&directive, SET_ORDER).ok_or(StrategicError::BadOrderList)?;
        for side in [&*original, &*patch] {
            if side.get(name).is_some_and(|v| v.as_list().is_none()) {
                return Err(StrategicError::NotAList(name.to_owned()));
            }
        }
        let (list, items) = list_field(of, name)?;
        let key = list.patch().key.as_deref();
        let old = original.get(name).and_then(Value::as_list).map(<[Value]>::to_vec);
        let new = patch.remove(name).map(into_list);
        check_order(new.as_deref().unwrap_or_default(), order_list, key)?;

        let (old_items, new_items) = (old.clone().unwrap_or_default(), new.clone().unwrap_or_default());
        let merged = match (old, new) {
            (None, None) => continue,
            (Some(old), None) => old,
            (None, Some(new)) => new.into_iter().filter_map(without_directives).collect(),
            (Some(old), Some(new)) if list.patch().merge => merge_list(old, new, items, key, purpose, false)?,
            (Some(_), Some(new)) => new,
        };
        let kind = elements(&[&old_items, &new_items])?;
        if kind == Elements::Maps && key.is_none() {
            return Err(StrategicError::NoKeyForList);
        }
        let (named, others) = partition(merged, order_list, key)?;
        original.insert(name, order::join(named, others, order_list, &old_items, key)?);
    }
    Ok(())
}

/// Checks that the elements of a patch list, deletions aside, stand in its order list and in that order.
fn check_order(patch: &[Value], order_list: &[Value], key: Option<&str>) -> Result<(), StrategicError> {
    if patch.is_empty() || order_list.is_empty() {
        return Ok(());
    }
    let mut order_items = order_list.iter();
    for item in patch.iter().filter(|item| item.get(PATCH).is_none()) {
        let wanted = require_identity(item, key)?;
        loop {
            let candidate = order_items.next().ok_or(StrategicError::OrderMismatch)?;
            if require_identity(candidate, key)? == wanted {
                break;
            }
        }
    }
    Ok(())
}

/// Splits `list` into the elements that `by` holds too and the others.
fn partition(list: Vec<Value>, by: &[Value], key: Option<&str>) -> Result<(Vec<Value>, Vec<Value>), StrategicError> {
    let known = positions(by, key);
    let (mut named, mut others) = (Vec::new(), Vec::new());
    for item in list {
        let into = if known.contains_key(&require_identity(&item, key)?) {
            &mut named
        } else {
            &mut others
        };
        into.push(item);
    }
    Ok((named, others))
}

fn merge_list(
    original: Vec<Value>,
    patch: Vec<Value>,
    items: TypeRef<'_>,
    key: Option<&str>,
    purpose: Purpose,
    deletes: bool,
) -> Result<Vec<Value>, StrategicError> {
    if original.is_empty() && patch.is_empty() {
        return Ok(original);
    }
    if elements(&[&original, &patch])? == Elements::Scalars {
        let in_patch = positions(&patch, None);
        if purpose == Purpose::Object && deletes {
            let kept = |v: &Value| identity(v, None).is_none_or(|i| !in_patch.contains_key(&i));
            return Ok(original.into_iter().filter(kept).collect());
        }
        let mut seen = BTreeSet::new();
        let both = original.iter().chain(&patch).cloned();
        let merged: Vec<Value> = both
            .filter(|v| identity(v, None).is_some_and(|i| seen.insert(i)))
            .collect();
        let (named, others) = partition(merged, &patch, None)?;
        return order::join(named, others, &patch, &original, None);
    }
    let key = Some(key.ok_or(StrategicError::NoKeyForList)?);
    let (original, patch) = special_elements(original, patch, key)?;
    let mut merged = original.clone();
    let mut places = positions(&merged, key);
    for item in &patch {
        let identity = require_identity(item, key)?;
        match places.get(&identity).and_then(|i| merged.get_mut(*i)) {
            Some(slot) => {
                let old = std::mem::replace(slot, Value::Null);
                *slot = merge_map(into_map(old)?, into_map(item.clone())?, items, purpose)?.into();
            }
            None => {
                places.insert(identity, merged.len());
                merged.push(item.clone());
            }
        }
    }
    let (named, others) = partition(merged, &patch, key)?;
    order::join(named, others, &patch, &original, key)
}

/// Acts on elements of a patch list that hold `$patch`; returns both lists without them and what they delete.
fn special_elements(
    mut original: Vec<Value>,
    patch: Vec<Value>,
    key: Option<&str>,
) -> Result<(Vec<Value>, Vec<Value>), StrategicError> {
    let mut replace = false;
    let mut ordinary = Vec::with_capacity(patch.len());
    let mut deleted = BTreeSet::new();
    for item in patch {
        match item.get(PATCH).map(Value::as_str) {
            None => ordinary.push(item),
            Some(Some("delete")) => {
                deleted.insert(require_identity(&item, key)?);
            }
            Some(Some("replace")) => replace = true,
            Some(_) => return Err(StrategicError::BadDirective),
        }
    }
    if replace {
        return Ok((ordinary, Vec::new()));
    }
    if !deleted.is_empty() {
        original.retain(|item| identity(item, key).is_none_or(|i| !deleted.contains(&i)));
    }
    Ok((original, ordinary))
}

/// Drops null fields at every depth; nulls in lists stay.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Map(map) => std::sync::Arc::unwrap_or_clone(map)
            .into_iter()
            .filter(|(_, v)| !v.is_null())
            .map(|(k, v)| (k, without_nulls(v)))
            .collect::<Map>()
            .into(),
        Value::List(_) => into_list(value)
            .into_iter()
            .map(without_nulls)
            .collect::<Vec<_>>()
            .into(),
        other => other,
    }
}

/// Drops maps that hold `$patch`, at every depth; `None` if `value` is one.
fn without_directives(value: Value) -> Option<Value> {
    match value {
        Value::Map(map) if map.contains_key(PATCH) => None,
        Value::Map(map) => Some(
            std::sync::Arc::unwrap_or_clone(map)
                .into_iter()
                .filter_map(|(k, v)| Some((k, without_directives(v)?)))
                .collect::<Map>()
                .into(),
        ),
        Value::List(_) => Some(
            into_list(value)
                .into_iter()
                .filter_map(without_directives)
                .collect::<Vec<_>>()
                .into(),
        ),
        other => Some(other),
    }
}
