//! `pintle helm template`, as a person types it.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test starts programs and fails by panicking"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// A chart with a value, a file, a test hook and a CRD.
fn chart(directory: &Path) {
    for (name, text) in [
        ("Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.2.3\n"),
        ("values.yaml", "image: shop:1.4\nreplicas: 1\n"),
        ("motd.txt", "hello"),
        (".helmignore", "*.bak\n"),
        (
            "templates/old.yaml.bak",
            "{{ fail \"ignored files are not rendered\" }}",
        ),
        (
            "templates/config.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n  namespace: {{ .Release.Namespace }}\ndata:\n  image: \
             {{ required \"image is needed\" .Values.image | quote }}\n  replicas: {{ .Values.replicas | quote }}\n  motd: {{ .Files.Get \
             \"motd.txt\" }}\n",
        ),
        (
            "templates/test.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: check\n  annotations:\n    helm.sh/hook: test\n",
        ),
        (
            "crds/crd.yaml",
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: widgets.example.com\n",
        ),
    ] {
        let path = directory.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn run(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pintle"))
        .args(["helm", "template"])
        .args(arguments)
        .current_dir(directory)
        // The namespace of whoever runs the tests is theirs.
        .env_remove("HELM_NAMESPACE")
        .env("KUBECONFIG", "kubeconfig")
        .output()
        .unwrap()
}

const CONFIG: &str = "---
# Source: shop/templates/config.yaml
apiVersion: v1
kind: ConfigMap
metadata:
  name: web
  namespace: prod
data:
  image: \"shop:1.5\"
  replicas: \"3\"
  motd: hello
";

#[test]
fn a_chart_with_values_of_every_sort() {
    let directory = tempfile::tempdir().unwrap();
    chart(&directory.path().join("shop"));
    fs::write(directory.path().join("prod.yaml"), "image: shop:1.5\nreplicas: 2\n").unwrap();
    let flags = ["web", "./shop", "-n", "prod", "-f", "prod.yaml", "--set", "replicas=3"];
    let all = run(directory.path(), &flags);
    assert!(all.status.success(), "{}", String::from_utf8_lossy(&all.stderr));
    let text = String::from_utf8(all.stdout).unwrap();
    assert!(text.starts_with(CONFIG), "{text}");
    assert!(text.contains("# Source: shop/templates/test.yaml"), "{text}");
    assert!(!text.contains("CustomResourceDefinition"), "{text}");

    let flags: Vec<&str> = flags.into_iter().chain(["--skip-tests", "--include-crds"]).collect();
    let text = String::from_utf8(run(directory.path(), &flags).stdout).unwrap();
    assert!(text.starts_with("---\n# Source: shop/crds/crd.yaml\n"), "{text}");
    assert!(text.ends_with(CONFIG), "{text}");
}

#[test]
fn what_cannot_be_rendered_is_said_and_nothing_is_printed() {
    let directory = tempfile::tempdir().unwrap();
    chart(&directory.path().join("shop"));
    for (arguments, said) in [
        (&["./shop", "--set", "image="][..], "image is needed"),
        (&["./absent"], "./absent"),
        (&["ftp://registry.invalid/shop.tgz"], "scheme that is not allowed"),
        (&["absent"], "neither a file nor a directory"),
        (
            &["./shop", "-f", "https://h.invalid/v.yaml"],
            "files and standard input only",
        ),
        (&["./shop", "--kube-version", "new"], "invalid kube version 'new'"),
        (&["./shop", "--set", "a[99999999]=1"], "failed parsing --set data"),
    ] {
        let output = run(directory.path(), arguments);
        let (out, err) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {err}");
        assert_eq!(out, "", "{arguments:?}");
        assert!(err.contains(said), "{arguments:?}: {err}");
    }
}

#[test]
fn a_name_is_given_made_up_or_made_from_a_template() {
    let directory = tempfile::tempdir().unwrap();
    chart(&directory.path().join("shop"));
    for (arguments, name) in [
        (
            &["./shop", "--name-template", "{{ \"WEB\" | lower }}-{{ add 1 2 }}"][..],
            "web-3",
        ),
        // As Helm: its template command has a name of its own already.
        (&["./shop", "--generate-name"], "release-name"),
    ] {
        let text = String::from_utf8(run(directory.path(), arguments).stdout).unwrap();
        assert!(text.contains(&format!("\n  name: {name}\n")), "{arguments:?}: {text}");
    }
    for (arguments, said) in [
        (
            &["web", "./shop", "-g"][..],
            "cannot set --generate-name and also specify a name",
        ),
        (&["web", "./shop", "--name-template", "x"], "cannot set --name-template"),
        (
            &["./shop", "--name-template", "{{ nothing }}"],
            "function \"nothing\" not defined",
        ),
        (&["./shop", "--name-template", "A B"], "invalid release name"),
    ] {
        let output = run(directory.path(), arguments);
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.code() == Some(1) && err.contains(said),
            "{arguments:?}: {err}"
        );
    }
}

#[test]
fn manifests_go_into_files() {
    let directory = tempfile::tempdir().unwrap();
    chart(&directory.path().join("shop"));
    let arguments = [
        "web",
        "shop",
        "-n",
        "prod",
        "--include-crds",
        "--release-name",
        "--output-dir",
        "out",
    ];
    for _ in 0..2 {
        let output = run(directory.path(), &arguments);
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            "wrote out/shop/crds/crd.yaml\nwrote out/web/shop/templates/config.yaml\nwrote out/web/shop/templates/test.yaml\n\n"
        );
    }
    let text = fs::read_to_string(directory.path().join("out/web/shop/templates/config.yaml")).unwrap();
    assert!(
        text.starts_with("---\n# Source: shop/templates/config.yaml\napiVersion: v1\n"),
        "{text}"
    );
    assert_eq!(text.matches("kind: ConfigMap").count(), 1, "{text}");
}

