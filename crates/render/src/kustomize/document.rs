//! `kustomize edit` of a file: its text with one thing changed, fields and comments in the order that Kustomize leaves them in.
//!
//! Kustomize writes the whole file anew: fields in the order of the file, then new ones in an order of its own, each with the comments that
//! stood before it. Comments inside a field move in front of it; those behind the last field go.

use std::collections::BTreeMap;

use pintle_yaml::Yaml;

use super::edit::{self, Annotations, Labels};
use super::error::{Failure, Reason, Result};
use super::kustomization::{Image, Kustomization, Replica};
use super::spelling::{FREE, spell_fields, without_nulls};
use crate::helm::matcher;

/// One `kustomize edit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileEdit {
    /// `set nameprefix`.
    NamePrefix(String),
    /// `set namesuffix`.
    NameSuffix(String),
    /// `set namespace`.
    Namespace(String),
    /// `set image`, as [`super::Edits::images`].
    Images(Vec<String>),
    /// `set replicas`: names and counts.
    Replicas(Vec<(String, i64)>),
    /// `set label`: what is there is overwritten.
    SetLabels(BTreeMap<String, String>),
    /// `set annotation`: what is there is overwritten.
    SetAnnotations(BTreeMap<String, String>),
    /// `add label`.
    AddLabels(Labels),
    /// `add annotation`.
    AddAnnotations(Annotations),
    /// `add resource`: each once.
    AddResources(Vec<String>),
    /// `remove resource`: patterns of Go's `filepath.Match` for entries.
    RemoveResources(Vec<String>),
    /// `add component`: each once.
    AddComponents(Vec<String>),
}

/// Where new fields go.
const ORDER: [&str; 32] = [
    "apiVersion",
    "kind",
    "metadata",
    "sortOptions",
    "resources",
    "bases",
    "namePrefix",
    "nameSuffix",
    "namespace",
    "crds",
    "commonLabels",
    "labels",
    "commonAnnotations",
    "patchesStrategicMerge",
    "patchesJson6902",
    "patches",
    "configMapGenerator",
    "secretGenerator",
    "helmCharts",
    "helmChartInflationGenerator",
    "helmGlobals",
    "generatorOptions",
    "vars",
    "images",
    "replacements",
    "replicas",
    "configurations",
    "generators",
    "transformers",
    "validators",
    "components",
    "openapi",
];
/// The last of them.
const LAST: &str = "buildMetadata";

/// Changes one thing in the text of a kustomization file.
pub fn edit_file(text: &str, edit: &FileEdit) -> std::result::Result<String, Failure> {
    let mut k = Kustomization::read(text)?;
    let mut file = Document::read(text, &k)?;
    match edit {
        FileEdit::NamePrefix(value) => file.put("namePrefix", Yaml::String(value.clone())),
        FileEdit::NameSuffix(value) => file.put("nameSuffix", Yaml::String(value.clone())),
        FileEdit::Namespace(value) => file.put("namespace", Yaml::String(value.clone())),
        FileEdit::Images(edits) => {
            edit::images(&mut k.images, edits)?;
            file.put("images", Yaml::Seq(k.images.iter().map(image).collect()));
        }
        FileEdit::Replicas(edits) => {
            edit::replicas(&mut k.replicas, edits)?;
            file.put("replicas", Yaml::Seq(k.replicas.iter().map(replica).collect()));
        }
        FileEdit::SetLabels(pairs) => file.add_pairs("commonLabels", pairs, true, "label")?,
        FileEdit::SetAnnotations(pairs) => file.add_pairs("commonAnnotations", pairs, true, "annotation")?,
        FileEdit::AddLabels(labels) => {
            edit::labels(&mut k, labels)?;
            if labels.without_selector {
                file.put("labels", Yaml::Seq(k.labels.iter().map(label).collect()));
            } else {
                file.put("commonLabels", pairs(&k.common_labels));
            }
        }
        FileEdit::AddAnnotations(a) => file.add_pairs("commonAnnotations", &a.pairs, a.force, "annotation")?,
        FileEdit::AddResources(paths) => file.put("resources", list(&mut k.resources, paths)),
        FileEdit::AddComponents(paths) => file.put("components", list(&mut k.components, paths)),
        FileEdit::RemoveResources(patterns) => {
            for pattern in patterns {
                matcher::check(pattern).map_err(|e| Failure::invalid(format!("{pattern}: {e}")))?;
            }
            let before = k.resources.len();
            k.resources
                .retain(|path| !patterns.iter().any(|p| matcher::matches(p, path)));
            if k.resources.len() == before {
                return Ok(text.to_owned());
            }
            file.put("resources", list(&mut k.resources, &[]));
        }
    }
    file.print(text)
}

fn list(paths: &mut Vec<String>, more: &[String]) -> Yaml {
    for path in more {
        if !paths.contains(path) {
            paths.push(path.clone());
        }
    }
    Yaml::Seq(paths.iter().cloned().map(Yaml::String).collect())
}

