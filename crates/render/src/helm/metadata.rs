//! `Chart.yaml`, `requirements.yaml` and the head of a manifest: typed documents as Go's decoder reads them.
//!
//! A scalar in a place that wants text becomes text: `appVersion: 1.10` is `1.1`, and `name: n` is `false`.

use std::fmt::{Display, LowerExp};

use pintle_model::{Map, Value};
use pintle_yaml::{Parts, Yaml};

use super::node::yaml_value;
use super::octets;
use super::version;

/// A chart's `Chart.yaml`.
#[derive(Clone, Default)]
pub struct Metadata {
    /// Name of the chart.
    pub name: String,
    /// URL of the project.
    pub home: String,
    /// URLs of the sources.
    pub sources: Vec<String>,
    /// Version of the chart.
    pub version: String,
    /// One sentence about it.
    pub description: String,
    /// Keywords.
    pub keywords: Vec<String>,
    /// Who maintains it: name, e-mail, URL.
    pub maintainers: Vec<Maintainer>,
    /// URL of an icon.
    pub icon: String,
    /// `v1` or `v2`.
    pub api_version: String,
    /// Condition of a chart of version 1.
    pub condition: String,
    /// Tags of a chart of version 1.
    pub tags: String,
    /// Version of what the chart installs.
    pub app_version: String,
    /// Whether it should no longer be used.
    pub deprecated: bool,
    /// Free annotations, in key order; `None` where nothing says so, which prints as null.
    pub annotations: Option<Vec<(String, String)>>,
    /// Which versions of Kubernetes it works with, as a constraint.
    pub kube_version: String,
    /// What it depends on; `None` where nothing says so, which is not the same as an empty list.
    pub dependencies: Option<Vec<Dependency>>,
    /// `application`, `library`, or empty for `application`.
    pub chart_type: String,
}

/// One maintainer.
#[derive(Clone, Default)]
pub struct Maintainer {
    /// Name.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// URL.
    pub url: String,
    /// Stands for a null in the list, which no valid chart has.
    is_null: bool,
}

/// One dependency of a chart.
#[derive(Clone, Default)]
pub struct Dependency {
    /// Name of the chart; after processing its alias, if it has one.
    pub name: String,
    /// Constraint on its version.
    pub version: String,
    /// URL of its repository.
    pub repository: String,
    /// Paths of values that switch it, separated by commas.
    pub condition: String,
    /// Tags that switch it.
    pub tags: Vec<String>,
    /// Whether it is switched on.
    pub enabled: bool,
    /// What values the parent takes over: names, or maps with `child` and `parent`.
    pub import_values: Vec<Value>,
    /// Another name for it.
    pub alias: String,
    /// Stands for a null in the list, which no valid chart has.
    is_null: bool,
}

impl Metadata {
    /// Reads a document over what is already there: fields it does not name keep their values.
    pub(crate) fn read(&mut self, text: &str) -> Result<(), String> {
        let yaml = pintle_yaml::parse(text).map_err(|e| convert_error(&e))?;
        let mut decoder = Decoder::default();
        decoder.document(&yaml, &METADATA, |decoder, name, yaml| match name {
            "name" => decoder.string(yaml, &mut self.name),
            "home" => decoder.string(yaml, &mut self.home),
            "sources" => decoder.strings(yaml, &mut self.sources),
            "version" => decoder.string(yaml, &mut self.version),
            "description" => decoder.string(yaml, &mut self.description),
            "keywords" => decoder.strings(yaml, &mut self.keywords),
            "maintainers" => self.maintainers = decoder.list(yaml, "[]*v2.Maintainer", Maintainer::read),
            "icon" => decoder.string(yaml, &mut self.icon),
            "apiVersion" => decoder.string(yaml, &mut self.api_version),
            "condition" => decoder.string(yaml, &mut self.condition),
            "tags" => decoder.string(yaml, &mut self.tags),
            "appVersion" => decoder.string(yaml, &mut self.app_version),
            "deprecated" => decoder.bool(yaml, &mut self.deprecated),
            "annotations" => decoder.string_map(yaml, &mut self.annotations),
            "kubeVersion" => decoder.string(yaml, &mut self.kube_version),
            "dependencies" => {
                let list = decoder.list(yaml, "[]*v2.Dependency", Dependency::read);
                self.dependencies = (!matches!(yaml, Yaml::Null)).then_some(list);
            }
            _ => decoder.string(yaml, &mut self.chart_type),
        });
        decoder.finish()
    }

