use pintle_model::Value;

use super::super::table::{DEPLOYMENTS, NAMESPACES, REPLICA_SETS};
use super::*;
use crate::store::{DeleteOptions, Propagation};

fn deployment(name: &str, replicas: i64, image: &str) -> String {
    format!(
        r#"{{"apiVersion":"apps/v1","kind":"Deployment","metadata":{{"name":"{name}","namespace":"default"}},
        "spec":{{"replicas":{replicas},"progressDeadlineSeconds":5,"selector":{{"matchLabels":{{"app":"{name}"}}}},
        "template":{{"metadata":{{"labels":{{"app":"{name}"}}}},"spec":{{"containers":[{{"name":"web","image":"{image}"}}]}}}}}}}}"#
    )
}

fn set_image(world: &World, image: &str) {
    world.edit(&DEPLOYMENTS, "web", |d| {
        let mut container = d
            .list_at(&["spec", "template", "spec", "containers"])
            .first()
            .cloned()
            .expect("one");
        container.set_at(&["image"], image.into());
        d.set_at(&["spec", "template", "spec", "containers"], vec![container].into());
    });
}

fn settled(replicas: i64) -> World {
    let mut world = World::new();
    world.put(&DEPLOYMENTS, &deployment("web", replicas, "shop:1.4"));
    world.run(2_000);
    world
}

/// `revision image spec/ready` of the ReplicaSets.
fn sets(world: &World) -> Vec<String> {
    let mut sets: Vec<String> = world
        .list(&REPLICA_SETS)
        .iter()
        .map(|s| {
            let v = s.value();
            let image = v.list_at(&["spec", "template", "spec", "containers"]);
            format!(
                "{} {} {}/{}",
                s.annotation("deployment.kubernetes.io/revision").unwrap_or_default(),
                image.first().and_then(|c| c.str_at(&["image"])).unwrap_or_default(),
                v.i64_at(&["spec", "replicas"]).unwrap_or_default(),
                v.i64_at(&["status", "readyReplicas"]).unwrap_or_default(),
            )
        })
        .collect();
    sets.sort();
    sets
}

#[test]
fn a_new_deployment_becomes_available_and_rests() {
    let mut world = settled(2);
    let d = world.get(&DEPLOYMENTS, "web");
    assert_eq!(
        status(&d),
        r#"{"availableReplicas":2,"observedGeneration":1,"readyReplicas":2,"replicas":2,"updatedReplicas":2}"#
    );
    assert_eq!(
        conditions(&d),
        [
            "Progressing=True NewReplicaSetAvailable",
            "Available=True MinimumReplicasAvailable"
        ]
    );
    assert_eq!(d.annotation("deployment.kubernetes.io/revision"), Some("1"));
    let set = world.list(&REPLICA_SETS).remove(0);
    let hash = set.label("pod-template-hash").expect("a hash").to_owned();
    assert_eq!(set.name(), format!("web-{hash}"));
    assert_eq!(
        set.value()
            .str_at(&["spec", "selector", "matchLabels", "pod-template-hash"]),
        Some(&*hash)
    );
    assert_eq!(set.annotation("deployment.kubernetes.io/desired-replicas"), Some("2"));
    assert_eq!(set.annotation("deployment.kubernetes.io/max-replicas"), Some("3"));
    for pod in world.pods() {
        assert_eq!(pod.label("pod-template-hash"), Some(&*hash));
        assert!(pod.name().starts_with(&format!("web-{hash}-")));
        assert!(is_ready(&pod));
        assert_eq!(
            world.said(pod.name()),
            ["Scheduled", "Pulling", "Pulled", "Created", "Started"]
        );
    }
    assert_eq!(world.said("web"), ["ScalingReplicaSet"]);
    world.rests(3_600_000);
}

#[test]
fn a_rollout_stays_within_its_bounds_and_takes_a_second_or_two() {
    let mut world = settled(3);
    let (since, start) = (world.store.resource_version(), world.pods());
    set_image(&world, "shop:1.5");
    world.run(100);
    assert_eq!(sets(&world), ["1 shop:1.4 3/3", "2 shop:1.5 1/0"]);
    world.run(2_900);
    assert_eq!(sets(&world), ["1 shop:1.4 0/0", "2 shop:1.5 3/3"]);
    let mut most = 0;
    world.every_state_of_pods(since, start, |pods| {
        let alive = pods.values().filter(|p| p.deletion_timestamp().is_none()).count();
        let ready = pods.values().filter(|p| is_ready(p)).count();
        assert!(alive <= 4, "25% of 3 rounded up is one more");
        assert!(ready >= 3, "25% of 3 rounded down is none less");
        most = most.max(alive);
    });
    assert_eq!(most, 4, "the surge was used");
    world.rests(600_000);
}

