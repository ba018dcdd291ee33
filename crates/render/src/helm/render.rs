//! `helm template`, from a chart and options to manifests and text.

use std::sync::Arc;

use pintle_gotmpl::Ambient;

use super::capabilities::Capabilities;
use super::chart::{Chart, ChartData, Limits};
use super::dependency::{Instance, resolve};
use super::engine;
use super::error::HelmError;
use super::octets;
use super::order::{Hook, Manifest, print, sort};
use super::schema;
use super::values::{Nulls, ValueOptions, coalesce_values};
use super::version::is_compatible;

/// What to render a chart with: the flags of `helm template` that reach the chart.
#[derive(Clone)]
pub struct Options {
    /// Name of the release.
    pub release_name: String,
    /// Namespace of the release.
    pub namespace: String,
    /// Values, in Helm's order.
    pub values: ValueOptions,
    /// `--kube-version` and `--api-versions`; the default is what Helm assumes without a cluster.
    pub capabilities: Capabilities,
    /// `--include-crds`.
    pub include_crds: bool,
    /// `--skip-tests`.
    pub skip_tests: bool,
    /// `--no-hooks`.
    pub no_hooks: bool,
    /// `--is-upgrade`.
    pub is_upgrade: bool,
    /// `--skip-schema-validation`.
    pub skip_schema_validation: bool,
    /// `--show-only`: patterns of template names without the chart's own.
    pub show_only: Vec<String>,
    /// `required` and `fail` give nothing instead of failing: as Helm renders a chart to examine it.
    pub lint: bool,
    /// Bounds.
    pub limits: Limits,
    /// Asked now and then while templates run: `true` ends the render. The caller owns the clock.
    pub cancelled: Option<Arc<dyn Fn() -> bool + Send + Sync>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            release_name: "release-name".into(),
            namespace: "default".into(),
            values: ValueOptions::default(),
            capabilities: Capabilities::default(),
            include_crds: false,
            skip_tests: false,
            no_hooks: false,
            is_upgrade: false,
            skip_schema_validation: false,
            show_only: Vec::new(),
            lint: false,
            limits: Limits::default(),
            cancelled: None,
        }
    }
}

/// What a chart renders to.
pub struct Output {
    /// CRD files where they were asked for, then manifests in install order.
    pub manifests: Vec<Manifest>,
    /// Hooks in install order; all of them, whatever [`Options::no_hooks`] and [`Options::skip_tests`] leave out of the text.
    pub hooks: Vec<Hook>,
    /// `NOTES.txt` of the chart itself.
    pub notes: String,
    /// Exactly what `helm template` prints.
    pub text: String,
}

/// Renders a chart.
///
/// Runs on the caller's stack, which must have [`Limits::stack_bytes`]: templates nest, and their depth is bounded so that this is enough.
/// It takes as long as the chart makes it take, within the limits, unless [`Options::cancelled`] says otherwise.
pub fn template(chart: &Chart, options: &Options, ambient: &dyn Ambient) -> Result<Output, HelmError> {
    check_name(&options.release_name)?;
    let data: &Arc<ChartData> = &chart.data;
    let given = options.values.merge()?;
    if !matches!(&*data.metadata.chart_type, "" | "application") {
        return Err(HelmError::Option(format!(
            "{} charts are not installable",
            data.metadata.chart_type
        )));
    }
    let missing = chart.missing_dependencies();
    if !missing.is_empty() {
        return Err(HelmError::MissingDependencies(missing));
    }
    let instance = resolve(data, &given)?;
    let values = coalesce_values(&instance, &given, Nulls::Remove)?;
    if !options.skip_schema_validation {
        schema::validate(&instance, &values)?;
    }
    let kube_version = &options.capabilities.kube_version;
    let constraint = &data.metadata.kube_version;
    if !constraint.is_empty() && !is_compatible(constraint, &kube_version.normalized) {
        return Err(HelmError::KubeVersion {
            constraint: constraint.clone(),
            version: kube_version.version.clone(),
        });
    }
    let mut files = engine::render(chart, &instance, &values, options, ambient)?;
    let mut notes = String::new();
    let own_notes = format!("{}/templates/NOTES.txt", instance.name());
    files.retain(|(path, text)| {
        let is_notes = path.ends_with("NOTES.txt");
        if *path == own_notes {
            notes.clone_from(text);
        }
        !is_notes
    });
    let (hooks, sorted) = sort(&files)?;
    let mut manifests = Vec::new();
    if options.include_crds {
        crds(&instance, &mut manifests);
    }
    manifests.extend(sorted);
    let text = print(
        &manifests,
        &hooks,
        options.no_hooks,
        options.skip_tests,
        &options.show_only,
    )?;
    Ok(Output {
        manifests,
        hooks,
        notes,
        text,
    })
}

/// The files below `crds/` of a chart and its dependencies, as they are.
fn crds(chart: &Instance, manifests: &mut Vec<Manifest>) {
    for file in chart.data.files.iter() {
        let extension = file.name.rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase());
        let is_manifest = matches!(extension.as_deref(), Some("yaml" | "yml" | "json"));
        if file.name.starts_with("crds/") && is_manifest {
            manifests.push(Manifest {
                path: format!("{}/{}", chart.path, file.name),
                text: octets::lossy(&file.bytes).into_owned(),
                kind: String::new(),
            });
        }
    }
    for child in &chart.dependencies {
        crds(child, manifests);
    }
}

/// Longest name of a release: ten characters are left for what charts add to make a label.
const MAX_RELEASE_NAME: usize = 53;

fn check_name(name: &str) -> Result<(), HelmError> {
    let reason = if name.is_empty() {
        "no name provided".to_owned()
    } else if name.len() > MAX_RELEASE_NAME || !name.split('.').all(is_label) {
        format!(
            "invalid release name, must match regex ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ and the length must not be longer than {MAX_RELEASE_NAME}"
        )
    } else {
        return Ok(());
    };
    Err(HelmError::Option(format!(
        "release name check failed: release name {name:?}: {reason}"
    )))
}

fn is_label(part: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    edge(part.chars().next())
        && edge(part.chars().next_back())
        && part
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}
