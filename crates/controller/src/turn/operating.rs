//! Starting operations, and moving them on.

use jiff::Timestamp;
use pintle_cluster::Seen;
use pintle_engine::app::autosync::AutoSync;
use pintle_engine::app::cluster::AppCluster;
use pintle_engine::app::fail_closed;
use pintle_engine::app::history;
use pintle_engine::app::operation::{Drive, DriveInput, OpTargets, begin, begin_at, drive, wanted};
use pintle_engine::app::project::{ClusterNames, permit};
use pintle_engine::app::recorded::{has_repeatable_options, is_recorded};
use pintle_engine::app::status::OperationPart;
use pintle_engine::sync::{Memory, TaskId};
use pintle_engine::view::{Live, View};
use pintle_engine::{Action, ApplyMode, Effect, Failure, FailureKind, Outcome};
use pintle_model::application::{
    Application, ConditionType, Destination, OperationPhase, OperationState, SyncOperation,
};
use pintle_model::project::AppProject;
use pintle_model::{Object, ResourceKey, SyncOptions};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::time::Instant;

use super::Look;
use crate::app_state::{AppState, Prepared, RenderSlot, Running};
use crate::event::AppKey;
use crate::hub::Hub;
use crate::jobs::{self, Write};

/// What an operation waits for until its manifests are there.
const RENDERING: &str = "rendering manifests";

impl Hub {
    /// Moves the operation on, or starts one; returns what the Application's operation fields become.
    pub(super) fn operate(&mut self, key: &AppKey, state: &mut AppState, look: &Look, now: Timestamp) -> OperationPart {
        self.take_up(state, now);
        if state.operation.is_none() {
            match self.auto_sync(state, look, now) {
                AutoSync::Start(operation) if !state.writing => {
                    tracing::info!(application = %key.name, revision = look.assessment.revisions.join(" "), "automated sync begins");
                    let operation = *operation;
                    let part = OperationPart {
                        operation: Some(operation.clone()),
                        state: Some(match &state.prepared {
                            Some(p) => begin_at(operation, &p.wanted, &p.revisions, now),
                            None => begin(operation, now),
                        }),
                        history: None,
                    };
                    // It runs once the start is stored: the start is the claim that fences other writers off (I-24).
                    return part;
                }
                AutoSync::Start(_) => {}
                AutoSync::No(why) => {
                    if let Some(at) = why.wake_at() {
                        self.schedule(key, at);
                    }
                }
            }
            return unchanged(&state.app);
        }
        self.advance(key, state, look, now)
    }

    /// Takes up an operation that the Application says is asked for or running.
    pub(super) fn take_up(&mut self, state: &mut AppState, now: Timestamp) {
        if let Some(ended) = state.operation.as_ref().filter(|r| r.state.phase.is_completed()) {
            if !is_end_stored(&state.app, &ended.state) {
                // Nothing changes an end that is being stored.
                return;
            }
            // Stored: whatever `.operation` says now is a new request.
            state.operation = None;
        }
        let stored = state
            .app
            .status
            .operation_state
            .clone()
            .filter(|s| !s.phase.is_completed() && !s.phase.is_unset());
        match (&mut state.operation, &state.app.operation, stored) {
            // Someone asked to stop it.
            (Some(running), _, Some(stored)) if stored.phase == OperationPhase::Terminating => {
                running.state.phase = OperationPhase::Terminating;
            }
            (Some(_), _, _) => {}
            (None, Some(asked), None) => {
                self.runs += 1;
                state.operation = Some(Running::new(self.runs, begin(asked.clone(), now)));
            }
            (None, _, Some(stored)) => {
                self.runs += 1;
                state.operation = Some(Running::new(self.runs, stored));
            }
            (None, None, None) => {}
        }
    }

