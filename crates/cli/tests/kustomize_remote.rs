//! `pintle kustomize build` with bases, files and charts from elsewhere.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test starts programs and fails by panicking"
)]

// The file itself: a dependency on the harness would build the program twice.
#[allow(dead_code, missing_docs, reason = "shared with the tests of chart repositories")]
#[path = "../../../tests/src/web_server.rs"]
mod web;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use web::{Reply, Seen, Server};

fn write(directory: &Path, name: &str, text: &str) {
    let path = directory.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn git(directory: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@t",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(arguments)
        .current_dir(directory)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn config_map(name: &str, data: &str) -> String {
    format!("apiVersion: v1\ndata:\n  from: {data}\nkind: ConfigMap\nmetadata:\n  name: {name}\n")
}

/// A repository with a tag, `v1`, and more on its branch: a base over a base, and one that reaches out of the repository.
fn repository(directory: &Path) -> String {
    git(directory, &["init", "--quiet", "--initial-branch=main"]);
    write(directory, "common/kustomization.yaml", "resources: [map.yaml]\n");
    write(directory, "common/map.yaml", &config_map("common", "tag"));
    write(
        directory,
        "base/kustomization.yaml",
        "namePrefix: far-\nresources: [../common]\n",
    );
    write(
        directory,
        "greedy/kustomization.yaml",
        "resources: [../../outside.yaml]\n",
    );
    git(directory, &["add", "."]);
    git(directory, &["commit", "--quiet", "-m", "one"]);
    git(directory, &["tag", "v1"]);
    write(directory, "common/map.yaml", &config_map("common", "branch"));
    git(directory, &["commit", "--quiet", "-am", "two"]);
    format!("file://{}", directory.display())
}

fn run(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pintle"))
        .args(["kustomize", "build"])
        .args(arguments)
        .current_dir(directory)
        .output()
        .unwrap()
}

fn text(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What a build that fails says; it prints nothing.
fn refusal(output: Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_base_of_another_repository_at_its_revision() {
    let (far, near) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let url = repository(far.path());
    for (name, reference, from) in [("tagged", "?ref=v1", "tag"), ("newest", "", "branch")] {
        let text = format!("nameSuffix: -here\nresources: ['{url}//base{reference}']\n");
        write(near.path(), &format!("{name}/kustomization.yaml"), &text);
        assert_eq!(text_of(near.path(), name), config_map("far-common-here", from));
    }
    // From where it is mounted three steps up would be this machine.
    write(near.path(), "outside.yaml", &config_map("outside", "here"));
    let outside = format!("resources: ['../../..{}/outside.yaml']\n", near.path().display());
    write(far.path(), "reach/kustomization.yaml", &outside);
    git(far.path(), &["add", "."]);
    git(far.path(), &["commit", "--quiet", "-m", "three"]);
    for directory in ["greedy", "reach"] {
        let text = format!("resources: ['{url}//{directory}']\n");
        write(near.path(), "out/kustomization.yaml", &text);
        let said = refusal(run(near.path(), &["out", "--load-restrictor", "LoadRestrictionsNone"]));
        assert!(said.contains(&format!("{url}/{directory}")), "{said}");
        assert!(said.contains("outside.yaml"), "{said}");
    }
    let absent = format!("resources: ['{url}//base?ref=v9']\n");
    write(near.path(), "absent/kustomization.yaml", &absent);
    let said = refusal(run(near.path(), &["absent"]));
    assert!(said.contains("v9"), "{said}");
}

fn text_of(directory: &Path, name: &str) -> String {
    text(run(directory, &[name]))
}

#[test]
fn the_kustomization_itself_is_in_another_repository() {
    let (far, near) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let url = repository(far.path());
    let base = format!("{url}//base?ref=v1");
    assert_eq!(text_of(near.path(), &base), config_map("far-common", "tag"));
    // Nothing of this machine is in reach of it.
    write(far.path(), "outside.yaml", &config_map("outside", "there"));
    let secret = near.path().join("secret.yaml");
    fs::write(&secret, config_map("secret", "here")).unwrap();
    let up = format!("../../../../../../../..{}", secret.display());
    write(far.path(), "up/kustomization.yaml", &format!("resources: ['{up}']\n"));
    write(
        far.path(),
        "up/deep/kustomization.yaml",
        &format!("resources: ['../{up}']\n"),
    );
    git(far.path(), &["add", "."]);
    git(far.path(), &["commit", "--quiet", "-m", "three"]);
    for directory in ["greedy", "up", "up/deep"] {
        let there = format!("{url}//{directory}");
        let output = run(near.path(), &[&there, "--load-restrictor", "LoadRestrictionsNone"]);
        let said = refusal(output);
        assert!(said.contains("outside.yaml") || said.contains("secret.yaml"), "{said}");
        assert!(said.contains(&format!("{url}/{directory}")), "{said}");
    }
    let said = refusal(run(near.path(), &[&format!("{url}//nowhere")]));
    assert!(said.contains("nowhere") || said.contains("kustomization"), "{said}");
}

/// A packed chart with a ConfigMap.
fn packed() -> Vec<u8> {
    let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    let map = config_map("{{ .Release.Name }}", "{{ .Values.from }}");
    for (name, text) in [
        ("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.2.0\n"),
        ("web/values.yaml", "from: chart\n"),
        ("web/templates/map.yaml", &map),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

fn answer(seen: &Seen) -> Reply {
    match &*seen.path {
        "/charts/index.yaml" => Reply::ok(
            "apiVersion: v1\nentries:\n  web:\n  - name: web\n    version: 1.2.0\n    urls: [web-1.2.0.tgz]\n"
                .to_owned(),
        ),
        "/charts/web-1.2.0.tgz" => Reply::ok(packed()),
        "/files/map.yaml" => Reply::ok(config_map("file", "server")),
        _ => Reply::status(404),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_and_charts_of_a_server() {
    let server = Server::start(answer).await;
    let near = tempfile::tempdir().unwrap();
    let (charts, file) = (server.url("/charts"), server.url("/files/map.yaml"));
    write(
        near.path(),
        "kustomization.yaml",
        &format!(
            "namePrefix: here-\nresources: ['{file}']\nhelmCharts:\n- name: web\n  repo: {charts}\n  version: 1.2.0\n  releaseName: shop\n  valuesInline: {{from: \
             values}}\n"
        ),
    );
    let expected = [config_map("here-file", "server"), config_map("here-shop", "values")].join("---\n");
    assert_eq!(text(run(near.path(), &[".", "--enable-helm"])), expected);
    // Nothing was left beside the kustomization, where Kustomize leaves the chart.
    assert_eq!(fs::read_dir(near.path()).unwrap().count(), 1);
    let said = refusal(run(near.path(), &["."]));
    assert!(said.contains("must specify --enable-helm"), "{said}");
    for (text, told) in [
        (
            format!("resources: ['{}']\n", server.url("/files/absent.yaml")),
            "absent.yaml",
        ),
        (
            format!("helmCharts: [{{name: web, repo: '{charts}', version: 9.9.9}}]\n"),
            "9.9.9",
        ),
        ("resources: ['git@git.invalid:o/r//base']\n".to_owned(), "git.invalid"),
    ] {
        write(near.path(), "kustomization.yaml", &text);
        let said = refusal(run(near.path(), &[".", "--enable-helm"]));
        assert!(said.contains(told), "{said}");
    }
}
