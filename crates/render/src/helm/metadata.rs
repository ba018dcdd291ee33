//! `Chart.yaml`, `requirements.yaml` and the head of a manifest: typed documents as Go's decoder reads them.
//!
//! A scalar in a place that wants text becomes text: `appVersion: 1.10` is `1.1`, and `name: n` is `false`.

use pintle_model::{Map, Value};
use pintle_yaml::Yaml;

use super::node::yaml_value;
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
    /// Free annotations, in key order.
    pub annotations: Vec<(String, String)>,
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
}

impl Metadata {
    /// Reads a document over what is already there: fields it does not name keep their values.
    pub(crate) fn read(&mut self, text: &str) -> Result<(), String> {
        let fields = Fields::parse(text, "v2.Metadata", "Metadata")?;
        fields.string("name", &mut self.name)?;
        fields.string("home", &mut self.home)?;
        fields.strings("sources", &mut self.sources)?;
        fields.string("version", &mut self.version)?;
        fields.string("description", &mut self.description)?;
        fields.strings("keywords", &mut self.keywords)?;
        if let Some(items) = fields.list("maintainers")? {
            self.maintainers = items.iter().map(Maintainer::read).collect::<Result<_, _>>()?;
        }
        fields.string("icon", &mut self.icon)?;
        fields.string("apiVersion", &mut self.api_version)?;
        fields.string("condition", &mut self.condition)?;
        fields.string("tags", &mut self.tags)?;
        fields.string("appVersion", &mut self.app_version)?;
        fields.bool("deprecated", &mut self.deprecated)?;
        if let Some(entries) = fields.string_map("annotations")? {
            self.annotations = entries;
        }
        fields.string("kubeVersion", &mut self.kube_version)?;
        if let Some(items) = fields.list("dependencies")? {
            self.dependencies = Some(items.iter().map(Dependency::read).collect::<Result<_, _>>()?);
        }
        fields.string("type", &mut self.chart_type)
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
            for text in [&mut maintainer.name, &mut maintainer.email, &mut maintainer.url] {
                sanitize(text);
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        for dependency in self.dependencies.iter_mut().flatten() {
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

impl Maintainer {
    fn read(yaml: &Yaml) -> Result<Self, String> {
        let fields = Fields::of(yaml, "v2.Maintainer", "Metadata.maintainers")?
            .ok_or("validation: maintainers must not contain empty or null nodes")?;
        let mut read = Self::default();
        fields.string("name", &mut read.name)?;
        fields.string("email", &mut read.email)?;
        fields.string("url", &mut read.url)?;
        Ok(read)
    }
}

impl Dependency {
    /// The alias if there is one, else the name.
    pub fn effective_name(&self) -> &str {
        if self.alias.is_empty() { &self.name } else { &self.alias }
    }

    fn read(yaml: &Yaml) -> Result<Self, String> {
        let fields = Fields::of(yaml, "v2.Dependency", "Metadata.dependencies")?
            .ok_or("validation: dependencies must not contain empty or null nodes")?;
        let mut read = Self::default();
        fields.string("name", &mut read.name)?;
        fields.string("version", &mut read.version)?;
        fields.string("repository", &mut read.repository)?;
        fields.string("condition", &mut read.condition)?;
        fields.strings("tags", &mut read.tags)?;
        fields.bool("enabled", &mut read.enabled)?;
        if let Some(items) = fields.list("import-values")? {
            read.import_values = items.iter().cloned().map(yaml_value).collect();
        }
        fields.string("alias", &mut read.alias)?;
        Ok(read)
    }
}

/// What Helm looks at in a manifest.
#[derive(Default)]
pub(crate) struct Head {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) annotations: Vec<(String, String)>,
}

impl Head {
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let fields = Fields::parse(text, "util.SimpleHead", "SimpleHead")?;
        let mut head = Self::default();
        fields.string("apiVersion", &mut head.api_version)?;
        fields.string("kind", &mut head.kind)?;
        let metadata = fields.get("metadata").map_or(Ok(None), |yaml| {
            Fields::of(
                yaml,
                "struct { Name string \"json:\\\"name\\\"\"; Annotations map[string]string \"json:\\\"annotations\\\"\" }",
                "SimpleHead.metadata",
            )
        })?;
        if let Some(metadata) = metadata {
            metadata.string("name", &mut head.name)?;
            head.annotations = metadata.string_map("annotations")?.unwrap_or_default();
        }
        Ok(head)
    }

    pub(crate) fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.iter().find(|(k, _)| k == key).map(|(_, v)| &**v)
    }
}

/// The fields of a mapping that is decoded into a struct.
struct Fields {
    entries: Vec<(String, Yaml)>,
    /// How Go spells the way to this struct in an error.
    path: String,
}

impl Fields {
    fn parse(text: &str, go_type: &str, path: &str) -> Result<Self, String> {
        let yaml = pintle_yaml::parse(text).map_err(|e| convert_error(&e))?;
        let fields = Self::of(&yaml, go_type, "").map_err(|_| {
            unmarshal_error(&format!(
                "cannot unmarshal {} into Go value of type {go_type}",
                json_kind(&yaml)
            ))
        })?;
        Ok(Self {
            entries: fields.map(|f| f.entries).unwrap_or_default(),
            path: path.to_owned(),
        })
    }

