//! What `pintle diff` says becomes of what leaves Git.

use crate::checkout::{AUTOMATED, Checkout, DEPLOYMENT, application, contains};

const FINALIZER: &str = "namespace: argocd, finalizers: [resources-finalizer.argocd.argoproj.io]}";

#[test]
fn one_that_comes_or_goes_is_counted_even_if_it_cannot_be_rendered() {
    let shop = Checkout::shop();
    shop.write("doomed/x.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a\n");
    let doomed = application("doomed", "path: doomed", "");
    shop.write("apps/doomed.yaml", &doomed.replace("namespace: argocd}", FINALIZER));
    shop.app("left", "path: doomed", "");
    shop.commit("both");
    let (code, out, _) = shop.diff("");
    assert_eq!(code, 20);
    contains(
        &out,
        &[
            "Application argocd/doomed added",
            "  it cannot be rendered, at head: doomed/x.yaml",
            "+    path: doomed\n",
            "2 added, 0 changed, 0 removed, 3 unchanged. ",
        ],
    );
    shop.remove("apps/doomed.yaml");
    shop.remove("apps/left.yaml");
    shop.commit("none");
    let (code, out, _) = shop.diff("");
    assert_eq!(code, 1);
    contains(
        &out,
        &[
            "Application argocd/doomed removed",
            "  with finalizer: everything it owns is deleted; which objects is not known, at base: doomed/x.yaml",
            "  without finalizer: everything it owns is left behind; which objects is not known, at base: doomed/x.yaml",
            "0 added, 0 changed, 2 removed, 3 unchanged. ",
            "of which 0 would be deleted; those of 2 Applications are not known.\n",
        ],
    );
    let (_, page, _) = shop.diff("-o markdown");
    contains(
        &page,
        &["| argocd/doomed | removed | with finalizer: everything it owns is deleted"],
    );
}

#[test]
fn a_child_goes_only_if_its_parent_deletes_it() {
    let shop = Checkout::new();
    shop.write("web/web.yaml", DEPLOYMENT);
    shop.write("leaf/web.yaml", DEPLOYMENT);
    let with_finalizer = |name: &str, source: &str, policy: &str| {
        application(name, source, policy).replace("namespace: argocd}", FINALIZER)
    };
    shop.write("children/other.yaml", &application("other", "path: web", ""));
    shop.write("children/mid.yaml", &with_finalizer("mid", "path: mid", ""));
    shop.write("mid/leaf.yaml", &with_finalizer("leaf", "path: leaf", ""));
    shop.app("root", "path: children", "");
    shop.commit("by hand");
    shop.remove("children/mid.yaml");
    shop.remove("mid/leaf.yaml");
    shop.commit("gone");
    let (code, out, err) = shop.diff("");
    assert_eq!(code, 1, "{err}");
    contains(
        &out,
        &[
            "Application argocd/mid stays  rendered by argocd/root\n  with what it owns, and is not compared further: argocd/root, which renders it: \
             stays until a sync with --prune: there is no automated sync\n",
            "Application argocd/leaf stays",
            "argocd/mid, which renders it, stays itself",
            "0 added, 1 changed, 0 removed, 1 unchanged, 2 no longer in Git and kept. Objects: 0 added, 0 changed, 1 removed, of which 0 would be deleted.",
        ],
    );
    // The same where the parent prunes.
    shop.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    shop.app("root", "path: children", AUTOMATED);
    shop.commit("automated");
    shop.remove("children/mid.yaml");
    shop.remove("mid/leaf.yaml");
    shop.commit("gone");
    let (_, out, _) = shop.diff("");
    contains(
        &out,
        &[
            "argoproj.io/Application argocd/mid  (pruned by automated sync)",
            "Application argocd/mid removed",
            "  - argoproj.io/Application argocd/leaf  (deleted with its Application, which has a finalizer)",
            "  - apps/Deployment shop/web  (deleted with its Application, which has a finalizer)",
            "0 added, 1 changed, 2 removed, 1 unchanged. Objects: 0 added, 0 changed, 3 removed, of which 3 would be deleted.",
        ],
    );
    // And where the parent goes and leaves its children behind.
    shop.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    shop.git(&["rm", "-r", "--quiet", "children", "apps", "mid"]);
    shop.commit("all gone");
    let (_, out, _) = shop.diff("");
    contains(
        &out,
        &[
            "Application argocd/root removed",
            "Application argocd/mid stays",
            "Application argocd/leaf stays",
            "Application argocd/other stays",
            "of which 0 would be deleted.",
        ],
    );
}

#[test]
fn what_blocks_automated_sync_is_named() {
    let shop = Checkout::shop();
    let policy = format!("{AUTOMATED}  ignoreDifferences: [{{kind: ConfigMap, jqPathExpressions: [.data]}}]\n");
    shop.app("plain", "path: plain", &policy);
    shop.write(
        "plain/crd.yaml",
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a.example.com}\n",
    );
    shop.commit("blocked");
    shop.remove("plain/old.yaml");
    shop.remove("plain/crd.yaml");
    shop.commit("gone");
    let (code, out, _) = shop.diff("");
    assert_eq!(code, 1);
    contains(
        &out,
        &[
            "(stays: a CustomResourceDefinition is not pruned and outlives its Application)",
            "(stays until a sync with --prune: automated sync is blocked by spec.ignoreDifferences[0].jqPathExpressions)",
            "2 removed, of which 0 would be deleted.",
        ],
    );
}

#[test]
fn what_moves_between_applications_says_where_to() {
    let shop = Checkout::shop();
    shop.write("other/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n");
    shop.app("other", "path: other", "");
    // The same name in another cluster is another object.
    let far = application("far", "path: far", "").replace("https://kubernetes.default.svc", "https://far.invalid");
    shop.write("apps/far.yaml", &far);
    shop.write("far/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n");
    shop.commit("other");
    shop.git(&["mv", "plain/old.yaml", "other/old.yaml"]);
    shop.write(
        "far/kept.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kept}\n",
    );
    shop.remove("plain/kept.yaml");
    shop.commit("moved");
    let (code, out, err) = shop.diff("");
    assert_eq!(code, 1, "{err}");
    contains(
        &out,
        &[
            "  - ConfigMap shop/old  (pruned by automated sync; moves to argocd/other, whose next sync after that makes it anew",
            "  + ConfigMap shop/old  (comes from argocd/plain)\n",
            "  - ConfigMap shop/kept  (stays: Prune=false)\n",
            "  + ConfigMap shop/kept\n",
            "2 removed, of which 1 would be deleted.",
        ],
    );
    let (_, json, _) = shop.diff("-o json");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let moves: Vec<String> = json["applications"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|a| a["objects"].as_array().unwrap())
        .filter(|o| !o["moves"].is_null())
        .map(|o| format!("{} {}", o["name"], o["moves"]))
        .collect();
    assert_eq!(
        moves,
        [r#""old" {"from":"argocd/plain"}"#, r#""old" {"to":"argocd/other"}"#]
    );
}
