//! The objects, one revision counter, and the recent past.
//!
//! ```text
//! create / update / update_status / modify / delete ──► tables (now) + history (recent events) ──► watch wake-up
//! get / list / events_since                         ◄──┘
//! ```
//!
//! Objects are stored once per group and resource, in the resource's storage version. Every write that changes something takes the next
//! resourceVersion and leaves one event in the history, so `history[i].revision` rises by one from entry to entry. The lock is a plain
//! mutex, held for one operation and never across an await.
//!
//! Writes follow the generic registry of kube-apiserver: uid, timestamps, generation, optimistic concurrency, finalizers, graceful
//! deletion. Defaults, validation and subresource routing are the API's work (`api`); garbage collection and namespace contents are
//! controllers (`controller`).

mod delete;
mod history;
mod owners;
mod uid;
mod write;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pintle_model::Object;
use tokio::sync::watch;

pub use delete::{DeleteOptions, Deletion, FOREGROUND, ORPHAN, Propagation};
pub use history::{Compacted, Event, EventKind};
pub use write::WriteOptions;

use crate::clock::Clock;
use crate::error::ApiError;
use crate::resource::{GroupResource, Resource, Resources};
use owners::Owners;
use uid::UidSource;

/// Namespace (empty for cluster-scoped) and name: the key within a table, and the order of lists.
pub type Name = (Arc<str>, Arc<str>);

/// The store. Clones share one state.
#[derive(Clone)]
pub struct Store {
    state: Arc<Mutex<State>>,
    revision: watch::Sender<u64>,
    clock: Clock,
}

struct State {
    /// The last resourceVersion given out.
    revision: u64,
    resources: Arc<Resources>,
    tables: HashMap<GroupResource, BTreeMap<Name, Object>>,
    /// Recent events, oldest first, revisions without gaps up to `revision`.
    history: VecDeque<Event>,
    owners: Owners,
    uids: UidSource,
}

/// Objects of one resource at one resourceVersion, in the order of namespace and name.
pub struct Listing {
    /// The objects.
    pub objects: Vec<Object>,
    /// The resourceVersion they were read at.
    pub revision: u64,
}

impl Store {
    /// An empty store. `seed` decides the UIDs and generated names; equal seeds and equal writes give equal stores.
    pub fn new(clock: Clock, seed: u64) -> Self {
        let state = State {
            // Starts above 0: "0" means "any version" to list and watch.
            revision: 1,
            resources: Arc::new(Resources::built_in()),
            tables: HashMap::new(),
            history: VecDeque::new(),
            owners: Owners::default(),
            uids: UidSource::new(seed),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            revision: watch::Sender::new(1),
            clock,
        }
    }

    /// The clock that stamps objects.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The resources served now.
    pub fn resources(&self) -> Arc<Resources> {
        Arc::clone(&self.lock().resources)
    }

    /// Replaces the served resources by what `change` makes of them: how custom resources come and go.
    pub fn change_resources(&self, change: impl FnOnce(&mut Resources)) {
        let mut state = self.lock();
        let mut resources = (*state.resources).clone();
        change(&mut resources);
        state.resources = Arc::new(resources);
    }

    /// The last resourceVersion given out.
    pub fn resource_version(&self) -> u64 {
        self.lock().revision
    }

