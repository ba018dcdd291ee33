//! The main job, from a push to a healthy object and back, on kubesim always and on the real control plane wherever Go is present.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use pintle_model::application::{ConditionType, HealthStatusCode, OperationPhase, SyncStatusCode};
use pintle_tests::manifests::{config_map, deployment, hook, job, service, wave};
use pintle_tests::{World, on_both_planes};
use serde_json::{Value, json};

on_both_planes!(
    a_push_deploys_by_itself,
    production_waits_for_a_person_and_goes_back,
    hooks_whose_names_are_generated_end,
    namespaces_are_made_where_asked,
    a_sync_of_an_older_commit_takes_over_what_is_there,
    drift_is_healed_or_reported,
    waves_and_hooks_keep_their_order,
    what_leaves_git_is_pruned_but_never_everything,
    deletion_takes_along_what_it_owns,
);

fn automated() -> Value {
    json!({"syncPolicy": {"automated": {"prune": true, "selfHeal": true}}})
}

async fn a_push_deploys_by_itself(mut world: World) {
    // Given
    let (web, front, settings) = (
        deployment("web", "shop:1.4"),
        service("web"),
        config_map("settings", "one"),
    );
    let first = world
        .push(&[
            ("dev/web.json", Some(&web)),
            ("dev/front.json", Some(&front)),
            ("dev/settings.json", Some(&settings)),
        ])
        .await;
    world.application("dev", automated()).await;
    world.start().await;

    // Then
    let app = world.until_settled("dev", &first).await;
    let state = app.status.operation_state.as_ref().unwrap();
    assert_eq!(state.phase, OperationPhase::Succeeded);
    assert!(state.operation.initiated_by.automated);
    assert_eq!(app.status.history.len(), 1);
    assert_eq!(app.status.resources.len(), 3, "as many resources as manifests");
    assert_eq!(world.image("dev", "web").await.as_deref(), Some("shop:1.4"));

    // When, then
    let second = world
        .push(&[("dev/web.json", Some(&deployment("web", "shop:1.5")))])
        .await;
    let app = world.until_settled("dev", &second).await;
    assert_eq!(app.status.history.len(), 2);
    assert_eq!(world.image("dev", "web").await.as_deref(), Some("shop:1.5"));

    // A broken image: Degraded, with the reason at the object.
    let third = world
        .push(&[("dev/web.json", Some(&deployment("web", "shop:broken")))])
        .await;
    let app = world
        .until_is("dev", SyncStatusCode::Synced, HealthStatusCode::Degraded)
        .await;
    assert_eq!(app.status.sync.revision, third);
    let web = world.get("Deployment", "dev", "web").await.unwrap();
    let conditions = web["status"]["conditions"].as_array().unwrap();
    let progressing = conditions.iter().find(|c| c["type"] == "Progressing").unwrap();
    assert_eq!(progressing["reason"], "ProgressDeadlineExceeded", "{progressing}");

    // A revert in Git mends it.
    let fourth = world.revert().await;
    world.until_settled("dev", &fourth).await;
    assert_eq!(world.image("dev", "web").await.as_deref(), Some("shop:1.5"));
}

