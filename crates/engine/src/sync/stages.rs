//! One wave: prune, delete hooks of earlier runs, apply kind by kind [F3.7].

use pintle_model::application::{OperationPhase, ResultCode};

use super::effects;
use super::prune::{PruneVerdict, verdict};
use super::step::{BACKSTOP, CRD_POLL, RECHECK, Run, Step};
use super::task::{Task, TaskId, Verb};
use super::waiting::{Waited, WaitingOn};
use crate::effect::Effect;

impl Run<'_> {
    /// Carries on with a wave that has tasks to run; `None` where they all turned out to need no effect.
    pub(super) fn run_wave(&mut self, place: (u8, i64)) -> Option<Step> {
        let due: Vec<Task> = self
            .main()
            .filter(|t| t.place() == place && self.is_due(t))
            .cloned()
            .collect();
        if let Some(step) = self.prune_stage(&due) {
            return Some(step);
        }
        let rest: Vec<Task> = due.into_iter().filter(|t| !t.is_prune()).collect();
        if rest.is_empty() {
            return None;
        }
        self.hook_removal_stage(&rest).or_else(|| Some(self.apply_stage(&rest)))
    }

    /// Deletes what left the source; `None` when nothing of it is left to do.
    fn prune_stage(&mut self, due: &[Task]) -> Option<Step> {
        let mut to_confirm: Vec<&Task> = Vec::new();
        let mut effects: Vec<(TaskId, Effect)> = Vec::new();
        for task in due.iter().filter(|t| t.is_prune()) {
            match verdict(task, self.op, self.view) {
                PruneVerdict::Skip(why) => {
                    self.progress
                        .record(task, ResultCode::PruneSkipped, OperationPhase::Succeeded, &why);
                }
                PruneVerdict::Confirm => to_confirm.push(task),
                PruneVerdict::Delete if task.live.as_ref().is_some_and(|l| l.deletion_timestamp().is_some()) => {
                    self.progress
                        .record(task, ResultCode::Pruned, OperationPhase::Succeeded, "pruned");
                }
                PruneVerdict::Delete => {
                    effects.extend(effects::prune(self.op, task).map(|effect| (task.id(Verb::Prune), effect)));
                }
            }
        }
        if let Some(waited) = Waited::of(to_confirm) {
            return Some(self.wait_for(WaitingOn::PruneConfirmation(waited), BACKSTOP));
        }
        (!effects.is_empty()).then(|| self.send(effects))
    }

    /// Removes live hooks of earlier runs that must go before they are made again; `None` when none is left.
    pub(super) fn hook_removal_stage(&mut self, due: &[Task]) -> Option<Step> {
        if let Some(blind) = due.iter().find(|t| t.is_hook() && t.blind.is_some()) {
            // Whether a hook of an earlier run is there decides what is written.
            let waiting = WaitingOn::View {
                name: blind.display_name(),
                why: blind.blind.clone().unwrap_or_default(),
            };
            return Some(self.wait_for(waiting, BACKSTOP));
        }
        let in_the_way: Vec<&Task> = due.iter().filter(|t| t.must_go_first()).collect();
        let waited = Waited::of(in_the_way.iter().copied())?;
        let effects = self.removals(&in_the_way);
        Some(if effects.is_empty() {
            self.wait_for(WaitingOn::Deletion(waited), RECHECK)
        } else {
            self.send(effects)
        })
    }

    /// For each live hook the next effect towards its end: the finalizer off, then DELETE; none where only time is missing.
    pub(super) fn removals(&self, hooks: &[&Task]) -> Vec<(TaskId, Effect)> {
        hooks
            .iter()
            .filter_map(|hook| self.release(hook).or_else(|| self.removal(hook)))
            .collect()
    }

    /// Takes the finalizer off a live hook, if it is on and was not just taken off.
    pub(super) fn release(&self, hook: &Task) -> Option<(TaskId, Effect)> {
        let id = hook.id(Verb::Release);
        let is_needed = hook.live.as_ref().is_some_and(super::hook::has_finalizer) && !self.absorbed.done.contains(&id);
        is_needed
            .then(|| effects::release(self.op, hook))
            .flatten()
            .map(|effect| (id, effect))
    }

    /// Deletes a live hook, if it is not on its way out already.
    pub(super) fn removal(&self, hook: &Task) -> Option<(TaskId, Effect)> {
        let id = hook.id(Verb::Delete);
        let is_needed = hook
            .live
            .as_ref()
            .is_some_and(|live| live.deletion_timestamp().is_none())
            && !self.absorbed.done.contains(&id);
        is_needed
            .then(|| effects::delete_hook(self.op, hook))
            .flatten()
            .map(|effect| (id, effect))
    }

    /// Applies the tasks of the first kind among those that are due.
    fn apply_stage(&mut self, due: &[Task]) -> Step {
        if let Some(waiting) = self.crd_wait() {
            return self.wait_for(waiting, CRD_POLL);
        }
        let effects = self.next_kind(due);
        self.send(effects)
    }

    /// The effects of the first kind among tasks in order; the next kind waits for their outcomes.
    pub(super) fn next_kind(&self, due: &[Task]) -> Vec<(TaskId, Effect)> {
        let kind = due.first().map(|t| t.key.kind.clone());
        due.iter()
            .take_while(|t| Some(&t.key.kind) == kind.as_ref())
            .filter_map(|t| Some((t.id(Verb::Apply), effects::apply(self.op, t)?)))
            .collect()
    }
}