#[test]
fn a_broken_image_passes_the_deadline_and_goes_back_to_the_old_replica_set() {
    let mut world = settled(2);
    set_image(&world, "shop:broken");
    world.run(3_500);
    let d = world.get(&DEPLOYMENTS, "web");
    assert_eq!(
        conditions(&d),
        [
            "Progressing=True ReplicaSetUpdated",
            "Available=True MinimumReplicasAvailable"
        ]
    );
    world.run(2_500);
    let d = world.get(&DEPLOYMENTS, "web");
    assert_eq!(
        conditions(&d),
        [
            "Progressing=False ProgressDeadlineExceeded",
            "Available=True MinimumReplicasAvailable"
        ]
    );
    assert_eq!(
        status(&d),
        r#"{"availableReplicas":2,"observedGeneration":2,"readyReplicas":2,"replicas":3,"unavailableReplicas":1,"updatedReplicas":1}"#
    );
    let waiting: Vec<String> = world
        .pods()
        .iter()
        .flat_map(|p| p.value().list_at(&["status", "containerStatuses"]).to_vec())
        .filter_map(|s| Some(s.str_at(&["state", "waiting", "reason"])?.to_owned()))
        .collect();
    assert_eq!(waiting, ["ImagePullBackOff"]);
    world.rests(60_000);
    let before = world.list(&REPLICA_SETS).len();
    set_image(&world, "shop:1.4");
    world.run(2_000);
    assert_eq!(world.list(&REPLICA_SETS).len(), before);
    assert_eq!(sets(&world), ["2 shop:broken 0/0", "3 shop:1.4 2/2"]);
    let d = world.get(&DEPLOYMENTS, "web");
    assert_eq!(d.annotation("deployment.kubernetes.io/revision"), Some("3"));
    assert_eq!(
        conditions(&d),
        [
            "Progressing=True NewReplicaSetAvailable",
            "Available=True MinimumReplicasAvailable"
        ]
    );
    world.rests(60_000);
}

#[test]
fn a_new_deployment_of_a_broken_image_is_never_available() {
    let mut world = World::new();
    world.put(&DEPLOYMENTS, &deployment("web", 2, "shop:1.7-broken"));
    world.run(6_000);
    assert_eq!(
        conditions(&world.get(&DEPLOYMENTS, "web")),
        [
            "Progressing=False ProgressDeadlineExceeded",
            "Available=False MinimumReplicasUnavailable"
        ]
    );
}

#[test]
fn scaling_up_and_down_changes_the_number_of_pods_only() {
    let mut world = settled(1);
    let first = world.pods().remove(0);
    world.edit(&DEPLOYMENTS, "web", |d| d.set_at(&["spec", "replicas"], 4.into()));
    world.run(2_000);
    assert_eq!(world.ready_pods(), 4);
    assert_eq!(sets(&world), ["1 shop:1.4 4/4"]);
    world.edit(&DEPLOYMENTS, "web", |d| d.set_at(&["spec", "replicas"], 1.into()));
    world.run(2_000);
    let names: Vec<String> = world.pods().iter().map(|p| p.name().to_owned()).collect();
    assert_eq!(names, [first.name()], "the oldest stays");
    world.edit(&DEPLOYMENTS, "web", |d| d.set_at(&["spec", "replicas"], 0.into()));
    world.run(2_000);
    assert!(world.pods().is_empty());
    world.rests(60_000);
}

#[test]
fn scaling_in_the_middle_of_a_stuck_rollout_is_shared() {
    let mut world = settled(4);
    set_image(&world, "shop:broken");
    world.run(1_000);
    assert_eq!(sets(&world), ["1 shop:1.4 3/3", "2 shop:broken 2/0"]);
    world.edit(&DEPLOYMENTS, "web", |d| d.set_at(&["spec", "replicas"], 8.into()));
    world.run(2_000);
    assert_eq!(sets(&world), ["1 shop:1.4 6/6", "2 shop:broken 4/0"]);
}

