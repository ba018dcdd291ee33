//! The rules of the transformers: built-in field specs, and those of `configurations`.

use std::ops::Deref;
use std::sync::{Arc, LazyLock};

use serde::Deserialize;

use super::decode::{Form, decode};
use super::error::{Failure, Result};
use super::fieldspec::{FieldSpec, merge_all};
use super::id::Gvk;

/// Which fields hold the name of an object of this kind.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(from = "Written")]
pub(super) struct BackReference {
    pub gvk: Gvk,
    pub referrers: Vec<FieldSpec>,
}

/// As it stands in a file.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Written {
    group: String,
    version: String,
    kind: String,
    field_specs: Vec<FieldSpec>,
}

impl From<Written> for BackReference {
    fn from(written: Written) -> Self {
        Self {
            gvk: Gvk::new(written.group, written.version, written.kind),
            referrers: written.field_specs,
        }
    }
}

/// The field specs of every transformer.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Config {
    pub name_prefix: Vec<FieldSpec>,
    pub name_suffix: Vec<FieldSpec>,
    pub namespace: Vec<FieldSpec>,
    pub common_labels: Vec<FieldSpec>,
    pub labels: Vec<FieldSpec>,
    pub template_labels: Vec<FieldSpec>,
    pub common_annotations: Vec<FieldSpec>,
    pub name_reference: Vec<BackReference>,
    pub var_reference: Vec<FieldSpec>,
    pub images: Vec<FieldSpec>,
    pub replicas: Vec<FieldSpec>,
}

/// Kinds in the order that Kustomize sorts its rules and, by default, its output; the others stand between the two ends.
pub(super) const ORDER_FIRST: &[&str] = &[
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];
/// The kinds that come last.
pub(super) const ORDER_LAST: &[&str] = &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// Places by kind: negative for the first ones, positive for the last ones.
pub(super) fn places<'k>(first: &[&'k str], last: &[&'k str]) -> Vec<(&'k str, i64)> {
    let count = first.len() as i64;
    let first = first.iter().enumerate().map(|(i, kind)| (*kind, i as i64 - count));
    let last = last.iter().enumerate().map(|(i, kind)| (*kind, 1 + i as i64));
    // A kind in both lists counts as a last one.
    last.chain(first).collect()
}

static NONE: LazyLock<Arc<Config>> = LazyLock::new(Arc::default);
static BUILTIN: LazyLock<Arc<Config>> =
    LazyLock::new(|| Arc::new(read_table(include_str!("../../schema/kustomize-fields.txt"))));

/// Rules that are shared until somebody adds to them, which few kustomizations do.
#[derive(Clone)]
pub(super) struct Rules(Arc<Config>);

impl Default for Rules {
    fn default() -> Self {
        Self(NONE.clone())
    }
}

impl Deref for Rules {
    type Target = Config;

    fn deref(&self) -> &Config {
        &self.0
    }
}

impl From<Config> for Rules {
    fn from(config: Config) -> Self {
        Self(Arc::new(config))
    }
}

impl Rules {
    /// The rules built into Kustomize.
    pub fn builtin() -> Self {
        Self(BUILTIN.clone())
    }

    /// Adds the rules of another set.
    pub fn merge(&mut self, more: &Self) -> Result<()> {
        let is = |rules: &Self, known: &Arc<Config>| Arc::ptr_eq(&rules.0, known);
        if is(more, &NONE) || is(self, &BUILTIN) && is(more, &BUILTIN) {
            return Ok(());
        }
        if is(self, &NONE) && is(more, &BUILTIN) {
            self.clone_from(more);
            return Ok(());
        }
        Arc::make_mut(&mut self.0).merge(&more.0)
    }
}

