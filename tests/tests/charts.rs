//! Applications from charts: out of Git, out of a chart repository, out of a registry, and out of several of them. On kubesim always, and on
//! the real control plane wherever Go is present.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use pintle_model::Application;
use pintle_model::application::{HealthStatusCode, OperationPhase, SyncStatusCode};
use pintle_tests::chart_files::ChartFiles;
use pintle_tests::chart_server::ChartServer;
use pintle_tests::manifests::{WIDGETS, config_map};
use pintle_tests::registry::{PASSWORD, Registry, Tls, USER};
use pintle_tests::{World, on_both_planes};
use serde_json::{Value, json};

on_both_planes!(
    one_chart_in_git_is_promoted_by_a_line,
    values_come_from_files_parameters_and_what_is_missing_may_be,
    a_range_of_a_chart_repository_takes_what_is_published,
    a_registry_behind_a_password_and_a_private_authority,
    several_sources_are_one_application,
    what_a_chart_draws_stays,
    an_object_for_a_kind_that_comes_later,
    a_chart_is_told_its_new_namespace,
);

/// How long something that must not happen is watched for.
const A_WHILE: Duration = Duration::from_secs(2);

fn automated(source: Value) -> Value {
    json!({"source": source, "syncPolicy": {"automated": {"prune": true, "selfHeal": true}}})
}

/// The chart `shop` of a chart repository or registry.
fn shop(repository: &str, revision: &str) -> Value {
    json!({"path": null, "repoURL": repository, "chart": "shop", "targetRevision": revision})
}

async fn until_image(world: &World, app: &str, image: &str) {
    world
        .until(&format!("{app} runs {image}"), async || {
            let seen = world.image(app, "web").await;
            if seen.as_deref() == Some(image) {
                Ok(())
            } else {
                Err(format!("{seen:?}"))
            }
        })
        .await;
}

async fn until_out_of_sync_at(world: &World, name: &str, revision: &str) -> Application {
    world
        .until_app(name, &format!("{name} is OutOfSync at {revision}"), |app| {
            app.status.sync.status == SyncStatusCode::OutOfSync && app.status.sync.revision == revision
        })
        .await
}

async fn one_chart_in_git_is_promoted_by_a_line(mut world: World) {
    // Given one chart and a file of values per environment.
    let chart = ChartFiles::shop("0.1.0")
        .with("values-dev.yaml", "replicas: 1\ngreeting: dev\n")
        .with("values-prod.yaml", "greeting: prod\n");
    let first = world.push_files(&chart.below("shop")).await;
    let of =
        |environment: &str| json!({"path": "shop", "helm": {"valueFiles": [format!("values-{environment}.yaml")]}});
    world.application("dev", automated(of("dev"))).await;
    world.application("prod", json!({"source": of("prod")})).await;
    world.start().await;

    // Then
    let app = world.until_settled("dev", &first).await;
    assert_eq!(app.status.source_type.to_string(), "Helm");
    assert_eq!(app.status.resources.len(), 2);
    assert_eq!(world.config("dev", "settings").await.as_deref(), Some("dev"));
    until_out_of_sync_at(&world, "prod", &first).await;
    assert_eq!(
        world.get("Deployment", "prod", "web").await,
        None,
        "nobody asked for it yet"
    );
    world.operate("prod", json!({"revision": first})).await;
    world.until_settled("prod", &first).await;
    assert_eq!(world.config("prod", "settings").await.as_deref(), Some("prod"));

    // When one line changes for all, dev deploys it and prod waits for a person.
    let second = world
        .push(&[(
            "shop/values.yaml",
            Some("image: shop:1.5\nreplicas: 2\ngreeting: hello\n"),
        )])
        .await;
    world.until_settled("dev", &second).await;
    assert_eq!(world.image("dev", "web").await.as_deref(), Some("shop:1.5"));
    until_out_of_sync_at(&world, "prod", &second).await;
    assert_eq!(world.image("prod", "web").await.as_deref(), Some("shop:1.4"));
    world.operate("prod", json!({"revision": second})).await;
    world.until_settled("prod", &second).await;
    assert_eq!(world.image("prod", "web").await.as_deref(), Some("shop:1.5"));

    // What only dev reads does not bring prod out of sync.
    let third = world
        .push(&[("shop/values-dev.yaml", Some("replicas: 1\ngreeting: only dev\n"))])
        .await;
    world.until_settled("dev", &third).await;
    assert_eq!(world.config("dev", "settings").await.as_deref(), Some("only dev"));
    let prod = world.until_settled("prod", &third).await;
    assert_eq!(prod.status.history.len(), 2);
}

