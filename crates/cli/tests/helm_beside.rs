//! `pintle helm` beside `helm`: the same words give the same output.
//!
//! Without Go the tests step aside, aloud.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test starts programs and fails by panicking"
)]

mod go;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

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
        let helm = go::helm(test)?;
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
        let mut ours = Command::new(env!("CARGO_BIN_EXE_pintle"));
        ours.arg("helm").args(words).current_dir(here.path());
        [helm, ours].map(|mut program| {
            let output = program.output().unwrap();
            let err = String::from_utf8_lossy(&output.stderr).into_owned();
            // Helm logs there too.
            let said = err.split_inclusive('\n').filter(|line| !line.starts_with("level="));
            let err: String = said.collect();
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
    both.write("shop/charts/_none/x", "");
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

/// A chart whose ConfigMap holds one certificate and key of each way to make one.
const CERTIFICATES: &str = r#"
{{- $ca := genCA "example-ca" 730 }}
{{- $signed := genSignedCert "web.example.com" (list "10.0.0.1" "::1") (list "web.example.com" "*.web.example.com") 90 $ca }}
{{- $self := genSelfSignedCert "self.example.com" (list "127.0.0.1") (list "self.example.com") 365 }}
{{- $bare := genSelfSignedCert "bare" nil nil 1 }}
{{- $ecKey := genPrivateKey "ecdsa" }}
{{- $ecCa := genCAWithKey "ec-ca" 10 $ecKey }}
{{- $ecSigned := genSignedCertWithKey "ec.example.com" nil (list "ec.example.com") 5 $ecCa (genPrivateKey "ecdsa") }}
{{- $edSelf := genSelfSignedCertWithKey "ed.example.com" nil (list "ed.example.com") 5 (genPrivateKey "ed25519") }}
{{- $rebuilt := buildCustomCert ($ca.Cert | b64enc) ($ca.Key | b64enc) }}
{{- $again := genSignedCert "again.example.com" nil nil 30 $rebuilt }}
apiVersion: v1
kind: ConfigMap
metadata:
  name: certificates
data:
{{- range $name, $one := dict "ca" $ca "signed" $signed "self" $self "bare" $bare "ecca" $ecCa "ecsigned" $ecSigned "edself" $edSelf "again" $again }}
  {{ $name }}.crt: |
{{ $one.Cert | indent 4 }}
  {{ $name }}.key: |
{{ $one.Key | indent 4 }}
{{- end }}
"#;

/// The PEM blocks of the ConfigMap, by name.
fn blocks(manifest: &str) -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let mut name = None;
    for line in manifest.lines() {
        match line.strip_prefix("    ") {
            Some(text) if name.is_some() => {
                let block = found.entry(name.clone().unwrap()).or_default();
                block.push_str(text);
                block.push('\n');
            }
            _ => name = line.trim().strip_suffix(": |").map(str::to_owned),
        }
    }
    found
}

/// What openssl says to a file, or why not.
fn openssl(directory: &Path, words: &[&str]) -> String {
    let output = Command::new("openssl")
        .args(words)
        .current_dir(directory)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "openssl {words:?}: {said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    said
}

/// What openssl decodes of a certificate, without what is random and with its life as a length.
fn decoded(directory: &Path, name: &str) -> String {
    let words = [
        "x509",
        "-in",
        name,
        "-noout",
        "-text",
        "-nameopt",
        "RFC2253",
        "-certopt",
        "no_sigdump,no_validity,no_serial",
    ];
    let text = openssl(directory, &words);
    let mut lines = Vec::new();
    // Numbers of keys and their digests stand in lines of pairs of hexadecimal digits.
    let is_digits = |line: &str| {
        let line = line.trim().trim_end_matches(':');
        line.contains(':')
            && line
                .split(':')
                .all(|pair| pair.len() == 2 && pair.chars().all(|c| c.is_ascii_hexdigit()))
    };
    for line in text.lines() {
        if is_digits(line) {
            // How many bytes are on a line follows from the sort of key; whether a number needs a zero before it is chance.
            if lines.last().is_none_or(|last| last != "<digits>") {
                lines.push("<digits>".to_owned());
            }
        } else {
            lines.push(line.trim().to_owned());
        }
    }
    lines.push(format!("life {} s", life(directory, name)));
    lines.join("\n")
}

/// Seconds between the two dates of a certificate.
fn life(directory: &Path, name: &str) -> i64 {
    let text = openssl(
        directory,
        &["x509", "-in", name, "-noout", "-dates", "-dateopt", "iso_8601"],
    );
    let date = |field: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(field)).unwrap();
        let date: jiff::Timestamp = line.replace(' ', "T").parse().unwrap();
        date.as_second()
    };
    date("notAfter=") - date("notBefore=")
}

