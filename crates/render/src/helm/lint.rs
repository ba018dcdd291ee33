//! What is wrong with a chart, in the words of `helm lint`.
//!
//! Not looked at: keys that stand twice in `Chart.yaml`, and API versions that Kubernetes is about to drop.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use pintle_gotmpl::Ambient;
use pintle_gotmpl::semver::{Constraints, Version};
use pintle_yaml::Yaml;

use super::chart::{Chart, ChartData, read_values};
use super::dependency::resolve;
use super::engine;
use super::error::HelmError;
use super::inspect::ChartSource;
use super::metadata::{Metadata, convert_error};
use super::names;
use super::render::Options;
use super::schema;
use super::values::{Nulls, coalesce_values, merge_tables};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LintSeverity {
    /// A recommendation.
    Info,
    /// It works, against what is usual.
    Warning,
    /// It does not work.
    Error,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LintMessage {
    /// How bad it is.
    pub severity: LintSeverity,
    /// The file or directory; that of the chart for dependencies.
    pub path: String,
    /// What is wrong.
    pub text: String,
}

impl fmt::Display for LintMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            LintSeverity::Info => "INFO",
            LintSeverity::Warning => "WARNING",
            LintSeverity::Error => "ERROR",
        };
        write!(f, "[{severity}] {}: {}", self.path, self.text)
    }
}

/// Examines a chart with the values of `options`, whose release is called `test-release`. `directory` is what messages call the chart's own directory;
/// `has_templates` whether it has a directory of templates, for an empty one is no file.
///
/// Needs the stack of [`super::Limits::stack_bytes`]. An error is one of the values given, not of the chart.
pub fn lint(
    source: &ChartSource,
    directory: &str,
    has_templates: bool,
    options: &Options,
    ambient: &dyn Ambient,
) -> Result<Vec<LintMessage>, HelmError> {
    let options = Options {
        release_name: "test-release".into(),
        lint: true,
        ..options.clone()
    };
    let given = options.values.merge()?;
    let mut found = Findings(Vec::new());
    chart_file(source, &mut found);
    values_file(source, &options, &mut found)?;
    let chart = source.load(&options.limits);
    if !has_templates {
        found.warning("templates/", "directory does not exist");
    } else {
        match &chart {
            Err(error) => found.error("templates/", error),
            Ok(chart) => templates(chart, &given, &options, ambient, &mut found),
        }
    }
    match &chart {
        Err(error) => found.error("", format!("unable to load chart\n\t{error}")),
        Ok(chart) => dependencies(&chart.data, directory, &mut found),
    }
    if let Ok(chart) = &chart {
        crds(chart, &mut found);
    }
    Ok(found.0)
}

struct Findings(Vec<LintMessage>);

impl Findings {
    fn add(&mut self, severity: LintSeverity, path: &str, text: impl fmt::Display) {
        self.0.push(LintMessage {
            severity,
            path: path.to_owned(),
            text: text.to_string(),
        });
    }

    fn info(&mut self, path: &str, text: impl fmt::Display) {
        self.add(LintSeverity::Info, path, text);
    }

    fn warning(&mut self, path: &str, text: impl fmt::Display) {
        self.add(LintSeverity::Warning, path, text);
    }

    fn error(&mut self, path: &str, text: impl fmt::Display) {
        self.add(LintSeverity::Error, path, text);
    }
}

const CHART_FILE: &str = "Chart.yaml";

