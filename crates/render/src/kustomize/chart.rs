//! `helmCharts` and HelmChartInflationGenerator: charts beside the kustomization, rendered by the chart renderer.

use pintle_yaml::{Node, Yaml};
use serde::Deserialize;

use super::error::{Failure, Reason, Result};
use super::kustomization::decode_yaml;
use super::loader::Loader;
use super::merge;
use super::remote::{ChartBase, Fetch};
use super::resource::{Resource, parse_resources};
use super::{Charts, Remote};
use crate::helm::{Capabilities, Chart, KubeVersion, Options, ValueOptions, release_name, template};

/// An entry of `helmCharts`, with the fields of `helmGlobals`.
#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct Args {
    name: String,
    version: String,
    repo: String,
    release_name: String,
    namespace: String,
    additional_values_files: Vec<String>,
    values_file: String,
    values_inline: serde_json::Map<String, serde_json::Value>,
    values_merge: String,
    #[serde(rename = "includeCRDs")]
    include_crds: bool,
    skip_hooks: bool,
    api_versions: Vec<String>,
    kube_version: String,
    name_template: String,
    skip_tests: bool,
    debug: bool,
    devel: bool,
    chart_home: String,
    config_home: String,
}

/// An entry of `helmChartInflationGenerator` as one of `helmCharts`, and the globals it names.
pub(super) fn from_old(old: serde_json::Value) -> (serde_json::Value, Option<serde_json::Value>) {
    let serde_json::Value::Object(old) = old else {
        return (old, None);
    };
    let (mut chart, mut globals) = (serde_json::Map::new(), serde_json::Map::new());
    for (key, value) in old {
        let (fields, name) = match key.as_str() {
            "chartName" => (&mut chart, "name"),
            "chartVersion" => (&mut chart, "version"),
            "chartRepoUrl" => (&mut chart, "repo"),
            "values" => (&mut chart, "valuesFile"),
            "valuesLocal" => (&mut chart, "valuesInline"),
            "chartHome" => (&mut globals, "chartHome"),
            "helmHome" => (&mut globals, "configHome"),
            // Kustomize reads them and does nothing with them.
            "chartRepoName" | "helmBin" | "releaseNamespace" | "extraArgs" => continue,
            other => (&mut chart, other),
        };
        fields.insert(name.to_owned(), value);
    }
    let globals = (!globals.is_empty()).then_some(globals.into());
    (chart.into(), globals)
}

/// The charts of a kustomization, set up before one is rendered.
pub(super) struct Inflation(Args);

/// Where charts stand if nothing else is said.
const HOME: &str = "charts";

impl Inflation {
    /// Reads an entry of `helmCharts`; the namespace of the kustomization, or of one above it, is the release's if it names none.
    pub fn of_field(
        loader: &Loader<'_, '_, '_>,
        globals: Option<&serde_json::Value>,
        chart: &serde_json::Value,
        namespace: &str,
    ) -> Result<Self> {
        enabled(loader)?;
        let mut fields = match chart {
            serde_json::Value::Object(fields) => fields.clone(),
            _ => return Err(Failure::invalid("helmCharts: an entry is no map")),
        };
        for field in ["chartHome", "configHome"] {
            if let Some(value) = globals.and_then(|g| g.get(field)) {
                fields.insert(field.to_owned(), value.clone());
            }
        }
        let mut args: Args =
            serde_json::from_value(fields.into()).map_err(|e| Failure::invalid(format!("helmCharts: {e}")))?;
        if args.namespace.is_empty() {
            namespace.clone_into(&mut args.namespace);
        }
        Self::checked(args)
    }

    /// Reads the configuration of a generator.
    pub fn of_config(loader: &Loader<'_, '_, '_>, config: &Resource) -> Result<Self> {
        enabled(loader)?;
        let mut node = config.node.clone();
        for field in ["apiVersion", "kind", "metadata"] {
            node.remove(field);
        }
        let yaml = node.to_yaml().map_err(|e| Failure::invalid(e.to_string()))?;
        Self::checked(decode_yaml(yaml).map_err(|e| e.within("HelmChartInflationGenerator"))?)
    }

    fn checked(mut args: Args) -> Result<Self> {
        if args.name.is_empty() {
            return Err(Failure::new(Reason::Helm, "chart name cannot be empty"));
        }
        if !args.name_template.is_empty() && !args.release_name.is_empty() {
            let message = format!(
                "chart {}: cannot set nameTemplate and also specify a name: write one of nameTemplate and releaseName",
                args.name
            );
            return Err(Failure::new(Reason::Helm, message));
        }
        if !matches!(args.values_merge.as_str(), "" | "merge" | "override" | "replace") {
            return Err(Failure::invalid("valuesMerge must be one of [merge override replace]"));
        }
        if args.chart_home.is_empty() {
            HOME.clone_into(&mut args.chart_home);
        }
        Ok(Self(args))
    }

