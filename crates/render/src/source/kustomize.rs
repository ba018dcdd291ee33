//! An Application's kustomization [F4.8].

use std::cell::Cell;

use pintle_model::application::{IntOrString, Kustomize, KustomizePatch, Source};
use pintle_model::tree::Reader;

use super::Ended;
use super::ambient::{NO_SECRET, Recorded, TOO_LONG, Watch, capabilities};
use super::environment::substitute;
use crate::kustomize::{
    Annotations, Built, Charts, Edits, Labels, Options, PatchEdit, PatchTarget, Reason, build_with,
};
use crate::remotes::remotes;
use crate::request::{Need, Recorder};
use crate::{Diagnostic, Output, RenderRequest, objects};

const SETTING: &str = "setting kustomize.buildOptions";

/// Builds the kustomization at `path`.
pub(super) fn render(
    reader: &Reader<'_>,
    request: &RenderRequest,
    source: &Source,
    recorder: &Recorder<'_>,
    out: &mut Output,
) -> Result<(), Ended> {
    let path = &request.path;
    let failed = |message: String| Ended::Failed(Diagnostic::error(path, None, message));
    let none = Kustomize::default();
    let fields = source.kustomize.as_ref().unwrap_or(&none);
    if fields.overlays.is_some() {
        return Err(failed(
            "spec.source.kustomize.overlays is no field: point spec.source.path at the overlay's directory instead"
                .into(),
        ));
    }
    let mut options = Options {
        remotes: remotes(reader, &request.answers).map_err(failed)?,
        edits: edits(fields, recorder).map_err(failed)?,
        ..Options::default()
    };
    let told = build_options(&request.settings.kustomize_build_options, &mut options).map_err(failed)?;
    let ambient = Recorded::new(recorder, &request.app.uid);
    let watch = Watch::new(recorder);
    let charts = match told.enable_helm {
        true => Some(charts(request, fields, &told, &ambient, &watch, recorder).map_err(failed)?),
        false => None,
    };
    let built = build_with(reader, path, &options, charts.as_ref());
    if charts.as_ref().is_some_and(|c| c.rendered.get()) {
        // On the name and UID of the application, and on what charts are told of the cluster.
        recorder.application();
        if fields.kube_version.is_empty() || fields.api_versions.is_empty() {
            recorder.capabilities();
        }
    }
    match built {
        _ if watch.fired() => Err(Ended::Transient(Diagnostic::error(path, None, TOO_LONG))),
        _ if ambient.is_unsteady() => Err(Ended::Transient(Diagnostic::error(path, None, NO_SECRET))),
        Built::Ok { objects, .. } => {
            for value in objects {
                objects::object(path, 1, value, "a resource of the kustomization is something else", out);
            }
            Ok(())
        }
        Built::Needs(fetches) => Err(Ended::Needs(fetches.into_iter().map(Need::from).collect())),
        Built::Failed(failure) if failure.reason == Reason::Store => {
            Err(Ended::Transient(Diagnostic::error(path, None, failure.message)))
        }
        Built::Failed(failure) if failure.reason == Reason::Helm => Err(failed(format!(
            "{}; charts of kustomizations are rendered with the {SETTING} in argocd-cm set to --enable-helm",
            failure.message
        ))),
        Built::Failed(failure) => Err(failed(failure.message)),
    }
}

/// What charts of a kustomization are rendered with: what the source says of the cluster, else what the destination serves.
fn charts<'c>(
    request: &RenderRequest,
    fields: &Kustomize,
    told: &Told,
    ambient: &'c Recorded<'_>,
    watch: &Watch,
    recorder: &Recorder<'_>,
) -> Result<Charts<'c>, String> {
    let known = recorder.surroundings().capabilities;
    let capabilities = capabilities(&fields.kube_version, &fields.api_versions, known).map_err(|e| e.to_string())?;
    let mut api_versions = capabilities.api_versions;
    api_versions.extend(told.api_versions.iter().cloned());
    Ok(Charts {
        ambient,
        kube_version: Some(capabilities.kube_version.version),
        api_versions,
        // A time would give the objects new names with every render.
        generated_suffix: Some(request.app.name.clone()).filter(|name| !name.is_empty()),
        limits: request.settings.chart_limits,
        cancelled: watch.cancelled.clone(),
        rendered: Cell::new(false),
    })
}

