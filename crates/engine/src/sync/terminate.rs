//! Stops an operation: running hooks are deleted, finished ones let go.

use pintle_model::application::{OperationPhase, ResultCode};

use super::hook::has_finalizer;
use super::op::Terminate;
use super::progress::State;
use super::step::{Run, Step};
use super::task::{Task, TaskId, Verb};
use super::waiting::WaitingOn;
use crate::effect::Effect;

impl Run<'_> {
    /// Goes on with the termination.
    pub(super) fn terminate(&mut self, cause: Terminate) -> Step {
        let hooks: Vec<Task> = self
            .tasks
            .iter()
            .filter(|t| t.is_hook() && !t.is_other_run())
            .cloned()
            .collect();
        for hook in &hooks {
            if self.progress.state(hook) == State::Running && self.is_let_go(hook) {
                self.progress
                    .record(hook, ResultCode::Unset, OperationPhase::Succeeded, "Deleted");
            }
        }
        self.observe_hooks();
        let begun: Vec<Task> = hooks
            .iter()
            .filter(|t| self.progress.state(t) != State::Pending && !self.was_refused(t))
            .cloned()
            .collect();
        if let Some(step) = self.wait_to_see(&begun) {
            return step;
        }
        let mut effects: Vec<(TaskId, Effect)> = Vec::new();
        for hook in &hooks {
            match self.progress.state(hook) {
                State::Pending => {}
                State::Running => match self.removals(&[hook]).pop() {
                    Some(effect) => effects.push(effect),
                    None => {
                        let message = "Failed to delete: the hook has no UID";
                        self.progress
                            .record(hook, ResultCode::Unset, OperationPhase::Error, message);
                    }
                },
                State::Succeeded | State::Failed if self.was_refused(hook) => {}
                State::Succeeded | State::Failed => effects.extend(self.release(hook)),
            }
        }
        if !effects.is_empty() {
            return self.send(effects);
        }
        let had_errors = hooks.iter().any(|hook| self.was_refused(hook));
        let (phase, mut message) = if had_errors {
            (OperationPhase::Error, "Operation termination had errors".to_owned())
        } else {
            (OperationPhase::Failed, "Operation terminated".to_owned())
        };
        if cause == Terminate::TimedOut {
            message.push_str(", triggered by controller sync timeout");
        }
        self.end(phase, &message)
    }

    /// Whether a hook is gone, or goes without our finalizer.
    fn is_let_go(&self, hook: &Task) -> bool {
        match &hook.live {
            None => hook.blind.is_none(),
            Some(live) => {
                let is_deleted =
                    live.deletion_timestamp().is_some() || self.absorbed.done.contains(&hook.id(Verb::Delete));
                let is_held = has_finalizer(live) && !self.absorbed.done.contains(&hook.id(Verb::Release));
                is_deleted && !is_held
            }
        }
    }

    /// Whether a write to a hook was refused for good.
    pub(super) fn was_refused(&self, hook: &Task) -> bool {
        self.progress
            .of(hook)
            .is_some_and(|r| r.hook_phase == OperationPhase::Error)
    }

    pub(super) fn running_phase(&self) -> OperationPhase {
        if self.op.terminate.is_some() {
            OperationPhase::Terminating
        } else {
            OperationPhase::Running
        }
    }

    pub(super) fn running_message(&self, waiting: &WaitingOn) -> String {
        match self.op.terminate {
            None => waiting.to_string(),
            Some(Terminate::Asked) => "operation is terminating".into(),
            Some(Terminate::TimedOut) => "operation is terminating due to timeout".into(),
        }
    }
}
