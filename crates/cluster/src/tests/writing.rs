//! Effects against the fake API server: what is sent, and what comes of it.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use pintle_engine::effect::{Action, ApplyMode, ClusterId, Effect, Grant, Outcome, Permitted, Propagation, Skipped};
use pintle_model::{Gvk, Value};
use tokio::sync::watch;
use tokio::time::Instant;

use super::{config_map, object};
use crate::fake::{Fake, Fault};
use crate::{Clusters, Executor, Leadership, LeaseGuard, ProjectVersionMap, Seen};

const PATH: &str = "/api/v1/namespaces/shop/configmaps/a";

fn executor(fake: &Fake) -> Executor {
    Executor::new(
        Clusters::of(fake.cluster()),
        Arc::new(ProjectVersionMap::default()),
        LeaseGuard::not_needed(),
    )
}

fn effect(action: Action) -> Effect {
    Effect {
        cluster: ClusterId::in_cluster(),
        gvk: Gvk::new("", "v1", "ConfigMap"),
        namespace: "shop".into(),
        name: "a".into(),
        action,
        dry_run: false,
    }
}

fn apply(value: &str, force: bool) -> Effect {
    let mode = ApplyMode::ClientSide { force };
    effect(Action::Apply {
        object: object(&config_map("a", value)),
        mode,
        validate: true,
    })
}

async fn run(executor: &Executor, effect: &Effect) -> String {
    let outcome = executor.carry_out(effect, &Grant::OwnRecord, Seen::Unknown).await;
    line(&outcome)
}

fn line(outcome: &Outcome) -> String {
    let value = |o: &pintle_model::Object| o.value().str_at(&["data", "k"]).unwrap_or("-").to_owned();
    match outcome {
        Outcome::Created(o) => format!("created {}", value(o)),
        Outcome::Configured(o) => format!("configured {}", value(o)),
        Outcome::Unchanged(o) => format!("unchanged {}", value(o)),
        Outcome::Deleted => "deleted".to_owned(),
        Outcome::Skipped(why) => format!("skipped: {why}"),
        Outcome::Failed(f) => format!("{:?}: {}", f.kind, f.message),
    }
}

/// Write requests so far.
fn writes(fake: &Fake) -> usize {
    ["POST ", "PUT ", "PATCH ", "DELETE "]
        .iter()
        .map(|m| fake.count(m))
        .sum()
}

