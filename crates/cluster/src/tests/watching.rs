//! Watches: following, resuming, relisting, isolating.

use std::time::Duration;

use http::Method;
use pintle_engine::effect::FailureKind;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{config_map, next, until};
use crate::discovery::kind_for_tests;
use crate::fake::{Fake, Fault};
use crate::{ClusterEvent, Scope, Watcher};

const CONFIG_MAPS: &str = "/api/v1/namespaces/shop/configmaps";

fn start_config_maps(fake: &Fake) -> (Watcher, mpsc::Receiver<ClusterEvent>) {
    let (tx, rx) = mpsc::channel(16);
    (
        Watcher::start_kind(fake.cluster(), fake.kind("ConfigMap"), Scope::default(), tx),
        rx,
    )
}

#[tokio::test(start_paused = true)]
async fn changes_arrive_and_a_lost_watch_goes_on_where_it_was() {
    let fake = Fake::new();
    fake.put(&format!("{CONFIG_MAPS}/a"), &config_map("a", "1"));
    let (_watcher, mut events) = start_config_maps(&fake);
    assert_eq!(next(&mut events).await, "reset ConfigMap [a]");
    assert_eq!(next(&mut events).await, "synced ConfigMap");
    fake.put(&format!("{CONFIG_MAPS}/b"), &config_map("b", "1"));
    assert_eq!(next(&mut events).await, "applied ConfigMap b");
    fake.end_watches();
    // Happens while nobody watches.
    fake.remove(&format!("{CONFIG_MAPS}/a"));
    assert_eq!(next(&mut events).await, "deleted ConfigMap a");
    assert_eq!(fake.count("limit=500"), 1, "it was not listed again");
    assert_eq!(fake.count("watch=true"), 2);
}

#[tokio::test(start_paused = true)]
async fn an_expired_position_is_listed_again() {
    let fake = Fake::new();
    fake.put(&format!("{CONFIG_MAPS}/a"), &config_map("a", "1"));
    let (_watcher, mut events) = start_config_maps(&fake);
    until(&mut events, "synced").await;
    fake.remove(&format!("{CONFIG_MAPS}/a"));
    assert_eq!(next(&mut events).await, "deleted ConfigMap a");
    fake.end_watches();
    fake.put(&format!("{CONFIG_MAPS}/b"), &config_map("b", "1"));
    fake.compact();
    assert_eq!(next(&mut events).await, "reset ConfigMap [b]");
    assert_eq!(next(&mut events).await, "synced ConfigMap");
    fake.put(&format!("{CONFIG_MAPS}/c"), &config_map("c", "1"));
    assert_eq!(next(&mut events).await, "applied ConfigMap c");
}

