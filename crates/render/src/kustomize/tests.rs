use pintle_model::tree::MemoryTree;

use super::*;

fn tree(files: &[(&str, &str)]) -> MemoryTree {
    files.iter().fold(MemoryTree::new(), |tree, (path, text)| {
        tree.with_file(TreePath::new(path).expect("a path"), text.as_bytes())
    })
}

fn run(files: &[(&str, &str)], path: &str, options: &Options) -> Built {
    let tree = tree(files);
    build(&Reader::new(&tree), &TreePath::new(path).expect("a path"), options)
}

fn text(files: &[(&str, &str)], path: &str) -> String {
    match run(files, path, &Options::default()) {
        Built::Ok { text, .. } => text,
        Built::Needs(needs) => format!("needs {needs:?}"),
        Built::Failed(failure) => format!("{:?}: {failure}", failure.reason),
    }
}

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - {name: a, image: 'x:1', env: [{name: E, value: v}]}\n  \
                   - {name: b, image: y}\n  volumes:\n  - {name: c, configMap: {name: cm}}\n";

#[test]
fn references_follow_hash_and_prefix() {
    let kustomization = "resources: [pod.yaml]\nnamePrefix: pre-\nimages: [{name: x, newTag: '2'}]\nconfigMapGenerator:\n- {name: cm, literals: [a=b]}\n";
    let out = text(&[("o/kustomization.yaml", kustomization), ("o/pod.yaml", POD)], "o");
    let name = out
        .lines()
        .find_map(|l| l.strip_prefix("  name: pre-cm-"))
        .expect("a hashed name");
    assert_eq!(name.len(), 10);
    assert!(
        out.contains(&format!("      name: pre-cm-{name}\n    name: c\n")),
        "{out}"
    );
    assert!(out.contains("image: x:2"), "{out}");
}

#[test]
fn elements_of_a_patch_come_first_and_directives_act() {
    let patch = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - {name: b, image: z}\n  - {name: new, image: i}\n  - {name: a, $patch: delete}\n";
    let kustomization = "resources: [pod.yaml]\npatches: [{path: patch.yaml}]\n";
    let files = [
        ("kustomization.yaml", kustomization),
        ("pod.yaml", POD),
        ("patch.yaml", patch),
    ];
    let out = text(&files, "");
    assert!(
        out.contains("  containers:\n  - image: z\n    name: b\n  - image: i\n    name: new\n  volumes:"),
        "{out}"
    );
}

#[test]
fn replacements_and_variables_write_fields() {
    let kustomization = "resources: [pod.yaml]\nreplacements:\n- source: {kind: Pod, fieldPath: 'spec.containers.[name=b].image'}\n  targets:\n  - select: {kind: Pod}\n    fieldPaths: ['spec.containers.[name=a].env.0.value']\n  - select: {kind: Pod}\n    fieldPaths: [metadata.labels.img]\n    options: {create: true}\n";
    let out = text(&[("kustomization.yaml", kustomization), ("pod.yaml", POD)], "");
    assert!(
        out.contains("      value: \"y\"\n") && out.contains("  labels:\n    img: \"y\"\n"),
        "{out}"
    );
    let missing = kustomization.replace("env.0.value", "nope.value");
    let out = text(&[("kustomization.yaml", &missing), ("pod.yaml", POD)], "");
    assert!(
        out.starts_with("NoMatch: ") && out.contains("unable to find field"),
        "{out}"
    );
}

#[test]
fn remote_content_is_asked_for_and_used() {
    let url = "https://example.com/a.yaml";
    let files = [(
        "kustomization.yaml",
        "resources: ['https://example.com/a.yaml', 'github.com/o/r//d?ref=v1']\n",
    )];
    let Built::Needs(needs) = run(&files, "", &Options::default()) else {
        panic!("it needs what is remote");
    };
    assert_eq!(needs.len(), 2, "one round asks for all");
    let mut options = Options::default();
    options.remotes.insert(url.into(), Remote::File(POD.as_bytes().into()));
    options
        .remotes
        .insert("github.com/o/r//d?ref=v1".into(), Remote::Refused("not allowed".into()));
    assert!(matches!(run(&files, "", &options), Built::Failed(f) if f.reason == Reason::Remote));
}

