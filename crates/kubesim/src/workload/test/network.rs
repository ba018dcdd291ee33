use super::super::table::{DEPLOYMENTS, ENDPOINT_SLICES, ENDPOINTS, HPAS, INGRESSES, PVCS, PVS, SERVICES};
use super::*;
use crate::store::DeleteOptions;

const WEB: &str = r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"default"},
    "spec":{"replicas":2,"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web"}},
    "spec":{"containers":[{"name":"web","image":"shop:1","ports":[{"name":"http","containerPort":8080}]}]}}}}"#;

fn service(kind: &str) -> String {
    format!(
        r#"{{"apiVersion":"v1","kind":"Service","metadata":{{"name":"web","namespace":"default","labels":{{"x":"y"}}}},
        "spec":{{"type":"{kind}","selector":{{"app":"web"}},"ports":[{{"port":80,"targetPort":"http"}}]}}}}"#
    )
}

/// Which of the endpoints are ready.
fn endpoints(world: &World) -> Vec<bool> {
    let slice = world.list(&ENDPOINT_SLICES).remove(0);
    let ready = |e: &Value| e.bool_at(&["conditions", "ready"]).unwrap_or(false);
    slice.value().list_at(&["endpoints"]).iter().map(ready).collect()
}

#[test]
fn endpoints_follow_the_pods() {
    let mut world = World::new();
    world.put(&SERVICES, &service("ClusterIP"));
    world.run(100);
    assert!(endpoints(&world).is_empty());
    world.put(&DEPLOYMENTS, WEB);
    world.run(2_000);
    assert_eq!(endpoints(&world), [true, true]);
    let slice = world.list(&ENDPOINT_SLICES).remove(0);
    assert_eq!(slice.label("kubernetes.io/service-name"), Some("web"));
    assert_eq!(slice.label("x"), Some("y"));
    assert_eq!(slice.value().list_at(&["ports"])[0].i64_at(&["port"]), Some(8080));
    let subset = world.get(&ENDPOINTS, "web").value().list_at(&["subsets"])[0].clone();
    assert_eq!(subset.list_at(&["addresses"]).len(), 2);
    world.rests(3_600_000);
    world.edit(&DEPLOYMENTS, "web", |d| d.set_at(&["spec", "replicas"], 1.into()));
    world.run(2_000);
    assert_eq!(endpoints(&world), [true]);
    // A label that is taken away takes the Pod out.
    let pod = world.pods().remove(0);
    world.edit(&DEPLOYMENTS, "web", |d| d.set_at(&["spec", "replicas"], 0.into()));
    world.edit(&PODS, pod.name(), |p| {
        p.set_at(&["metadata", "labels", "app"], "other".into());
    });
    world.run(2_000);
    assert!(endpoints(&world).is_empty());
    world
        .store
        .delete(&SERVICES, "default", "web", &DeleteOptions::default())
        .expect("deleted");
    world.run(100);
    assert!(world.list(&ENDPOINTS).is_empty());
}

#[test]
fn load_balancers_and_ingresses_get_an_address_after_a_moment() {
    let mut world = World::new();
    world.put(&SERVICES, &service("LoadBalancer"));
    world.put(
        &INGRESSES,
        r#"{"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"name":"web","namespace":"default"},"spec":{}}"#,
    );
    let addresses = |world: &World| {
        [&*SERVICES, &*INGRESSES].map(|gr| {
            let object = world.get(gr, "web");
            object.value().list_at(&["status", "loadBalancer", "ingress"]).len()
        })
    };
    world.run(300);
    assert_eq!(addresses(&world), [0, 0]);
    world.run(1_000);
    assert_eq!(addresses(&world), [1, 1]);
    world.rests(60_000);
    world.edit(&SERVICES, "web", |s| s.set_at(&["spec", "type"], "ClusterIP".into()));
    world.run(100);
    assert_eq!(addresses(&world), [0, 1]);
}

#[test]
fn a_claim_is_bound_and_its_volume_goes_with_it() {
    let mut world = World::new();
    world.put(
        &PVCS,
        r#"{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"data","namespace":"default"},
        "spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"2Gi"}}}}"#,
    );
    world.run(50);
    let phase = |world: &World| {
        world
            .get(&PVCS, "data")
            .value()
            .str_at(&["status", "phase"])
            .map(str::to_owned)
    };
    assert_eq!(phase(&world).as_deref(), Some("Pending"));
    world.run(500);
    assert_eq!(phase(&world).as_deref(), Some("Bound"));
    let claim = world.get(&PVCS, "data");
    assert_eq!(claim.value().str_at(&["status", "capacity", "storage"]), Some("2Gi"));
    assert_eq!(world.store.list(&PVS, None).objects.len(), 1);
    world.rests(60_000);
    world
        .store
        .delete(&PVCS, "default", "data", &DeleteOptions::default())
        .expect("deleted");
    world.run(100);
    assert!(world.store.list(&PVS, None).objects.is_empty());
}

#[test]
fn an_autoscaler_shows_the_size_of_its_target() {
    let mut world = World::new();
    world.put(&DEPLOYMENTS, WEB);
    world.put(
        &HPAS,
        r#"{"apiVersion":"autoscaling/v2","kind":"HorizontalPodAutoscaler","metadata":{"name":"web","namespace":"default"},
        "spec":{"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"web"},"maxReplicas":5}}"#,
    );
    world.run(2_000);
    let h = world.get(&HPAS, "web");
    assert_eq!(status(&h), r#"{"currentReplicas":2,"desiredReplicas":2}"#);
    assert!(conditions(&h).contains(&"ScalingActive=True ValidMetricFound".to_owned()));
    world.rests(60_000);
}
