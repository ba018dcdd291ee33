//! Tables: the columns `kubectl get` prints, as kube-apiserver's printers make them.

mod custom;
mod duration;
mod kinds;
mod pod;

use jiff::Timestamp;
use pintle_model::{Object, Value};

use crate::clock::parse_time;
use crate::resource::Resource;

pub use duration::human_duration;

/// One column.
struct Column {
    name: &'static str,
    kind: &'static str,
    format: &'static str,
    /// 0: always shown; 1: with `-o wide`.
    priority: i64,
}

/// Makes the cells of one resource and version.
pub struct Printer<'r> {
    resource: &'r Resource,
    version: &'r str,
}

/// The printer of a resource in a version.
pub fn printer<'r>(resource: &'r Resource, version: &'r str) -> Printer<'r> {
    Printer { resource, version }
}

impl Printer<'_> {
    /// The cells of one object in the served version, as many as there are columns.
    pub fn cells(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        if self.resource.custom.is_some() {
            return custom::cells(self.resource, self.version, object, now);
        }
        let (name, mut cells) = (object.name().into(), kinds::cells(self.resource, object, now));
        cells.insert(if self.name_last() { cells.len() } else { 0 }, name);
        cells
    }

    /// Names of events say nothing: they come last, and only with `-o wide`.
    fn name_last(&self) -> bool {
        &*self.resource.kind == "Event"
    }

    /// `columnDefinitions`.
    pub fn definitions(&self) -> Value {
        if self.resource.custom.is_some() {
            return custom::definitions(self.resource, self.version);
        }
        let last = self.name_last();
        let name = Column {
            name: "Name",
            kind: "string",
            format: "name",
            priority: i64::from(last),
        };
        let mut columns: Vec<Value> = kinds::columns(self.resource).iter().map(Column::definition).collect();
        columns.insert(if last { columns.len() } else { 0 }, name.definition());
        Value::list(columns)
    }
}

impl Column {
    fn definition(&self) -> Value {
        definition(self.name, self.kind, self.format, "", self.priority)
    }
}

fn definition(name: &str, kind: &str, format: &str, description: &str, priority: i64) -> Value {
    let mut column = Value::map();
    column.set_at(&["name"], name.into());
    column.set_at(&["type"], kind.into());
    column.set_at(&["format"], format.into());
    column.set_at(&["description"], description.into());
    column.set_at(&["priority"], priority.into());
    column
}

/// Time since an RFC 3339 text, `<unknown>` if there is none.
fn since(text: Option<&str>, now: Timestamp) -> String {
    text.and_then(parse_time).map_or_else(
        || "<unknown>".to_owned(),
        |at| human_duration(now.duration_since(at).as_secs()),
    )
}

/// The age of an object.
fn age(object: &Object, now: Timestamp) -> Value {
    since(Some(object.creation_timestamp()), now).into()
}

/// Text, or `none` where it is empty.
fn or_none(text: String, none: &str) -> Value {
    if text.is_empty() { none.into() } else { text.into() }
}