async fn production_waits_for_a_person_and_goes_back(mut world: World) {
    let first = world
        .push(&[("prod/web.json", Some(&deployment("web", "shop:1.4")))])
        .await;
    world.application("prod", json!({})).await;
    world.start().await;
    world
        .until_is("prod", SyncStatusCode::OutOfSync, HealthStatusCode::Missing)
        .await;
    assert_eq!(
        world.get("Deployment", "prod", "web").await,
        None,
        "nobody asked for it yet"
    );

    // A person syncs.
    world.operate("prod", json!({"revision": first})).await;
    let app = world.until_ended("prod", &first, OperationPhase::Succeeded).await;
    let state = app.status.operation_state.as_ref().unwrap();
    assert_eq!(state.operation.initiated_by.username, "admin");
    world.until_settled("prod", &first).await;

    // A push changes the verdict and nothing else.
    let second = world
        .push(&[("prod/web.json", Some(&deployment("web", "shop:broken")))])
        .await;
    let app = world
        .until_app("prod", "prod is OutOfSync at the new commit", |app| {
            app.status.sync.status == SyncStatusCode::OutOfSync && app.status.sync.revision == second
        })
        .await;
    assert_eq!(app.status.health.status, HealthStatusCode::Healthy);
    assert_eq!(world.image("prod", "web").await.as_deref(), Some("shop:1.4"));

    // A sync that deploys something broken.
    world.operate("prod", json!({"revision": second})).await;
    world
        .until_is("prod", SyncStatusCode::Synced, HealthStatusCode::Degraded)
        .await;
    let app = world.until_ended("prod", &second, OperationPhase::Succeeded).await;
    assert_eq!(app.status.history.len(), 2);

    // A rollback to the first entry of the history, as `argocd app rollback` asks for it.
    let deployed = app.status.history.first().unwrap();
    assert_eq!(deployed.revision, first);
    let source = json!({
        "repoURL": deployed.source.repo_url, "path": deployed.source.path,
        "targetRevision": deployed.source.target_revision,
    });
    world
        .operate("prod", json!({"revision": first, "source": source, "prune": false}))
        .await;
    let app = world
        .until_is("prod", SyncStatusCode::OutOfSync, HealthStatusCode::Healthy)
        .await;
    assert_eq!(
        app.status.sync.revision, second,
        "compared with Git, not with the rollback"
    );
    world.until_ended("prod", &first, OperationPhase::Succeeded).await;
    assert_eq!(world.image("prod", "web").await.as_deref(), Some("shop:1.4"));

    // A revert in Git makes it Synced without a write: what is wanted is there.
    let third = world.revert().await;
    world.until_settled("prod", &third).await;
}

async fn hooks_whose_names_are_generated_end(mut world: World) {
    let generated = |phase: &str| {
        let mut hook: Value = serde_json::from_str(&hook(&job("x"), phase)).unwrap();
        hook["metadata"]["generateName"] = json!(format!("{}-", phase.to_lowercase()));
        hook["metadata"].as_object_mut().unwrap().remove("name");
        hook.to_string()
    };
    let (before, after) = (generated("PreSync"), generated("PostSync"));
    let first = world
        .push(&[
            ("dev/before.json", Some(&before)),
            ("dev/one.json", Some(&config_map("one", "1"))),
            ("dev/after.json", Some(&after)),
        ])
        .await;
    world.application("dev", automated()).await;
    world.start().await;
    world.until_ended("dev", &first, OperationPhase::Succeeded).await;
    assert_eq!(world.config("dev", "one").await.as_deref(), Some("1"));
    let jobs = world.list("Job", "dev").await;
    assert_eq!(jobs.len(), 2, "{jobs:?}");

    // The next sync has hooks of its own, as each has.
    let second = world.push(&[("dev/one.json", Some(&config_map("one", "2")))]).await;
    world.until_ended("dev", &second, OperationPhase::Succeeded).await;
    assert_eq!(world.config("dev", "one").await.as_deref(), Some("2"));
}

async fn namespaces_are_made_where_asked(mut world: World) {
    // Given: `there` deploys into a namespace that exists, `fresh` into one that does not, and `asked` makes one for one operation.
    let settings = config_map("settings", "one");
    let files = ["there/settings.json", "fresh/settings.json", "asked/settings.json"];
    let first = world.push(&files.map(|file| (file, Some(&*settings)))).await;
    let policy = json!({"automated": {"prune": true, "selfHeal": true}, "syncOptions": ["CreateNamespace=true"]});
    let (fresh, asked) = (world.own("made-fresh"), world.own("made-asked"));
    world.application("there", json!({"syncPolicy": policy})).await;
    let change = json!({"destination": {"namespace": fresh}, "syncPolicy": policy});
    world.application("fresh", change).await;
    world
        .application("asked", json!({"destination": {"namespace": asked}}))
        .await;
    world.start().await;

    // Then
    for name in ["there", "fresh"] {
        let app = world.until_settled(name, &first).await;
        assert_eq!(
            app.status.resources.len(),
            1,
            "{name}: the namespace is none of its resources"
        );
    }
    world
        .operate(
            "asked",
            json!({"revision": first, "syncOptions": ["CreateNamespace=true"]}),
        )
        .await;
    world.until_settled("asked", &first).await;

    // A later commit finds it there, and an Application that goes leaves it behind.
    let second = world
        .push(&[("fresh/settings.json", Some(&config_map("settings", "two")))])
        .await;
    world.until_settled("fresh", &second).await;
    world.delete("Application", "fresh", &world.own("fresh")).await;
    world
        .until_true("the application fresh is gone", async || {
            world.get("Application", "fresh", &world.own("fresh")).await.is_none()
        })
        .await;
    assert!(world.get("Namespace", "fresh", &fresh).await.is_some());
}