#[test]
fn recreate_stops_all_before_it_starts_any() {
    let mut world = settled(2);
    world.edit(&DEPLOYMENTS, "web", |d| {
        d.set_at(&["spec", "strategy", "type"], "Recreate".into());
    });
    world.run(500);
    let (since, start) = (world.store.resource_version(), world.pods());
    set_image(&world, "shop:1.5");
    world.run(3_000);
    assert_eq!(sets(&world), ["1 shop:1.4 0/0", "2 shop:1.5 2/2"]);
    world.every_state_of_pods(since, start, |pods| {
        let mut hashes: Vec<&str> = pods.values().filter_map(|p| p.label("pod-template-hash")).collect();
        hashes.dedup();
        assert!(hashes.len() <= 1, "old and new at the same time");
    });
    world.rests(60_000);
}

#[test]
fn a_paused_deployment_scales_but_does_not_roll() {
    let mut world = settled(1);
    world.edit(&DEPLOYMENTS, "web", |d| d.set_at(&["spec", "paused"], true.into()));
    set_image(&world, "shop:1.5");
    world.edit(&DEPLOYMENTS, "web", |d| d.set_at(&["spec", "replicas"], 2.into()));
    world.run(10_000);
    assert_eq!(sets(&world), ["1 shop:1.4 2/2"]);
    let d = world.get(&DEPLOYMENTS, "web");
    assert!(conditions(&d).contains(&"Progressing=Unknown DeploymentPaused".to_owned()));
    world.rests(60_000);
    world.edit(&DEPLOYMENTS, "web", |d| d.set_at(&["spec", "paused"], false.into()));
    world.run(3_000);
    assert_eq!(sets(&world), ["1 shop:1.4 0/0", "2 shop:1.5 2/2"]);
}

#[test]
fn history_is_bounded() {
    let mut world = settled(1);
    world.edit(&DEPLOYMENTS, "web", |d| {
        d.set_at(&["spec", "revisionHistoryLimit"], 1.into());
    });
    for image in ["shop:1.5", "shop:1.6", "shop:1.7"] {
        set_image(&world, image);
        world.run(3_000);
    }
    assert_eq!(sets(&world), ["3 shop:1.6 0/0", "4 shop:1.7 1/1"]);
}

#[test]
fn min_ready_seconds_hold_back_availability() {
    let mut world = World::new();
    world.put(&DEPLOYMENTS, &deployment("web", 1, "shop:1.4"));
    world.edit(&DEPLOYMENTS, "web", |d| {
        d.set_at(&["spec", "minReadySeconds"], 3.into())
    });
    world.run(1_500);
    let d = world.get(&DEPLOYMENTS, "web");
    assert_eq!(d.value().i64_at(&["status", "readyReplicas"]), Some(1));
    assert_eq!(d.value().i64_at(&["status", "availableReplicas"]), None);
    world.run(2_500);
    let d = world.get(&DEPLOYMENTS, "web");
    assert_eq!(d.value().i64_at(&["status", "availableReplicas"]), Some(1));
}

#[test]
fn a_crash_loop_counts_its_restarts() {
    let mut world = World::new();
    world.put(&DEPLOYMENTS, &deployment("web", 1, "shop:crash"));
    let status = |world: &World| {
        let pod = world.pods().remove(0);
        let status = pod
            .value()
            .list_at(&["status", "containerStatuses"])
            .first()
            .cloned()
            .expect("one");
        (
            status.i64_at(&["restartCount"]).unwrap_or(0),
            status
                .str_at(&["state", "waiting", "reason"])
                .unwrap_or_default()
                .to_owned(),
            status.i64_at(&["lastState", "terminated", "exitCode"]),
        )
    };
    world.run(3_000);
    assert_eq!(status(&world), (1, "CrashLoopBackOff".to_owned(), Some(2)));
    world.run(12_000);
    assert_eq!(status(&world), (2, "CrashLoopBackOff".to_owned(), Some(2)));
    world.run(21_000);
    assert_eq!(status(&world), (3, "CrashLoopBackOff".to_owned(), Some(2)));
    assert_eq!(world.ready_pods(), 0);
    let pod = world.pods().remove(0);
    assert!(
        condition::is_true(&pod, "PodReadyToStartContainers"),
        "the sandbox stays"
    );
}