    /// Checks and cleans the fields, as Helm does when it loads a chart.
    pub(crate) fn validate(&mut self) -> Result<(), String> {
        for text in [
            &mut self.name,
            &mut self.description,
            &mut self.home,
            &mut self.icon,
            &mut self.condition,
            &mut self.tags,
            &mut self.app_version,
            &mut self.kube_version,
        ] {
            sanitize(text);
        }
        self.sources.iter_mut().chain(&mut self.keywords).for_each(sanitize);
        let problem = if self.api_version.is_empty() {
            "chart.metadata.apiVersion is required".to_owned()
        } else if self.name.is_empty() {
            "chart.metadata.name is required".to_owned()
        } else if self.name == "." || self.name == ".." {
            format!("chart.metadata.name {:?} is not allowed", self.name)
        } else if self.name.contains('/') {
            format!("chart.metadata.name {:?} is invalid", self.name)
        } else if self.version.is_empty() {
            "chart.metadata.version is required".to_owned()
        } else if !version::is_version(&self.version) {
            format!("chart.metadata.version {:?} is invalid", self.version)
        } else if !matches!(&*self.chart_type, "" | "application" | "library") {
            "chart.metadata.type must be application or library".to_owned()
        } else {
            return self.validate_parts().map_err(|e| format!("validation: {e}"));
        };
        Err(format!("validation: {problem}"))
    }

    fn validate_parts(&mut self) -> Result<(), String> {
        for maintainer in &mut self.maintainers {
            if maintainer.is_null {
                return Err("maintainers must not contain empty or null nodes".into());
            }
            for text in [&mut maintainer.name, &mut maintainer.email, &mut maintainer.url] {
                sanitize(text);
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        for dependency in self.dependencies.iter_mut().flatten() {
            if dependency.is_null {
                return Err("dependencies must not contain empty or null nodes".into());
            }
            for text in [
                &mut dependency.name,
                &mut dependency.version,
                &mut dependency.repository,
                &mut dependency.condition,
            ] {
                sanitize(text);
            }
            dependency.tags.iter_mut().for_each(sanitize);
            let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            if !dependency.alias.chars().all(allowed) {
                return Err(format!(
                    "dependency {:?} has disallowed characters in the alias",
                    dependency.name
                ));
            }
            let key = dependency.effective_name().to_owned();
            if !seen.insert(key.clone()) {
                return Err(format!("more than one dependency with name or alias {key:?}"));
            }
        }
        Ok(())
    }
}

impl Dependency {
    /// A dependency on a version, or a range of them, of a chart of a repository; as a lock holds it.
    pub fn on(name: impl Into<String>, version: impl Into<String>, repository: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            repository: repository.into(),
            ..Self::default()
        }
    }
}

impl Maintainer {
    fn read(decoder: &mut Decoder, yaml: &Yaml) -> Self {
        let mut read = Self {
            is_null: matches!(yaml, Yaml::Null),
            ..Self::default()
        };
        decoder.structure(yaml, &MAINTAINER, |decoder, name, yaml| match name {
            "name" => decoder.string(yaml, &mut read.name),
            "email" => decoder.string(yaml, &mut read.email),
            _ => decoder.string(yaml, &mut read.url),
        });
        read
    }
}

impl Dependency {
    /// The alias if there is one, else the name.
    pub fn effective_name(&self) -> &str {
        if self.alias.is_empty() { &self.name } else { &self.alias }
    }

