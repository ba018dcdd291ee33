//! The fields of a kustomization file that is edited, in the one spelling that Kustomize writes.

use pintle_yaml::Yaml;

pub(super) fn without_nulls(yaml: Yaml) -> Yaml {
    match yaml {
        Yaml::Map(fields) => Yaml::Map(
            fields
                .into_iter()
                .filter(|(_, v)| *v != Yaml::Null)
                .map(|(k, v)| (k, without_nulls(v)))
                .collect(),
        ),
        Yaml::Seq(items) => Yaml::Seq(items.into_iter().map(without_nulls).collect()),
        other => other,
    }
}

/// Fields in more than lower case. Go's decoder does not tell cases apart.
const FIELDS: &[&str] = &[
    "apiVersion",
    "namePrefix",
    "nameSuffix",
    "commonLabels",
    "commonAnnotations",
    "patchesStrategicMerge",
    "patchesJson6902",
    "imageTags",
    "sortOptions",
    "configMapGenerator",
    "secretGenerator",
    "helmGlobals",
    "helmCharts",
    "helmChartInflationGenerator",
    "generatorOptions",
    "buildMetadata",
    "includeSelectors",
    "includeTemplates",
    "annotationSelector",
    "labelSelector",
    "allowNameChange",
    "allowKindChange",
    "newName",
    "newTag",
    "tagSuffix",
    "sourceValue",
    "fieldPath",
    "fieldPaths",
    "legacySortOptions",
    "orderFirst",
    "orderLast",
    "disableNameSuffixHash",
];
/// Fields whose own keys are data.
pub(super) const FREE: &[&str] = &[
    "commonLabels",
    "commonAnnotations",
    "pairs",
    "labels",
    "annotations",
    "openapi",
    "metadata",
    "helmGlobals",
    "helmCharts",
    "helmChartInflationGenerator",
];

/// Gives fields the spelling that the types know.
pub(super) fn spell_fields(yaml: &mut Yaml) {
    match yaml {
        Yaml::Map(fields) => {
            for (key, value) in fields.iter_mut() {
                if let Some(known) = FIELDS.iter().find(|f| f.eq_ignore_ascii_case(key)) {
                    (*known).clone_into(key);
                } else if key.bytes().any(|b| b.is_ascii_uppercase()) {
                    let lower = key.to_ascii_lowercase();
                    if LOWER.contains(&lower.as_str()) {
                        *key = lower;
                    }
                }
                if !FREE.contains(&key.as_str()) || matches!(value, Yaml::Seq(_)) && !key.starts_with("helm") {
                    spell_fields(value);
                }
            }
            // Of two spellings of one field the last one counts.
            let mut seen = std::collections::HashSet::new();
            fields.reverse();
            fields.retain(|(key, _)| seen.insert(key.clone()));
            fields.reverse();
        }
        Yaml::Seq(items) => items.iter_mut().for_each(spell_fields),
        _ => {}
    }
}

/// Fields in lower case that may be met in another one.
const LOWER: &[&str] = &[
    "kind",
    "namespace",
    "resources",
    "bases",
    "components",
    "patches",
    "images",
    "replicas",
    "replacements",
    "configurations",
    "crds",
    "vars",
    "labels",
    "openapi",
    "name",
    "path",
    "patch",
    "target",
    "options",
    "literals",
    "files",
    "envs",
    "env",
    "type",
    "behavior",
    "objref",
    "fieldref",
    "digest",
    "count",
];
