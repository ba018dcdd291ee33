//! The recent past: what watches read, and what a paged list at an older resourceVersion is rebuilt from.

use std::collections::BTreeMap;

use pintle_model::Object;

use super::{Listing, Name, State, Store, table_of};
use crate::resource::GroupResource;

/// Events kept. A watcher that falls further behind gets 410 and lists again, as from a real API server after compaction. Objects are
/// shared with the tables, so an event costs what changed: at this bound a store that churns holds some tens of megabytes of past.
const MAX_EVENTS: usize = 16_384;

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// It is new.
    Added,
    /// It changed.
    Modified,
    /// It is gone; the event holds its last state, with the resourceVersion of the removal.
    Deleted,
}

/// One change of one object.
#[derive(Clone)]
pub struct Event {
    /// The resourceVersion this change took.
    pub revision: u64,
    /// What happened.
    pub kind: EventKind,
    /// The table.
    pub gr: GroupResource,
    /// Namespace and name.
    pub key: Name,
    /// The object after the change, in storage version.
    pub object: Object,
    /// The object before the change, if there was one.
    pub previous: Option<Object>,
}

/// The asked-for resourceVersion is older than the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too old resource version: {asked} ({oldest})")]
pub struct Compacted {
    /// What was asked for.
    pub asked: u64,
    /// The oldest that can be asked for.
    pub oldest: u64,
}

impl State {
    pub(super) fn remember(&mut self, event: Event) {
        if self.history.len() == MAX_EVENTS {
            self.history.pop_front();
        }
        self.history.push_back(event);
    }

    /// Index in the history of the first event after `revision`.
    fn position_after(&self, revision: u64) -> Result<usize, Compacted> {
        let oldest = self.revision - self.history.len() as u64;
        match revision.checked_sub(oldest) {
            Some(skip) => Ok(usize::try_from(skip).unwrap_or(usize::MAX).min(self.history.len())),
            None => Err(Compacted {
                asked: revision,
                oldest,
            }),
        }
    }
}

impl Store {
    /// Every event after `revision`, oldest first; empty if there is none yet.
    pub fn events_since(&self, revision: u64) -> Result<Vec<Event>, Compacted> {
        let state = self.lock();
        let from = state.position_after(revision)?;
        Ok(state.history.range(from..).cloned().collect())
    }

    /// As [`Store::events_since`], for one table, together with the resourceVersion the answer is complete up to.
    pub fn events_of_since(&self, gr: &GroupResource, revision: u64) -> Result<(Vec<Event>, u64), Compacted> {
        let state = self.lock();
        let from = state.position_after(revision)?;
        let gr = table_of(gr);
        Ok((
            state.history.range(from..).filter(|e| e.gr == gr).cloned().collect(),
            state.revision,
        ))
    }

    /// The objects of a resource as they were at `revision`: what a continue token needs.
    pub fn list_at(&self, gr: &GroupResource, namespace: Option<&str>, revision: u64) -> Result<Listing, Compacted> {
        let state = self.lock();
        let from = state.position_after(revision)?;
        let table = table_of(gr);
        let mut then: BTreeMap<Name, Object> = state.tables.get(&table).cloned().unwrap_or_default();
        for event in state.history.range(from..).rev().filter(|e| e.gr == table) {
            match &event.previous {
                Some(previous) => then.insert(event.key.clone(), previous.clone()),
                None => then.remove(&event.key),
            };
        }
        let objects = then
            .into_iter()
            .filter(|((ns, _), _)| namespace.is_none_or(|w| &**ns == w))
            .map(|(_, o)| o)
            .collect();
        Ok(Listing { objects, revision })
    }

    /// Forgets the whole history, as etcd's compaction does: watches and continue tokens from before get 410.
    pub fn compact(&self) {
        self.lock().history.clear();
    }
}