#[tokio::test(start_paused = true)]
async fn client_side_apply_creates_configures_and_leaves_alone() {
    let fake = Fake::new();
    let executor = executor(&fake);
    assert_eq!(run(&executor, &apply("1", false)).await, "created 1");
    assert_eq!(
        fake.count(
            "POST /api/v1/namespaces/shop/configmaps?timeout=30s&fieldManager=argocd-controller&fieldValidation=Strict"
        ),
        1
    );
    let live = fake.get(PATH).expect("is stored");
    assert!(
        live.str_at(&[
            "metadata",
            "annotations",
            "kubectl.kubernetes.io/last-applied-configuration"
        ])
        .is_some()
    );
    assert_eq!(run(&executor, &apply("1", false)).await, "unchanged 1");
    assert_eq!(writes(&fake), 1, "nothing is sent where nothing has to change");
    assert_eq!(run(&executor, &apply("2", false)).await, "configured 2");
    let uid = live.str_at(&["metadata", "uid"]).expect("has one");
    assert_eq!(
        fake.count(&format!(r#""uid":"{uid}""#)),
        1,
        "the patch names the incarnation it is meant for"
    );
}

#[tokio::test(start_paused = true)]
async fn a_known_live_object_saves_the_read_and_an_old_one_is_read_again() {
    let fake = Fake::new();
    let executor = executor(&fake);
    run(&executor, &apply("1", false)).await;
    let seen = object(&pintle_model::to_json_string(&fake.get(PATH).expect("is stored")));
    let reads = fake.count("GET /api/v1/namespaces");
    let outcome = executor
        .carry_out(&apply("2", false), &Grant::OwnRecord, Seen::Present(seen.clone()))
        .await;
    assert_eq!(line(&outcome), "configured 2");
    assert_eq!(fake.count("GET /api/v1/namespaces"), reads);
    let outcome = executor
        .carry_out(&apply("3", false), &Grant::OwnRecord, Seen::Present(seen))
        .await;
    assert_eq!(line(&outcome), "configured 3", "the old state is refused, then read");
    assert_eq!(fake.count("GET /api/v1/namespaces"), reads + 1);
}

#[tokio::test(start_paused = true)]
async fn an_object_known_to_be_absent_is_created_unread_and_read_where_it_is_there_after_all() {
    let fake = Fake::new();
    let executor = executor(&fake);
    let reads = fake.count("GET /api/v1/namespaces");
    let outcome = executor
        .carry_out(&apply("1", false), &Grant::OwnRecord, Seen::Absent)
        .await;
    assert_eq!(line(&outcome), "created 1");
    assert_eq!(fake.count("GET /api/v1/namespaces"), reads);
    let outcome = executor
        .carry_out(&apply("2", false), &Grant::OwnRecord, Seen::Absent)
        .await;
    assert_eq!(line(&outcome), "configured 2", "the create is refused, then it is read");
    assert_eq!(fake.count("GET /api/v1/namespaces"), reads + 1);
}

#[tokio::test(start_paused = true)]
async fn a_concurrent_change_is_merged_again_a_bounded_number_of_times() {
    let fake = Fake::new();
    let executor = executor(&fake);
    run(&executor, &apply("1", false)).await;
    let conflict = r#"{"kind":"Status","code":409,"reason":"Conflict","message":"modified"}"#;
    fake.fault(Method::PATCH, PATH, 2, Fault::Answer(409, conflict.to_owned()));
    assert_eq!(run(&executor, &apply("2", false)).await, "configured 2");
    fake.fault(Method::PATCH, PATH, 99, Fault::Answer(409, conflict.to_owned()));
    let before = writes(&fake);
    assert!(
        run(&executor, &apply("3", false))
            .await
            .starts_with("Conflict: patch ConfigMap shop/a on https://fake: modified")
    );
    assert_eq!(writes(&fake) - before, 5);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_unknown_and_the_write_is_not_repeated() {
    let fake = Fake::new();
    let executor = executor(&fake);
    fake.fault(Method::POST, "configmaps", 1, Fault::LoseAnswer);
    assert!(
        run(&executor, &apply("1", false))
            .await
            .starts_with("Unknown: create ConfigMap shop/a on https://fake: ")
    );
    assert_eq!(writes(&fake), 1);
    // Looking again shows that it had been carried out.
    assert_eq!(run(&executor, &apply("1", false)).await, "unchanged 1");
    // A read that is lost on the way to a write leaves nothing unknown.
    fake.fault(Method::GET, PATH, 1, Fault::LoseAnswer);
    assert!(
        run(&executor, &apply("2", false))
            .await
            .starts_with("Unavailable: get ConfigMap shop/a on https://fake: ")
    );
    fake.fault(Method::PATCH, "configmaps", 1, Fault::Hang);
    assert!(
        run(&executor, &apply("2", false))
            .await
            .ends_with("no answer within 40 s")
    );
}

#[tokio::test(start_paused = true)]
async fn force_recreates_only_what_is_immutable() {
    let fake = Fake::new();
    let executor = executor(&fake);
    run(&executor, &apply("1", false)).await;
    let refusal = |message: &str| {
        Fault::Answer(
            422,
            format!(r#"{{"kind":"Status","code":422,"reason":"Invalid","message":"{message}"}}"#),
        )
    };
    let uid = |fake: &Fake| {
        fake.get(PATH)
            .and_then(|o| o.str_at(&["metadata", "uid"]).map(str::to_owned))
    };
    let first = uid(&fake);
    fake.fault(
        Method::PATCH,
        PATH,
        1,
        refusal("spec.port: Invalid value: must be a number"),
    );
    assert!(run(&executor, &apply("2", true)).await.starts_with("Invalid: "));
    assert_eq!(uid(&fake), first, "a mistake does not delete");
    fake.fault(Method::PATCH, PATH, 1, refusal("spec.selector: field is immutable"));
    assert!(
        run(&executor, &apply("2", false)).await.starts_with("Invalid: "),
        "without force it is only refused"
    );
    fake.fault(Method::PATCH, PATH, 1, refusal("spec.selector: field is immutable"));
    assert_eq!(run(&executor, &apply("2", true)).await, "configured 2");
    assert_ne!(uid(&fake), first);
    // The new one is refused: the old one comes back.
    fake.fault(Method::PATCH, PATH, 1, refusal("spec.selector: field is immutable"));
    fake.fault(Method::POST, "configmaps", 1, refusal("no"));
    let outcome = run(&executor, &apply("3", true)).await;
    assert!(
        outcome.ends_with("no; the object as it was before has been created again"),
        "{outcome}"
    );
    assert_eq!(
        fake.get(PATH)
            .and_then(|o| o.str_at(&["data", "k"]).map(str::to_owned))
            .as_deref(),
        Some("2")
    );
}

#[tokio::test(start_paused = true)]
async fn dry_runs_store_nothing() {
    let fake = Fake::new();
    let executor = executor(&fake);
    let dry = |effect: Effect| Effect {
        dry_run: true,
        ..effect
    };
    assert_eq!(run(&executor, &dry(apply("1", false))).await, "created 1");
    assert!(fake.get(PATH).is_none());
    run(&executor, &apply("1", false)).await;
    assert_eq!(run(&executor, &dry(apply("2", false))).await, "configured 2");
    let uid: Arc<str> = fake
        .get(PATH)
        .and_then(|o| o.str_at(&["metadata", "uid"]).map(Into::into))
        .expect("is stored");
    let delete = Action::Delete {
        uid,
        resource_version: None,
        propagation: Propagation::Foreground,
    };
    assert_eq!(run(&executor, &dry(effect(delete))).await, "deleted");
    assert_eq!(
        fake.get(PATH)
            .and_then(|o| o.str_at(&["data", "k"]).map(str::to_owned))
            .as_deref(),
        Some("1")
    );
    // A kind that is not there yet: the engine decides whether that is an error.
    let mut missing = dry(apply("1", false));
    missing.gvk = Gvk::new("example.com", "v1", "Shop");
    assert!(run(&executor, &missing).await.starts_with("NotFound: "));
}

#[tokio::test(start_paused = true)]
async fn a_delete_hits_only_the_incarnation_it_is_meant_for() {
    let fake = Fake::new();
    let executor = executor(&fake);
    run(&executor, &apply("1", false)).await;
    let live = fake.get(PATH).expect("is stored");
    let uid = live.str_at(&["metadata", "uid"]).expect("has one");
    let version = live.str_at(&["metadata", "resourceVersion"]).expect("has one");
    let delete = |uid: &str, version: Option<&str>| {
        let propagation = Propagation::Foreground;
        effect(Action::Delete {
            uid: uid.into(),
            resource_version: version.map(Into::into),
            propagation,
        })
    };
    let before = writes(&fake);
    assert!(run(&executor, &delete("", None)).await.contains("needs the UID"));
    assert_eq!(writes(&fake), before, "never sent");
    assert!(run(&executor, &delete("other", None)).await.starts_with("Conflict: "));
    assert!(run(&executor, &delete(uid, Some("1"))).await.starts_with("Conflict: "));
    assert!(fake.get(PATH).is_some());
    fake.fault(
        Method::DELETE,
        PATH,
        1,
        Fault::Answer(404, "<html>proxy</html>".to_owned()),
    );
    assert!(
        run(&executor, &delete(uid, None)).await.starts_with("Unavailable: "),
        "a proxy's 404 proves nothing"
    );
    assert_eq!(run(&executor, &delete(uid, Some(version))).await, "deleted");
    assert_eq!(
        run(&executor, &delete(uid, Some(version))).await,
        "deleted",
        "gone is as good as deleted"
    );
    assert_eq!(fake.count(r#""propagationPolicy":"Foreground""#), 5);
}

#[tokio::test(start_paused = true)]
async fn replace_puts_over_what_is_there_or_creates() {
    let fake = Fake::new();
    let executor = executor(&fake);
    let replace = |value: &str, force| {
        effect(Action::Replace {
            object: object(&config_map("a", value)),
            force,
        })
    };
    assert_eq!(run(&executor, &replace("1", false)).await, "created 1");
    assert_eq!(run(&executor, &replace("1", false)).await, "unchanged 1");
    assert_eq!(run(&executor, &replace("2", false)).await, "configured 2");
    assert_eq!(fake.count("PUT "), 2);
    assert_eq!(run(&executor, &replace("3", true)).await, "configured 3");
    assert_eq!((fake.count("PUT "), fake.count("DELETE ")), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn merge_patches_are_fenced_by_resource_version() {
    let fake = Fake::new();
    let executor = executor(&fake);
    fake.put(PATH, &config_map("a", "1"));
    let version: Arc<str> = fake
        .get(PATH)
        .and_then(|o| o.str_at(&["metadata", "resourceVersion"]).map(Into::into))
        .expect("is stored");
    let patch = |value: &str| {
        let patch = Value::from_json(format!(r#"{{"data":{{"k":"{value}"}}}}"#).as_bytes()).expect("is JSON");
        effect(Action::MergePatch {
            patch,
            resource_version: Some(Arc::clone(&version)),
        })
    };
    assert_eq!(run(&executor, &patch("1")).await, "unchanged 1");
    assert_eq!(run(&executor, &patch("2")).await, "configured 2");
    assert!(run(&executor, &patch("3")).await.starts_with("Conflict: "));
}

#[tokio::test(start_paused = true)]
async fn server_side_apply_says_who_applies() {
    let fake = Fake::new();
    let executor = executor(&fake);
    let object = object(&config_map("a", "1"));
    let ssa = effect(Action::Apply {
        object,
        mode: ApplyMode::ServerSide,
        validate: false,
    });
    assert_eq!(run(&executor, &ssa).await, "created 1");
    assert_eq!(fake.count("PATCH /api/v1/namespaces/shop/configmaps/a?timeout=30s&fieldManager=argocd-controller&fieldValidation=Ignore&force=true"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_changed_project_stops_the_write_at_the_last_moment() {
    let fake = Fake::new();
    let projects = ProjectVersionMap::default();
    let executor = Executor::new(
        Clusters::of(fake.cluster()),
        Arc::new(projects.clone()),
        LeaseGuard::not_needed(),
    );
    let grant = Grant::Project {
        name: "shop".into(),
        resource_version: "7".into(),
    };
    let try_it = async || executor.carry_out(&apply("1", false), &grant, Seen::Unknown).await;
    let is_skipped = |o: &Outcome| matches!(o, Outcome::Skipped(Skipped::ProjectChanged { .. }));
    assert!(is_skipped(&try_it().await), "an unknown project permits nothing");
    projects.set("shop", "8");
    assert!(is_skipped(&try_it().await));
    assert_eq!(writes(&fake), 0);
    projects.set("shop", "7");
    assert_eq!(line(&try_it().await), "created 1");
    projects.remove("shop");
    let outcome = executor.carry_out(&apply("2", false), &grant, Seen::Unknown).await;
    assert!(is_skipped(&outcome));
}

#[tokio::test(start_paused = true)]
async fn only_the_leader_writes() {
    let fake = Fake::new();
    let (tx, rx) = watch::channel(Leadership::Standby {
        holder: Some("other".into()),
    });
    let guard = LeaseGuard::held("argocd/pintle", rx);
    let executor = Executor::new(
        Clusters::of(fake.cluster()),
        Arc::new(ProjectVersionMap::default()),
        guard,
    );
    assert_eq!(
        run(&executor, &apply("1", false)).await,
        "skipped: another controller holds the lease argocd/pintle"
    );
    tx.send_replace(Leadership::Leading {
        until: Instant::now() + Duration::from_secs(10),
    });
    assert_eq!(run(&executor, &apply("1", false)).await, "created 1");
    tokio::time::advance(Duration::from_secs(11)).await;
    assert!(
        run(&executor, &apply("2", false)).await.starts_with("skipped: "),
        "a lease that was not renewed ends by itself"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_written_is_what_was_permitted() {
    let fake = Fake::new();
    let executor = executor(&fake);
    let mut other = apply("1", false);
    other.name = "b".into();
    assert!(run(&executor, &other).await.contains("another one"));
    let mut nowhere = apply("1", false);
    nowhere.namespace = "".into();
    assert!(run(&executor, &nowhere).await.contains("no namespace is given"));
    let mut elsewhere = apply("1", false);
    elsewhere.cluster = ClusterId("https://other".into());
    assert_eq!(
        run(&executor, &elsewhere).await,
        "NotFound: cluster https://other is not configured"
    );
    assert_eq!(writes(&fake), 0);
}

#[tokio::test(start_paused = true)]
async fn own_records_pass_by_the_public_way() {
    let fake = Fake::new();
    let path = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/web";
    fake.put(
        path,
        r#"{"apiVersion":"argoproj.io/v1alpha1","kind":"Application","metadata":{"name":"web","namespace":"argocd"}}"#,
    );
    let patch = Value::from_json(br#"{"status":{"sync":{"status":"Synced"}}}"#).expect("is JSON");
    let effect = Effect {
        gvk: Gvk::new("argoproj.io", "v1alpha1", "Application"),
        namespace: "argocd".into(),
        name: "web".into(),
        ..effect(Action::MergePatch {
            patch,
            resource_version: None,
        })
    };
    let permitted = Permitted::own_record(effect).ok().expect("is an own record");
    assert_eq!(line(&executor(&fake).execute(permitted).await), "configured -");
}

/// Writing methods appear in `execute` alone; everything else only reads.
#[test]
fn only_execute_writes() {
    fn look(dir: &std::path::Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(dir).expect("sources are there").flatten() {
            let path = entry.path();
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_owned();
            if path.is_dir() && name != "tests" && name != "execute" {
                look(&path, found);
            } else if name.ends_with(".rs") && name != "fake.rs" {
                let text = std::fs::read_to_string(&path).expect("is readable");
                let writes = ["POST", "PUT", "PATCH", "DELETE"]
                    .iter()
                    .any(|m| text.contains(&format!("Method::{m}")));
                found.extend(writes.then_some(name));
            }
        }
    }
    let mut found = Vec::new();
    look(
        &std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut found,
    );
    assert!(found.is_empty(), "{found:?}");
}
