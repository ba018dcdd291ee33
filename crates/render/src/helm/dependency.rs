//! Which dependencies take part in a render, under which name, and what values parents take over from them.

use std::sync::Arc;

use pintle_model::Value;

use super::chart::{ChartData, entries};
use super::error::HelmError;
use super::metadata::Dependency;
use super::node::{Node, Table};
use super::values::{Nulls, coalesce_values, merge_tables};
use super::version::is_compatible;

/// Parts of one path in `import-values`: a value must not nest deeper than what reads it bounds.
const MAX_IMPORT_PARTS: usize = 32;

/// A chart as it takes part in one render: perhaps renamed by an alias, some of its dependencies switched off.
pub(crate) struct Instance {
    pub(crate) data: Arc<ChartData>,
    /// An alias replaces the chart's own name.
    pub(crate) alias: Option<String>,
    /// What is left of `Chart.yaml`'s list; `None` where there is none.
    pub(crate) wanted: Option<Vec<Dependency>>,
    pub(crate) values: Table,
    pub(crate) dependencies: Vec<Instance>,
    /// The chart's name below those of its parents: `a/charts/b`.
    pub(crate) path: String,
    /// Whether Helm copied it, as it does with everything that a `Chart.yaml` lists.
    is_copy: bool,
    /// Whether its own list was gone through, which makes it the parent of its dependencies.
    is_listed: bool,
}

impl Instance {
    fn new(data: &Arc<ChartData>) -> Self {
        Self {
            data: data.clone(),
            alias: None,
            wanted: data.metadata.dependencies.clone(),
            values: Table(std::rc::Rc::new(std::cell::RefCell::new(entries(&data.values)))),
            dependencies: data.dependencies.iter().map(Self::new).collect(),
            path: String::new(),
            is_copy: false,
            is_listed: false,
        }
    }

    /// The alias, or the chart's name.
    pub(crate) fn name(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.data.metadata.name)
    }

    pub(crate) fn is_library(&self) -> bool {
        self.data.metadata.chart_type.eq_ignore_ascii_case("library")
    }

    /// As in Helm, where a chart's path goes by its parents, and a copy has the same dependencies as the chart it was made from: those of a
    /// copy are copied too, and theirs keep the parents that they were loaded with. `loaded` is the path the chart was loaded at.
    fn set_paths(&mut self, path: String, loaded: &str) {
        self.path = path;
        for child in &mut self.dependencies {
            let below = format!("{}/charts/{}", self.path, child.name());
            let loaded = format!("{loaded}/charts/{}", child.data.metadata.name);
            let path = if self.is_listed || self.is_copy {
                below
            } else {
                loaded.clone()
            };
            match self.is_listed && !child.is_copy {
                // It is no copy, and has a new parent.
                true => child.set_paths(path.clone(), &path),
                false => child.set_paths(path, &loaded),
            }
        }
    }
}

/// The chart and the dependencies that take part, with imported values in place.
pub(crate) fn resolve(chart: &Arc<ChartData>, given: &Table) -> Result<Instance, HelmError> {
    let mut root = Instance::new(chart);
    enable(&mut root, given, "")
        .and_then(|()| import(&mut root))
        .map_err(|error| match error {
            HelmError::Values(message) => HelmError::Values(format!("chart dependencies processing failed: {message}")),
            other => other,
        })?;
    let name = root.name().to_owned();
    root.set_paths(name.clone(), &name);
    Ok(root)
}

