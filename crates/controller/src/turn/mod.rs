//! One application's turn: look, decide, send work out. Never waits.

mod deleting;
mod looking;
mod operating;
mod rendering;
mod reporting;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pintle_engine::app::condition::Conditions;
use pintle_engine::app::fail_closed::{NotActedOn, is_suspended};
use pintle_engine::app::status::Assessment;
use pintle_model::application::{Application, ConditionType, SyncStatusCode};
use pintle_model::{ResourceKey, annotation};

use crate::app_state::AppState;
use crate::event::AppKey;
use crate::hub::Hub;
use rendering::spec_wanted;
use reporting::REVISION_DELAY;

fn after(now: Timestamp, wait: Duration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}

/// What one look found, before anything is written.
struct Look {
    assessment: Assessment,
    /// Text of the conditions that forbid a sync.
    refused: Option<String>,
    shared: Option<String>,
    trusted: bool,
    /// What is in use and not acted on.
    not_acted_on: Vec<NotActedOn>,
}

/// Why an application has its turn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Something happened, or a time has come.
    Usual,
    /// Nothing else is to be done: a revision that moved may be written now.
    Quiet,
}

impl Hub {
    pub(crate) fn turn(&mut self, key: &AppKey, now: Timestamp, lane: Lane) {
        // Taken out while it is worked on, so that it and the rest of the hub can be borrowed side by side.
        let Some(mut state) = self.apps.remove(key) else { return };
        state.turned_meanwhile |= state.writing;
        if let Some(until) = state.pause_until.filter(|until| *until > now) {
            self.apps.insert(key.clone(), state);
            return self.schedule(key, until);
        }
        let claims = self.work(key, &mut state, now, lane);
        let instance = Arc::clone(&state.instance);
        self.apps.insert(key.clone(), state);
        if let Some(claims) = claims {
            self.claim(&instance, &claims);
        }
    }

    /// Asks for a render where a hint does, and decides nothing: most applications of a repository find it as it was.
    pub(crate) fn look_at_sources(&mut self, key: &AppKey, now: Timestamp) {
        let Some(mut state) = self.apps.remove(key) else { return };
        if !is_suspended(&state.app) {
            let wanted = spec_wanted(&state.app);
            self.ask_for_render(key, &mut state, &wanted, now);
        }
        self.apps.insert(key.clone(), state);
    }

    /// Whether a render that changed nothing leaves nothing to decide: all is as the spec wants it, and nobody has asked for anything.
    pub(crate) fn is_at_rest(&self, key: &AppKey) -> bool {
        let Some(state) = self.apps.get(key) else { return false };
        let Application { metadata, status, .. } = &state.app;
        let runs = status.operation_state.as_ref().is_some_and(|s| !s.phase.is_completed());
        let is_asked = state.app.operation.is_some()
            || metadata.is_deleting()
            || metadata.annotation(annotation::REFRESH).is_some();
        let is_kept = state.prepared.as_ref().is_some_and(|p| p.generation == self.generation);
        let compared = state.comparison.as_ref().map(|c| &c.sync);
        is_kept
            && state.operation.is_none()
            && !(runs || is_asked)
            && status.sync.status == SyncStatusCode::Synced
            && compared == Some(&SyncStatusCode::Synced)
    }

    /// The same render came again: at most its revision is news, and that can wait.
    pub(crate) fn revision_may_have_moved(&mut self, key: &AppKey, now: Timestamp) {
        // It may have been asked again meanwhile; if not, the next poll is due some time.
        self.look_at_sources(key, now);
        let Some(state) = self.apps.get(key) else { return };
        let sync = &state.app.status.sync;
        let known = if state.app.spec.has_multiple_sources() {
            sync.revisions.as_slice()
        } else {
            std::slice::from_ref(&sync.revision)
        };
        if state.prepared.as_ref().is_some_and(|p| p.revisions != known) {
            self.quiet.add(key, after(now, REVISION_DELAY));
        }
    }

    /// Returns the objects it wants, where that has changed.
    fn work(
        &mut self,
        key: &AppKey,
        state: &mut AppState,
        now: Timestamp,
        lane: Lane,
    ) -> Option<BTreeSet<ResourceKey>> {
        if is_suspended(&state.app) {
            state.why = "reconciliation is suspended by the annotation argocd.argoproj.io/skip-reconcile".into();
            return None;
        }
        let wanted = spec_wanted(&state.app);
        self.ask_for_render(key, state, &wanted, now);
        let claims = self.prepare(state);
        if state.app.metadata.is_deleting() {
            self.delete(key, state, now);
            return claims;
        }
        let Some(look) = self.look(key, state, now) else {
            return claims;
        };
        let part = self.operate(key, state, &look, now);
        self.report(key, state, &look, part, now, lane);
        claims
    }
}

impl Look {
    fn of(assessment: Assessment) -> Self {
        let trusted = !assessment.conditions.forbid_sync();
        let refused = (!trusted).then(|| assessment.conditions.error_message());
        let shared = assessment
            .conditions
            .iter()
            .find(|(kind, _)| **kind == ConditionType::SharedResourceWarning)
            .map(|(_, m)| m.to_owned());
        Self {
            assessment,
            refused,
            shared,
            trusted,
            not_acted_on: Vec::new(),
        }
    }

    fn unknown(app: &Application, conditions: Conditions) -> Self {
        Self::of(Assessment::unknown(app, conditions))
    }
}
