//! Which states are compared, and what of them is not.

use std::fs;

use crate::checkout::{AUTOMATED, Checkout, DEPLOYMENT, application, contains};

#[test]
fn what_is_not_compared_is_said() {
    let checkout = Checkout::shop();
    let template = application("made", "path: plain", "").replace("name: made", "name: {{ .Values.name }}");
    checkout.write("boot/Chart.yaml", "apiVersion: v2\nname: boot\nversion: 1.0.0\n");
    checkout.write("boot/templates/app.yaml", &template);
    checkout.write("plain/half.yaml", "apiVersion: v1\nki");
    checkout.write(
        "plain/more.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\n",
    );
    checkout.commit("a bootstrap chart, and half a manifest");
    let (code, text, said) = checkout.diff("");
    assert_eq!(code, 1, "{said}");
    contains(
        &text,
        &[
            "boot makes Applications",
            "no Application here renders it",
            "argocd/plain: plain/half.yaml",
        ],
    );
    // Whoever renders it takes the note away.
    checkout.app(
        "boot",
        "path: boot\n    helm: {parameters: [{name: name, value: made}]}",
        "",
    );
    checkout.commit("its Application");
    let (_, text, _) = checkout.diff("");
    assert!(!text.contains("no Application here renders it"), "{text}");

    checkout.git(&["switch", "--quiet", "--create", "late", "HEAD~2"]);
    checkout.write("README.md", "late\n");
    checkout.commit("late");
    let (_, text, _) = checkout.pintle("diff --base main --head late");
    contains(&text, &["main has commits that late has not", "--merge-base"]);
    let (code, text, _) = checkout.pintle("diff --base main --head late --merge-base");
    assert_eq!(code, 0);
    assert!(!text.contains("has commits that"), "{text}");
}

#[test]
fn head_is_the_default_branch_where_that_is_known() {
    let shop = Checkout::shop();
    shop.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    shop.git(&["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main"]);
    for (name, revision) in [("released", "release-1"), ("floating", "HEAD")] {
        let app = application(name, "path: plain", "")
            .replace("targetRevision: main", &format!("targetRevision: {revision}"));
        shop.write(&format!("apps/{name}.yaml"), &app);
    }
    shop.commit("one of a release");
    shop.git(&["branch", "release-1"]);
    shop.git(&["checkout", "--quiet", "-b", "fix"]);
    shop.write("plain/web.yaml", &DEPLOYMENT.replace("1.4", "1.5"));
    shop.commit("fix");
    let (code, out, _) = shop.pintle("diff --base release-1 --head fix");
    assert_eq!(code, 1, "{out}");
    contains(
        &out,
        &[
            "argocd/released changed",
            "HEAD (1), main (3). Only fix, release-1 mean what is compared",
        ],
    );
    assert!(!out.contains("argocd/floating changed"), "{out}");
    // Where it is one of those compared, it means them.
    let (_, out, _) = shop.pintle("diff --base main --head fix");
    contains(&out, &["argocd/floating changed"]);
}

#[test]
fn time_stands_still_in_a_preview() {
    let checkout = Checkout::shop();
    checkout.write(
        "chart/templates/config.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: t}\ndata: {at: {{ now | date \"2006-01-02T15:04:05.999999999\" | quote }}}\n",
    );
    checkout.commit("a time");
    checkout.write("chart/README.md", "read with the chart\n");
    checkout.commit("a file of the chart");
    let (code, text, said) = checkout.diff("--no-cache");
    assert_eq!(code, 0, "{text}{said}");
}

#[test]
fn the_commit_where_branches_parted_can_be_the_base() {
    let shop = Checkout::shop();
    shop.git(&["checkout", "--quiet", "-b", "feature"]);
    shop.write("plain/web.yaml", &DEPLOYMENT.replace("1.4", "1.5"));
    shop.commit("feature");
    shop.git(&["checkout", "--quiet", "main"]);
    shop.write("values/prod.yaml", "greeting: good night\n");
    shop.commit("meanwhile");
    let (_, out, _) = shop.pintle("diff --base main --head feature");
    contains(&out, &["argocd/chart changed", "argocd/plain changed"]);
    let (_, out, _) = shop.pintle("diff --base main --head feature --merge-base");
    assert!(
        out.contains("argocd/plain changed") && !out.contains("argocd/chart"),
        "{out}"
    );
}

