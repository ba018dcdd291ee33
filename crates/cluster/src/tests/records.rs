//! Own records: watching Applications, logs, Events.

use std::sync::Arc;

use http::Method;
use jiff::Timestamp;
use pintle_engine::effect::Outcome;
use pintle_engine::kinds::{Scope as KindScope, Served};
use pintle_model::GroupKind;
use tokio::sync::mpsc;

use super::{next, object};
use crate::discovery::kind_for_tests;
use crate::fake::{Fake, Fault};
use crate::resources::{EventNote, EventType, LogOptions, application_kind};
use crate::{Clusters, Executor, LeaseGuard, ProjectVersionMap, Scope};

const WEB: &str = r#"{"apiVersion":"argoproj.io/v1alpha1","kind":"Application","metadata":{"name":"web","namespace":"argocd","uid":"u1"}}"#;

#[tokio::test(start_paused = true)]
async fn applications_of_one_namespace_are_watched() {
    let fake = Fake::new();
    fake.put("/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/web", WEB);
    fake.put(
        "/apis/argoproj.io/v1alpha1/namespaces/other/applications/not-ours",
        &WEB.replace("argocd", "other"),
    );
    let (tx, mut events) = mpsc::channel(8);
    let watcher = fake
        .cluster()
        .watch_kind(&application_kind(), Scope::namespace("argocd"), tx)
        .await;
    let _watcher = watcher.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(next(&mut events).await, "reset Application [web]");
    assert_eq!(next(&mut events).await, "synced Application");
}

#[tokio::test(start_paused = true)]
async fn a_log_is_read_to_its_end() {
    let fake = Fake::new();
    fake.with(|s| s.kinds.push(kind_for_tests("v1", "Pod", "pods", true)));
    fake.fault(
        Method::GET,
        "/pods/web-1/log",
        1,
        Fault::Answer(200, "one\ntwo\n".to_owned()),
    );
    let options = LogOptions {
        container: "app".to_owned(),
        tail_lines: Some(2),
        ..LogOptions::default()
    };
    let mut log = fake
        .cluster()
        .pod_log("shop", "web-1", &options)
        .await
        .unwrap_or_else(|e| panic!("{e}"));
    let mut text = Vec::new();
    while let Some(piece) = log.next().await.unwrap_or_else(|e| panic!("{e}")) {
        text.extend_from_slice(&piece);
    }
    assert_eq!(text, b"one\ntwo\n");
    assert_eq!(
        fake.count("GET /api/v1/namespaces/shop/pods/web-1/log?container=app&tailLines=2"),
        1
    );
    let error = fake
        .cluster()
        .pod_log("shop", "../secrets", &options)
        .await
        .err()
        .expect("is refused");
    assert!(error.to_string().contains("is not a name"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_event_is_an_own_record() {
    let fake = Fake::new();
    fake.with(|s| s.kinds.push(kind_for_tests("v1", "Event", "events", true)));
    let cluster = fake.cluster();
    let note = EventNote {
        event_type: EventType::Normal,
        reason: "OperationStarted".to_owned(),
        message: "admin initiated sync".to_owned(),
        component: "argocd-application-controller".to_owned(),
        at: Timestamp::UNIX_EPOCH,
    };
    let permitted = note.effect(&cluster, &object(WEB)).expect("is permitted");
    let executor = Executor::new(
        Clusters::of(cluster),
        Arc::new(ProjectVersionMap::default()),
        LeaseGuard::not_needed(),
    );
    assert!(matches!(executor.execute(permitted).await, Outcome::Created(_)));
    let event = fake.get("/api/v1/namespaces/argocd/events/web.0").expect("is stored");
    assert_eq!(event.str_at(&["involvedObject", "uid"]), Some("u1"));
    assert_eq!(event.str_at(&["lastTimestamp"]), Some("1970-01-01T00:00:00Z"));
}

#[tokio::test(start_paused = true)]
async fn the_engine_gets_kinds_with_all_versions_and_failed_groups() {
    let fake = Fake::new();
    fake.with(|s| {
        s.kinds
            .push(kind_for_tests("apps/v1beta1", "Deployment", "deployments", true));
        s.legacy_discovery = true;
    });
    fake.fault(
        Method::GET,
        "/apis/argoproj.io/v1alpha1",
        1,
        Fault::Answer(503, "down".to_owned()),
    );
    let table = fake
        .cluster()
        .discover()
        .await
        .unwrap_or_else(|e| panic!("{e}"))
        .to_engine();
    let Served::Yes(deployment) = table.served(&GroupKind::new("apps", "Deployment")) else {
        panic!("is served")
    };
    assert_eq!(
        deployment.versions.iter().map(|v| &**v).collect::<Vec<_>>(),
        ["v1", "v1beta1"]
    );
    assert_eq!(deployment.scope, KindScope::Namespaced);
    assert_eq!(table.scope(&GroupKind::new("", "Namespace")), Some(KindScope::Cluster));
    assert!(matches!(table.served(&application_kind()), Served::Unknown { .. }));
    assert!(matches!(table.served(&GroupKind::new("apps", "None")), Served::No));
}