    pub(super) fn advance(&mut self, key: &AppKey, state: &mut AppState, look: &Look, now: Timestamp) -> OperationPart {
        let Some(mut running) = state.operation.take() else {
            return unchanged(&state.app);
        };
        if running.state.phase.is_completed() {
            let part = ending(&state.app, &running.state, now);
            state.operation = Some(running);
            return part;
        }
        // A step reads only what is stored: what it destroys next must survive a crash as a record (I-9). The write that stores the last
        // step's results goes out side by side with its effects, so this rarely waits.
        let stored = state.app.status.operation_state.as_ref();
        if running.executing || !is_recorded(stored, &running.state, running.repeatable) {
            let part = under_way(&state.app, &running.state);
            state.operation = Some(running);
            return part;
        }
        let sync = pinned(&running.state);
        let targets_ready = self.op_targets(key, state, &sync);
        let server = self.server();
        let names = ClusterNames {
            server: &server,
            name: Destination::IN_CLUSTER_NAME,
        };
        // What equals the spec's targets says nothing about another revision's: there everything is applied, and "unchanged" is harmless.
        let in_sync = match (&targets_ready, &state.comparison) {
            (TargetsOf::Spec, Some(comparison)) => comparison.in_sync(),
            _ => BTreeSet::new(),
        };
        let project = self.projects.get(state.app.spec.project_or_default()).cloned();
        let no_project = AppProject::default();
        let reading = self.read_for_operation(key, state, &running.state, &targets_ready, &sync);
        let outcomes = std::mem::take(&mut running.outcomes);
        let targets = match (&reading, &targets_ready) {
            (Some(why), _) => OpTargets::Pending(why),
            (None, TargetsOf::Pending) => OpTargets::Pending(RENDERING),
            (None, TargetsOf::Spec) => prepared_targets(state.prepared.as_ref()),
            (None, TargetsOf::Operation) => prepared_targets(state.op_prepared.as_ref()),
        };
        running.repeatable = has_repeatable_options(&state.app, &sync)
            && match &targets_ready {
                TargetsOf::Pending => false,
                TargetsOf::Spec => state.prepared.as_ref().is_some_and(|p| p.repeatable),
                TargetsOf::Operation => state.op_prepared.as_ref().is_some_and(|p| p.repeatable),
            };
        let is_pending = matches!(targets, OpTargets::Pending(_));
        let protection = fail_closed::refusal(&look.not_acted_on);
        let refused = protection.or_else(|| refusal(look, &running.state, &targets_ready, state.op_prepared.as_ref()));
        let view = View::new(&self.index, &self.kinds, now);
        let input = DriveInput {
            app: &state.app,
            cluster_id: self.config.cluster.id(),
            targets,
            cluster: AppCluster {
                app: &state.instance,
                view,
                tracking: &self.tracking,
                project: project.as_ref().unwrap_or(&no_project),
                names,
                in_sync: &in_sync,
            },
            refused: refused.as_deref(),
            shared: look.shared.as_deref(),
            outcomes: &outcomes,
            memory: running.memory,
            wave_delay: self.settings.controller.wave_delay.to_std(),
            timeout: self
                .settings
                .controller
                .sync_timeout
                .map(|t| t.to_std())
                .unwrap_or_default(),
            now,
        };
        let Drive {
            state: next,
            effects,
            memory,
            wake_at,
            waiting_on,
            render_again,
        } = drive(running.state, input);
        if next.finished_at.is_some() && !next.phase.is_completed() {
            // The next attempt renders anew what could not be rendered for this one.
            if state.op_prepared.as_ref().is_some_and(|p| p.targets.is_err()) {
                state.op_render = None;
                state.op_prepared = None;
            }
        }
        running.state = next;
        running.memory = memory;
        if is_pending {
            // Nobody has looked at them yet.
            running.outcomes = outcomes;
        }
        if let Some(why) = waiting_on {
            state.why = why;
        }
        if render_again {
            state.render.ask(Instant::now());
            self.schedule(key, now);
        }
        if let Some(at) = wake_at {
            self.schedule(key, at);
        }
        if running.state.phase.is_completed() {
            return self.ended(key, state, running.state, now);
        }
        if !effects.is_empty() {
            running.executing = true;
            self.execute(key, state, running.run, effects, project.as_ref());
        }
        let part = under_way(&state.app, &running.state);
        state.operation = Some(running);
        part
    }

