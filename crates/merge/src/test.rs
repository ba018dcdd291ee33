//! What tests of this crate share.

use pintle_model::{Value, to_json_string};

/// Parses JSON that a test holds.
pub(crate) fn json(text: &str) -> Value {
    Value::from_json(text.as_bytes()).expect("test input is JSON")
}

/// The JSON of a result, or its error.
pub(crate) fn text<E: std::fmt::Display>(result: Result<Value, E>) -> String {
    match result {
        Ok(value) => to_json_string(&value),
        Err(error) => format!("error: {error}"),
    }
}
