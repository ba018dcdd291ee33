use std::collections::BTreeMap;

use pintle_model::tree::{MemoryTree, Reader, TreePath};

use super::*;
use crate::kustomize::{Built, Options, build};

const DEPLOYMENT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec:\n  replicas: 1\n  selector: {matchLabels: {a: b}}\n  \
                          template:\n    metadata: {labels: {a: b}}\n    spec: {containers: [{name: c, image: 'x:1'}]}\n";

fn run(kustomization: &str, edits: Edits) -> String {
    let component = |text: &str| format!("kind: Component\n{text}\n");
    let tree = [
        ("app/kustomization.yaml", kustomization.to_owned()),
        ("app/d.yaml", DEPLOYMENT.to_owned()),
        (
            "app/patch.yaml",
            "- {op: replace, path: /spec/replicas, value: 7}\n".to_owned(),
        ),
        ("parts/one/kustomization.yaml", component("namePrefix: one-")),
        ("parts/two/kustomization.yaml", component("nameSuffix: -two")),
    ]
    .into_iter()
    .fold(MemoryTree::new(), |tree, (path, text)| {
        tree.with_file(TreePath::new(path).expect("a path"), text.into_bytes())
    });
    let options = Options {
        edits,
        ..Options::default()
    };
    match build(&Reader::new(&tree), &TreePath::new("app").expect("a path"), &options) {
        Built::Ok { text, .. } => text,
        Built::Needs(needs) => format!("needs {needs:?}"),
        Built::Failed(failure) => format!("{:?}: {failure}", failure.reason),
    }
}

