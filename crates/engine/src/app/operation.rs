//! The life of one operation: begun, stepped, tried again, ended [F3.28–F3.31].
//!
//! ```text
//! .operation ─ begin ─> Running ─ drive ⟲ ─> Succeeded
//!                          ^                └─> Failed/Error ─ retries left ─> Running (waits) ─┐
//!                          └────────────────────────────────────────────────────────────────────┘
//! ```

use std::time::Duration;

use jiff::Timestamp;
use pintle_model::Time;
use pintle_model::application::{
    Application, Operation, OperationPhase, OperationState, Source, SyncOperation, SyncResult,
};
use pintle_model::sync_option::SyncOptions;
use pintle_model::{Object, annotation};

use super::cluster::AppCluster;
use super::targets::Targets;
use crate::complete::Complete;
use crate::effect::{ClusterId, Effect, Outcome};
use crate::sync::retry::{Attempt, Retry, after_attempt, backoff, retrying_message, times_out_at};
use crate::sync::{Memory, SyncOp, SyncView, TaskId, Terminate, step};

/// The state with which an operation begins.
pub fn begin(operation: Operation, now: Timestamp) -> OperationState {
    OperationState {
        operation,
        phase: OperationPhase::Running,
        started_at: Some(now.into()),
        ..OperationState::default()
    }
}

/// The state of an operation whose manifests are rendered already: what it deploys is stored together with its start, and survives a crash
/// from the first write on (I-7).
pub fn begin_at(operation: Operation, wanted: &Wanted, revisions: &[String], now: Timestamp) -> OperationState {
    let sync = operation.sync.clone().unwrap_or_default();
    let mut state = begin(operation, now);
    record_sources(&mut state, &sync, revisions, wanted);
    state
}

/// What an operation wants rendered: its own source and revision where it pins them, else the Application's.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// The sources, in order.
    pub sources: Vec<Source>,
    /// A revision per source; `None` means resolve the source's own.
    pub revisions: Vec<Option<String>>,
    /// The destination namespace: charts are told it, so what was rendered for another one is another render.
    pub namespace: String,
    /// The project, on whose behalf repositories are read.
    pub project: String,
}

/// Which sources at which revisions an operation is about.
pub fn wanted(app: &Application, sync: &SyncOperation) -> Wanted {
    let pinned = !sync.sources.is_empty() || sync.source.is_some();
    let sources: Vec<Source> = if !sync.sources.is_empty() {
        sync.sources.clone()
    } else if let Some(source) = &sync.source {
        vec![source.clone()]
    } else {
        app.spec.effective_sources()
    };
    let multiple = if pinned {
        !sync.sources.is_empty()
    } else {
        app.spec.has_multiple_sources()
    };
    let revision = |i: usize| {
        let text = if multiple {
            sync.revisions.get(i).map_or("", String::as_str)
        } else {
            sync.revision.as_str()
        };
        (!text.is_empty()).then(|| text.to_owned())
    };
    let revisions = (0..sources.len()).map(revision).collect();
    Wanted {
        sources,
        revisions,
        namespace: app.spec.destination.namespace.clone(),
        project: app.spec.project_or_default().to_owned(),
    }
}

/// The rendered objects of an operation, as far as they are known.
#[derive(Clone, Copy)]
pub enum OpTargets<'a> {
    /// Not rendered yet, or what the cluster has in their place is not read yet; the words say which.
    Pending(&'a str),
    /// Cannot be rendered; the message names what and where.
    Failed(&'a str),
    /// Complete.
    Ready {
        /// Rendered, placed and tracked objects, hooks among them; only complete ones make an operation (I-1).
        targets: &'a Complete<Targets>,
        /// One resolved revision per source.
        revisions: &'a [String],
        /// What they were rendered from.
        wanted: &'a Wanted,
    },
}

/// Everything [`drive`] reads.
#[derive(Clone, Copy)]
pub struct DriveInput<'a> {
    /// The Application.
    pub app: &'a Application,
    /// Cluster that is written to.
    pub cluster_id: &'a ClusterId,
    /// What is wanted.
    pub targets: OpTargets<'a>,
    /// The cluster.
    pub cluster: AppCluster<'a>,
    /// Text of the error conditions that forbid a sync; `None` if there are none [F3.10].
    pub refused: Option<&'a str>,
    /// Message of a `SharedResourceWarning`, if there is one.
    pub shared: Option<&'a str>,
    /// Answers to the effects of the previous drive.
    pub outcomes: &'a [(TaskId, Outcome)],
    /// What the previous drive returned.
    pub memory: Memory,
    /// `controller.sync.wave.delay.seconds`.
    pub wave_delay: Duration,
    /// `controller.sync.timeout.seconds`; zero means none.
    pub timeout: Duration,
    /// The moment.
    pub now: Timestamp,
}