#[test]
fn a_deleted_pod_is_replaced_after_it_was_seen_terminating() {
    let mut world = settled(1);
    let pod = world.pods().remove(0);
    world
        .store
        .delete(&PODS, "default", pod.name(), &DeleteOptions::default())
        .expect("deleted");
    world.run(100);
    let terminating = world.get(&PODS, pod.name());
    assert!(terminating.deletion_timestamp().is_some());
    assert_eq!(world.pods().len(), 2);
    world.run(2_000);
    assert_eq!(world.ready_pods(), 1);
    assert_eq!(world.pods().len(), 1);
    assert!(world.said(pod.name()).contains(&"Killing".to_owned()));
}

#[test]
fn an_orphaned_replica_set_and_its_pods_are_adopted() {
    let mut world = settled(1);
    let set = world.list(&REPLICA_SETS).remove(0);
    let pod = world.pods().remove(0);
    let orphan = DeleteOptions {
        propagation: Some(Propagation::Orphan),
        ..DeleteOptions::default()
    };
    world
        .store
        .delete(&DEPLOYMENTS, "default", "web", &orphan)
        .expect("deleted");
    world.run(1_000);
    assert!(world.get(&REPLICA_SETS, set.name()).owner_references().next().is_none());
    world.put(&DEPLOYMENTS, &deployment("web", 1, "shop:1.4"));
    world.run(1_000);
    let adopted = world.list(&REPLICA_SETS);
    assert_eq!(adopted.len(), 1);
    let owner = world.get(&DEPLOYMENTS, "web");
    assert!(super::super::owner::is_controlled_by(&adopted[0], &owner));
    assert_eq!(world.pods()[0].uid(), pod.uid());
    world.edit(&PODS, pod.name(), |p| {
        p.set_at(&["metadata", "labels", "app"], "other".into());
    });
    world.run(1_000);
    assert_eq!(world.pods().len(), 2, "released and replaced");
    assert!(world.get(&PODS, pod.name()).owner_references().next().is_none());
}

#[test]
fn deletion_takes_everything_along() {
    for propagation in [Propagation::Background, Propagation::Foreground] {
        let mut world = settled(2);
        let options = DeleteOptions {
            propagation: Some(propagation),
            ..DeleteOptions::default()
        };
        world
            .store
            .delete(&DEPLOYMENTS, "default", "web", &options)
            .expect("deleted");
        world.run(50);
        assert_eq!(world.pods().len(), 2, "Pods take their time to stop");
        assert!(world.pods().iter().all(|p| p.deletion_timestamp().is_some()));
        let waits = world.store.get(&DEPLOYMENTS, "default", "web").is_ok();
        assert_eq!(waits, propagation == Propagation::Foreground);
        world.run(2_000);
        assert!(world.pods().is_empty());
        assert!(world.list(&REPLICA_SETS).is_empty());
        assert!(world.list(&DEPLOYMENTS).is_empty());
        world.rests(60_000);
    }
}

#[test]
fn nothing_is_made_in_a_namespace_that_goes() {
    let mut world = settled(1);
    world
        .store
        .modify(&NAMESPACES, "", "default", |n| {
            n.value_mut()
                .set_at(&["spec", "finalizers"], vec![Value::from("kubernetes")].into());
        })
        .expect("held");
    world
        .store
        .delete(&NAMESPACES, "", "default", &DeleteOptions::default())
        .expect("marked");
    let pod = world.pods().remove(0);
    world
        .store
        .delete(&PODS, "default", pod.name(), &DeleteOptions::default())
        .expect("deleted");
    world.run(2_000);
    assert!(world.pods().is_empty());
}

#[test]
fn what_was_missed_is_made_up_for() {
    let mut world = settled(2);
    set_image(&world, "shop:1.5");
    world.run(300);
    world.store.compact();
    world.run(100);
    world
        .store
        .delete(&PODS, "default", world.pods()[0].name(), &DeleteOptions::default())
        .expect("deleted");
    world.store.compact();
    world.run(4_000);
    assert_eq!(sets(&world), ["1 shop:1.4 0/0", "2 shop:1.5 2/2"]);
    assert_eq!(world.pods().len(), 2);
}

#[test]
fn equal_seeds_give_equal_runs() {
    let run = || {
        let world = settled(3);
        let history: Vec<String> = world
            .store
            .events_since(1)
            .expect("kept")
            .iter()
            .map(|e| {
                format!(
                    "{:?} {} {}",
                    e.kind,
                    e.gr,
                    pintle_model::to_json_string(e.object.value())
                )
            })
            .collect();
        history
    };
    assert!(run() == run());
}