    fn read(decoder: &mut Decoder, yaml: &Yaml) -> Self {
        let mut read = Self {
            is_null: matches!(yaml, Yaml::Null),
            ..Self::default()
        };
        decoder.structure(yaml, &DEPENDENCY, |decoder, name, yaml| match name {
            "name" => decoder.string(yaml, &mut read.name),
            "version" => decoder.string(yaml, &mut read.version),
            "repository" => decoder.string(yaml, &mut read.repository),
            "condition" => decoder.string(yaml, &mut read.condition),
            "tags" => decoder.strings(yaml, &mut read.tags),
            "enabled" => decoder.bool(yaml, &mut read.enabled),
            "import-values" => {
                read.import_values = decoder.list(yaml, "[]interface {}", |_, item| yaml_value(item.clone()));
            }
            _ => decoder.string(yaml, &mut read.alias),
        });
        read
    }
}

/// Reads `Chart.lock` or `requirements.lock` only to say whether it is one: a lock changes no render.
pub(crate) fn check_lock(text: &str) -> Result<(), String> {
    let yaml = pintle_yaml::parse(text).map_err(|e| convert_error(&e))?;
    let mut decoder = Decoder::default();
    let mut generated = Ok(());
    decoder.document(&yaml, &LOCK, |decoder, name, yaml| match name {
        "digest" => decoder.string(yaml, &mut String::new()),
        "dependencies" => drop(decoder.list(yaml, "[]*v2.Dependency", Dependency::read)),
        _ => generated = is_time(yaml),
    });
    generated?;
    decoder.finish()
}

/// Go's `time.Time` reads a string of RFC 3339 and nothing else.
fn is_time(yaml: &Yaml) -> Result<(), String> {
    match yaml {
        Yaml::Null | Yaml::String(_) => Ok(()),
        _ => Err("error unmarshaling JSON: while decoding JSON: Time.UnmarshalJSON: input is not a JSON string".into()),
    }
}

/// What Helm looks at in a manifest.
#[derive(Default)]
pub(crate) struct Head {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) annotations: Option<Vec<(String, String)>>,
}

impl Head {
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let yaml = pintle_yaml::parse_parts(text, HEAD_PARTS).map_err(|e| octets::words(text, convert_error(&e)))?;
        let mut head = Self::default();
        let mut decoder = Decoder::default();
        decoder.document(&yaml, &HEAD, |decoder, name, yaml| match name {
            "apiVersion" => decoder.string(yaml, &mut head.api_version),
            "kind" => decoder.string(yaml, &mut head.kind),
            _ => decoder.structure(yaml, &HEAD_METADATA, |decoder, name, yaml| match name {
                "name" => decoder.string(yaml, &mut head.name),
                _ => decoder.string_map(yaml, &mut head.annotations),
            }),
        });
        decoder.finish()?;
        Ok(head)
    }

    pub(crate) fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations
            .iter()
            .flatten()
            .find(|(k, _)| k == key)
            .map(|(_, v)| &**v)
    }
}

/// A Go struct that documents are decoded into.
struct Struct {
    /// Its type as errors spell it.
    go_type: &'static str,
    /// Its name without the package; empty for a struct without a name.
    name: &'static str,
    /// Names of its fields in documents.
    fields: &'static [&'static str],
}