    /// Reads what an operation acts on and the index does not keep whole, and says what it waits for: [`besides_targets`], and objects that only the
    /// operation's own manifests name. One that is stopped waits for nothing.
    fn read_for_operation(
        &mut self,
        key: &AppKey,
        state: &mut AppState,
        operation: &OperationState,
        of: &TargetsOf,
        sync: &SyncOperation,
    ) -> Option<String> {
        if operation.phase == OperationPhase::Terminating {
            return None;
        }
        let own = match of {
            TargetsOf::Operation => state.op_prepared.as_ref().map(Prepared::objects).unwrap_or_default(),
            TargetsOf::Pending | TargetsOf::Spec => &[],
        };
        let view = View::new(&self.index, &self.kinds, crate::clock::now());
        let besides = besides_targets(&state.app, Some(sync), Some(operation));
        let unread = own
            .iter()
            .map(Object::key)
            .chain(besides.iter().cloned())
            .find(|key| matches!(view.live(key), Live::Slim(_)))?;
        self.read_bodies(key, state, besides);
        Some(format!("reading {unread}"))
    }

    /// Where the operation's targets are: the spec's own if they are the same, else rendered for it.
    fn op_targets(&mut self, key: &AppKey, state: &mut AppState, sync: &SyncOperation) -> TargetsOf {
        let asked = wanted(&state.app, sync);
        let at_spec = state.prepared.as_ref().is_some_and(|p| {
            p.wanted.sources == asked.sources
                && asked
                    .revisions
                    .iter()
                    .zip(&p.revisions)
                    .all(|(asked, have)| asked.as_ref().is_none_or(|a| a == have))
        });
        if at_spec {
            state.op_render = None;
            state.op_prepared = None;
            return TargetsOf::Spec;
        }
        if state.op_prepared.as_ref().is_some_and(|p| p.wanted == asked) {
            return TargetsOf::Operation;
        }
        let slot = state.op_render.get_or_insert_default();
        if slot.in_flight.as_ref() != Some(&asked) {
            let mut fresh = RenderSlot::default();
            self.start_render(key, &state.app, &mut fresh, asked, Instant::now(), true);
            state.op_render = Some(fresh);
            state.op_prepared = None;
        }
        TargetsOf::Pending
    }

    pub(super) fn ended(
        &mut self,
        key: &AppKey,
        state: &mut AppState,
        ended: OperationState,
        now: Timestamp,
    ) -> OperationPart {
        tracing::info!(application = %key.name, phase = %ended.phase, message = ended.message, "operation ended");
        let part = ending(&state.app, &ended, now);
        // Kept until it is stored: a write that fails is made again with the same end.
        self.runs += 1;
        state.operation = Some(Running {
            executing: false,
            ..Running::new(self.runs, ended)
        });
        state.op_render = None;
        state.op_prepared = None;
        part
    }

