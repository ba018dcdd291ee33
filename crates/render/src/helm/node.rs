//! The values of one render while they are merged: tables shared by reference, as Go's maps are.
//!
//! Helm merges values in place, and parts of one table stand in several places at once (a parent's globals inside every subchart's). What
//! a later merge writes into one is seen through the others, so a tree of plain values would give other results.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use pintle_model::{Map, Value};
use pintle_yaml::Yaml;

/// A table's entries, in key order.
pub(crate) type Entries = BTreeMap<Arc<str>, Node>;

/// A table, shared by all who hold it.
#[derive(Clone, Default)]
pub(crate) struct Table(pub(crate) Rc<RefCell<Entries>>);

/// One value. Cloning shares tables; [`Node::deep_copy`] does not.
#[derive(Clone)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    /// From `--set` only: numbers of YAML and JSON are floats, as Go decodes them.
    Int(i64),
    Float(f64),
    Str(Arc<str>),
    List(Vec<Node>),
    Table(Table),
}

impl Table {
    pub(crate) fn get(&self, key: &str) -> Option<Node> {
        self.0.borrow().get(key).cloned()
    }

    pub(crate) fn set(&self, key: impl Into<Arc<str>>, value: Node) {
        self.0.borrow_mut().insert(key.into(), value);
    }

    pub(crate) fn remove(&self, key: &str) {
        self.0.borrow_mut().remove(key);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// The entries as they are now; the table may change while the caller walks them.
    pub(crate) fn entries(&self) -> Vec<(Arc<str>, Node)> {
        self.0.borrow().iter().map(|(k, v)| (k.clone(), v.clone())).collect()
    }

    /// A new table with the same entries; tables inside stay shared.
    pub(crate) fn shallow_copy(&self) -> Self {
        Self(Rc::new(RefCell::new(self.0.borrow().clone())))
    }

    pub(crate) fn deep_copy(&self) -> Self {
        Self::from_iter(self.0.borrow().iter().map(|(k, v)| (k.clone(), v.deep_copy())))
    }

    /// The table at a path of keys; `None` where a step is missing or no table.
    pub(crate) fn table(&self, path: &str) -> Option<Table> {
        path.split('.')
            .try_fold(self.clone(), |table, key| match table.get(key) {
                Some(Node::Table(table)) => Some(table),
                _ => None,
            })
    }

    /// The value at a path of keys, if it is there and no table.
    pub(crate) fn path_value(&self, path: &str) -> Option<Node> {
        let (table, key) = match path.rsplit_once('.') {
            Some((parents, key)) => (self.table(parents)?, key),
            None => (self.clone(), path),
        };
        table.get(key).filter(|value| !matches!(value, Node::Table(_)))
    }
}

impl FromIterator<(Arc<str>, Node)> for Table {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Node)>>(entries: I) -> Self {
        Self(Rc::new(RefCell::new(entries.into_iter().collect())))
    }
}

impl Node {
    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// A copy that shares nothing. Recurses as deep as the value, which every way in bounds.
    pub(crate) fn deep_copy(&self) -> Self {
        match self {
            Self::List(items) => Self::List(items.iter().map(Self::deep_copy).collect()),
            Self::Table(table) => Self::Table(table.deep_copy()),
            other => other.clone(),
        }
    }

    /// The name Go's `%T` prints.
    pub(crate) fn go_type(&self) -> &'static str {
        match self {
            Self::Null => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int64",
            Self::Float(_) => "float64",
            Self::Str(_) => "string",
            Self::List(_) => "[]interface {}",
            Self::Table(_) => "map[string]interface {}",
        }
    }
}

impl From<&Value> for Node {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(b) => Self::Bool(*b),
            Value::Int(i) => Self::Int(*i),
            Value::Float(f) => Self::Float(*f),
            Value::Str(s) => Self::Str(s.clone()),
            Value::List(items) => Self::List(items.iter().map(Self::from).collect()),
            Value::Map(map) => Self::Table(Table::from(&**map)),
        }
    }
}

impl From<&Map> for Table {
    fn from(map: &Map) -> Self {
        map.keys().cloned().zip(map.values().map(Node::from)).collect()
    }
}

/// A YAML value with its numbers as Go's JSON decoder gives them to an untyped target: every one a float.
pub(crate) fn yaml_value(yaml: Yaml) -> Value {
    match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(b) => Value::Bool(b),
        Yaml::Int(i) => Value::Float(i as f64),
        Yaml::Uint(u) => Value::Float(u as f64),
        Yaml::Float(f) => Value::Float(f),
        Yaml::String(s) => Value::Str(s.into()),
        Yaml::Seq(items) => Value::list(items.into_iter().map(yaml_value).collect()),
        Yaml::Map(entries) => Map::from_iter(entries.into_iter().map(|(k, v)| (k, yaml_value(v)))).into(),
    }
}

/// As [`yaml_value`], for a value that came as JSON.
pub(crate) fn json_value(value: &Value) -> Value {
    match value {
        Value::Int(i) => Value::Float(*i as f64),
        Value::List(items) => Value::list(items.iter().map(json_value).collect()),
        Value::Map(map) => Map::from_iter(map.iter().map(|(k, v)| (k, json_value(v)))).into(),
        other => other.clone(),
    }
}
