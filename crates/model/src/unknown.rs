//! Fields of a resource that this version has no name for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// The fields of one JSON object that its type does not name, kept and written back as they came (invariant I-19).
///
/// Every typed struct below an Application or AppProject flattens one in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Unknown(BTreeMap<String, Json>);

impl Unknown {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of one of them.
    pub fn get(&self, field: &str) -> Option<&Json> {
        self.0.get(field)
    }

    /// Puts a field in; `None` and `null` take it out.
    pub fn set(&mut self, field: &str, value: Option<Json>) {
        match value {
            None | Some(Json::Null) => self.0.remove(field),
            Some(value) => self.0.insert(field.to_owned(), value),
        };
    }

    /// Names and values, in byte order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.0.iter().map(|(k, v)| (k.as_str(), v))
    }
}

/// Whether a field holds its type's zero value: what Go's `omitempty` leaves out.
///
/// Structs count too, unlike in Go, which writes `"retry": {}`: what kubectl wrote without such a field comes back without it.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
