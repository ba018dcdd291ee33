//! JSON patch (RFC 6902), with the particulars of gopkg.in/evanphx/json-patch.v4, which API servers use: negative indices count
//! from the end, `replace` of a missing key adds it, and `test` of a missing key against `null` holds.

use pintle_model::value::MAX_DEPTH;
use pintle_model::{Value, to_json};

/// More operations than this are refused, as API servers do.
pub const MAX_OPERATIONS: usize = 10_000;
/// All `copy` operations of one patch may add this many bytes of JSON, as in API servers: copies of copies grow exponentially.
pub const MAX_COPIED_BYTES: usize = 3 * 1024 * 1024;

/// Why a patch cannot be applied. Names places, never values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonPatchError {
    /// The patch is not a list of operations.
    #[error("a JSON patch is a list of operations, found {0}")]
    NotAList(&'static str),
    /// More than [`MAX_OPERATIONS`].
    #[error("the allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {0}")]
    TooManyOperations(usize),
    /// An operation is malformed.
    #[error("operation {index}: {problem}")]
    Malformed {
        /// The operation's place in the patch, from 0.
        index: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// A path leads nowhere.
    #[error("operation {index}: {op} operation does not apply: doc is missing path: {path:?}")]
    Missing {
        /// The operation's place in the patch, from 0.
        index: usize,
        /// The operation.
        op: &'static str,
        /// The path that leads nowhere.
        path: String,
    },
    /// A `test` does not hold.
    #[error("operation {index}: testing value {path} failed")]
    TestFailed {
        /// The operation's place in the patch, from 0.
        index: usize,
        /// The path that was tested.
        path: String,
    },
    /// More than [`MAX_COPIED_BYTES`] copied.
    #[error(
        "operation {index}: unable to complete the copy, the accumulated size limit of {MAX_COPIED_BYTES} bytes is exceeded"
    )]
    CopyTooLarge {
        /// The operation's place in the patch, from 0.
        index: usize,
    },
    /// The result would be nested deeper than [`MAX_DEPTH`].
    #[error("operation {index}: the result is nested too deeply")]
    TooDeep {
        /// The operation's place in the patch, from 0.
        index: usize,
    },
}

/// Applies the operations of `patch` to `original` in order; all or none take effect.
pub fn apply(original: &Value, patch: &Value) -> Result<Value, JsonPatchError> {
    let operations = patch.as_list().ok_or(JsonPatchError::NotAList(patch.type_name()))?;
    if operations.len() > MAX_OPERATIONS {
        return Err(JsonPatchError::TooManyOperations(operations.len()));
    }
    let mut document = original.clone();
    let mut copied = 0;
    for (index, operation) in operations.iter().enumerate() {
        step(
            &mut document,
            &Operation {
                index,
                fields: operation,
            },
            &mut copied,
        )?;
    }
    Ok(document)
}

/// Removes what a JSON pointer leads to; whether there was anything.
pub fn remove(document: &mut Value, pointer: &str) -> bool {
    take_at(document, pointer).is_some()
}

struct Operation<'p> {
    index: usize,
    fields: &'p Value,
}

impl<'p> Operation<'p> {
    fn malformed(&self, problem: &'static str) -> JsonPatchError {
        JsonPatchError::Malformed {
            index: self.index,
            problem,
        }
    }

    fn missing(&self, op: &'static str, path: &str) -> JsonPatchError {
        JsonPatchError::Missing {
            index: self.index,
            op,
            path: path.to_owned(),
        }
    }

    fn path(&self) -> Result<&'p str, JsonPatchError> {
        self.fields
            .str_at(&["path"])
            .ok_or_else(|| self.malformed("path is missing or not a string"))
    }

    fn from(&self) -> Result<&'p str, JsonPatchError> {
        self.fields
            .str_at(&["from"])
            .ok_or_else(|| self.malformed("from is missing or not a string"))
    }

    fn value(&self) -> Value {
        self.fields.get("value").cloned().unwrap_or(Value::Null)
    }
}