async fn values_come_from_files_parameters_and_what_is_missing_may_be(mut world: World) {
    let chart = ChartFiles::shop("0.1.0")
        .with("notice.txt", "first line\nsecond line\n")
        .with(
            "templates/notice.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: notice}\ndata:\n  key: {{ .Values.notice | quote }}\n",
        );
    let first = world.push_files(&chart.below("shop")).await;
    let source = json!({"path": "shop", "helm": {
        "releaseName": "front",
        "valueFiles": ["values.yaml", "values-nobody-wrote.yaml"],
        "ignoreMissingValueFiles": true,
        "valuesObject": {"image": "shop:1.6"},
        "parameters": [{"name": "replicas", "value": "3"}, {"name": "greeting", "value": "1", "forceString": true}],
        "fileParameters": [{"name": "notice", "path": "notice.txt"}],
    }});
    world.application("dev", automated(source)).await;
    world.start().await;
    world.until_settled("dev", &first).await;
    assert_eq!(world.image("dev", "web").await.as_deref(), Some("shop:1.6"));
    let web = world.get("Deployment", "dev", "web").await.unwrap();
    assert_eq!(web["spec"]["replicas"], 3);
    assert_eq!(web["spec"]["selector"]["matchLabels"]["app"], "front");
    assert_eq!(world.config("dev", "settings").await.as_deref(), Some("1"));
    assert_eq!(
        world.config("dev", "notice").await.as_deref(),
        Some("first line\nsecond line\n")
    );

    // The file that may be missing comes.
    let second = world
        .push(&[("shop/values-nobody-wrote.yaml", Some("image: of no use\nextra: 1\n"))])
        .await;
    world.until_settled("dev", &second).await;
    // What a file parameter names is read anew.
    let third = world.push(&[("shop/notice.txt", Some("another"))]).await;
    world.until_settled("dev", &third).await;
    assert_eq!(world.config("dev", "notice").await.as_deref(), Some("another"));
}

async fn a_range_of_a_chart_repository_takes_what_is_published(mut world: World) {
    let Some(mut charts) = ChartServer::start("a_range_of_a_chart_repository", Some("right")).await else {
        return;
    };
    charts.publish("1.2.0", &ChartFiles::shop("1.2.0"));
    charts.publish("2.0.0", &ChartFiles::shop("2.0.0"));
    world
        .repository_secret(
            "charts",
            json!({"url": charts.url(), "type": "helm", "name": "charts", "username": "me", "password": "right"}),
        )
        .await;
    world.application("dev", automated(shop(&charts.url(), "^1"))).await;
    world.start().await;
    let app = world.until_settled("dev", "1.2.0").await;
    assert_eq!(app.status.history.last().unwrap().revision, "1.2.0");
    assert_eq!(world.image("dev", "web").await.as_deref(), Some("shop:1.4"));

    // A version in the range, found by a refresh.
    let newer = |version: &str, image: &str| {
        ChartFiles::shop(version).with("values.yaml", &format!("image: {image}\nreplicas: 1\ngreeting: new\n"))
    };
    charts.publish("1.3.0", &newer("1.3.0", "shop:1.5"));
    world.refresh("dev").await;
    world.until_settled("dev", "1.3.0").await;
    assert_eq!(world.image("dev", "web").await.as_deref(), Some("shop:1.5"));

    // One outside of it and one in it, found by a hint.
    charts.publish("2.1.0", &newer("2.1.0", "shop:2"));
    charts.publish("1.4.0", &newer("1.4.0", "shop:1.6"));
    world.hint_url(&charts.url());
    let app = world.until_settled("dev", "1.4.0").await;
    assert_eq!(world.image("dev", "web").await.as_deref(), Some("shop:1.6"));
    let history: Vec<&str> = app.status.history.iter().map(|h| h.revision.as_str()).collect();
    assert_eq!(history, ["1.2.0", "1.3.0", "1.4.0"]);
}

