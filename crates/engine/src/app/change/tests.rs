use pintle_model::{Value, to_json_string};

use super::*;

fn object(yaml: &str) -> Object {
    Object::new(Value::from_yaml(yaml).unwrap()).unwrap_or_else(|e| panic!("{e}"))
}

fn app(extra: &str) -> Object {
    let text = "{apiVersion: argoproj.io/v1alpha1, kind: Application, metadata: {name: web, namespace: argocd}, spec: {destination: {server: \
                'https://kubernetes.default.svc', namespace: shop}}}";
    let mut object = object(text);
    for line in extra.lines() {
        let (path, value) = line.split_once(": ").unwrap();
        let path: Vec<&str> = path.split('.').collect();
        object.value_mut().set_at(&path, Value::from_yaml(value).unwrap());
    }
    object
}

fn config(name: &str, value: &str) -> Object {
    object(&format!(
        "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}}}, data: {{k: {value}}}}}"
    ))
}

type State<'a> = Option<(&'a Object, Result<Vec<Object>, &'a str>)>;

fn compared(base: State<'_>, head: State<'_>) -> AppChange {
    let apps = [&base, &head].map(|s| s.as_ref().map(|(m, _)| Application::from_object(m).unwrap()));
    let objects = [&base, &head].map(|s| {
        s.as_ref()
            .map(|(_, objects)| objects.as_ref().map(|o| o.iter().collect::<Vec<_>>()).map_err(|e| *e))
    });
    let [base, head] = [(base.as_ref(), 0), (head.as_ref(), 1)].map(|(state, i)| {
        let (manifest, _) = state?;
        Some(Side {
            app: apps[i].as_ref().unwrap(),
            manifest,
            objects: objects[i].as_ref().unwrap().as_ref().map(Vec::as_slice).map_err(|e| *e),
        })
    });
    change(base, head, &|o| o.kind() == "Namespace")
}

/// One line for each object.
fn said(change: &AppChange) -> String {
    let lines: Vec<String> = change
        .objects
        .iter()
        .map(|o| {
            format!(
                "{:?} {}{}",
                o.what,
                o.key,
                o.fate.as_ref().map(|f| format!(" {f:?}")).unwrap_or_default()
            )
        })
        .collect();
    lines.join("\n")
}

#[test]
fn objects_are_told_apart_by_what_they_are_in_the_cluster() {
    let web = app("");
    let namespaced = object("{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: shop}, data: {k: x}}");
    let change = compared(
        Some((&web, Ok(vec![config("a", "x"), config("gone", "x"), config("b", "1")]))),
        Some((&web, Ok(vec![namespaced, config("b", "2"), config("new", "x")]))),
    );
    // The namespace that a manifest names is the one it would get anyway; that the manifest differs is shown.
    assert_eq!(
        said(&change),
        "Changed /ConfigMap/shop/a\nChanged /ConfigMap/shop/b\nRemoved /ConfigMap/shop/gone BySyncWithPrune\nAdded /ConfigMap/shop/new"
    );
    assert_eq!(change.what, What::Changed);
    assert_eq!(change.counts(), [1, 2, 1]);
}

#[test]
fn the_same_is_no_change_and_an_application_of_its_own_is() {
    let web = app("");
    let same = compared(
        Some((&web, Ok(vec![config("a", "x")]))),
        Some((&web, Ok(vec![config("a", "x")]))),
    );
    assert!(same.is_none());
    let other = app("spec.project: team");
    let changed = compared(Some((&web, Ok(vec![]))), Some((&other, Ok(vec![]))));
    assert!(changed.what == What::Changed && changed.objects.is_empty() && changed.manifest.is_some());
}

#[test]
fn what_is_not_known_is_never_called_removed() {
    let web = app("");
    for (base, head) in [
        (Ok(vec![config("a", "x")]), Err("broken")),
        (Err("broken"), Ok(vec![config("a", "x")])),
    ] {
        let change = compared(Some((&web, base)), Some((&web, head)));
        assert!(change.objects.is_empty() && !change.failure.is_none() && !change.is_none());
    }
}

/// What becomes of the one object that goes.
#[track_caller]
fn fate(app_fields: &str, object: Object, rest: Vec<Object>, expected: Fate) {
    let web = app(app_fields);
    let mut before = rest.clone();
    before.push(object);
    let change = compared(Some((&web, Ok(before))), Some((&web, Ok(rest))));
    let fates: Vec<Fate> = change.objects.iter().filter_map(|o| o.fate.clone()).collect();
    assert_eq!(fates, [expected]);
}

