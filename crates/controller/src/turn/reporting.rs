//! Writing what is known: one patch.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pintle_engine::app::recorded::is_recorded;
use pintle_engine::app::status::{self, OperationPart, Urgency};
use pintle_engine::{Action, Effect, Failure, FailureKind, Outcome, Permitted};
use pintle_model::application::Application;

use super::{Lane, Look, after};
use crate::app_state::AppState;
use crate::event::AppKey;
use crate::hub::{Hub, is_older};
use crate::jobs::{self};

/// A write that only moves the revision waits this long, and then until real work is done: several pushes in a row are one write.
pub(super) const REVISION_DELAY: Duration = Duration::from_secs(2);

/// How far an operation is waits this long where nothing but people waits for it, and then as a revision does: a busy API server is not made
/// busier by progress.
const PROGRESS_DELAY: Duration = Duration::from_secs(1);

/// A write that met somebody else's is decided again after this long, doubled while the watch has not brought theirs.
const CONFLICT_RETRY: Duration = Duration::from_millis(50);
/// A write of the Application that failed is tried again after this long, doubled up to a minute.
const WRITE_RETRY: Duration = Duration::from_millis(500);

impl Hub {
    pub(super) fn report(
        &mut self,
        key: &AppKey,
        state: &mut AppState,
        look: &Look,
        part: OperationPart,
        now: Timestamp,
        lane: Lane,
    ) {
        let next = status::next(&state.app, &look.assessment, part, &self.config.control_namespace, now);
        match status::urgency(&state.app, &next) {
            Urgency::None => {
                self.quiet.remove(key);
                self.writers.forget(key);
                self.settled(key, state);
            }
            Urgency::Later => self.write_quietly(key, state, &next, after(now, REVISION_DELAY), lane),
            Urgency::Soon if !self.is_waited_for(state) => {
                self.write_quietly(key, state, &next, after(now, PROGRESS_DELAY), lane);
            }
            Urgency::Soon | Urgency::Now => self.write(key, state, &next),
        }
        self.wake_for_render(key, state);
    }

    /// Whether the operation goes on only when its results are stored.
    fn is_waited_for(&self, state: &AppState) -> bool {
        let stored = state.app.status.operation_state.as_ref();
        let running = state.operation.as_ref();
        running.is_some_and(|r| !is_recorded(stored, &r.state, r.repeatable))
    }

    /// Writes in the low lane: now if this is a turn of it, else from `at` on.
    fn write_quietly(&mut self, key: &AppKey, state: &mut AppState, next: &Application, at: Timestamp, lane: Lane) {
        match lane {
            Lane::Usual => self.quiet.add(key, at),
            // One that is under way brings a turn with its answer.
            Lane::Quiet if state.writing => {}
            Lane::Quiet => {
                self.quiet.begin(key);
                self.send(key, state, next);
            }
        }
    }

    /// What is stored is what is known: an operation that has ended is over.
    pub(super) fn settled(&mut self, key: &AppKey, state: &mut AppState) {
        if state.operation.as_ref().is_some_and(|o| o.state.phase.is_completed()) {
            state.operation = None;
            self.schedule(key, crate::clock::now());
        }
    }

    /// Writes what differs, once there is a place for it.
    pub(super) fn write(&mut self, key: &AppKey, state: &mut AppState, next: &Application) {
        if state.writing || *next == state.app {
            return;
        }
        // Without a place it is called later and decides again.
        if self.writers.begin(key) {
            self.send(key, state, next);
        }
    }

    /// Sends a write that has its place.
    fn send(&mut self, key: &AppKey, state: &mut AppState, next: &Application) {
        let effect = status::patch(&state.app, next).map(|patch| Effect {
            cluster: self.config.cluster.id().clone(),
            gvk: Application::gvk(),
            namespace: Arc::clone(&key.namespace),
            name: Arc::clone(&key.name),
            action: Action::MergePatch {
                patch,
                resource_version: Some(state.app.metadata.resource_version.as_str().into()),
            },
            dry_run: false,
        });
        let Some(permitted) = effect.and_then(|e| Permitted::own_record(e).ok()) else {
            self.quiet.end(key);
            self.writers.end(key);
            return;
        };
        state.writing = true;
        state.turned_meanwhile = false;
        self.quiet.remove(key);
        state.announced = Some((Box::new(state.app.clone()), Box::new(next.clone())));
        tokio::spawn(jobs::write(
            self.executor.clone(),
            key.clone(),
            permitted,
            self.events.clone(),
        ));
    }

    /// Takes the answer to a write; whether there may be something to decide now.
    pub(crate) fn written(&mut self, key: &AppKey, outcome: Outcome) -> bool {
        let now = crate::clock::now();
        let was_quiet = self.quiet.end(key);
        self.writers.end(key);
        let Some(state) = self.apps.get_mut(key) else {
            return false;
        };
        state.writing = false;
        // The turn that wrote found nothing else to do, and there was none since.
        let is_over = was_quiet && !state.turned_meanwhile && state.operation.is_none();
        let mut stored = None;
        match outcome {
            Outcome::Configured(object) | Outcome::Unchanged(object) | Outcome::Created(object) => {
                state.failed_writes = 0;
                state.pause_until = None;
                stored = state.announced.take();
                match Application::from_object(&object) {
                    Ok(app) if !is_older(&app.metadata.resource_version, &state.app.metadata.resource_version) => {
                        let ended = app
                            .status
                            .operation_state
                            .as_ref()
                            .is_some_and(|s| s.phase.is_completed());
                        let over = state.operation.as_ref().is_some_and(|o| o.state.phase.is_completed());
                        if ended && over && app.operation.is_none() {
                            state.operation = None;
                        }
                        state.app = app;
                    }
                    Ok(_) => {}
                    Err(e) => {
                        tracing::warn!(application = %key.name, error = %e, "the answer to a status write cannot be read")
                    }
                }
            }
            Outcome::Deleted => {}
            Outcome::Skipped(why) => {
                tracing::info!(application = %key.name, reason = %why, "status not written");
                state.pause_until = Some(after(now, WRITE_RETRY));
            }
            // Someone else changed it: their change arrives by the watch, and everything is decided again on top of it.
            Outcome::Failed(Failure {
                kind: FailureKind::Conflict,
                ..
            }) => {
                let wait = CONFLICT_RETRY.saturating_mul(1 << state.failed_writes.min(6));
                state.failed_writes = state.failed_writes.saturating_add(1);
                state.pause_until = Some(after(now, wait));
            }
            Outcome::Failed(failure) => {
                let wait = WRITE_RETRY
                    .saturating_mul(1 << state.failed_writes.min(7))
                    .min(Duration::from_secs(60));
                state.failed_writes = state.failed_writes.saturating_add(1);
                tracing::warn!(application = %key.name, error = %failure, "status not written; tried again in {} ms", wait.as_millis());
                state.pause_until = Some(after(now, wait));
            }
        }
        let Some((before, after)) = stored else { return true };
        self.announcer.announce(key, &before, &after, now);
        !is_over
    }
}
