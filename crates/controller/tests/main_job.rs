//! The main job, on kubesim: from a commit to healthy objects, and back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

mod world;

use pintle_model::application::{HealthStatusCode, OperationPhase, SyncStatusCode};
use world::{World, application, config_map, deployment};

const AUTO: &str = "{automated: {prune: true, selfHeal: true}}";

fn is(world: &World, name: &str, sync: SyncStatusCode, health: HealthStatusCode) -> bool {
    let status = world.app(name).status;
    status.sync.status == sync && status.health.status == health
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_becomes_healthy_objects_and_a_removed_file_is_pruned() {
    let mut world = World::new().await;
    let first = world.push(&[
        ("dev/web.yaml", Some(&deployment("web", "shop:1.4"))),
        ("dev/cm.yaml", Some(&config_map("settings", "one"))),
    ]);
    world.apply(&application("dev", &world.repo_url(), "dev", "dev", AUTO));
    world.start().await;
    world
        .until("dev is Synced and Healthy", || {
            is(&world, "dev", SyncStatusCode::Synced, HealthStatusCode::Healthy)
        })
        .await;
    let app = world.app("dev");
    assert_eq!(app.status.sync.revision, first);
    assert_eq!(app.status.history.len(), 1);
    let state = app.status.operation_state.unwrap();
    assert_eq!((state.phase, app.operation), (OperationPhase::Succeeded, None));

    // A new image by Git alone.
    world.push(&[("dev/web.yaml", Some(&deployment("web", "shop:1.5")))]);
    let image = || {
        let web = world.get("apps", "deployments", "dev", "web").unwrap();
        web.value().list_at(&["spec", "template", "spec", "containers"])[0]
            .str_at(&["image"])
            .unwrap()
            .to_owned()
    };
    world.until("the new image is there", || image() == "shop:1.5").await;
    world
        .until("dev is Healthy again", || {
            is(&world, "dev", SyncStatusCode::Synced, HealthStatusCode::Healthy)
        })
        .await;

    // Drift is healed.
    world.change("", "configmaps", "dev", "settings", |v| {
        v.set_at(&["data", "key"], "drift".into())
    });
    world
        .until("drift is healed", || {
            world
                .get("", "configmaps", "dev", "settings")
                .unwrap()
                .value()
                .str_at(&["data", "key"])
                == Some("one")
        })
        .await;

    // What leaves Git leaves the cluster.
    world.push(&[("dev/cm.yaml", None)]);
    world
        .until("it is pruned", || {
            world.get("", "configmaps", "dev", "settings").is_none()
        })
        .await;
    world
        .until("dev is Synced", || {
            is(&world, "dev", SyncStatusCode::Synced, HealthStatusCode::Healthy)
        })
        .await;
    assert!(world.get("apps", "deployments", "dev", "web").is_some());

    // Deleting the Application deletes what it owns.
    world
        .sim
        .store()
        .delete(
            &pintle_kubesim::GroupResource::new("argoproj.io", "applications"),
            "argocd",
            "dev",
            &pintle_kubesim::DeleteOptions::default(),
        )
        .unwrap();
    world
        .until("all is gone", || {
            world.get("apps", "deployments", "dev", "web").is_none()
                && world.get("argoproj.io", "applications", "argocd", "dev").is_none()
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quiet_world_is_not_written_to() {
    let mut world = World::new().await;
    world.push(&[("dev/web.yaml", Some(&deployment("web", "shop:1.4")))]);
    world.apply(&application("dev", &world.repo_url(), "dev", "dev", AUTO));
    world.start().await;
    world
        .until("dev is Synced and Healthy", || {
            is(&world, "dev", SyncStatusCode::Synced, HealthStatusCode::Healthy)
        })
        .await;
    // Let what is under way settle, then watch for a while.
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    let before = world.sim.store().resource_version();
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    assert_eq!(
        world.sim.store().resource_version(),
        before,
        "nothing changes, so nothing is written (I-18)"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_that_moves_takes_its_objects_along() {
    let mut world = World::new().await;
    world.push(&[
        ("a/cm.yaml", Some(&config_map("settings", "one"))),
        ("b/cm.yaml", Some(&config_map("other", "two"))),
    ]);
    world.apply(&application("mover", &world.repo_url(), "a", "dev", AUTO));
    world.start().await;
    world
        .until("it is Synced in dev", || {
            is(&world, "mover", SyncStatusCode::Synced, HealthStatusCode::Healthy)
        })
        .await;

    // Another namespace: targets of the old one are not applied again.
    world.change("argoproj.io", "applications", "argocd", "mover", |v| {
        v.set_at(&["spec", "destination", "namespace"], "prod".into());
    });
    world
        .until("the object is in prod and no longer in dev", || {
            world.get("", "configmaps", "prod", "settings").is_some()
                && world.get("", "configmaps", "dev", "settings").is_none()
        })
        .await;

    // Another path: nothing of the old one is left, nothing of it comes back.
    world.change("argoproj.io", "applications", "argocd", "mover", |v| {
        v.set_at(&["spec", "source", "path"], "b".into());
    });
    world
        .until("the other object is there alone", || {
            world.get("", "configmaps", "prod", "other").is_some()
                && world.get("", "configmaps", "prod", "settings").is_none()
        })
        .await;
    world
        .until("it is Synced", || {
            is(&world, "mover", SyncStatusCode::Synced, HealthStatusCode::Healthy)
        })
        .await;
}