fn step(document: &mut Value, operation: &Operation<'_>, copied: &mut usize) -> Result<(), JsonPatchError> {
    let path = operation.path()?;
    let op = operation.fields.str_at(&["op"]).unwrap_or_default();
    match op {
        "add" => add(document, operation, "add", path, operation.value()),
        "remove" => take(document, operation, "remove", path).map(drop),
        "replace" => {
            let value = operation.value();
            if path.is_empty() {
                if !matches!(value, Value::Map(_) | Value::List(_)) {
                    return Err(operation.malformed("replace operation value must be object or array"));
                }
                *document = value;
                return Ok(());
            }
            let depth = path.split('/').count();
            check_depth(operation, depth, &value)?;
            let (container, key) = container(document, path).ok_or_else(|| operation.missing("replace", path))?;
            match container {
                Value::Map(_) => {
                    container.as_map_mut().map(|m| m.insert(key, value));
                    Ok(())
                }
                _ => {
                    let items = container
                        .as_list_mut()
                        .ok_or_else(|| operation.missing("replace", path))?;
                    let slot = place(&key, items.len()).and_then(|i| items.get_mut(i));
                    *slot.ok_or_else(|| operation.missing("replace", path))? = value;
                    Ok(())
                }
            }
        }
        "move" => {
            let value = take(document, operation, "move", operation.from()?)?;
            add(document, operation, "move", path, value)
        }
        "copy" => {
            let from = operation.from()?;
            let value = read(document, from).ok_or_else(|| operation.missing("copy", from))?;
            *copied = copied.saturating_add(to_json(&value).len());
            if *copied > MAX_COPIED_BYTES {
                return Err(JsonPatchError::CopyTooLarge { index: operation.index });
            }
            add(document, operation, "copy", path, value)
        }
        "test" => {
            let found = if path.is_empty() {
                Some(document.clone())
            } else {
                read(document, path)
            };
            let found = found.ok_or_else(|| operation.missing("test", path))?;
            if found == operation.value() {
                Ok(())
            } else {
                Err(JsonPatchError::TestFailed {
                    index: operation.index,
                    path: path.to_owned(),
                })
            }
        }
        _ => Err(operation.malformed("op is none of add, remove, replace, move, copy and test")),
    }
}

/// Puts a value at a path: into a map, or into a list before the element that is there.
fn add(
    document: &mut Value,
    operation: &Operation<'_>,
    op: &'static str,
    path: &str,
    value: Value,
) -> Result<(), JsonPatchError> {
    check_depth(operation, path.split('/').count(), &value)?;
    let (container, key) = container(document, path).ok_or_else(|| operation.missing(op, path))?;
    if let Some(map) = container.as_map_mut() {
        map.insert(key, value);
        return Ok(());
    }
    let items = container.as_list_mut().ok_or_else(|| operation.missing(op, path))?;
    let index = if key == "-" {
        Some(items.len())
    } else {
        place(&key, items.len() + 1)
    };
    items.insert(index.ok_or_else(|| operation.missing(op, path))?, value);
    Ok(())
}

/// Removes and returns the value at a path.
fn take(
    document: &mut Value,
    operation: &Operation<'_>,
    op: &'static str,
    path: &str,
) -> Result<Value, JsonPatchError> {
    take_at(document, path).ok_or_else(|| operation.missing(op, path))
}

fn take_at(document: &mut Value, path: &str) -> Option<Value> {
    // Looked up first so that a miss does not copy what is shared.
    let (parents, key) = split(path)?;
    child(
        parents.iter().try_fold(&*document, |here, part| child(here, part))?,
        &key,
    )?;
    let (container, key) = container(document, path)?;
    if let Some(map) = container.as_map_mut() {
        return map.remove(&key);
    }
    let items = container.as_list_mut()?;
    let index = place(&key, items.len())?;
    Some(items.remove(index))
}

/// The value at a path. A key that a map lacks reads as null, an index that a list lacks as nothing.
fn read(document: &Value, path: &str) -> Option<Value> {
    let (parents, key) = split(path)?;
    let container = parents.iter().try_fold(document, |here, part| child(here, part))?;
    match container {
        Value::Map(map) => Some(map.get(&key).cloned().unwrap_or(Value::Null)),
        Value::List(items) => items.get(place(&key, items.len())?).cloned(),
        _ => None,
    }
}

fn child<'v>(here: &'v Value, part: &str) -> Option<&'v Value> {
    match here {
        Value::Map(map) => map.get(part),
        Value::List(items) => items.get(place(part, items.len())?),
        _ => None,
    }
}

/// The map or list that holds the last part of a path, and that part.
fn container<'v>(document: &'v mut Value, path: &str) -> Option<(&'v mut Value, String)> {
    let (parents, key) = split(path)?;
    let mut here = document;
    for part in parents {
        // Looked up first so that a miss does not copy what is shared.
        child(here, &part)?;
        here = match here {
            Value::Map(_) => here.as_map_mut()?.get_mut(&part)?,
            _ => {
                let items = here.as_list_mut()?;
                let index = place(&part, items.len())?;
                items.get_mut(index)?
            }
        };
    }
    Some((here, key))
}

/// Splits `/a/b~1c` into `["a"]` and `b/c`. What stands before the first slash is not looked at.
fn split(path: &str) -> Option<(Vec<String>, String)> {
    let mut parts: Vec<String> = path
        .split('/')
        .skip(1)
        .map(|part| part.replace("~1", "/").replace("~0", "~"))
        .collect();
    let key = parts.pop()?;
    Some((parts, key))
}

/// The index a path part means in a list of `len` elements; negative ones count from the end.
fn place(part: &str, len: usize) -> Option<usize> {
    let index: i64 = part.parse().ok()?;
    let index = if index < 0 {
        index.checked_add(i64::try_from(len).ok()?)?
    } else {
        index
    };
    usize::try_from(index).ok().filter(|i| *i < len)
}