#[test]
fn certificates_that_charts_make_are_those_of_helm() {
    let files = [
        ("certs/Chart.yaml", "apiVersion: v2\nname: certs\nversion: 1.0.0\n"),
        ("certs/templates/a.yaml", CERTIFICATES),
    ];
    if !Command::new("openssl")
        .arg("version")
        .output()
        .is_ok_and(|o| o.status.success())
    {
        eprintln!("stepped aside: helm_beside::certificates: no openssl on the PATH");
        return;
    }
    let Some(both) = Both::new("helm_beside::certificates", &files) else {
        return;
    };
    let said = both.say(&["template", "certs"]);
    for one in &said {
        assert!(one.success, "{}", one.err);
    }
    let blocks = said.each_ref().map(|one| blocks(&one.out));
    let names: Vec<String> = blocks[0].keys().cloned().collect();
    assert_eq!(names.len(), 16, "{names:?}");
    assert_eq!(blocks[1].keys().cloned().collect::<Vec<_>>(), names);
    for (directory, blocks) in both.directories.iter().zip(&blocks) {
        for (name, text) in blocks {
            fs::write(directory.path().join(name), text).unwrap();
        }
    }
    let [there, here] = both.directories.each_ref().map(|d| d.path());
    for name in names.iter().filter(|name| name.ends_with(".crt")) {
        assert_eq!(decoded(here, name), decoded(there, name), "{name}");
        let key = name.replace(".crt", ".key");
        let public = openssl(here, &["pkey", "-in", &key, "-pubout"]);
        assert_eq!(
            openssl(here, &["x509", "-in", name, "-noout", "-pubkey"]),
            public,
            "{name}"
        );
        // The sort of block: PKCS #1, SEC 1 or PKCS #8.
        let first = |blocks: &BTreeMap<String, String>| blocks[&key].lines().next().map(str::to_owned);
        assert_eq!(first(&blocks[1]), first(&blocks[0]), "{key}");
    }
    for (authority, certificate) in [
        ("ca.crt", "signed.crt"),
        ("ca.crt", "again.crt"),
        ("ecca.crt", "ecsigned.crt"),
        ("self.crt", "self.crt"),
        ("edself.crt", "edself.crt"),
    ] {
        openssl(here, &["verify", "-CAfile", authority, certificate]);
    }
    let text = openssl(
        here,
        &[
            "verify",
            "-CAfile",
            "ca.crt",
            "-verify_hostname",
            "a.web.example.com",
            "signed.crt",
        ],
    );
    assert!(text.contains("OK"), "{text}");
}

