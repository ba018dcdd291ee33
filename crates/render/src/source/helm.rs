//! An Application's chart: from `spec.source.helm` to what `helm template` is given [F4.5, F4.6].

use std::sync::Arc;

use pintle_model::Value;
use pintle_model::application::{Helm, HelmParameter, Source};
use pintle_model::tree::{Reader, TreeError, TreePath};

use super::Ended;
use super::ambient::{NO_SECRET, Recorded, TOO_LONG, Watch, capabilities};
use super::dependencies::{self, vendored};
use super::environment::substitute;
use super::value_files::{Files, Missing};
use crate::helm::{self, Capabilities, Chart, HelmError, Options, ValueOptions};
use crate::request::Recorder;
use crate::{Diagnostic, Output, RenderRequest, objects};

/// Renders the chart at `path`.
pub(super) fn render(
    reader: &Reader<'_>,
    request: &RenderRequest,
    source: &Source,
    recorder: &Recorder<'_>,
    out: &mut Output,
) -> Result<(), Ended> {
    let path = &request.path;
    recorder.application();
    let none = Helm::default();
    let options = source.helm.as_ref().unwrap_or(&none);
    if !matches!(options.version.as_str(), "" | "v3" | "v4") {
        return Err(failed(
            path,
            format!("helm version '{}' is not supported", options.version),
        ));
    }
    let files = Files {
        reader,
        request,
        recorder,
    };
    let values = values(&files, options).map_err(|e| match e {
        Missing::Needed(need) => Ended::Needs(vec![*need]),
        Missing::Failed(why) => failed(path, why),
    })?;
    let chart = chart(reader, request, recorder)?;
    let app = &request.app;
    let or = |given: &str, default: &str| if given.is_empty() { default } else { given }.to_owned();
    let watch = Watch::new(recorder);
    let options = Options {
        release_name: or(&options.release_name, &app.name),
        namespace: or(&options.namespace, &app.namespace),
        values,
        capabilities: told(options, recorder).map_err(|e| failed(path, e.to_string()))?,
        include_crds: !options.skip_crds,
        skip_tests: options.skip_tests,
        skip_schema_validation: options.skip_schema_validation,
        limits: request.settings.chart_limits,
        cancelled: watch.cancelled.clone(),
        ..Options::default()
    };
    let ambient = Recorded::new(recorder, &app.uid);
    let rendered = helm::template(&chart, &options, &ambient);
    let rendered = match rendered {
        Err(e) if watch.fired() => {
            let message = format!("{TOO_LONG}: {}", shown(&e));
            return Err(Ended::Transient(Diagnostic::error(path, None, message)));
        }
        other => other.map_err(|e| ended(path, &e))?,
    };
    if ambient.is_unsteady() {
        return Err(Ended::Transient(Diagnostic::error(path, None, NO_SECRET)));
    }
    let hooks = rendered.hooks.iter().filter(|h| !(options.skip_tests && h.is_test()));
    let texts = rendered.manifests.iter().map(|m| (&m.path, &m.text));
    for (name, text) in texts.chain(hooks.map(|h| (&h.path, &h.text))) {
        manifest(path, name, text, out);
    }
    Ok(())
}

/// The chart with its dependencies, those that have to be fetched too.
fn chart(reader: &Reader<'_>, request: &RenderRequest, recorder: &Recorder<'_>) -> Result<Arc<Chart>, Ended> {
    let path = &request.path;
    let limits = &request.settings.chart_limits;
    let charts = recorder.surroundings().charts;
    let chart = charts.load(reader, path, limits, &[]).map_err(|e| ended(path, &e))?;
    chart.check_api_version().map_err(|e| ended(path, &e))?;
    if chart.missing_dependencies().is_empty() {
        return Ok(chart);
    }
    let vendored = vendored(reader, request, &chart, path).map_err(|e| match e {
        dependencies::Missing::Needed(needs) => Ended::Needs(needs),
        dependencies::Missing::Failed(why) => failed(path, why),
    })?;
    charts
        .load(reader, path, limits, &vendored)
        .map_err(|e| ended(path, &e))
}

fn failed(path: &TreePath, message: impl Into<String>) -> Ended {
    Ended::Failed(Diagnostic::error(path, None, message))
}

