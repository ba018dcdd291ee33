//! Drives the simulated controllers: garbage collection, namespaces, CRDs, workloads.
//!
//! A controller is a step function over the store. The loop below calls every controller until a whole round changes nothing, then sleeps
//! until the store changes or the earliest timer is due. A test on a manual clock calls [`Simulation::settle`] itself.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::{Clock, later};
use crate::store::Store;

/// One simulated controller.
pub trait Controller: Send {
    /// A name for logs and messages, for example `garbage-collector`.
    fn name(&self) -> &'static str;

    /// Looks at the store, writes what is due at `now`, and says when it wants to be called again even if nothing changes.
    ///
    /// Called after every change of the store, whoever made it, and at the time it asked for: it must be cheap when there is nothing to
    /// do (remember the last resourceVersion and read [`Store::events_since`]). A write that fails (conflict, not found) is tried again
    /// by a later step: never loop inside. Time comes in as `now` only.
    fn step(&mut self, store: &Store, now: Timestamp) -> Option<Timestamp>;
}

/// Rounds of [`Simulation::settle`] before it gives up: a chain Deployment → ReplicaSet → Pod → status → status → … takes about ten, so
/// two controllers that undo each other are caught here rather than spinning for ever.
const MAX_ROUNDS: usize = 1000;

/// The controllers and the clock they run on.
pub struct Simulation {
    store: Store,
    clock: Clock,
    controllers: Vec<Box<dyn Controller>>,
}

impl Simulation {
    /// A simulation without controllers.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self {
            store,
            clock,
            controllers: Vec::new(),
        }
    }

    /// Adds a controller; they are stepped in the order they were added.
    pub fn add(&mut self, controller: Box<dyn Controller>) {
        self.controllers.push(controller);
    }

    /// Steps every controller once at the clock's time; returns the earliest time one of them asked for.
    pub fn tick(&mut self) -> Option<Timestamp> {
        let now = self.clock.now();
        self.controllers
            .iter_mut()
            .filter_map(|c| c.step(&self.store, now))
            .min()
    }

    /// Rounds until one changes nothing in the store; returns when the next timer is due, `None` if no controller waits for anything.
    pub fn settle(&mut self) -> Option<Timestamp> {
        let mut wake_at = None;
        for _ in 0..MAX_ROUNDS {
            let before = self.store.resource_version();
            wake_at = self.tick();
            let due = wake_at.is_some_and(|at| at <= self.clock.now());
            if self.store.resource_version() == before && !due {
                return wake_at;
            }
        }
        tracing::warn!(rounds = MAX_ROUNDS, "simulated controllers do not come to rest");
        wake_at
    }

    /// Moves a manual clock forward by `by`, stopping at every timer on the way so that things happen in their order.
    pub fn advance(&mut self, by: Duration) {
        let end = later(self.clock.now(), by);
        loop {
            let next = self.settle();
            let now = self.clock.now();
            let stop = match next {
                Some(at) if at > now && at < end => at,
                _ => end,
            };
            if now >= end {
                return;
            }
            self.clock
                .advance(Duration::try_from(stop.duration_since(now)).unwrap_or_default());
        }
    }

    /// Runs for ever: settles, then waits for a change of the store or the next timer. Cancel by dropping.
    ///
    /// The lock is held while controllers step, never across an await.
    pub async fn run(this: &Mutex<Self>) {
        let (mut changes, clock) = {
            let this = this.lock().unwrap_or_else(PoisonError::into_inner);
            (this.store.subscribe(), this.clock.clone())
        };
        loop {
            // Marked first: a write that comes while the controllers step leads to one more round.
            changes.mark_unchanged();
            let wake_at = this.lock().unwrap_or_else(PoisonError::into_inner).settle();
            let timer = async {
                match wake_at {
                    Some(at) => clock.sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return },
                () = timer => {}
            }
        }
    }
}
