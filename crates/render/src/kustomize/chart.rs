//! `helmCharts` and HelmChartInflationGenerator: charts beside the kustomization, rendered by the chart renderer.

use pintle_yaml::{Node, Yaml};
use serde::Deserialize;

use super::error::{Failure, Reason, Result};
use super::loader::Loader;
use super::merge;
use super::remote::{ChartBase, Fetch};
use super::resource::{Resource, parse_resources};
use super::{Charts, Remote};
use crate::helm::{Capabilities, Chart, KubeVersion, Options, ValueOptions, release_name, template};

/// `helmGlobals`.
#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct HelmGlobals {
    /// Where charts stand.
    pub chart_home: String,
    /// Helm's own directory, of which nothing is read.
    pub config_home: String,
}

/// An entry of `helmCharts`.
#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct HelmChart {
    pub name: String,
    pub version: String,
    pub repo: String,
    pub release_name: String,
    pub namespace: String,
    pub additional_values_files: Vec<String>,
    pub values_file: String,
    pub values_inline: serde_json::Map<String, serde_json::Value>,
    pub values_merge: String,
    #[serde(rename = "includeCRDs")]
    pub include_crds: bool,
    pub skip_hooks: bool,
    pub api_versions: Vec<String>,
    pub kube_version: String,
    pub name_template: String,
    pub skip_tests: bool,
    pub debug: bool,
    pub devel: bool,
}

/// An entry of `helmChartInflationGenerator`, the older spelling of both.
#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct OldHelmChart {
    pub chart_name: String,
    pub chart_version: String,
    pub chart_repo_url: String,
    pub chart_home: String,
    pub helm_home: String,
    pub values: String,
    pub values_local: serde_json::Map<String, serde_json::Value>,
    pub values_merge: String,
    pub release_name: String,
    // Kustomize reads these and does nothing with them.
    pub chart_repo_name: String,
    pub helm_bin: String,
    pub release_namespace: String,
    pub extra_args: Vec<String>,
}

impl OldHelmChart {
    /// The same in the newer spelling. What it says for all charts goes to the globals, where the last to say it counts.
    pub fn split(self, globals: &mut HelmGlobals) -> HelmChart {
        for (global, own) in [
            (&mut globals.chart_home, self.chart_home),
            (&mut globals.config_home, self.helm_home),
        ] {
            if !own.is_empty() {
                *global = own;
            }
        }
        HelmChart {
            name: self.chart_name,
            version: self.chart_version,
            repo: self.chart_repo_url,
            release_name: self.release_name,
            values_file: self.values,
            values_inline: self.values_local,
            values_merge: self.values_merge,
            ..HelmChart::default()
        }
    }
}

/// The charts of a kustomization, set up before one is rendered.
pub(super) struct Inflation {
    args: HelmChart,
    /// Where charts stand.
    home: String,
}

/// Where charts stand if nothing else is said.
const HOME: &str = "charts";

impl Inflation {
    /// Reads an entry of `helmCharts`; the namespace of the kustomization, or of one above it, is the release's if it names none.
    pub fn of_field(
        loader: &Loader<'_, '_, '_>,
        globals: Option<&HelmGlobals>,
        chart: &HelmChart,
        namespace: &str,
    ) -> Result<Self> {
        enabled(loader)?;
        let mut args = chart.clone();
        if args.namespace.is_empty() {
            namespace.clone_into(&mut args.namespace);
        }
        Self::checked(args, globals.cloned().unwrap_or_default())
    }

    /// Reads the configuration of a generator, which has the fields of both.
    pub fn of_config(loader: &Loader<'_, '_, '_>, config: &Resource) -> Result<Self> {
        enabled(loader)?;
        Self::checked(super::plugin::decode(config)?, super::plugin::decode(config)?)
    }

    fn checked(args: HelmChart, globals: HelmGlobals) -> Result<Self> {
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
        let home = match globals.chart_home.as_str() {
            "" => HOME,
            home => home,
        };
        Ok(Self {
            args,
            home: home.to_owned(),
        })
    }

    /// Renders the chart. Its objects keep their namespaces: that is the chart's own affair.
    pub fn render(&self, loader: &Loader<'_, '_, '_>) -> Result<Vec<Resource>> {
        let args = &self.args;
        let charts = enabled(loader)?;
        let place = || format!("chart {}", args.name);
        let home = match (args.version.is_empty(), args.repo.is_empty()) {
            (false, false) => format!("{}/{}-{}", self.home, args.name, args.version),
            _ => self.home.clone(),
        };
        let local = loader.resolve(&format!("{home}/{}", args.name)).ok();
        let local = match local {
            Some(path) => loader.is_dir(&path)?.then_some(path),
            None => None,
        };
        let (path, is_local) = match local {
            Some(path) => (path, true),
            None => (self.fetched(loader)?, false),
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
        let args = &self.args;
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

    /// The directory of a chart that stands in a repository.
    fn fetched(&self, loader: &Loader<'_, '_, '_>) -> Result<pintle_model::tree::TreePath> {
        let args = &self.args;
        if args.repo.is_empty() {
            return Err(Failure::new(
                Reason::Missing,
                format!(
                    "no repo specified for pull, no chart found at '{}/{}' below {}",
                    self.home, args.name, loader.root
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
