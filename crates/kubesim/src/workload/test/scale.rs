use std::fmt::Write as _;

use super::super::table::{DEPLOYMENTS, REPLICA_SETS, SERVICES};
use super::*;

/// As many applications as the benchmark has.
const APPS: usize = 1000;

fn put_all(world: &World) {
    for i in 0..APPS {
        let name = format!("app-{i}");
        world.put(
            &DEPLOYMENTS,
            &format!(
                r#"{{"apiVersion":"apps/v1","kind":"Deployment","metadata":{{"name":"{name}","namespace":"default"}},
                "spec":{{"replicas":1,"selector":{{"matchLabels":{{"app":"{name}"}}}},"template":{{"metadata":
                {{"labels":{{"app":"{name}"}}}},"spec":{{"containers":[{{"name":"web","image":"shop:1"}}]}}}}}}}}"#
            ),
        );
        world.put(
            &SERVICES,
            &format!(
                r#"{{"apiVersion":"v1","kind":"Service","metadata":{{"name":"{name}","namespace":"default"}},
                "spec":{{"selector":{{"app":"{name}"}},"ports":[{{"port":80}}]}}}}"#
            ),
        );
    }
}

#[test]
fn a_thousand_applications_settle_with_a_bounded_number_of_writes() {
    let mut world = World::new();
    put_all(&world);
    let before = world.store.resource_version();
    world.run(3_000);
    assert_eq!(world.ready_pods(), APPS);
    let writes = world.store.resource_version() - before;
    // ReplicaSet, Pod, slice, endpoints, seven events, and the statuses on the way.
    assert!(writes < 40 * APPS as u64, "{writes} writes for {APPS} applications");
    let mut unavailable = String::new();
    for d in world.list(&DEPLOYMENTS) {
        if d.value().i64_at(&["status", "availableReplicas"]) != Some(1) {
            let _ = write!(unavailable, " {}", d.name());
        }
    }
    assert_eq!(unavailable, "");
    assert_eq!(world.list(&REPLICA_SETS).len(), APPS);
    assert!(world.list(&table::EVENTS).len() <= 4096);
    world.rests(3_600_000);
}