fn map(fields: Vec<(&str, Yaml)>) -> Yaml {
    let mut fields: Vec<(String, Yaml)> = fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    Yaml::Map(fields)
}

fn pairs(pairs: &BTreeMap<String, String>) -> Yaml {
    Yaml::Map(
        pairs
            .iter()
            .map(|(k, v)| (k.clone(), Yaml::String(v.clone())))
            .collect(),
    )
}

fn image(image: &Image) -> Yaml {
    let fields = [
        ("name", &image.name),
        ("newName", &image.new_name),
        ("tagSuffix", &image.tag_suffix),
        ("newTag", &image.new_tag),
        ("digest", &image.digest),
    ];
    map(fields.map(|(k, v)| (k, Yaml::String(v.clone()))).into())
}

fn replica(replica: &Replica) -> Yaml {
    map(vec![
        ("name", Yaml::String(replica.name.clone())),
        ("count", Yaml::Int(replica.count)),
    ])
}

fn label(label: &super::kustomization::Label) -> Yaml {
    let specs = label.field_specs.iter().map(|spec| {
        map(vec![
            ("group", Yaml::String(spec.gvk.group.clone())),
            ("version", Yaml::String(spec.gvk.version.clone())),
            ("kind", Yaml::String(spec.gvk.kind.clone())),
            ("path", Yaml::String(spec.path.clone())),
            ("create", Yaml::Bool(spec.create)),
        ])
    });
    map(vec![
        ("pairs", pairs(&label.pairs)),
        ("includeSelectors", Yaml::Bool(label.include_selectors)),
        ("includeTemplates", Yaml::Bool(label.include_templates)),
        ("fields", Yaml::Seq(specs.collect())),
    ])
}

/// The fields of a file, under the names that Kustomize writes.
struct Document(BTreeMap<String, Yaml>);

impl Document {
    /// Reads the fields, older spellings moved to the newer ones as in `k`.
    fn read(text: &str, k: &Kustomization) -> Result<Self> {
        let yaml = pintle_yaml::parse(text).map_err(|e| Failure::invalid(e.to_string()))?;
        let mut yaml = without_nulls(yaml);
        spell_fields(&mut yaml);
        let fields = match yaml {
            Yaml::Map(fields) => fields.into_iter().collect(),
            _ => BTreeMap::new(),
        };
        let mut file = Self(fields);
        if file.0.contains_key("helmChartInflationGenerator") {
            return Err(Failure::new(
                Reason::Unsupported,
                "helmChartInflationGenerator cannot be edited by this version: write helmCharts instead",
            ));
        }
        for (old, new) in [("bases", "resources"), ("imageTags", "images")] {
            if let Some(Yaml::Seq(moved)) = file.0.remove(old) {
                match file.0.entry(new.to_owned()).or_insert(Yaml::Seq(Vec::new())) {
                    Yaml::Seq(items) => items.extend(moved),
                    other => *other = Yaml::Seq(moved),
                }
            }
        }
        if let Some(Yaml::Seq(vars)) = file.0.get_mut("vars") {
            for var in vars {
                let Yaml::Map(fields) = var else { continue };
                for field in ["fieldref", "objref"] {
                    if fields.iter().all(|(key, _)| key != field) {
                        fields.push((field.to_owned(), Yaml::Map(Vec::new())));
                    }
                }
                fields.sort_by(|a, b| a.0.cmp(&b.0));
            }
        }
        for field in ["configMapGenerator", "secretGenerator"] {
            let Some(Yaml::Seq(items)) = file.0.get_mut(field) else {
                continue;
            };
            for item in items {
                let Yaml::Map(fields) = item else { continue };
                let Some(at) = fields.iter().position(|(key, _)| key == "env") else {
                    continue;
                };
                let (_, env) = fields.remove(at);
                match fields.iter_mut().find(|(key, _)| key == "envs") {
                    Some((_, Yaml::Seq(envs))) => envs.push(env),
                    _ => fields.push(("envs".into(), Yaml::Seq(vec![env]))),
                }
                fields.sort_by(|a, b| a.0.cmp(&b.0));
            }
        }
        file.put("kind", Yaml::String(k.kind.clone()));
        file.put("apiVersion", Yaml::String(k.api_version.clone()));
        Ok(file)
    }

    fn put(&mut self, field: &str, value: Yaml) {
        self.0.insert(field.to_owned(), value);
    }

    fn add_pairs(&mut self, field: &str, more: &BTreeMap<String, String>, force: bool, what: &str) -> Result<()> {
        let mut all = BTreeMap::new();
        if let Some(Yaml::Map(fields)) = self.0.get(field) {
            for (key, value) in fields {
                if let Yaml::String(value) = value {
                    all.insert(key.clone(), value.clone());
                }
            }
        }
        edit::add_pairs(&mut all, more, force, what)?;
        self.put(field, pairs(&all));
        Ok(())
    }

