//! JSON merge patch (RFC 7386): apply, make, and make three-way for kinds without a schema.
//!
//! Follows gopkg.in/evanphx/json-patch.v4 and apimachinery's `pkg/util/jsonmergepatch`, which API servers and kubectl use.

use std::sync::Arc;

use pintle_model::{Map, Value};

/// Why a merge patch cannot be made or applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonMergeError {
    /// A document or patch is not an object.
    #[error("expected an object, found {0}")]
    NotAnObject(&'static str),
    /// One field is to be changed and deleted at once; names the field.
    #[error("the field {0:?} would be both changed and deleted")]
    Conflict(String),
}

/// Applies `patch` to `original`: fields of `patch` are merged in, `null` deletes, everything else replaces.
pub fn apply(original: &Value, patch: &Value) -> Result<Value, JsonMergeError> {
    match (original, patch) {
        (Value::Map(_), Value::Map(_)) => Ok(merge(original.clone(), patch)),
        (_, Value::Map(_)) => Ok(prune(patch)),
        _ => Err(JsonMergeError::NotAnObject(patch.type_name())),
    }
}

/// Returns the patch that turns `original` into `modified`; an empty map if nothing differs. A field that is `null` in `modified`
/// cannot be told from one to delete: that is the format's limit.
pub fn diff(original: &Value, modified: &Value) -> Result<Value, JsonMergeError> {
    Ok(diff_maps(as_map(original)?, as_map(modified)?).into())
}

/// Returns the patch that `kubectl apply` sends for custom kinds: everything in which `modified` differs from `current`, and the
/// deletion of what `original`, the configuration applied last, holds and `modified` does not.
pub fn create_three_way(original: Option<&Value>, modified: &Value, current: &Value) -> Result<Value, JsonMergeError> {
    let empty = Map::new();
    let modified = as_map(modified)?;
    let changes = keep(&diff_maps(as_map(current)?, modified), Keep::Changes);
    let deletions = keep(
        &diff_maps(original.map_or(Ok(&empty), as_map)?, modified),
        Keep::Deletions,
    );
    if let Some(field) = conflict(&changes, &deletions) {
        return Err(JsonMergeError::Conflict(field));
    }
    Ok(union(deletions, changes).into())
}

fn as_map(value: &Value) -> Result<&Map, JsonMergeError> {
    value.as_map().ok_or(JsonMergeError::NotAnObject(value.type_name()))
}

fn merge(mut original: Value, patch: &Value) -> Value {
    let Some(map) = original.as_map_mut() else {
        return prune(patch);
    };
    let Value::Map(patch) = patch else { return patch.clone() };
    for (key, value) in patch.iter() {
        if value.is_null() {
            map.remove(key);
        } else if let Some(slot) = map.get_mut(key).filter(|old| !old.is_null()) {
            let old = std::mem::replace(slot, Value::Null);
            *slot = merge(old, value);
        } else {
            map.insert(key, prune(value));
        }
    }
    original
}

/// Drops null fields at every depth; nulls in lists stay.
fn prune(value: &Value) -> Value {
    match value {
        Value::Map(map) => map
            .iter()
            .filter(|(_, v)| !v.is_null())
            .map(|(k, v)| (k, prune(v)))
            .collect::<Map>()
            .into(),
        Value::List(items) => items.iter().map(prune).collect::<Vec<_>>().into(),
        other => other.clone(),
    }
}

fn diff_maps(original: &Map, modified: &Map) -> Map {
    let mut patch = Map::new();
    for (key, new) in modified.iter() {
        match (original.get(key), new) {
            (Some(Value::Map(old)), Value::Map(new)) => {
                let inner = diff_maps(old, new);
                if !inner.is_empty() {
                    patch.insert(key, inner);
                }
            }
            (Some(old), new) if equal(old, new) => {}
            _ => {
                patch.insert(key, new.clone());
            }
        }
    }
    for key in original.keys().filter(|k| !modified.contains_key(k)) {
        patch.insert(key.clone(), Value::Null);
    }
    patch
}

/// Whether two values are the same JSON; `1` and `1.0` are.
fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Int(_), Value::Float(_)) | (Value::Float(_), Value::Int(_)) => a.as_f64() == b.as_f64(),
        (Value::List(a), Value::List(b)) => {
            Arc::ptr_eq(a, b) || (a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| equal(a, b)))
        }
        (Value::Map(a), Value::Map(b)) => {
            Arc::ptr_eq(a, b)
                || (a.len() == b.len() && a.iter().zip(b.iter()).all(|((k, a), (l, b))| k == l && equal(a, b)))
        }
        _ => a == b,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    Changes,
    Deletions,
}

/// The part of a patch that changes, or the part that deletes.
fn keep(patch: &Map, what: Keep) -> Map {
    let mut kept = Map::new();
    for (key, value) in patch.iter() {
        match value {
            Value::Null if what == Keep::Deletions => {
                kept.insert(key, Value::Null);
            }
            Value::Null => {}
            // An empty map is a value, not an empty patch.
            Value::Map(inner) if !inner.is_empty() => {
                let inner = keep(inner, what);
                if !inner.is_empty() {
                    kept.insert(key, inner);
                }
            }
            _ if what == Keep::Changes => {
                kept.insert(key, value.clone());
            }
            _ => {}
        }
    }
    kept
}

/// The first field that both patches set differently.
fn conflict(left: &Map, right: &Map) -> Option<String> {
    left.iter().find_map(|(key, value)| match (value, right.get(key)?) {
        (Value::Map(l), Value::Map(r)) => conflict(l, r),
        (l, r) if equal(l, r) => None,
        _ => Some(key.to_owned()),
    })
}

/// Both patches in one; they do not conflict.
fn union(mut into: Map, from: Map) -> Map {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Map(old)), Value::Map(new)) => {
                let joined = union(Arc::unwrap_or_clone(std::mem::take(old)), Arc::unwrap_or_clone(new));
                *old = Arc::new(joined);
            }
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
    into
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::{json, text};

    #[test]
    fn rfc_7386_examples() {
        let check = |original: &str, patch: &str, expected: &str| {
            assert_eq!(
                text(apply(&json(original), &json(patch))),
                expected,
                "{original} + {patch}"
            );
        };
        check(r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#);
        check(r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#);
        check(r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#);
        check(r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#);
        check(
            r#"{"a":{"b":"c"}}"#,
            r#"{"a":{"b":"d","c":null}}"#,
            r#"{"a":{"b":"d"}}"#,
        );
        check(r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#);
        check(r#"{"e":null}"#, r#"{"a":1}"#, r#"{"a":1,"e":null}"#);
        check(r#"[1,2]"#, r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#);
        check(r#"{}"#, r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#);
        assert!(apply(&json("{}"), &json("[1]")).is_err());
    }

    #[test]
    fn equal_numbers_are_no_difference() {
        assert_eq!(
            text(diff(&json(r#"{"a":1,"b":[1]}"#), &json(r#"{"a":1.0,"b":[1.0]}"#))),
            "{}"
        );
    }
}
