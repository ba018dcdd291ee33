//! Deletion of an Application: hooks, then its objects in reverse waves, then hooks again, stage by stage [F3.37-F3.40].
//!
//! The progress is the Application's finalizers: each stage ends by giving one up, once the cluster confirms that there is nothing left to do
//! for it (I-15). A sync that still runs is terminated first by the caller [F3.40].

mod hooks;
mod resources;

pub(crate) use resources::{Kept, kept};

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use pintle_model::application::{HookType, SyncPhase};
use pintle_model::{Gvk, Object, ResourceKey, SyncOptions, annotation};

use super::op::SyncOp;
use super::step::{BACKSTOP, RECHECK};
use super::task::{TaskId, Verb};
use super::view::ClusterView;
use super::waiting::WaitingOn;
use crate::effect::{ClusterId, Effect, FailureKind, Outcome};

/// What is known of an Application that is to go.
#[derive(Clone)]
pub struct DeleteOp {
    /// Cluster its objects are in.
    pub cluster: ClusterId,
    /// Destination namespace.
    pub namespace: String,
    /// The Application itself, which the cascade never deletes even where it manages itself.
    pub application: ResourceKey,
    /// Its finalizers, as they are now.
    pub finalizers: Vec<String>,
    /// Its `deletionTimestamp`.
    pub deleted_at: Timestamp,
    /// Kinds it has or had objects of, as its `status.resources` and targets tell: nothing left counts only where these are known.
    pub kinds: Vec<Gvk>,
    /// Rendered, normalised and tracked targets, for the hooks among them; or why there are none. Read only where a hook finalizer is set.
    pub targets: Result<Vec<Object>, String>,
    /// Revision of the targets.
    pub revision: String,
    /// Options of the Application.
    pub options: SyncOptions,
    /// Time of the annotation `argocd.argoproj.io/deletion-approved` [F3.38].
    pub approved_at: Option<Timestamp>,
}

impl DeleteOp {
    fn has(&self, finalizer: &str) -> bool {
        self.finalizers.iter().any(|f| f == finalizer)
    }

    fn is_approved(&self) -> bool {
        self.approved_at
            .is_some_and(|at| at.as_second() >= self.deleted_at.as_second())
    }

    /// As the operation that effects of tasks are made for.
    fn as_sync(&self) -> SyncOp {
        SyncOp {
            cluster: self.cluster.clone(),
            namespace: self.namespace.clone(),
            targets: Vec::new(),
            revision: self.revision.clone(),
            started_at: self.deleted_at,
            attempt: 0,
            prune: false,
            dry_run: false,
            skip_hooks: false,
            force: false,
            automated: false,
            allow_empty: false,
            options: self.options.clone(),
            selected: Vec::new(),
            namespace_metadata: None,
            shared_resource: None,
            approved_at: self.approved_at,
            terminate: None,
        }
    }
}

/// What to do next.
#[derive(Default)]
pub struct DeleteStep {
    /// Writes to carry out now, in any order; all their outcomes go into the next step together.
    pub effects: Vec<(TaskId, Effect)>,
    /// Finalizers to take off the Application now; its cluster has confirmed that their work is done.
    pub release: Vec<String>,
    /// Why it is not further; `None` when a finalizer is released or nothing is left.
    pub waiting_on: Option<WaitingOn>,
    /// When to step again if no event comes first.
    pub wake_at: Option<Timestamp>,
    /// Whether none of our finalizers is left.
    pub done: bool,
    /// Message of the condition `DeletionError`; `None` takes the condition away.
    pub condition: Option<String>,
}

/// The stages, by the finalizers that stand for them, in order.
const STAGES: [(&[&str], Stage); 5] = [
    (
        &[annotation::FINALIZER_PRE_DELETE],
        Stage::RunHooks(HookType::PreDelete),
    ),
    (
        &[annotation::FINALIZER_PRE_DELETE_CLEANUP],
        Stage::CleanUpHooks(HookType::PreDelete),
    ),
    (
        &[
            annotation::FINALIZER,
            annotation::FINALIZER_FOREGROUND,
            annotation::FINALIZER_BACKGROUND,
        ],
        Stage::DeleteResources,
    ),
    (
        &[annotation::FINALIZER_POST_DELETE],
        Stage::RunHooks(HookType::PostDelete),
    ),
    (
        &[annotation::FINALIZER_POST_DELETE_CLEANUP],
        Stage::CleanUpHooks(HookType::PostDelete),
    ),
];

enum Stage {
    RunHooks(HookType),
    CleanUpHooks(HookType),
    DeleteResources,
}