    /// Sends the effects of one step out, each with its permission or its refusal.
    pub(super) fn execute(
        &self,
        key: &AppKey,
        state: &AppState,
        run: u64,
        effects: Vec<(TaskId, Effect)>,
        project: Option<&AppProject>,
    ) {
        let operation = state.app.status.operation_state.as_ref();
        let own_namespace = made_namespace(&state.app, operation.and_then(|s| s.operation.sync.as_ref()));
        let own_namespace = own_namespace.as_ref().map(|key| &*key.name);
        let server = self.server();
        let names = ClusterNames {
            server: &server,
            name: Destination::IN_CLUSTER_NAME,
        };
        let view = View::new(&self.index, &self.kinds, crate::clock::now());
        let writes = effects.into_iter().map(|(id, effect)| {
            // A server-side apply looks at managedFields, which are not kept here: it reads the object itself.
            let hinted = matches!(
                effect.action,
                Action::Apply {
                    mode: ApplyMode::ClientSide { .. },
                    ..
                }
            );
            let live = match view.live(&effect.key()) {
                Live::Full(live) if hinted => Seen::Present(live.clone()),
                Live::Absent if hinted => Seen::Absent,
                Live::Full(_) | Live::Absent | Live::Slim(_) | Live::Unknown(_) => Seen::Unknown,
            };
            let scope = self.scope_of(&effect.gvk);
            let permitted = match project {
                None => Err(refused(format!(
                    "project {} does not exist",
                    state.app.spec.project_or_default()
                ))),
                Some(project) => {
                    permit(effect, project, names, scope, own_namespace).map_err(|denied| refused(denied.to_string()))
                }
            };
            Write { id, permitted, live }
        });
        tokio::spawn(jobs::execute(
            self.executor.clone(),
            key.clone(),
            run,
            writes.collect(),
            Arc::clone(&self.effects),
            self.events.clone(),
        ));
    }

    pub(crate) fn executed(&mut self, key: &AppKey, run: u64, outcomes: Vec<(TaskId, Outcome)>) {
        let Some(state) = self.apps.get_mut(key) else { return };
        if let Some(running) = state.operation.as_mut().filter(|r| r.run == run) {
            running.executing = false;
            running.outcomes = outcomes;
        } else if let Some(deletion) = state.deletion.as_mut().filter(|d| d.run == run) {
            deletion.executing = false;
            deletion.outcomes = outcomes;
        }
    }
}

enum TargetsOf {
    Pending,
    Spec,
    Operation,
}

impl Running {
    fn new(run: u64, state: OperationState) -> Self {
        Self {
            run,
            state,
            memory: Memory {
                last_write: Some(crate::clock::now()),
                ..Memory::default()
            },
            executing: false,
            repeatable: false,
            outcomes: Vec::new(),
        }
    }
}

/// What an operation looks at and no manifest names: the namespace it may make, and hooks whose names were generated.
pub(super) fn besides_targets(
    app: &Application,
    sync: Option<&SyncOperation>,
    operation: Option<&OperationState>,
) -> Vec<ResourceKey> {
    let results = operation
        .and_then(|o| o.sync_result.as_ref())
        .map(|r| r.resources.as_slice());
    let hooks = results.unwrap_or_default().iter().filter(|r| !r.hook_type.is_unset());
    hooks
        .map(|r| ResourceKey::new(r.group.as_str(), r.kind.as_str(), r.namespace.as_str(), r.name.as_str()))
        .chain(made_namespace(app, sync))
        .collect()
}

/// The namespace that an operation, or the Application, asks for (`CreateNamespace=true`).
pub(super) fn made_namespace(app: &Application, operation: Option<&SyncOperation>) -> Option<ResourceKey> {
    let asked = |options: &[String]| SyncOptions::of_application(options).create_namespace;
    let policy = app.spec.sync_policy.as_ref();
    let is_made = policy.is_some_and(|p| asked(&p.sync_options)) || operation.is_some_and(|o| asked(&o.sync_options));
    let name = app.spec.destination.namespace.as_str();
    (is_made && !name.is_empty()).then(|| ResourceKey::new("", "Namespace", "", name))
}

fn prepared_targets(prepared: Option<&Prepared>) -> OpTargets<'_> {
    match prepared {
        None => OpTargets::Pending(RENDERING),
        Some(p) => match &p.targets {
            Ok(targets) => OpTargets::Ready {
                targets,
                revisions: &p.revisions,
                wanted: &p.wanted,
            },
            Err(why) => OpTargets::Failed(why),
        },
    }
}

