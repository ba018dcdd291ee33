//! `pintle kustomize build`, as a person types it.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{refusal, run, text, write};

/// A base, an overlay over it, and a file beside both.
fn repository(directory: &Path) {
    for (name, text) in [
        (
            "base/kustomization.yaml",
            "resources: [web.yaml]\nconfigMapGenerator:\n- name: settings\n  literals: [mode=plain]\n",
        ),
        (
            "base/web.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: shop:1\n    envFrom: [{configMapRef: {name: \
             settings}}]\n",
        ),
        (
            "prod/kustomization.yaml",
            "resources: [../base, team.yaml]\nnamePrefix: prod-\nnamespace: shop\nimages: [{name: shop, newTag: '2'}]\n",
        ),
        (
            "prod/team.yaml",
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n",
        ),
        ("outside/kustomization.yaml", "resources: [../base/web.yaml]\n"),
    ] {
        write(directory, name, text);
    }
}

const PROD: &str = "apiVersion: v1
kind: Namespace
metadata:
  name: shop
---
apiVersion: v1
data:
  mode: plain
kind: ConfigMap
metadata:
  name: prod-settings-64hc9d59t9
  namespace: shop
---
apiVersion: v1
kind: Pod
metadata:
  name: prod-web
  namespace: shop
spec:
  containers:
  - envFrom:
    - configMapRef:
        name: prod-settings-64hc9d59t9
    image: shop:2
    name: web
";

#[test]
fn an_overlay_is_built_from_wherever_one_stands() {
    let directory = tempfile::tempdir().unwrap();
    repository(directory.path());
    assert_eq!(text(run(directory.path(), &["prod"])), PROD);
    assert_eq!(text(run(&directory.path().join("prod"), &[])), PROD);
    std::os::unix::fs::symlink(directory.path().join("prod"), directory.path().join("link")).unwrap();
    assert_eq!(text(run(directory.path(), &["link", "-e", "A=b"])), PROD);
    let kept = text(run(directory.path(), &["prod", "--reorder", "none"]));
    assert!(kept.find("kind: Namespace") > kept.find("kind: Pod"), "{kept}");
    let labelled = text(run(directory.path(), &["base", "--enable-managedby-label"]));
    assert!(
        labelled.contains("app.kubernetes.io/managed-by: kustomize-v5.8.1"),
        "{labelled}"
    );
    let anywhere = ["outside", "--load-restrictor", "LoadRestrictionsNone"];
    assert!(text(run(directory.path(), &anywhere)).contains("name: web"));
}

#[test]
fn the_output_goes_to_a_file_or_to_one_for_each_object() {
    let directory = tempfile::tempdir().unwrap();
    repository(directory.path());
    assert_eq!(text(run(directory.path(), &["prod", "-o", "all.yaml"])), "");
    assert_eq!(fs::read_to_string(directory.path().join("all.yaml")).unwrap(), PROD);
    let folder = directory.path().join("out");
    fs::create_dir(&folder).unwrap();
    assert_eq!(text(run(directory.path(), &["prod", "-o", "out"])), "");
    let mut names: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let expected = [
        "v1_configmap_prod-settings-64hc9d59t9.yaml",
        "v1_namespace_shop.yaml",
        "v1_pod_prod-web.yaml",
    ];
    assert_eq!(names, expected);
}

#[test]
fn charts_beside_a_kustomization_are_rendered_where_they_are_enabled() {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in [
        (
            "kustomization.yaml",
            "namePrefix: k-\nhelmCharts:\n- name: shop\n  releaseName: web\n  namespace: prod\n  valuesInline: {image: 'shop:2'}\n",
        ),
        ("charts/shop/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.2.3\n"),
        ("charts/shop/values.yaml", "image: shop:1\nmode: plain\n"),
        (
            "charts/shop/templates/config.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}, namespace: {{ .Release.Namespace }}}\ndata: {image: {{ .Values.image }}, \
             mode: {{ .Values.mode }}, kube: {{ .Capabilities.KubeVersion.Minor | quote }}}\n",
        ),
    ] {
        write(directory.path(), name, text);
    }
    let flags = ["--enable-helm", "--helm-kube-version", "v1.31.0"];
    assert_eq!(
        text(run(directory.path(), &flags)),
        "apiVersion: v1\ndata:\n  image: shop:2\n  kube: \"31\"\n  mode: plain\nkind: ConfigMap\nmetadata:\n  name: k-web\n  namespace: prod\n"
    );
    assert!(refusal(run(directory.path(), &["."])).contains("must specify --enable-helm"));
}

#[test]
fn what_cannot_be_built_is_said_and_nothing_is_printed() {
    let directory = tempfile::tempdir().unwrap();
    repository(directory.path());
    for (arguments, said) in [
        (&["absent"][..], "absent"),
        (&["outside"], "security; file"),
        (&["prod", "--enable-alpha-plugins"], "nothing but built-in"),
        (&["prod", "--enable-exec"], "nothing but built-in"),
    ] {
        let err = refusal(run(directory.path(), arguments));
        assert!(err.contains(said), "{arguments:?}: {err}");
    }
}

#[test]
fn a_kustomization_is_edited_in_place() {
    let directory = tempfile::tempdir().unwrap();
    repository(directory.path());
    let prod = directory.path().join("prod");
    let edit = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_pintle"))
            .args(["kustomize", "edit"])
            .args(arguments)
            .current_dir(&prod)
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    fs::write(
        prod.join("kustomization.yaml"),
        "# whose\nnamePrefix: prod-\nresources: [../base, team.yaml]\n",
    )
    .unwrap();
    fs::write(prod.join("more.yaml"), "").unwrap();
    for arguments in [
        &["set", "image", "shop=*:3"][..],
        &["set", "namespace", "eu"],
        &["set", "nameprefix", "--", "-p-"],
        &["add", "resource", "*.yaml"],
        &["remove", "resource", "team.yaml"],
        &["add", "label", "a:b", "--without-selector"],
    ] {
        assert_eq!(edit(arguments), (Some(0), String::new()), "{arguments:?}");
    }
    let (status, said) = edit(&["add", "label", "a:c", "--without-selector"]);
    assert!(
        status == Some(1) && said.contains("label a already in kustomization file"),
        "{said}"
    );
    assert_eq!(
        fs::read_to_string(prod.join("kustomization.yaml")).unwrap(),
        "# whose\nnamePrefix: -p-\nresources:\n- ../base\n- more.yaml\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nimages:\n- \
         name: shop\n  newTag: \"3\"\nnamespace: eu\nlabels:\n- pairs:\n    a: b\n"
    );
    assert_eq!(edit(&["set", "image", "shop"]).0, Some(1));
}
