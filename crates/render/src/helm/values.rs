//! What the user gives as values, and how it is merged with what charts bring.

use pintle_model::Map;

use super::chart::{merge_maps, read_values};
use super::dependency::Instance;
use super::error::HelmError;
use super::node::{Node, Table, json_value};
use super::strvals::{Dialect, parse_into};

/// What the user gives, in the order the command line knows; later kinds win over earlier ones.
#[derive(Clone, Default)]
pub struct ValueOptions {
    /// `--values`: name and text of each file.
    pub files: Vec<(String, String)>,
    /// `--set-json`.
    pub json: Vec<String>,
    /// `--set`.
    pub set: Vec<String>,
    /// `--set-string`.
    pub strings: Vec<String>,
    /// `--set-file`: the line, and the text of every file it names, by the name it uses.
    pub from_files: Vec<(String, Vec<(String, String)>)>,
    /// `--set-literal`.
    pub literals: Vec<String>,
}

impl ValueOptions {
    /// Merges everything given.
    pub(crate) fn merge(&self) -> Result<Table, HelmError> {
        let mut base = Map::new();
        for (name, text) in &self.files {
            let text = text.trim_start_matches('\u{feff}');
            let values = read_values(text).map_err(|e| HelmError::Values(format!("failed to parse {name}: {e}")))?;
            base = merge_maps(base, values);
        }
        let base = Table::from(&base);
        for line in &self.json {
            let trimmed = line.trim();
            if trimmed.starts_with('{') {
                let value = pintle_model::Value::from_json(trimmed.as_bytes())
                    .map_err(|_| HelmError::Values(format!("failed parsing --set-json data JSON: {line}")))?;
                if let pintle_model::Value::Map(map) = json_value(&value) {
                    overlay(&base, &Table::from(&*map));
                }
            } else {
                parse_into(line, &Dialect::Json, &base)
                    .map_err(|_| HelmError::Values(format!("failed parsing --set-json data {line}")))?;
            }
        }
        let parse = |flag: &str, line: &str, dialect: &Dialect<'_>| {
            parse_into(line, dialect, &base).map_err(|e| HelmError::Values(format!("failed parsing {flag} data: {e}")))
        };
        for line in &self.set {
            parse("--set", line, &Dialect::Typed)?;
        }
        for line in &self.strings {
            parse("--set-string", line, &Dialect::Text)?;
        }
        for (line, files) in &self.from_files {
            let read = |name: &str| {
                let found = files.iter().find(|(known, _)| known == name);
                found
                    .map(|(_, text)| text.clone())
                    .ok_or_else(|| format!("open {name}: no such file or directory"))
            };
            parse("--set-file", line, &Dialect::File(&read))?;
        }
        for line in &self.literals {
            parse("--set-literal", line, &Dialect::Literal)?;
        }
        Ok(base)
    }

    /// Whether all of it parses. Helm reads values before it looks at the chart, so of two errors this is the one it tells.
    pub fn check(&self) -> Result<(), HelmError> {
        self.merge().map(drop)
    }

    /// The file names a `--set-file` line asks for, so that the caller can read them.
    pub fn names_in(line: &str) -> Result<Vec<String>, HelmError> {
        let names = std::cell::RefCell::new(Vec::new());
        let read = |name: &str| {
            names.borrow_mut().push(name.to_owned());
            Ok(String::new())
        };
        parse_into(line, &Dialect::File(&read), &Table::default())
            .map_err(|e| HelmError::Values(format!("failed parsing --set-file data: {e}")))?;
        Ok(names.into_inner())
    }
}

/// Merges tables key by key; anything else is replaced.
fn overlay(base: &Table, over: &Table) {
    for (key, value) in over.entries() {
        match (base.get(&key), &value) {
            (Some(Node::Table(old)), Node::Table(new)) => overlay(&old, new),
            _ => base.set(key, value),
        }
    }
}

/// Whether null takes a key away, or stays for a later merge to do so.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nulls {
    /// Helm's `CoalesceValues`.
    Remove,
    /// Helm's `MergeValues`.
    Keep,
}

/// Merges the chart's values, and those of its dependencies, under what is given; what is given is not changed.
pub(crate) fn coalesce_values(chart: &Instance, given: &Table, nulls: Nulls) -> Result<Table, HelmError> {
    let values = given.deep_copy();
    coalesce(chart, &values, nulls)?;
    Ok(values)
}