#[test]
fn what_goes_is_pruned_only_where_everything_allows_it() {
    let automated = "spec.syncPolicy.automated: {prune: true}";
    let rest = || vec![config("stays", "x")];
    let with = |annotations: &str| {
        object(&format!(
            "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: gone, annotations: {{{annotations}}}}}}}"
        ))
    };
    fate(automated, config("gone", "x"), rest(), Fate::Pruned);
    fate(
        "spec.syncPolicy.automated: {}",
        config("gone", "x"),
        rest(),
        Fate::NoAutomatedPrune,
    );
    fate(
        "spec.syncPolicy.automated: {prune: true, enabled: false}",
        config("gone", "x"),
        rest(),
        Fate::BySyncWithPrune,
    );
    fate(
        "spec.project: default",
        config("gone", "x"),
        rest(),
        Fate::BySyncWithPrune,
    );
    fate(automated, config("gone", "x"), vec![], Fate::WouldEmpty);
    fate(
        "spec.syncPolicy.automated: {prune: true, allowEmpty: true}",
        config("gone", "x"),
        vec![],
        Fate::Pruned,
    );
    fate(
        automated,
        with("argocd.argoproj.io/sync-options: Prune=false"),
        rest(),
        Fate::Kept,
    );
    fate(
        automated,
        with("argocd.argoproj.io/sync-options: Prune=confirm"),
        rest(),
        Fate::AfterApproval,
    );
    fate(automated, with("argocd.argoproj.io/hook: PreSync"), rest(), Fate::Hook);
    let switched_off = format!("{automated}\nspec.syncPolicy.syncOptions: [Prune=false]");
    fate(&switched_off, config("gone", "x"), rest(), Fate::Kept);
    let old = object("{apiVersion: extensions/v1beta1, kind: Ingress, metadata: {name: web}}");
    let new = object("{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: web}}");
    fate(automated, old, vec![new], Fate::SameInOtherGroup);
}

#[test]
fn what_blocks_automated_sync_blocks_pruning_and_is_named() {
    let automated = "spec.syncPolicy.automated: {prune: true}";
    let rest = || vec![config("stays", "x")];
    let with = |extra: &str| format!("{automated}\n{extra}");
    fate(
        &with("spec.ignoreDifferences: [{kind: ConfigMap, jqPathExpressions: [.data]}]"),
        config("gone", "x"),
        rest(),
        Fate::AutomatedSyncBlocked("spec.ignoreDifferences[0].jqPathExpressions".into()),
    );
    let suspended = |value: &str| {
        with(&format!(
            "metadata.annotations: {{argocd.argoproj.io/skip-reconcile: '{value}'}}"
        ))
    };
    fate(&suspended("true"), config("gone", "x"), rest(), Fate::Suspended);
    fate(&suspended("false"), config("gone", "x"), rest(), Fate::Pruned);
    // Without automated sync there is nothing to block.
    fate(
        "spec.ignoreDifferences: [{kind: ConfigMap, jqPathExpressions: [.data]}]",
        config("gone", "x"),
        rest(),
        Fate::BySyncWithPrune,
    );
}

#[test]
fn definitions_of_kinds_are_never_deleted() {
    let crd = || object("{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: a.b}}");
    let automated = "spec.syncPolicy.automated: {prune: true}";
    fate(automated, crd(), vec![config("stays", "x")], Fate::Crd);
    let web = app("metadata.finalizers: [resources-finalizer.argocd.argoproj.io]");
    let gone = compared(Some((&web, Ok(vec![crd(), config("a", "x")]))), None);
    assert!(said(&gone).ends_with(" Crd") && said(&gone).contains("/ConfigMap/shop/a WithApplication"));
    // Of another group it is a kind like any other.
    let other = object("{apiVersion: example.com/v1, kind: CustomResourceDefinition, metadata: {name: a.b}}");
    fate(automated, other, vec![config("stays", "x")], Fate::Pruned);
}

#[test]
fn an_application_that_goes_and_cannot_be_rendered_is_removed_all_the_same() {
    for (extra, expected) in [
        (
            "metadata.finalizers: [resources-finalizer.argocd.argoproj.io]",
            Departure::WithObjects,
        ),
        (
            "metadata.finalizers: [post-delete-finalizer.argocd.argoproj.io]",
            Departure::Alone,
        ),
        (
            "metadata.finalizers: [resources-finalizer.argocd.argoproj.io]\nmetadata.annotations: {argocd.argoproj.io/skip-reconcile: 'true'}",
            Departure::Suspended,
        ),
    ] {
        let web = app(extra);
        let mut change = compared(Some((&web, Err("broken"))), None);
        assert_eq!(
            (change.what, change.departure.as_ref()),
            (What::Removed, Some(&expected))
        );
        assert_eq!(change.failure.base.as_deref(), Some("broken"));
        change.keep("nobody deletes it".into());
        assert!(change.what == What::Stays && change.failure.is_none() && !change.is_none());
        let gone = compared(Some((&web, Ok(vec![config("a", "x")]))), None);
        let is_deleted = gone
            .objects
            .iter()
            .any(|o| o.fate.as_ref().is_some_and(Fate::is_deleted));
        assert_eq!(is_deleted, expected.is_deleting());
    }
    let web = app("");
    assert!(compared(None, Some((&web, Err("broken")))).departure.is_none());
}

