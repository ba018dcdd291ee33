//! Generators, transformers and validators that are configured as objects. Only built-in kinds run; nothing is ever executed.

use serde::Deserialize;

use super::accumulate::{Accumulator, Target};
use super::chart::Inflation;
use super::decode::{Form, decode_yaml};
use super::error::{Failure, Reason, Result};
use super::fieldspec::FieldSpec;
use super::kustomization::{GeneratorArgs, Image, Pairs, Patch, PatchOptions, ReplacementField, Replica, Selector};
use super::resource::{Resource, parse_resources};
use super::transform::{self, Side, Subjects};
use super::value_add::ValueTarget;
use super::{generator, patch, replacement, value_add};

/// The fields of all built-in transformers.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Settings {
    metadata: Metadata,
    #[serde(rename = "fieldSpecs")]
    given_specs: Option<Vec<FieldSpec>>,
    prefix: String,
    suffix: String,
    labels: Pairs,
    annotations: Pairs,
    unset_only: bool,
    set_role_binding_subjects: Subjects,
    image_tag: Image,
    replica: Replica,
    target: Option<Selector>,
    path: String,
    patch: String,
    json_op: String,
    options: Option<PatchOptions>,
    paths: Vec<String>,
    patches: String,
    replacements: Vec<ReplacementField>,
    value: String,
    targets: Vec<ValueTarget>,
    target_file_path: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    namespace: String,
}

/// The configurations that entries hold inline or name as files or bases; every one is of a built-in kind.
pub(super) fn load(target: &Target<'_, '_, '_>, entries: &[String]) -> Result<Vec<Resource>> {
    let mut found = Accumulator::default();
    let mut paths = Vec::new();
    for entry in entries {
        match parse_resources(entry) {
            Ok(mut inline) => {
                if let Some(origin) = &target.origin {
                    let origin = origin.append(target.file_name);
                    inline.iter_mut().try_for_each(|resource| origin.mark(resource))?;
                }
                super::resmap::append_all(&mut found.resources, inline)?;
            }
            Err(_) => paths.push(entry.clone()),
        }
    }
    let inline = found.resources.iter().find_map(external);
    if let Some(failure) = inline {
        return Err(failure.within(target.loader.root.child(target.file_name)));
    }
    target.resources(&mut found, &paths)?;
    if let Some(failure) = found.resources.iter().find_map(external) {
        // Which of the entries it is from is asked only now.
        let from = paths.iter().find(|path| {
            let mut one = Accumulator::default();
            let read = target.resources(&mut one, std::slice::from_ref(path));
            read.is_ok() && one.resources.iter().any(|resource| external(resource).is_some())
        });
        return Err(match from {
            Some(path) => failure.within(path),
            None => failure,
        });
    }
    Ok(found.resources)
}

/// Why a configuration does not run here.
fn external(config: &Resource) -> Option<Failure> {
    (config.api_version() != "builtin").then(|| {
        Failure::new(
            Reason::Plugins,
            format!(
                "external plugins disabled; unable to load external plugin '{}': only kinds of apiVersion builtin run here; commit what it \
                 generates instead",
                config.kind()
            ),
        )
    })
}

pub(super) fn decode<T: serde::de::DeserializeOwned>(config: &Resource) -> Result<T> {
    let place = || format!("plugin {} fails configuration", config.id());
    let yaml = config
        .node
        .to_yaml()
        .map_err(|e| Failure::invalid(e.to_string()).within(place()))?;
    decode_yaml(yaml, Form::PLUGIN).map_err(|e| e.within(place()))
}

/// Runs a generator.
pub(super) fn generate(target: &Target<'_, '_, '_>, config: &Resource) -> Result<Vec<Resource>> {
    let kind = match config.kind() {
        "ConfigMapGenerator" => "ConfigMap",
        "SecretGenerator" => "Secret",
        "IAMPolicyGenerator" => return value_add::service_account(decode(config)?),
        "HelmChartInflationGenerator" => return Inflation::of_config(&target.loader, config)?.render(&target.loader),
        _ => return Err(unknown(config)),
    };
    let mut args: GeneratorArgs = decode(config)?;
    config.name().clone_into(&mut args.name);
    config.namespace().clone_into(&mut args.namespace);
    Ok(vec![generator::generate(&target.loader, kind, &args, None)?])
}

fn unknown(config: &Resource) -> Failure {
    Failure::new(Reason::Plugins, format!("unable to load builtin {}", config.id()))
}

/// Runs a transformer.
pub(super) fn transform(target: &Target<'_, '_, '_>, resources: &mut Vec<Resource>, config: &Resource) -> Result<()> {
    let s: Settings = decode(config)?;
    let loader = &target.loader;
    let place = || format!("transformer {}", config.id());
    let specs = s.given_specs.as_deref().unwrap_or_default();
    if s.given_specs.is_none()
        && matches!(
            config.kind(),
            "PrefixTransformer" | "SuffixTransformer" | "PrefixSuffixTransformer"
        )
    {
        return Err(Failure::invalid("fieldSpecs is not expected to be nil").within(place()));
    }
    let done = match config.kind() {
        "NamespaceTransformer" => transform::namespace(
            resources,
            &s.metadata.namespace,
            specs,
            s.unset_only,
            s.set_role_binding_subjects,
        ),
        "PrefixTransformer" => transform::names(resources, Side::Prefix, &s.prefix, specs),
        "SuffixTransformer" => transform::names(resources, Side::Suffix, &s.suffix, specs),
        "PrefixSuffixTransformer" => transform::names(resources, Side::Prefix, &s.prefix, specs)
            .and_then(|()| transform::names(resources, Side::Suffix, &s.suffix, specs)),
        "LabelTransformer" => transform::pairs(resources, &s.labels, specs),
        "AnnotationsTransformer" => transform::pairs(resources, &s.annotations, specs),
        "ImageTagTransformer" => transform::images(resources, &s.image_tag, specs),
        "ReplicaCountTransformer" => transform::replicas(resources, &s.replica, specs),
        "ReplacementTransformer" => replacement::apply_all(loader, resources, &s.replacements),
        "HashTransformer" => resources.iter_mut().try_for_each(generator::add_hash),
        "ValueAddTransformer" => value_add::apply(loader, resources, &s.value, s.targets, &s.target_file_path),
        "PatchTransformer" => {
            let entry = Patch {
                path: s.path,
                patch: s.patch,
                target: s.target,
                options: s.options,
            };
            patch::apply(loader, resources, &entry)
        }
        "PatchJson6902Transformer" => {
            let entry = Patch {
                path: s.path,
                patch: s.json_op,
                target: s.target,
                options: None,
            };
            patch::apply_legacy_json(loader, resources, &entry)
        }
        "PatchStrategicMergeTransformer" => {
            if s.paths.is_empty() && s.patches.is_empty() {
                return Err(Failure::invalid("empty file path and empty patch content").within(place()));
            }
            patch::apply_legacy_merges(loader, resources, &s.paths, &s.patches)
        }
        _ => return Err(unknown(config)),
    };
    done.map_err(|e| e.within(place()))
}
