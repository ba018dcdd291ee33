//! An Application's kustomization [F4.8].

use std::collections::BTreeMap;

use pintle_model::application::{IntOrString, Kustomize, KustomizePatch, Source};
use pintle_model::tree::{EntryKind, MountedTree, Reader, TreePath};

use super::Ended;
use super::environment::substitute;
use crate::kustomize::{Annotations, Built, Edits, Labels, Options, PatchEdit, PatchTarget, Reason, Remote, build};
use crate::request::{Answer, Need, Recorder};
use crate::{Diagnostic, Output, RenderRequest, objects};

/// Bytes of one remote file.
const MAX_REMOTE_FILE: u64 = 64 << 20;

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
    if fields.unknown.get("overlays").is_some() {
        return Err(failed(
            "spec.source.kustomize.overlays is no field: point spec.source.path at the overlay's directory instead"
                .into(),
        ));
    }
    let mut options = Options {
        remotes: remotes(reader, request).map_err(failed)?,
        edits: edits(fields, recorder).map_err(failed)?,
        ..Options::default()
    };
    build_options(&request.settings.kustomize_build_options, &mut options).map_err(failed)?;
    match build(reader, path, &options) {
        Built::Ok { objects, .. } => {
            for value in objects {
                objects::object(path, 1, value, "a resource of the kustomization is something else", out);
            }
            Ok(())
        }
        Built::Needs(fetches) => Err(Ended::Needs(fetches.into_iter().map(Need::Remote).collect())),
        Built::Failed(failure) if failure.reason == Reason::Store => {
            Err(Ended::Transient(Diagnostic::error(path, None, failure.message)))
        }
        Built::Failed(failure) => Err(failed(failure.message)),
    }
}

/// What was fetched, as the build knows it.
fn remotes(reader: &Reader<'_>, request: &RenderRequest) -> Result<BTreeMap<String, Remote>, String> {
    let mut remotes = BTreeMap::new();
    for (need, answer) in &request.answers {
        let Need::Remote(fetch) = need else { continue };
        let place = MountedTree::place(&need.name());
        let remote = match answer {
            Answer::Refused(why) => Remote::Refused(why.clone()),
            Answer::Mounted => match reader.kind(&place).map_err(|e| e.to_string())? {
                Some(EntryKind::File) => {
                    let file = reader.file(&place, MAX_REMOTE_FILE).map_err(|e| e.to_string())?;
                    let file = file.ok_or_else(|| format!("{}: fetched, but not readable", fetch.url))?;
                    Remote::File(file.bytes)
                }
                _ => Remote::Base {
                    path: below(&place, fetch.git.as_ref().map_or("", |g| g.path.as_str())),
                    repository: place,
                },
            },
        };
        remotes.insert(fetch.url.clone(), remote);
    }
    Ok(remotes)
}

/// The directory of a base; its parts were checked not to lead above the repository.
fn below(root: &TreePath, path: &str) -> TreePath {
    let inside = TreePath::new(path).unwrap_or_else(|_| TreePath::root());
    inside.parts().fold(root.clone(), |path, part| path.child(part))
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

/// The setting `kustomize.buildOptions`: only what changes the result and cannot run anything.
fn build_options(text: &str, options: &mut Options) -> Result<(), String> {
    let mut words = text.split_whitespace().flat_map(|word| match word.split_once('=') {
        Some((flag, value)) => vec![flag, value],
        None => vec![word],
    });
    while let Some(flag) = words.next() {
        let mut value = || {
            words
                .next()
                .ok_or_else(|| format!("setting kustomize.buildOptions: {flag} needs a value"))
        };
        match flag {
            "--load-restrictor" | "--load_restrictor" => {
                options.load_anywhere = match value()? {
                    "LoadRestrictionsNone" | "none" => true,
                    "LoadRestrictionsRootOnly" | "rootOnly" => false,
                    other => {
                        return Err(format!(
                            "setting kustomize.buildOptions: {other:?} is no load restrictor; LoadRestrictionsNone and \
                             LoadRestrictionsRootOnly are"
                        ));
                    }
                }
            }
            "--reorder" => {
                options.keep_order = match value()? {
                    "none" => true,
                    "legacy" => false,
                    other => {
                        return Err(format!(
                            "setting kustomize.buildOptions: {other:?} is no order; legacy and none are"
                        ));
                    }
                }
            }
            other => {
                return Err(format!(
                    "setting kustomize.buildOptions: {other} is not allowed; --load-restrictor and --reorder are. Options that run programs \
                     or reach the network never are"
                ));
            }
        }
    }
    Ok(())
}
