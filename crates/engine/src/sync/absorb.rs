//! Takes in the outcomes of the effects just carried out.

use std::collections::{BTreeMap, BTreeSet};

use pintle_model::application::{OperationPhase, ResultCode};

use super::effects::kubectl_words;
use super::op::SyncOp;
use super::progress::Progress;
use super::task::{Task, TaskId, Verb};
use crate::effect::{Failure, FailureKind, Outcome};

/// What the outcomes say besides what they record.
#[derive(Default)]
pub struct Absorbed {
    /// Effects that were carried out; they are not sent again in the same step.
    pub done: BTreeSet<TaskId>,
    /// The first effect to be decided again, and why.
    pub again: Option<(TaskId, String)>,
    /// Whether a dry run was refused.
    pub dry_run_failed: bool,
    /// Whether anything was sent that is not a dry run.
    pub wrote: bool,
}

/// Records outcomes. Those of tasks that are no longer in the plan are dropped, except that what was pruned stays recorded.
pub fn absorb(op: &SyncOp, tasks: &[Task], progress: &mut Progress, outcomes: &[(TaskId, Outcome)]) -> Absorbed {
    let mut absorbed = Absorbed::default();
    let by_place: BTreeMap<_, &Task> = tasks.iter().map(|t| ((&t.key, &t.phase), t)).collect();
    for (id, outcome) in outcomes {
        absorbed.wrote |= id.verb != Verb::DryRun;
        if let Outcome::Skipped(why) = outcome {
            absorbed.again.get_or_insert((id.clone(), why.to_string()));
            continue;
        }
        let task = by_place.get(&(&id.key, &id.phase)).copied();
        match (id.verb, task, outcome) {
            (Verb::Prune, _, _) => absorb_prune(id, outcome, progress, &mut absorbed),
            (_, None, _) => {}
            (Verb::DryRun, Some(task), Outcome::Failed(failure)) if !is_tolerable(failure, task, tasks) => {
                absorbed.dry_run_failed = true;
                progress.record(task, ResultCode::SyncFailed, OperationPhase::Failed, &failure.message);
            }
            (Verb::DryRun, Some(task), _) => {
                if op.dry_run {
                    let words = kubectl_words(op, task, outcome);
                    progress.record(task, ResultCode::Synced, OperationPhase::Succeeded, &words);
                }
                absorbed.done.insert(id.clone());
            }
            (Verb::Apply, Some(task), Outcome::Failed(failure)) => {
                progress.record(task, ResultCode::SyncFailed, OperationPhase::Failed, &failure.message);
            }
            (Verb::Apply, Some(task), _) => {
                let words = kubectl_words(op, task, outcome);
                progress.record(task, ResultCode::Synced, OperationPhase::Running, &words);
                absorbed.done.insert(id.clone());
            }
            (Verb::Release | Verb::Delete, Some(task), Outcome::Failed(failure)) => {
                if failure.kind == FailureKind::NotFound {
                    absorbed.done.insert(id.clone());
                } else if failure.kind.is_retryable() {
                    absorbed.again.get_or_insert((id.clone(), failure.message.clone()));
                } else {
                    let what = if id.verb == Verb::Release {
                        "remove hook finalizer"
                    } else {
                        "delete resource"
                    };
                    let message = format!("failed to {what}: {failure}");
                    progress.record(task, ResultCode::Unset, OperationPhase::Error, &message);
                }
            }
            (Verb::Release | Verb::Delete, Some(_), _) => {
                absorbed.done.insert(id.clone());
            }
        }
    }
    absorbed
}

fn absorb_prune(id: &TaskId, outcome: &Outcome, progress: &mut Progress, absorbed: &mut Absorbed) {
    match outcome {
        Outcome::Failed(failure) if failure.kind == FailureKind::Conflict => {
            // The object changed, or is another one by now (I-16): decided again on a fresh view.
            absorbed.again.get_or_insert((id.clone(), failure.message.clone()));
        }
        Outcome::Failed(failure) if failure.kind != FailureKind::NotFound => {
            progress.record_pruned(id, ResultCode::SyncFailed, OperationPhase::Failed, &failure.message);
        }
        _ => {
            absorbed.done.insert(id.clone());
            progress.record_pruned(id, ResultCode::Pruned, OperationPhase::Succeeded, "pruned");
        }
    }
}

/// Whether a refused dry run says nothing about the object.
fn is_tolerable(failure: &Failure, task: &Task, tasks: &[Task]) -> bool {
    match failure.kind {
        // The dry run was a CREATE of something that is still there; see `effects::dry_run`.
        FailureKind::AlreadyExists => true,
        // A webhook with side effects refuses every dry run; the peer's client-side dry run does not ask it.
        FailureKind::Invalid => failure.message.contains("does not support dry run"),
        // Admission of a bare Pod looks for objects that this sync is about to make.
        FailureKind::Forbidden => {
            task.key.group_kind().is("", "Pod")
                && tasks.iter().any(|t| {
                    t.target.is_some()
                        && t.live.is_none()
                        && matches!(
                            &*t.key.kind,
                            "ServiceAccount" | "PriorityClass" | "RuntimeClass" | "LimitRange"
                        )
                })
        }
        _ => false,
    }
}