/// What follows.
pub struct Drive {
    /// The new state.
    pub state: OperationState,
    /// Writes to carry out now; all their outcomes go into the next drive together.
    pub effects: Vec<(TaskId, Effect)>,
    /// For the next drive.
    pub memory: Memory,
    /// When to drive again if nothing happens first.
    pub wake_at: Option<Timestamp>,
    /// Why it is not further, for people.
    pub waiting_on: Option<String>,
    /// Whether targets have to be rendered anew before the next drive: a retry that refreshes.
    pub render_again: bool,
}

impl Drive {
    fn waiting(state: OperationState, memory: Memory, why: String, wake_at: Option<Timestamp>) -> Self {
        Self {
            state,
            effects: Vec::new(),
            memory,
            wake_at,
            waiting_on: Some(why),
            render_again: false,
        }
    }
}

/// Moves a running operation on by one step.
pub fn drive(mut state: OperationState, input: DriveInput<'_>) -> Drive {
    let started_at = state.started_at.map_or(input.now, Time::timestamp);
    let times_out_at = times_out_at(started_at, input.timeout);
    let terminate = if state.phase == OperationPhase::Terminating {
        Some(Terminate::Asked)
    } else if times_out_at.is_some_and(|at| input.now >= at) {
        Some(Terminate::TimedOut)
    } else {
        None
    };
    // A retry that is waited for: the phase is Running, but the attempt has ended.
    if let Some(ended) = state.finished_at.filter(|_| state.phase == OperationPhase::Running) {
        if terminate.is_some() {
            return finish(
                state,
                OperationPhase::Failed,
                "Operation terminated".into(),
                input.now,
                input.memory,
            );
        }
        let wait = backoff(&state.operation.retry, state.retry_count.saturating_sub(1)).unwrap_or_default();
        let at = ended.timestamp().checked_add(wait).unwrap_or(Timestamp::MAX);
        if input.now < at {
            let why = state.message.clone();
            return Drive::waiting(state, input.memory, why, Some(at));
        }
        return retry_now(state);
    }
    let Some(sync) = state.operation.sync.clone() else {
        return finish(
            state,
            OperationPhase::Failed,
            "Invalid operation request: no operation specified".into(),
            input.now,
            input.memory,
        );
    };
    if !sync.manifests.is_empty() {
        let why = "manifests sent along with an operation are not supported by this version; commit them, or apply them with kubectl";
        return finish(state, OperationPhase::Failed, why.into(), input.now, input.memory);
    }
    if let Some(why) = input.refused.filter(|_| terminate.is_none()) {
        return attempt_ended(state, OperationPhase::Error, why.to_owned(), &input, false);
    }
    let (objects, revisions, wanted) = match input.targets {
        OpTargets::Ready {
            targets,
            revisions,
            wanted,
        } => (targets.get().objects.as_slice(), revisions, wanted),
        _ if terminate.is_some() && !is_started(&state) => {
            return finish(
                state,
                OperationPhase::Failed,
                "Operation terminated".into(),
                input.now,
                input.memory,
            );
        }
        OpTargets::Pending(why) => return Drive::waiting(state, input.memory, why.to_owned(), None),
        OpTargets::Failed(why) => return attempt_ended(state, OperationPhase::Error, why.to_owned(), &input, false),
    };
    record_sources(&mut state, &sync, revisions, wanted);
    let op = sync_op(&input, &sync, &state, objects, revisions, started_at, terminate);
    let results = state
        .sync_result
        .as_ref()
        .map(|r| r.resources.clone())
        .unwrap_or_default();
    let view = SyncView {
        cluster: &input.cluster,
        results: &results,
        memory: input.memory,
        wave_delay: input.wave_delay,
    };
    let next = step(&op, &view, input.outcomes, input.now);
    if let Some(result) = &mut state.sync_result {
        result.resources = next.results;
    }
    state.message = next.message.clone();
    if next.phase.is_completed() {
        return attempt_ended(state, next.phase, next.message, &input, terminate.is_some());
    }
    state.phase = next.phase;
    Drive {
        state,
        effects: next.effects,
        memory: next.memory,
        wake_at: earlier(next.wake_at, times_out_at.filter(|at| *at > input.now)),
        waiting_on: next.waiting_on.map(|w| w.to_string()),
        render_again: false,
    }
}

fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    [a, b].into_iter().flatten().min()
}