async fn a_registry_behind_a_password_and_a_private_authority(mut world: World) {
    let tls = Tls::new();
    let Some(registry) = Registry::start("a_registry_behind_a_password", Some(&tls)).await else {
        return;
    };
    let repository = format!("{}/charts", registry.host);
    registry
        .push("charts/shop", "1.2.0", &ChartFiles::shop("1.2.0").packed())
        .await;
    world.trust("127.0.0.1", &tls.authority_pem).await;
    let secret =
        json!({"url": repository, "type": "helm", "enableOCI": "true", "username": USER, "password": PASSWORD});
    world.repository_secret("registry", secret).await;
    let oci = shop(&format!("oci://{repository}"), "1.*");
    world.application("dev", automated(oci)).await;
    let bare = shop(&repository, "1.2.0");
    world.application("staging", automated(bare)).await;
    world.start().await;
    world.until_settled("dev", "1.2.0").await;
    world.until_settled("staging", "1.2.0").await;
    assert_eq!(world.image("staging", "web").await.as_deref(), Some("shop:1.4"));

    let newer = ChartFiles::shop("1.3.0").with("values.yaml", "image: shop:1.5\nreplicas: 1\ngreeting: new\n");
    registry.push("charts/shop", "1.3.0", &newer.packed()).await;
    world.refresh("dev").await;
    world.refresh("staging").await;
    world.until_settled("dev", "1.3.0").await;
    assert_eq!(world.image("dev", "web").await.as_deref(), Some("shop:1.5"));
    world.until_settled("staging", "1.2.0").await;
    assert_eq!(
        world.image("staging", "web").await.as_deref(),
        Some("shop:1.4"),
        "its version is exact"
    );
}

