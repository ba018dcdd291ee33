//! Bad input and bad days: each gets its exact condition with the name of the thing, nothing is pruned or half-applied, the other
//! applications go on, and recovery needs no restart. On kubesim.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use pintle_kubesim::{ApiError, Fault, Write};
use pintle_model::application::{ConditionType, HealthStatusCode, OperationPhase, SyncStatusCode};
use pintle_tests::World;
use pintle_tests::manifests::{WIDGETS, config_map, deployment};
use pintle_tests::world::{Line, USER};
use serde_json::{Value, json};

/// How long something that must not happen is watched for.
const A_WHILE: Duration = Duration::from_secs(1);

fn automated() -> Value {
    with_automation(json!({}))
}

fn with_automation(mut spec: Value) -> Value {
    spec["syncPolicy"] = json!({"automated": {"prune": true, "selfHeal": true}});
    spec
}

/// A world in which the application `other` is well, beside whatever goes wrong.
async fn world_with_another() -> (World, String) {
    let mut world = World::simulated().await;
    let commit = world
        .push(&[("other/settings.json", Some(&config_map("settings", "0")))])
        .await;
    world.application("other", automated()).await;
    world.start().await;
    world.until_settled("other", &commit).await;
    (world, commit)
}

/// Pushes a change of `other` and waits for it: the others go on.
async fn the_other_goes_on(world: &mut World, value: &str) {
    world
        .push(&[("other/settings.json", Some(&config_map("settings", value)))])
        .await;
    world
        .until_true("the other application goes on", async || {
            world.config("other", "settings").await.as_deref() == Some(value)
        })
        .await;
}