    /// A receiver that is marked changed after every write; its value is the last resourceVersion.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.revision.subscribe()
    }

    /// One object. `namespace` is empty for cluster-scoped resources.
    pub fn get(&self, gr: &GroupResource, namespace: &str, name: &str) -> Result<Object, ApiError> {
        self.lock()
            .find(gr, namespace, name)
            .cloned()
            .ok_or_else(|| ApiError::not_found(gr, name))
    }

    /// All objects of a resource, in one namespace or in all. A resource that nothing was written to lists as empty.
    pub fn list(&self, gr: &GroupResource, namespace: Option<&str>) -> Listing {
        let state = self.lock();
        let objects = state
            .tables
            .get(&table_of(gr))
            .into_iter()
            .flatten()
            .filter(|((ns, _), _)| namespace.is_none_or(|wanted| &**ns == wanted))
            .map(|(_, o)| o.clone())
            .collect();
        Listing {
            objects,
            revision: state.revision,
        }
    }

    /// The objects that name `uid` as an owner, with their resource.
    pub fn dependents(&self, uid: &str) -> Vec<(GroupResource, Object)> {
        let state = self.lock();
        let found = state.owners.dependents(uid);
        found
            .filter_map(|(gr, (ns, name))| Some((gr.clone(), state.find(gr, ns, name)?.clone())))
            .collect()
    }

    /// Whether an object with this UID exists.
    pub fn uid_exists(&self, uid: &str) -> bool {
        self.lock().owners.exists(uid)
    }

    /// Every group-resource that holds at least one object.
    pub fn populated(&self) -> Vec<GroupResource> {
        let mut found: Vec<GroupResource> = self
            .lock()
            .tables
            .iter()
            .filter(|(_, t)| !t.is_empty())
            .map(|(gr, _)| gr.clone())
            .collect();
        found.sort();
        found
    }

    /// How many objects there are in all.
    pub fn len(&self) -> usize {
        self.lock().tables.values().map(BTreeMap::len).sum()
    }

    /// Whether there are no objects at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Runs one write under the lock and wakes the watchers if it changed something.
    fn write<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let (result, revision) = {
            let mut state = self.lock();
            let result = change(&mut state);
            (result, state.revision)
        };
        self.revision.send_if_modified(|seen| {
            let newer = revision > *seen;
            *seen = revision.max(*seen);
            newer
        });
        result
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic under the lock leaves the state as consistent as the last completed statement; tests that provoke one go on reading.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn find(&self, gr: &GroupResource, namespace: &str, name: &str) -> Option<&Object> {
        self.tables
            .get(&table_of(gr))?
            .get(&(Arc::from(namespace), Arc::from(name)))
    }

    fn resource(&self, gr: &GroupResource) -> Result<Arc<Resource>, ApiError> {
        self.resources.get(gr).cloned().ok_or_else(ApiError::no_such_path)
    }

    /// Puts `object` in place, stamps the next resourceVersion on it and records the event; returns what was stored.
    fn put(&mut self, gr: &GroupResource, key: Name, object: Object) -> Object {
        let gr = table_of(gr);
        let object = self.stamp(object);
        let previous = self
            .tables
            .entry(gr.clone())
            .or_default()
            .insert(key.clone(), object.clone());
        let kind = if previous.is_some() {
            EventKind::Modified
        } else {
            EventKind::Added
        };
        self.owners.update(&gr, &key, previous.as_ref(), Some(&object));
        self.remember(Event {
            revision: self.revision,
            kind,
            gr,
            key,
            object: object.clone(),
            previous,
        });
        object
    }

    /// Takes an object out and records the event with `last` as its last state; returns that with the resourceVersion of the removal.
    fn take(&mut self, gr: &GroupResource, key: Name, last: Object) -> Object {
        let gr = table_of(gr);
        let Some(previous) = self.tables.get_mut(&gr).and_then(|t| t.remove(&key)) else {
            return last;
        };
        let object = self.stamp(last);
        self.owners.update(&gr, &key, Some(&previous), None);
        let event = Event {
            revision: self.revision,
            kind: EventKind::Deleted,
            gr,
            key,
            object: object.clone(),
            previous: Some(previous),
        };
        self.remember(event);
        object
    }

    fn stamp(&mut self, mut object: Object) -> Object {
        self.revision += 1;
        object
            .value_mut()
            .set_at(&["metadata", "resourceVersion"], self.revision.to_string().into());
        object
    }
}

/// Events are one table, served as core and as `events.k8s.io`.
fn table_of(gr: &GroupResource) -> GroupResource {
    if gr.is("events.k8s.io", "events") {
        GroupResource::new("", "events")
    } else {
        gr.clone()
    }
}
