//! From [`Value`] to typed resources and back, through serde.
//!
//! Reading is as lenient as Go's decoder where stored objects may need it: `null` stands for a field's zero value. It is as strict as Go's
//! where a wrong type would lose what a person wrote: the error names the field's path.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::Serialize;

use crate::id::Gvk;
use crate::object::Object;
use crate::value::{Map, Value};

/// Why an object cannot be read as its type. Names the object and the field; the object stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {}{message}", if path.is_empty() { String::new() } else { format!("{path}: ") })]
pub struct DecodeError {
    /// `Kind namespace/name` of the object.
    pub name: String,
    /// Path of the field in the object, for example `spec.sources[1].repoURL`; empty for the object itself.
    pub path: String,
    /// What is wrong there.
    pub message: String,
}

/// Reads `object` as a `T`, which must name everything but `apiVersion` and `kind`; `expected` is the group and kind it must have.
pub(crate) fn decode<T: DeserializeOwned>(object: &Object, group: &str, kind: &str) -> Result<T, DecodeError> {
    let name = || match object.namespace() {
        "" => format!("{} {}", object.kind(), object.name()),
        namespace => format!("{} {namespace}/{}", object.kind(), object.name()),
    };
    if object.group() != group || object.kind() != kind {
        let message = format!("expected kind {kind} of group {group}, found {}", object.gvk());
        return Err(DecodeError {
            name: name(),
            path: String::new(),
            message,
        });
    }
    let mut value = object.value().clone();
    value.remove_at(&["apiVersion"]);
    value.remove_at(&["kind"]);
    T::deserialize(Reader(&value)).map_err(|e| DecodeError {
        name: name(),
        path: e.path,
        message: e.message,
    })
}

/// Returns the value `resource` is written as.
pub(crate) fn encode<T: Serialize>(resource: &T) -> Value {
    // Typed resources hold strings, numbers, lists and maps with string keys: nothing that JSON has no form for.
    from_json_value(serde_json::to_value(resource).unwrap_or_default())
}

/// The same value in our type; a number that fits neither `i64` nor a float exactly is the nearest float.
pub(crate) fn from_json_value(json: serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match json {
        Json::Null => Value::Null,
        Json::Bool(b) => Value::Bool(b),
        Json::Number(n) => n
            .as_i64()
            .map_or_else(|| Value::Float(n.as_f64().unwrap_or_default()), Value::Int),
        Json::String(s) => Value::Str(s.into()),
        Json::Array(items) => Value::list(items.into_iter().map(from_json_value).collect()),
        Json::Object(map) => Map::from_iter(map.into_iter().map(|(k, v)| (k, from_json_value(v)))).into(),
    }
}

/// As [`encode`], with `apiVersion` and `kind`.
pub(crate) fn encode_object<T: Serialize>(resource: &T, gvk: &Gvk) -> Object {
    let mut object = Object::bare(gvk, "", "");
    let type_fields = object.clone();
    *object.value_mut() = encode(resource);
    for field in ["apiVersion", "kind"] {
        if let Some(value) = type_fields.value().get(field) {
            object.value_mut().set_at(&[field], value.clone());
        }
    }
    object
}

/// Where and why reading stopped.
#[derive(Debug)]
pub(crate) struct ReadError {
    path: String,
    message: String,
}

impl ReadError {
    fn under_key(mut self, key: &str) -> Self {
        // Keys such as `argocd.argoproj.io/refresh` hold dots themselves.
        let key = if key.contains(['.', '/']) {
            format!("[{key:?}]")
        } else {
            key.to_owned()
        };
        let joint = if self.path.is_empty() || self.path.starts_with('[') {
            ""
        } else {
            "."
        };
        self.path = format!("{key}{joint}{}", self.path);
        self
    }

    fn under_index(mut self, index: usize) -> Self {
        let joint = if self.path.is_empty() || self.path.starts_with('[') {
            ""
        } else {
            "."
        };
        self.path = format!("[{index}]{joint}{}", self.path);
        self
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.path, self.message)
        }
    }
}

impl std::error::Error for ReadError {}

impl serde::de::Error for ReadError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self {
            path: String::new(),
            message: message.to_string(),
        }
    }
}

/// Reads any `T` from a value.
pub(crate) fn read<T: DeserializeOwned>(value: &Value) -> Result<T, ReadError> {
    T::deserialize(Reader(value))
}

/// A serde deserializer over a value.
struct Reader<'a>(&'a Value);

/// For a hint of a type with a zero value: `null` becomes that, everything else is read as what it is.
macro_rules! null_as {
    ($($method:ident => |$visitor:ident| $zero:expr;)+) => {
        $(fn $method<V: Visitor<'de>>(self, $visitor: V) -> Result<V::Value, ReadError> {
            if self.0.is_null() { $zero } else { self.deserialize_any($visitor) }
        })+
    };
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(b) => visitor.visit_bool(*b),
            Value::Int(i) => visitor.visit_i64(*i),
            Value::Float(f) => visitor.visit_f64(*f),
            Value::Str(s) => visitor.visit_str(s),
            Value::List(items) => visitor.visit_seq(Items { items, next: 0 }),
            Value::Map(map) => visitor.visit_map(Entries { map, next: 0 }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        if self.0.is_null() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.0 {
            Value::Null => visitor.visit_i64(0),
            // 1.0 and 1e3 are integers to the API server's schema validation.
            value => match value.as_i64() {
                Some(i) => visitor.visit_i64(i),
                None => self.deserialize_any(visitor),
            },
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        self.deserialize_map(visitor)
    }

    null_as! {
        deserialize_bool => |visitor| visitor.visit_bool(false);
        deserialize_str => |visitor| visitor.visit_str("");
        deserialize_string => |visitor| visitor.visit_str("");
        deserialize_seq => |visitor| visitor.visit_seq(Items { items: &[], next: 0 });
        deserialize_map => |visitor| visitor.visit_map(Entries { map: &Map::new(), next: 0 });
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct enum identifier ignored_any
    }
}

struct Items<'a> {
    items: &'a [Value],
    next: usize,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, ReadError> {
        let Some(item) = self.items.get(self.next) else {
            return Ok(None);
        };
        let index = self.next;
        self.next += 1;
        seed.deserialize(Reader(item))
            .map(Some)
            .map_err(|e| e.under_index(index))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len() - self.next)
    }
}

struct Entries<'a> {
    map: &'a Map,
    /// Index of the entry whose key comes next; its value comes after that.
    next: usize,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ReadError> {
        let Some((key, _)) = self.map.iter().nth(self.next) else {
            return Ok(None);
        };
        let key: StrDeserializer<'_, ReadError> = key.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, ReadError> {
        let Some((key, value)) = self.map.iter().nth(self.next) else {
            return Err(serde::de::Error::custom("a value was asked for before its key"));
        };
        self.next += 1;
        seed.deserialize(Reader(value)).map_err(|e| e.under_key(key))
    }
}
