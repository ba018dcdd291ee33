//! `pintle render` and `pintle diff`, as a person types them in a checkout.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test starts programs and fails by panicking"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

use pintle_tests::checkout::git;
use tempfile::TempDir;

/// The URL that Applications name and the checkout has as a remote. Nothing answers there.
const URL: &str = "https://git.invalid/team/shop.git";

struct Checkout {
    dir: TempDir,
}

impl Checkout {
    fn new() -> Self {
        let this = Self {
            dir: TempDir::with_prefix("pintle-preview-test-").unwrap(),
        };
        this.git(&["init", "--quiet", "--initial-branch=main", "."]);
        this.git(&["remote", "add", "origin", URL]);
        this
    }

    /// The same with a repository of every sort of source, committed.
    fn shop() -> Self {
        let this = Self::new();
        for (path, text) in [
            ("plain/web.yaml", DEPLOYMENT),
            (
                "plain/old.yaml",
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: old}\n",
            ),
            (
                "plain/kept.yaml",
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kept, annotations: {argocd.argoproj.io/sync-options: Prune=false}}\n",
            ),
            ("chart/Chart.yaml", "apiVersion: v2\nname: chart\nversion: 1.0.0\n"),
            ("chart/values.yaml", "greeting: hello\n"),
            (
                "chart/templates/config.yaml",
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}-greeting}\ndata: {greeting: {{ .Values.greeting }}}\n",
            ),
            ("values/prod.yaml", "greeting: good day\n"),
            ("base/kustomization.yaml", "resources: [web.yaml]\n"),
            ("base/web.yaml", DEPLOYMENT),
            (
                "overlay/kustomization.yaml",
                "resources: [../base]\nnamePrefix: prod-\n",
            ),
        ] {
            this.write(path, text);
        }
        this.app("plain", "path: plain", AUTOMATED);
        this.app(
            "chart",
            "path: chart\n    helm: {valueFiles: [../values/prod.yaml]}",
            "",
        );
        this.app("overlay", "path: overlay", "");
        this.commit("all");
        this
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn remove(&self, path: &str) {
        fs::remove_file(self.dir.path().join(path)).unwrap();
    }

    fn app(&self, name: &str, source: &str, policy: &str) {
        self.write(&format!("apps/{name}.yaml"), &application(name, source, policy));
    }

    fn git(&self, arguments: &[&str]) -> String {
        git(self.dir.path(), arguments).unwrap()
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
    }

    /// Runs the binary offline; answers exit code, stdout and stderr.
    fn pintle(&self, line: &str) -> (i32, String, String) {
        pintle(self.dir.path(), &format!("{line} --offline"))
    }

    /// `pintle diff` from the commit before to this one.
    fn diff(&self, flags: &str) -> (i32, String, String) {
        self.pintle(&format!("diff --base HEAD~1 --head HEAD {flags}"))
    }
}

fn pintle(directory: &Path, line: &str) -> (i32, String, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_pintle"))
        .args(line.split_whitespace())
        .current_dir(directory)
        // Where Git never looks for files of a checkout.
        .env("XDG_CACHE_HOME", directory.join(".git/cache"))
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (out.status.code().unwrap(), text(out.stdout), text(out.stderr))
}

fn application(name: &str, source: &str, policy: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}, namespace: argocd}}\nspec:\n  project: default\n  destination: \
         {{server: 'https://kubernetes.default.svc', namespace: shop}}\n{policy}  source:\n    repoURL: {URL}\n    targetRevision: main\n    {source}\n"
    )
}

const AUTOMATED: &str = "  syncPolicy: {automated: {prune: true}}\n";
const DEPLOYMENT: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
      - name: web
        image: shop:1.4
";

#[track_caller]
fn contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}

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

#[test]
fn nothing_changes_where_nothing_is_read() {
    let shop = Checkout::shop();
    shop.write("README.md", "hello\n");
    shop.commit("docs");
    let (code, out, err) = shop.diff("");
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(
        out,
        "3 Applications: 0 added, 0 changed, 0 removed, 3 unchanged. Objects: 0 added, 0 changed, 0 removed, of which 0 would be deleted.\n"
    );
}