fn read_table(text: &str) -> Config {
    let mut config = Config::default();
    let part = |text: &str| if text == "-" { String::new() } else { text.to_owned() };
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        let (section, target, rest) = match words.as_slice() {
            [section @ "nameReference", g, v, k, rest @ ..] => (*section, Some([*g, *v, *k]), rest),
            [section, rest @ ..] => (*section, None, rest),
            [] => continue,
        };
        let [group, version, kind, path, create] = rest else {
            continue;
        };
        let spec = FieldSpec {
            gvk: Gvk {
                group: part(group),
                version: part(version),
                kind: part(kind),
                ..Gvk::default()
            },
            path: (*path).to_owned(),
            create: *create == "create",
        };
        let list = match section {
            "namePrefix" => &mut config.name_prefix,
            "nameSuffix" => &mut config.name_suffix,
            "namespace" => &mut config.namespace,
            "commonLabels" => &mut config.common_labels,
            "templateLabels" => &mut config.template_labels,
            "commonAnnotations" => &mut config.common_annotations,
            "varReference" => &mut config.var_reference,
            "images" => &mut config.images,
            "replicas" => &mut config.replicas,
            _ => {
                let [g, v, k] = target.unwrap_or_default();
                let gvk = Gvk {
                    group: part(g),
                    version: part(v),
                    kind: part(k),
                    ..Gvk::default()
                };
                match config.name_reference.iter_mut().find(|r| r.gvk == gvk) {
                    Some(same) => same.referrers.push(spec),
                    None => config.name_reference.push(BackReference {
                        gvk,
                        referrers: vec![spec],
                    }),
                }
                continue;
            }
        };
        list.push(spec);
    }
    config.sort();
    config
}

impl Config {
    /// Reads a file of `configurations`.
    pub fn parse(text: &str) -> Result<Self> {
        let mut config: Self = decode(text, Form::CONFIGURATION)?;
        config.sort();
        Ok(config)
    }

    /// Adds the rules of another set.
    pub fn merge(&mut self, more: &Self) -> Result<()> {
        for (mine, theirs, name) in [
            (&mut self.name_prefix, &more.name_prefix, "namePrefix"),
            (&mut self.name_suffix, &more.name_suffix, "nameSuffix"),
            (&mut self.namespace, &more.namespace, "namespace"),
            (
                &mut self.common_annotations,
                &more.common_annotations,
                "commonAnnotations",
            ),
            (&mut self.common_labels, &more.common_labels, "commonLabels"),
            (&mut self.labels, &more.labels, "labels"),
            (&mut self.template_labels, &more.template_labels, "templateLabels"),
            (&mut self.var_reference, &more.var_reference, "varReference"),
            (&mut self.images, &more.images, "images"),
            (&mut self.replicas, &more.replicas, "replicas"),
        ] {
            merge_all(mine, theirs).map_err(|e: Failure| e.within(name))?;
        }
        for reference in &more.name_reference {
            let mut found = false;
            for mine in self.name_reference.iter_mut().filter(|r| r.gvk == reference.gvk) {
                merge_all(&mut mine.referrers, &reference.referrers).map_err(|e| e.within("nameReference"))?;
                found = true;
            }
            if !found {
                self.name_reference.push(reference.clone());
            }
        }
        self.sort();
        Ok(())
    }

    fn sort(&mut self) {
        let order = places(ORDER_FIRST, ORDER_LAST);
        for list in [
            &mut self.name_prefix,
            &mut self.name_suffix,
            &mut self.namespace,
            &mut self.common_labels,
            &mut self.labels,
            &mut self.template_labels,
            &mut self.common_annotations,
            &mut self.var_reference,
            &mut self.images,
            &mut self.replicas,
        ] {
            list.sort_by_cached_key(|spec| spec.gvk.sort_key(&order));
        }
        self.name_reference.sort_by_cached_key(|r| r.gvk.sort_key(&order));
    }
}

#[cfg(test)]
mod tests {
    use super::{BUILTIN, Config, Rules};

    #[test]
    fn what_is_taken_over_whole_is_what_merging_would_give() {
        let mut merged = Config::default();
        merged.merge(&BUILTIN).unwrap();
        assert_eq!(merged, **BUILTIN);
        merged.merge(&BUILTIN).unwrap();
        assert_eq!(merged, **BUILTIN);
        let mut rules = Rules::default();
        rules.merge(&Rules::builtin()).unwrap();
        assert_eq!(*rules, **BUILTIN);
        rules.merge(&Rules::default()).unwrap();
        assert_eq!(*rules, **BUILTIN);
    }

    #[test]
    fn rules_that_are_added_stay_with_who_added_them() {
        let more = Config::parse("namePrefix:\n- path: spec/title\n  kind: Book\n").unwrap();
        let mut rules = Rules::builtin();
        rules.merge(&more.clone().into()).unwrap();
        assert!(rules.name_prefix.iter().any(|spec| spec.path == "spec/title"));
        assert!(
            Rules::builtin()
                .name_prefix
                .iter()
                .all(|spec| spec.path != "spec/title")
        );
        assert_eq!(rules.images, BUILTIN.images);
    }
}
