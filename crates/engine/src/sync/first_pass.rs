//! Before anything is written: the destination namespace, then a dry run of everything, all or nothing [F3.5].

use std::collections::BTreeSet;
use std::sync::Arc;

use pintle_model::application::{OperationPhase, ResultCode};

use super::effects;
use super::plan::is_namespace;
use super::progress::State;
use super::prune::{PruneVerdict, verdict};
use super::step::{Run, Step};
use super::task::{Task, Verb};
use crate::effect::Effect;

impl Run<'_> {
    /// Returns `None` once the operation has started or its dry run has passed.
    pub(super) fn first_pass(&mut self) -> Option<Step> {
        if self.memory.validated || (self.progress.is_started(self.op) && !self.op.dry_run) {
            return None;
        }
        if let Some(task) = self.namespace_to_make() {
            match self.progress.state(&task) {
                State::Failed => {
                    let why = self.progress.of(&task).map(|r| r.message.clone()).unwrap_or_default();
                    let message = format!("the namespace failed to apply, reason: {why}");
                    return Some(self.end(OperationPhase::Failed, &message));
                }
                State::Pending if !self.op.dry_run => {
                    let effect = effects::apply(self.op, &task);
                    return Some(self.send(effect.map(|e| (task.id(Verb::Apply), e)).into_iter().collect()));
                }
                _ => {}
            }
        }
        let coming = self.coming_namespaces();
        let unanswered: Vec<(_, Effect)> = self
            .tasks
            .iter()
            .filter(|t| self.is_tried(t, &coming))
            .filter(|t| !self.absorbed.done.contains(&t.id(Verb::DryRun)))
            .filter_map(|t| Some((t.id(Verb::DryRun), effects::dry_run(self.op, t)?)))
            .collect();
        if !unanswered.is_empty() {
            // Results of a dry-run operation are whole or not there, so that a crash repeats all of it.
            return Some(self.send(unanswered));
        }
        self.memory.validated = true;
        if self.op.dry_run {
            self.record_untried();
            return Some(self.end(OperationPhase::Succeeded, "successfully synced (no more tasks)"));
        }
        None
    }

    /// The task of the destination namespace, if that does not exist.
    fn namespace_to_make(&self) -> Option<Task> {
        let is_it = |t: &&Task| !t.is_hook() && t.target.as_ref().is_some_and(|o| is_namespace(o, self.op));
        self.main()
            .find(is_it)
            .filter(|t| t.live.is_none() && t.blind.is_none())
            .cloned()
    }

    /// Namespaces that this sync is about to make.
    fn coming_namespaces(&self) -> BTreeSet<Arc<str>> {
        self.tasks
            .iter()
            .filter(|t| t.key.group_kind().is("", "Namespace") && t.target.is_some() && t.live.is_none())
            .filter(|t| self.progress.state(t) == State::Pending)
            .map(|t| Arc::clone(&t.key.name))
            .collect()
    }

    /// Whether a dry run of a task tells something: the server cannot try objects of a kind or in a namespace that is still to come.
    fn is_tried(&self, task: &Task, coming: &BTreeSet<Arc<str>>) -> bool {
        !task.is_prune() && !task.kind_missing && !coming.contains(&task.key.namespace) && self.is_due(task)
    }

    /// Gives every task of a dry-run operation that was not sent its result.
    fn record_untried(&mut self) {
        let pending: Vec<Task> = self.tasks.iter().filter(|t| self.is_due(t)).cloned().collect();
        for task in pending {
            let (code, message) = if task.is_prune() {
                match verdict(&task, self.op, self.view) {
                    PruneVerdict::Skip(why) => (ResultCode::PruneSkipped, why),
                    PruneVerdict::Delete | PruneVerdict::Confirm => (ResultCode::Pruned, "pruned (dry run)".into()),
                }
            } else {
                (
                    ResultCode::Synced,
                    format!("{} created (dry run)", effects::resource_name(&task)),
                )
            };
            self.progress.record(&task, code, OperationPhase::Succeeded, &message);
        }
    }
}
