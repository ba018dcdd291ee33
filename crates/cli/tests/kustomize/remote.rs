//! `pintle kustomize build` with bases, files and charts from elsewhere.

use std::fs;
use std::path::Path;

use pintle_tests::chart_files::ChartFiles;
use pintle_tests::checkout::Checkout;
use pintle_tests::web_server::{Reply, Seen, Server};

use super::{refusal, run, text, write};

fn config_map(name: &str, data: &str) -> String {
    format!("apiVersion: v1\ndata:\n  from: {data}\nkind: ConfigMap\nmetadata:\n  name: {name}\n")
}

/// A repository with a tag, `v1`, and more on its branch: a base over a base, and one that reaches out of the repository.
fn repository() -> Checkout {
    let far = Checkout::empty().unwrap();
    for (path, text) in [
        ("common/kustomization.yaml", "resources: [map.yaml]\n"),
        ("common/map.yaml", &config_map("common", "tag")),
        ("base/kustomization.yaml", "namePrefix: far-\nresources: [../common]\n"),
        ("greedy/kustomization.yaml", "resources: [../../outside.yaml]\n"),
    ] {
        far.write(path, text).unwrap();
    }
    far.commit("one").unwrap();
    far.git(&["tag", "v1"]).unwrap();
    far.write("common/map.yaml", &config_map("common", "branch")).unwrap();
    far.commit("two").unwrap();
    far
}

#[test]
fn a_base_of_another_repository_at_its_revision() {
    let (far, near) = (repository(), tempfile::tempdir().unwrap());
    let url = far.url();
    for (name, reference, from) in [("tagged", "?ref=v1", "tag"), ("newest", "", "branch")] {
        let text = format!("nameSuffix: -here\nresources: ['{url}//base{reference}']\n");
        write(near.path(), &format!("{name}/kustomization.yaml"), &text);
        assert_eq!(text_of(near.path(), name), config_map("far-common-here", from));
    }
    // From where it is mounted three steps up would be this machine.
    write(near.path(), "outside.yaml", &config_map("outside", "here"));
    let outside = format!("resources: ['../../..{}/outside.yaml']\n", near.path().display());
    far.write("reach/kustomization.yaml", &outside).unwrap();
    far.commit("three").unwrap();
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
    let (far, near) = (repository(), tempfile::tempdir().unwrap());
    let url = far.url();
    let base = format!("{url}//base?ref=v1");
    assert_eq!(text_of(near.path(), &base), config_map("far-common", "tag"));
    // Nothing of this machine is in reach of it.
    far.write("outside.yaml", &config_map("outside", "there")).unwrap();
    let secret = near.path().join("secret.yaml");
    fs::write(&secret, config_map("secret", "here")).unwrap();
    let up = format!("../../../../../../../..{}", secret.display());
    far.write("up/kustomization.yaml", &format!("resources: ['{up}']\n"))
        .unwrap();
    far.write("up/deep/kustomization.yaml", &format!("resources: ['../{up}']\n"))
        .unwrap();
    far.commit("three").unwrap();
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

/// A chart with a ConfigMap.
fn chart() -> ChartFiles {
    let map = config_map("{{ .Release.Name }}", "{{ .Values.from }}");
    ChartFiles::new("web", "1.2.0")
        .with("values.yaml", "from: chart\n")
        .with("templates/map.yaml", &map)
}

fn answer(seen: &Seen) -> Reply {
    match &*seen.path {
        "/charts/index.yaml" => Reply::ok(
            "apiVersion: v1\nentries:\n  web:\n  - name: web\n    version: 1.2.0\n    urls: [web-1.2.0.tgz]\n"
                .to_owned(),
        ),
        "/charts/web-1.2.0.tgz" => Reply::ok(chart().packed()),
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
