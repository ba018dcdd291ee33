use super::super::table::{CONTROLLER_REVISIONS, DAEMON_SETS, NODES, PVCS, PVS, STATEFUL_SETS};
use super::*;
use crate::store::DeleteOptions;

fn stateful(replicas: i64, policy: &str) -> String {
    format!(
        r#"{{"apiVersion":"apps/v1","kind":"StatefulSet","metadata":{{"name":"db","namespace":"default"}},
        "spec":{{"replicas":{replicas},"podManagementPolicy":"{policy}","serviceName":"db",
        "selector":{{"matchLabels":{{"app":"db"}}}},
        "template":{{"metadata":{{"labels":{{"app":"db"}}}},"spec":{{"containers":[{{"name":"db","image":"db:1"}}]}}}},
        "volumeClaimTemplates":[{{"metadata":{{"name":"data"}},"spec":{{"accessModes":["ReadWriteOnce"],
        "resources":{{"requests":{{"storage":"1Gi"}}}}}}}}]}}}}"#
    )
}

fn set_image(world: &World, gr: &GroupResource, name: &str, image: &str) {
    world.edit(gr, name, |d| {
        let mut container = d
            .list_at(&["spec", "template", "spec", "containers"])
            .first()
            .cloned()
            .expect("one");
        container.set_at(&["image"], image.into());
        d.set_at(&["spec", "template", "spec", "containers"], vec![container].into());
    });
}

fn names(objects: &[Object]) -> Vec<&str> {
    objects.iter().map(Object::name).collect()
}

#[test]
fn a_stateful_set_starts_in_order_with_its_volumes() {
    let mut world = World::new();
    let since = world.store.resource_version();
    world.put(&STATEFUL_SETS, &stateful(3, "OrderedReady"));
    world.run(5_000);
    world.every_state_of_pods(since, Vec::new(), |pods| {
        let unready = pods.values().filter(|p| !is_ready(p)).count();
        assert!(unready <= 1, "one after the other");
    });
    assert_eq!(names(&world.pods()), ["db-0", "db-1", "db-2"]);
    assert_eq!(world.ready_pods(), 3);
    assert_eq!(names(&world.list(&PVCS)), ["data-db-0", "data-db-1", "data-db-2"]);
    for claim in world.list(&PVCS) {
        assert_eq!(claim.value().str_at(&["status", "phase"]), Some("Bound"));
    }
    assert_eq!(world.store.list(&PVS, None).objects.len(), 3);
    let s = world.get(&STATEFUL_SETS, "db");
    assert_eq!(s.value().i64_at(&["status", "readyReplicas"]), Some(3));
    assert_eq!(s.value().i64_at(&["status", "updatedReplicas"]), Some(3));
    assert_eq!(
        s.value().str_at(&["status", "currentRevision"]),
        s.value().str_at(&["status", "updateRevision"])
    );
    let pod = world.get(&PODS, "db-1");
    assert_eq!(pod.label("statefulset.kubernetes.io/pod-name"), Some("db-1"));
    assert_eq!(
        pod.label("controller-revision-hash"),
        s.value().str_at(&["status", "updateRevision"])
    );
    world.rests(3_600_000);
}

#[test]
fn a_stateful_set_rolls_and_shrinks_from_the_top() {
    let mut world = World::new();
    world.put(&STATEFUL_SETS, &stateful(3, "OrderedReady"));
    world.run(5_000);
    let (since, start) = (world.store.resource_version(), world.pods());
    set_image(&world, &STATEFUL_SETS, "db", "db:2");
    world.run(6_000);
    let mut order: Vec<String> = Vec::new();
    world.every_state_of_pods(since, start, |pods| {
        for pod in pods.values().filter(|p| p.deletion_timestamp().is_some()) {
            if order.last().is_none_or(|l| l != pod.name()) {
                order.push(pod.name().to_owned());
            }
        }
        assert!(pods.values().filter(|p| is_ready(p)).count() >= 2);
    });
    assert_eq!(order, ["db-2", "db-1", "db-0"]);
    let s = world.get(&STATEFUL_SETS, "db");
    assert_eq!(s.value().i64_at(&["status", "updatedReplicas"]), Some(3));
    assert_eq!(
        s.value().str_at(&["status", "currentRevision"]),
        s.value().str_at(&["status", "updateRevision"])
    );
    assert_eq!(world.list(&CONTROLLER_REVISIONS).len(), 2);
    world.edit(&STATEFUL_SETS, "db", |s| s.set_at(&["spec", "replicas"], 1.into()));
    world.run(3_000);
    assert_eq!(names(&world.pods()), ["db-0"]);
    assert_eq!(world.list(&PVCS).len(), 3, "volumes stay");
    world.rests(60_000);
}

