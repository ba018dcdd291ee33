//! The frame around every workload controller: from events to keys, from keys to writes.
//!
//! ```text
//! store.events_since(cursor) ─► Reconcile::observe ─► queue of keys ─► Reconcile::reconcile ─► writes, and when to look again
//!                                                        ▲ timers that are due
//! ```
//!
//! What happened only says which keys to look at; what to do is decided from the store as it is, so a missed event costs a second look and
//! nothing else. When the store has forgotten events this controller has not seen, it looks at everything once.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use pintle_model::Object;

use super::recorder::{About, Recorder};
use super::table;
use super::timing::{Jitter, RETRY};
use crate::clock::later;
use crate::defaults;
use crate::error::ApiError;
use crate::resource::GroupResource;
use crate::simulate::Controller;
use crate::store::{DeleteOptions, Event, EventKind, Name, Propagation, Store};

/// When to look at a key again although nothing changes; `None` for never.
pub(super) type Wake = Option<Timestamp>;

/// What one controller does. A key is the namespace and name of the object it is responsible for.
pub(super) trait Reconcile: Send {
    /// As in the source of events, for example `deployment-controller`.
    fn name(&self) -> &'static str;

    /// The tables whose events [`Reconcile::observe`] gets.
    fn watches(&self) -> Vec<&'static GroupResource>;

    /// Notes which keys an event concerns, and keeps the controller's own indexes.
    fn observe(&mut self, store: &Store, event: &Event, queue: &mut Queue);

    /// Brings one object a step further. Errors other than not-found lead to another try.
    fn reconcile(&mut self, cx: &Context<'_>, key: &Name) -> Result<Wake, ApiError>;

    /// Forgets what [`Reconcile::observe`] has learned: every object is shown again.
    fn forget(&mut self) {}

    /// Runs once, before anything else.
    fn start(&mut self, _cx: &Context<'_>) -> Result<(), ApiError> {
        Ok(())
    }
}

/// Keys to look at, each once.
#[derive(Default)]
pub(super) struct Queue(BTreeSet<Name>);

impl Queue {
    pub(super) fn push(&mut self, key: &Name) {
        self.0.insert(key.clone());
    }

    pub(super) fn push_name(&mut self, namespace: &str, name: &str) {
        self.0.insert((namespace.into(), name.into()));
    }

    /// The owner of `object`, if its controller is of this kind.
    pub(super) fn push_owner(&mut self, object: &Object, group: &str, kind: &str) {
        if let Some(owner) = super::owner::controller_of(object)
            && owner.kind == kind
            && owner.api_version.split_once('/').map_or("", |(g, _)| g) == group
        {
            self.push_name(object.namespace(), owner.name);
        }
    }

    /// The owners of an event's object, now and before.
    pub(super) fn push_owners(&mut self, event: &Event, group: &str, kind: &str) {
        self.push_owner(&event.object, group, kind);
        if let Some(previous) = &event.previous {
            self.push_owner(previous, group, kind);
        }
    }
}

/// What a controller may use while it reconciles.
pub(super) struct Context<'a> {
    pub(super) store: &'a Store,
    pub(super) now: Timestamp,
    pub(super) jitter: Jitter,
    source: &'static str,
    recorder: &'a Recorder,
}

impl Context<'_> {
    /// Creates an object with the defaults of its kind, unless its namespace is gone or going: the API server refuses that to everybody.
    pub(super) fn create(&self, gr: &GroupResource, mut object: Object) -> Result<Object, ApiError> {
        let namespace = object.namespace();
        if !namespace.is_empty() {
            let found = self.store.get(&table::NAMESPACES, "", namespace)?;
            if found.deletion_timestamp().is_some() {
                let why =
                    format!("unable to create new content in namespace {namespace} because it is being terminated");
                return Err(ApiError::forbidden(gr, object.name(), &why));
            }
        }
        // Not a ReplicaSet: its template is its Deployment's, has its defaults already, and is compared with it.
        if *gr != *table::REPLICA_SETS
            && let Some(resource) = self.store.resources().get(gr)
        {
            defaults::apply(self.store, resource, &mut object, None);
        }
        self.store.create(gr, object)
    }

    /// Deletes exactly this incarnation of an object; one that is gone already is fine.
    pub(super) fn delete(&self, gr: &GroupResource, object: &Object) -> Result<(), ApiError> {
        self.delete_with(gr, object, None, None)
    }

    /// As [`Context::delete`], with a propagation and a grace period.
    pub(super) fn delete_with(
        &self,
        gr: &GroupResource,
        object: &Object,
        propagation: Option<Propagation>,
        grace_period_seconds: Option<i64>,
    ) -> Result<(), ApiError> {
        let options = DeleteOptions {
            uid: Some(object.uid().to_owned()),
            propagation,
            grace_period_seconds,
            ..DeleteOptions::default()
        };
        match self.store.delete(gr, object.namespace(), object.name(), &options) {
            Err(e) if !e.is_not_found() && !e.is_conflict() => Err(e),
            _ => Ok(()),
        }
    }

    /// Changes the object in the store if it is still the same incarnation; writes only what differs.
    pub(super) fn modify(
        &self,
        gr: &GroupResource,
        object: &Object,
        change: impl FnOnce(&mut Object),
    ) -> Result<Object, ApiError> {
        let uid = object.uid();
        self.store.modify(gr, object.namespace(), object.name(), |live| {
            if live.uid() == uid {
                change(live);
            }
        })
    }

    /// Writes a `Normal` event about an object.
    pub(super) fn normal(&self, about: &Object, reason: &str, message: &str) {
        self.record(&About::object(about), "Normal", reason, message);
    }

    /// Writes a `Warning` event about an object.
    pub(super) fn warning(&self, about: &Object, reason: &str, message: &str) {
        self.record(&About::object(about), "Warning", reason, message);
    }

    /// Writes an event with everything chosen.
    pub(super) fn record(&self, about: &About<'_>, kind: &str, reason: &str, message: &str) {
        self.recorder.record(self, about, (kind, reason), message, self.source);
    }

    /// As [`Context::record`] in the name of another component.
    pub(super) fn record_as(&self, source: &str, about: &About<'_>, kind: &str, reason: &str, message: &str) {
        self.recorder.record(self, about, (kind, reason), message, source);
    }
}