static METADATA: Struct = Struct {
    go_type: "v2.Metadata",
    name: "Metadata",
    fields: &[
        "name",
        "home",
        "sources",
        "version",
        "description",
        "keywords",
        "maintainers",
        "icon",
        "apiVersion",
        "condition",
        "tags",
        "appVersion",
        "deprecated",
        "annotations",
        "kubeVersion",
        "dependencies",
        "type",
    ],
};
static MAINTAINER: Struct = Struct {
    go_type: "v2.Maintainer",
    name: "Maintainer",
    fields: &["name", "email", "url"],
};
static DEPENDENCY: Struct = Struct {
    go_type: "v2.Dependency",
    name: "Dependency",
    fields: &[
        "name",
        "version",
        "repository",
        "condition",
        "tags",
        "enabled",
        "import-values",
        "alias",
    ],
};
static LOCK: Struct = Struct {
    go_type: "v2.Lock",
    name: "Lock",
    fields: &["generated", "digest", "dependencies"],
};
static HEAD: Struct = Struct {
    go_type: "util.SimpleHead",
    name: "SimpleHead",
    fields: &["apiVersion", "kind", "metadata"],
};
/// What of a manifest its head is read from.
const HEAD_PARTS: Parts<'_> = Parts::Only(&[
    ("apiVersion", Parts::All),
    ("kind", Parts::All),
    (
        "metadata",
        Parts::Only(&[("name", Parts::All), ("annotations", Parts::All)]),
    ),
]);
static HEAD_METADATA: Struct = Struct {
    go_type: "struct { Name string \"json:\\\"name\\\"\"; Annotations map[string]string \"json:\\\"annotations\\\"\" }",
    name: "",
    fields: &["name", "annotations"],
};

/// Decodes as Go's JSON package does: keys in their sorted order, and of several misfits the first is the error.
#[derive(Default)]
struct Decoder {
    /// The struct whose field is being read; `None` at the top.
    inside: Option<&'static str>,
    /// Names of the fields on the way to what is being read.
    path: Vec<&'static str>,
    first_error: Option<String>,
}

impl Decoder {
    fn finish(self) -> Result<(), String> {
        self.first_error.map_or(Ok(()), Err)
    }

    fn misfit(&mut self, found: &Yaml, go_type: &str) {
        if self.first_error.is_some() {
            return;
        }
        let kind = json_kind(found);
        self.first_error = Some(unmarshal_error(&match self.inside {
            None => format!("cannot unmarshal {kind} into Go value of type {go_type}"),
            Some(name) => format!(
                "cannot unmarshal {kind} into Go struct field {name}.{} of type {go_type}",
                self.path.join(".")
            ),
        }));
    }

