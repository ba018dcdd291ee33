//! dario.cat/mergo v1.0.1 for maps, with its quirks, and deep copies.

use std::rc::Rc;

use super::defaults::is_empty;
use crate::function::{Call, FuncError};
use crate::types::Kind;
use crate::value::{List, Map, Value};

/// Maps nested deeper are refused; Go would overflow its stack on a map that contains itself.
const MAX_DEPTH: usize = 400;

/// Fills `target` from `source`: where the key is absent or empty, or everywhere when overwriting. Maps on both sides
/// merge in place; a map that only the source has is shared with it afterwards, not copied.
pub(super) fn merge(
    call: &mut Call<'_>,
    target: &Map,
    source: &Map,
    overwrite: bool,
    depth: usize,
) -> Result<(), FuncError> {
    if depth > MAX_DEPTH {
        return Err(FuncError::new("maps are nested too deeply to be merged"));
    }
    // A nil map inside another cannot be filled: the caller puts the source's own in its place.
    if target.is_same(source) || target.is_nil() {
        return Ok(());
    }
    call.charge_steps(source.len() as u64)?;
    for (key, new) in source.entries() {
        let old = target.get(key.as_bytes());
        if matches!(new, Value::Nil) {
            if overwrite {
                target.insert(key, Value::Nil);
            }
            continue;
        }
        let is_slice = new.kind() == Kind::Slice;
        if is_slice && (overwrite || target.is_empty()) {
            target.insert(key.clone(), new.clone());
        }
        if let (Some(Value::Map(old)), Value::Map(new)) = (&old, &new) {
            merge(call, old, new, overwrite, depth + 1)?;
            // What was empty and stayed so is replaced below, by the source's own map.
            if !old.is_empty() {
                continue;
            }
        }
        let empty = old.as_ref().is_none_or(is_blank);
        if !empty && is_slice {
            continue;
        }
        if overwrite || empty {
            target.insert(key, new);
        }
    }
    Ok(())
}

/// mergo's emptiness differs from sprig's in structs behind pointers only, which it looks into.
fn is_blank(value: &Value) -> bool {
    is_empty(value)
}

/// Copies lists and maps all the way down. Of hosts the copy has what the library behind it sees ([`Host::deep_copied`]).
pub(super) fn deep_copy(call: &mut Call<'_>, value: &Value, depth: usize) -> Result<Value, FuncError> {
    if depth > MAX_DEPTH {
        return Err(FuncError::new("value is nested too deeply to be copied"));
    }
    Ok(match value {
        Value::List(list) if list.is_nil() => Value::List(List::nil(list.ty())),
        Value::Map(map) if map.is_nil() => Value::Map(Map::nil(map.ty())),
        Value::List(list) => {
            call.charge_steps(list.len() as u64)?;
            let items = list
                .iter()
                .map(|v| deep_copy(call, v, depth + 1))
                .collect::<Result<_, _>>()?;
            Value::List(List::of(list.ty(), items))
        }
        Value::Map(map) => {
            call.charge_steps(map.len() as u64)?;
            let copy = Map::of(map.ty());
            for (key, value) in map.entries() {
                copy.insert(key, deep_copy(call, &value, depth + 1)?);
            }
            Value::Map(copy)
        }
        Value::Host(host) => Value::Host(host.deep_copied().unwrap_or_else(|| Rc::clone(host))),
        other => other.clone(),
    })
}
