//! Charts of a kustomization come from their repository as dependencies of charts do: with its credentials, and refused with a reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

use std::sync::Arc;

use pintle_model::application::Source;
use pintle_render::RenderSettings;
use pintle_repo::{Ask, Repositories, SourceRender};
use pintle_tests::chart_files::ChartFiles;
use pintle_tests::checkout::git;

#[allow(dead_code, reason = "not every file of tests needs all of it")]
mod web;
use web::{Reply, Server, basic, book, secret};

const TEMPLATE: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata: {image: {{ .Values.image }}}\n";

async fn render(repositories: &Repositories, directory: &std::path::Path) -> SourceRender {
    let source = Source {
        repo_url: format!("file://{}", directory.display()),
        path: "app".into(),
        target_revision: "main".into(),
        ..Source::default()
    };
    let mut ask = Ask::plain(vec![source]);
    ask.settings = Arc::new(RenderSettings {
        kustomize_build_options: "--enable-helm".into(),
        ..RenderSettings::default()
    });
    repositories.render(&ask).await.remove(0).unwrap()
}

#[tokio::test]
async fn a_chart_of_a_kustomization_is_fetched_with_the_credentials_of_its_repository() {
    let chart = ChartFiles::new("web", "1.3.0")
        .with("values.yaml", "image: none\n")
        .with("templates/a.yaml", TEMPLATE)
        .packed();
    let server = Server::start(move |seen| match (seen.authorization(), seen.path.as_str()) {
        (Some(who), _) if who != basic("right") => Reply::status(401),
        (None, _) => Reply::status(401),
        (_, "/index.yaml") => Reply::ok(web::index(&[("1.3.0", "web-1.3.0.tgz", "-")])),
        (_, "/web-1.3.0.tgz") => Reply::ok(chart.clone()),
        _ => Reply::status(404),
    })
    .await;
    let url = server.url("");
    let upstream = tempfile::tempdir().unwrap();
    std::fs::create_dir(upstream.path().join("app")).unwrap();
    let kustomization = format!(
        "nameSuffix: -x\nhelmCharts:\n- {{name: web, repo: '{url}', version: 1.3.0, releaseName: r, valuesInline: {{image: mine}}}}\n"
    );
    std::fs::write(upstream.path().join("app/kustomization.yaml"), kustomization).unwrap();
    git(upstream.path(), &["init", "--quiet", "--initial-branch=main", "."]).unwrap();
    git(upstream.path(), &["add", "--all"]).unwrap();
    git(upstream.path(), &["commit", "--quiet", "--message", "first"]).unwrap();

    let directory = tempfile::tempdir().unwrap();
    let repositories = Repositories::new(directory.path().to_owned());
    repositories.set_credentials(book(&[secret(&url, "right", "")], Vec::new()));
    let got = render(&repositories, upstream.path()).await;
    let said: Vec<&str> = got.rendered.diagnostics.iter().map(|d| d.message.as_str()).collect();
    assert!(got.rendered.is_complete(), "{said:?}");
    let object = &got.rendered.objects[0].object;
    let data = object.value().get("data").map(pintle_model::to_json_string);
    assert_eq!((object.name(), data.as_deref()), ("r-x", Some(r#"{"image":"mine"}"#)));

    let other = tempfile::tempdir().unwrap();
    let strangers = Repositories::new(other.path().to_owned());
    let got = render(&strangers, upstream.path()).await;
    let said: Vec<&str> = got.rendered.diagnostics.iter().map(|d| d.message.as_str()).collect();
    assert!(!got.rendered.is_complete() && said.concat().contains("401"), "{said:?}");
}