async fn several_sources_are_one_application(mut world: World) {
    let Some(mut charts) = ChartServer::start("several_sources_are_one_application", None).await else {
        return;
    };
    charts.publish("1.2.0", &ChartFiles::shop("1.2.0"));
    let first = world
        .push(&[
            (
                "apps/shop/values-staging.yaml",
                Some("image: shop:1.5\ngreeting: first\n"),
            ),
            ("extra/notice.json", Some(&config_map("notice", "1"))),
        ])
        .await;
    let git = world.repo_url();
    let sources = json!([
        {"repoURL": charts.url(), "chart": "shop", "targetRevision": "1.x",
         "helm": {"valueFiles": ["$values/apps/shop/values-staging.yaml"]}},
        {"repoURL": git, "targetRevision": "main", "ref": "values"},
        {"repoURL": git, "targetRevision": "main", "path": "extra"},
    ]);
    world
        .application("dev", json!({"source": null, "sources": sources}))
        .await;
    world.start().await;

    // A person syncs.
    let at = |app: &Application, revisions: &[&str]| app.status.sync.revisions == revisions;
    let one = ["1.2.0", &first, &first];
    world
        .until_app("dev", "everything is known at the first commit", |app| {
            app.status.sync.status == SyncStatusCode::OutOfSync && at(app, &one)
        })
        .await;
    world.operate("dev", json!({})).await;
    let settled = async |revisions: &[&str]| {
        world
            .until_app("dev", &format!("dev is well at {revisions:?}"), |app| {
                app.status.sync.status == SyncStatusCode::Synced
                    && app.status.health.status == HealthStatusCode::Healthy
                    && app.operation.is_none()
                    && app.status.conditions.is_empty()
                    && at(app, revisions)
            })
            .await
    };
    let app = settled(&one).await;
    assert_eq!(app.status.resources.len(), 3, "objects of both sources");
    let deployed = app.status.history.last().unwrap();
    assert_eq!(deployed.revisions, one);
    assert_eq!(deployed.sources.len(), 3);
    assert_eq!(deployed.revision, "", "several sources have several revisions");
    assert_eq!(world.image("dev", "web").await.as_deref(), Some("shop:1.5"));
    assert_eq!(world.config("dev", "notice").await.as_deref(), Some("1"));

    // The values change in Git, and the chart in its repository.
    charts.publish("1.3.0", &ChartFiles::shop("1.3.0"));
    let second = world
        .push(&[
            (
                "apps/shop/values-staging.yaml",
                Some("image: shop:1.6\ngreeting: second\n"),
            ),
            ("extra/notice.json", Some(&config_map("notice", "2"))),
        ])
        .await;
    world.hint_url(&charts.url());
    let two = ["1.3.0", &second, &second];
    world
        .until_app("dev", "it is OutOfSync at the new revisions", |app| {
            app.status.sync.status == SyncStatusCode::OutOfSync && at(app, &two)
        })
        .await;
    assert_eq!(world.image("dev", "web").await.as_deref(), Some("shop:1.5"));
    world.operate("dev", json!({"revisions": two})).await;
    let app = world
        .until_app("dev", "dev is well at the second revisions", |app| {
            app.status.sync.status == SyncStatusCode::Synced && app.operation.is_none() && at(app, &two)
        })
        .await;
    assert_eq!(app.status.history.len(), 2);
    until_image(&world, "dev", "shop:1.6").await;
    assert_eq!(world.config("dev", "settings").await.as_deref(), Some("second"));

    // A rollback of all three, as `argocd app rollback` asks for it.
    let back = app.status.history.first().unwrap();
    let sources = serde_json::to_value(&back.sources).unwrap();
    world
        .operate(
            "dev",
            json!({"revisions": back.revisions, "sources": sources, "prune": false}),
        )
        .await;
    let app = world
        .until_app("dev", "the rollback ends", |app| {
            let state = app.status.operation_state.as_ref();
            let done = state.filter(|s| s.phase == OperationPhase::Succeeded);
            let result = done.and_then(|s| s.sync_result.as_ref());
            app.operation.is_none()
                && app.status.sync.status == SyncStatusCode::OutOfSync
                && result.is_some_and(|r| r.revisions == one)
        })
        .await;
    assert_eq!(app.status.history.last().unwrap().revisions, one);
    assert_eq!(app.status.sync.revisions, two, "compared with what is wanted");
    assert_eq!(world.image("dev", "web").await.as_deref(), Some("shop:1.5"));
    assert_eq!(world.config("dev", "notice").await.as_deref(), Some("1"));
}

const DRAWN: &str = r#"apiVersion: v1
kind: Secret
metadata:
  name: drawn
stringData:
  password: {{ randAlphaNum 24 | quote }}
  id: {{ uuidv4 | quote }}
---
{{- $ca := genCA "shop-authority" 365 }}
{{- $served := genSignedCert "shop" nil (list "shop.example") 365 $ca }}
apiVersion: v1
kind: Secret
metadata:
  name: served
type: kubernetes.io/tls
data:
  tls.crt: {{ $served.Cert | b64enc }}
  tls.key: {{ $served.Key | b64enc }}
"#;

