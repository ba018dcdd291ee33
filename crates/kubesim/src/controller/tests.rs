use std::time::Duration;

use pintle_model::{Gvk, Object, Value};

use super::*;
use crate::clock::Clock;
use crate::resource::GroupResource;
use crate::simulate::Simulation;
use crate::store::{DeleteOptions, Propagation, Store};

fn world() -> (Store, Simulation) {
    let clock = Clock::manual("2026-01-01T00:00:00Z".parse().expect("a time"));
    let store = Store::new(clock.clone(), 7);
    let mut simulation = Simulation::new(store.clone(), clock);
    simulation.add(Box::new(GarbageCollector::default()));
    simulation.add(Box::new(Namespaces::new(|| "PEM".to_owned())));
    simulation.add(Box::new(Definitions::default()));
    (store, simulation)
}

fn maps() -> GroupResource {
    GroupResource::new("", "configmaps")
}

fn map(store: &Store, name: &str, owner: Option<(&Object, bool)>) -> Object {
    let mut o = Object::bare(&Gvk::new("", "v1", "ConfigMap"), "default", name);
    if let Some((owner, blocks)) = owner {
        let mut r = Value::map();
        for (field, text) in [
            ("apiVersion", "v1"),
            ("kind", "ConfigMap"),
            ("name", owner.name()),
            ("uid", owner.uid()),
        ] {
            r.set_at(&[field], text.into());
        }
        r.set_at(&["blockOwnerDeletion"], blocks.into());
        o.value_mut()
            .set_at(&["metadata", "ownerReferences"], Value::list(vec![r]));
    }
    store.create(&maps(), o).expect("created")
}

fn names(store: &Store) -> Vec<String> {
    let listing = store.list(&maps(), Some("default"));
    listing
        .objects
        .iter()
        .map(|o| o.name().to_owned())
        .filter(|n| n != "kube-root-ca.crt")
        .collect()
}

fn delete(store: &Store, name: &str, propagation: Propagation) {
    let options = DeleteOptions {
        propagation: Some(propagation),
        ..DeleteOptions::default()
    };
    store.delete(&maps(), "default", name, &options).expect("deleted");
}

#[test]
fn background_deletion_takes_the_whole_chain() {
    let (store, mut simulation) = world();
    let a = map(&store, "a", None);
    let b = map(&store, "b", Some((&a, true)));
    map(&store, "c", Some((&b, true)));
    delete(&store, "a", Propagation::Background);
    assert_eq!(names(&store), ["b", "c"]);
    simulation.settle();
    assert!(names(&store).is_empty());
}

#[test]
fn foreground_deletion_waits_for_what_blocks() {
    let (store, mut simulation) = world();
    let a = map(&store, "a", None);
    map(&store, "b", Some((&a, true)));
    store
        .modify(&maps(), "default", "b", |o| {
            o.value_mut()
                .set_at(&["metadata", "finalizers"], Value::list(vec!["x/y".into()]))
        })
        .expect("changed");
    delete(&store, "a", Propagation::Foreground);
    simulation.settle();
    assert_eq!(names(&store), ["a", "b"], "b is held by its finalizer, a by b");
    store
        .modify(&maps(), "default", "b", |o| {
            let kept = o.finalizers().filter(|f| *f != "x/y").map(Value::from).collect();
            o.value_mut().set_at(&["metadata", "finalizers"], Value::list(kept));
        })
        .expect("changed");
    simulation.settle();
    assert!(names(&store).is_empty());
}

#[test]
fn orphans_stay_and_the_owner_goes() {
    let (store, mut simulation) = world();
    let a = map(&store, "a", None);
    map(&store, "b", Some((&a, true)));
    delete(&store, "a", Propagation::Orphan);
    simulation.settle();
    assert_eq!(names(&store), ["b"]);
    assert!(
        store
            .get(&maps(), "default", "b")
            .is_ok_and(|b| b.owner_references().next().is_none())
    );
}

#[test]
fn an_owner_that_never_was_is_a_dead_owner() {
    let (store, mut simulation) = world();
    let a = map(&store, "a", None);
    delete(&store, "a", Propagation::Background);
    map(&store, "b", Some((&a, false)));
    simulation.settle();
    assert!(names(&store).is_empty());
}

#[test]
fn a_namespace_is_furnished_and_emptied() {
    let (store, mut simulation) = world();
    let table = GroupResource::new("", "namespaces");
    let mut namespace = Object::bare(&Gvk::new("", "v1", "Namespace"), "", "default");
    namespace
        .value_mut()
        .set_at(&["spec", "finalizers"], Value::list(vec!["kubernetes".into()]));
    store.create(&table, namespace).expect("created");
    simulation.settle();
    assert!(
        store
            .get(&GroupResource::new("", "serviceaccounts"), "default", "default")
            .is_ok()
    );
    map(&store, "a", None);
    store
        .modify(&maps(), "default", "a", |o| {
            o.value_mut()
                .set_at(&["metadata", "finalizers"], Value::list(vec!["x/y".into()]))
        })
        .expect("changed");
    store
        .delete(&table, "", "default", &DeleteOptions::default())
        .expect("marked");
    simulation.settle();
    let held = store.get(&table, "", "default").expect("still there");
    assert_eq!(held.value().str_at(&["status", "phase"]), Some("Terminating"));
    assert_eq!(names(&store), ["a"]);
    store
        .modify(&maps(), "default", "a", |o| {
            o.value_mut().remove_at(&["metadata", "finalizers"]);
        })
        .expect("released");
    simulation.settle();
    assert!(store.get(&table, "", "default").is_err());
    assert!(names(&store).is_empty());
}

#[test]
fn a_definition_is_served_after_a_moment_and_takes_its_instances_along() {
    let (store, mut simulation) = world();
    let table = GroupResource::new("apiextensions.k8s.io", "customresourcedefinitions");
    let text =
        br#"{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"things.x.y",
        "finalizers":["customresourcecleanup.apiextensions.k8s.io"]},
        "spec":{"group":"x.y","scope":"Namespaced","names":{"plural":"things","kind":"Thing"},
        "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object"}}}]}}"#;
    store
        .create(&table, Object::from_json(text).expect("an object"))
        .expect("created");
    simulation.settle();
    let things = GroupResource::new("x.y", "things");
    assert!(store.resources().get(&things).is_none(), "not yet");
    simulation.advance(Duration::from_millis(200));
    assert!(store.resources().get(&things).is_some());
    let definition = store.get(&table, "", "things.x.y").expect("there");
    let established = definition
        .value()
        .list_at(&["status", "conditions"])
        .iter()
        .any(|c| c.str_at(&["type"]) == Some("Established") && c.str_at(&["status"]) == Some("True"));
    assert!(established);
    store
        .create(&things, Object::bare(&Gvk::new("x.y", "v1", "Thing"), "default", "t"))
        .expect("created");
    store
        .delete(&table, "", "things.x.y", &DeleteOptions::default())
        .expect("marked");
    simulation.settle();
    assert!(store.get(&table, "", "things.x.y").is_err());
    assert!(store.resources().get(&things).is_none());
    assert!(store.list(&things, None).objects.is_empty());
}
