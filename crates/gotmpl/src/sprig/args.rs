//! Arguments as Go would have them after conversion: the executor has checked their types.

use std::borrow::Cow;

use crate::text::Str;
use crate::value::{List, Map, Value};

/// Typed access to the arguments of a call. What is absent or nil reads as the zero value of the type asked for.
#[derive(Clone, Copy)]
pub(super) struct Args<'a>(pub &'a [Value]);

impl<'a> Args<'a> {
    pub fn value(self, at: usize) -> &'a Value {
        self.0.get(at).unwrap_or(&Value::Nil)
    }

    pub fn bytes(self, at: usize) -> &'a [u8] {
        match self.value(at) {
            Value::Str(text) => text.as_bytes(),
            Value::Bytes(bytes) => bytes,
            _ => b"",
        }
    }

    pub fn str(self, at: usize) -> Str {
        match self.value(at) {
            Value::Str(text) => text.clone(),
            _ => Str::default(),
        }
    }

    /// The text, with U+FFFD where it is not UTF-8.
    pub fn text(self, at: usize) -> Cow<'a, str> {
        match self.value(at) {
            Value::Str(text) => text.to_str(),
            _ => Cow::Borrowed(""),
        }
    }

    /// The text, with a mark for each byte that is not UTF-8 ([`Str::marked`]).
    pub fn marked(self, at: usize) -> Cow<'a, str> {
        match self.value(at) {
            Value::Str(text) => text.marked(),
            _ => Cow::Borrowed(""),
        }
    }

    /// What was made of arguments that were marked, with the bytes in place of the marks.
    pub fn unmarked(self, result: Value) -> Value {
        let is_marked = |value: &Value| matches!(value, Value::Str(text) if text.as_str().is_none());
        if !self.0.iter().any(is_marked) {
            return result;
        }
        match result {
            Value::Str(text) => Value::Str(text.unmarked()),
            Value::List(list) if !list.is_nil() => {
                let parts = list.into_vec().into_iter();
                Value::strings(parts.map(|part| match part {
                    Value::Str(text) => text.unmarked(),
                    _ => Str::default(),
                }))
            }
            other => other,
        }
    }

    pub fn int(self, at: usize) -> i64 {
        self.value(at).as_int().unwrap_or_default()
    }

    pub fn map(self, at: usize) -> Option<&'a Map> {
        self.value(at).as_map()
    }

    pub fn rest(self, from: usize) -> &'a [Value] {
        self.0.get(from..).unwrap_or_default()
    }
}

/// The elements of a slice of any type; `None` if the value is not a slice.
pub(super) fn items(value: &Value) -> Option<Cow<'_, [Value]>> {
    match value {
        Value::List(list) => Some(Cow::Borrowed(list.as_slice())),
        Value::Bytes(bytes) => Some(Cow::Owned(bytes.iter().map(|b| Value::byte(*b)).collect())),
        Value::Host(host) => match host.underlying() {
            Some(Value::List(list)) => Some(Cow::Owned(List::into_vec(list))),
            Some(Value::Bytes(bytes)) => Some(Cow::Owned(bytes.iter().map(|b| Value::byte(*b)).collect())),
            _ => None,
        },
        _ => None,
    }
}