/// Bytes of an error that are shown from its start and from its end. Templates that include themselves fail with a line per level, and a
/// person reads it in a condition.
const SHOWN: (usize, usize) = (3000, 1000);

fn shown(error: &HelmError) -> String {
    let text = error.to_string();
    let start = text.floor_char_boundary(SHOWN.0);
    let end = text.ceil_char_boundary(text.len().saturating_sub(SHOWN.1));
    match (text.get(..start), text.get(end..)) {
        (Some(start), Some(end)) if text.len() > SHOWN.0 + SHOWN.1 => {
            format!("{start} [… {} bytes …] {end}", text.len() - start.len() - end.len())
        }
        _ => text,
    }
}

fn ended(path: &TreePath, error: &HelmError) -> Ended {
    let said = Diagnostic::error(path, None, shown(error));
    match error {
        HelmError::Tree(TreeError::Store { .. }) => Ended::Transient(said),
        _ => Ended::Failed(said),
    }
}

/// One rendered document.
fn manifest(chart: &TreePath, name: &str, text: &str, out: &mut Output) {
    // The first part of a template's name is the chart's own; a file that is meant can be found below the chart's directory.
    let path = name
        .split('/')
        .skip(1)
        .fold(chart.clone(), |path, part| path.child(part));
    for document in pintle_yaml::parse_all(text) {
        match document.result {
            Ok(pintle_yaml::Yaml::Null) => {}
            Ok(value) => {
                let hint = "the template makes something else; render it with `pintle helm template` to see it";
                let value = Value::from(value);
                if value.as_map().is_some_and(pintle_model::Map::is_empty) {
                    continue;
                }
                objects::object(&path, document.line, value, hint, out);
            }
            Err(e) => out.diagnostics.push(Diagnostic::error(
                &path,
                None,
                format!("the template makes text that is no YAML: {e}"),
            )),
        }
    }
}

/// Value files, `values` or `valuesObject`, and the three kinds of parameters.
fn values(files: &Files<'_>, options: &Helm) -> Result<ValueOptions, Missing> {
    let mut values = ValueOptions {
        files: files.values(&options.value_files, options.ignore_missing_value_files)?,
        ..ValueOptions::default()
    };
    if let Some(object) = &options.values_object {
        // JSON is YAML.
        values
            .files
            .push(("spec.source.helm.valuesObject".into(), object.to_string()));
    } else if !options.values.is_empty() {
        values
            .files
            .push(("spec.source.helm.values".into(), options.values.clone()));
    }
    // Of two parameters with one name the last counts, as in the peer, which holds them in a map.
    let last = |at: usize, p: &HelmParameter| {
        let later = options.parameters.get(at + 1..).unwrap_or_default();
        !later
            .iter()
            .any(|l| l.name == p.name && l.force_string == p.force_string)
    };
    for (_, parameter) in options.parameters.iter().enumerate().filter(|(at, p)| last(*at, p)) {
        let value = escaped(&substitute(&parameter.value, files.recorder));
        let line = format!("{}={value}", parameter.name);
        if parameter.force_string {
            values.strings.push(line);
        } else {
            values.set.push(line);
        }
    }
    for (at, parameter) in options.file_parameters.iter().enumerate() {
        let text = files.parameter(&parameter.path)?;
        let name = format!("file{at}");
        values
            .from_files
            .push((format!("{}={name}", parameter.name), vec![(name, text)]));
    }
    Ok(values)
}

/// A comma of a value is no separator, unless the value is a list in braces; one that is escaped stays so.
fn escaped(value: &str) -> String {
    if value.starts_with('{') && value.ends_with('}') {
        return value.to_owned();
    }
    let mut out = String::with_capacity(value.len());
    let mut before = None;
    for c in value.chars() {
        if c == ',' && before != Some('\\') {
            out.push('\\');
        }
        out.push(c);
        before = Some(c);
    }
    out
}

/// What the chart is told of the cluster. What the source says in full does not depend on the cluster.
fn told(options: &Helm, recorder: &Recorder<'_>) -> Result<Capabilities, HelmError> {
    let (version, apis) = (options.kube_version.as_str(), options.api_versions.as_slice());
    if version.is_empty() || apis.is_empty() {
        capabilities(version, apis, recorder.capabilities())
    } else {
        capabilities(version, apis, &Capabilities::default())
    }
}
