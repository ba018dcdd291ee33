//! The same scenarios against kubesim, in process.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests: they fail by panicking"
)]

mod scenario;

use pintle_cluster::{Cluster, Elector, LeaseConfig};
use pintle_engine::ClusterId;
use pintle_kubesim::{Clock, KubeSim};
use scenario::{Server, WITHIN};
use tokio::time::timeout;

/// A simulated control plane that runs, and a handle to it.
fn start() -> (Cluster, KubeSim) {
    let sim = KubeSim::new(Clock::real(), 1);
    sim.settle();
    let running = sim.clone();
    tokio::spawn(async move { running.run().await });
    let client = kube::Client::new(sim.service(), "default");
    (
        Cluster::from_client(ClusterId::in_cluster(), "https://kubesim", client, "test"),
        sim,
    )
}

fn server() -> Server {
    Server {
        kubectl_apply: None,
        has_server_side_apply: false,
        kinds: 20,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn effects_do_what_they_say() {
    scenario::effects_do_what_they_say(&start().0, &server()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_is_kept_in_view() {
    scenario::every_kind_is_kept_in_view(&start().0, &server()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leadership_is_won_and_handed_over() {
    let (cluster, _sim) = start();
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
    first.release().await;
    let mut leadership = second.leadership();
    assert!(
        timeout(WITHIN, leadership.wait_for(|l| l.is_leading())).await.is_ok(),
        "nobody took over"
    );
}