fn chart_file(source: &ChartSource, found: &mut Findings) {
    let text = source.file(CHART_FILE).map(String::from_utf8_lossy).unwrap_or_default();
    let mut metadata = Metadata::default();
    if let Err(error) = metadata.read(&text) {
        found.error(CHART_FILE, format!("unable to parse YAML\n\t{error}"));
        return;
    }
    let document = pintle_yaml::parse(&text).unwrap_or(Yaml::Null);
    if let Some(field) = unknown_field(&document, METADATA_FIELDS) {
        found.warning(
            CHART_FILE,
            format!(
                "failed to strictly parse chart metadata file\n\terror unmarshaling JSON: while decoding JSON: json: unknown field {field:?}"
            ),
        );
    }
    if metadata.name.is_empty() {
        found.error(CHART_FILE, "name is required");
    } else if metadata.name.contains('/') {
        found.error(CHART_FILE, format!("chart name {:?} is invalid", metadata.name));
    }
    match &*metadata.api_version {
        "" => found.error(
            CHART_FILE,
            "apiVersion is required. The value must be either \"v1\" or \"v2\"",
        ),
        "v1" | "v2" => {}
        other => found.error(
            CHART_FILE,
            format!("apiVersion '{other}' is not valid. The value must be either \"v1\" or \"v2\""),
        ),
    }
    is_text(&document, "version", found);
    version(&metadata.version, found);
    is_text(&document, "appVersion", found);
    maintainers(&metadata, found);
    if let Some(source) = metadata.sources.iter().find(|s| !names::is_request_url(s)) {
        found.error(CHART_FILE, format!("invalid source URL '{source}'"));
    }
    if metadata.icon.is_empty() {
        found.info(CHART_FILE, "icon is recommended");
    } else if !names::is_request_url(&metadata.icon) {
        found.error(CHART_FILE, format!("invalid icon URL '{}'", metadata.icon));
    }
    let is_old = metadata.api_version != "v2";
    if is_old && !metadata.chart_type.is_empty() {
        found.error(
            CHART_FILE,
            format!(
                "chart type is not valid in apiVersion '{}'. It is valid in apiVersion 'v2'",
                metadata.api_version
            ),
        );
    }
    if is_old && metadata.dependencies.as_ref().is_some_and(|d| !d.is_empty()) {
        found.error(
            CHART_FILE,
            format!(
                "dependencies are not valid in the Chart file with apiVersion '{}'. They are valid in apiVersion 'v2'",
                metadata.api_version
            ),
        );
    }
    if Version::parse_strict(&metadata.version).is_err() {
        found.warning(
            CHART_FILE,
            format!("version '{}' is not a valid SemVerV2", metadata.version),
        );
    }
}

fn version(text: &str, found: &mut Findings) {
    if text.is_empty() {
        found.error(CHART_FILE, "version is required");
        return;
    }
    let Ok(version) = Version::parse(text) else {
        found.error(CHART_FILE, format!("version '{text}' is not a valid SemVer"));
        return;
    };
    if let Ok(constraint) = Constraints::parse(">0.0.0-0")
        && let Err(reasons) = constraint.validate(&version)
        && let Some(reason) = reasons.first()
    {
        found.error(CHART_FILE, format!("version {reason}"));
    }
}

fn maintainers(metadata: &Metadata, found: &mut Findings) {
    for one in &metadata.maintainers {
        let problem = if one.name.is_empty() {
            "each maintainer requires a name".to_owned()
        } else if !one.email.is_empty() && !names::is_email(&one.email) {
            format!("invalid email '{}' for maintainer '{}'", one.email, one.name)
        } else if !one.url.is_empty() && !names::is_url(&one.url) {
            format!("invalid url '{}' for maintainer '{}'", one.url, one.name)
        } else {
            continue;
        };
        found.error(CHART_FILE, problem);
        return;
    }
}

/// Versions that YAML reads as numbers lose digits.
fn is_text(document: &Yaml, key: &str, found: &mut Findings) {
    let Yaml::Map(entries) = document else { return };
    let kind = match entries.iter().find(|(name, _)| name == key) {
        None | Some((_, Yaml::String(_))) => return,
        Some((_, Yaml::Null)) => "<nil>",
        Some((_, Yaml::Bool(_))) => "bool",
        Some((_, Yaml::Int(_) | Yaml::Uint(_) | Yaml::Float(_))) => "float64",
        Some((_, Yaml::Seq(_))) => "[]interface {}",
        Some((_, Yaml::Map(_))) => "map[string]interface {}",
    };
    found.error(
        CHART_FILE,
        format!("{key} should be of type string but it's of type {kind}"),
    );
}

/// Fields of a document, with those of its lists of documents.
type Fields = &'static [(&'static str, &'static [&'static str])];

const METADATA_FIELDS: Fields = &[
    ("name", &[]),
    ("home", &[]),
    ("sources", &[]),
    ("version", &[]),
    ("description", &[]),
    ("keywords", &[]),
    ("maintainers", &["name", "email", "url"]),
    ("icon", &[]),
    ("apiVersion", &[]),
    ("condition", &[]),
    ("tags", &[]),
    ("appVersion", &[]),
    ("deprecated", &[]),
    ("annotations", &[]),
    ("kubeVersion", &[]),
    (
        "dependencies",
        &[
            "name",
            "version",
            "repository",
            "condition",
            "tags",
            "enabled",
            "import-values",
            "alias",
        ],
    ),
    ("type", &[]),
];