#[test]
fn on_a_branch_of_its_own_a_checkout_still_stands_for_the_default_branch() {
    let shop = Checkout::shop();
    shop.git(&["checkout", "--quiet", "-b", "feature"]);
    shop.write("plain/web.yaml", &DEPLOYMENT.replace("1.4", "1.5"));
    let (code, out, err) = shop.pintle("render apps/plain.yaml");
    assert_eq!(code, 0);
    contains(&out, &["image: shop:1.5"]);
    contains(
        &err,
        &["note: targetRevision HEAD, feature, main means the files as they stand in "],
    );
    // As in CI: the base is a commit that no branch stands at any more.
    shop.commit("change");
    let base = shop.git(&["rev-parse", "main"]);
    shop.git(&["commit", "--quiet", "--allow-empty", "--message", "on"]);
    shop.git(&["branch", "--force", "main", "HEAD"]);
    let (code, out, _) = shop.pintle(&format!("diff --base {base} --head feature"));
    assert_eq!(code, 1, "{out}");
    contains(&out, &["argocd/plain changed"]);
}

#[test]
fn renders_are_kept_from_run_to_run() {
    let shop = Checkout::shop();
    shop.write("plain/web.yaml", &DEPLOYMENT.replace("1.4", "1.5"));
    shop.commit("change");
    let cache = shop.dir.path().join(".git/cache/pintle/renders");
    let without = shop.diff("--no-cache");
    assert!(without.0 == 1 && !cache.exists(), "{without:?}");
    let cold = shop.diff("");
    assert_eq!(cold, without);
    let kept = || fs::read_dir(&cache).unwrap().map(|entry| entry.unwrap().path());
    // One of each Application, at base.
    assert_eq!(kept().count(), 3);
    let (_, out, log) = shop.diff("--loglevel info");
    assert_eq!(out, without.1);
    // The one that differs, at head. The number stands between codes of colours.
    let count = log.split("renders").nth(1).unwrap().split_once('=').unwrap().1;
    let count = count.split('m').nth(1).unwrap();
    assert!(count.starts_with("1\n") || count.starts_with("1\u{1b}"), "{log:?}");
    for file in kept() {
        let mut bytes = fs::read(&file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(file, bytes).unwrap();
    }
    let (code, out, err) = shop.diff("");
    assert_eq!((code, &out), (without.0, &without.1));
    assert_eq!(err.matches("is damaged").count(), 1, "{err}");
    assert_eq!(shop.diff(""), without);
}

#[test]
fn a_base_of_applications_that_overlays_patch_is_no_application() {
    let shop = Checkout::new();
    shop.app("dev", "path: argo/overlays/dev", AUTOMATED);
    shop.write(
        "argo/base/shop.yaml",
        &application("shop", "path: PATCHED-BY-OVERLAY", AUTOMATED),
    );
    shop.write("argo/base/kustomization.yaml", "resources: [shop.yaml]\n");
    shop.write(
        "argo/overlays/dev/kustomization.yaml",
        "resources: [../../base]\nnamePrefix: dev-\npatches:\n- target: {kind: Application}\n  patch: |\n    \
         - {op: replace, path: /spec/source/path, value: plain}\n",
    );
    shop.write("plain/web.yaml", DEPLOYMENT);
    shop.commit("all");
    let (code, out, err) = shop.pintle("diff --base HEAD --head HEAD");
    assert_eq!(code, 0, "{out}{err}");
    contains(
        &out,
        &[
            "note: not taken for Applications, for the kustomization of argocd/dev makes others of them: argo/base/shop.yaml\n",
            "2 Applications: 0 added, 0 changed, 0 removed, 2 unchanged.",
        ],
    );
    // A change of the base is one of what comes out of it.
    shop.write(
        "argo/base/shop.yaml",
        &application("shop", "path: PATCHED-BY-OVERLAY", ""),
    );
    shop.commit("by hand");
    let (code, out, err) = shop.diff("");
    assert_eq!(code, 1, "{out}{err}");
    contains(
        &out,
        &["~ argoproj.io/Application argocd/dev-shop\n", "-    automated:\n"],
    );
    assert!(!out.contains("argocd/shop "), "{out}");
    // Listed as it stands, it is an Application, found twice and shown once.
    shop.write("argo/overlays/dev/kustomization.yaml", "resources: [../../base]\n");
    shop.write("argo/base/shop.yaml", &application("shop", "path: plain", ""));
    shop.commit("plain");
    let (code, out, err) = shop.diff("");
    assert_eq!(code, 1, "{out}{err}");
    contains(
        &out,
        &[
            "Application argocd/shop added  rendered by argocd/dev",
            "Application argocd/dev-shop removed",
        ],
    );
    contains(&out, &["argo/base/shop.yaml (at base)\n"]);
}
