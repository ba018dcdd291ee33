//! Applications from kustomizations: overlays of an App of Apps, generated ConfigMaps that roll what uses them, bases of other repositories,
//! and what an Application says beside the files. On kubesim always, and on the real control plane wherever Go is present.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use pintle_model::application::{HealthStatusCode, SyncStatusCode};
use pintle_tests::manifests::{config_map, deployment};
use pintle_tests::{World, on_both_planes};
use serde_json::{Value, json};

on_both_planes!(
    an_app_of_apps_over_environments,
    a_generated_change_rolls_what_uses_it,
    a_base_of_another_repository,
    what_the_application_says_edits_the_kustomization,
);

/// How long something that must not happen is watched for.
const A_WHILE: Duration = Duration::from_secs(1);

fn automated(source: Value) -> Value {
    json!({"source": source, "syncPolicy": {"automated": {"prune": true, "selfHeal": true}}})
}

async fn an_app_of_apps_over_environments(mut world: World) {
    // Given a base, three overlays, and one Application per overlay in a directory of its own.
    let environments = ["dev", "staging", "prod"];
    let mut files = vec![
        (
            "base/kustomization.yaml".to_owned(),
            "resources: [web.yaml, settings.yaml]\n".to_owned(),
        ),
        ("base/web.yaml".to_owned(), deployment("web", "shop:1.4")),
        ("base/settings.yaml".to_owned(), config_map("settings", "base")),
    ];
    for environment in environments {
        let own = world.own(environment);
        world.namespace(&own).await;
        files.push((
            format!("environments/{environment}/kustomization.yaml"),
            format!(
                "resources: [../../base]\nreplicas: [{{name: web, count: 1}}]\npatches:\n- target: {{kind: ConfigMap, name: settings}}\n  \
                 patch: |\n    - {{op: replace, path: /data/key, value: {environment}}}\n"
            ),
        ));
        let mut spec = json!({
            "project": "default",
            "source": {
                "repoURL": world.repo_url(), "path": format!("environments/{environment}"), "targetRevision": "main",
            },
            "destination": {"server": "https://kubernetes.default.svc", "namespace": own},
        });
        if environment != "prod" {
            spec["syncPolicy"] = json!({"automated": {"prune": true, "selfHeal": true}});
        }
        let child = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {
                "name": own, "namespace": world.control(), "finalizers": ["resources-finalizer.argocd.argoproj.io"],
            },
            "spec": spec,
        });
        files.push((format!("apps/{environment}.json"), child.to_string()));
    }
    let names = environments.map(|e| format!("{e}.json")).join(", ");
    files.push(("apps/kustomization.yaml".into(), format!("resources: [{names}]\n")));
    let first = world.push_files(&files).await;
    let mut parent = automated(json!({"path": "apps"}));
    parent["destination"] = json!({"namespace": world.control()});
    world.application("parent", parent).await;
    world.start().await;

    // Then the children are there, dev and staging deploy themselves, and prod waits for a person.
    for environment in ["dev", "staging"] {
        world
            .until_true("the child is there", async || {
                let own = world.own(environment);
                world.get("Application", environment, &own).await.is_some()
            })
            .await;
        let app = world.until_settled(environment, &first).await;
        assert_eq!(app.status.source_type.to_string(), "Kustomize");
        assert_eq!(
            world.config(environment, "settings").await.as_deref(),
            Some(environment)
        );
    }
    world
        .until_is("prod", SyncStatusCode::OutOfSync, HealthStatusCode::Missing)
        .await;
    world.operate("prod", json!({"revision": first})).await;
    world.until_settled("prod", &first).await;
    assert_eq!(world.config("prod", "settings").await.as_deref(), Some("prod"));
    let parent = world
        .until_app("parent", "the parent is Synced", |app| {
            app.status.sync.status == SyncStatusCode::Synced && app.operation.is_none()
        })
        .await;
    assert_eq!(parent.status.resources.len(), 3);

    // A change of the base reaches those that are automated.
    let second = world
        .push(&[("base/web.yaml", Some(&deployment("web", "shop:1.5")))])
        .await;
    for environment in ["dev", "staging"] {
        world.until_settled(environment, &second).await;
        assert_eq!(world.image(environment, "web").await.as_deref(), Some("shop:1.5"));
    }
    world
        .until_app("prod", "prod is OutOfSync at the new commit", |app| {
            app.status.sync.status == SyncStatusCode::OutOfSync && app.status.sync.revision == second
        })
        .await;
    assert_eq!(world.image("prod", "web").await.as_deref(), Some("shop:1.4"));

    // An environment that leaves Git goes with all it has.
    let staging = world.own("staging");
    world
        .push(&[
            ("apps/staging.json", None),
            ("apps/kustomization.yaml", Some("resources: [dev.json, prod.json]\n")),
        ])
        .await;
    world
        .until_true("the child is gone", async || {
            world.get("Application", "staging", &staging).await.is_none()
        })
        .await;
    assert_eq!(world.get("Deployment", "staging", "web").await, None);
    assert_eq!(world.config("dev", "settings").await.as_deref(), Some("dev"));
}