#[test]
fn what_a_commit_does_is_shown_by_application() {
    let shop = Checkout::shop();
    shop.write("plain/web.yaml", &DEPLOYMENT.replace("1.4", "1.5"));
    shop.remove("plain/old.yaml");
    shop.remove("plain/kept.yaml");
    shop.write("values/prod.yaml", "greeting: good evening\n");
    shop.remove("apps/overlay.yaml");
    shop.app("added", "path: base", "");
    shop.commit("everything");
    let (code, out, err) = shop.diff("");
    assert_eq!(code, 1, "{err}");
    contains(
        &out,
        &[
            "Application argocd/added added  apps/added.yaml:1\n  image new: shop:1.4\n  + apps/Deployment shop/web\n",
            "Application argocd/chart changed  apps/chart.yaml:1\n  ~ ConfigMap shop/chart-greeting\n",
            "-  greeting: good day\n+  greeting: good evening\n",
            "Application argocd/overlay removed",
            "  - apps/Deployment shop/prod-web  (left behind: its Application goes and does not take it along)\n",
            "Application argocd/plain changed  apps/plain.yaml:1\n  image shop:1.4 → shop:1.5\n",
            "  - ConfigMap shop/kept  (stays: Prune=false)\n  - ConfigMap shop/old  (pruned by automated sync)\n",
            "-      - image: shop:1.4\n+      - image: shop:1.5\n",
            "4 Applications: 1 added, 2 changed, 1 removed, 0 unchanged. Objects: 1 added, 2 changed, 3 removed, of which 1 would be deleted.\n",
        ],
    );
    assert!(!out.contains('\x1b'));
    let (_, coloured, _) = shop.diff("--color always");
    contains(&coloured, &["\x1b[32m+"]);
    let (code, json, _) = shop.diff("-o json");
    assert_eq!(code, 1);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["summary"]["applications"]["changed"], 2);
    let plain = json["applications"]
        .as_array()
        .unwrap()
        .iter()
        .find(|a| a["name"] == "plain")
        .unwrap();
    assert_eq!(plain["images"][0]["head"], "shop:1.5");
    let old = plain["objects"]
        .as_array()
        .unwrap()
        .iter()
        .find(|o| o["name"] == "old")
        .unwrap();
    assert_eq!(
        (&old["change"], &old["removal"]["deleted"]),
        (&"removed".into(), &true.into())
    );
    let (code, page, _) = shop.diff("-o markdown");
    assert_eq!(code, 1);
    contains(
        &page,
        &[
            "| argocd/plain | changed |",
            "shop:1.4 → shop:1.5",
            "<details><summary>argocd/plain changed</summary>",
        ],
    );
    // Another part of the repository holds no Application.
    let (code, out, _) = shop.diff("base");
    assert_eq!(code, 0);
    contains(
        &out,
        &["0 Applications", "no file at or below base describes an Application"],
    );
}

#[test]
fn the_policy_of_an_application_is_a_change_of_it() {
    let shop = Checkout::shop();
    shop.app("plain", "path: plain", "");
    shop.commit("by hand");
    let (code, out, _) = shop.diff("");
    assert_eq!(code, 1);
    contains(
        &out,
        &[
            "Application argocd/plain changed",
            "argoproj.io/Application argocd/plain",
            "-      prune: true",
        ],
    );
}

#[test]
fn applications_that_an_application_renders_are_followed() {
    let shop = Checkout::shop();
    let child = application("child", "path: overlay", "");
    shop.write("children/child.yaml", &child);
    // Its own template does not parse as YAML, so only what renders it finds it.
    shop.write("root/Chart.yaml", "apiVersion: v2\nname: root\nversion: 1.0.0\n");
    shop.write("root/values.yaml", "names: [grown]\n");
    shop.write(
        "root/templates/apps.yaml",
        &format!(
            "{{{{- range .Values.names }}}}\n---\n{}{{{{- end }}}}\n",
            application("{{ . }}", "path: base", "")
        ),
    );
    shop.app("root", "path: root", AUTOMATED);
    shop.app("itself", "path: apps", "");
    shop.commit("app of apps");
    shop.write("base/web.yaml", &DEPLOYMENT.replace("1.4", "1.5"));
    shop.write("root/values.yaml", "names: [grown, another]\n");
    shop.commit("change");
    let (code, out, err) = shop.diff("");
    assert_eq!(code, 1, "{err}");
    contains(
        &out,
        &[
            "Application argocd/another added  rendered by argocd/root",
            "Application argocd/grown changed  rendered by argocd/root",
            "Application argocd/child changed",
            "+ argoproj.io/Application argocd/another",
            "note: argocd/itself renders itself",
        ],
    );
    // A parent that cannot be rendered takes no child along.
    shop.write("root/values.yaml", "names: {{\n");
    shop.commit("broken");
    let (code, out, _) = shop.diff("");
    assert_eq!(code, 20);
    contains(
        &out,
        &[
            "Application argocd/root could not be compared",
            "  and 2 Applications that it renders: argocd/another, argocd/grown\n",
            "3 could not be compared",
        ],
    );
    let (_, json, _) = shop.diff("-o json");
    contains(
        &json,
        &[
            "\"causedBy\": \"argocd/root\"",
            "argocd/root, which renders it, could not be rendered at head",
        ],
    );
    assert!(!out.contains("removed  "), "{out}");
}

