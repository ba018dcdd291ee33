//! A checkout with Applications of every sort, and the program run in it.

use std::fs;
use std::path::Path;
use std::process::Command;

use pintle_tests::checkout::git;
use tempfile::TempDir;

/// The URL that Applications name and the checkout has as a remote. Nothing answers there.
pub const URL: &str = "https://git.invalid/team/shop.git";

pub struct Checkout {
    pub dir: TempDir,
}

impl Checkout {
    pub fn new() -> Self {
        let this = Self {
            dir: TempDir::with_prefix("pintle-preview-test-").unwrap(),
        };
        this.git(&["init", "--quiet", "--initial-branch=main", "."]);
        this.git(&["remote", "add", "origin", URL]);
        this
    }

    /// The same with a repository of every sort of source, committed.
    pub fn shop() -> Self {
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

    pub fn write(&self, path: &str, text: &str) {
        let path = self.dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn remove(&self, path: &str) {
        fs::remove_file(self.dir.path().join(path)).unwrap();
    }

    pub fn app(&self, name: &str, source: &str, policy: &str) {
        self.write(&format!("apps/{name}.yaml"), &application(name, source, policy));
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        git(self.dir.path(), arguments).unwrap()
    }

    pub fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
    }

    /// Runs the binary offline; answers exit code, stdout and stderr.
    pub fn pintle(&self, line: &str) -> (i32, String, String) {
        pintle(self.dir.path(), &format!("{line} --offline"))
    }

    /// `pintle diff` from the commit before to this one.
    pub fn diff(&self, flags: &str) -> (i32, String, String) {
        self.pintle(&format!("diff --base HEAD~1 --head HEAD {flags}"))
    }
}

pub fn pintle(directory: &Path, line: &str) -> (i32, String, String) {
    pintle_words(directory, &line.split_whitespace().collect::<Vec<_>>())
}

pub fn pintle_words(directory: &Path, words: &[&str]) -> (i32, String, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_pintle"))
        .args(words)
        .current_dir(directory)
        // Where Git never looks for files of a checkout.
        .env("XDG_CACHE_HOME", directory.join(".git/cache"))
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (out.status.code().unwrap(), text(out.stdout), text(out.stderr))
}

pub fn application(name: &str, source: &str, policy: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}, namespace: argocd}}\nspec:\n  project: default\n  destination: \
         {{server: 'https://kubernetes.default.svc', namespace: shop}}\n{policy}  source:\n    repoURL: {URL}\n    targetRevision: main\n    {source}\n"
    )
}

pub const AUTOMATED: &str = "  syncPolicy: {automated: {prune: true}}\n";
pub const DEPLOYMENT: &str = "apiVersion: apps/v1
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
pub fn contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}
