//! The one value type every crate shares.
//!
//! A [`Value`] is what a Kubernetes API server speaks: JSON with `int64` and `float64` kept apart and map keys in byte order, as
//! Go's encoder writes them. It is cheap to clone (containers and strings are behind `Arc`), and it has neither `Serialize` nor
//! `Debug`: a Secret's data passes through it, so the only ways out are [`to_json`] (the writer to the API), the YAML writer, masked
//! views, and the sealed renders of `pintle-repo`, which hold no Secret.

mod json;
mod map;

pub use json::{JsonError, MAX_DEPTH, to_json, to_json_string, write_json};
pub use map::Map;

use std::sync::Arc;

use pintle_yaml::Yaml;

/// One JSON-shaped value.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number without fraction or exponent that fits `int64`.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// A string.
    Str(Arc<str>),
    /// An array.
    List(Arc<Vec<Value>>),
    /// An object, keys unique and in byte order.
    Map(Arc<Map>),
}

impl Value {
    /// Returns an empty map.
    pub fn map() -> Self {
        Self::Map(Arc::new(Map::new()))
    }

    /// Returns a string value.
    pub fn str(text: impl Into<Arc<str>>) -> Self {
        Self::Str(text.into())
    }

    /// Returns a list value.
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(Arc::new(items))
    }

    /// Parses one JSON text. Errors name the byte position and never repeat the input.
    pub fn from_json(text: &[u8]) -> Result<Self, JsonError> {
        json::from_slice(text)
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether this is `null`, `""`, `[]` or `{}`: what Go's `omitempty` leaves out, numbers and booleans aside.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Str(s) => s.is_empty(),
            Self::List(l) => l.is_empty(),
            Self::Map(m) => m.is_empty(),
            Self::Bool(_) | Self::Int(_) | Self::Float(_) => false,
        }
    }

    /// The JSON name of this value's type: `null`, `boolean`, `integer`, `number`, `string`, `array`, `object`.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Int(_) => "integer",
            Self::Float(_) => "number",
            Self::Str(_) => "string",
            Self::List(_) => "array",
            Self::Map(_) => "object",
        }
    }

    /// The boolean, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(b) = self { Some(*b) } else { None }
    }

    /// The integer, if it is one; a float with no fraction counts.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(i) => Some(*i),
            // 2^63 is exactly representable, so the comparison is exact.
            Self::Float(f) if f.fract() == 0.0 && f.abs() < 9_223_372_036_854_775_808.0 => Some(*f as i64),
            _ => None,
        }
    }

    /// The number as a float, if it is a number.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(i) => Some(*i as f64),
            Self::Float(f) => Some(*f),
            _ => None,
        }
    }

    /// The string, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::Str(s) = self { Some(s) } else { None }
    }

    /// The items, if it is a list.
    pub fn as_list(&self) -> Option<&[Self]> {
        if let Self::List(l) = self { Some(l) } else { None }
    }

    /// The map, if it is one.
    pub fn as_map(&self) -> Option<&Map> {
        if let Self::Map(m) = self { Some(m) } else { None }
    }

    /// The items for change, if it is a list; copies them first if they are shared.
    pub fn as_list_mut(&mut self) -> Option<&mut Vec<Self>> {
        if let Self::List(l) = self {
            Some(Arc::make_mut(l))
        } else {
            None
        }
    }

    /// The map for change, if it is one; copies its top level first if it is shared.
    pub fn as_map_mut(&mut self) -> Option<&mut Map> {
        if let Self::Map(m) = self {
            Some(Arc::make_mut(m))
        } else {
            None
        }
    }

    /// The value under `key`, if this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_map()?.get(key)
    }

    /// The value at a path of map keys; `None` where a step is missing or not a map.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |value, key| value.get(key))
    }

    /// The string at a path of map keys.
    pub fn str_at(&self, path: &[&str]) -> Option<&str> {
        self.at(path)?.as_str()
    }

    /// The integer at a path of map keys.
    pub fn i64_at(&self, path: &[&str]) -> Option<i64> {
        self.at(path)?.as_i64()
    }

    /// The boolean at a path of map keys.
    pub fn bool_at(&self, path: &[&str]) -> Option<bool> {
        self.at(path)?.as_bool()
    }

    /// The items at a path of map keys; an empty slice where there are none.
    pub fn list_at(&self, path: &[&str]) -> &[Self] {
        self.at(path).and_then(Self::as_list).unwrap_or(&[])
    }

    /// The value at a path for change; `None` where a step is missing or not a map.
    pub fn at_mut(&mut self, path: &[&str]) -> Option<&mut Self> {
        path.iter()
            .try_fold(self, |value, key| value.as_map_mut()?.get_mut(key))
    }

    /// Sets the value at a path, making maps on the way; a step that holds something other than a map is replaced by one.
    pub fn set_at(&mut self, path: &[&str], new: Self) {
        let Some((last, parents)) = path.split_last() else {
            *self = new;
            return;
        };
        let mut here = self;
        for key in parents {
            here = here.force_map().get_or_insert_with(key, Self::map);
        }
        here.force_map().insert(*last, new);
    }

    /// Removes and returns the value at a path; `None` if there was none.
    pub fn remove_at(&mut self, path: &[&str]) -> Option<Self> {
        let (last, parents) = path.split_last()?;
        // Looked up first so that a miss does not copy shared parents.
        self.at(path)?;
        self.at_mut(parents)?.as_map_mut()?.remove(last)
    }

    /// Makes this a map if it is none, and returns it.
    fn force_map(&mut self) -> &mut Map {
        if !matches!(self, Self::Map(_)) {
            *self = Self::map();
        }
        match self {
            Self::Map(m) => Arc::make_mut(m),
            _ => unreachable!("made a map just above"),
        }
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Self::Bool(b)
    }
}