/// Why an operation may not go on. An invalid spec always refuses. What is wrong with the spec's own manifests concerns only an operation on these,
/// and only before it has begun: a rollback is needed exactly when they do not render, and a view that cannot be had for a while is waited for by
/// the sync itself.
fn refusal(look: &Look, state: &OperationState, of: &TargetsOf, own: Option<&Prepared>) -> Option<String> {
    let conditions = &look.assessment.conditions;
    if conditions.has(&ConditionType::InvalidSpecError) {
        return look.refused.clone();
    }
    let has_begun = state.sync_result.as_ref().is_some_and(|r| !r.resources.is_empty());
    match of {
        TargetsOf::Spec if !has_begun => look.refused.clone(),
        TargetsOf::Operation => {
            let own = &own?.targets.as_ref().ok()?.get().conditions;
            own.forbid_sync().then(|| own.error_message())
        }
        _ => None,
    }
}

/// What an attempt is about, at the revisions it began with: a branch that moves meanwhile does not move it (I-7). A new attempt has no
/// result yet and resolves anew.
fn pinned(state: &OperationState) -> SyncOperation {
    let mut sync = state.operation.sync.clone().unwrap_or_default();
    let Some(result) = &state.sync_result else { return sync };
    if !result.sources.is_empty() {
        sync.revisions.clone_from(&result.revisions);
        sync.sources.clone_from(&result.sources);
    } else if !result.revision.is_empty() {
        sync.revision.clone_from(&result.revision);
        sync.source = Some(result.source.clone());
    }
    sync
}

/// The operation fields as they are.
pub(super) fn unchanged(app: &Application) -> OperationPart {
    OperationPart {
        operation: app.operation.clone(),
        state: app.status.operation_state.clone(),
        history: None,
    }
}

/// Whether exactly this end of an operation is stored.
fn is_end_stored(app: &Application, ended: &OperationState) -> bool {
    let stored = app.status.operation_state.as_ref();
    stored.is_some_and(|s| {
        s.phase == ended.phase && s.started_at == ended.started_at && s.finished_at == ended.finished_at
    })
}

/// The operation fields at the end. History and end are stored by one write: the entry is added as long as the end is not stored.
fn ending(app: &Application, ended: &OperationState, now: Timestamp) -> OperationPart {
    let is_stored = is_end_stored(app, ended);
    let deployed_at = ended.finished_at.unwrap_or_else(|| now.into());
    OperationPart {
        operation: None,
        state: Some(ended.clone()),
        history: (!is_stored)
            .then(|| history::recorded(app, ended, deployed_at))
            .flatten(),
    }
}

/// The operation fields while it runs: `.operation` stays until the end.
fn under_way(app: &Application, state: &OperationState) -> OperationPart {
    OperationPart {
        operation: app.operation.clone().or_else(|| Some(state.operation.clone())),
        state: Some(state.clone()),
        history: None,
    }
}

fn refused(message: String) -> Outcome {
    Outcome::Failed(Failure {
        kind: FailureKind::Forbidden,
        message,
    })
}

#[cfg(test)]
mod tests {
    use pintle_model::application::{Operation, SyncResult};

    use super::*;

    #[test]
    fn an_end_that_was_not_stored_yet_keeps_its_history_entry() {
        let mut app = Application::default();
        let state = OperationState {
            phase: OperationPhase::Succeeded,
            started_at: "2026-01-01T00:00:00Z".parse().ok(),
            finished_at: "2026-01-01T00:00:05Z".parse().ok(),
            operation: Operation {
                sync: Some(SyncOperation::default()),
                ..Operation::default()
            },
            sync_result: Some(SyncResult {
                revision: "abc".into(),
                ..SyncResult::default()
            }),
            ..OperationState::default()
        };
        let entries = |app: &Application| ending(app, &state, Timestamp::UNIX_EPOCH).history.map(|h| h.len());
        assert_eq!(entries(&app), Some(1));
        app.status.operation_state = Some(OperationState {
            phase: OperationPhase::Running,
            finished_at: None,
            ..state.clone()
        });
        assert_eq!(
            entries(&app),
            Some(1),
            "the write that began it is stored, the end is not"
        );
        app.status.operation_state = Some(state.clone());
        assert_eq!(entries(&app), None, "stored already");
    }
}
