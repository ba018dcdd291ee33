//! The kustomization file: its fields, strictly read.

use std::collections::BTreeMap;

use pintle_yaml::Yaml;
use serde::Deserialize;

use super::chart::{HelmChart, HelmGlobals, OldHelmChart};
use super::decode::{Form, decode_yaml, folded};
use super::error::{Failure, Reason, Result};
use super::id::Gvk;

/// Labels or annotations.
pub(super) type Pairs = BTreeMap<String, String>;

/// A kustomization or component.
#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Kustomization {
    pub api_version: String,
    pub kind: String,
    pub metadata: Option<Metadata>,
    pub openapi: BTreeMap<String, String>,
    pub name_prefix: String,
    pub name_suffix: String,
    pub namespace: String,
    pub common_labels: Pairs,
    pub labels: Vec<Label>,
    pub common_annotations: Pairs,
    pub patches_strategic_merge: Vec<String>,
    pub patches_json6902: Vec<Patch>,
    pub patches: Vec<Patch>,
    pub images: Vec<Image>,
    pub image_tags: Vec<Image>,
    pub replacements: Vec<ReplacementField>,
    pub replicas: Vec<Replica>,
    pub vars: Vec<Var>,
    pub sort_options: Option<SortOptions>,
    pub resources: Vec<String>,
    pub components: Vec<String>,
    pub crds: Vec<String>,
    pub bases: Vec<String>,
    pub config_map_generator: Vec<GeneratorArgs>,
    pub secret_generator: Vec<GeneratorArgs>,
    pub helm_globals: Option<HelmGlobals>,
    pub helm_charts: Vec<HelmChart>,
    pub helm_chart_inflation_generator: Vec<OldHelmChart>,
    pub generator_options: Option<GeneratorOptions>,
    pub configurations: Vec<String>,
    pub generators: Vec<String>,
    pub transformers: Vec<String>,
    pub validators: Vec<String>,
    pub build_metadata: Vec<String>,
    /// Whether any field says something besides what the file is: also that a list is empty.
    #[serde(skip)]
    pub says_something: bool,
}

/// Whether a file says more than what it is. An empty list or map in it does, but for those of older spellings, which are moved entry by entry.
fn says_something(yaml: &Yaml) -> bool {
    let Yaml::Map(fields) = yaml else { return false };
    let mut written: Vec<_> = fields.iter().collect();
    written.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut said = BTreeMap::new();
    for (key, value) in written {
        let field = folded(key);
        let says = match (field.as_str(), value) {
            ("apiversion" | "kind", _) => false,
            ("bases" | "imagetags" | "helmchartinflationgenerator", Yaml::Seq(items)) => !items.is_empty(),
            (_, Yaml::String(text)) => !text.is_empty(),
            // In another spelling of the field it takes a list or map away.
            (_, Yaml::Null) => said.get(&field).is_some_and(|(text, says)| *text && *says),
            _ => true,
        };
        said.insert(field, (matches!(value, Yaml::String(_) | Yaml::Null), says));
    }
    said.values().any(|(_, says)| *says)
}

/// What says nothing to a build.
#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Metadata {
    pub name: String,
    pub namespace: String,
    pub labels: Pairs,
    pub annotations: Pairs,
}

#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Label {
    pub pairs: Pairs,
    pub include_selectors: bool,
    pub include_templates: bool,
    #[serde(rename = "fields")]
    pub field_specs: Vec<super::fieldspec::FieldSpec>,
}

#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Selector {
    pub group: String,
    pub version: String,
    pub kind: String,
    pub name: String,
    pub namespace: String,
    pub annotation_selector: String,
    pub label_selector: String,
}

#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Patch {
    pub path: String,
    pub patch: String,
    pub target: Option<Selector>,
    pub options: Option<PatchOptions>,
}

#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PatchOptions {
    pub allow_name_change: bool,
    pub allow_kind_change: bool,
}

#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Image {
    pub name: String,
    pub new_name: String,
    pub tag_suffix: String,
    pub new_tag: String,
    pub digest: String,
}

#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Replica {
    pub name: String,
    pub count: i64,
}

#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ReplacementField {
    pub path: String,
    pub source: Option<Source>,
    pub targets: Option<Vec<Target>>,
    pub source_value: Option<String>,
}

#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Source {
    pub group: String,
    pub version: String,
    pub kind: String,
    pub name: String,
    pub namespace: String,
    pub field_path: String,
    pub options: Option<FieldOptions>,
}

#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Target {
    pub select: Option<Selector>,
    pub reject: Vec<Selector>,
    pub field_paths: Vec<String>,
    pub options: Option<FieldOptions>,
}

#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct FieldOptions {
    pub delimiter: String,
    pub index: i64,
    pub encoding: String,
    pub create: bool,
}

#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Var {
    pub name: String,
    pub objref: ObjRef,
    pub fieldref: FieldRef,
}