async fn a_sync_of_an_older_commit_takes_over_what_is_there(mut world: World) {
    // Given: what the older commit names and the newer does not was made by hand, so nobody keeps it whole.
    let (settings, wanted) = (config_map("settings", "one"), config_map("by-hand", "from Git"));
    let first = world
        .push(&[
            ("shop/settings.json", Some(&settings)),
            ("shop/by-hand.json", Some(&wanted)),
        ])
        .await;
    let second = world.push(&[("shop/by-hand.json", None)]).await;
    world.application("shop", json!({})).await;
    let mut by_hand: Value = serde_json::from_str(&config_map("by-hand", "by hand")).unwrap();
    by_hand["metadata"]["namespace"] = json!(world.own("shop"));
    world.create(&by_hand.to_string()).await;
    world.start().await;
    world
        .until_app("shop", "shop is compared with the newer commit", |app| {
            app.status.sync.revision == second
        })
        .await;

    // When, then
    world.operate("shop", json!({"revision": first})).await;
    world.until_ended("shop", &first, OperationPhase::Succeeded).await;
    assert_eq!(world.config("shop", "by-hand").await.as_deref(), Some("from Git"));
}

/// On the real control plane only: kubesim has no server-side apply yet, which this is done by.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_namespace_that_is_made_has_the_labels_asked_for() {
    let Some(mut world) = World::real("a_namespace_that_is_made_has_the_labels_asked_for").await else {
        return;
    };
    let first = world
        .push(&[("shop/settings.json", Some(&config_map("settings", "one")))])
        .await;
    let made = world.own("made");
    let policy = json!({
        "automated": {}, "syncOptions": ["CreateNamespace=true"],
        "managedNamespaceMetadata": {"labels": {"team": "shop"}, "annotations": {"cost": "low"}},
    });
    world
        .application(
            "shop",
            json!({"destination": {"namespace": made}, "syncPolicy": policy}),
        )
        .await;
    world.start().await;
    world.until_settled("shop", &first).await;
    let namespace = world.get("Namespace", "shop", &made).await.unwrap();
    assert_eq!(namespace["metadata"]["labels"]["team"], "shop");
    assert_eq!(namespace["metadata"]["annotations"]["cost"], "low");

    // With other metadata the next sync writes it.
    world
        .respec(
            "shop",
            json!({"syncPolicy": {"managedNamespaceMetadata": {"labels": {"team": "pay"}}}}),
        )
        .await;
    let second = world
        .push(&[("shop/settings.json", Some(&config_map("settings", "two")))])
        .await;
    world.until_settled("shop", &second).await;
    let namespace = world.get("Namespace", "shop", &made).await.unwrap();
    assert_eq!(namespace["metadata"]["labels"]["team"], "pay");
}

