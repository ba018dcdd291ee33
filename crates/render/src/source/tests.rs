use std::collections::BTreeMap;
use std::sync::Arc;

use pintle_model::application::{Helm, HelmFileParameter, HelmParameter, Kustomize, Plugin};
use pintle_model::tree::{FixedTree, MountedTree, Tree, TreePath};

use crate::request::{Answer, Need};
use crate::tests::{request, round, told, tree};
use crate::{RenderRequest, Round};

/// A chart that prints its values, so that a test can tell what reached it.
const CHART: &str = "\
=== charts/shop/Chart.yaml
apiVersion: v2
name: shop
version: 1.0.0
=== charts/shop/values.yaml
image: none
=== charts/shop/values-dev.yaml
image: dev
=== charts/shop/env/b.yaml
b: true
image: b
=== charts/shop/env/a.yaml
a: true
image: a
=== charts/shop/env/deep/c.yaml
c: true
=== charts/shop/templates/all.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}, namespace: {{ .Release.Namespace }}}
data: {{ .Values | toJson }}
=== shared/common.yaml
image: common
=== outside.txt
from a file
";

fn with(change: impl FnOnce(&mut Helm)) -> RenderRequest {
    let mut helm = Helm::default();
    change(&mut helm);
    let mut request = request("charts/shop");
    request.source.helm = Some(helm);
    request
}

/// Name, namespace and values that reached the chart, or what was said.
fn reached(round: &Round) -> String {
    match round {
        Round::Done(rendered) if rendered.is_complete() => rendered
            .objects
            .iter()
            .map(|o| {
                let data = o.object.value().get("data").map(pintle_model::to_json_string);
                format!(
                    "{} {} {}",
                    o.object.name(),
                    o.object.namespace(),
                    data.unwrap_or_default()
                )
            })
            .collect::<Vec<_>>()
            .join("\n"),
        other => told(other),
    }
}

#[track_caller]
fn check(request: &RenderRequest, expected: &str) {
    assert_eq!(reached(&round(&tree(CHART), request)), expected);
}

