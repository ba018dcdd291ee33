//! Reads from the live objects how hooks and applied objects got on [F3.19, I-11].

use jiff::Timestamp;
use pintle_model::Object;
use pintle_model::application::{OperationPhase, ResultCode};

use super::effects::resource_name;
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
    /// Takes up hooks that this attempt made but a crash kept from being recorded. With one of them the operation has started.
    pub(super) fn take_up_hooks(&mut self) {
        let is_lost = |t: &&Task| t.is_own_run() && self.progress.state(t) == State::Pending;
        for hook in self.tasks.iter().filter(is_lost).cloned().collect::<Vec<_>>() {
            let message = format!("{} created", resource_name(&hook));
            self.progress
                .record(&hook, ResultCode::Synced, OperationPhase::Running, &message);
        }
    }

    /// Records hooks that have ended, SyncFail hooks too.
    pub(super) fn observe_hooks(&mut self) {
        let is_running = |t: &&Task| t.is_hook() && self.progress.state(t) == State::Running;
        for hook in self.tasks.iter().filter(is_running).cloned().collect::<Vec<_>>() {
            self.observe(&hook);
        }
    }

    /// Records ordinary objects of waves before a place that have become healthy or have failed.
    pub(super) fn observe_plain(&mut self, before: (u8, i64)) {
        let plain: Vec<Task> = self
            .main()
            .filter(|t| !t.is_hook() && !t.is_prune() && t.place() < before)
            .cloned()
            .collect();
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
                self.progress
                    .record(task, ResultCode::Unset, OperationPhase::Succeeded, &message);
            }
            Evidence::Bad(message) => self
                .progress
                .record(task, ResultCode::Unset, OperationPhase::Failed, &message),
        }
    }

    fn evidence(&self, task: &Task) -> Evidence {
        let missing = || {
            Evidence::Bad(format!(
                "Resource {} is missing, it might have been deleted",
                task.display_name()
            ))
        };
        let Some(live) = &task.live else {
            // Not seen is not gone: only a fresh view without the object is evidence.
            return if task.blind.is_some() {
                Evidence::Running
            } else {
                missing()
            };
        };
        // A hook of the same name made for another run says nothing about this one.
        if task.is_hook() && task.is_other_run() {
            return missing();
        }
        let Some(health) = self.view.cluster.health(live) else {
            return Evidence::Good(String::new());
        };
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
    live.deletion_timestamp()
        .is_some_and(|at| at.parse::<Timestamp>().is_ok_and(|at| at <= now))
}