fn check_depth(operation: &Operation<'_>, at: usize, value: &Value) -> Result<(), JsonPatchError> {
    if at + depth(value) > MAX_DEPTH {
        return Err(JsonPatchError::TooDeep { index: operation.index });
    }
    Ok(())
}

/// How deep a value is nested; 0 for scalars.
fn depth(value: &Value) -> usize {
    match value {
        Value::List(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Map(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::{json, text};

    fn check(original: &str, patch: &str, expected: &str) {
        let result = apply(&json(original), &json(patch));
        let result = result.map_or_else(|e| format!("error: {e}"), |v| text(Ok::<_, JsonPatchError>(v)));
        assert_eq!(result, expected, "{original} + {patch}");
    }

    #[test]
    fn every_operation() {
        check(
            r#"{"a":1}"#,
            r#"[{"op":"add","path":"/b","value":[1,2]},{"op":"add","path":"/b/1","value":9}]"#,
            r#"{"a":1,"b":[1,9,2]}"#,
        );
        check(
            r#"{"a":[1]}"#,
            r#"[{"op":"add","path":"/a/-","value":2},{"op":"add","path":"/a/-1","value":3}]"#,
            r#"{"a":[1,2,3]}"#,
        );
        check(
            r#"{"a":{"b/c":1,"d~e":2}}"#,
            r#"[{"op":"remove","path":"/a/b~1c"},{"op":"replace","path":"/a/d~0e","value":3}]"#,
            r#"{"a":{"d~e":3}}"#,
        );
        check(
            r#"{"a":[1,2,3]}"#,
            r#"[{"op":"remove","path":"/a/-1"},{"op":"replace","path":"/a/0","value":7}]"#,
            r#"{"a":[7,2]}"#,
        );
        check(
            r#"{"a":{"x":1}}"#,
            r#"[{"op":"move","from":"/a/x","path":"/b"},{"op":"copy","from":"/b","path":"/c"}]"#,
            r#"{"a":{},"b":1,"c":1}"#,
        );
        check(
            r#"{"a":[1,{"b":null}]}"#,
            r#"[{"op":"test","path":"/a/1","value":{"b":null}},{"op":"test","path":"/zz","value":null}]"#,
            r#"{"a":[1,{"b":null}]}"#,
        );
        check(
            r#"{"a":1}"#,
            r#"[{"op":"replace","path":"","value":{"b":2}}]"#,
            r#"{"b":2}"#,
        );
        check(
            r#"{"a":1}"#,
            r#"[{"op":"replace","path":"/new","value":2}]"#,
            r#"{"a":1,"new":2}"#,
        );
    }

    #[test]
    fn what_does_not_apply_names_the_operation_and_the_path() {
        check(
            r#"{"a":1}"#,
            r#"[{"op":"test","path":"/a","value":2}]"#,
            "error: operation 0: testing value /a failed",
        );
        check(
            r#"{"a":1}"#,
            r#"[{"op":"remove","path":"/b"}]"#,
            r#"error: operation 0: remove operation does not apply: doc is missing path: "/b""#,
        );
        check(
            r#"{"a":[]}"#,
            r#"[{"op":"add","path":"/a/1","value":1}]"#,
            r#"error: operation 0: add operation does not apply: doc is missing path: "/a/1""#,
        );
        check(
            r#"{"a":1}"#,
            r#"[{"op":"add","path":"/a/b/c","value":1}]"#,
            r#"error: operation 0: add operation does not apply: doc is missing path: "/a/b/c""#,
        );
        check(
            r#"{}"#,
            r#"[{"op":"mangle","path":"/a"}]"#,
            "error: operation 0: op is none of add, remove, replace, move, copy and test",
        );
        check(
            r#"{}"#,
            r#"{"op":"add"}"#,
            "error: a JSON patch is a list of operations, found object",
        );
    }

    #[test]
    fn growth_is_bounded() {
        let doubling = r#"{"op":"copy","from":"/a","path":"/a/x"}"#;
        let patch = format!("[{}]", vec![doubling; 200].join(","));
        assert!(matches!(
            apply(&json(r#"{"a":{}}"#), &json(&patch)),
            Err(JsonPatchError::TooDeep { .. })
        ));
        let wide = r#"{"op":"copy","from":"/a","path":"/a/-"},{"op":"copy","from":"/a","path":"/b"},{"op":"move","from":"/b","path":"/a/0"}"#;
        let patch = format!("[{}]", vec![wide; 40].join(","));
        let big = format!(r#"{{"a":["{}"]}}"#, "x".repeat(100_000));
        assert!(matches!(
            apply(&json(&big), &json(&patch)),
            Err(JsonPatchError::CopyTooLarge { .. })
        ));
        let many = format!(
            "[{}]",
            vec![r#"{"op":"test","path":"/a"}"#; MAX_OPERATIONS + 1].join(",")
        );
        assert!(matches!(
            apply(&json("{}"), &json(&many)),
            Err(JsonPatchError::TooManyOperations(_))
        ));
    }
}