/// The Deployment `web`, with its environment out of the ConfigMap `settings`.
fn configured(image: &str) -> String {
    let mut object: Value = serde_json::from_str(&deployment("web", image)).unwrap();
    object["spec"]["template"]["spec"]["containers"][0]["envFrom"] = json!([{"configMapRef": {"name": "settings"}}]);
    object.to_string()
}

/// Which ConfigMap the Deployment `web` uses, and how often the Deployment was changed.
async fn used(world: &World) -> (String, i64) {
    let web = world.get("Deployment", "dev", "web").await.unwrap();
    let container = &web["spec"]["template"]["spec"]["containers"][0];
    let name = container["envFrom"][0]["configMapRef"]["name"].as_str();
    (
        name.unwrap().to_owned(),
        web["metadata"]["generation"].as_i64().unwrap(),
    )
}

async fn a_generated_change_rolls_what_uses_it(mut world: World) {
    let kustomization = "resources: [web.json]\nconfigMapGenerator:\n- name: settings\n  envs: [settings.env]\n";
    let first = world
        .push(&[
            ("dev/kustomization.yaml", Some(kustomization)),
            ("dev/web.json", Some(&configured("shop:1.4"))),
            ("dev/settings.env", Some("key=one\n")),
        ])
        .await;
    world.application("dev", automated(json!({}))).await;
    world.start().await;
    world.until_settled("dev", &first).await;
    let (before, generation) = used(&world).await;
    assert!(before.starts_with("settings-"), "{before}");
    assert_eq!(world.config("dev", &before).await.as_deref(), Some("one"));
    let pods = |all: Vec<Value>| -> Vec<String> {
        all.iter()
            .map(|p| p["metadata"]["uid"].as_str().unwrap().to_owned())
            .collect()
    };
    let old = pods(world.list("Pod", "dev").await);
    assert_eq!(old.len(), 2);

    let second = world.push(&[("dev/settings.env", Some("key=two\n"))]).await;
    world.until_settled("dev", &second).await;
    let (after, next) = used(&world).await;
    assert_ne!(after, before);
    assert_eq!(next, generation + 1, "the Deployment changes once");
    assert_eq!(world.config("dev", &after).await.as_deref(), Some("two"));
    world
        .until_true("every pod is a new one", async || {
            let now = pods(world.list("Pod", "dev").await);
            now.len() == 2 && now.iter().all(|uid| !old.contains(uid))
        })
        .await;
    assert_eq!(
        world.get("ConfigMap", "dev", &before).await,
        None,
        "the old one is pruned"
    );

    // The same content has the same name: nothing rolls.
    let third = world
        .push(&[("dev/settings.env", Some("# a comment is no content\nkey=two\n"))])
        .await;
    world.until_settled("dev", &third).await;
    assert_eq!(used(&world).await, (after, next));
}

