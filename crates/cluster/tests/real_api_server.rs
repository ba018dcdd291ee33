//! Client, watches, effects and leases against a real Kubernetes control plane. Steps aside where the machine has none.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests: they fail by panicking"
)]

mod scenario;

use std::path::PathBuf;
use std::time::Duration;

use pintle_cluster::resources::{LogOptions, config_map_kind};
use pintle_cluster::{Cluster, ClusterEvent, Elector, KubeconfigSource, LeaseConfig, Watcher, detect_peer};
use pintle_engine::ClusterId;
use pintle_tests::ControlPlane;
use tokio::sync::mpsc;
use tokio::time::timeout;

use scenario::{Server, WITHIN};

fn server(plane: &'static ControlPlane) -> Server {
    let kubectl_apply = |text: &str| {
        plane
            .kubectl_with_input(&["apply", "-f", "-"], text)
            .unwrap_or_else(|e| e.to_string())
    };
    Server {
        kubectl_apply: Some(Box::new(kubectl_apply)),
        has_server_side_apply: true,
        kinds: 50,
    }
}

async fn connect(path: PathBuf) -> Cluster {
    let source = KubeconfigSource {
        path: Some(path),
        context: None,
    };
    Cluster::from_kubeconfig(ClusterId::in_cluster(), source, "test")
        .await
        .unwrap_or_else(|e| panic!("{e}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn effects_do_what_they_say() {
    let Some(plane) = ControlPlane::shared("effects_do_what_they_say") else {
        return;
    };
    scenario::effects_do_what_they_say(&connect(plane.kubeconfig_path()).await, &server(plane)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_is_kept_in_view() {
    let Some(plane) = ControlPlane::shared("every_kind_is_kept_in_view") else {
        return;
    };
    scenario::every_kind_is_kept_in_view(&connect(plane.kubeconfig_path()).await, &server(plane)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_read_hears_of_it_kind_by_kind() {
    let Some(plane) = ControlPlane::shared("who_may_not_read_hears_of_it_kind_by_kind") else {
        return;
    };
    plane
        .kubectl(&[
            "create",
            "clusterrole",
            "maps",
            "--verb=get,list,watch",
            "--resource=configmaps",
        ])
        .expect("role");
    plane
        .kubectl(&[
            "create",
            "clusterrolebinding",
            "maps",
            "--clusterrole=maps",
            "--user=reader",
        ])
        .expect("binding");
    let identity = plane.identity("reader", None).expect("a certificate");
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("config");
    std::fs::write(&path, plane.kubeconfig_for(&identity)).expect("is written");
    let cluster = connect(path).await;
    let (tx, mut events) = mpsc::channel(64);
    let _watcher = Watcher::start(cluster.clone(), |k| matches!(&*k.gvk.kind, "ConfigMap" | "Secret"), tx);
    let (mut failed, mut synced) = (false, false);
    while !(failed && synced) {
        match timeout(WITHIN, events.recv()).await.ok().flatten() {
            Some(ClusterEvent::KindFailed { kind, error }) => {
                assert_eq!(&*kind.gvk.kind, "Secret");
                assert_eq!(error.status, Some(403), "{error}");
                assert!(error.to_string().contains("list Secret on https://"), "{error}");
                failed = true;
            }
            Some(ClusterEvent::KindSynced { kind, .. }) => {
                assert_eq!(&*kind.gvk.kind, "ConfigMap");
                synced = true;
            }
            Some(_) => {}
            None => panic!("failed {failed}, synced {synced}"),
        }
    }
    assert!(
        cluster
            .find_kind(&config_map_kind(), "default", "none")
            .await
            .is_ok_and(|o| o.is_none())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_leads_and_hands_over() {
    let Some(plane) = ControlPlane::shared("one_leads_and_hands_over") else {
        return;
    };
    let cluster = connect(plane.kubeconfig_path()).await;
    let stand = |identity: &str| {
        let config = LeaseConfig {
            namespace: "default".into(),
            name: "pintle".into(),
            identity: identity.into(),
        };
        Elector::start(cluster.clone(), config)
    };
    let first = stand("first");
    let mut leadership = first.leadership();
    assert!(
        timeout(WITHIN, leadership.wait_for(|l| l.is_leading())).await.is_ok(),
        "nobody leads"
    );
    let second = stand("second");
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(first.leadership().borrow().is_leading() && !second.leadership().borrow().is_leading());
    first.release().await;
    let mut leadership = second.leadership();
    assert!(
        timeout(WITHIN, leadership.wait_for(|l| l.is_leading())).await.is_ok(),
        "nobody took over"
    );
    let holder = plane.kubectl(&[
        "get",
        "lease",
        "pintle",
        "-o",
        "jsonpath={.spec.holderIdentity} {.spec.leaseTransitions}",
    ]);
    assert!(holder.as_ref().is_ok_and(|h| h == "second 1"), "{holder:?}");
    assert_eq!(detect_peer(&cluster, "default").await, Ok(None));
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_read() {
    let Some(plane) = ControlPlane::shared("logs_are_read") else {
        return;
    };
    let cluster = connect(plane.kubeconfig_path()).await;
    plane
        .kubectl(&["run", "talker", "--image=shop/web:1.5"])
        .expect("a pod");
    plane
        .kubectl(&["wait", "--for=condition=Ready", "pod/talker", "--timeout=60s"])
        .expect("gets ready");
    let mut log = cluster
        .pod_log("default", "talker", &LogOptions::default())
        .await
        .unwrap_or_else(|e| panic!("{e}"));
    let mut text = Vec::new();
    while let Some(piece) = log.next().await.unwrap_or_else(|e| panic!("{e}")) {
        text.extend_from_slice(&piece);
    }
    assert_eq!(String::from_utf8_lossy(&text).trim(), "simulated container: ready");
}