#[test]
fn a_partition_holds_back_the_lower_ones() {
    let mut world = World::new();
    world.put(&STATEFUL_SETS, &stateful(3, "OrderedReady"));
    world.run(5_000);
    world.edit(&STATEFUL_SETS, "db", |s| {
        s.set_at(&["spec", "updateStrategy", "rollingUpdate", "partition"], 2.into());
    });
    set_image(&world, &STATEFUL_SETS, "db", "db:2");
    world.run(4_000);
    world
        .store
        .delete(&PODS, "default", "db-0", &DeleteOptions::default())
        .expect("deleted");
    world.run(4_000);
    let images: Vec<String> = world
        .pods()
        .iter()
        .filter_map(|p| {
            Some(
                p.value()
                    .list_at(&["spec", "containers"])
                    .first()?
                    .str_at(&["image"])?
                    .to_owned(),
            )
        })
        .collect();
    assert_eq!(images, ["db:1", "db:1", "db:2"]);
    let s = world.get(&STATEFUL_SETS, "db");
    assert_eq!(s.value().i64_at(&["status", "updatedReplicas"]), Some(1));
    assert_eq!(s.value().i64_at(&["status", "currentReplicas"]), Some(2));
    world.rests(60_000);
}

#[test]
fn a_parallel_stateful_set_starts_all_at_once() {
    let mut world = World::new();
    world.put(&STATEFUL_SETS, &stateful(3, "Parallel"));
    world.run(50);
    assert_eq!(world.pods().len(), 3);
}

#[test]
fn a_daemon_set_has_a_pod_on_every_node_and_rolls_one_by_one() {
    let mut world = World::new();
    world.put(
        &DAEMON_SETS,
        r#"{"apiVersion":"apps/v1","kind":"DaemonSet","metadata":{"name":"agent","namespace":"default"},
        "spec":{"selector":{"matchLabels":{"app":"agent"}},"template":{"metadata":{"labels":{"app":"agent"}},
        "spec":{"containers":[{"name":"agent","image":"agent:1"}]}}}}"#,
    );
    world.run(3_000);
    let nodes = |world: &World| {
        let node = |p: &Object| p.value().str_at(&["spec", "nodeName"]).unwrap_or_default().to_owned();
        let mut nodes: Vec<String> = world.pods().iter().map(node).collect();
        nodes.sort();
        nodes
    };
    assert_eq!(nodes(&world), names(&world.store.list(&NODES, None).objects));
    assert_eq!(
        status(&world.get(&DAEMON_SETS, "agent")),
        concat!(
            r#"{"currentNumberScheduled":2,"desiredNumberScheduled":2,"numberAvailable":2,"numberMisscheduled":0,"#,
            r#""numberReady":2,"observedGeneration":1,"updatedNumberScheduled":2}"#
        )
    );
    world.rests(3_600_000);
    let (since, start) = (world.store.resource_version(), world.pods());
    set_image(&world, &DAEMON_SETS, "agent", "agent:2");
    world.run(4_000);
    world.every_state_of_pods(since, start, |pods| {
        assert!(pods.values().filter(|p| is_ready(p)).count() >= 1);
    });
    let d = world.get(&DAEMON_SETS, "agent");
    assert_eq!(d.value().i64_at(&["status", "updatedNumberScheduled"]), Some(2));
    assert_eq!(d.value().i64_at(&["status", "numberAvailable"]), Some(2));
    world.rests(60_000);
}