/// Decides what the deletion of an Application does next.
///
/// `outcomes` are the answers to all effects of the previous step; the objects they returned are in the view already.
pub fn delete_step(
    op: &DeleteOp,
    view: &dyn ClusterView,
    outcomes: &[(TaskId, Outcome)],
    now: Timestamp,
) -> DeleteStep {
    let Some((finalizers, stage)) = STAGES
        .iter()
        .find(|(finalizers, _)| finalizers.iter().any(|f| op.has(f)))
    else {
        return DeleteStep {
            done: true,
            ..DeleteStep::default()
        };
    };
    let run = Run::new(op, view, outcomes, now);
    let progress = match stage {
        Stage::RunHooks(hook_type) => run.run_hooks(hook_type),
        Stage::CleanUpHooks(hook_type) => run.clean_up_hooks(hook_type),
        Stage::DeleteResources => run.delete_resources(),
    };
    let refused = run.refused.clone();
    match progress {
        Progress::Done => DeleteStep {
            release: finalizers
                .iter()
                .filter(|f| op.has(f))
                .map(|f| (*f).to_owned())
                .collect(),
            ..DeleteStep::default()
        },
        // What is sent now is sent on what an answer of this very step did not contradict.
        Progress::Send(effects) => DeleteStep {
            waiting_on: Some(WaitingOn::Outcomes(effects.len())),
            effects,
            condition: refused,
            ..DeleteStep::default()
        },
        Progress::Wait(waiting_on, at_most, condition) => DeleteStep {
            waiting_on: Some(waiting_on),
            wake_at: Some(now.checked_add(at_most).unwrap_or(Timestamp::MAX)),
            condition: condition.or(refused),
            ..DeleteStep::default()
        },
    }
}

/// Gives up every finalizer of ours without touching anything: for a destination cluster that is no longer known [F3.39].
pub fn abandon(op: &DeleteOp) -> DeleteStep {
    let ours = STAGES
        .iter()
        .flat_map(|(finalizers, _)| finalizers.iter())
        .filter(|f| op.has(f));
    let release: Vec<String> = ours.map(|f| (*f).to_owned()).collect();
    DeleteStep {
        done: release.is_empty(),
        release,
        ..DeleteStep::default()
    }
}

/// How far a stage is.
enum Progress {
    /// Confirmed: nothing is left to do.
    Done,
    /// These effects come next.
    Send(Vec<(TaskId, Effect)>),
    /// Nothing can be sent now; for how long to wait, and what a person has to put right.
    Wait(WaitingOn, Duration, Option<String>),
}

impl Progress {
    /// Waits for a person.
    fn blocked(message: String) -> Self {
        Self::Wait(WaitingOn::Condition(message.clone()), BACKSTOP, Some(message))
    }
}

/// A step in the making.
struct Run<'a> {
    op: &'a DeleteOp,
    sync: SyncOp,
    view: &'a dyn ClusterView,
    now: Timestamp,
    /// Effects answered just now; they are not sent again in this step.
    answered: BTreeSet<TaskId>,
    /// What was refused just now, for the condition.
    refused: Option<String>,
    /// Whether something was answered with "not now".
    is_again: bool,
}

impl<'a> Run<'a> {
    fn new(op: &'a DeleteOp, view: &'a dyn ClusterView, outcomes: &[(TaskId, Outcome)], now: Timestamp) -> Self {
        let mut run = Self {
            op,
            sync: op.as_sync(),
            view,
            now,
            answered: BTreeSet::new(),
            refused: None,
            is_again: false,
        };
        for (id, outcome) in outcomes {
            run.answered.insert(id.clone());
            match outcome {
                Outcome::Skipped(_) => run.is_again = true,
                Outcome::Failed(failure) if failure.kind.is_retryable() => run.is_again = true,
                Outcome::Failed(failure) if failure.kind == FailureKind::NotFound && id.verb != Verb::Apply => {}
                Outcome::Failed(failure) => {
                    let name = format!("{}/{}/{}", id.key.group, id.key.kind, id.key.name);
                    run.refused.get_or_insert(format!("{name}: {failure}"));
                }
                _ => {}
            }
        }
        run
    }

    /// Sends what was not answered just now; if nothing is left of it, waits.
    fn send_or(&self, effects: Vec<(TaskId, Effect)>, waiting: WaitingOn) -> Progress {
        let fresh: Vec<_> = effects
            .into_iter()
            .filter(|(id, _)| !self.answered.contains(id))
            .collect();
        if !fresh.is_empty() {
            return Progress::Send(fresh);
        }
        // Something accepted or to be tried again shows soon; a refusal, or an event, may take its time.
        let is_soon = self.is_again || (!self.answered.is_empty() && self.refused.is_none());
        let at_most = if is_soon { RECHECK } else { BACKSTOP };
        Progress::Wait(waiting, at_most, None)
    }
}

/// A stage as the phase in task ids.
fn stage_phase(name: &str) -> SyncPhase {
    SyncPhase::Other(name.into())
}
