//! Leader election and the look for the peer's controller.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use tokio::time::{Instant, sleep, timeout};

use crate::discovery::kind_for_tests;
use crate::fake::{Fake, Fault};
use crate::{Elector, Leadership, LeaseConfig, detect_peer};

const PATH: &str = "/apis/coordination.k8s.io/v1/namespaces/argocd/leases/pintle";

fn stand(fake: &Fake, identity: &str) -> Elector {
    let config = LeaseConfig {
        namespace: "argocd".into(),
        name: "pintle".into(),
        identity: identity.into(),
    };
    Elector::start(fake.cluster(), config)
}

async fn until_leading(elector: &Elector) {
    let mut leadership = elector.leadership();
    let _ = timeout(Duration::from_secs(600), leadership.wait_for(|l| l.is_leading()))
        .await
        .expect("leads in the end");
}

fn spec(fake: &Fake, field: &str) -> String {
    let lease = fake.get(PATH).expect("is stored");
    lease
        .at(&["spec", field])
        .map(pintle_model::to_json_string)
        .unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn one_leads_and_the_other_takes_over_when_it_falls_silent() {
    let fake = Fake::new();
    let first = stand(&fake, "first");
    until_leading(&first).await;
    assert_eq!(spec(&fake, "holderIdentity"), r#""first""#);
    assert_eq!(spec(&fake, "leaseDurationSeconds"), "15");
    assert_eq!(
        spec(&fake, "acquireTime").len(),
        "\"2006-01-02T15:04:05.000000Z\"".len()
    );
    let second = stand(&fake, "second");
    sleep(Duration::from_secs(60)).await;
    assert!(first.leadership().borrow().is_leading(), "it renews");
    assert!(!second.leadership().borrow().is_leading());
    let silent_since = Instant::now();
    drop(first);
    until_leading(&second).await;
    let waited = silent_since.elapsed();
    assert!((12..=20).contains(&waited.as_secs()), "{waited:?}");
    assert_eq!(spec(&fake, "holderIdentity"), r#""second""#);
    assert_eq!(spec(&fake, "leaseTransitions"), "1");
}

#[tokio::test(start_paused = true)]
async fn a_released_lease_is_taken_at_once() {
    let fake = Fake::new();
    let first = stand(&fake, "first");
    until_leading(&first).await;
    let second = stand(&fake, "second");
    sleep(Duration::from_secs(5)).await;
    first.release().await;
    assert_eq!(spec(&fake, "holderIdentity"), r#""""#);
    let released = Instant::now();
    until_leading(&second).await;
    assert!(released.elapsed() <= Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_cannot_renew_stops_before_another_may_begin() {
    let fake = Fake::new();
    let elector = stand(&fake, "first");
    until_leading(&elector).await;
    fake.fault(Method::GET, "leases", 1000, Fault::Hang);
    let cut_off = Instant::now();
    let mut leadership = elector.leadership();
    let _ = leadership
        .wait_for(|l| matches!(l, Leadership::Standby { .. }))
        .await
        .expect("it is told");
    assert!(cut_off.elapsed() <= Duration::from_secs(10), "{:?}", cut_off.elapsed());
}

#[tokio::test(start_paused = true)]
async fn of_two_who_try_at_once_one_leads() {
    let fake = Fake::new();
    let electors: Vec<Elector> = ["a", "b", "c"].map(|i| stand(&fake, i)).into();
    for _ in 0..300 {
        sleep(Duration::from_millis(200)).await;
        let leading = electors.iter().filter(|e| e.leadership().borrow().is_leading()).count();
        assert!(leading <= 1);
    }
    assert_eq!(
        electors.iter().filter(|e| e.leadership().borrow().is_leading()).count(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn a_lease_taken_by_force_is_noticed() {
    let fake = Fake::new();
    let elector = stand(&fake, "first");
    until_leading(&elector).await;
    let mut lease = fake.get(PATH).expect("is stored");
    lease.set_at(&["spec", "holderIdentity"], "intruder".into());
    fake.put(PATH, &pintle_model::to_json_string(&lease));
    sleep(Duration::from_secs(3)).await;
    assert!(!elector.leadership().borrow().is_leading());
}

#[tokio::test(start_paused = true)]
async fn the_peers_controller_is_found_with_the_way_out() {
    let fake = Fake::new();
    fake.with(|s| {
        s.kinds
            .push(kind_for_tests("apps/v1", "StatefulSet", "statefulsets", true))
    });
    let cluster = fake.cluster();
    let put = |replicas: i64, image: &str| {
        fake.put(
            "/apis/apps/v1/namespaces/argocd/statefulsets/argocd-application-controller",
            &format!(
                r#"{{"apiVersion":"apps/v1","kind":"StatefulSet","metadata":{{"name":"argocd-application-controller","namespace":"argocd"}},
                "spec":{{"replicas":{replicas},"template":{{"spec":{{"containers":[{{"image":"{image}"}}]}}}}}}}}"#
            ),
        );
    };
    assert_eq!(detect_peer(&cluster, "argocd").await, Ok(None));
    put(0, "quay.io/argoproj/argocd:v3.5.0");
    assert_eq!(detect_peer(&cluster, "argocd").await, Ok(None));
    put(2, "quay.io/argoproj/argocd:v3.5.0");
    let peer = detect_peer(&cluster, "argocd").await.ok().flatten().expect("is found");
    assert!(
        peer.to_string()
            .ends_with("kubectl -n argocd scale statefulset argocd-application-controller --replicas=0")
    );
    assert_eq!(detect_peer(&cluster, "elsewhere").await, Ok(None));
    put(2, "registry.example.com:5000/team/pintle:0.1.0");
    assert_eq!(
        detect_peer(&cluster, "argocd").await,
        Ok(None),
        "Pintle under the peer's name is Pintle"
    );
    fake.fault(
        Method::GET,
        "statefulsets",
        1,
        Fault::Answer(503, Arc::<str>::from("down").to_string()),
    );
    assert!(
        detect_peer(&cluster, "argocd").await.is_err(),
        "not knowing is not absence"
    );
}
