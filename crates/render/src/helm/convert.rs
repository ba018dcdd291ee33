//! Values of templates to and from data: what Go's JSON package makes of them.

use std::collections::HashMap;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pintle_gotmpl::{Call, FuncError, Map, Value};
use pintle_yaml::Yaml;

use super::node::{Node, Table};

/// Nesting of what is written as YAML or JSON. Go stops at 1,000 pointers where a map holds itself.
const MAX_DEPTH: usize = 1000;
/// How many values are converted between two looks at the budget.
const CHARGE_EVERY: u64 = 256;

/// Why a value has no form as data.
pub(crate) enum NoData {
    /// It is a function, a not-a-number, or holds itself; Go's JSON package refuses too.
    Unsupported(String),
    /// The render's budget is used up.
    Budget(FuncError),
}

impl From<NoData> for FuncError {
    fn from(reason: NoData) -> Self {
        match reason {
            NoData::Unsupported(message) => Self::new(message),
            NoData::Budget(error) => error,
        }
    }
}

/// The value as data; every shared part is counted where it stands, so that a small graph cannot become a giant tree.
pub(crate) fn to_data(call: &mut Call<'_>, value: &Value) -> Result<Yaml, NoData> {
    Writer { call, count: 0 }.write(value, 0)
}

struct Writer<'a, 'c> {
    call: &'a mut Call<'c>,
    count: u64,
}

impl Writer<'_, '_> {
    fn write(&mut self, value: &Value, depth: usize) -> Result<Yaml, NoData> {
        self.count += 1;
        if self.count.is_multiple_of(CHARGE_EVERY) {
            self.call.charge_steps(CHARGE_EVERY).map_err(NoData::Budget)?;
        }
        if depth > MAX_DEPTH {
            let message = format!("json: unsupported value: encountered a cycle via {}", value.type_name());
            return Err(NoData::Unsupported(message));
        }
        Ok(match value {
            Value::Nil => Yaml::Null,
            Value::Bool(b) => Yaml::Bool(*b),
            Value::Int(i) | Value::Int64(i) | Value::Duration(i) => Yaml::Int(*i),
            Value::Number(_) => match (value.as_int(), value.as_uint(), value.as_float()) {
                (Some(int), _, _) => Yaml::Int(int),
                (_, Some(uint), _) => i64::try_from(uint).map_or(Yaml::Uint(uint), Yaml::Int),
                (_, _, Some(float)) => self.float(float)?,
                _ => Yaml::Null,
            },
            Value::Float(float) => self.float(*float)?,
            Value::Str(text) => Yaml::String(text.to_str().into_owned()),
            Value::Bytes(bytes) => Yaml::String(STANDARD.encode(bytes)),
            Value::List(list) if list.is_nil() => Yaml::Null,
            Value::Map(map) if map.is_nil() => Yaml::Null,
            Value::List(list) => {
                let items = list.iter().map(|item| self.write(item, depth + 1));
                Yaml::Seq(items.collect::<Result<_, _>>()?)
            }
            Value::Map(map) => {
                let entries = map.entries();
                let entries = entries
                    .iter()
                    .map(|(key, value)| Ok((key.to_str().into_owned(), self.write(value, depth + 1)?)));
                Yaml::Map(entries.collect::<Result<_, NoData>>()?)
            }
            Value::Host(host) => {
                if host.is_nil() {
                    Yaml::Null
                } else if let Some(inner) = host.underlying() {
                    self.write(&inner, depth + 1)?
                } else if let Some(text) = host.json_text() {
                    Yaml::String(text)
                } else {
                    let fields = host.json_fields();
                    let entries = fields
                        .iter()
                        .map(|(name, value)| Ok(((*name).to_owned(), self.write(value, depth + 1)?)));
                    Yaml::Map(entries.collect::<Result<_, NoData>>()?)
                }
            }
        })
    }

    fn float(&self, float: f64) -> Result<Yaml, NoData> {
        if float.is_finite() {
            return Ok(Yaml::Float(float));
        }
        let name = if float.is_nan() {
            "NaN"
        } else if float > 0.0 {
            "+Inf"
        } else {
            "-Inf"
        };
        Err(NoData::Unsupported(format!("json: unsupported value: {name}")))
    }
}

/// Data as a template sees it: numbers are floats.
pub(crate) fn from_data(yaml: Yaml) -> Value {
    match yaml {
        Yaml::Null => Value::Nil,
        Yaml::Bool(b) => Value::Bool(b),
        Yaml::Int(i) => Value::Float(i as f64),
        Yaml::Uint(u) => Value::Float(u as f64),
        Yaml::Float(f) => Value::Float(f),
        Yaml::String(text) => Value::str(text),
        Yaml::Seq(items) => Value::list(items.into_iter().map(from_data).collect()),
        Yaml::Map(entries) => Value::map(entries.into_iter().map(|(k, v)| (k, from_data(v)))),
    }
}

/// Data out of a model value, as [`from_data`].
pub(crate) fn from_model(value: &pintle_model::Value) -> Value {
    use pintle_model::Value as Model;
    match value {
        Model::Null => Value::Nil,
        Model::Bool(b) => Value::Bool(*b),
        Model::Int(i) => Value::Float(*i as f64),
        Model::Float(f) => Value::Float(*f),
        Model::Str(text) => Value::str(text.clone()),
        Model::List(items) => Value::list(items.iter().map(from_model).collect()),
        Model::Map(map) => Value::map(map.keys().cloned().zip(map.values().map(from_model))),
    }
}

/// Merged values as template values; tables that were shared stay shared.
#[derive(Default)]
pub(crate) struct Shared(HashMap<usize, Map>);

impl Shared {
    pub(crate) fn table(&mut self, table: &Table) -> Map {
        let address = Rc::as_ptr(&table.0).addr();
        if let Some(known) = self.0.get(&address) {
            return known.clone();
        }
        let map = Map::new();
        self.0.insert(address, map.clone());
        for (key, value) in table.0.borrow().iter() {
            map.insert(key.clone(), self.value(value));
        }
        map
    }

    fn value(&mut self, node: &Node) -> Value {
        match node {
            Node::Null => Value::Nil,
            Node::Bool(b) => Value::Bool(*b),
            Node::Int(i) => Value::Int64(*i),
            Node::Float(f) => Value::Float(*f),
            Node::Str(text) => Value::str(text.clone()),
            Node::List(items) => Value::list(items.iter().map(|item| self.value(item)).collect()),
            Node::Table(table) => Value::Map(self.table(table)),
        }
    }
}
