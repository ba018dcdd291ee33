//! The renderer under test, asked as the oracle is.

use std::collections::BTreeMap;

use pintle_model::tree::{MemoryTree, Reader, TreePath};
use pintle_render::kustomize::{
    Annotations, Built, Edits, FileEdit, Labels, Options, PatchEdit, PatchTarget, Reason, build, edit_file,
};
use serde_json::Value;

use super::{Answer, Case};

/// What the renderer makes of a case. What it says it does not do is [`Answer::Nothing`].
pub fn ours(case: &Case) -> Answer {
    let mut tree = MemoryTree::new();
    for (path, text) in &case.files {
        let Ok(path) = TreePath::new(path) else {
            return Answer::Nothing(format!("{path:?} is no path"));
        };
        tree = tree.with_file(path, text.as_bytes());
    }
    let Ok(path) = TreePath::new(&case.path) else {
        return Answer::Nothing(format!("{:?} is no path", case.path));
    };
    if case.show {
        return shown(case);
    }
    let edits = match edits(case) {
        Ok(edits) => edits,
        Err(why) => return Answer::Nothing(why),
    };
    let options = Options {
        load_anywhere: case.load_anywhere,
        keep_order: case.keep_order,
        edits,
        ..Options::default()
    };
    match build(&Reader::new(&tree), &path, &options) {
        Built::Ok { text, .. } => Answer::Output(text),
        Built::Needs(needs) => Answer::Error(format!("needs {needs:?}")),
        Built::Failed(failure) if failure.reason == Reason::Unsupported => Answer::Nothing(failure.to_string()),
        Built::Failed(failure) => Answer::Error(format!("{:?}: {failure}", failure.reason)),
    }
}

/// The kustomization file after the edits.
fn shown(case: &Case) -> Answer {
    let path = format!("{}/kustomization.yaml", case.path);
    let Some(mut text) = case.files.get(&path).cloned() else {
        return Answer::Nothing(format!("no {path}"));
    };
    for command in &case.edits {
        let one = Case {
            edits: vec![command.clone()],
            ..Case::default()
        };
        let edits = match edits(&one) {
            Ok(edits) => edits,
            Err(why) => return Answer::Nothing(why),
        };
        let edit = match command.get(1).map(String::as_str) {
            Some("nameprefix") => FileEdit::NamePrefix(edits.name_prefix),
            Some("namesuffix") => FileEdit::NameSuffix(edits.name_suffix),
            Some("namespace") => FileEdit::Namespace(edits.namespace),
            Some("image") => FileEdit::Images(edits.images),
            Some("replicas") => FileEdit::Replicas(edits.replicas),
            Some("label") => FileEdit::AddLabels(edits.labels),
            Some("annotation") => FileEdit::AddAnnotations(edits.annotations),
            _ => return Answer::Nothing(format!("{command:?} is no edit of a file")),
        };
        match edit_file(&text, &edit) {
            Ok(edited) => text = edited,
            Err(failure) => return Answer::Error(failure.to_string()),
        }
    }
    Answer::Output(text)
}

/// The edits of a case as an Application would have them. Its commands come in the order in which the peer runs them.
fn edits(case: &Case) -> Result<Edits, String> {
    let mut edits = Edits::default();
    for command in &case.edits {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let (flags, rest): (Vec<&str>, Vec<&str>) = words.iter().skip(2).partition(|w| w.starts_with("--"));
        let has = |flag| flags.contains(&flag);
        let owned = || rest.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        let one = || rest.concat();
        match words.get(..2) {
            Some(["set", "nameprefix"]) => edits.name_prefix = one(),
            Some(["set", "namesuffix"]) => edits.name_suffix = one(),
            Some(["set", "namespace"]) => edits.namespace = one(),
            Some(["set", "image"]) => edits.images = owned(),
            Some(["set", "replicas"]) => {
                for word in &rest {
                    let (name, count) = word.rsplit_once('=').ok_or("replicas without a count")?;
                    let count = count.parse().map_err(|_| "replicas that are no number")?;
                    edits.replicas.push((name.to_owned(), count));
                }
            }
            Some(["add", "label"]) => {
                edits.labels = Labels {
                    pairs: pairs(&rest),
                    force: has("--force"),
                    without_selector: has("--without-selector"),
                    include_templates: has("--include-templates"),
                }
            }
            Some(["add", "annotation"]) => {
                edits.annotations = Annotations {
                    pairs: pairs(&rest),
                    force: has("--force"),
                }
            }
            Some(["add", "component"]) => edits.components = owned(),
            _ => return Err(format!("{words:?} is no edit of an Application")),
        }
    }
    for patch in &case.patches {
        let text = |value: &Value, field: &str| value[field].as_str().unwrap_or_default().to_owned();
        let options = patch["options"].as_object();
        edits.patches.push(PatchEdit {
            path: text(patch, "path"),
            patch: text(patch, "patch"),
            target: patch.get("target").map(|t| PatchTarget {
                group: text(t, "group"),
                version: text(t, "version"),
                kind: text(t, "kind"),
                name: text(t, "name"),
                namespace: text(t, "namespace"),
                annotation_selector: text(t, "annotationSelector"),
                label_selector: text(t, "labelSelector"),
            }),
            options: options
                .map(|o| o.iter().map(|(k, v)| (k.clone(), v == &Value::Bool(true))).collect())
                .unwrap_or_default(),
        });
    }
    Ok(edits)
}

fn pairs(words: &[&str]) -> BTreeMap<String, String> {
    let split = |word: &&str| match word.split_once(':') {
        Some((key, value)) => (key.to_owned(), value.to_owned()),
        None => ((*word).to_owned(), String::new()),
    };
    words.iter().map(split).collect()
}