#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ObjRef {
    pub api_version: String,
    pub group: String,
    pub version: String,
    pub kind: String,
    pub name: String,
    pub namespace: String,
}

impl ObjRef {
    pub fn gvk(&self) -> Gvk {
        if self.api_version.is_empty() {
            Gvk {
                group: self.group.clone(),
                version: self.version.clone(),
                kind: self.kind.clone(),
                ..Gvk::default()
            }
        } else {
            let mut gvk = Gvk::parse(&self.api_version, &self.kind);
            if gvk.group.is_empty() {
                gvk.group.clone_from(&self.group);
            }
            gvk
        }
    }
}

#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct FieldRef {
    pub field_path: String,
}

#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct SortOptions {
    pub order: String,
    pub legacy_sort_options: Option<LegacySortOptions>,
}

#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct LegacySortOptions {
    pub order_first: Vec<String>,
    pub order_last: Vec<String>,
}

/// Arguments of both generators; `type` is the Secret's.
#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct GeneratorArgs {
    pub name: String,
    pub namespace: String,
    pub behavior: String,
    #[serde(rename = "type")]
    pub secret_type: String,
    pub literals: Vec<String>,
    pub files: Vec<String>,
    pub envs: Vec<String>,
    pub env: String,
    pub options: Option<GeneratorOptions>,
}

#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct GeneratorOptions {
    pub labels: Pairs,
    pub annotations: Pairs,
    pub disable_name_suffix_hash: bool,
    pub immutable: bool,
}

impl GeneratorOptions {
    /// The options of one generator with those of the whole file: its own labels and annotations win.
    pub fn merged(local: Option<&Self>, global: Option<&Self>) -> Self {
        let mut out = local.cloned().unwrap_or_default();
        if let Some(global) = global {
            for (mine, theirs) in [
                (&mut out.labels, &global.labels),
                (&mut out.annotations, &global.annotations),
            ] {
                for (key, value) in theirs {
                    mine.entry(key.clone()).or_insert_with(|| value.clone());
                }
            }
            out.disable_name_suffix_hash |= global.disable_name_suffix_hash;
            out.immutable |= global.immutable;
        }
        out
    }
}

/// Kinds and versions of the two files.
const KUSTOMIZATION: (&str, &str) = ("Kustomization", "kustomize.config.k8s.io/v1beta1");
const COMPONENT: (&str, &str) = ("Component", "kustomize.config.k8s.io/v1alpha1");

impl Kustomization {
    /// Reads a kustomization file; older spellings are moved to the newer ones.
    pub fn read(text: &str) -> Result<Self> {
        let yaml =
            pintle_yaml::parse(text).map_err(|e| Failure::invalid(e.to_string()).within("invalid Kustomization"))?;
        let says_something = says_something(&yaml);
        let mut k: Self = decode_yaml(yaml, Form::KUSTOMIZATION).map_err(|e| e.within("invalid Kustomization"))?;
        k.says_something = says_something;
        k.fix();
        Ok(k)
    }

    /// Fails for a kustomization that says nothing, or is of another kind.
    pub fn check(&self) -> Result<()> {
        let empty = Self {
            api_version: self.api_version.clone(),
            kind: self.kind.clone(),
            ..Self::default()
        };
        if *self == empty {
            return Err(Failure::new(Reason::Empty, "kustomization.yaml is empty"));
        }
        let version = match self.kind.as_str() {
            kind if kind == KUSTOMIZATION.0 => KUSTOMIZATION.1,
            kind if kind == COMPONENT.0 => COMPONENT.1,
            _ => return Err(Failure::invalid("kind should be Kustomization or Component")),
        };
        if self.api_version != version {
            return Err(Failure::invalid(format!(
                "apiVersion for {} should be {version}",
                self.kind
            )));
        }
        Ok(())
    }

    pub fn is_component(&self) -> bool {
        self.kind == COMPONENT.0
    }

    fn fix(&mut self) {
        if self.kind.is_empty() {
            KUSTOMIZATION.0.clone_into(&mut self.kind);
        }
        if self.api_version.is_empty() {
            let version = if self.is_component() {
                COMPONENT.1
            } else {
                KUSTOMIZATION.1
            };
            version.clone_into(&mut self.api_version);
        }
        self.resources.append(&mut self.bases);
        self.images.append(&mut self.image_tags);
        for args in self.config_map_generator.iter_mut().chain(&mut self.secret_generator) {
            if !args.env.is_empty() {
                args.envs.push(std::mem::take(&mut args.env));
            }
        }
        for replacement in &mut self.replacements {
            // It goes on to a plugin as text, in which an empty list is left out.
            replacement.targets = replacement.targets.take().filter(|targets| !targets.is_empty());
        }
        let mut globals = HelmGlobals::default();
        for old in self.helm_chart_inflation_generator.drain(..) {
            self.helm_charts.push(old.split(&mut globals));
        }
        if self.helm_globals.is_none() && globals != HelmGlobals::default() {
            self.helm_globals = Some(globals);
        }
    }
}
