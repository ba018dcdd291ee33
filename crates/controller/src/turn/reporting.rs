//! Writing what is known: one patch, and Events for people.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pintle_engine::app::recorded::is_recorded;
use pintle_engine::app::status::{self, OperationPart, Urgency};
use pintle_engine::{Action, Effect, Failure, FailureKind, Outcome, Permitted};
use pintle_model::application::{Application, OperationState};
use pintle_model::{Gvk, Object, Value};

use super::{Lane, Look, after};
use crate::app_state::AppState;
use crate::event::AppKey;
use crate::hub::{Hub, is_older};
use crate::jobs::{self};

/// A write that only moves the revision waits this long, and then until real work is done: several pushes in a row are one write.
pub(super) const REVISION_DELAY: Duration = Duration::from_secs(2);

/// How far an operation is, is written at most this often, where nothing but people waits for it.
const PROGRESS_DELAY: Duration = Duration::from_secs(1);
/// An API server that is busy is told more rarely: the wait is this many times as long as a write takes, up to [`PROGRESS_LATEST`].
const PROGRESS_SHARE: u32 = 10;
/// People see how far an operation is at least this often.
const PROGRESS_LATEST: Duration = Duration::from_secs(10);

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
                state.write_later = None;
                self.quiet.remove(key);
                self.settled(key, state);
            }
            Urgency::Later => {
                state.write_later = None;
                match lane {
                    Lane::Usual => self.quiet.add(key, after(now, REVISION_DELAY)),
                    Lane::Quiet if self.write(key, state, &next) => self.quiet.begin(key),
                    // One that is under way: its answer brings a turn.
                    Lane::Quiet => {}
                }
            }
            Urgency::Soon if !self.is_waited_for(state) => self.write_later(key, state, &next, now),
            Urgency::Soon | Urgency::Now => {
                self.write(key, state, &next);
            }
        }
        self.wake_for_render(key, state);
    }

    /// Whether the operation goes on only when its results are stored.
    fn is_waited_for(&self, state: &AppState) -> bool {
        let stored = state.app.status.operation_state.as_ref();
        let running = state.operation.as_ref();
        running.is_some_and(|r| !is_recorded(stored, &r.state, r.repeatable))
    }

    /// Writes how far it is, once some time has passed since the first difference.
    fn write_later(&mut self, key: &AppKey, state: &mut AppState, next: &Application, now: Timestamp) {
        let latest = after(now, progress_delay(self.write_takes));
        let at = state.write_later.map_or(latest, |known| known.min(latest));
        state.write_later = Some(at);
        if at <= now {
            self.write(key, state, next);
        } else {
            self.schedule(key, at);
        }
    }

    /// What is stored is what is known: an operation that has ended is over.
    pub(super) fn settled(&mut self, key: &AppKey, state: &mut AppState) {
        if state.operation.as_ref().is_some_and(|o| o.state.phase.is_completed()) {
            state.operation = None;
            self.schedule(key, crate::clock::now());
        }
    }

    /// Whether a write went out.
    pub(super) fn write(&mut self, key: &AppKey, state: &mut AppState, next: &Application) -> bool {
        if state.writing {
            return false;
        }
        let Some(patch) = status::patch(&state.app, next) else {
            return false;
        };
        let effect = Effect {
            cluster: self.config.cluster.id().clone(),
            gvk: Application::gvk(),
            namespace: Arc::clone(&key.namespace),
            name: Arc::clone(&key.name),
            action: Action::MergePatch {
                patch,
                resource_version: Some(state.app.metadata.resource_version.as_str().into()),
            },
            dry_run: false,
        };
        let Ok(permitted) = Permitted::own_record(effect) else {
            return false;
        };
        state.writing = true;
        state.turned_meanwhile = false;
        state.write_later = None;
        self.quiet.remove(key);
        state.announced = Some((Box::new(state.app.clone()), Box::new(next.clone())));
        tokio::spawn(jobs::write(
            self.executor.clone(),
            key.clone(),
            permitted,
            self.events.clone(),
        ));
        true
    }

    /// Takes the answer to a write; whether there may be something to decide now.
    pub(crate) fn written(&mut self, key: &AppKey, outcome: Outcome) -> bool {
        let now = crate::clock::now();
        let was_quiet = self.quiet.end(key);
        let Some(state) = self.apps.get_mut(key) else {
            return false;
        };
        state.writing = false;
        // A turn has just found that nothing but the revision differs, and nothing has happened since.
        let is_over = was_quiet && !state.turned_meanwhile;
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
        self.announce(key, &before, &after, now);
        !is_over
    }

    /// Records what a person may want to see later as a Kubernetes Event [F3.34].
    pub(super) fn announce(&self, key: &AppKey, old: &Application, new: &Application, now: Timestamp) {
        for (reason, is_warning, message) in announcements(old, new) {
            let Some(event) = event_object(key, new, &self.config.identity, reason, is_warning, &message, now) else {
                continue;
            };
            let effect = Effect {
                cluster: self.config.cluster.id().clone(),
                gvk: Gvk::new("", "v1", "Event"),
                namespace: Arc::clone(&key.namespace),
                name: event.name().into(),
                action: Action::Create { object: event },
                dry_run: false,
            };
            let Ok(permitted) = Permitted::own_record(effect) else {
                continue;
            };
            let executor = self.executor.clone();
            // An Event that is lost is no harm: the status says the same.
            tokio::spawn(async move { executor.execute(permitted).await });
        }
    }
}

