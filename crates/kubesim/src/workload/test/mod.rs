//! Workloads on a clock that stands still until it is told.

mod batch;
mod deployment;
mod network;
mod pod;
mod scale;
mod sets;

use std::collections::BTreeMap;
use std::time::Duration;

use pintle_model::{Object, Value};

use super::table::{NAMESPACES, PODS};
use super::*;
use crate::clock::Clock;
use crate::controller::GarbageCollector;
use crate::resource::GroupResource;
use crate::simulate::Simulation;
use crate::store::{EventKind, Store};

/// A control plane of workloads and garbage collection, with the namespace `default`.
pub(super) struct World {
    pub(super) store: Store,
    sim: Simulation,
}

impl World {
    pub(super) fn new() -> Self {
        let clock = Clock::manual("2026-01-01T00:00:00Z".parse().expect("a time"));
        let store = Store::new(clock.clone(), 7);
        let mut sim = Simulation::new(store.clone(), clock);
        sim.add(Box::new(GarbageCollector::default()));
        for controller in controllers(7) {
            sim.add(controller);
        }
        let world = Self { store, sim };
        world.put(
            &NAMESPACES,
            r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"default"}}"#,
        );
        world
    }

    /// Creates an object as the API does, with its defaults.
    pub(super) fn put(&self, gr: &GroupResource, json: &str) -> Object {
        let mut object = Object::from_json(json.as_bytes()).expect("an object");
        let resources = self.store.resources();
        let resource = resources.get(gr).expect("served");
        crate::defaults::apply(&self.store, resource, &mut object, None);
        self.store.create(gr, object).expect("created")
    }

    pub(super) fn get(&self, gr: &GroupResource, name: &str) -> Object {
        self.store.get(gr, "default", name).expect("there")
    }

    pub(super) fn edit(&self, gr: &GroupResource, name: &str, change: impl FnOnce(&mut Value)) {
        let edited = self.store.modify(gr, "default", name, |o| change(o.value_mut()));
        edited.expect("changed");
    }

    pub(super) fn run(&mut self, millis: u64) {
        self.sim.advance(Duration::from_millis(millis));
    }

    pub(super) fn list(&self, gr: &GroupResource) -> Vec<Object> {
        self.store.list(gr, Some("default")).objects
    }

    pub(super) fn pods(&self) -> Vec<Object> {
        self.list(&PODS)
    }

    pub(super) fn ready_pods(&self) -> usize {
        self.pods().iter().filter(|p| is_ready(p)).count()
    }

    /// Fails if anything is written within `millis`.
    pub(super) fn rests(&mut self, millis: u64) {
        let before = self.store.resource_version();
        self.run(millis);
        let written: Vec<String> = self
            .store
            .events_since(before)
            .expect("kept")
            .iter()
            .map(|e| format!("{:?} {} {}", e.kind, e.gr, e.key.1))
            .collect();
        assert!(written.is_empty(), "written to a settled store: {written:?}");
    }

    /// Replays the history: `look` sees every state of the Pods there has been.
    pub(super) fn every_state_of_pods(
        &self,
        since: u64,
        start: Vec<Object>,
        mut look: impl FnMut(&BTreeMap<String, Object>),
    ) {
        let mut pods: BTreeMap<String, Object> = start.into_iter().map(|p| (p.name().to_owned(), p)).collect();
        for event in self.store.events_since(since).expect("kept") {
            if event.gr != *PODS {
                continue;
            }
            match event.kind {
                EventKind::Deleted => pods.remove(event.object.name()),
                _ => pods.insert(event.object.name().to_owned(), event.object.clone()),
            };
            look(&pods);
        }
    }

    /// The reasons of the events about an object, in order, with their counts.
    pub(super) fn said(&self, about: &str) -> Vec<String> {
        self.list(&table::EVENTS)
            .iter()
            .filter(|e| e.value().str_at(&["involvedObject", "name"]) == Some(about))
            .map(|e| e.value().str_at(&["reason"]).unwrap_or_default().to_owned())
            .collect()
    }
}

pub(super) fn is_ready(pod: &Object) -> bool {
    pod.deletion_timestamp().is_none() && condition::is_true(pod, "Ready")
}

/// `type=status reason` of every condition.
pub(super) fn conditions(object: &Object) -> Vec<String> {
    let text = |c: &Value, f: &str| c.str_at(&[f]).unwrap_or_default().to_owned();
    object
        .value()
        .list_at(&["status", "conditions"])
        .iter()
        .map(|c| format!("{}={} {}", text(c, "type"), text(c, "status"), text(c, "reason")))
        .collect()
}

/// The status without what is checked elsewhere.
pub(super) fn status(object: &Object) -> String {
    let mut status = object.value().get("status").cloned().unwrap_or_else(Value::map);
    status.remove_at(&["conditions"]);
    pintle_model::to_json_string(&status)
}