async fn drift_is_healed_or_reported(mut world: World) {
    let settings = config_map("settings", "one");
    let commit = world
        .push(&[
            ("dev/settings.json", Some(&settings)),
            ("prod/settings.json", Some(&settings)),
        ])
        .await;
    world.application("dev", automated()).await;
    world.application("prod", json!({})).await;
    world.start().await;
    world.until_settled("dev", &commit).await;
    world
        .until_is("prod", SyncStatusCode::OutOfSync, HealthStatusCode::Missing)
        .await;
    world.operate("prod", json!({"revision": commit})).await;
    world.until_settled("prod", &commit).await;

    let drift = json!({"data": {"key": "by hand"}});
    world.patch("ConfigMap", "dev", "settings", &drift).await;
    world.patch("ConfigMap", "prod", "settings", &drift).await;
    world
        .until_true("drift in dev is healed", async || {
            world.config("dev", "settings").await.as_deref() == Some("one")
        })
        .await;
    world.until_settled("dev", &commit).await;
    let app = world
        .until_is("prod", SyncStatusCode::OutOfSync, HealthStatusCode::Healthy)
        .await;
    assert_eq!(app.status.resources[0].status, SyncStatusCode::OutOfSync);
    assert_eq!(world.config("prod", "settings").await.as_deref(), Some("by hand"));

    // An object deleted by hand comes back in dev and is reported missing in prod.
    world.delete("ConfigMap", "dev", "settings").await;
    world.delete("ConfigMap", "prod", "settings").await;
    world
        .until_true("it comes back in dev", async || {
            world.config("dev", "settings").await.as_deref() == Some("one")
        })
        .await;
    world
        .until_is("prod", SyncStatusCode::OutOfSync, HealthStatusCode::Missing)
        .await;
}

async fn waves_and_hooks_keep_their_order(mut world: World) {
    // Wave 1 cannot become healthy.
    let broken = wave(&deployment("web", "shop:broken"), 1);
    let first = world
        .push(&[
            ("dev/migrate.json", Some(&hook(&job("migrate"), "PreSync"))),
            ("dev/one.json", Some(&config_map("one", "1"))),
            ("dev/web.json", Some(&broken)),
            ("dev/two.json", Some(&wave(&config_map("two", "2"), 2))),
            ("dev/smoke.json", Some(&hook(&job("smoke"), "PostSync"))),
        ])
        .await;
    // Tried once: an automated sync tries five times more by default.
    let mut spec = automated();
    spec["syncPolicy"]["retry"] = json!({"limit": 0});
    world.application("dev", spec).await;
    world.start().await;

    // The PreSync hook ends before anything else begins, the first wave is there, and what comes after the broken one never is.
    let app = world.until_ended("dev", &first, OperationPhase::Failed).await;
    let message = &app.status.operation_state.as_ref().unwrap().message;
    assert!(
        message.contains("one or more synchronization tasks completed unsuccessfully"),
        "{message}"
    );
    let results = &app
        .status
        .operation_state
        .as_ref()
        .unwrap()
        .sync_result
        .as_ref()
        .unwrap()
        .resources;
    let migrate = results.iter().find(|r| r.name == "migrate").unwrap();
    assert_eq!(migrate.hook_phase, OperationPhase::Succeeded);
    assert_eq!(world.config("dev", "one").await.as_deref(), Some("1"));
    assert!(world.get("Deployment", "dev", "web").await.is_some());
    assert_eq!(world.get("ConfigMap", "dev", "two").await, None);
    assert_eq!(world.get("Job", "dev", "smoke").await, None);

    // Mended in Git, it goes on by itself to the end.
    let mended = wave(&deployment("web", "shop:1.5"), 1);
    let second = world.push(&[("dev/web.json", Some(&mended))]).await;
    let app = world.until_ended("dev", &second, OperationPhase::Succeeded).await;
    world.until_settled("dev", &second).await;
    let results = &app
        .status
        .operation_state
        .as_ref()
        .unwrap()
        .sync_result
        .as_ref()
        .unwrap()
        .resources;
    let smoke = results.iter().find(|r| r.name == "smoke").unwrap();
    assert_eq!(smoke.hook_phase, OperationPhase::Succeeded);
    let created = async |kind: &str, name: &str| {
        let object = world
            .get(kind, "dev", name)
            .await
            .unwrap_or_else(|| panic!("no {name}"));
        object["metadata"]["creationTimestamp"].as_str().unwrap().to_owned()
    };
    let web = world.get("Deployment", "dev", "web").await.unwrap();
    let conditions = web["status"]["conditions"].as_array().unwrap();
    let available = conditions.iter().find(|c| c["type"] == "Available").unwrap();
    let available = available["lastTransitionTime"].as_str().unwrap().to_owned();
    let two = created("ConfigMap", "two").await;
    assert!(available <= two, "wave 2 ({two}) waits for wave 1 ({available})");
    let smoke = created("Job", "smoke").await;
    assert!(two <= smoke, "PostSync ({smoke}) waits for the last wave ({two})");
}

