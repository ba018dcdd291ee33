//! One step of a sync operation.

use std::time::Duration;

use jiff::Timestamp;
use pintle_model::application::{OperationPhase, ResourceResult, ResultCode, SyncPhase};

use super::absorb::{Absorbed, absorb};
use super::dependency::{is_crd, is_established};
use super::op::SyncOp;
use super::plan::{is_namespace, plan};
use super::progress::{Progress, State};
use super::prune::{PruneVerdict, verdict};
use super::task::{Task, TaskId};
use super::view::{Memory, SyncView};
use super::waiting::{Waited, WaitingOn};
use crate::effect::{Effect, Outcome};

/// How long after an answer of "not now", or a change the view does not show yet, is looked again.
pub const RECHECK: Duration = Duration::from_secs(1);
/// The longest a running operation is left alone when no event wakes it [F3.35].
pub const BACKSTOP: Duration = Duration::from_secs(30);
/// How long an applied CustomResourceDefinition is waited for [F3.9].
pub const CRD_WAIT: Duration = Duration::from_secs(3);
/// How often it is looked at meanwhile.
pub const CRD_POLL: Duration = Duration::from_millis(100);
/// How long a view may lag behind an accepted DELETE before the object counts as made anew by someone else.
pub const DELETE_LAG: Duration = Duration::from_secs(5);

/// What to do next.
pub struct Step {
    /// Writes to carry out now, in any order; all their outcomes go into the next step together.
    pub effects: Vec<(TaskId, Effect)>,
    /// The new `operationState.syncResult.resources`; persisted whole before the next step, best before the effects.
    pub results: Vec<ResourceResult>,
    /// `Running`, `Terminating`, or the end.
    pub phase: OperationPhase,
    /// `operationState.message`.
    pub message: String,
    /// Why it is not further; `None` exactly when the operation has ended.
    pub waiting_on: Option<WaitingOn>,
    /// When to step again if no event comes first; `None` when the operation has ended or effects are sent.
    pub wake_at: Option<Timestamp>,
    /// To be given to the next step of the same attempt.
    pub memory: Memory,
}

/// Decides what one operation does next.
///
/// The caller persists `results`, carries out `effects`, and steps again with the persisted results and all outcomes; without effects it steps
/// again at `wake_at`, or when something of the Application changes. `outcomes` are the answers to *all* effects of the previous step of this process, none of an earlier process; objects they returned are in the
/// view already. The step is a function of its arguments: after a crash it goes on from the persisted results and the live view.
pub fn step(op: &SyncOp, view: &SyncView<'_>, outcomes: &[(TaskId, Outcome)], now: Timestamp) -> Step {
    let tasks = plan(op, view);
    let mut progress = Progress::new(view.results);
    let absorbed = absorb(op, &tasks, &mut progress, outcomes);
    let mut memory = view.memory;
    if absorbed.wrote {
        memory.last_write = Some(now);
    }
    Run {
        op,
        view,
        now,
        tasks,
        progress,
        absorbed,
        memory,
    }
    .decide()
}

/// A step in the making.
pub(super) struct Run<'a> {
    pub op: &'a SyncOp,
    pub view: &'a SyncView<'a>,
    pub now: Timestamp,
    pub tasks: Vec<Task>,
    pub progress: Progress,
    pub absorbed: Absorbed,
    pub memory: Memory,
}

