//! `pintle helm` beside `helm`: the same words give the same output.
//!
//! Without Go the tests step aside, aloud.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test starts programs and fails by panicking"
)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use pintle_tests::{oracle::helm_tools, require_or_step_aside};

/// Both programs, each in a directory of its own with the same files.
struct Both {
    helm: PathBuf,
    directories: [tempfile::TempDir; 2],
}

/// What a program did.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    out: String,
    /// Without the word before it, which is `Error` there and `error` here.
    err: String,
    success: bool,
}

impl Both {
    /// `None` where the test must step aside.
    fn new(test: &str, files: &[(&str, &str)]) -> Option<Self> {
        let helm = require_or_step_aside(test, helm_tools())?.join("helm");
        let both = Self {
            helm,
            directories: [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()],
        };
        for (name, text) in files {
            both.write(name, text);
        }
        Some(both)
    }

    fn write(&self, name: &str, text: &str) {
        for directory in &self.directories {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    fn remove(&self, name: &str) {
        for directory in &self.directories {
            let path = directory.path().join(name);
            let _ = fs::remove_dir_all(&path);
            let _ = fs::remove_file(&path);
        }
    }

    /// What helm and we say to the same words.
    fn say(&self, words: &[&str]) -> [Said; 2] {
        let [there, here] = &self.directories;
        let mut helm = Command::new(&self.helm);
        helm.env_clear()
            .env("HOME", there.path())
            .env("TZ", "UTC")
            .args(words)
            .current_dir(there.path());
        let mut ours = Command::new(env!("CARGO_BIN_EXE_pintle_cli"));
        ours.arg("helm").args(words).current_dir(here.path());
        [helm, ours].map(|mut program| {
            let output = program.output().unwrap();
            let err = String::from_utf8_lossy(&output.stderr).into_owned();
            Said {
                out: String::from_utf8_lossy(&output.stdout).into_owned(),
                err: err.replacen("Error: ", "", 1).replacen("error: ", "", 1),
                success: output.status.success(),
            }
        })
    }

    /// Both succeed with the same output.
    fn same(&self, words: &[&str]) {
        let [helm, ours] = self.say(words);
        assert!(helm.success, "helm {words:?}: {}", helm.err);
        assert!(ours.success, "{words:?}: {}", ours.err);
        assert_eq!(ours.out, helm.out, "{words:?}");
    }

    /// Both fail with the same words.
    fn same_failure(&self, words: &[&str]) {
        let [helm, ours] = self.say(words);
        assert!(!helm.success && !ours.success, "{words:?}: {helm:?} {ours:?}");
        assert_eq!(ours, helm, "{words:?}");
    }

    /// The files below a directory, here and there.
    fn files(&self, below: &str) -> [BTreeMap<String, String>; 2] {
        self.directories.each_ref().map(|directory| {
            let mut files = BTreeMap::new();
            add(&directory.path().join(below), "", &mut files);
            files
        })
    }
}

fn add(directory: &Path, name: &str, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{name}/{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            add(&entry.path(), &name, files);
        } else {
            let bytes = fs::read(entry.path()).unwrap();
            files.insert(name, String::from_utf8_lossy(&bytes).into_owned());
        }
    }
}

const SHOP: &[(&str, &str)] = &[
    (
        "shop/Chart.yaml",
        "apiVersion: v2\nname: shop\nversion: 1.2.3\nappVersion: 1.10\nkubeVersion: '>=1.20-0'\ntype: application\ndescription: >-\n  A shop & \
         more\nhome: https://example.com/shop\nicon: https://example.com/shop.svg\nsources: [https://example.com/src]\nkeywords: [shop, \
         'yes']\nmaintainers:\n- name: Jo\n  email: jo@example.com\n- name: Al\n  url: https://example.com/al\nannotations:\n  z: '1'\n  a: \
         'true'\ndependencies:\n- name: near\n  version: '>=0.1 <1'\n  repository: file://../near\n  alias: next\n  tags: [a, b]\n  condition: \
         next.enabled\n  import-values:\n  - data\n  - child: x\n    parent: y\n- name: near\n  version: 0.x\n  repository: file://../near\n",
    ),
    (
        "shop/values.yaml",
        "# Which\nimage: shop:1.4\nreplicas: 1\nnext:\n  enabled: true\n",
    ),
    ("shop/README.md", "# Shop\n\nSells."),
    (
        "shop/crds/a.yaml",
        "---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: as.example.com\n",
    ),
    (
        "shop/crds/b.yaml",
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: bs.example.com\n",
    ),
    (
        "shop/templates/a.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n  namespace: {{ .Release.Namespace }}\ndata:\n  image: {{ \
         required \"an image\" .Values.image | quote }}\n  has: {{ .Capabilities.APIVersions.Has \"x.io/v1\" | quote }}\n  kube: {{ \
         .Capabilities.KubeVersion.Version }}\n  upgrade: {{ .Release.IsUpgrade | quote }}\n---\napiVersion: v1\nkind: Secret\nmetadata:\n  \
         name: s\n",
    ),
    (
        "shop/templates/test.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: check\n  annotations:\n    helm.sh/hook: test\n",
    ),
    ("shop/templates/NOTES.txt", "Thanks.\n"),
    ("near/Chart.yaml", "apiVersion: v2\nname: near\nversion: 0.3.1\n"),
    ("near/values.yaml", "exports:\n  data:\n    from: near\nx: {z: 1}\n"),
    (
        "near/crds/c.yaml",
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: cs.example.com\n",
    ),
    (
        "near/templates/n.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: near-{{ .Chart.Name }}\ndata:\n  x: {{ .Values.x | toJson | quote }}\n",
    ),
    ("over.yaml", "image: shop:1.5\n"),
    ("text.txt", "from, a file\n"),
];

#[test]
fn templates() {
    let Some(both) = Both::new("helm_cli::templates", SHOP) else {
        return;
    };
    both.same_failure(&["template", "shop"]);
    for words in [
        &["template", "shop", "--dependency-update"][..],
        &[
            "template",
            "web",
            "shop",
            "-n",
            "prod",
            "-f",
            "over.yaml",
            "--set",
            "replicas=3",
        ],
        &[
            "template",
            "shop",
            "--set-file",
            "image=text.txt",
            "--set-json",
            "a={\"b\":[1]}",
        ],
        &[
            "template",
            "shop",
            "--name-template",
            "{{ \"AB\" | lower }}-{{ add 1 2 }}",
        ],
        &["template", "shop", "--generate-name"],
        &["template", "shop", "--include-crds", "--no-hooks"],
        &[
            "template",
            "shop",
            "--skip-tests",
            "--is-upgrade",
            "-a",
            "x.io/v1,y.io/v1",
            "--kube-version",
            "v1.30.2",
        ],
        &["template", "shop", "-s", "templates/a.yaml"],
        &["template", "shop", "-s", "charts/*/templates/*.yaml"],
        &[
            "template",
            "shop",
            "--set-literal",
            "image=a,b={c}",
            "--set-string",
            "replicas=1",
        ],
        &["template", "shop", "--dry-run", "--create-namespace", "--replace"],
    ] {
        both.same(words);
    }
    for words in [
        &["template", "shop", "--set", "image="][..],
        &["template", "web", "shop", "--generate-name"],
        &["template", "web", "shop", "--name-template", "x"],
        &["template", "shop", "--name-template", "A B"],
        &["template", "shop", "-s", "templates/none.yaml"],
        &["template", "shop", "--kube-version", "new"],
        &["template", "./none"],
        &["template", "shop", "-f", "none.yaml"],
        &["template", "shop", "--kube-version", "1.19.0"],
    ] {
        both.same_failure(words);
    }
    both.same(&["template", "web", "shop", "--include-crds", "--output-dir", "out"]);
    both.same(&[
        "template",
        "web",
        "shop",
        "--release-name",
        "--skip-tests",
        "--output-dir",
        "named",
    ]);
    for directory in ["out", "named"] {
        let [there, here] = both.files(directory);
        assert!(there.len() > 2, "{there:?}");
        assert_eq!(here, there);
    }
}

#[test]
fn shows() {
    let Some(both) = Both::new("helm_cli::shows", SHOP) else {
        return;
    };
    for part in ["chart", "values", "readme", "crds", "all"] {
        both.same(&["show", part, "shop"]);
        both.same(&["show", part, "near"]);
    }
    both.write(
        "old/Chart.yaml",
        "name: old\nversion: 1.0.0\ndeprecated: true\ntags: a\n",
    );
    both.write(
        "old/requirements.yaml",
        "dependencies:\n- name: x\n  version: 1\n  repository: https://h/c\n",
    );
    both.write("old/Readme.TXT", "old\n");
    both.same(&["show", "all", "old"]);
    both.same_failure(&["show", "chart", "./none"]);
    both.write("bad/Chart.yaml", "name: bad\n");
    both.same_failure(&["show", "chart", "bad"]);
}

/// The line of a lock that both write alike.
fn digest(lock: &str) -> String {
    let line = lock.lines().find(|line| line.starts_with("digest: "));
    line.unwrap_or_else(|| panic!("no digest in {lock}")).to_owned()
}

#[test]
fn dependencies() {
    let Some(both) = Both::new("helm_cli::dependencies", SHOP) else {
        return;
    };
    both.same(&["dependency", "list", "shop"]);
    both.same(&["dependency", "list", "near"]);
    both.same(&["dependency", "update", "shop"]);
    let locks = || {
        both.directories
            .each_ref()
            .map(|d| fs::read_to_string(d.path().join("shop/Chart.lock")).unwrap())
    };
    let [there, here] = locks();
    assert_eq!(digest(&here), digest(&there));
    let before_time = |lock: &str| lock.split("generated").next().unwrap_or_default().to_owned();
    assert_eq!(before_time(&here), before_time(&there));
    both.same(&["dependency", "list", "shop"]);
    both.same(&["template", "shop"]);
    // Each reads what the other wrote.
    let [helm, ours] = &both.directories;
    fs::write(helm.path().join("shop/Chart.lock"), &here).unwrap();
    fs::write(ours.path().join("shop/Chart.lock"), &there).unwrap();
    let archive = "shop/charts/near-0.3.1.tgz";
    let packed = [helm, ours].map(|d| fs::read(d.path().join(archive)).unwrap());
    fs::write(helm.path().join(archive), &packed[1]).unwrap();
    fs::write(ours.path().join(archive), &packed[0]).unwrap();
    both.same(&["template", "shop", "--include-crds"]);
    both.remove("shop/charts");
    both.same(&["dependency", "build", "shop"]);
    both.same(&["template", "shop"]);
    both.write("near/Chart.yaml", "apiVersion: v2\nname: near\nversion: 2.0.0\n");
    both.same_failure(&["dependency", "update", "shop"]);
    both.write(
        "shop/Chart.yaml",
        "apiVersion: v2\nname: shop\nversion: 1.2.3\ndependencies: [{name: near, version: 2.x, repository: file://../near}]\n",
    );
    both.same_failure(&["dependency", "build", "shop"]);
    both.same(&["dependency", "list", "shop"]);
    both.same(&["dep", "up", "shop"]);
    both.same(&["dependency", "list", "shop"]);
    both.write(
        "shop/charts/extra/Chart.yaml",
        "apiVersion: v2\nname: extra\nversion: 1.0.0\n",
    );
    both.write("shop/charts/none/x", "");
    both.same(&["dependency", "list", "shop"]);
    for (dependency, name) in [
        ("{name: inner, version: 1.x, repository: ''}", "without a repository"),
        (
            "{name: near, version: 'a b', repository: file://../near}",
            "a bad range",
        ),
        ("{name: near, version: 1.x, repository: file://../none}", "nowhere"),
    ] {
        both.write(
            "shop/Chart.yaml",
            &format!("apiVersion: v2\nname: shop\nversion: 1.2.3\ndependencies: [{dependency}]\n"),
        );
        let [helm, ours] = both.say(&["dependency", "update", "shop"]);
        assert!(!helm.success && !ours.success, "{name}: {helm:?} {ours:?}");
        assert_eq!((ours.out, ours.err), (helm.out, helm.err), "{name}");
    }
    both.remove("shop/charts");
    both.write(
        "shop/charts/inner/Chart.yaml",
        "apiVersion: v2\nname: inner\nversion: 1.4.0\n",
    );
    both.write(
        "shop/Chart.yaml",
        "apiVersion: v2\nname: shop\nversion: 1.2.3\ndependencies: [{name: inner, version: 1.x, repository: ''}]\n",
    );
    both.same(&["dependency", "update", "shop"]);
    let [there, here] = locks();
    assert_eq!(digest(&here), digest(&there));
    // A chart of version 1 keeps its lock elsewhere.
    both.write("old/Chart.yaml", "apiVersion: v1\nname: old\nversion: 1.0.0\n");
    both.write(
        "old/requirements.yaml",
        "dependencies:\n- name: near\n  version: 2.x\n  repository: file://../near\n",
    );
    both.same(&["dependency", "update", "old"]);
    let [there, here] = both
        .directories
        .each_ref()
        .map(|d| fs::read_to_string(d.path().join("old/requirements.lock")).unwrap());
    assert_eq!(digest(&here), digest(&there));
    both.same(&["dependency", "build", "old"]);
}
