//! JSON in and out, as Go's `encoding/json` reads and writes it.

use std::collections::HashSet;
use std::fmt;
use std::io::Write as _;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::{Map, Value};

/// Nesting deeper than this is refused: everything that walks a value recurses, and a stack overflow kills the process.
/// Kubernetes itself refuses JSON patches nested deeper than about this; real objects stay under 30.
pub const MAX_DEPTH: usize = 100;

/// Why a text is not JSON; says where, never what the text holds.
#[derive(Debug, thiserror::Error)]
#[error("invalid JSON at line {line} column {column}: {message}")]
pub struct JsonError {
    line: usize,
    column: usize,
    message: String,
}

impl From<serde_json::Error> for JsonError {
    fn from(e: serde_json::Error) -> Self {
        // The parser's own text ends in " at line L column C", which the fields already say.
        let text = e.to_string();
        let message = text
            .rsplit_once(" at line ")
            .map_or(text.as_str(), |(m, _)| m)
            .to_owned();
        Self {
            line: e.line(),
            column: e.column(),
            message,
        }
    }
}

pub(super) fn from_slice(text: &[u8]) -> Result<Value, JsonError> {
    Ok(serde_json::from_slice(text)?)
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Seed { depth: MAX_DEPTH }.deserialize(d)
    }
}

/// Map keys repeat by the thousand (`name`, `metadata`, `f:spec`, …), so short ones are shared.
/// Bound: 16,384 keys of at most 48 bytes (under 1 MiB); past that a key is simply not shared.
static KEYS: LazyLock<Mutex<HashSet<Arc<str>>>> = LazyLock::new(Mutex::default);

fn shared_key(key: &str) -> Arc<str> {
    if key.len() > 48 {
        return key.into();
    }
    let mut keys = KEYS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = keys.get(key) {
        return Arc::clone(known);
    }
    let new: Arc<str> = key.into();
    if keys.len() < 16_384 {
        keys.insert(Arc::clone(&new));
    }
    new
}

struct Seed {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Seed {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Value, D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, b: bool) -> Result<Value, E> {
        Ok(Value::Bool(b))
    }

    fn visit_i64<E>(self, i: i64) -> Result<Value, E> {
        Ok(Value::Int(i))
    }

    fn visit_u64<E>(self, u: u64) -> Result<Value, E> {
        Ok(i64::try_from(u).map_or(Value::Float(u as f64), Value::Int))
    }

    fn visit_f64<E>(self, f: f64) -> Result<Value, E> {
        Ok(Value::Float(f))
    }

    fn visit_str<E>(self, s: &str) -> Result<Value, E> {
        Ok(Value::Str(s.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let depth = self
            .depth
            .checked_sub(1)
            .ok_or_else(|| A::Error::custom("nested too deeply"))?;
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Seed { depth })? {
            items.push(item);
        }
        items.shrink_to_fit();
        Ok(Value::list(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let depth = self
            .depth
            .checked_sub(1)
            .ok_or_else(|| A::Error::custom("nested too deeply"))?;
        let mut entries = Vec::new();
        while let Some(key) = map.next_key_seed(KeySeed)? {
            entries.push((key, map.next_value_seed(Seed { depth })?));
        }
        entries.shrink_to_fit();
        Ok(Map::from_iter(entries).into())
    }
}

struct KeySeed;

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Arc<str>;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Arc<str>, D::Error> {
        d.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed {
    type Value = Arc<str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map key")
    }

    fn visit_str<E>(self, s: &str) -> Result<Arc<str>, E> {
        Ok(shared_key(s))
    }
}

/// Returns the JSON text of `value`: the one writer to the API server. Not for logs, errors or users: values may be secret.
pub fn to_json(value: &Value) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    write_json(value, &mut out);
    out
}

/// As [`to_json`], as a string.
pub fn to_json_string(value: &Value) -> String {
    // The writer copies UTF-8 strings whole and adds ASCII only.
    String::from_utf8(to_json(value)).unwrap_or_default()
}

/// Appends the JSON text of `value` to `out`, keys sorted and `<`, `>`, `&`, U+2028 and U+2029 escaped as Go does.
pub fn write_json(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Int(i) => {
            let _ = write!(out, "{i}");
        }
        Value::Float(f) => out.extend_from_slice(pintle_yaml::format_json_float(*f).as_bytes()),
        Value::Str(s) => write_string(s, out),
        Value::List(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_json(item, out);
            }
            out.push(b']');
        }
        Value::Map(map) => {
            out.push(b'{');
            for (i, (key, item)) in map.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_string(key, out);
                out.push(b':');
                write_json(item, out);
            }
            out.push(b'}');
        }
    }
}

fn write_string(s: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let bytes = s.as_bytes();
    let mut start = 0;
    for (i, &b) in bytes.iter().enumerate() {
        let plain = match b {
            b'"' | b'\\' | b'<' | b'>' | b'&' | 0..=0x1f => false,
            // U+2028 and U+2029 are E2 80 A8 and E2 80 A9.
            0xe2 => !matches!(bytes.get(i + 1..i + 3), Some([0x80, 0xa8 | 0xa9])),
            _ => true,
        };
        if plain || i < start {
            continue;
        }
        out.extend_from_slice(bytes.get(start..i).unwrap_or_default());
        start = i + 1;
        match b {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            0xe2 => {
                let last = if bytes.get(i + 2) == Some(&0xa8) {
                    "\\u2028"
                } else {
                    "\\u2029"
                };
                out.extend_from_slice(last.as_bytes());
                start = i + 3;
            }
            _ => {
                let _ = write!(out, "\\u{b:04x}");
            }
        }
    }
    out.extend_from_slice(bytes.get(start..).unwrap_or_default());
    out.push(b'"');
}