/// Drops what is switched off, renames what has an alias, and goes down.
fn enable(chart: &mut Instance, given: &Table, path: &str) -> Result<(), HelmError> {
    let Some(mut wanted) = chart.wanted.take() else {
        // As Helm: where nothing is listed, the charts below are not looked at either.
        return Ok(());
    };
    chart.is_listed = true;
    let present = std::mem::take(&mut chart.dependencies);
    let fits = |d: &Dependency, c: &Instance| c.name() == d.name && is_compatible(&d.version, &c.data.metadata.version);
    let mut taking_part = Vec::new();
    for existing in &present {
        if !wanted.iter().any(|d| fits(d, existing)) {
            taking_part.push(Instance::new(&existing.data));
        }
    }
    for dependency in &mut wanted {
        if let Some(found) = present.iter().find(|c| fits(dependency, c)) {
            let mut instance = Instance::new(&found.data);
            instance.is_copy = true;
            if !dependency.alias.is_empty() {
                instance.alias = Some(dependency.alias.clone());
            }
            taking_part.push(instance);
        }
        if !dependency.alias.is_empty() {
            dependency.name = dependency.alias.clone();
        }
        dependency.enabled = true;
    }
    chart.dependencies = taking_part;
    let values = coalesce_values(chart, given, Nulls::Remove)?;
    by_tags(&mut wanted, &values);
    by_conditions(&mut wanted, &values, path);
    let off: Vec<String> = wanted.iter().filter(|d| !d.enabled).map(|d| d.name.clone()).collect();
    chart.dependencies.retain(|c| !off.iter().any(|name| name == c.name()));
    wanted.retain(|d| !off.contains(&d.name));
    for child in &mut chart.dependencies {
        let path = format!("{path}{}.", child.name());
        enable(child, &values, &path)?;
    }
    // Helm ends with no list where nothing is left of it.
    chart.wanted = Some(wanted).filter(|w| !w.is_empty());
    Ok(())
}

fn by_tags(wanted: &mut [Dependency], values: &Table) {
    let Some(tags) = values.table("tags") else { return };
    for dependency in wanted {
        let set = |to: bool| {
            dependency
                .tags
                .iter()
                .any(|tag| matches!(tags.get(tag), Some(Node::Bool(b)) if b == to))
        };
        dependency.enabled = set(true) || !set(false);
    }
}

fn by_conditions(wanted: &mut [Dependency], values: &Table, path: &str) {
    for dependency in wanted {
        let decided = dependency
            .condition
            .trim()
            .split(',')
            .filter(|condition| !condition.is_empty())
            .find_map(|condition| match values.path_value(&format!("{path}{condition}")) {
                Some(Node::Bool(b)) => Some(b),
                _ => None,
            });
        dependency.enabled = decided.unwrap_or(dependency.enabled);
    }
}

/// Takes values of dependencies over into their parents, from the innermost chart out.
fn import(chart: &mut Instance) -> Result<(), HelmError> {
    for child in &mut chart.dependencies {
        import(child)?;
    }
    let Some(wanted) = &mut chart.wanted else { return Ok(()) };
    let mut wanted = std::mem::take(wanted);
    let values = coalesce_values(chart, &Table::default(), Nulls::Keep)?;
    let imported = Table::default();
    for dependency in &mut wanted {
        let mut done = Vec::new();
        for import in &dependency.import_values {
            let (child, parent) = match import {
                Value::Str(name) => (format!("exports.{name}"), ".".to_owned()),
                Value::Map(_) => (printed(import.get("child")), printed(import.get("parent"))),
                _ => continue,
            };
            let mut entry = pintle_model::Map::new();
            entry.insert("child", &*child);
            entry.insert("parent", &*parent);
            done.push(entry.into());
            let Some(table) = values.table(&format!("{}.{child}", dependency.name)) else {
                continue;
            };
            // Copied, where Helm shares: a chart could otherwise put a table into itself.
            let table = table.deep_copy();
            let table = if parent == "." {
                table
            } else {
                if parent.split('.').count() > MAX_IMPORT_PARTS {
                    return Err(HelmError::Limit {
                        what: "parts of a path in import-values",
                        limit: MAX_IMPORT_PARTS as u64,
                    });
                }
                parent.rsplit('.').fold(table, |inner, key| {
                    Table::from_iter([(Arc::from(key), Node::Table(inner))])
                })
            };
            merge_tables(&imported, &table, Nulls::Keep);
        }
        dependency.import_values = done;
    }
    merge_tables(&values, &imported, Nulls::Keep);
    chart.values = values;
    chart.wanted = Some(wanted);
    Ok(())
}

/// Go's `%v` of what stands in an import.
fn printed(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "<nil>".into(),
        Some(Value::Str(s)) => s.to_string(),
        Some(Value::Bool(b)) => b.to_string(),
        Some(Value::Int(i)) => i.to_string(),
        Some(Value::Float(f)) => f.to_string(),
        Some(Value::List(_) | Value::Map(_)) => String::new(),
    }
}