    /// Calls `read` for every field of the document that the struct has.
    fn document(&mut self, yaml: &Yaml, of: &Struct, read: impl FnMut(&mut Self, &'static str, &Yaml)) {
        self.structure(yaml, of, read);
    }

    /// The same inside a document; null is none of them.
    fn structure(&mut self, yaml: &Yaml, of: &Struct, mut read: impl FnMut(&mut Self, &'static str, &Yaml)) {
        let entries = match yaml {
            Yaml::Null => return,
            Yaml::Map(entries) => entries,
            other => return self.misfit(other, of.go_type),
        };
        let mut sorted: Vec<&(String, Yaml)> = entries.iter().collect();
        sorted.sort_by(|a, b| a.0.cmp(&b.0));
        for (key, value) in sorted {
            // The exact name first, then without regard to case.
            let exact = of.fields.iter().find(|field| *field == key);
            let Some(field) = exact.or_else(|| of.fields.iter().find(|field| field.eq_ignore_ascii_case(key))) else {
                continue;
            };
            let outside = self.inside.replace(of.name);
            self.path.push(field);
            read(self, field, value);
            self.path.pop();
            self.inside = outside;
        }
    }

    fn string(&mut self, yaml: &Yaml, into: &mut String) {
        match (yaml, scalar_text(yaml)) {
            (Yaml::Null, _) => {}
            (_, Some(text)) => *into = text,
            (other, None) => self.misfit(other, "string"),
        }
    }

    fn bool(&mut self, yaml: &Yaml, into: &mut bool) {
        match yaml {
            Yaml::Null => {}
            Yaml::Bool(b) => *into = *b,
            other => self.misfit(other, "bool"),
        }
    }

    fn list<T>(&mut self, yaml: &Yaml, go_type: &str, mut read: impl FnMut(&mut Self, &Yaml) -> T) -> Vec<T> {
        match yaml {
            Yaml::Null => Vec::new(),
            Yaml::Seq(items) => items.iter().map(|item| read(self, item)).collect(),
            other => {
                self.misfit(other, go_type);
                Vec::new()
            }
        }
    }

    fn strings(&mut self, yaml: &Yaml, into: &mut Vec<String>) {
        *into = self.list(yaml, "[]string", |decoder, item| {
            let mut text = String::new();
            decoder.string(item, &mut text);
            text
        });
    }

    fn string_map(&mut self, yaml: &Yaml, into: &mut Option<Vec<(String, String)>>) {
        match yaml {
            Yaml::Null => *into = None,
            Yaml::Map(entries) => {
                let mut sorted: Vec<&(String, Yaml)> = entries.iter().collect();
                sorted.sort_by(|a, b| a.0.cmp(&b.0));
                let read = sorted.into_iter().map(|(key, value)| {
                    let mut text = String::new();
                    self.string(value, &mut text);
                    (key.clone(), text)
                });
                *into = Some(read.collect());
            }
            other => self.misfit(other, "map[string]string"),
        }
    }
}

/// A scalar as the text that `sigs.k8s.io/yaml` makes of it where text is wanted; `None` for what is no scalar.
pub(crate) fn scalar_text(yaml: &Yaml) -> Option<String> {
    Some(match yaml {
        Yaml::String(text) => text.clone(),
        Yaml::Bool(b) => b.to_string(),
        Yaml::Int(i) => i.to_string(),
        Yaml::Uint(u) => u.to_string(),
        Yaml::Float(f) => shortest_g(*f),
        Yaml::Null | Yaml::Seq(_) | Yaml::Map(_) => return None,
    })
}

/// Go's `strconv.FormatFloat(f, 'g', -1, _)` of a float of either width.
pub(crate) fn shortest_g<F: LowerExp + Display + Copy>(float: F) -> String {
    let scientific = pintle_yaml::shortest_scientific(float);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    // Go decides by a precision of 6 where the shortest form is asked for.
    if (-4..6).contains(&exponent) {
        return float.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

fn json_kind(yaml: &Yaml) -> &'static str {
    match yaml {
        Yaml::Null => "null",
        Yaml::Bool(_) => "bool",
        Yaml::Int(_) | Yaml::Uint(_) | Yaml::Float(_) => "number",
        Yaml::String(_) => "string",
        Yaml::Seq(_) => "array",
        Yaml::Map(_) => "object",
    }
}

pub(crate) fn convert_error(error: &pintle_yaml::Error) -> String {
    format!("error converting YAML to JSON: {error}")
}

pub(crate) fn unmarshal_error(message: &str) -> String {
    format!("error unmarshaling JSON: while decoding JSON: json: {message}")
}

/// The dependencies a lock pins.
pub(crate) fn read_lock(text: &str) -> Result<Vec<Dependency>, String> {
    let mut lock = Metadata::default();
    lock.read(text)?;
    Ok(lock.dependencies.unwrap_or_default())
}

/// A document that must hold a mapping, with its numbers as floats; nothing at all is an empty one.
pub(crate) fn read_map(text: &str) -> Result<Map, String> {
    match pintle_yaml::parse(text).map_err(|e| convert_error(&e))? {
        Yaml::Null => Ok(Map::new()),
        Yaml::Map(entries) => Ok(entries.into_iter().map(|(k, v)| (k, yaml_value(v))).collect()),
        other => Err(unmarshal_error(&format!(
            "cannot unmarshal {} into Go value of type map[string]interface {{}}",
            json_kind(&other)
        ))),
    }
}

/// Every white space becomes a space, and what does not print goes.
fn sanitize(text: &mut String) {
    let changes = |c: char| (c.is_whitespace() && c != ' ') || !is_print(c);
    if text.contains(changes) {
        *text = text
            .chars()
            .map(|c| if c.is_whitespace() { ' ' } else { c })
            .filter(|c| is_print(*c))
            .collect();
    }
}

/// Go's `unicode.IsPrint`, as far as the standard library tells: controls, formats and the private planes do not print.
fn is_print(c: char) -> bool {
    let format = matches!(c, '\u{ad}' | '\u{600}'..='\u{605}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}');
    c == ' ' || !(c.is_control() || c.is_whitespace() || format)
}
