//! The way down: finish the wave, wait for its hooks, run SyncFail hooks, clean up, end [F3.20].

use pintle_model::application::{OperationPhase, ResourceResult, ResultCode, SyncPhase};

use super::progress::{Progress, State};
use super::step::{BACKSTOP, Run, Step};
use super::task::Task;
use super::waiting::WaitingOn;

impl Run<'_> {
    /// Goes on with an operation in which something has failed.
    pub(super) fn fail(&mut self) -> Step {
        if let Some(step) = self.finish_begun_wave() {
            return step;
        }
        let apply_failed = self
            .progress
            .failures(false)
            .any(|r| r.status == ResultCode::SyncFailed);
        // Objects that were refused say enough; after a failed hook or a degraded object the others of the wave tell whether they get healthy.
        let waits_for_plain = !apply_failed && self.is_multi_step();
        if waits_for_plain {
            self.observe_plain((u8::MAX, i64::MAX));
        }
        if let Some(waiting) = self.waiting_on_running(|t| t.is_hook() || waits_for_plain) {
            return self.wait_for(waiting, BACKSTOP);
        }
        if let Some(step) = self.sync_fail_phase() {
            return step;
        }
        if let Some(step) = self.clean_up() {
            return step;
        }
        let message = self.failure_message();
        self.end(OperationPhase::Failed, &message)
    }

    /// Applies the other objects of a wave that has begun; a refused one does not keep its neighbours back, as in the peer.
    fn finish_begun_wave(&mut self) -> Option<Step> {
        let place = self.main().find(|t| self.is_due(t)).map(Task::place)?;
        // Prunes and removals come before any apply; where one of them failed, nothing of the wave is applied.
        let is_applying = self.main().any(|t| {
            let code = self.progress.of(t).map(|r| &r.status);
            t.place() == place && !t.is_prune() && matches!(code, Some(ResultCode::Synced | ResultCode::SyncFailed))
        });
        if !is_applying {
            return None;
        }
        let due: Vec<Task> = self
            .main()
            .filter(|t| t.place() == place && self.is_due(t))
            .cloned()
            .collect();
        if due
            .iter()
            .any(|t| t.is_prune() || t.must_go_first() || (t.is_hook() && t.blind.is_some()))
        {
            return None;
        }
        let effects = self.next_kind(&due);
        (!effects.is_empty()).then(|| self.send(effects))
    }

    /// Runs the SyncFail hooks; `None` when all have ended.
    fn sync_fail_phase(&mut self) -> Option<Step> {
        let hooks: Vec<Task> = self
            .tasks
            .iter()
            .filter(|t| t.phase == SyncPhase::SyncFail)
            .cloned()
            .collect();
        let due: Vec<Task> = hooks
            .iter()
            .filter(|t| self.progress.state(t) == State::Pending)
            .cloned()
            .collect();
        if !due.is_empty() {
            // Or a crash would leave SyncFail hooks behind in an operation that knows of no failure.
            if Progress::new(self.view.results).failures(false).next().is_none() {
                return Some(self.wait_until(WaitingOn::Recording, self.now));
            }
            if let Some(step) = self.hook_removal_stage(&due) {
                return Some(step);
            }
            let effects = self.next_kind(&due);
            return Some(self.send(effects));
        }
        let running: Vec<&Task> = hooks
            .iter()
            .filter(|t| self.progress.state(t) == State::Running)
            .collect();
        let waiting = self.waiting_on(&running)?;
        Some(self.wait_for(waiting, BACKSTOP))
    }

    fn failure_message(&self) -> String {
        let has_hooks = self.tasks.iter().any(|t| t.phase == SyncPhase::SyncFail);
        let apply_failed = self
            .progress
            .failures(false)
            .any(|r| r.status == ResultCode::SyncFailed);
        let what = if apply_failed && !has_hooks {
            "one or more objects failed to apply"
        } else {
            "one or more synchronization tasks completed unsuccessfully"
        };
        let mut message = with_reasons(what, self.progress.failures(false));
        if self.progress.failures(true).next().is_some() {
            message.push('\n');
            message.push_str(&with_reasons(
                "one or more SyncFail hooks failed",
                self.progress.failures(true),
            ));
        }
        message
    }

    fn is_multi_step(&self) -> bool {
        let first = self.main().next().map(Task::place);
        self.main().any(|t| Some(t.place()) != first)
    }
}

/// Appends the messages of what was refused; hooks that failed and objects that are degraded give none, as in the peer.
fn with_reasons<'a>(what: &str, failures: impl Iterator<Item = &'a ResourceResult>) -> String {
    let refused = failures.filter(|r| r.status == ResultCode::SyncFailed);
    let reasons: Vec<&str> = refused.map(|r| r.message.as_str()).collect();
    if reasons.is_empty() {
        what.to_owned()
    } else {
        format!("{what}, reason: {}", reasons.join(","))
    }
}