/// The first field that nobody knows, in the order of keys.
fn unknown_field(document: &Yaml, known: Fields) -> Option<&str> {
    let Yaml::Map(entries) = document else { return None };
    for (key, value) in entries {
        let Some((_, inner)) = known.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)) else {
            return Some(key);
        };
        let Yaml::Seq(items) = value else { continue };
        let unknown = items.iter().filter(|_| !inner.is_empty()).find_map(|item| match item {
            Yaml::Map(entries) => entries
                .iter()
                .map(|(key, _)| &**key)
                .find(|key| !inner.iter().any(|known| known.eq_ignore_ascii_case(key))),
            _ => None,
        });
        if unknown.is_some() {
            return unknown;
        }
    }
    None
}

/// The chart's own values under those given, as they stand in the file: dependencies are not looked at.
fn values_file(source: &ChartSource, options: &Options, found: &mut Findings) -> Result<(), HelmError> {
    const FILE: &str = "values.yaml";
    let Some(text) = source.file(FILE) else {
        found.info(FILE, "file does not exist");
        return Ok(());
    };
    let defaults = match read_values(&String::from_utf8_lossy(text)) {
        Ok(values) => values,
        Err(error) => {
            let error = error.strip_prefix("cannot unmarshal yaml document: ").unwrap_or(&error);
            found.error(FILE, format!("unable to parse YAML: {error}"));
            return Ok(());
        }
    };
    let values = options.values.merge()?;
    merge_tables(&values, &(&defaults).into(), Nulls::Remove);
    if !options.skip_schema_validation
        && let Some(schema) = source.file("values.schema.json").filter(|s| !s.is_empty())
        && let Err(message) = schema::check_one(schema, &values)
    {
        found.error(FILE, message);
    }
    Ok(())
}

fn templates(
    chart: &Arc<Chart>,
    given: &super::node::Table,
    options: &Options,
    ambient: &dyn Ambient,
    found: &mut Findings,
) {
    const DIRECTORY: &str = "templates/";
    // As Helm, which goes on without a word where values and dependencies do not fit together.
    let Ok(instance) = resolve(&chart.data, given) else {
        return;
    };
    let Ok(values) = coalesce_values(&instance, given, Nulls::Remove) else {
        return;
    };
    if !options.skip_schema_validation
        && let Err(error) = schema::validate(&instance, &values)
    {
        found.error(DIRECTORY, error);
        return;
    }
    let rendered = match engine::render(chart, &instance, &values, options, ambient) {
        Ok(rendered) => rendered,
        Err(error) => {
            found.error(DIRECTORY, error);
            return;
        }
    };
    for file in &chart.data.templates {
        let name = &*file.name;
        let base = name.rsplit('/').next().unwrap_or_default();
        let extension = base.rfind('.').and_then(|at| base.get(at..)).unwrap_or_default();
        if !matches!(extension, ".yaml" | ".yml" | ".tpl" | ".txt") {
            found.error(
                name,
                format!("file extension '{extension}' not valid. Valid extensions are .yaml, .yml, .tpl, or .txt"),
            );
        }
        if !matches!(&*extension.to_lowercase(), ".yaml" | ".yml") {
            continue;
        }
        let path = format!("{}/{name}", instance.name());
        let Some((_, text)) = rendered.iter().find(|(known, _)| *known == path) else {
            continue;
        };
        if text.trim().is_empty() {
            continue;
        }
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        if first.starts_with([' ', '\t']) {
            found.warning(
                name,
                format!("document starts with an illegal indent: {first:?}, which may cause parsing problems"),
            );
        }
        if !documents(name, text, found) {
            return;
        }
    }
}