#[test]
fn findings() {
    let Some(both) = Both::new("helm_beside::findings", SHOP) else {
        return;
    };
    // The chart's own directory stands in some messages, and each program has one of its own.
    let same = |words: &[&str]| {
        let [mut helm, mut ours] = both.say(words);
        for (said, directory) in [&mut helm, &mut ours].into_iter().zip(&both.directories) {
            let path = directory.path().display().to_string();
            said.out = said.out.replace(&path, "<here>");
        }
        assert_eq!(ours, helm, "{words:?}");
    };
    same(&["lint", "near"]);
    same(&["lint", "shop"]);
    same(&["lint", "near", "shop", "--quiet"]);
    same(&["lint", "near", "--quiet"]);
    same(&["lint", "none"]);
    for (name, chart, values, template) in [
        ("bare", "apiVersion: v2\nname: bare\nversion: 1.0\n", "", ""),
        (
            "odd",
            "apiVersion: v3\nname: odd\nversion: 1.0.0\ntype: application\nicon: x\nsources: [x]\nmaintainers: [{email: x}]\n",
            "a: 1\n",
            "a: 1\n",
        ),
        (
            "mail",
            "apiVersion: v2\nname: mail\nversion: 1.0.0\nappVersion: 1.10\nmaintainers: [{name: a, email: x}]\nwrong: 1\n",
            "a: 1\n",
            "",
        ),
        ("noversion", "apiVersion: v2\nname: noversion\n", "a: 1\n", ""),
        (
            "refuses",
            "apiVersion: v2\nname: refuses\nversion: 1.0.0\n",
            "a: ''\n",
            "a: {{ required \"no\" .Values.a }}\nb: {{ if .Values.a }}{{ fail \"x\" }}{{ end }}\n",
        ),
        (
            "fails",
            "apiVersion: v2\nname: fails\nversion: 1.0.0\n",
            "a: 1\n",
            "a: {{ .Values.b.c }}\n",
        ),
        (
            "noparse",
            "apiVersion: v2\nname: noparse\nversion: 1.0.0\n",
            "a: 1\n",
            "a: {{ if }}\n",
        ),
        (
            "indent",
            "apiVersion: v2\nname: indent\nversion: 1.0.0\n",
            "a: 1\n",
            "\n  kind: ConfigMap\n  metadata: {name: a}\n",
        ),
        (
            "named",
            "apiVersion: v2\nname: named\nversion: 1.0.0\n",
            "a: 1\n",
            "kind: ConfigMap\nmetadata: {name: A_b}\n---\nkind: Service\nmetadata: {name: 1a}\n---\nkind: Role\nmetadata: {name: 'a/b%'}\n",
        ),
        (
            "selects",
            "apiVersion: v2\nname: selects\nversion: 1.0.0\n",
            "a: 1\n",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {}\n",
        ),
        (
            "listed",
            "apiVersion: v2\nname: listed\nversion: 1.0.0\n",
            "a: 1\n",
            "kind: List\nmetadata: {name: a}\nitems:\n- metadata: {annotations: {helm.sh/resource-policy: keep}}\n",
        ),
        (
            "missing",
            "apiVersion: v2\nname: missing\nversion: 1.0.0\ndependencies: [{name: x, version: 1.x, repository: ''}]\n",
            "a: 1\n",
            "",
        ),
    ] {
        both.write(&format!("{name}/Chart.yaml"), chart);
        if !values.is_empty() {
            both.write(&format!("{name}/values.yaml"), values);
        }
        if !template.is_empty() {
            both.write(&format!("{name}/templates/a.yaml"), template);
        }
        same(&["lint", name]);
        same(&["lint", "--strict", name]);
    }
    both.write("crd/Chart.yaml", "apiVersion: v2\nname: crd\nversion: 1.0.0\n");
    both.write("crd/crds/a.yaml", "apiVersion: v1\nkind: ConfigMap\n");
    both.write("crd/templates/a.conf", "x");
    same(&["lint", "crd"]);
    both.write("schema/Chart.yaml", "apiVersion: v2\nname: schema\nversion: 1.0.0\n");
    both.write("schema/values.yaml", "a: x\n");
    both.write(
        "schema/values.schema.json",
        "{\"properties\": {\"a\": {\"type\": \"integer\"}}}",
    );
    both.write("schema/templates/a.yaml", "a: {{ .Values.a }}\n");
    same(&["lint", "schema"]);
    same(&["lint", "schema", "--set", "a=1"]);
    same(&["lint", "schema", "--skip-schema-validation"]);
    same(&["lint", "shop", "schema", "--with-subcharts"]);
}
