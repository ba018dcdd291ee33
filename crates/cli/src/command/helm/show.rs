//! `pintle helm show`: a chart's own files, as Helm prints them.

use std::process::ExitCode;

use pintle_render::helm::{Limits, Maintainer, Metadata};
use pintle_yaml::Yaml;

use super::chart::{Loaded, locate};
use super::lock::dependency_yaml;
use crate::args::{HelmShowArgs, HelmShowCommand};
use crate::exit::CliError;
use crate::output;

/// What is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    All,
    Chart,
    Values,
    Readme,
    Crds,
}

/// Shows a part of a chart or all of it.
pub(super) async fn run(command: HelmShowCommand) -> Result<ExitCode, CliError> {
    let (what, HelmShowArgs { name, chart }) = match command {
        HelmShowCommand::All(args) => (What::All, args),
        HelmShowCommand::Chart(args) => (What::Chart, args),
        HelmShowCommand::Values(args) => (What::Values, args),
        HelmShowCommand::Readme(args) => (What::Readme, args),
        HelmShowCommand::Crds(args) => (What::Crds, args),
    };
    let loaded = locate(&name, &chart, &Limits::default()).await?;
    output::print(&shown(&loaded, what))?;
    Ok(ExitCode::SUCCESS)
}

/// As `fmt.Fprintln` and `Fprintf("%s\n")` put the parts one after the other.
fn shown(loaded: &Loaded, what: What) -> String {
    let mut text = String::new();
    let wants = |part: What| what == part || what == What::All;
    let separator = if what == What::All { "---\n" } else { "" };
    let mut part = |before: &str, content: &[u8]| {
        text.push_str(before);
        text.push_str(&String::from_utf8_lossy(content));
        text.push('\n');
    };
    if wants(What::Chart) {
        part("", chart_yaml(loaded.chart.metadata()).as_bytes());
    }
    if wants(What::Values)
        && let Some(values) = loaded.source.file("values.yaml")
    {
        part(separator, values);
    }
    let is_readme = |name: &str| {
        let known = ["readme.md", "readme.txt", "readme"];
        known.iter().any(|known| name.eq_ignore_ascii_case(known))
    };
    let readme = loaded.chart.files().find(|(name, _)| is_readme(name));
    if wants(What::Readme)
        && let Some((_, content)) = readme
    {
        part(separator, content);
    }
    if wants(What::Crds) {
        for crd in loaded.chart.crds() {
            let before = if crd.bytes.starts_with(b"---") { "" } else { "---\n" };
            part(before, &crd.bytes);
        }
    }
    text
}

/// `Chart.yaml` as Helm writes it: known fields that are not empty, in the order of their names.
fn chart_yaml(metadata: &Metadata) -> String {
    let mut fields: Vec<(String, Yaml)> = Vec::new();
    let mut field = |name: &str, value: Yaml| {
        let is_empty = match &value {
            Yaml::String(text) => text.is_empty(),
            Yaml::Seq(items) => items.is_empty(),
            Yaml::Map(entries) => entries.is_empty(),
            Yaml::Bool(flag) => !flag,
            _ => false,
        };
        if !is_empty {
            fields.push((name.to_owned(), value));
        }
    };
    let text = |text: &str| Yaml::String(text.to_owned());
    let texts = |all: &[String]| Yaml::Seq(all.iter().map(|t| Yaml::String(t.clone())).collect());
    let annotations = metadata.annotations.iter().flatten().map(|(k, v)| (k.clone(), text(v)));
    field("annotations", sorted(annotations.collect()));
    field("apiVersion", text(&metadata.api_version));
    field("appVersion", text(&metadata.app_version));
    field("condition", text(&metadata.condition));
    let dependencies = metadata.dependencies.iter().flatten().map(dependency_yaml);
    field("dependencies", Yaml::Seq(dependencies.collect()));
    field("deprecated", Yaml::Bool(metadata.deprecated));
    field("description", text(&metadata.description));
    field("home", text(&metadata.home));
    field("icon", text(&metadata.icon));
    field("keywords", texts(&metadata.keywords));
    field("kubeVersion", text(&metadata.kube_version));
    field(
        "maintainers",
        Yaml::Seq(metadata.maintainers.iter().map(maintainer).collect()),
    );
    field("name", text(&metadata.name));
    field("sources", texts(&metadata.sources));
    field("tags", text(&metadata.tags));
    field("type", text(&metadata.chart_type));
    field("version", text(&metadata.version));
    pintle_yaml::to_string(&Yaml::Map(fields))
}

fn maintainer(one: &Maintainer) -> Yaml {
    let fields = [("email", &one.email), ("name", &one.name), ("url", &one.url)];
    let given = fields.into_iter().filter(|(_, value)| !value.is_empty());
    Yaml::Map(given.map(|(k, v)| (k.to_owned(), Yaml::String(v.clone()))).collect())
}

fn sorted(mut entries: Vec<(String, Yaml)>) -> Yaml {
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    Yaml::Map(entries)
}