/// Whether all documents of a file could be read; Helm looks at no other file after one that cannot.
fn documents(name: &str, text: &str, found: &mut Findings) -> bool {
    for range in pintle_yaml::split_documents(text) {
        let document = match pintle_yaml::parse(text.get(range).unwrap_or_default()) {
            Ok(Yaml::Map(entries)) => Document(entries),
            Ok(Yaml::Null) => continue,
            Ok(_) => {
                found.error(name, "unable to parse YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal into Go value of type rules.k8sYamlStruct");
                return false;
            }
            Err(error) => {
                found.error(name, format!("unable to parse YAML: {}", convert_error(&error)));
                return false;
            }
        };
        let (kind, object) = (document.text("kind"), document.metadata_name());
        let problems = names::problems(&kind, &object);
        if !problems.is_empty() {
            let each: Vec<String> = problems
                .iter()
                .map(|problem| format!("metadata.name: Invalid value: {object:?}: {problem}"))
                .collect();
            let each = match &*each {
                [only] => only.clone(),
                several => format!("[{}]", several.join(", ")),
            };
            found.warning(
                name,
                format!("object name does not conform to Kubernetes naming requirements: {object:?}: {each}"),
            );
        }
        let selects = matches!(&*kind, "Deployment" | "ReplicaSet" | "DaemonSet" | "StatefulSet");
        if selects && !text.contains("matchLabels") && !text.contains("matchExpressions") {
            found.error(
                name,
                format!("a {kind} must contain matchLabels or matchExpressions, and {object:?} does not"),
            );
        }
        if kind == "List" && document.has_resource_policy() {
            found.error(
                name,
                "annotation 'helm.sh/resource-policy' within List objects are ignored",
            );
        }
    }
    true
}

/// A manifest, as far as it is looked at.
struct Document(Vec<(String, Yaml)>);

impl Document {
    fn text(&self, name: &str) -> String {
        text_of(&self.0, name)
    }

    fn metadata_name(&self) -> String {
        match self.0.iter().find(|(key, _)| key == "metadata") {
            Some((_, Yaml::Map(metadata))) => text_of(metadata, "name"),
            _ => String::new(),
        }
    }

    fn has_resource_policy(&self) -> bool {
        let Some((_, Yaml::Seq(items))) = self.0.iter().find(|(key, _)| key == "items") else {
            return false;
        };
        let inside = |yaml: &Yaml, key: &str| match yaml {
            Yaml::Map(entries) => entries.iter().find(|(k, _)| k == key).map(|(_, v)| v.clone()),
            _ => None,
        };
        items.iter().any(|item| {
            inside(item, "metadata")
                .and_then(|m| inside(&m, "annotations"))
                .and_then(|a| inside(&a, "helm.sh/resource-policy"))
                .is_some()
        })
    }
}

fn text_of(entries: &[(String, Yaml)], name: &str) -> String {
    match entries.iter().find(|(key, _)| key == name) {
        Some((_, Yaml::String(text))) => text.clone(),
        Some((_, Yaml::Int(number))) => number.to_string(),
        Some((_, Yaml::Bool(flag))) => flag.to_string(),
        _ => String::new(),
    }
}

fn dependencies(chart: &ChartData, directory: &str, found: &mut Findings) {
    let present: BTreeSet<&str> = chart.dependencies.iter().map(|c| &*c.metadata.name).collect();
    let listed = || chart.metadata.dependencies.iter().flatten();
    let unlisted: Vec<&str> = present
        .iter()
        .copied()
        .filter(|name| !listed().any(|d| d.name == *name))
        .collect();
    if !unlisted.is_empty() {
        found.error(
            directory,
            format!("chart metadata is missing these dependencies: {}", unlisted.join(",")),
        );
    }
    // Two of one name or alias do not get here: such a chart does not load.
    let missing: Vec<&str> = listed()
        .map(|d| &*d.name)
        .filter(|name| !present.contains(name))
        .collect();
    if !missing.is_empty() {
        found.warning(
            directory,
            format!("chart directory is missing these dependencies: {}", missing.join(",")),
        );
    }
}

fn crds(chart: &Chart, found: &mut Findings) {
    for file in chart.crds() {
        let text = String::from_utf8_lossy(&file.bytes).into_owned();
        for range in pintle_yaml::split_documents(&text) {
            let document = match pintle_yaml::parse(text.get(range).unwrap_or_default()) {
                Ok(Yaml::Map(entries)) => Document(entries),
                Ok(_) => continue,
                Err(error) => {
                    found.error(&file.name, format!("unable to parse YAML: {}", convert_error(&error)));
                    return;
                }
            };
            if !document.text("apiVersion").starts_with("apiextensions.k8s.io") {
                found.error(&file.name, "apiVersion is not in 'apiextensions.k8s.io'");
            }
            if document.text("kind") != "CustomResourceDefinition" {
                found.error(&file.name, "object kind is not 'CustomResourceDefinition'");
            }
        }
    }
}