#[test]
fn bad_trees_fail_for_their_reason() {
    for (files, reason) in [
        (
            &[
                ("a/kustomization.yaml", "resources: [../b]\n"),
                ("b/kustomization.yaml", "resources: [../a]\n"),
            ][..],
            "Cycle",
        ),
        (&[("a/kustomization.yaml", "resources: ['..']\n")], "Cycle"),
        (&[("a/kustomization.yaml", "resources: [../../..]\n")], "Restricted"),
        (
            &[("a/kustomization.yaml", "resources: [../p.yaml]\n"), ("p.yaml", POD)],
            "Restricted",
        ),
        (&[("a/kustomization.yaml", "resources: [p.yaml]\n")], "Missing"),
        (&[("a/kustomization.yaml", "")], "Empty"),
        (&[("a/kustomization.yaml", "nope: 1\n")], "Invalid"),
        (
            &[
                ("a/kustomization.yaml", "resources: [p.yaml, q.yaml]\n"),
                ("a/p.yaml", POD),
                ("a/q.yaml", POD),
            ],
            "Conflict",
        ),
        (
            &[(
                "a/kustomization.yaml",
                "transformers: ['{apiVersion: x/v1, kind: T, metadata: {name: t}}']\n",
            )],
            "Plugins",
        ),
        (&[("a/kustomization.yaml", "crds: [x.json]\n")], "Missing"),
        (&[("a/kustomization.yaml", "openapi: {path: x.json}\n")], "Missing"),
        (&[("a/kustomization.yaml", "openapi: {version: v1.30.0}\n")], "Invalid"),
    ] {
        let out = text(files, "a");
        assert!(out.starts_with(&format!("{reason}: ")), "wanted {reason}, got {out}");
    }
}

#[test]
fn a_long_chain_of_bases_fails_and_does_not_overflow() {
    let chain: Vec<(String, String)> = (0..300)
        .map(|i| {
            (
                format!("d{i}/kustomization.yaml"),
                format!("resources: [../d{}]\n", i + 1),
            )
        })
        .collect();
    let files: Vec<(&str, &str)> = chain.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert!(text(&files, "d0").starts_with("Cycle: "));
}

#[test]
fn a_field_that_is_no_field_is_refused_where_it_stands() {
    for (kustomization, expected) in [
        ("resources: []\n", ""),
        ("resources: []\nnamespac: null\n", "unknown field `namespac`"),
        (
            "metadata: {creationTimestamp: null}\n",
            "metadata: unknown field `creationTimestamp`",
        ),
        (
            "labels: [{pairs: {a: b}, fields: [{path: x, crate: true}]}]\n",
            "labels[0].fields[0]: unknown field `crate`",
        ),
        (
            "secretGenerator: [{name: s, literals: password=hunter2}]\n",
            "secretGenerator[0].literals: a string where a list is needed",
        ),
    ] {
        let said = text(&[("kustomization.yaml", kustomization)], "");
        let wanted = match expected {
            "" => String::new(),
            expected => format!("Invalid: kustomization.yaml: invalid Kustomization: {expected}"),
        };
        assert!(
            said == wanted || !wanted.is_empty() && said.starts_with(&wanted),
            "{said}"
        );
        assert!(!said.contains("hunter2"), "{said}");
    }
    // A file that is named in it is read as a plugin is: what it has besides is nothing.
    let files = [
        (
            "kustomization.yaml",
            "resources: [pod.yaml]\nreplacements: [{path: r.yaml}]\n",
        ),
        ("pod.yaml", POD),
        (
            "r.yaml",
            "sourceValue: new\nwhy: {because: 1}\ntargets: [{select: {kind: Pod}, fieldPaths: [spec.volumes.0.name], note: x}]\n",
        ),
    ];
    assert!(text(&files, "").contains("    name: new\n"), "{}", text(&files, ""));
}

#[test]
fn objects_are_sorted_by_namespace_and_name_as_one_text() {
    let map =
        |namespace: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: {namespace}\n");
    let all = [map("shop"), map("shop-dev")].join("---\n");
    let files = [("kustomization.yaml", "resources: [all.yaml]\n"), ("all.yaml", &*all)];
    assert_eq!(text(&files, ""), [map("shop-dev"), map("shop")].join("---\n"));
}
