use std::time::Duration;

use pintle_model::{Gvk, Object, Value};

use super::*;

fn store() -> Store {
    let start = "2026-01-01T00:00:00Z".parse().expect("a time");
    Store::new(Clock::manual(start), 7)
}

fn deployments() -> GroupResource {
    GroupResource::new("apps", "deployments")
}

fn deployment(name: &str) -> Object {
    let mut o = Object::bare(&Gvk::new("apps", "v1", "Deployment"), "default", name);
    o.value_mut().set_at(&["spec", "replicas"], 1.into());
    o
}

#[test]
fn a_created_object_gets_identity_and_generation() {
    let store = store();
    let made = store.create(&deployments(), deployment("web")).expect("created");
    assert_eq!(made.generation(), Some(1));
    assert_eq!(made.creation_timestamp(), "2026-01-01T00:00:00Z");
    assert_eq!(made.resource_version(), "2");
    assert_eq!(made.uid().len(), 36);
    let again = store.create(&deployments(), deployment("web")).err().expect("refused");
    assert_eq!(again.message, r#"deployments.apps "web" already exists"#);
}

#[test]
fn generation_counts_desired_state_only_and_nothing_is_no_write() {
    let store = store();
    let gr = deployments();
    let made = store.create(&gr, deployment("web")).expect("created");
    let mut labelled = made.clone();
    labelled.set_label("a", "b");
    let labelled = store.update(&gr, labelled).expect("updated");
    assert_eq!(labelled.generation(), Some(1));
    let same = store.update(&gr, labelled.clone()).expect("updated");
    assert_eq!(same.resource_version(), labelled.resource_version());
    let mut scaled = same.clone();
    scaled.value_mut().set_at(&["spec", "replicas"], 3.into());
    scaled.value_mut().set_at(&["status", "replicas"], 3.into());
    let scaled = store.update(&gr, scaled).expect("updated");
    assert_eq!(scaled.generation(), Some(2));
    assert!(scaled.value().get("status").is_none(), "the status is a subresource");
    let mut stale = same;
    stale.value_mut().set_at(&["status", "replicas"], 3.into());
    let refused = store.update_status(&gr, stale.clone()).err().expect("conflict");
    assert_eq!(
        refused.message,
        "Operation cannot be fulfilled on deployments.apps \"web\": the object has been modified; \
         please apply your changes to the latest version and try again"
    );
    stale.value_mut().remove_at(&["metadata", "resourceVersion"]);
    let with_status = store.update_status(&gr, stale).expect("updated");
    assert_eq!(with_status.value().i64_at(&["status", "replicas"]), Some(3));
    assert_eq!(
        with_status.value().i64_at(&["spec", "replicas"]),
        Some(3),
        "a status update leaves the spec"
    );
    assert_eq!(with_status.generation(), Some(2));
}

#[test]
fn finalizers_hold_and_their_removal_removes() {
    let store = store();
    let gr = deployments();
    let mut held = deployment("web");
    held.value_mut()
        .set_at(&["metadata", "finalizers"], Value::list(vec!["x/y".into()]));
    store.create(&gr, held).expect("created");
    let marked = store
        .delete(&gr, "default", "web", &DeleteOptions::default())
        .expect("marked");
    assert!(matches!(marked, Deletion::Marked(_)));
    assert_eq!(marked.object().generation(), Some(2));
    store
        .modify(&gr, "default", "web", |o| {
            o.value_mut().remove_at(&["metadata", "finalizers"]);
        })
        .expect("released");
    assert!(store.get(&gr, "default", "web").is_err_and(|e| e.is_not_found()));
    let kinds: Vec<EventKind> = store.events_since(1).expect("kept").iter().map(|e| e.kind).collect();
    assert_eq!(kinds, [EventKind::Added, EventKind::Modified, EventKind::Deleted]);
}

#[test]
fn a_running_pod_is_given_its_grace_period() {
    let store = store();
    let gr = GroupResource::new("", "pods");
    let mut pod = Object::bare(&Gvk::new("", "v1", "Pod"), "default", "p");
    pod.value_mut().set_at(&["spec", "nodeName"], "n".into());
    store.create(&gr, pod).expect("created");
    let marked = store
        .delete(&gr, "default", "p", &DeleteOptions::default())
        .expect("marked");
    assert_eq!(marked.object().deletion_timestamp(), Some("2026-01-01T00:00:30Z"));
    let now = DeleteOptions {
        grace_period_seconds: Some(0),
        ..DeleteOptions::default()
    };
    assert!(matches!(
        store.delete(&gr, "default", "p", &now),
        Ok(Deletion::Removed(_))
    ));
}

#[test]
fn preconditions_guard_the_incarnation() {
    let store = store();
    let gr = deployments();
    let made = store.create(&gr, deployment("web")).expect("created");
    let wrong = DeleteOptions {
        uid: Some("other".into()),
        ..DeleteOptions::default()
    };
    let refused = store.delete(&gr, "default", "web", &wrong).err().expect("refused");
    assert_eq!(
        refused.message,
        format!(
            "Operation cannot be fulfilled on deployments.apps \"web\": Precondition failed: UID in precondition: other, UID in object meta: {}",
            made.uid()
        )
    );
}

#[test]
fn the_past_can_be_listed_until_it_is_compacted() {
    let store = store();
    let gr = deployments();
    store.create(&gr, deployment("a")).expect("created");
    store.create(&gr, deployment("b")).expect("created");
    let then = store.resource_version();
    store
        .delete(&gr, "default", "a", &DeleteOptions::default())
        .expect("deleted");
    store.create(&gr, deployment("c")).expect("created");
    let names = |l: Listing| l.objects.iter().map(|o| o.name().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(store.list_at(&gr, None, then).expect("kept")), ["a", "b"]);
    assert_eq!(names(store.list(&gr, Some("default"))), ["b", "c"]);
    store.compact();
    assert!(store.list_at(&gr, None, then).is_err());
    assert!(store.events_since(store.resource_version()).is_ok_and(|e| e.is_empty()));
}

#[test]
fn equal_seeds_give_equal_stores() {
    let uid = |seed| {
        let store = Store::new(Clock::manual("2026-01-01T00:00:00Z".parse().expect("a time")), seed);
        let mut o = deployment("");
        o.value_mut().set_at(&["metadata", "generateName"], "web-".into());
        let o = store.create(&deployments(), o).expect("created");
        (o.uid().to_owned(), o.name().to_owned())
    };
    assert_eq!(uid(1), uid(1));
    assert_ne!(uid(1), uid(2));
}

#[test]
fn a_manual_clock_stamps() {
    let store = store();
    store.clock().advance(Duration::from_secs(61));
    assert_eq!(store.clock().now_text(), "2026-01-01T00:01:01Z");
}