    /// Renders the chart. Its objects keep their namespaces: that is the chart's own affair.
    pub fn render(&self, loader: &Loader<'_, '_, '_>) -> Result<Vec<Resource>> {
        let args = &self.0;
        let charts = enabled(loader)?;
        let place = || format!("chart {}", args.name);
        let home = match (args.version.is_empty(), args.repo.is_empty()) {
            (false, false) => format!("{}/{}-{}", args.chart_home, args.name, args.version),
            _ => args.chart_home.clone(),
        };
        let local = loader.resolve(&format!("{home}/{}", args.name)).ok();
        let local = match local {
            Some(path) => loader.is_dir(&path)?.then_some(path),
            None => None,
        };
        let (path, is_local) = match local {
            Some(path) => (path, true),
            None => (fetched(loader, args)?, false),
        };
        let chart = Chart::load(loader.session.reader, &path, &charts.limits)
            .map_err(|e| Failure::new(Reason::Helm, e.to_string()).within(place()))?;
        let default_values = match (args.values_file.is_empty(), is_local) {
            (false, _) => loader.load_text(&args.values_file).map_err(|e| e.within(place()))?,
            (true, true) => {
                let file = format!("{home}/{}/values.yaml", args.name);
                loader.load_text(&file).map_err(|e| e.within(place()))?
            }
            // A fetched chart brings its own.
            (true, false) => String::new(),
        };
        let mut files = vec![(
            format!("{}-kustomize-values.yaml", args.name),
            self.values(loader, default_values)?,
        )];
        for file in &args.additional_values_files {
            let text = loader
                .load_text(file)
                .map_err(|e| e.within("could not load additionalValuesFile"))?;
            files.push((file.clone(), text));
        }
        let mut capabilities = Capabilities::default();
        let kube_version = charts.kube_version.as_deref().unwrap_or(&args.kube_version);
        if !kube_version.is_empty() {
            capabilities.kube_version =
                KubeVersion::parse(kube_version).map_err(|e| Failure::invalid(e.to_string()).within(place()))?;
        }
        let more = if charts.api_versions.is_empty() {
            &args.api_versions
        } else {
            &charts.api_versions
        };
        capabilities.api_versions.extend(more.iter().cloned());
        charts.rendered.set(true);
        let release_name = match (args.release_name.as_str(), args.name_template.as_str()) {
            // As `--generate-name` of Helm.
            ("", "") => {
                let time = || charts.ambient.now().seconds.to_string();
                format!("{}-{}", args.name, charts.generated_suffix.clone().unwrap_or_else(time))
            }
            ("", template) => release_name(template, charts.ambient, &charts.limits).map_err(|e| {
                Failure::new(Reason::Helm, e.to_string())
                    .within("nameTemplate")
                    .within(place())
            })?,
            (name, _) => name.to_owned(),
        };
        let namespace = if args.namespace.is_empty() {
            "default".to_owned()
        } else {
            args.namespace.clone()
        };
        let options = Options {
            release_name,
            namespace,
            values: ValueOptions {
                files,
                ..ValueOptions::default()
            },
            capabilities,
            include_crds: args.include_crds,
            skip_tests: args.skip_tests,
            no_hooks: args.skip_hooks,
            limits: charts.limits,
            cancelled: charts.cancelled.clone(),
            ..Options::default()
        };
        let output = template(&chart, &options, charts.ambient)
            .map_err(|e| Failure::new(Reason::Helm, e.to_string()).within(place()))?;
        let mut resources = parse_resources(&output.text).map_err(|e| e.within(place()))?;
        for resource in &mut resources {
            resource.from_chart = true;
        }
        Ok(resources)
    }

    /// The text of the values: those of the file, with the inline ones over, under, or instead of them.
    fn values(&self, loader: &Loader<'_, '_, '_>, file: String) -> Result<String> {
        let args = &self.0;
        if args.values_inline.is_empty() {
            return Ok(file);
        }
        let bad = |e: pintle_yaml::Error| Failure::invalid(e.to_string()).within("valuesInline");
        let inline = serde_json::to_string(&args.values_inline).map_err(|e| Failure::invalid(e.to_string()))?;
        let inline = pintle_yaml::parse(&inline).map_err(bad)?;
        let inline_node = Node::from(&inline);
        let limits = pintle_yaml::Limits::default();
        let merged = match args.values_merge.as_str() {
            "replace" => return Ok(pintle_yaml::to_string(&inline)),
            over => {
                let schema = loader.schema();
                let file = pintle_yaml::parse_node(&file, &limits)
                    .map_err(bad)?
                    .unwrap_or(Node::Map(Vec::new()));
                match over {
                    "merge" => merge::merge(inline_node, file, &schema)?,
                    _ => merge::merge(file, inline_node, &schema)?,
                }
            }
        };
        let yaml = match merged {
            Some(node) => node.to_yaml().map_err(bad)?,
            None => Yaml::Map(Vec::new()),
        };
        Ok(pintle_yaml::to_string(&yaml))
    }
}

fn enabled<'s>(loader: &Loader<'s, '_, '_>) -> Result<&'s Charts<'s>> {
    loader.session.charts.ok_or_else(|| {
        Failure::new(
            Reason::Helm,
            format!(
                "trouble configuring builtin HelmChartInflationGenerator in the kustomization of {}: must specify --enable-helm",
                loader.root
            ),
        )
    })
}

/// The directory of a chart that stands in a repository.
fn fetched(loader: &Loader<'_, '_, '_>, args: &Args) -> Result<pintle_model::tree::TreePath> {
    if args.repo.is_empty() {
        return Err(Failure::new(
            Reason::Missing,
            format!(
                "no repo specified for pull, no chart found at '{}/{}' below {}",
                args.chart_home, args.name, loader.root
            ),
        ));
    }
    let chart = ChartBase {
        repository: args.repo.clone(),
        name: args.name.clone(),
        version: args.version.clone(),
    };
    let url = chart.url();
    match loader.session.options.remotes.get(&url) {
        Some(Remote::Base { path, .. }) => Ok(path.clone()),
        Some(Remote::Refused(why)) => Err(Failure::new(Reason::Remote, format!("{url}: {why}"))),
        Some(Remote::File(_)) => Err(Failure::new(
            Reason::Remote,
            format!("{url}: a file where a chart is needed"),
        )),
        None => {
            loader.session.needs.borrow_mut().push(Fetch {
                url: url.clone(),
                http: false,
                git: None,
                chart: Some(chart),
            });
            Err(Failure::new(Reason::Remote, format!("{url}: not fetched")))
        }
    }
}