    fn print(&self, before: &str) -> Result<String> {
        let known = || ORDER.iter().copied().chain([LAST]);
        let written = original_fields(before, &known().collect::<Vec<_>>());
        let mut out = String::new();
        for (field, comment) in &written {
            out.push_str(comment);
            self.print_field(field, &mut out);
        }
        for field in known().filter(|field| written.iter().all(|(w, _)| w != field)) {
            self.print_field(field, &mut out);
        }
        Ok(out)
    }

    fn print_field(&self, field: &str, out: &mut String) {
        let Some(value) = self.0.get(field) else { return };
        let value = prune(value, is_data(field));
        let is_there = matches!(value, Yaml::Map(_)) && REFERENCES.contains(&field);
        if is_there || !is_empty(&value) {
            out.push_str(&pintle_yaml::to_string(&Yaml::Map(vec![(field.to_owned(), value)])));
        }
    }
}

fn is_empty(yaml: &Yaml) -> bool {
    match yaml {
        Yaml::Null | Yaml::Bool(false) | Yaml::Int(0) => true,
        Yaml::String(text) => text.is_empty(),
        Yaml::Seq(items) => items.is_empty(),
        Yaml::Map(fields) => fields.is_empty(),
        _ => false,
    }
}

/// Whether the keys below a field are data. Those of `metadata` are fields, of which two hold data.
fn is_data(field: &str) -> bool {
    FREE.contains(&field) && field != "metadata"
}

/// Fields that Go holds by reference: only what is absent is left out, and an empty one stays.
const REFERENCES: [&str; 11] = [
    "fieldref",
    "objref",
    "options",
    "source",
    "select",
    "target",
    "sortOptions",
    "legacySortOptions",
    "generatorOptions",
    "metadata",
    "helmGlobals",
];

/// Drops what Go leaves out when it writes: fields that say nothing. Keys that are data stay, whatever they hold.
fn prune(yaml: &Yaml, free: bool) -> Yaml {
    match yaml {
        Yaml::Map(_) if free => yaml.clone(),
        Yaml::Map(fields) => {
            let pruned = fields.iter().map(|(k, v)| (k.clone(), prune(v, is_data(k))));
            let is_there = |key: &str, value: &Yaml| matches!(value, Yaml::Map(_)) && REFERENCES.contains(&key);
            // A count of nothing is a count.
            Yaml::Map(
                pruned
                    .filter(|(k, v)| k == "count" || is_there(k, v) || !is_empty(v))
                    .collect(),
            )
        }
        Yaml::Seq(items) => Yaml::Seq(items.iter().map(|item| prune(item, false)).collect()),
        other => other.clone(),
    }
}

/// The fields in the order of the file, each with the comments and blank lines that go before it.
fn original_fields<'f>(text: &str, known: &[&'f str]) -> Vec<(&'f str, String)> {
    let mut fields: Vec<(&str, String)> = Vec::new();
    let mut comments = String::new();
    // A last line without an end is not looked at.
    for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
        let content = line.trim_start_matches(' ').trim_end_matches('\n');
        if content.is_empty() || content.starts_with('#') {
            comments.push_str(line);
            continue;
        }
        let name = line.split_once(':').map(|(name, _)| name);
        match known
            .iter()
            .find(|field| name.is_some_and(|n| n.eq_ignore_ascii_case(field)))
        {
            Some(field) => fields.push((*field, std::mem::take(&mut comments))),
            None => {
                if let Some((_, comment)) = fields.last_mut() {
                    comment.push_str(&std::mem::take(&mut comments));
                }
            }
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str =
        "# about\nnamePrefix: a-\n\n# what\nresources:\n- b.yaml\n# inside\n- c.yaml\nbases: [../base]\n# end\n";

    #[test]
    fn order_and_comments_are_as_kustomize_leaves_them() {
        let edited = edit_file(FILE, &FileEdit::Namespace("prod".into())).expect("it is edited");
        let expected = "# about\nnamePrefix: a-\n\n# what\n# inside\nresources:\n- b.yaml\n- c.yaml\n- ../base\napiVersion: \
                        kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: prod\n";
        assert_eq!(edited, expected);
    }

    #[test]
    fn what_is_there_is_met_as_the_command_says() {
        let edit =
            |text: &str, edit: FileEdit| edit_file(text, &edit).unwrap_or_else(|e| format!("{:?}: {e}", e.reason));
        let removed = edit(FILE, FileEdit::RemoveResources(vec!["*.yaml".into()]));
        assert!(removed.contains("resources:\n- ../base\n"), "{removed}");
        assert_eq!(edit(FILE, FileEdit::RemoveResources(vec!["x".into()])), FILE);
        let images = edit(
            "images: [{name: x, newTag: '1'}]\n",
            FileEdit::Images(vec!["x:2".into(), "a@sha256:b".into()]),
        );
        assert!(
            images.starts_with("images:\n- digest: sha256:b\n  name: a\n- name: x\n  newTag: \"2\"\n"),
            "{images}"
        );
        let labels = Labels {
            pairs: BTreeMap::from([("a".into(), "b".into())]),
            ..Labels::default()
        };
        assert!(edit("commonLabels: {a: c}\n", FileEdit::AddLabels(labels)).starts_with("Conflict: label a already"));
    }
}