async fn is_unknown(world: &World, name: &str) {
    world
        .until_app(name, "its sync status is Unknown", |app| {
            app.status.sync.status == SyncStatusCode::Unknown
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_path() {
    let (mut world, _) = world_with_another().await;
    world.push(&[("bad/one.json", Some(&config_map("one", "1")))]).await;
    world.application("bad", automated()).await;
    world
        .until_is("bad", SyncStatusCode::Synced, HealthStatusCode::Healthy)
        .await;

    world.push(&[("bad/one.json", None)]).await;
    world
        .until_condition(
            "bad",
            ConditionType::ComparisonError,
            &["Failed to load target state", "bad"],
        )
        .await;
    is_unknown(&world, "bad").await;
    the_other_goes_on(&mut world, "1").await;
    world
        .never("a missing path prunes", A_WHILE, async || {
            world.config("bad", "one").await.as_deref() != Some("1")
        })
        .await;

    let mended = world.push(&[("bad/one.json", Some(&config_map("one", "2")))]).await;
    world.until_settled("bad", &mended).await;
    assert_eq!(world.config("bad", "one").await.as_deref(), Some("2"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_manifest_among_good_ones() {
    let (mut world, _) = world_with_another().await;
    let first = world
        .push(&[
            ("bad/one.json", Some(&config_map("one", "1"))),
            ("bad/two.json", Some(&config_map("two", "1"))),
        ])
        .await;
    world.application("bad", automated()).await;
    world.until_settled("bad", &first).await;

    // The other file changes too, and one leaves: none of it may happen while one of them cannot be read.
    world
        .push(&[
            ("bad/one.json", None),
            ("bad/three.json", Some(&config_map("three", "1"))),
            (
                "bad/two.yaml",
                Some("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: [\n"),
            ),
        ])
        .await;
    world
        .until_condition("bad", ConditionType::ComparisonError, &["bad/two.yaml"])
        .await;
    is_unknown(&world, "bad").await;
    the_other_goes_on(&mut world, "1").await;
    world
        .never("half of it happens", A_WHILE, async || {
            world.config("bad", "one").await.is_none() || world.config("bad", "three").await.is_some()
        })
        .await;

    let mended = world.push(&[("bad/two.yaml", None)]).await;
    world.until_settled("bad", &mended).await;
    assert_eq!(world.config("bad", "one").await, None);
    assert_eq!(world.config("bad", "three").await.as_deref(), Some("1"));
}

/// A project that permits one namespace and no Secrets.
async fn narrow_project(world: &World) {
    let project = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
        "metadata": {"name": "narrow", "namespace": world.control()},
        "spec": {
            "sourceRepos": ["*"],
            "destinations": [{"server": "*", "namespace": world.own("allowed")}],
            "namespaceResourceBlacklist": [{"group": "", "kind": "Secret"}],
        },
    });
    world.create(&project.to_string()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_namespace_that_the_project_forbids() {
    let (mut world, _) = world_with_another().await;
    narrow_project(&world).await;
    world.push(&[("bad/one.json", Some(&config_map("one", "1")))]).await;
    world
        .application("bad", with_automation(json!({"project": "narrow"})))
        .await;
    let namespace = world.own("bad");
    world
        .until_condition("bad", ConditionType::InvalidSpecError, &[&namespace, "narrow"])
        .await;
    the_other_goes_on(&mut world, "1").await;
    world
        .never("something is written there", A_WHILE, async || {
            world.get("ConfigMap", "bad", "one").await.is_some()
        })
        .await;

    // The project comes to permit it.
    let both = json!([{"server": "*", "namespace": world.own("allowed")}, {"server": "*", "namespace": namespace}]);
    world
        .patch("AppProject", "bad", "narrow", &json!({"spec": {"destinations": both}}))
        .await;
    world
        .until_is("bad", SyncStatusCode::Synced, HealthStatusCode::Healthy)
        .await;
    assert_eq!(world.config("bad", "one").await.as_deref(), Some("1"));
    world
        .until_app("bad", "the condition is gone", |app| app.status.conditions.is_empty())
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kind_that_the_project_forbids() {
    let (mut world, _) = world_with_another().await;
    narrow_project(&world).await;
    let secret =
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key"}, "stringData": {"key": "canary-7f"}});
    let commit = world
        .push(&[
            ("allowed/one.json", Some(&config_map("one", "1"))),
            ("allowed/key.json", Some(&secret.to_string())),
        ])
        .await;
    let mut spec = with_automation(json!({"project": "narrow"}));
    // Tried once: an automated sync tries five times more by default.
    spec["syncPolicy"]["retry"] = json!({"limit": 0});
    world.application("allowed", spec).await;
    let app = world.until_ended("allowed", &commit, OperationPhase::Failed).await;
    let state = app.status.operation_state.as_ref().unwrap();
    let results = &state.sync_result.as_ref().unwrap().resources;
    let refused = results.iter().find(|r| r.name == "key").unwrap();
    assert_eq!(refused.message, "resource :Secret is not permitted in project narrow");
    let said = world
        .until_condition(
            "allowed",
            ConditionType::SyncError,
            &["Failed last sync attempt to", &commit],
        )
        .await;
    assert!(!said.contains("canary-7f"), "{said}");
    assert_eq!(
        world.get("ConfigMap", "allowed", "one").await,
        None,
        "nothing is half-applied"
    );
    the_other_goes_on(&mut world, "1").await;

    let mended = world.push(&[("allowed/key.json", None)]).await;
    world.until_settled("allowed", &mended).await;
    assert_eq!(world.config("allowed", "one").await.as_deref(), Some("1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_whose_commits_must_be_signed() {
    let (mut world, _) = world_with_another().await;
    let project = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
        "metadata": {"name": "signed", "namespace": world.control()},
        "spec": {
            "sourceRepos": ["*"],
            "destinations": [{"server": "*", "namespace": "*"}],
            "signatureKeys": [{"keyID": "4AEE18F83AFDEB23"}],
        },
    });
    world.create(&project.to_string()).await;
    world.push(&[("bad/one.json", Some(&config_map("one", "1")))]).await;
    world.application("bad", json!({"project": "signed"})).await;
    world
        .until_condition("bad", ConditionType::SyncError, &["signed spec.signatureKeys"])
        .await;

    // Nobody may deploy what nobody has verified, a person neither.
    world.operate("bad", json!({})).await;
    let ended = world
        .until_app("bad", "the sync by hand ends", |app| {
            app.status
                .operation_state
                .as_ref()
                .is_some_and(|s| s.phase.is_completed())
        })
        .await;
    let state = ended.status.operation_state.unwrap();
    assert_eq!(state.phase, OperationPhase::Error);
    assert!(state.message.contains("spec.signatureKeys"), "{}", state.message);
    assert_eq!(world.config("bad", "one").await, None);
    the_other_goes_on(&mut world, "1").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_revision() {
    let (mut world, _) = world_with_another().await;
    world.push(&[("bad/one.json", Some(&config_map("one", "1")))]).await;
    world
        .application("bad", with_automation(json!({"source": {"targetRevision": "v9.9.9"}})))
        .await;
    let url = world.repo_url();
    world
        .until_condition("bad", ConditionType::ComparisonError, &["v9.9.9", &url])
        .await;
    is_unknown(&world, "bad").await;
    the_other_goes_on(&mut world, "1").await;
    assert_eq!(world.get("ConfigMap", "bad", "one").await, None);

    world.tag("v9.9.9").await;
    let app = world
        .until_is("bad", SyncStatusCode::Synced, HealthStatusCode::Healthy)
        .await;
    assert!(app.status.conditions.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreachable_repository_comes_back() {
    let (mut world, commit) = world_with_another().await;
    let url = world.repo_url();
    world.git().stop();
    world.hint();
    world
        .until_condition("other", ConditionType::ComparisonError, &[&url])
        .await;
    is_unknown(&world, "other").await;
    world
        .never("an unreachable repository prunes", A_WHILE, async || {
            world.config("other", "settings").await.is_none()
        })
        .await;

    // Nobody says that it is back: it is tried again.
    world.git().resume().await;
    world.until_settled("other", &commit).await;
    the_other_goes_on(&mut world, "1").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_server_that_goes_away_for_a_while() {
    let (mut world, _) = world_with_another().await;
    world.line(Line::Down);
    // Both change while nothing can be seen or written: Git moves on, and an object drifts.
    let commit = world
        .push(&[
            ("other/settings.json", Some(&config_map("settings", "1"))),
            ("other/web.json", Some(&deployment("web", "shop:1.5"))),
        ])
        .await;
    let drift = json!({"data": {"key": "by hand"}});
    world.patch("ConfigMap", "other", "settings", &drift).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let before = world.writes().len();
    world.line(Line::Up);
    world.until_settled("other", &commit).await;
    assert_eq!(world.config("other", "settings").await.as_deref(), Some("1"));
    assert_eq!(world.image("other", "web").await.as_deref(), Some("shop:1.5"));
    let deletes = world.writes()[before..].iter().filter(|w| w.method == "DELETE").count();
    assert_eq!(deletes, 0, "nothing was gone, so nothing is deleted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_made_or_moved_after_a_push_sees_it_without_a_webhook() {
    let (mut world, _) = world_with_another().await;
    let commit = world
        .push_quietly(&[("late/one.json", Some(&config_map("one", "1")))])
        .await;
    world.application("late", automated()).await;
    world.until_settled("late", &commit).await;
    assert_eq!(world.config("late", "one").await.as_deref(), Some("1"));

    let commit = world
        .push_quietly(&[("moved/one.json", Some(&config_map("one", "2")))])
        .await;
    world.respec("late", json!({"source": {"path": "moved"}})).await;
    world.until_settled("late", &commit).await;
    assert_eq!(world.config("late", "one").await.as_deref(), Some("2"));
    the_other_goes_on(&mut world, "1").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_server_that_refuses_every_second_write() {
    let (mut world, _) = world_with_another().await;
    let commit = world.push(&[("bad/one.json", Some(&config_map("one", "1")))]).await;
    let refused = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&refused);
    world.faults(Some(Arc::new(move |write: &Write| {
        let ours = write.who != USER && !write.dry_run && &*write.gr.resource != "events";
        let refuse = ours && counted.fetch_add(1, Ordering::SeqCst).is_multiple_of(2);
        refuse.then(|| Fault::Refuse(ApiError::conflict(&write.gr, &write.name, "try again")))
    })));
    world.application("bad", automated()).await;
    let app = world.until_settled("bad", &commit).await;
    assert!(refused.load(Ordering::SeqCst) > 3, "writes were refused");
    assert_eq!(world.config("bad", "one").await.as_deref(), Some("1"));
    assert_eq!(
        app.status.history.len(),
        1,
        "an end whose first write is refused is recorded once"
    );
    world.faults(None);
    the_other_goes_on(&mut world, "1").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_definition_that_is_not_there_yet() {
    let (mut world, _) = world_with_another().await;
    let widget =
        json!({"apiVersion": "bad.example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 1}});
    let commit = world
        .push(&[
            ("bad/one.json", Some(&config_map("one", "1"))),
            ("bad/widget.json", Some(&widget.to_string())),
        ])
        .await;
    let mut spec = automated();
    spec["syncPolicy"]["retry"] = json!({"limit": 50, "backoff": {"duration": "1s", "maxDuration": "1s"}});
    world.application("bad", spec).await;
    // The operation says what it lacks.
    world
        .until_app("bad", "the operation names the kind", |app| {
            let results = app.status.operation_state.as_ref().and_then(|s| s.sync_result.as_ref());
            results.is_some_and(|r| {
                r.resources
                    .iter()
                    .any(|r| r.kind == "Widget" && r.message.contains("bad.example.com"))
            })
        })
        .await;
    assert_eq!(
        world.get("ConfigMap", "bad", "one").await,
        None,
        "nothing is half-applied"
    );
    the_other_goes_on(&mut world, "1").await;

    world.create(WIDGETS).await;
    world.until_ended("bad", &commit, OperationPhase::Succeeded).await;
    world
        .until_is("bad", SyncStatusCode::Synced, HealthStatusCode::Healthy)
        .await;
    assert!(world.get("Widget", "bad", "w").await.is_some());
    assert_eq!(world.config("bad", "one").await.as_deref(), Some("1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_applications_that_claim_one_object() {
    let (mut world, _) = world_with_another().await;
    let shared = world.own("first");
    let mut claimed: Value = serde_json::from_str(&config_map("one", "2")).unwrap();
    claimed["metadata"]["namespace"] = shared.as_str().into();
    let commit = world
        .push(&[
            ("first/one.json", Some(&config_map("one", "1"))),
            ("second/one.json", Some(&claimed.to_string())),
            ("second/two.json", Some(&config_map("two", "2"))),
        ])
        .await;
    world.application("first", automated()).await;
    world.until_settled("first", &commit).await;
    world.application("second", automated()).await;

    let (first, second) = (world.own("first"), world.own("second"));
    world
        .until_condition("second", ConditionType::SharedResourceWarning, &["one", &first])
        .await;
    world
        .until_condition("first", ConditionType::SharedResourceWarning, &["one", &second])
        .await;
    the_other_goes_on(&mut world, "1").await;
    world
        .never("it changes hands", A_WHILE, async || {
            world.config("first", "one").await.as_deref() != Some("1")
        })
        .await;

    // The loser lets go of it: it stays, and both go on.
    world.push(&[("second/one.json", None)]).await;
    world
        .until_app("second", "second is Synced without conditions", |app| {
            app.status.sync.status == SyncStatusCode::Synced && app.status.conditions.is_empty()
        })
        .await;
    world
        .until_app("first", "first is Synced without conditions", |app| {
            app.status.sync.status == SyncStatusCode::Synced && app.status.conditions.is_empty()
        })
        .await;
    assert_eq!(
        world.config("first", "one").await.as_deref(),
        Some("1"),
        "the loser prunes nothing"
    );
}