impl Run<'_> {
    fn decide(&mut self) -> Step {
        self.take_up_hooks();
        if let Some((id, why)) = self.absorbed.again.clone() {
            let name = format!("{}/{}/{}", id.key.group, id.key.kind, id.key.name);
            return self.wait_for(WaitingOn::Again { name, why }, RECHECK);
        }
        if let Some(cause) = self.op.terminate {
            return self.terminate(cause);
        }
        let has_hooks = self
            .tasks
            .iter()
            .any(|t| t.is_hook() && self.progress.state(t) == State::Running);
        // Hooks run already where a crash, or a view that was behind, hid them from the first pass; they are not left alone.
        if self.absorbed.dry_run_failed && !has_hooks {
            return self.end(OperationPhase::Failed, "one or more objects failed to apply (dry run)");
        }
        if let Some(step) = self.refusal() {
            return step;
        }
        if let Some(step) = self.first_pass() {
            return step;
        }
        loop {
            // Each turn without a step has recorded a task, so their number bounds the loop.
            if let Some(step) = self.turn() {
                return step;
            }
        }
    }

    /// Ends the operation where it must not begin, or not go on.
    fn refusal(&mut self) -> Option<Step> {
        if self.op.options.fail_on_shared_resource
            && let Some(shared) = &self.op.shared_resource
        {
            return Some(self.end(OperationPhase::Failed, &format!("Shared resource found: {shared}")));
        }
        if self.op.automated && self.op.prune && !self.op.allow_empty && self.is_wipe_out() {
            return Some(self.end(OperationPhase::Error, "auto-sync will wipe out all resources"));
        }
        let invalid: Vec<(Task, String)> = self
            .tasks
            .iter()
            .filter(|t| self.progress.state(t) == State::Pending)
            .filter_map(|t| Some((t.clone(), t.invalid.clone()?)))
            .collect();
        if invalid.is_empty() {
            return None;
        }
        let mut messages: Vec<String> = invalid.iter().map(|(_, why)| why.clone()).collect();
        messages.sort();
        messages.dedup();
        for (task, why) in &invalid {
            self.progress
                .record(task, ResultCode::SyncFailed, OperationPhase::Unset, why);
        }
        let message = format!(
            "one or more synchronization tasks are not valid: {}",
            messages.join("; ")
        );
        Some(self.end(OperationPhase::Failed, &message))
    }

    /// Whether everything this application has would be deleted, judged on what would be sent now (I-2).
    fn is_wipe_out(&self) -> bool {
        self.op.selected.is_empty()
            && self.tasks.iter().any(|t| {
                t.is_prune()
                    && self.progress.state(t) == State::Pending
                    && !matches!(verdict(t, self.op, self.view), PruneVerdict::Skip(_))
            })
            && !self
                .op
                .targets
                .iter()
                .any(|t| super::hook::role(t) == super::hook::Role::Plain)
    }

    /// Works on the first wave that is not done; `None` to look again because tasks were recorded that need no effect.
    fn turn(&mut self) -> Option<Step> {
        self.observe_hooks();
        if self.has_failed() {
            return Some(self.fail());
        }
        let Some(place) = self.main().find(|t| self.is_due(t)).map(Task::place) else {
            return Some(self.finish());
        };
        self.observe_plain(place);
        if self.has_failed() {
            return Some(self.fail());
        }
        self.wait_for_earlier(place).or_else(|| self.run_wave(place))
    }

    fn has_failed(&self) -> bool {
        self.progress.failures(false).next().is_some()
    }

    /// Waits until everything before a wave is applied, healthy, gone, and the pause is over [F3.8].
    fn wait_for_earlier(&mut self, place: (u8, i64)) -> Option<Step> {
        if let Some(waiting) = self.waiting_on_running(|t| t.place() < place) {
            return Some(self.wait_for(waiting, BACKSTOP));
        }
        let leaving = self.main().filter(|t| t.place() < place && self.is_leaving(t));
        if let Some(waited) = Waited::of(leaving) {
            return Some(self.wait_for(WaitingOn::Deletion(waited), RECHECK));
        }
        let has_begun = |t: &Task| self.progress.state(t) != State::Pending;
        let is_new = !self.main().any(|t| t.place() == place && has_begun(t));
        // The destination namespace is made before all waves, and is not followed by a pause.
        let is_destination = |t: &Task| t.target.as_ref().is_some_and(|o| is_namespace(o, self.op));
        let has_earlier = self
            .main()
            .any(|t| t.place() < place && has_begun(t) && !is_destination(t));
        if is_new && let Some(step) = self.release_ended() {
            return Some(step);
        }
        if is_new
            && has_earlier
            && let Some(until) = self.after_last_write(self.view.wave_delay)
        {
            return Some(self.wait_until(WaitingOn::WaveDelay { until }, until));
        }
        None
    }

    /// What a wave needs before it ends well: nothing more, or its hooks [F3.8].
    fn finish(&mut self) -> Step {
        let last = self
            .main()
            .filter(|t| self.progress.state(t) != State::Pending)
            .map(Task::place)
            .max();
        let has_hook = last.is_some_and(|last| self.main().any(|t| t.place() == last && t.is_hook()));
        let is_multi_step = last.is_some_and(|last| self.main().any(|t| t.place() != last));
        if has_hook && is_multi_step {
            self.observe_plain((u8::MAX, i64::MAX));
            if self.has_failed() {
                return self.fail();
            }
        }
        if let Some(waiting) = self.waiting_on_running(|t| t.is_hook() || (has_hook && is_multi_step)) {
            return self.wait_for(waiting, BACKSTOP);
        }
        if let Some(step) = self.clean_up() {
            return step;
        }
        if self.has_failed() {
            // A hook could not be let go.
            return self.fail();
        }
        let message = if self.progress.is_empty() || has_hook {
            "no more tasks"
        } else {
            "all tasks run"
        };
        self.end(OperationPhase::Succeeded, &format!("successfully synced ({message})"))
    }

    /// The CustomResourceDefinition applied a moment ago that is not served yet, while there is time [F3.9].
    pub(super) fn crd_wait(&self) -> Option<WaitingOn> {
        let until = self.after_last_write(CRD_WAIT)?;
        let crd = self.main().find(|t| {
            t.target.as_ref().is_some_and(is_crd)
                && matches!(self.progress.state(t), State::Running | State::Succeeded)
                && !t.live.as_ref().is_some_and(is_established)
        })?;
        Some(WaitingOn::CrdEstablished {
            name: crd.key.name.to_string(),
            until,
        })
    }

    /// The moment so long after the last write, if it is still to come.
    pub(super) fn after_last_write(&self, wait: Duration) -> Option<Timestamp> {
        let until = self.memory.last_write?.checked_add(wait).ok()?;
        (until > self.now).then_some(until)
    }

    /// Every task but the SyncFail hooks.
    pub(super) fn main(&self) -> impl Iterator<Item = &Task> {
        self.tasks.iter().filter(|t| t.phase != SyncPhase::SyncFail)
    }

    /// Whether a task has not begun and is to be run; `ApplyOutOfSyncOnly` leaves out what needs no change.
    pub(super) fn is_due(&self, task: &Task) -> bool {
        let is_filtered = self.op.options.apply_out_of_sync_only
            && !task.is_hook()
            && task.target.is_some()
            && task.live.is_some()
            && self.view.cluster.is_in_sync(&task.key);
        !is_filtered && self.progress.state(task) == State::Pending
    }

    /// Whether a pruned object is still on its way out.
    fn is_leaving(&self, task: &Task) -> bool {
        let is_pruned = self.progress.of(task).is_some_and(|r| r.status == ResultCode::Pruned);
        is_pruned
            && task.is_prune()
            && task
                .live
                .as_ref()
                .is_some_and(|live| live.deletion_timestamp().is_some() || self.after_last_write(DELETE_LAG).is_some())
    }

    /// The first running tasks among some, as something to wait for.
    pub(super) fn waiting_on_running(&self, among: impl Fn(&Task) -> bool) -> Option<WaitingOn> {
        let running: Vec<&Task> = self
            .main()
            .filter(|t| among(t) && self.progress.state(t) == State::Running)
            .collect();
        self.waiting_on(&running)
    }

    pub(super) fn waiting_on(&self, running: &[&Task]) -> Option<WaitingOn> {
        let waited = Waited::of(running.iter().copied())?;
        if let Some((name, why)) = running.iter().find_map(|t| Some((t.display_name(), t.blind.clone()?))) {
            return Some(WaitingOn::View { name, why });
        }
        Some(if waited.is_hook {
            WaitingOn::HookRunning(waited)
        } else {
            WaitingOn::Healthy(waited)
        })
    }

    pub(super) fn wait_for(&mut self, waiting: WaitingOn, at_most: Duration) -> Step {
        let wake_at = self.now.checked_add(at_most).unwrap_or(Timestamp::MAX);
        self.wait_until(waiting, wake_at)
    }

    pub(super) fn wait_until(&mut self, waiting: WaitingOn, wake_at: Timestamp) -> Step {
        let message = self.running_message(&waiting);
        Step {
            waiting_on: Some(waiting),
            wake_at: Some(wake_at),
            ..self.result(self.running_phase(), message)
        }
    }

    pub(super) fn send(&mut self, effects: Vec<(TaskId, Effect)>) -> Step {
        let waiting = WaitingOn::Outcomes(effects.len());
        let message = self.running_message(&waiting);
        Step {
            effects,
            waiting_on: Some(waiting),
            ..self.result(self.running_phase(), message)
        }
    }

    pub(super) fn end(&mut self, phase: OperationPhase, message: &str) -> Step {
        self.result(phase, message.to_owned())
    }

    fn result(&mut self, phase: OperationPhase, message: String) -> Step {
        Step {
            effects: Vec::new(),
            results: std::mem::take(&mut self.progress).into_results(),
            phase,
            message,
            waiting_on: None,
            wake_at: None,
            memory: self.memory,
        }
    }
}