    /// `None` for null.
    fn of(yaml: &Yaml, go_type: &str, path: &str) -> Result<Option<Self>, String> {
        match yaml {
            Yaml::Null => Ok(None),
            Yaml::Map(entries) => Ok(Some(Self {
                entries: entries.clone(),
                path: path.to_owned(),
            })),
            other => Err(unmarshal_error(&format!(
                "cannot unmarshal {} into Go struct field {path} of type {go_type}",
                json_kind(other)
            ))),
        }
    }

    /// Go matches names without regard to case; of several the last one counts.
    fn get(&self, name: &str) -> Option<&Yaml> {
        self.entries
            .iter()
            .rev()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .filter(|value| !matches!(value, Yaml::Null))
    }

    fn mismatch(&self, name: &str, found: &Yaml, go_type: &str) -> String {
        unmarshal_error(&format!(
            "cannot unmarshal {} into Go struct field {}.{name} of type {go_type}",
            json_kind(found),
            self.path
        ))
    }

    fn string(&self, name: &str, into: &mut String) -> Result<(), String> {
        if let Some(yaml) = self.get(name) {
            *into = text(yaml).ok_or_else(|| self.mismatch(name, yaml, "string"))?;
        }
        Ok(())
    }

    fn bool(&self, name: &str, into: &mut bool) -> Result<(), String> {
        match self.get(name) {
            None => {}
            Some(Yaml::Bool(b)) => *into = *b,
            Some(other) => return Err(self.mismatch(name, other, "bool")),
        }
        Ok(())
    }

    fn list(&self, name: &str) -> Result<Option<&[Yaml]>, String> {
        match self.get(name) {
            None => Ok(None),
            Some(Yaml::Seq(items)) => Ok(Some(items)),
            Some(other) => Err(self.mismatch(name, other, "[]interface {}")),
        }
    }

    fn strings(&self, name: &str, into: &mut Vec<String>) -> Result<(), String> {
        match self.get(name) {
            None => {}
            Some(Yaml::Seq(items)) => {
                *into = items
                    .iter()
                    .map(|item| match item {
                        Yaml::Null => Ok(String::new()),
                        item => text(item).ok_or_else(|| self.mismatch(name, item, "string")),
                    })
                    .collect::<Result<_, _>>()?;
            }
            Some(other) => return Err(self.mismatch(name, other, "[]string")),
        }
        Ok(())
    }

    fn string_map(&self, name: &str) -> Result<Option<Vec<(String, String)>>, String> {
        match self.get(name) {
            None => Ok(None),
            Some(Yaml::Map(entries)) => entries
                .iter()
                .map(|(key, value)| match value {
                    Yaml::Null => Ok((key.clone(), String::new())),
                    value => text(value)
                        .map(|text| (key.clone(), text))
                        .ok_or_else(|| self.mismatch(name, value, "string")),
                })
                .collect::<Result<_, _>>()
                .map(Some),
            Some(other) => Err(self.mismatch(name, other, "map[string]string")),
        }
    }
}

/// A scalar as the text it becomes where text is wanted.
fn text(yaml: &Yaml) -> Option<String> {
    Some(match yaml {
        Yaml::String(text) => text.clone(),
        Yaml::Bool(b) => b.to_string(),
        Yaml::Int(i) => i.to_string(),
        Yaml::Uint(u) => u.to_string(),
        Yaml::Float(f) => shortest_g(*f),
        Yaml::Null | Yaml::Seq(_) | Yaml::Map(_) => return None,
    })
}

/// Go's `strconv.FormatFloat(f, 'g', -1, 64)`.
fn shortest_g(float: f64) -> String {
    let scientific = format!("{float:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    // Go decides by a precision of 6 where the shortest form is asked for.
    if (-4..6).contains(&exponent) {
        return format!("{float}");
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