/// What the peer does to the kustomization before it builds it.
fn edits(fields: &Kustomize, recorder: &Recorder<'_>) -> Result<Edits, String> {
    let mut annotations = fields.common_annotations.clone();
    if fields.common_annotations_envsubst {
        for value in annotations.values_mut() {
            *value = substitute(value, recorder);
        }
    }
    let mut replicas = Vec::with_capacity(fields.replicas.len());
    for replica in &fields.replicas {
        let count = match &replica.count {
            IntOrString::Int(count) => Some(*count),
            IntOrString::String(text) => text.trim().parse().ok(),
        };
        let count = count.filter(|count| *count >= 0).ok_or_else(|| {
            format!(
                "spec.source.kustomize.replicas: {:?} has count {}, which is no number of replicas",
                replica.name, replica.count
            )
        })?;
        replicas.push((replica.name.clone(), count));
    }
    Ok(Edits {
        name_prefix: fields.name_prefix.clone(),
        name_suffix: fields.name_suffix.clone(),
        images: fields.images.clone(),
        replicas,
        labels: Labels {
            pairs: fields.common_labels.clone(),
            force: fields.force_common_labels,
            without_selector: fields.label_without_selector,
            include_templates: fields.label_include_templates,
        },
        annotations: Annotations {
            pairs: annotations,
            force: fields.force_common_annotations,
        },
        namespace: fields.namespace.clone(),
        patches: fields.patches.iter().map(patch).collect(),
        components: fields.components.clone(),
        ignore_missing_components: fields.ignore_missing_components,
    })
}

fn patch(patch: &KustomizePatch) -> PatchEdit {
    let target = patch.target.as_ref().map(|t| PatchTarget {
        group: t.group.clone(),
        version: t.version.clone(),
        kind: t.kind.clone(),
        name: t.name.clone(),
        namespace: t.namespace.clone(),
        annotation_selector: t.annotation_selector.clone(),
        label_selector: t.label_selector.clone(),
    });
    PatchEdit {
        path: patch.path.clone(),
        patch: patch.patch.clone(),
        target,
        options: patch.options.clone(),
    }
}

/// What the setting `kustomize.buildOptions` says of charts.
#[derive(Default)]
struct Told {
    enable_helm: bool,
    api_versions: Vec<String>,
}

/// The setting `kustomize.buildOptions`: only what changes the result and cannot run anything.
fn build_options(text: &str, options: &mut Options) -> Result<Told, String> {
    let mut told = Told::default();
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        let (flag, given) = match word.split_once('=') {
            Some((flag, value)) => (flag, Some(value)),
            None => (word, None),
        };
        let is_on = || match given {
            None | Some("true" | "1" | "t" | "T" | "TRUE" | "True") => Ok(true),
            Some("false" | "0" | "f" | "F" | "FALSE" | "False") => Ok(false),
            Some(other) => Err(format!("{SETTING}: {other:?} for {flag} is neither true nor false")),
        };
        let mut value = || {
            given
                .or_else(|| words.next())
                .ok_or_else(|| format!("{SETTING}: {flag} needs a value"))
        };
        match flag {
            "--load-restrictor" | "--load_restrictor" => {
                options.load_anywhere = match value()? {
                    "LoadRestrictionsNone" | "none" => true,
                    "LoadRestrictionsRootOnly" | "rootOnly" => false,
                    other => {
                        return Err(format!(
                            "{SETTING}: {other:?} is no load restrictor; LoadRestrictionsNone and LoadRestrictionsRootOnly are"
                        ));
                    }
                }
            }
            "--reorder" => {
                options.keep_order = match value()? {
                    "none" => true,
                    "legacy" => false,
                    other => return Err(format!("{SETTING}: {other:?} is no order; legacy and none are")),
                }
            }
            "--enable-helm" => told.enable_helm = is_on()?,
            "--enable-managedby-label" => options.managed_by_label = is_on()?,
            "--helm-api-versions" => told.api_versions.push(value()?.to_owned()),
            "--helm-command" => {
                return Err(format!(
                    "{SETTING}: --helm-command is not allowed: charts are rendered natively and no command is run"
                ));
            }
            other => {
                return Err(format!(
                    "{SETTING}: {other} is not allowed; --load-restrictor, --reorder, --enable-helm, --helm-api-versions and \
                     --enable-managedby-label are. Options that run programs or reach the network never are"
                ));
            }
        }
    }
    Ok(told)
}