fn pairs(list: &[(&str, &str)]) -> BTreeMap<String, String> {
    list.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

/// What of the output matters for a field: the lines that hold one of the words.
fn lines(kustomization: &str, edits: Edits, words: &[&str]) -> Vec<String> {
    let out = run(kustomization, edits);
    assert!(out.starts_with("apiVersion"), "{out}");
    let wanted = |line: &&str| words.iter().any(|word| line.contains(word));
    out.lines().filter(wanted).map(|line| line.trim().to_owned()).collect()
}

#[test]
fn names_and_namespace_take_the_place_of_those_in_the_file() {
    let edits = Edits {
        name_prefix: "p-".into(),
        name_suffix: "-s".into(),
        namespace: "ns".into(),
        ..Edits::default()
    };
    let file = "resources: [d.yaml]\nnamePrefix: old-\nnamespace: other\n";
    assert_eq!(
        lines(file, edits, &["name: p", "namespace:"]),
        ["name: p-d-s", "namespace: ns"]
    );
}

#[test]
fn an_empty_file_may_get_all_it_says_from_edits() {
    let edits = Edits {
        name_prefix: "p-".into(),
        ..Edits::default()
    };
    assert_eq!(run("", edits), "");
    assert!(run("", Edits::default()).starts_with("Empty: "));
}

#[test]
fn images_are_set_by_name() {
    let image = |file: &str, edits: &[&str]| {
        let edits = Edits {
            images: edits.iter().map(|e| (*e).to_owned()).collect(),
            ..Edits::default()
        };
        lines(&format!("resources: [d.yaml]\n{file}"), edits, &["image:"])
    };
    assert_eq!(image("", &["x:2"]), ["- image: x:2"]);
    assert_eq!(
        image("", &["x=r.io:5000/y:2@sha256:ab"]),
        ["- image: r.io:5000/y:2@sha256:ab"]
    );
    assert_eq!(image("", &["x@sha256:ab"]), ["- image: x@sha256:ab"]);
    assert_eq!(image("", &["x=y"]), ["- image: y:1"]);
    let file = "images: [{name: x, newName: z, newTag: '3'}]\n";
    assert_eq!(image(file, &["x:2"]), ["- image: x:2"], "the old entry goes as a whole");
    assert_eq!(image(file, &["x=*:2"]), ["- image: z:2"]);
    assert_eq!(image(file, &["x=y:*"]), ["- image: y:3"]);
    assert_eq!(image(file, &["w:2"]), ["- image: z:3"]);
    let edits = Edits {
        images: vec!["x".into()],
        ..Edits::default()
    };
    assert!(run(file, edits).starts_with("Invalid: app/kustomization.yaml: edit set image: invalid format of image"));
}

#[test]
fn replicas_are_set_by_name() {
    let edits = Edits {
        replicas: vec![("d".into(), 4)],
        ..Edits::default()
    };
    let file = "resources: [d.yaml]\nreplicas: [{name: d, count: 2}]\n";
    assert_eq!(lines(file, edits, &["replicas:"]), ["replicas: 4"]);
}

#[test]
fn labels_meet_those_of_the_file() {
    let label = |file: &str, force, without_selector, include_templates| {
        let labels = Labels {
            pairs: pairs(&[("l", "new")]),
            force,
            without_selector,
            include_templates,
        };
        let edits = Edits {
            labels,
            ..Edits::default()
        };
        let out = run(&format!("resources: [d.yaml]\n{file}"), edits);
        match out.starts_with("apiVersion") {
            true => out.matches("l: new").count().to_string(),
            false => out,
        }
    };
    assert_eq!(label("", false, false, false), "3", "object, selector and template");
    assert_eq!(label("", false, true, false), "1", "the object");
    assert_eq!(label("", false, true, true), "2", "object and template");
    let file = "commonLabels: {l: old}\n";
    assert!(
        label(file, false, false, false).ends_with("label l already in kustomization file. Use --force to override.")
    );
    assert_eq!(label(file, true, false, false), "3");
    let file = "labels: [{pairs: {l: old}}]\n";
    assert!(label(file, false, true, false).starts_with("Conflict: "));
    assert_eq!(label(file, true, true, false), "1");
    assert!(label("", false, false, true).contains("--without-selector flag must be specified"));
}

#[test]
fn annotations_meet_those_of_the_file() {
    let edits = |force| Edits {
        annotations: Annotations {
            pairs: pairs(&[("a", "\"b:c\"")]),
            force,
        },
        ..Edits::default()
    };
    let file = "resources: [d.yaml]\n";
    assert_eq!(lines(file, edits(false), &["a: b:c"]).len(), 2);
    let file = "resources: [d.yaml]\ncommonAnnotations: {a: x}\n";
    assert!(run(file, edits(false)).contains("annotation a already in kustomization file. Use --force to override."));
    assert_eq!(lines(file, edits(true), &["a: b:c"]).len(), 2);
}

#[test]
fn patches_come_after_those_of_the_file() {
    let patch = PatchEdit {
        patch: "- {op: replace, path: /metadata/name, value: e}".into(),
        target: Some(PatchTarget {
            kind: "Deployment".into(),
            ..PatchTarget::default()
        }),
        options: BTreeMap::from([("allowNameChange".into(), true)]),
        ..PatchEdit::default()
    };
    let from_file = PatchEdit {
        path: "patch.yaml".into(),
        target: patch.target.clone(),
        ..PatchEdit::default()
    };
    let unknown = PatchEdit {
        options: BTreeMap::from([("other".into(), true)]),
        ..patch.clone()
    };
    let edits = |patch: &PatchEdit| Edits {
        patches: vec![patch.clone()],
        ..Edits::default()
    };
    let file = "resources: [d.yaml]\npatches: [{target: {kind: Deployment}, patch: '- {op: replace, path: /spec/replicas, value: 3}'}]\n";
    assert_eq!(
        lines(file, edits(&patch), &["name: e", "replicas:"]),
        ["name: e", "replicas: 3"]
    );
    assert_eq!(lines(file, edits(&from_file), &["replicas:"]), ["replicas: 7"]);
    assert!(run(file, edits(&unknown)).starts_with("Invalid: "));
}

#[test]
fn components_are_added_once() {
    let names = |list: &[&str], ignore_missing_components| {
        let edits = Edits {
            components: list.iter().map(|c| (*c).to_owned()).collect(),
            ignore_missing_components,
            ..Edits::default()
        };
        let out = run("resources: [d.yaml]\ncomponents: [../parts/one]\n", edits);
        match out.lines().find_map(|line| line.strip_prefix("  name: ")) {
            Some(name) => name.to_owned(),
            None => out,
        }
    };
    assert_eq!(names(&["../parts/one", "../parts/two"], false), "one-d-two");
    assert_eq!(names(&["../parts/*"], false), "one-d-two");
    assert!(names(&["../parts/three"], false).starts_with("Missing: "));
    assert_eq!(
        names(&["../parts/three", "../../out", "../parts/two"], true),
        "one-d-two"
    );
    assert!(names(&["https://example.com/o/r?ref=v1"], false).starts_with("needs "));
}
