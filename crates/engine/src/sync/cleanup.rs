//! What remains to be done about hooks that have ended: the finalizer off, and the delete policies [F3.16, F3.18].

use super::hook::DeletePolicy;
use super::progress::State;
use super::step::{Run, Step};
use super::task::Task;

impl Run<'_> {
    /// Takes the finalizer off hooks that have ended; `None` when none is left.
    pub(super) fn release_ended(&mut self) -> Option<Step> {
        let effects: Vec<_> = self.ended_hooks().into_iter().filter_map(|hook| self.release(&hook)).collect();
        (!effects.is_empty()).then(|| self.send(effects))
    }

    /// Before an operation ends: finalizers off, then hooks deleted by their policies; `None` when nothing is left.
    pub(super) fn clean_up(&mut self) -> Option<Step> {
        if let Some(step) = self.release_ended() {
            return Some(step);
        }
        let effects: Vec<_> = self
            .ended_hooks()
            .into_iter()
            .filter(|hook| {
                let policy = match self.progress.state(hook) {
                    State::Succeeded => DeletePolicy::HookSucceeded,
                    _ => DeletePolicy::HookFailed,
                };
                hook.delete_policies.contains(&policy)
            })
            .filter_map(|hook| self.removal(&hook))
            .collect();
        (!effects.is_empty()).then(|| self.send(effects))
    }

    /// Live hooks of this run that have ended. Those whose clean-up was refused for good are left alone.
    fn ended_hooks(&self) -> Vec<Task> {
        self.tasks
            .iter()
            .filter(|t| t.is_hook() && !t.is_other_run() && matches!(self.progress.state(t), State::Succeeded | State::Failed))
            .filter(|t| !self.was_refused(t))
            .cloned()
            .collect()
    }
}
