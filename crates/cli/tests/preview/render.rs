//! `pintle render`.

use std::fs;

use crate::checkout::{Checkout, DEPLOYMENT, URL, application, contains};

#[test]
fn every_application_of_a_folder_is_rendered_as_its_files_stand() {
    let shop = Checkout::shop();
    let (code, out, err) = shop.pintle("render apps");
    assert_eq!(code, 0, "{err}");
    contains(
        &out,
        &[
            "# Application: argocd/chart\n",
            "greeting: good day",
            "name: chart-greeting",
            "# Application: argocd/overlay\n",
            "name: prod-web",
            "# Application: argocd/plain\n",
            "image: shop:1.4",
        ],
    );
    // What is not committed counts, new files too, and a revision knows nothing of it.
    shop.write("plain/web.yaml", &DEPLOYMENT.replace("1.4", "1.5"));
    shop.write(
        "plain/new.yaml",
        "apiVersion: v1\nkind: Service\nmetadata: {name: new}\n",
    );
    let (code, out, _) = shop.pintle("render apps/plain.yaml");
    assert_eq!(code, 0);
    contains(&out, &["image: shop:1.5", "kind: Service"]);
    assert!(!out.contains("argocd/chart"));
    let (_, out, _) = shop.pintle("render apps/plain.yaml --revision HEAD");
    contains(&out, &["image: shop:1.4"]);
    assert!(!out.contains("kind: Service"));
    // The checkout is as it was: nothing is staged.
    assert_eq!(shop.git(&["diff", "--cached", "--name-only"]), "");
    let (_, out, _) = shop.pintle("render apps/plain.yaml -o json");
    contains(
        &out,
        &["\"name\": \"plain\"", "\"revision\": ", "\"kind\": \"Deployment\""],
    );
}

#[test]
fn a_folder_that_is_a_chart_gives_the_applications_it_renders() {
    let shop = Checkout::shop();
    shop.write("root/Chart.yaml", "apiVersion: v2\nname: root\nversion: 1.0.0\n");
    shop.write("root/values.yaml", "names: [one, two]\n");
    let template = application("{{ . }}", "path: overlay", "").replace("---", "");
    shop.write(
        "root/templates/apps.yaml",
        &format!("{{{{- range .Values.names }}}}\n---\n{template}{{{{- end }}}}\n"),
    );
    let (code, out, err) = shop.pintle("render root");
    assert_eq!(code, 0, "{err}");
    contains(
        &out,
        &[
            "# Application: argocd/one\n",
            "# Application: argocd/two\n",
            "name: prod-web",
        ],
    );
    assert!(!out.contains("folder root"));
}

#[test]
fn one_that_fails_leaves_the_others_alone() {
    let shop = Checkout::shop();
    shop.app("broken", "path: nowhere", "");
    shop.app("far", "path: x", "");
    let far = shop.dir.path().join("apps/far.yaml");
    let text = fs::read_to_string(&far)
        .unwrap()
        .replace(URL, "https://elsewhere.invalid/x.git");
    fs::write(far, text).unwrap();
    let (code, out, err) = shop.pintle("render apps");
    assert_eq!(code, 20);
    contains(&out, &["# Application: argocd/broken\n# Source", "image: shop:1.4"]);
    contains(
        &err,
        &[
            "error: Application argocd/broken (apps/broken.yaml:1): nowhere",
            "error: Application argocd/far (apps/far.yaml:1)",
            "nothing is fetched with --offline",
        ],
    );
    let other = Checkout::new();
    other.write(
        "x/a.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-afar}\n",
    );
    other.commit("x");
    let map = format!("--repo https://elsewhere.invalid/x={}", other.dir.path().display());
    let (code, out, err) = shop.pintle(&format!("render apps/far.yaml {map}"));
    assert_eq!(code, 0, "{err}");
    contains(&out, &["name: from-afar"]);
}

#[test]
fn a_pinned_revision_stays_pinned() {
    let shop = Checkout::shop();
    shop.git(&["tag", "v1.0.0"]);
    shop.app("pinned", "path: plain", "");
    let file = shop.dir.path().join("apps/pinned.yaml");
    let text = fs::read_to_string(&file)
        .unwrap()
        .replace("targetRevision: main", "targetRevision: 1.x");
    fs::write(&file, text.replace("namespace: shop", "namespace: pinned")).unwrap();
    shop.commit("pinned");
    shop.write("plain/web.yaml", &DEPLOYMENT.replace("1.4", "1.5"));
    shop.commit("newer");
    let (_, out, _) = shop.pintle("render apps/pinned.yaml");
    contains(&out, &["image: shop:1.4"]);
    let (code, out, _) = shop.diff("");
    assert_eq!(code, 1);
    assert!(!out.contains("argocd/pinned"), "{out}");
    contains(
        &out,
        &[
            "note: Applications that read this repository at other revisions are not touched by this change: 1.x (1). Only HEAD, main mean what is compared.",
        ],
    );
}