fn coalesce(chart: &Instance, values: &Table, nulls: Nulls) -> Result<(), HelmError> {
    chart_values(chart, values, nulls);
    for child in &chart.dependencies {
        let inner = match values.get(child.name()) {
            None => {
                let inner = Table::default();
                values.set(child.name(), Node::Table(inner.clone()));
                inner
            }
            Some(Node::Table(inner)) => inner,
            Some(other) => {
                // Go prints any value with `%t`: only booleans come out as themselves.
                let shown = match &other {
                    Node::Bool(b) => b.to_string(),
                    Node::Null => "%!t(<nil>)".into(),
                    Node::Str(s) => format!("%!t(string={s})"),
                    Node::Int(i) => format!("%!t(int64={i})"),
                    Node::Float(f) => format!("%!t(float64={f})"),
                    _ => format!("%!t({})", other.go_type()),
                };
                return Err(HelmError::Values(format!("type mismatch on {}: {shown}", child.name())));
            }
        };
        globals(&inner, values);
        coalesce(child, &inner, nulls)?;
    }
    Ok(())
}

const GLOBAL: &str = "global";

/// Brings a parent's globals into a subchart's values.
fn globals(child: &Table, parent: &Table) {
    let own = match child.get(GLOBAL) {
        None => Table::default(),
        Some(Node::Table(own)) => own,
        Some(_) => return,
    };
    let from = match parent.get(GLOBAL) {
        None => Table::default(),
        Some(Node::Table(from)) => from,
        Some(_) => return,
    };
    for (key, value) in from.entries() {
        match value {
            Node::Table(table) => {
                // Copied one level deep only: tables inside stay the parent's own, and merges into them show there, as in Helm.
                let copy = table.shallow_copy();
                match own.get(&key) {
                    None => own.set(key, Node::Table(copy)),
                    Some(Node::Table(existing)) => {
                        merge_tables(&copy, &existing, Nulls::Keep);
                        own.set(key, Node::Table(copy));
                    }
                    Some(_) => {}
                }
            }
            scalar => {
                if !matches!(own.get(&key), Some(Node::Table(_))) {
                    own.set(key, scalar);
                }
            }
        }
    }
    child.set(GLOBAL, Node::Table(own));
}

/// Brings the chart's own defaults in under `values`.
fn chart_values(chart: &Instance, values: &Table, nulls: Nulls) {
    for (key, default) in chart.values.deep_copy().entries() {
        match values.get(&key) {
            Some(Node::Null) if nulls == Nulls::Remove => values.remove(&key),
            Some(Node::Table(given)) => {
                let Node::Table(default) = default else { continue };
                let is_child = chart.dependencies.iter().any(|c| c.name() == &*key);
                let nulls = if is_child { Nulls::Keep } else { nulls };
                if nulls == Nulls::Remove {
                    remove_nulls(&default);
                }
                merge_tables(&given, &default, nulls);
            }
            Some(_) => {}
            None => {
                if nulls == Nulls::Remove {
                    match &default {
                        Node::Null => continue,
                        Node::Table(table) => remove_nulls(table),
                        _ => {}
                    }
                }
                values.set(key, default);
            }
        }
    }
}

/// Merges `defaults` into `values`, which win. `defaults` may be changed, as in Helm.
pub(crate) fn merge_tables(values: &Table, defaults: &Table, nulls: Nulls) {
    let has_default: std::collections::BTreeSet<_> = defaults
        .entries()
        .into_iter()
        .filter(|(_, v)| !v.is_null())
        .map(|(k, _)| k)
        .collect();
    for (key, _) in values.entries().into_iter().filter(|(_, v)| v.is_null()) {
        defaults.set(key, Node::Null);
    }
    for (key, default) in defaults.entries() {
        match (values.get(&key), default) {
            (Some(Node::Null), _) if nulls == Nulls::Remove && has_default.contains(&key) => values.remove(&key),
            (None, default) => values.set(key, default),
            (Some(Node::Table(value)), Node::Table(default)) => merge_tables(&value, &default, nulls),
            // A table and something else: what is given stays, with a warning in Helm.
            _ => {}
        }
    }
}

fn remove_nulls(table: &Table) {
    for (key, value) in table.entries() {
        match value {
            Node::Null => table.remove(&key),
            Node::Table(inner) => remove_nulls(&inner),
            _ => {}
        }
    }
}