async fn a_base_of_another_repository(mut world: World) {
    world.make_repository("bases.git").await;
    let web = deployment("web", "shop:1.4");
    world
        .push_to(
            "bases.git",
            &[
                ("shop/kustomization.yaml", Some("resources: [web.json, ../common]\n")),
                ("shop/web.json", Some(&web)),
                ("common/kustomization.yaml", Some("resources: [settings.json]\n")),
                ("common/settings.json", Some(&config_map("settings", "of the base"))),
            ],
        )
        .await;
    let overlay = format!(
        "resources: [\"{}//shop?ref=main\"]\nimages: [{{name: shop, newTag: \"1.5\"}}]\n",
        world.url_of("bases.git")
    );
    let first = world.push(&[("dev/kustomization.yaml", Some(&overlay))]).await;
    world.application("dev", automated(json!({}))).await;
    world.start().await;
    world.until_settled("dev", &first).await;
    assert_eq!(world.image("dev", "web").await.as_deref(), Some("shop:1.5"));
    assert_eq!(world.config("dev", "settings").await.as_deref(), Some("of the base"));

    // The base moves; the application's own commit does not.
    world
        .push_to(
            "bases.git",
            &[("common/settings.json", Some(&config_map("settings", "moved")))],
        )
        .await;
    world.refresh("dev").await;
    world
        .until_true("what the base says now is deployed", async || {
            world.config("dev", "settings").await.as_deref() == Some("moved")
        })
        .await;
    world.until_settled("dev", &first).await;
}

async fn what_the_application_says_edits_the_kustomization(mut world: World) {
    let first = world
        .push(&[
            ("dev/kustomization.yaml", Some("resources: [web.json, settings.json]\n")),
            ("dev/web.json", Some(&deployment("web", "shop:1.4"))),
            ("dev/settings.json", Some(&config_map("settings", "one"))),
            (
                "parts/extra/kustomization.yaml",
                Some("apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [extra.json]\n"),
            ),
            ("parts/extra/extra.json", Some(&config_map("extra", "of a component"))),
        ])
        .await;
    let kustomize = json!({
        "namePrefix": "shop-",
        "nameSuffix": "-v1",
        "images": ["shop=registry.example/shop:1.6"],
        "replicas": [{"name": "web", "count": 3}],
        "commonLabels": {"team": "shop"},
        "commonAnnotations": {"from": "$ARGOCD_APP_NAME at ${ARGOCD_APP_REVISION_SHORT}"},
        "commonAnnotationsEnvsubst": true,
        "components": ["../parts/extra"],
        "patches": [{
            "target": {"kind": "ConfigMap", "name": "settings"},
            "patch": "- {op: replace, path: /data/key, value: patched}",
        }],
    });
    world
        .application("dev", automated(json!({"kustomize": kustomize})))
        .await;
    world.start().await;
    world.until_settled("dev", &first).await;
    assert_eq!(
        world.image("dev", "shop-web-v1").await.as_deref(),
        Some("registry.example/shop:1.6")
    );
    let web = world.get("Deployment", "dev", "shop-web-v1").await.unwrap();
    assert_eq!(web["spec"]["replicas"], 3);
    assert_eq!(web["spec"]["selector"]["matchLabels"]["team"], "shop");
    assert_eq!(
        world.config("dev", "shop-settings-v1").await.as_deref(),
        Some("patched")
    );
    assert_eq!(
        world.config("dev", "shop-extra-v1").await.as_deref(),
        Some("of a component")
    );
    let settings = world.get("ConfigMap", "dev", "shop-settings-v1").await.unwrap();
    let from = format!("{} at {}", world.own("dev"), &first[..7]);
    assert_eq!(settings["metadata"]["annotations"]["from"], from.as_str());

    // Another image by the spec alone, as `argocd app set --kustomize-image` writes it.
    let newer = json!({"source": {"kustomize": {"images": ["shop=registry.example/shop:1.7"]}}});
    world.respec("dev", newer).await;
    world
        .until_true("the new image is deployed", async || {
            world.image("dev", "shop-web-v1").await.as_deref() == Some("registry.example/shop:1.7")
        })
        .await;
    let app = world.until_settled("dev", &first).await;
    assert_eq!(app.status.history.len(), 2);
    world
        .never("what the edit left out goes", A_WHILE, async || {
            world.get("ConfigMap", "dev", "shop-extra-v1").await.is_none()
        })
        .await;
}