async fn what_leaves_git_is_pruned_but_never_everything(mut world: World) {
    let first = world
        .push(&[
            ("dev/README.md", Some("shop\n")),
            ("dev/one.json", Some(&config_map("one", "1"))),
            ("dev/two.json", Some(&config_map("two", "2"))),
        ])
        .await;
    world.application("dev", automated()).await;
    world.start().await;
    world.until_settled("dev", &first).await;
    // Not ours: no prune ever touches it.
    let foreign = world.own("dev");
    world
        .create(&format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: foreign\n  namespace: {foreign}\ndata:\n  key: mine\n"
        ))
        .await;

    let second = world.push(&[("dev/two.json", None)]).await;
    world.until_settled("dev", &second).await;
    assert_eq!(world.get("ConfigMap", "dev", "two").await, None);
    assert_eq!(world.config("dev", "one").await.as_deref(), Some("1"));

    // The repository renders empty.
    let third = world.push(&[("dev/one.json", None)]).await;
    let said = world
        .until_condition(
            "dev",
            ConditionType::SyncError,
            &["auto-sync will wipe out all resources"],
        )
        .await;
    assert_eq!(
        said,
        format!("Skipping sync attempt to [{third}]: auto-sync will wipe out all resources")
    );
    world
        .never("the last object is pruned", Duration::from_secs(2), async || {
            world.get("ConfigMap", "dev", "one").await.is_none()
        })
        .await;

    // Someone says that it is meant.
    world
        .respec("dev", json!({"syncPolicy": {"automated": {"allowEmpty": true}}}))
        .await;
    world
        .until_true("it is pruned", async || {
            world.get("ConfigMap", "dev", "one").await.is_none()
        })
        .await;
    world
        .until_app("dev", "dev is Synced without conditions", |app| {
            app.status.sync.status == SyncStatusCode::Synced && app.status.conditions.is_empty()
        })
        .await;
    assert_eq!(world.config("dev", "foreign").await.as_deref(), Some("mine"));
}

async fn deletion_takes_along_what_it_owns(mut world: World) {
    let (web, one) = (deployment("web", "shop:1.5"), config_map("one", "1"));
    let commit = world
        .push(&[
            ("dev/web.json", Some(&web)),
            ("dev/one.json", Some(&one)),
            ("prod/one.json", Some(&one)),
        ])
        .await;
    world.application("dev", automated()).await;
    world.application("prod", automated()).await;
    world.start().await;
    world.until_settled("dev", &commit).await;
    world.until_settled("prod", &commit).await;

    // Without the finalizer nothing goes along.
    let prod = world.own("prod");
    world
        .patch("Application", "prod", &prod, &json!({"metadata": {"finalizers": null}}))
        .await;
    world.delete("Application", "prod", &prod).await;
    world
        .until_true("the Application is gone", async || {
            world.get("Application", "prod", &prod).await.is_none()
        })
        .await;

    let dev = world.own("dev");
    world.delete("Application", "dev", &dev).await;
    world
        .until_true("the Application is gone", async || {
            world.get("Application", "dev", &dev).await.is_none()
        })
        .await;
    // The finalizer was let go of when they were gone, not when they were asked to go.
    assert_eq!(world.get("Deployment", "dev", "web").await, None);
    assert_eq!(world.get("ConfigMap", "dev", "one").await, None);
    world
        .until_true("its pods are gone", async || world.list("Pod", "dev").await.is_empty())
        .await;
    assert_eq!(world.config("prod", "one").await.as_deref(), Some("1"));
}