#[tokio::test(start_paused = true)]
async fn bookmarks_move_the_position_and_say_fresh() {
    let fake = Fake::new();
    let (_watcher, mut events) = start_config_maps(&fake);
    until(&mut events, "synced").await;
    while fake.count("watch=true") == 0 {
        tokio::task::yield_now().await;
    }
    // Other kinds move the server's resourceVersion.
    fake.put(
        "/api/v1/namespaces/shop",
        r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop"}}"#,
    );
    fake.bookmark();
    assert_eq!(next(&mut events).await, "synced ConfigMap");
    fake.compact();
    fake.end_watches();
    fake.put(&format!("{CONFIG_MAPS}/b"), &config_map("b", "1"));
    assert_eq!(
        next(&mut events).await,
        "applied ConfigMap b",
        "the bookmark's position is not too old"
    );
    assert_eq!(fake.count("limit=500"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_kind_without_bookmarks_is_shown_to_be_in_view_all_the_same() {
    let fake = Fake::new();
    let (_watcher, mut events) = start_config_maps(&fake);
    until(&mut events, "synced").await;
    for round in 2..10 {
        let since = Instant::now();
        assert_eq!(next(&mut events).await, "synced ConfigMap");
        assert!(
            since.elapsed() < Duration::from_secs(180),
            "the engine holds it for stale after three minutes"
        );
        assert_eq!(fake.count("watch=true"), round);
    }
    assert_eq!(fake.count("limit=500"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_falls_silent_is_replaced() {
    let fake = Fake::new();
    let (_watcher, mut events) = start_config_maps(&fake);
    until(&mut events, "synced").await;
    while fake.count("watch=true") == 0 {
        tokio::task::yield_now().await;
    }
    fake.bookmark();
    assert_eq!(next(&mut events).await, "synced ConfigMap");
    let since = Instant::now();
    while fake.count("watch=true") < 2 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert!((180..190).contains(&since.elapsed().as_secs()), "{:?}", since.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_forbidden_kind_is_isolated_retried_slowly_and_recovers() {
    let fake = Fake::new();
    let forbidden = r#"{"kind":"Status","code":403,"reason":"Forbidden","message":"no"}"#;
    fake.fault(Method::GET, "/deployments", 3, Fault::Answer(403, forbidden.to_owned()));
    fake.put(&format!("{CONFIG_MAPS}/a"), &config_map("a", "1"));
    let (tx, mut events) = mpsc::channel(64);
    let _watcher = Watcher::start(
        fake.cluster(),
        |k| matches!(&*k.gvk.kind, "ConfigMap" | "Deployment"),
        tx,
    );
    let started = Instant::now();
    let lines = until(&mut events, "reset Deployment").await;
    assert_eq!(lines[0], "discovery of 5 kinds, 0 failed");
    assert!(lines.iter().any(|l| l == "reset ConfigMap [a]"));
    let failures: Vec<&String> = lines.iter().filter(|l| l.starts_with("failed")).collect();
    assert_eq!(failures.len(), 3);
    assert_eq!(
        failures[0],
        "failed Deployment: list Deployment.apps on https://fake: no"
    );
    assert!(
        started.elapsed() > Duration::from_secs(150),
        "30 + 60 + 120 s, spread: {:?}",
        started.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_down_is_reported_and_waited_for() {
    let fake = Fake::new();
    let (_watcher, mut events) = start_config_maps(&fake);
    until(&mut events, "synced").await;
    while fake.count("watch=true") == 0 {
        tokio::task::yield_now().await;
    }
    fake.fault(Method::GET, "configmaps", 4, Fault::Answer(503, "down".to_owned()));
    fake.end_watches();
    let lines = until(&mut events, "synced").await;
    assert!(
        lines[0].starts_with("failed ConfigMap: watch ConfigMap on https://fake: HTTP status 503"),
        "{lines:?}"
    );
    assert!(lines.len() <= 5, "{lines:?}");
    assert_eq!(fake.count("limit=500"), 1, "back within the same history: no new list");
}

#[tokio::test(start_paused = true)]
async fn kinds_that_come_and_go_are_followed() {
    let fake = Fake::new();
    fake.with(|s| {
        s.kinds.push(kind_for_tests(
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            "customresourcedefinitions",
            false,
        ));
    });
    let (tx, mut events) = mpsc::channel(64);
    let _watcher = Watcher::start(fake.cluster(), |k| &*k.gvk.group == "example.com", tx);
    assert_eq!(next(&mut events).await, "discovery of 6 kinds, 0 failed");
    while fake.count("customresourcedefinitions?allow") + fake.count("customresourcedefinitions?watch") == 0 {
        tokio::task::yield_now().await;
    }
    let started = Instant::now();
    fake.with(|s| s.kinds.push(kind_for_tests("example.com/v1", "Shop", "shops", true)));
    let definition = r#"{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"shops.example.com"}}"#;
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/shops.example.com";
    fake.put(path, definition);
    assert_eq!(
        until(&mut events, "synced Shop").await[0],
        "discovery of 7 kinds, 0 failed"
    );
    assert!(started.elapsed() < Duration::from_secs(3));
    // A group that fails is not a kind that is gone.
    fake.fault(Method::GET, "/apis", 1, Fault::Answer(503, "down".to_owned()));
    fake.remove(path);
    assert!(next(&mut events).await.starts_with("discovery failed"));
    fake.with(|s| s.kinds.retain(|k| &*k.gvk.kind != "Shop"));
    assert_eq!(until(&mut events, "gone Shop").await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn listing_at_the_start_is_limited() {
    let fake = Fake::new();
    fake.with(|s| {
        for i in 0..40 {
            s.kinds.push(kind_for_tests(
                "example.com/v1",
                &format!("Kind{i}"),
                &format!("kind{i}s"),
                true,
            ));
        }
    });
    fake.fault(Method::GET, "/kind", 40, Fault::Hang);
    let (tx, mut events) = mpsc::channel(256);
    let _watcher = Watcher::start(fake.cluster(), |_| true, tx);
    until(&mut events, "discovery").await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert!(
        fake.count("limit=500") <= 15,
        "ten hang, the others wait: {}",
        fake.count("limit=500")
    );
    // They all come through in the end: nobody holds a place for ever.
    let mut synced = std::collections::BTreeSet::new();
    while synced.len() < 40 {
        let line = next(&mut events).await;
        if line.starts_with("synced Kind") {
            synced.insert(line);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn new_credentials_replace_open_watches() {
    let fake = Fake::new();
    let (tx, mut events) = mpsc::channel(16);
    let cluster = fake.cluster();
    let _watcher = Watcher::start_kind(cluster.clone(), fake.kind("ConfigMap"), Scope::default(), tx);
    until(&mut events, "synced").await;
    while fake.count("watch=true") == 0 {
        tokio::task::yield_now().await;
    }
    let other = Fake::new();
    other.with(|s| s.kinds = fake.with(|f| f.kinds.clone()));
    cluster.replace_client_for_tests(&other);
    other.put(&format!("{CONFIG_MAPS}/moved"), &config_map("moved", "1"));
    assert_eq!(next(&mut events).await, "applied ConfigMap moved");
    let error = cluster
        .get(&fake.kind("ConfigMap"), "shop", "none")
        .await
        .err()
        .expect("is not there");
    assert_eq!(error.kind, FailureKind::NotFound);
}