/// Whether something may have been written already [F3.6].
fn is_started(state: &OperationState) -> bool {
    state.sync_result.as_ref().is_some_and(|r| !r.resources.is_empty())
}

/// Notes what the operation deploys: displayed, rendered and applied revision are one value (I-7).
fn record_sources(state: &mut OperationState, sync: &SyncOperation, revisions: &[String], wanted: &Wanted) {
    let multiple = !sync.sources.is_empty() || (sync.source.is_none() && wanted.sources.len() > 1);
    let result = state.sync_result.get_or_insert_with(SyncResult::default);
    if multiple {
        result.revisions = revisions.to_vec();
        result.sources = wanted.sources.clone();
    } else {
        result.revision = revisions.first().cloned().unwrap_or_default();
        result.source = wanted.sources.first().cloned().unwrap_or_default();
    }
}

/// The options of an operation. As the peer: one that brings options of its own replaces the Application's.
pub(super) fn options(app: &Application, sync: &SyncOperation) -> SyncOptions {
    let policy = app.spec.sync_policy.as_ref();
    SyncOptions::of_application(if sync.sync_options.is_empty() {
        policy.map(|p| p.sync_options.as_slice()).unwrap_or_default()
    } else {
        &sync.sync_options
    })
}

fn sync_op(
    input: &DriveInput<'_>,
    sync: &SyncOperation,
    state: &OperationState,
    objects: &[Object],
    revisions: &[String],
    started_at: Timestamp,
    terminate: Option<Terminate>,
) -> SyncOp {
    let app = input.app;
    let policy = app.spec.sync_policy.as_ref();
    let strategy = sync.sync_strategy.as_ref();
    SyncOp {
        cluster: input.cluster_id.clone(),
        namespace: app.spec.destination.namespace.clone(),
        targets: objects.to_vec(),
        revision: revisions.first().cloned().unwrap_or_default(),
        started_at,
        attempt: state.retry_count,
        prune: sync.prune,
        dry_run: sync.dry_run,
        skip_hooks: strategy.is_some_and(|s| s.skips_hooks()),
        force: strategy.is_some_and(|s| s.force()),
        automated: state.operation.initiated_by.automated,
        allow_empty: app.spec.automated().is_some_and(|a| a.allows_empty()),
        options: options(app, sync),
        selected: sync.resources.clone(),
        namespace_metadata: policy.and_then(|p| p.managed_namespace_metadata.clone()),
        shared_resource: input.shared.map(str::to_owned),
        approved_at: app
            .metadata
            .annotation(annotation::DELETION_APPROVED)
            .and_then(|t| t.parse().ok()),
        terminate,
    }
}

/// An attempt is over: either the operation is, or it waits for the next attempt.
fn attempt_ended(
    mut state: OperationState,
    phase: OperationPhase,
    message: String,
    input: &DriveInput<'_>,
    was_terminated: bool,
) -> Drive {
    let dry_run = state.operation.sync.as_ref().is_some_and(|s| s.dry_run);
    let ended = Attempt {
        retry_count: state.retry_count,
        finished_at: input.now,
        was_terminated: was_terminated || dry_run,
    };
    let clock = |at: Timestamp| at.strftime("%-I:%M%p").to_string();
    match after_attempt(&state.operation.retry, &phase, &message, ended, clock) {
        Retry::Ended { message } => finish(state, phase, message, input.now, input.memory),
        Retry::At {
            at,
            retry_count,
            message,
        } => {
            state.phase = OperationPhase::Running;
            state.retry_count = retry_count;
            state.finished_at = Some(input.now.into());
            state.message.clone_from(&message);
            Drive::waiting(state, Memory::default(), message, Some(at))
        }
    }
}

/// The wait is over: the next attempt begins with nothing recorded.
fn retry_now(mut state: OperationState) -> Drive {
    let refresh = state.operation.retry.refresh;
    if refresh && let Some(sync) = &mut state.operation.sync {
        sync.revision.clear();
        sync.revisions.clear();
    }
    state.finished_at = None;
    state.sync_result = None;
    state.message = retrying_message(state.retry_count, refresh);
    let why = state.message.clone();
    Drive {
        render_again: refresh,
        wake_at: None,
        ..Drive::waiting(state, Memory::default(), why, None)
    }
}

fn finish(mut state: OperationState, phase: OperationPhase, message: String, now: Timestamp, memory: Memory) -> Drive {
    state.phase = phase;
    state.message = message;
    state.finished_at = Some(now.into());
    Drive {
        state,
        effects: Vec::new(),
        memory,
        wake_at: None,
        waiting_on: None,
        render_again: false,
    }
}