/// How long how far an operation is may wait to be written, where a write takes `write_takes`.
fn progress_delay(write_takes: Duration) -> Duration {
    (write_takes * PROGRESS_SHARE).clamp(PROGRESS_DELAY, PROGRESS_LATEST)
}

/// Reason, whether it is a warning, message.
fn announcements(old: &Application, new: &Application) -> Vec<(&'static str, bool, String)> {
    let mut found = Vec::new();
    let (before, after) = (old.status.operation_state.as_ref(), new.status.operation_state.as_ref());
    let same_run = before.map(|s| s.started_at) == after.map(|s| s.started_at);
    if let Some(state) = after {
        let what = |verb: &str| {
            let by = if state.operation.initiated_by.automated {
                "automated sync".to_owned()
            } else {
                state.operation.initiated_by.username.clone()
            };
            let revision = state.sync_result.as_ref().map_or("", |r| r.revision.as_str());
            let by = if by.is_empty() { "unknown user".to_owned() } else { by };
            format!("{by} {verb} sync to {revision}")
        };
        if !same_run || before.is_none() {
            found.push(("OperationStarted", false, what("initiated")));
        }
        if state.phase.is_completed() && before.is_none_or(|s| !s.phase.is_completed() || !same_run) {
            let message = format!(
                "Sync operation to {} {}: {}",
                state.sync_result.as_ref().map_or("", |r| r.revision.as_str()),
                phase_word(state),
                state.message
            );
            found.push(("OperationCompleted", state.phase.is_failed(), message));
        }
    }
    let (sync_old, sync_new) = (&old.status.sync.status, &new.status.sync.status);
    if sync_old != sync_new {
        found.push((
            "ResourceUpdated",
            false,
            format!("Updated sync status: {sync_old} -> {sync_new}"),
        ));
    }
    let (health_old, health_new) = (&old.status.health.status, &new.status.health.status);
    if health_old != health_new {
        found.push((
            "ResourceUpdated",
            false,
            format!("Updated health status: {health_old} -> {health_new}"),
        ));
    }
    found
}

fn phase_word(state: &OperationState) -> &'static str {
    if state.phase.is_successful() {
        "succeeded"
    } else {
        "failed"
    }
}

fn event_object(
    key: &AppKey,
    app: &Application,
    identity: &str,
    reason: &str,
    is_warning: bool,
    message: &str,
    now: Timestamp,
) -> Option<Object> {
    // As client-go names them: unique enough for one object at one nanosecond.
    let name = format!("{}.{:x}", key.name, now.as_nanosecond());
    let mut event = Value::map();
    event.set_at(&["apiVersion"], "v1".into());
    event.set_at(&["kind"], "Event".into());
    event.set_at(
        &["metadata", "name"],
        format!("{name}.{}", reason.to_lowercase()).into(),
    );
    event.set_at(&["metadata", "namespace"], (&*key.namespace).into());
    for (field, text) in [
        ("apiVersion", "argoproj.io/v1alpha1"),
        ("kind", "Application"),
        ("namespace", &key.namespace),
        ("name", &key.name),
        ("uid", app.metadata.uid.as_str()),
        ("resourceVersion", app.metadata.resource_version.as_str()),
    ] {
        event.set_at(&["involvedObject", field], text.into());
    }
    let time = pintle_model::Time::new(now).to_string();
    event.set_at(&["reason"], reason.into());
    event.set_at(&["message"], message.into());
    event.set_at(&["type"], if is_warning { "Warning" } else { "Normal" }.into());
    event.set_at(&["source", "component"], identity.into());
    event.set_at(&["firstTimestamp"], time.as_str().into());
    event.set_at(&["lastTimestamp"], time.as_str().into());
    event.set_at(&["count"], Value::Int(1));
    Object::new(event).ok()
}