/// Runs one [`Reconcile`] as a [`Controller`].
pub(super) struct Driver<R> {
    inner: R,
    recorder: Arc<Recorder>,
    jitter: Jitter,
    /// The last resourceVersion whose event was observed; `None` before the first look.
    cursor: Option<u64>,
    started: bool,
    queue: Queue,
    timers: Timers,
}

impl<R: Reconcile + 'static> Driver<R> {
    pub(super) fn boxed(inner: R, recorder: &Arc<Recorder>, jitter: Jitter) -> Box<dyn Controller> {
        Box::new(Self {
            inner,
            recorder: Arc::clone(recorder),
            jitter,
            cursor: None,
            started: false,
            queue: Queue::default(),
            timers: Timers::default(),
        })
    }

    fn observe(&mut self, store: &Store) {
        let watched = self.inner.watches();
        let seen = self.cursor.and_then(|cursor| store.events_since(cursor).ok());
        let Some(events) = seen else {
            self.look_at_everything(store, &watched);
            return;
        };
        for event in &events {
            if watched.iter().any(|gr| **gr == event.gr) {
                self.inner.observe(store, event, &mut self.queue);
            }
            self.cursor = Some(event.revision);
        }
    }

    fn look_at_everything(&mut self, store: &Store, watched: &[&'static GroupResource]) {
        // The cursor is taken before the lists: what changes in between is seen twice rather than not at all.
        self.cursor = Some(store.resource_version());
        self.inner.forget();
        self.timers.all(&mut self.queue);
        for gr in watched {
            let listing = store.list(gr, None);
            for object in listing.objects {
                let event = Event {
                    revision: listing.revision,
                    kind: EventKind::Added,
                    gr: (*gr).clone(),
                    key: (object.namespace().into(), object.name().into()),
                    object,
                    previous: None,
                };
                self.inner.observe(store, &event, &mut self.queue);
            }
        }
    }
}

impl<R: Reconcile + 'static> Controller for Driver<R> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn step(&mut self, store: &Store, now: Timestamp) -> Option<Timestamp> {
        let recorder = Arc::clone(&self.recorder);
        let cx = Context {
            store,
            now,
            jitter: self.jitter,
            source: self.inner.name(),
            recorder: &recorder,
        };
        if !self.started {
            match self.inner.start(&cx) {
                Ok(()) => self.started = true,
                Err(_) => return Some(later(now, RETRY)),
            }
        }
        self.observe(store);
        self.timers.due(now, &mut self.queue);
        for key in std::mem::take(&mut self.queue.0) {
            let wake = match self.inner.reconcile(&cx, &key) {
                // Never now: that would be a loop.
                Ok(wake) => wake.map(|at| at.max(later(now, std::time::Duration::from_millis(1)))),
                // Its own or its namespace's end is an event of its own; there is nothing to retry.
                Err(e) if e.is_not_found() => None,
                Err(e) => {
                    tracing::debug!(controller = self.inner.name(), namespace = %key.0, name = %key.1, error = %e, "tries again");
                    Some(later(now, RETRY))
                }
            };
            self.timers.set(key, wake);
        }
        self.timers.next()
    }
}

/// One timer per key at most.
#[derive(Default)]
struct Timers {
    by_time: BTreeSet<(Timestamp, Name)>,
    by_key: HashMap<Name, Timestamp>,
}

impl Timers {
    fn set(&mut self, key: Name, at: Wake) {
        let old = match at {
            Some(at) => self.by_key.insert(key.clone(), at),
            None => self.by_key.remove(&key),
        };
        if old == at {
            return;
        }
        if let Some(old) = old {
            self.by_time.remove(&(old, key.clone()));
        }
        if let Some(at) = at {
            self.by_time.insert((at, key));
        }
    }

    fn due(&mut self, now: Timestamp, queue: &mut Queue) {
        while let Some((at, key)) = self.by_time.first().cloned().filter(|(at, _)| *at <= now) {
            self.by_time.remove(&(at, key.clone()));
            self.by_key.remove(&key);
            queue.push(&key);
        }
    }

    /// Every key that waits: after events were missed, its object may be gone.
    fn all(&self, queue: &mut Queue) {
        for key in self.by_key.keys() {
            queue.push(key);
        }
    }

    fn next(&self) -> Wake {
        self.by_time.first().map(|(at, _)| *at)
    }
}