impl From<i64> for Value {
    fn from(i: i64) -> Self {
        Self::Int(i)
    }
}

impl From<&str> for Value {
    fn from(s: &str) -> Self {
        Self::Str(s.into())
    }
}

impl From<String> for Value {
    fn from(s: String) -> Self {
        Self::Str(s.into())
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::list(items)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(Arc::new(map))
    }
}

impl From<Yaml> for Value {
    fn from(yaml: Yaml) -> Self {
        match yaml {
            Yaml::Null => Self::Null,
            Yaml::Bool(b) => Self::Bool(b),
            Yaml::Int(i) => Self::Int(i),
            Yaml::Uint(u) => Self::Float(u as f64),
            // Go writes a whole float to JSON without a fraction, and reads that back as an integer.
            Yaml::Float(f) => Self::Float(f).as_i64().map_or(Self::Float(f), Self::Int),
            Yaml::String(s) => Self::Str(s.into()),
            Yaml::Seq(items) => Self::list(items.into_iter().map(Self::from).collect()),
            Yaml::Map(entries) => Map::from_iter(entries.into_iter().map(|(k, v)| (k, Self::from(v)))).into(),
        }
    }
}

impl From<&Value> for Yaml {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(b) => Self::Bool(*b),
            Value::Int(i) => Self::Int(*i),
            Value::Float(f) => Self::Float(*f),
            Value::Str(s) => Self::String(s.to_string()),
            Value::List(items) => Self::Seq(items.iter().map(Self::from).collect()),
            Value::Map(map) => Self::Map(map.iter().map(|(k, v)| (k.to_owned(), Self::from(v))).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Value {
        Value::from_json(text.as_bytes()).expect("test input is JSON")
    }

    #[test]
    fn numbers_keep_their_kind_and_maps_their_order() {
        let value = json(r#"{"b":1,"a":1.0,"c":1e3,"d":9223372036854775808,"a":[-1,"<&>"]}"#);
        assert_eq!(
            to_json_string(&value),
            r#"{"a":[-1,"\u003c\u0026\u003e"],"b":1,"c":1000,"d":9223372036854776000}"#
        );
        assert!(matches!(json("1"), Value::Int(1)));
        assert!(matches!(json("1.0"), Value::Float(_)));
    }

    #[test]
    fn paths_read_write_and_remove() {
        let mut value = json(r#"{"a":{"b":1}}"#);
        let shared = value.clone();
        value.set_at(&["a", "c", "d"], "x".into());
        assert_eq!(value.str_at(&["a", "c", "d"]), Some("x"));
        assert_eq!(value.remove_at(&["a", "b"]).and_then(|v| v.as_i64()), Some(1));
        assert!(value.remove_at(&["a", "zz"]).is_none());
        assert_eq!(
            to_json_string(&shared),
            r#"{"a":{"b":1}}"#,
            "a clone is not changed through the other"
        );
    }

    #[test]
    fn depth_is_bounded() {
        let deep = "[".repeat(20_000) + &"]".repeat(20_000);
        assert!(Value::from_json(deep.as_bytes()).is_err());
    }
}
