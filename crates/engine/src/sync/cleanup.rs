//! What remains to be done about hooks that have ended: the finalizer off, and the delete policies [F3.16, F3.18].

use std::time::Duration;

use pintle_model::application::{OperationPhase, ResultCode};

use super::hook::DeletePolicy;
use super::progress::{Progress, State};
use super::step::{RECHECK, Run, Step};
use super::task::{Task, TaskId};
use super::waiting::WaitingOn;
use crate::effect::Effect;

/// How long an operation that is ending waits to see hooks again; a watch that restarts needs a few seconds.
const BLIND_WAIT: Duration = Duration::from_secs(60);

impl Run<'_> {
    /// Takes the finalizer off hooks that have ended; `None` when none is left.
    pub(super) fn release_ended(&mut self) -> Option<Step> {
        let ended = self.ended_hooks();
        if let Some(step) = self.wait_to_see(&ended) {
            return Some(step);
        }
        let effects: Vec<_> = ended.iter().filter_map(|hook| self.release(hook)).collect();
        self.send_recorded(effects, &ended)
    }

    /// Sends what takes hooks away; but where their end is not persisted yet, waits for that: after a crash nothing else would tell of it.
    fn send_recorded(&mut self, effects: Vec<(TaskId, Effect)>, ended: &[Task]) -> Option<Step> {
        if effects.is_empty() {
            return None;
        }
        self.wait_to_record(ended).or_else(|| Some(self.send(effects)))
    }

    /// Waits until what is known of some tasks is persisted.
    pub(super) fn wait_to_record(&mut self, tasks: &[Task]) -> Option<Step> {
        let persisted = Progress::new(self.view.results);
        let is_new = tasks
            .iter()
            .any(|task| persisted.state(task) != self.progress.state(task));
        is_new.then(|| self.wait_until(WaitingOn::Recording, self.now))
    }

    /// Before an operation ends: finalizers off, then hooks deleted by their policies; `None` when nothing is left.
    pub(super) fn clean_up(&mut self) -> Option<Step> {
        if let Some(step) = self.release_ended() {
            return Some(step);
        }
        let ended = self.ended_hooks();
        let effects: Vec<_> = ended
            .iter()
            .filter(|hook| {
                let policy = match self.progress.state(hook) {
                    State::Succeeded => DeletePolicy::HookSucceeded,
                    _ => DeletePolicy::HookFailed,
                };
                hook.delete_policies.contains(&policy)
            })
            .filter_map(|hook| self.removal(hook))
            .collect();
        self.send_recorded(effects, &ended)
    }

    /// Waits a while for hooks that cannot be seen, then records that they could not be let go; `None` when there is nothing to wait for.
    pub(super) fn wait_to_see(&mut self, hooks: &[Task]) -> Option<Step> {
        let blind: Vec<(&Task, &String)> = hooks.iter().filter_map(|t| Some((t, t.blind.as_ref()?))).collect();
        let Some((first, why)) = blind.first() else {
            self.memory.blind_since = None;
            return None;
        };
        let since = *self.memory.blind_since.get_or_insert(self.now);
        if since.checked_add(BLIND_WAIT).is_ok_and(|until| until > self.now) {
            let waiting = WaitingOn::View {
                name: first.display_name(),
                why: (*why).clone(),
            };
            return Some(self.wait_for(waiting, RECHECK));
        }
        for (hook, why) in blind {
            let message = format!("failed to remove hook finalizer: the hook cannot be seen: {why}");
            self.progress
                .record(hook, ResultCode::Unset, OperationPhase::Error, &message);
        }
        None
    }

    /// Hooks of this run that have ended. Those whose clean-up was refused for good are left alone.
    fn ended_hooks(&self) -> Vec<Task> {
        self.tasks
            .iter()
            .filter(|t| {
                t.is_hook() && !t.is_other_run() && matches!(self.progress.state(t), State::Succeeded | State::Failed)
            })
            .filter(|t| !self.was_refused(t))
            .cloned()
            .collect()
    }
}
