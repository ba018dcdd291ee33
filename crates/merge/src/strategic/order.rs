//! The order of elements in merged lists.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use pintle_model::{Value, to_json_string};

use super::{PATCH, StrategicError};

/// What tells an element from others: its merge key's value, or the scalar itself.
pub(super) type Identity = (&'static str, String);

/// The identity of an element; `None` if it lacks the merge key.
pub(super) fn identity(item: &Value, key: Option<&str>) -> Option<Identity> {
    let value = match key {
        Some(key) => item.get(key)?,
        None => item,
    };
    Some((value.type_name(), printed(value)))
}

/// The identity of an element, which must have one.
pub(super) fn require_identity(item: &Value, key: Option<&str>) -> Result<Identity, StrategicError> {
    identity(item, key).ok_or_else(|| StrategicError::NoMergeKey(key.unwrap_or_default().to_owned()))
}

/// A scalar as Go's `%v` prints it: what lists are sorted by while they are compared.
pub(super) fn printed(value: &Value) -> String {
    match value {
        Value::Str(s) => s.to_string(),
        other => to_json_string(other),
    }
}

/// Where each identity first stands in a list.
pub(super) fn positions(list: &[Value], key: Option<&str>) -> BTreeMap<Identity, usize> {
    let mut positions = BTreeMap::new();
    for (i, item) in list.iter().enumerate() {
        if let Some(identity) = identity(item, key) {
            positions.entry(identity).or_insert(i);
        }
    }
    positions
}

/// Whether an element of a patch list deletes its namesake.
pub(super) fn is_deletion(item: &Value) -> bool {
    item.get(PATCH).and_then(Value::as_str) == Some("delete")
}

/// Sorts `list` as `order` has it; elements that delete go last. With a merge key every element of both must have it.
pub(super) fn sort_like(list: Vec<Value>, order: &[Value], key: Option<&str>) -> Result<Vec<Value>, StrategicError> {
    if key.is_some() {
        for item in list.iter().chain(order) {
            require_identity(item, key)?;
        }
    }
    let positions = positions(order, key);
    let (deletions, kept): (Vec<Value>, Vec<Value>) = list.into_iter().partition(|i| key.is_some() && is_deletion(i));
    let mut ranked: Vec<(Option<usize>, Value)> = kept
        .into_iter()
        .map(|item| {
            (
                identity(&item, key).and_then(|identity| positions.get(&identity).copied()),
                item,
            )
        })
        .collect();
    if ranked.iter().all(|(rank, _)| rank.is_some()) {
        ranked.sort_by_key(|(rank, _)| *rank);
    } else {
        // The peer's comparison says "less" of any pair with an element that has no place; its insertion sort then carries such
        // elements to the front, the last of them first.
        ranked.reverse();
        ranked.sort_by(|(a, _), (b, _)| match (a, b) {
            (Some(a), Some(b)) => a.cmp(b),
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
        });
    }
    Ok(ranked.into_iter().map(|(_, item)| item).chain(deletions).collect())
}

/// Sorts the elements a patch speaks of like `patch_order`, the others like `live_order`, and joins both: each part keeps its order,
/// and an element of the live object stands before one of the patch only where `live_order` has it so.
pub(super) fn join(
    patch: Vec<Value>,
    live_only: Vec<Value>,
    patch_order: &[Value],
    live_order: &[Value],
    key: Option<&str>,
) -> Result<Vec<Value>, StrategicError> {
    let patch = sort_like(patch, patch_order, key)?;
    let live_only = sort_like(live_only, live_order, key)?;
    let positions = positions(live_order, key);
    let rank = |item: &Value| identity(item, key).and_then(|identity| positions.get(&identity).copied());
    let mut joined = Vec::with_capacity(patch.len() + live_only.len());
    let mut patch = patch.into_iter().peekable();
    let mut live_only = live_only.into_iter().peekable();
    loop {
        let live_first = match (live_only.peek(), patch.peek()) {
            (None, None) => return Ok(joined),
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some(l), Some(p)) => matches!((rank(l), rank(p)), (Some(l), Some(p)) if l < p),
        };
        joined.extend(if live_first { live_only.next() } else { patch.next() });
    }
}