#[test]
fn a_release_is_named_after_its_application() {
    check(&request("charts/shop"), r#"shop dev {"image":"none"}"#);
    check(
        &with(|h| (h.release_name, h.namespace) = ("other".into(), "elsewhere".into())),
        r#"other elsewhere {"image":"none"}"#,
    );
}

#[test]
fn later_kinds_of_values_win() {
    let parameter = |value: &str, force_string| HelmParameter {
        name: "image".into(),
        value: value.into(),
        force_string,
        ..HelmParameter::default()
    };
    let mut helm = Helm {
        value_files: vec!["values-dev.yaml".into(), "/shared/common.yaml".into()],
        ..Helm::default()
    };
    let check = |helm: &Helm, image: &str| {
        let request = with(|h| *h = helm.clone());
        check(&request, &format!(r#"shop dev {{"image":{image}}}"#));
    };
    check(&helm, r#""common""#);
    helm.values = "image: inline".into();
    check(&helm, r#""inline""#);
    helm.values_object = Some(serde_json::json!({ "image": "object" }));
    check(&helm, r#""object""#);
    helm.parameters = vec![parameter("1", false)];
    check(&helm, "1");
    helm.parameters.push(parameter("a,b-${ARGOCD_APP_NAME}", false));
    check(&helm, r#""a,b-shop""#);
    helm.parameters.push(parameter("2", true));
    check(&helm, r#""2""#);
    helm.file_parameters = vec![HelmFileParameter {
        name: "image".into(),
        path: "../../outside.txt".into(),
        ..HelmFileParameter::default()
    }];
    check(&helm, r#""from a file\n""#);
}

#[test]
fn globs_stand_for_what_is_not_written_out() {
    let files = |files: &[&str]| with(|h| h.value_files = files.iter().map(|&f| f.into()).collect());
    check(&files(&["env/*.yaml"]), r#"shop dev {"a":true,"b":true,"image":"b"}"#);
    check(
        &files(&["env/*.yaml", "env/a.yaml"]),
        r#"shop dev {"a":true,"b":true,"image":"a"}"#,
    );
    check(
        &files(&["env/**/*.yaml"]),
        r#"shop dev {"a":true,"b":true,"c":true,"image":"b"}"#,
    );
    check(&files(&["env/{a,x}.yaml"]), r#"shop dev {"a":true,"image":"a"}"#);
    check(
        &files(&["none/*.yaml"]),
        "Error: charts/shop: value files \"none/*.yaml\": no file matches; correct the pattern, or set ignoreMissingValueFiles",
    );
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let missing = |ignore| {
        with(|h| {
            h.value_files = vec!["values-$ARGOCD_APP_NAME.yaml".into(), "values-dev.yaml".into()];
            h.ignore_missing_value_files = ignore;
        })
    };
    check(&missing(true), r#"shop dev {"image":"dev"}"#);
    check(
        &missing(false),
        "Error: charts/shop: value file \"values-$ARGOCD_APP_NAME.yaml\": no file \"charts/shop/values-shop.yaml\" in the repository; correct \
         the path, commit the file, or set ignoreMissingValueFiles",
    );
}

#[test]
fn nothing_is_read_outside_or_by_a_scheme_that_is_not_allowed() {
    let file = |file: &str| with(|h| h.value_files = vec![file.into()]);
    check(
        &file("../../../etc/passwd"),
        "Error: charts/shop: value file \"../../../etc/passwd\" resolved to outside repository root: it leads above the root of the repository; \
         value files are read from their repository only",
    );
    check(
        &file("ftp://h/values.yaml"),
        "Error: charts/shop: value file \"ftp://h/values.yaml\": the URL scheme \"ftp\" is not allowed; allowed are: https, http (setting \
         helm.valuesFileSchemes)",
    );
    let linked = tree(CHART).with_symlink(TreePath::new("charts/shop/up.yaml").unwrap(), "../../../secret");
    let said = told(&round(&linked, &file("up.yaml")));
    assert!(said.contains("points out of the repository"), "{said}");
}

#[test]
fn values_of_another_source_and_of_a_url() {
    let mut request =
        with(|h| h.value_files = vec!["$values/apps/$ARGOCD_APP_NAME.yaml".into(), "https://h/v.yaml".into()]);
    let said = "Error: charts/shop: value file \"$values/apps/$ARGOCD_APP_NAME.yaml\": no source has ref \"values\"; add `ref: values` to the Git \
                source that holds the file";
    check(&request, said);
    request.refs = BTreeMap::from([("values".to_owned(), MountedTree::place("ref values"))]);
    let mut mounted = MountedTree::new(Arc::new(tree(CHART)));
    mounted.mount(
        "ref values",
        Arc::new(tree("=== apps/shop.yaml\nimage: lent\nlent: true\n")),
    );
    let need = Need::File {
        url: "https://h/v.yaml".into(),
    };
    assert_eq!(told(&round(&mounted, &request)), "Needs file https://h/v.yaml");
    mounted.mount_file(&need.name(), Arc::from(b"image: fetched".as_slice()));
    request.answers.insert(need.clone(), Answer::Mounted);
    assert_eq!(
        reached(&round(&mounted, &request)),
        r#"shop dev {"image":"fetched","lent":true}"#
    );
    request
        .answers
        .insert(need, Answer::Refused("the host is not allowed".into()));
    assert_eq!(
        told(&round(&mounted, &request)),
        "Error: charts/shop: value file \"https://h/v.yaml\": the host is not allowed"
    );
}

#[test]
fn fields_beside_the_manifests_are_merged() {
    let at = |name: &str| TreePath::new(&format!("charts/shop/{name}")).unwrap();
    let common = tree(CHART).with_file(
        at(".argocd-source.yaml"),
        *b"helm: {releaseName: all, valueFiles: [values-dev.yaml]}\npath: elsewhere\n",
    );
    let own = common.clone().with_file(
        at(".argocd-source-shop.yaml"),
        *b"helm: {releaseName: null, namespace: own}\n",
    );
    assert_eq!(
        reached(&round(&common, &request("charts/shop"))),
        r#"all dev {"image":"dev"}"#
    );
    assert_eq!(
        reached(&round(&own, &request("charts/shop"))),
        r#"shop own {"image":"dev"}"#
    );
    let bad = common.with_file(at(".argocd-source.yaml"), *b"helm: [1]\n");
    let said = told(&round(&bad, &request("charts/shop")));
    assert!(said.starts_with("Error: charts/shop/.argocd-source.yaml: "), "{said}");
}

#[test]
fn dependencies_that_are_not_vendored_are_asked_for() {
    let parent = "\
=== app/Chart.yaml
apiVersion: v2
name: app
version: 1.0.0
dependencies:
- {name: near, version: 1.x, repository: \"file://../near\"}
- {name: far, version: \">=1\", repository: \"https://charts.example\"}
=== near/Chart.yaml
apiVersion: v2
name: near
version: 1.2.0
=== near/templates/a.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: near}
";
    let mut request = request("app");
    let without = tree(parent);
    assert_eq!(
        told(&round(&without, &request)),
        "Needs chart https://charts.example far >=1"
    );
    let lock = b"dependencies:\n- {name: far, version: 1.4.0, repository: \"https://charts.example\"}\n";
    let locked = without
        .clone()
        .with_file(TreePath::new("app/Chart.lock").unwrap(), *lock);
    assert_eq!(
        told(&round(&locked, &request)),
        "Needs chart https://charts.example far 1.4.0"
    );

    let need = Need::Chart {
        repository: "https://charts.example".into(),
        name: "far".into(),
        version: "1.4.0".into(),
    };
    let far = FixedTree::new([
        (
            TreePath::new("Chart.yaml").unwrap(),
            Arc::from(b"apiVersion: v2\nname: far\nversion: 1.4.0\n".as_slice()),
        ),
        (
            TreePath::new("templates/b.yaml").unwrap(),
            Arc::from(b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: far}\n".as_slice()),
        ),
    ]);
    let mut mounted = MountedTree::new(Arc::new(locked));
    mounted.mount(&need.name(), Arc::new(far));
    request.answers.insert(need.clone(), Answer::Mounted);
    assert_eq!(
        told(&round(&mounted, &request)),
        "ConfigMap/far app/charts/far/templates/b.yaml:1\nConfigMap/near app/charts/near/templates/a.yaml:1"
    );
    request.answers.insert(need, Answer::Refused("no such chart".into()));
    assert_eq!(
        told(&round(&mounted, &request)),
        "Error: app: dependency \"far\" of https://charts.example: no such chart"
    );
}

#[test]
fn a_plugin_that_is_called_helm_is_helm_with_a_word() {
    let mut request = request("charts/shop");
    request.source.plugin = Some(Plugin {
        name: "helm".into(),
        ..Plugin::default()
    });
    assert_eq!(
        told(&round(&tree(CHART), &request)),
        "ConfigMap/shop charts/shop/templates/all.yaml:1\nWarning: charts/shop: spec.source.plugin.name: helm is rendered natively; write \
         spec.source.helm: {} instead"
    );
}

#[test]
fn what_is_drawn_at_random_stays() {
    let chart = "\
=== app/Chart.yaml
apiVersion: v2
name: app
version: 1.0.0
=== app/templates/a.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ randAlphaNum 12 | lower }}-x}
";
    let name = |uid: &str| {
        let mut request = request("app");
        request.app.uid = uid.into();
        told(&round(&tree(chart), &request))
    };
    assert_eq!(name("u-1"), name("u-1"));
    assert_ne!(name("u-1"), name("u-2"));
}

#[test]
fn reads_tell_what_a_render_depends_on() {
    let before = tree(CHART);
    let Round::Done(rendered) = round(&before, &with(|h| h.value_files = vec!["/shared/common.yaml".into()])) else {
        panic!("nothing is needed");
    };
    let same = |path: &str, text: &str| {
        let after = before.clone().with_file(TreePath::new(path).unwrap(), text.as_bytes());
        rendered.reads.first_difference(&after as &dyn Tree).unwrap().is_none()
    };
    assert!(same("README.md", "x") && same("shared/other.yaml", "x"));
    assert!(!same("shared/common.yaml", "x"));
    assert!(!same("charts/shop/templates/new.yaml", "x"));
    assert!(!same("charts/shop/.argocd-source-shop.yaml", "{}"));
}

/// A kustomization with a chart that prints what it sees.
const WITH_CHART: &str = "\
=== k/kustomization.yaml
namePrefix: k-
helmCharts:
- {name: far, repo: \"https://charts.example\", version: 1.4.0}
=== plain/kustomization.yaml
configMapGenerator: [{name: plain}]
";

fn far() -> FixedTree {
    let file = |path: &str, text: &'static str| (TreePath::new(path).unwrap(), Arc::from(text.as_bytes()));
    FixedTree::new([
        file("Chart.yaml", "apiVersion: v2\nname: far\nversion: 1.4.0\n"),
        file("values.yaml", ""),
        file(
            "templates/b.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\n\
             data: {version: {{ .Capabilities.KubeVersion.Version }}, has: {{ .Capabilities.APIVersions.Has \"x/v9\" | quote }}}\n",
        ),
    ])
}

#[test]
fn charts_of_a_kustomization_are_asked_for_where_the_setting_allows_them() {
    let tree = tree(WITH_CHART);
    let mut request = request("k");
    let said = told(&round(&tree, &request));
    assert!(said.contains("must specify --enable-helm"), "{said}");
    request.settings.kustomize_build_options = "--load-restrictor=LoadRestrictionsNone --enable-helm".into();
    assert_eq!(
        told(&round(&tree, &request)),
        "Needs chart https://charts.example far 1.4.0"
    );

    let need = Need::Chart {
        repository: "https://charts.example".into(),
        name: "far".into(),
        version: "1.4.0".into(),
    };
    let mut mounted = MountedTree::new(Arc::new(tree));
    mounted.mount(&need.name(), Arc::new(far()));
    request.answers.insert(need.clone(), Answer::Mounted);
    let seen = |request: &RenderRequest| match round(&mounted, request) {
        Round::Done(done) if done.is_complete() => {
            let object = &done.objects[0].object;
            let data = object.value().get("data").map(pintle_model::to_json_string);
            let data = data.unwrap_or_default();
            let depends = (done.used.depends_on_application(), done.used.depends_on_cluster());
            (format!("{} {data}", object.name()), depends)
        }
        other => (told(&other), (false, false)),
    };
    assert_eq!(
        seen(&request),
        (r#"k-far-shop {"has":"false","version":"v1.36.0"}"#.into(), (true, true))
    );
    request.source.kustomize = Some(Kustomize {
        kube_version: "1.30.1".into(),
        api_versions: vec!["x/v9".into()],
        ..Kustomize::default()
    });
    assert_eq!(
        seen(&request),
        (r#"k-far-shop {"has":"true","version":"v1.30.1"}"#.into(), (true, false))
    );
    request.path = TreePath::new("plain").unwrap();
    assert_eq!(seen(&request).1, (false, false));
    request.path = TreePath::new("k").unwrap();
    request.answers.insert(need, Answer::Refused("no such chart".into()));
    assert!(
        seen(&request)
            .0
            .ends_with("chart https://charts.example far 1.4.0: no such chart")
    );
}

#[test]
fn nothing_that_runs_is_let_through_to_a_build() {
    let tree = tree(WITH_CHART);
    let mut request = request("plain");
    for (options, expected) in [
        ("--enable-helm=false --reorder none", None),
        ("--enable-exec", Some("--enable-exec is not allowed")),
        ("--helm-command /bin/x", Some("--helm-command is not allowed")),
        ("--enable-helm=perhaps", Some("neither true nor false")),
        ("--reorder", Some("--reorder needs a value")),
    ] {
        request.settings.kustomize_build_options = options.into();
        let said = told(&round(&tree, &request));
        match expected {
            None => assert!(said.starts_with("ConfigMap/plain-"), "{said}"),
            Some(part) => assert!(said.contains(part), "{options}: {said}"),
        }
    }
}