#[test]
fn an_application_that_goes_takes_its_objects_along_only_with_a_finalizer() {
    let gone = |extra: &str| {
        let web = app(extra);
        let keep = object(
            "{apiVersion: v1, kind: ConfigMap, metadata: {name: kept, annotations: {argocd.argoproj.io/sync-options: Delete=false}}}",
        );
        said(&compared(Some((&web, Ok(vec![config("a", "x"), keep]))), None))
    };
    assert_eq!(
        gone("metadata.finalizers: [resources-finalizer.argocd.argoproj.io]"),
        "Removed /ConfigMap/shop/a WithApplication\nRemoved /ConfigMap/shop/kept LeftBehind"
    );
    assert_eq!(
        gone("spec.project: default"),
        "Removed /ConfigMap/shop/a LeftBehind\nRemoved /ConfigMap/shop/kept LeftBehind"
    );
}

#[test]
fn another_cluster_is_another_set_of_objects() {
    let (here, there) = (
        app(""),
        app("spec.destination: {server: 'https://other', namespace: shop}"),
    );
    let change = compared(
        Some((&here, Ok(vec![config("a", "x")]))),
        Some((&there, Ok(vec![config("a", "x")]))),
    );
    assert_eq!(
        said(&change),
        "Removed /ConfigMap/shop/a InOldCluster\nAdded /ConfigMap/shop/a"
    );
    let named = app("spec.destination: {name: in-cluster, namespace: shop}");
    let same = compared(
        Some((&here, Ok(vec![config("a", "x")]))),
        Some((&named, Ok(vec![config("a", "x")]))),
    );
    assert!(same.objects.is_empty() && same.moved.is_none());
}

#[test]
fn what_moves_to_another_application_says_what_a_sync_does_to_it() {
    let remark = |policy: &str, object: Object| {
        let web = app(policy);
        let keep = || config("stays", "x");
        let mut change = compared(Some((&web, Ok(vec![keep(), object]))), Some((&web, Ok(vec![keep()]))));
        let gone = change.objects.first_mut().unwrap();
        gone.other = Some("argocd/other".into());
        gone.remark().unwrap()
    };
    assert_eq!(
        remark("spec.syncPolicy.automated: {prune: true}", config("a", "x")),
        "pruned by automated sync; moves to argocd/other, whose next sync after that makes it anew; a sync of it by hand before that takes it over instead"
    );
    assert_eq!(
        remark("spec.syncPolicy.automated: {}", config("a", "x")),
        "stays: automated sync is on without prune; moves to argocd/other, which takes it over only with a sync by hand"
    );
    let crd = object("{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: a.b}}");
    assert_eq!(
        remark("spec.syncPolicy.automated: {prune: true}", crd),
        "moves to argocd/other"
    );
    let web = app("");
    let mut change = compared(Some((&web, Ok(vec![]))), Some((&web, Ok(vec![config("a", "x")]))));
    assert_eq!(change.objects[0].remark(), None);
    change.objects[0].other = Some("argocd/other".into());
    assert_eq!(change.objects[0].remark().as_deref(), Some("comes from argocd/other"));
}

#[test]
fn images_are_paired_by_their_repository() {
    let pods = |images: [&str; 2]| {
        let [a, b] = images;
        object(&format!(
            "{{apiVersion: example.com/v1, kind: Rollout, metadata: {{name: r}}, spec: {{template: {{spec: {{initContainers: [{{name: i, image: '{a}'}}], \
             containers: [{{name: c, image: '{b}'}}]}}}}}}}}"
        ))
    };
    let web = app("");
    let change = compared(
        Some((&web, Ok(vec![pods(["host:5000/shop:1.4", "helper"])]))),
        Some((&web, Ok(vec![pods(["host:5000/shop@sha256:ab", "other:2"])]))),
    );
    let said: Vec<(Option<&str>, Option<&str>)> = change
        .images
        .iter()
        .map(|i| (i.before.as_deref(), i.after.as_deref()))
        .collect();
    assert_eq!(
        said,
        [
            (Some("helper"), None),
            (Some("host:5000/shop:1.4"), Some("host:5000/shop@sha256:ab")),
            (None, Some("other:2")),
        ]
    );
}

#[test]
fn secrets_show_that_they_differ_and_nothing_else() {
    let web = app("");
    let secret = |v: &str| {
        object(&format!(
            "{{apiVersion: v1, kind: Secret, metadata: {{name: s}}, stringData: {{password: {v}}}}}"
        ))
    };
    let change = compared(
        Some((&web, Ok(vec![secret("CANARY1")]))),
        Some((&web, Ok(vec![secret("CANARY2")]))),
    );
    let shown: Vec<String> = change
        .objects
        .iter()
        .flat_map(|o| [&o.before, &o.after])
        .flatten()
        .map(|m| to_json_string(m.value()))
        .collect();
    assert!(shown.len() == 2 && shown[0] != shown[1] && shown.iter().all(|s| !s.contains("CANARY")));
}

#[test]
fn of_objects_with_one_identity_the_last_counts_and_generated_names_are_all_different() {
    let web = app("");
    let job = || object("{apiVersion: batch/v1, kind: Job, metadata: {generateName: run-}}");
    let change = compared(
        Some((&web, Ok(vec![config("a", "1"), config("a", "2"), job()]))),
        Some((&web, Ok(vec![config("a", "2"), job(), job()]))),
    );
    assert_eq!(said(&change), "Added batch/Job/shop/run-*2");
}
