use pintle_model::tree::{MemoryTree, TreePath};

use super::*;

/// Files as `--- path` headers followed by their content.
fn tree(fixture: &str) -> MemoryTree {
    let mut tree = MemoryTree::new();
    for file in fixture.split("=== ").skip(1) {
        let (name, content) = file.split_once('\n').unwrap();
        tree = tree.with_file(TreePath::new(name).unwrap(), content.as_bytes());
    }
    tree
}

fn request(path: &str) -> RenderRequest {
    RenderRequest {
        path: TreePath::new(path).unwrap(),
        explicit: None,
        directory: DirectoryOptions::default(),
        max_manifest_bytes: DEFAULT_MAX_MANIFEST_BYTES,
    }
}

fn check(fixture: &str, request: &RenderRequest, expected: &str) {
    let rendered = render(&tree(fixture), request);
    let mut lines: Vec<String> = rendered
        .objects
        .iter()
        .map(|o| format!("{}/{} {}:{}", o.object.kind(), o.object.name(), o.path, o.line))
        .collect();
    lines.extend(rendered.diagnostics.iter().map(|d| format!("{:?}: {d}", d.severity)));
    assert_eq!(lines.join("\n"), expected);
}

const APP: &str = "\
=== app/a.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: one}
---
# nothing here
---
apiVersion: v1
kind: ConfigMap
metadata: {name: two}
=== app/b.json
{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"three\"}}
=== app/notes.txt
not: [yaml
=== app/sub/c.yml
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Secret, metadata: {name: four}}
- {apiVersion: v1, kind: Secret, metadata: {name: five}}
";

#[test]
fn plain_manifests() {
    check(
        APP,
        &request("app"),
        "ConfigMap/one app/a.yaml:1\nConfigMap/two app/a.yaml:7\nService/three app/b.json:1",
    );
}

#[test]
fn recurse_include_exclude() {
    let mut r = request("app");
    r.directory.recurse = true;
    r.directory.exclude = "a.*".into();
    check(
        APP,
        &r,
        "Service/three app/b.json:1\nSecret/four app/sub/c.yml:1\nSecret/five app/sub/c.yml:1",
    );
    r.directory.exclude = String::new();
    r.directory.include = "{sub/*,b.json}".into();
    check(
        APP,
        &r,
        "Service/three app/b.json:1\nSecret/four app/sub/c.yml:1\nSecret/five app/sub/c.yml:1",
    );
    r.directory.include = "{".into();
    check(
        APP,
        &r,
        "Error: app: spec.source.directory.include \"{\" is no glob: a '{' is not closed",
    );
}

#[test]
fn one_bad_file_does_not_hide_the_others_and_makes_the_result_incomplete() {
    let fixture = "\
=== app/a.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: [oops
=== app/b.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: good}
=== app/values.yaml
just: values
=== app/w.yaml
broken: [
";
    let rendered = render(&tree(fixture), &request("app"));
    assert_eq!(rendered.objects.len(), 1);
    assert!(!rendered.is_complete());
    let text: Vec<String> = rendered
        .diagnostics
        .iter()
        .map(|d| format!("{:?} {}", d.severity, d.path))
        .collect();
    assert_eq!(
        text,
        ["Error app/a.yaml", "Error app/values.yaml", "Warning app/w.yaml"]
    );
}

#[test]
fn a_missing_path_is_an_error_and_not_an_empty_result() {
    check(
        APP,
        &request("nope"),
        "Error: nope: nope: app path does not exist at this revision; check spec.source.path and targetRevision",
    );
}

#[test]
fn an_empty_directory_of_manifests_is_complete() {
    let rendered = render(&tree("=== app/README.md\nhello\n"), &request("app"));
    assert!(rendered.objects.is_empty() && rendered.is_complete());
}

#[test]
fn charts_and_kustomizations_are_told_and_refused() {
    let chart = render(&tree("=== app/Chart.yaml\nname: x\n"), &request("app"));
    assert_eq!(chart.source_type, SourceType::Helm);
    assert!(!chart.is_complete());
    let both = render(
        &tree("=== app/Chart.yaml\nname: x\n=== app/kustomization.yaml\nresources: []\n"),
        &request("app"),
    );
    assert_eq!(both.source_type, SourceType::Kustomize);
    let mut forced = request("app");
    forced.explicit = Some(SourceType::Directory);
    forced.directory.exclude = "Chart.yaml".into();
    assert!(render(&tree("=== app/Chart.yaml\nname: x\n"), &forced).is_complete());
}

#[test]
fn the_size_limit_fails_the_source() {
    let mut r = request("app");
    r.max_manifest_bytes = 100;
    let rendered = render(&tree(APP), &r);
    assert!(!rendered.is_complete());
}

#[test]
fn files_marked_to_skip_are_skipped() {
    check(
        "=== app/a.yaml\n# +argocd:skip-file-rendering\napiVersion: v1\nkind: ConfigMap\n",
        &request("app"),
        "",
    );
}

#[test]
fn reads_are_recorded() {
    let before = tree(APP);
    let reads = render(&before, &request("app")).reads;
    let same = |t: &MemoryTree| reads.first_difference(t).unwrap().is_none();
    assert!(same(
        &before.clone().with_file(TreePath::new("README.md").unwrap(), *b"x")
    ));
    assert!(!same(
        &before.clone().with_file(TreePath::new("app/new.yaml").unwrap(), *b"x")
    ));
    assert!(!same(
        &before.clone().with_file(TreePath::new("app/a.yaml").unwrap(), *b"x")
    ));
}
