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
use pintle_engine::app::fail_closed::NotActedOn;
use pintle_engine::app::status::Assessment;
use pintle_model::application::{Application, ConditionType};
use pintle_model::{ResourceKey, annotation};

use crate::app_state::AppState;
use crate::event::AppKey;
use crate::hub::Hub;
use rendering::spec_wanted;

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

impl Hub {
    pub(crate) fn turn(&mut self, key: &AppKey, now: Timestamp) {
        // Taken out while it is worked on, so that it and the rest of the hub can be borrowed side by side.
        let Some(mut state) = self.apps.remove(key) else { return };
        if let Some(until) = state.pause_until.filter(|until| *until > now) {
            self.apps.insert(key.clone(), state);
            return self.schedule(key, until);
        }
        let claims = self.work(key, &mut state, now);
        let instance = Arc::clone(&state.instance);
        self.apps.insert(key.clone(), state);
        if let Some(claims) = claims {
            self.claim(&instance, &claims);
        }
    }

    /// Returns the objects it wants, where that has changed.
    fn work(&mut self, key: &AppKey, state: &mut AppState, now: Timestamp) -> Option<BTreeSet<ResourceKey>> {
        if state
            .app
            .metadata
            .annotation(annotation::SKIP_RECONCILE)
            .is_some_and(annotation::is_true)
        {
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
        self.report(key, state, &look, part, now);
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