#[test]
fn what_cannot_be_rendered_is_a_failure_and_never_empty() {
    let shop = Checkout::shop();
    shop.write("chart/templates/config.yaml", "{{ fail \"no\" }}\n");
    shop.write("plain/web.yaml", &DEPLOYMENT.replace("1.4", "1.5"));
    shop.write(
        "apps/overlay.yaml",
        "kind: Application\napiVersion: argoproj.io/v1alpha1\nmetadata: {name: overlay\n",
    );
    shop.commit("broken");
    let (code, out, _) = shop.diff("");
    assert_eq!(code, 20);
    contains(
        &out,
        &[
            "Application argocd/chart could not be compared",
            "at head: ",
            "Application argocd/overlay could not be compared",
            "note: apps/overlay.yaml cannot be read at head",
            "shop:1.4 → shop:1.5",
            "0 removed, of which 0 would be deleted",
        ],
    );
    let (code, page, _) = shop.diff("-o markdown");
    assert_eq!(code, 20);
    contains(&page, &["**could not be compared**"]);
    // What became a template is not gone either.
    shop.app("plain", "path: {{ plain", "");
    shop.commit("template");
    let (_, out, _) = shop.pintle("diff --base HEAD~2 --head HEAD");
    contains(
        &out,
        &[
            "Application argocd/plain could not be compared",
            "looks like a template",
        ],
    );
    shop.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    // And back: it was not known, so nothing is called added.
    shop.git(&["revert", "--no-edit", "HEAD"]);
    let (code, out, _) = shop.diff("");
    assert_eq!(code, 1);
    contains(
        &out,
        &["Application argocd/chart could not be compared", "at base: ", "0 added"],
    );
}

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

#[test]
fn secrets_are_masked_everywhere() {
    let shop = Checkout::shop();
    let secret = |value: &str| {
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{password: {value}}}\n")
    };
    shop.write("plain/secret.yaml", &secret("CANARY1"));
    shop.commit("one");
    shop.write("plain/secret.yaml", &secret("CANARY2"));
    shop.commit("two");
    for format in ["text", "json", "markdown"] {
        let (code, out, err) = shop.diff(&format!("-o {format}"));
        assert_eq!(code, 1);
        contains(&out, &["++++++++"]);
        assert!(!out.contains("CANARY") && !err.contains("CANARY"), "{out}{err}");
    }
}

#[test]
fn a_comment_is_bounded_and_its_fences_hold() {
    let shop = Checkout::shop();
    for i in 0..400 {
        shop.app(&format!("many-{i:03}"), &format!("path: many/{i}"), "");
        let text = format!("ä```` {i} ").repeat(40);
        shop.write(
            &format!("many/{i}/a.yaml"),
            &format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n  text: |-\n    {text}\n"),
        );
    }
    shop.commit("many");
    let (code, page, _) = shop.diff("-o markdown");
    assert_eq!(code, 1);
    let count = page.chars().count();
    assert!(count <= 65_000 && count > 50_000, "{count}");
    contains(
        &page,
        &["**Cut to fit a comment of 65000 characters:**", "the diffs of"],
    );
    assert_eq!(page.matches("<details>").count(), page.matches("</details>").count());
    let blocks = fenced(&page);
    assert!(blocks > 10, "{blocks}");
    contains(&page, &["`````diff"]);
}

/// Counts the blocks of code as Markdown reads them: each ends with the first line of as many backticks, and that has to be the one we wrote.
#[track_caller]
fn fenced(page: &str) -> usize {
    let mut open: Option<String> = None;
    let mut blocks = 0;
    for line in page.lines() {
        let ticks: String = line.trim_start().chars().take_while(|c| *c == '`').collect();
        match &open {
            None if ticks.len() >= 3 => {
                assert_eq!(line, format!("{ticks}diff"));
                open = Some(ticks);
            }
            Some(fence) if ticks.len() >= fence.len() => {
                assert_eq!(line, fence, "a line of the text ends the block");
                open = None;
                blocks += 1;
            }
            Some(_) => assert!(!line.contains("details>"), "{line}"),
            None => {}
        }
    }
    assert!(open.is_none());
    blocks
}

#[test]
fn application_sets_are_counted_aloud() {
    let shop = Checkout::shop();
    shop.write(
        "apps/set.yaml",
        "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: s}\nspec: {}\n",
    );
    shop.commit("set");
    let (code, out, _) = shop.diff("");
    assert_eq!(code, 0);
    contains(&out, &["note: ApplicationSets are not expanded (0 at base, 1 at head)"]);
}

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
fn exit_codes_of_wrong_usage_and_of_what_is_not_there() {
    let shop = Checkout::shop();
    for line in [
        "diff",
        "diff --base main",
        "diff --base main --head main -o xml",
        "render",
        "--loglevel debug diff",
    ] {
        assert_eq!(pintle(shop.dir.path(), line).0, 2, "{line}");
    }
    assert_eq!(shop.pintle("render apps --repo nonsense").0, 2);
    let (code, _, err) = shop.pintle("diff --base nowhere --head main");
    assert_eq!(code, 20);
    contains(&err, &["nowhere", "fetch-depth"]);
    let (code, _, said) = shop.pintle("diff --base HEAD --head HEAD aps");
    assert_eq!(code, 20);
    contains(&said, &["aps is neither at HEAD nor at HEAD"]);
    assert_eq!(shop.pintle("render nowhere").0, 20);
    assert_eq!(shop.pintle("render plain").0, 20);
    let bare = TempDir::new().unwrap();
    assert_eq!(pintle(bare.path(), "diff --base a --head b").0, 20);
}