async fn what_a_chart_draws_stays(mut world: World) {
    let Some(mut charts) = ChartServer::start("what_a_chart_draws_stays", None).await else {
        return;
    };
    let common = ChartFiles::new("common", "3.1.4").with(
        "templates/common.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: common}\ndata: {key: {{ .Chart.Version | quote }}}\n",
    );
    charts.publish("3.1.4", &common);
    let chart = ChartFiles::shop("0.1.0").with("templates/drawn.yaml", DRAWN).with(
        "Chart.yaml",
        &format!(
            "apiVersion: v2\nname: shop\nversion: 0.1.0\ndependencies:\n- {{name: common, version: ~3.1.0, repository: \"{}\"}}\n",
            charts.url()
        ),
    );
    let first = world.push_files(&chart.below("shop")).await;
    world.application("dev", automated(json!({"path": "shop"}))).await;
    world.application("staging", automated(json!({"path": "shop"}))).await;
    world.start().await;
    world.until_settled("dev", &first).await;
    world.until_settled("staging", &first).await;
    assert_eq!(
        world.config("dev", "common").await.as_deref(),
        Some("3.1.4"),
        "the dependency is fetched"
    );
    let data = async |app: &str, name: &str| world.get("Secret", app, name).await.unwrap()["data"].clone();
    let before = (data("dev", "drawn").await, data("dev", "served").await);
    assert_eq!(before.0.as_object().unwrap().len(), 2);
    assert_ne!(
        before.0,
        data("staging", "drawn").await,
        "each application draws its own"
    );
    assert_ne!(
        before.1,
        data("staging", "served").await,
        "each application draws its own"
    );

    // Another process, with nothing kept in memory.
    world.kill();
    world.start().await;
    let values = "image: shop:1.5\nreplicas: 2\ngreeting: hello\n";
    let second = world.push(&[("shop/values.yaml", Some(values))]).await;
    world.until_settled("dev", &second).await;
    assert_eq!(world.image("dev", "web").await.as_deref(), Some("shop:1.5"));
    let data = async |name: &str| world.get("Secret", "dev", name).await.unwrap()["data"].clone();
    assert_eq!((data("drawn").await, data("served").await), before);
    world
        .never("a secret changes", A_WHILE, async || {
            (data("drawn").await, data("served").await) != before
        })
        .await;
}

async fn an_object_for_a_kind_that_comes_later(mut world: World) {
    let chart = ChartFiles::shop("0.1.0").with(
        "templates/widget.yaml",
        "{{- if .Capabilities.APIVersions.Has \"bad.example.com/v1/Widget\" }}\napiVersion: bad.example.com/v1\nkind: Widget\n\
         metadata: {name: w}\nspec: {size: 1}\n{{- end }}\n",
    );
    let commit = world.push_files(&chart.below("shop")).await;
    world.application("dev", automated(json!({"path": "shop"}))).await;
    world.start().await;
    let app = world.until_settled("dev", &commit).await;
    assert_eq!(app.status.resources.len(), 2);

    world.create(WIDGETS).await;
    world
        .until_true("the object is there", async || {
            world.get("Widget", "dev", "w").await.is_some()
        })
        .await;
    let app = world.until_settled("dev", &commit).await;
    assert_eq!(app.status.resources.len(), 3);
}

async fn a_chart_is_told_its_new_namespace(mut world: World) {
    let told = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: told\n  namespace: {{ .Release.Namespace }}\ndata:\n  key: {{ .Release.Namespace }}\n";
    let commit = world
        .push(&[
            ("dev/Chart.yaml", Some("apiVersion: v2\nname: told\nversion: 0.1.0\n")),
            ("dev/templates/told.yaml", Some(told)),
        ])
        .await;
    world.application("dev", automated(json!({}))).await;
    world.start().await;
    world.until_settled("dev", &commit).await;
    assert_eq!(world.config("dev", "told").await, Some(world.own("dev")));

    // The source is the same; what it renders to is not.
    let other = world.own("other");
    world.namespace(&other).await;
    world.respec("dev", json!({"destination": {"namespace": other}})).await;
    world
        .until_true(
            "the chart is deployed into its new namespace, and nowhere else",
            async || {
                world.config("other", "told").await.as_ref() == Some(&other)
                    && world.config("dev", "told").await.is_none()
            },
        )
        .await;
}
