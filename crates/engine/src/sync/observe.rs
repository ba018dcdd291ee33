//! Reads from the live objects how hooks and applied objects got on [F3.19, I-11].

use jiff::Timestamp;
use pintle_model::Object;
use pintle_model::application::{OperationPhase, ResultCode};

use super::progress::State;
use super::step::Run;
use super::task::Task;
use crate::health::HealthCode;

/// What the live object says of a running task.
enum Evidence {
    /// Nothing final.
    Running,
    /// It ended, or got healthy.
    Good(String),
    /// It failed.
    Bad(String),
}

impl Run<'_> {
    /// Records hooks that have ended, SyncFail hooks too; and takes up hooks that this attempt made but a crash kept from being recorded.
    pub(super) fn observe_hooks(&mut self) {
        let hooks: Vec<Task> = self.tasks.iter().filter(|t| t.is_hook()).cloned().collect();
        for hook in hooks {
            if self.progress.state(&hook) == State::Pending && hook.is_own_run() {
                self.progress.record(&hook, ResultCode::Synced, OperationPhase::Running, "");
            }
            if self.progress.state(&hook) == State::Running {
                self.observe(&hook);
            }
        }
    }

    /// Records ordinary objects of waves before a place that have become healthy or have failed.
    pub(super) fn observe_plain(&mut self, before: (u8, i64)) {
        let plain: Vec<Task> =
            self.main().filter(|t| !t.is_hook() && !t.is_prune() && t.place() < before).cloned().collect();
        for task in plain {
            if self.progress.state(&task) == State::Running {
                self.observe(&task);
            }
        }
    }

    fn observe(&mut self, task: &Task) {
        match self.evidence(task) {
            Evidence::Running => {}
            Evidence::Good(message) => {
                self.progress.record(task, ResultCode::Unset, OperationPhase::Succeeded, &message);
            }
            Evidence::Bad(message) => self.progress.record(task, ResultCode::Unset, OperationPhase::Failed, &message),
        }
    }

    fn evidence(&self, task: &Task) -> Evidence {
        let missing = || Evidence::Bad(format!("Resource {} is missing, it might have been deleted", task.display_name()));
        let Some(live) = &task.live else {
            // Not seen is not gone: only a fresh view without the object is evidence.
            return if task.blind.is_some() { Evidence::Running } else { missing() };
        };
        // A hook of the same name made for another run says nothing about this one.
        if task.is_hook() && task.is_other_run() {
            return missing();
        }
        let Some(health) = self.view.cluster.health(live) else { return Evidence::Good(String::new()) };
        let message = health.message.to_string();
        match (task.is_hook(), health.status) {
            (_, HealthCode::Healthy) => Evidence::Good(message),
            (_, HealthCode::Degraded) | (true, HealthCode::Unknown) => Evidence::Bad(message),
            // Our finalizer holds a hook that someone deleted while it ran; once its grace period is over it will not end by itself.
            (true, _) if deleted_by(live, self.now) => missing(),
            _ => Evidence::Running,
        }
    }
}

/// Whether an object should be gone by now; for Pods the deletion time includes the grace period.
fn deleted_by(live: &Object, now: Timestamp) -> bool {
    live.deletion_timestamp().is_some_and(|at| at.parse::<Timestamp>().is_ok_and(|at| at <= now))
}