#[test]
fn values_come_from_standard_input_once() {
    use std::io::Write as _;
    let directory = tempfile::tempdir().unwrap();
    chart(&directory.path().join("shop"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_pintle"))
        .args(["helm", "template", "shop", "-f", "-"])
        .current_dir(directory.path())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"replicas: 7\n").unwrap();
    let text = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    assert!(text.contains("replicas: \"7\""), "{text}");
}

#[test]
fn the_namespace_is_named_or_that_of_the_context() {
    let directory = tempfile::tempdir().unwrap();
    chart(&directory.path().join("shop"));
    let namespace = |flags: &[&str]| {
        let arguments: Vec<&str> = ["./shop"].into_iter().chain(flags.iter().copied()).collect();
        let out = run(directory.path(), &arguments);
        let text = String::from_utf8(out.stdout).unwrap();
        let found = text.lines().find_map(|line| line.strip_prefix("  namespace: "));
        found.unwrap_or_default().to_owned()
    };
    assert_eq!(namespace(&[]), "default");
    fs::write(
        directory.path().join("kubeconfig"),
        "apiVersion: v1\nkind: Config\ncurrent-context: one\nclusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\n\
         users: [{name: u, user: {}}]\ncontexts:\n- {name: one, context: {cluster: c, user: u, namespace: first}}\n\
         - {name: two, context: {cluster: c, user: u, namespace: second}}\n",
    )
    .unwrap();
    assert_eq!(namespace(&[]), "first");
    assert_eq!(namespace(&["-n", ""]), "first");
    assert_eq!(namespace(&["--kube-context", "two"]), "second");
    assert_eq!(namespace(&["-n", "a", "--namespace", "b"]), "b");
}

#[test]
fn flags_of_every_command_of_helm_are_taken() {
    let directory = tempfile::tempdir().unwrap();
    chart(&directory.path().join("shop"));
    let plain = run(directory.path(), &["./shop"]).stdout;
    let flags = [
        "./shop",
        "--debug",
        "--debug=false",
        "--color",
        "never",
        "--qps",
        "5",
        "--burst-limit",
        "7",
        "--kube-token",
        "t",
        "--kubeconfig",
        "none",
        "--registry-config",
        "r",
        "--repository-cache",
        "c",
        "--server-side=auto",
        "--force-conflicts",
        "--force",
        "--enable-dns",
        "--kube-version",
        "1.30",
        "--kube-version",
        "1.31",
    ];
    let out = run(directory.path(), &flags);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(out.stdout, plain);
    let out = run(directory.path(), &["./shop", "--post-renderer", "sed"]);
    assert!(!out.status.success());
    assert!(String::from_utf8_lossy(&out.stderr).contains("--post-renderer"));
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    chart(&directory.path().join("shop"));
    fs::write(directory.path().join("bytes"), b"a: \xff\xfe").unwrap();
    for flags in [["-f", "bytes"], ["--set-file", "x=bytes"]] {
        let out = run(directory.path(), &["./shop", flags[0], flags[1]]);
        assert!(!out.status.success());
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(said.contains("bytes is not UTF-8 text from byte 3 on"), "{said}");
    }
    fs::write(directory.path().join("shop/values.yaml"), b"image: \xe9\n").unwrap();
    let out = run(directory.path(), &["./shop"]);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(
        said.contains("cannot load values.yaml") && said.contains("UTF-8 octet"),
        "{said}"
    );
}
