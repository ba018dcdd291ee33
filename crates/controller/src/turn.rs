//! One application's turn: look, decide, send work out. Never waits.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use pintle_engine::app::autosync::{AutoSync, Compared, SelfHeal, auto_sync};
use pintle_engine::app::cluster::AppCluster;
use pintle_engine::app::compare::{CompareInput, compare_app};
use pintle_engine::app::condition::Conditions;
use pintle_engine::app::fail_closed::not_acted_on;
use pintle_engine::app::history;
use pintle_engine::app::operation::{Drive, DriveInput, OpTargets, Wanted, begin, drive, wanted};
use pintle_engine::app::project::{ClusterNames, Scope, SpecProblem, check_resource, check_spec, permit};
use pintle_engine::app::status::{self, Assessment, OperationPart, Urgency};
use pintle_engine::app::targets::{TargetRules, targets};
use pintle_engine::complete::{Complete, SourceRender};
use pintle_engine::sync::delete::{DeleteOp, abandon, delete_step};
use pintle_engine::sync::retry::SelfHealBackoff;
use pintle_engine::sync::{Memory, TaskId};
use pintle_engine::view::{MAX_AGE, View};
use pintle_engine::{Action, ApplyMode, Effect, Failure, FailureKind, Outcome, Permitted};
use pintle_model::application::{
    Application, ConditionType, Destination, OperationPhase, OperationState, SourceType, SyncOperation,
};
use pintle_model::project::AppProject;
use pintle_model::{GroupKind, Gvk, Object, ResourceKey, SyncOptions, Value, annotation};
use tokio::time::Instant;

use crate::app_state::{AppState, Deletion, Prepared, RenderSlot, Running};
use crate::event::{AppKey, Event, SourceResult};
use crate::hub::{Hub, is_older};
use crate::jobs::{self, Write};

/// A failed render is tried again after this long, doubled with each failure up to [`RENDER_RETRY_LONGEST`].
const RENDER_RETRY: Duration = Duration::from_secs(3);
const RENDER_RETRY_LONGEST: Duration = Duration::from_secs(180);
/// Refs listed this recently are good enough for a poll: applications of one repository share a listing.
const POLL_SHARES: Duration = Duration::from_secs(30);
/// A write that only moves the revision waits this long, until real work is done.
const REVISION_DELAY: Duration = Duration::from_secs(2);
/// A write of the Application that failed is tried again after this long, doubled up to a minute.
const WRITE_RETRY: Duration = Duration::from_millis(500);
/// An application with a kind that is not listed yet is looked at again this much later.
const KIND_WAIT: Duration = Duration::from_millis(250);

fn after(now: Timestamp, wait: Duration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}

/// What one look found, before anything is written.
struct Look {
    assessment: Assessment,
    /// Text of the conditions that forbid a sync.
    refused: Option<String>,
    shared: Option<String>,
    trusted: bool,
}

impl Hub {
    pub(crate) fn turn(&mut self, key: &AppKey, now: Timestamp) {
        // Taken out while it is worked on, so that it and the rest of the hub can be borrowed side by side.
        let Some(mut state) = self.apps.remove(key) else { return };
        if let Some(until) = state.pause_until.filter(|until| *until > now) {
            self.apps.insert(key.clone(), state);
            return self.schedule(key, until);
        }
        let claims = self.work(key, &mut state, now);
        let instance = Arc::clone(&state.instance);
        self.apps.insert(key.clone(), state);
        if let Some(claims) = claims {
            self.claim(&instance, &claims);
        }
    }

    /// Returns the objects it wants, where that has changed.
    fn work(&mut self, key: &AppKey, state: &mut AppState, now: Timestamp) -> Option<BTreeSet<ResourceKey>> {
        if state
            .app
            .metadata
            .annotation(annotation::SKIP_RECONCILE)
            .is_some_and(annotation::is_true)
        {
            state.why = "reconciliation is suspended by the annotation argocd.argoproj.io/skip-reconcile".into();
            return None;
        }
        let wanted = spec_wanted(&state.app);
        self.ask_for_render(key, state, &wanted, now);
        let claims = self.prepare(state);
        if state.app.metadata.is_deleting() {
            self.delete(key, state, now);
            return claims;
        }
        let Some(look) = self.look(key, state, now) else {
            return claims;
        };
        let part = self.operate(key, state, &look, now);
        self.report(key, state, &look, part, now);
        claims
    }

    // --- rendering -------------------------------------------------------------------------------------------------------------------

    /// Starts a render where the spec, a hint, a poll or a retry asks for one.
    fn ask_for_render(&mut self, key: &AppKey, state: &mut AppState, wanted: &Wanted, now: Timestamp) {
        if wanted.sources.is_empty() || state.render.in_flight.is_some() {
            return;
        }
        let is_new = state.render.result.as_ref().is_none_or(|(of, _)| of != wanted);
        let polled = state.poll_at.is_some_and(|at| at <= now);
        let retried = state.render.retry_at.is_some_and(|at| at <= now);
        // A spec that has not changed waits for its retry; anything new is tried at once.
        let is_new = is_new && (state.render.retry_at.is_none() || retried);
        let asked = state.render.not_before.take();
        if !(is_new || polled || retried || asked.is_some()) {
            return self.wake_for_render(key, state);
        }
        let shared = Instant::now().checked_sub(POLL_SHARES).unwrap_or_else(Instant::now);
        let not_before = asked.unwrap_or(shared);
        state.render.retry_at = None;
        state.poll_at = None;
        self.start_render(key, &state.app, &mut state.render, wanted.clone(), not_before, false);
    }

    fn wake_for_render(&mut self, key: &AppKey, state: &AppState) {
        for at in [state.poll_at, state.render.retry_at].into_iter().flatten() {
            self.schedule(key, at);
        }
    }

    fn start_render(
        &self,
        key: &AppKey,
        app: &Application,
        slot: &mut RenderSlot,
        wanted: Wanted,
        not_before: Instant,
        for_operation: bool,
    ) {
        slot.in_flight = Some(wanted.clone());
        let project = app.spec.project_or_default().to_owned();
        let repositories = self.config.repositories.clone();
        tokio::spawn(jobs::render(
            repositories,
            key.clone(),
            wanted,
            project,
            not_before,
            for_operation,
            self.events.clone(),
        ));
    }

    pub(crate) fn rendered(&mut self, key: &AppKey, wanted: Wanted, for_operation: bool, sources: Vec<SourceResult>) {
        let now = crate::clock::now();
        let poll = self.poll_interval(key);
        let Some(state) = self.apps.get_mut(key) else { return };
        let slot = if for_operation {
            match &mut state.op_render {
                Some(slot) => slot,
                None => return,
            }
        } else {
            &mut state.render
        };
        slot.in_flight = None;
        let failed = sources
            .iter()
            .filter_map(|s| s.rendered.as_ref().err())
            .collect::<Vec<_>>();
        if failed.is_empty() {
            slot.failures = 0;
            slot.retry_at = None;
        } else if failed.iter().any(|f| f.is_retryable) {
            let wait = RENDER_RETRY
                .saturating_mul(1 << slot.failures.min(6))
                .min(RENDER_RETRY_LONGEST);
            slot.failures = slot.failures.saturating_add(1);
            slot.retry_at = Some(after(now, wait));
        }
        slot.result = Some((wanted, sources));
        if for_operation {
            state.op_prepared = None;
        } else {
            state.prepared = None;
            state.poll_at = poll.map(|wait| after(now, wait));
        }
    }

    /// `timeout.reconciliation` plus jitter; the jitter is a function of the name, so that it needs no randomness and spreads all the same.
    fn poll_interval(&self, key: &AppKey) -> Option<Duration> {
        let base = self.settings.controller.reconciliation?.to_std();
        let jitter = self.settings.controller.reconciliation_jitter.to_std();
        let spread = key
            .name
            .bytes()
            .fold(7u32, |h, b| h.wrapping_mul(31).wrapping_add(u32::from(b)))
            % 1000;
        Some(base + jitter * spread / 1000)
    }

    /// Makes targets out of renders, where renders, kinds or settings have changed. Returns what is wanted now, where that is new.
    fn prepare(&self, state: &mut AppState) -> Option<BTreeSet<ResourceKey>> {
        let fresh = |p: &Option<Prepared>| p.as_ref().is_some_and(|p| p.generation == self.generation);
        let mut claims = None;
        if !fresh(&state.prepared)
            && let Some((wanted, sources)) = &state.render.result
        {
            state.prepared = Some(self.prepared(&state.app, &state.instance, wanted, sources));
            state.cache.clear();
            let objects = state.prepared.as_ref().map(Prepared::objects).unwrap_or_default();
            claims = Some(objects.iter().map(Object::key).collect());
        }
        if let Some(slot) = &state.op_render
            && !fresh(&state.op_prepared)
            && let Some((wanted, sources)) = &slot.result
        {
            state.op_prepared = Some(self.prepared(&state.app, &state.instance, wanted, sources));
        }
        claims
    }

    fn prepared(&self, app: &Application, instance: &str, wanted: &Wanted, sources: &[SourceResult]) -> Prepared {
        let now = crate::clock::now();
        let several = sources.len() > 1;
        let named = sources.iter().enumerate().map(|(i, s)| {
            let source = wanted.sources.get(i).map_or("", |s| s.repo_url.as_str());
            let name = if several {
                format!("source {} of {} ({source})", i + 1, sources.len())
            } else {
                source.to_owned()
            };
            match &s.rendered {
                Ok(rendered) => SourceRender {
                    source: name.into(),
                    revision: s.revision.as_str().into(),
                    objects: Ok(rendered.objects.iter().map(|o| o.object.clone()).collect()),
                    blocking: rendered
                        .diagnostics
                        .iter()
                        .filter(|d| d.severity == pintle_render::Severity::Error)
                        .map(|d| d.to_string().into())
                        .collect(),
                },
                Err(failure) => SourceRender {
                    source: name.into(),
                    revision: "".into(),
                    objects: Err(Arc::clone(&failure.message)),
                    blocking: Vec::new(),
                },
            }
        });
        let rules = TargetRules {
            app: instance,
            namespace: &app.spec.destination.namespace,
            cluster: &self.server(),
            tracking: &self.tracking,
            filter: &self.filter,
            kinds: &self.kinds,
        };
        let made = match Complete::rendered(named.collect(), now) {
            Ok(rendered) => Ok(targets(rendered, rules)),
            Err(incomplete) => Err(Arc::from(format!("Failed to load target state: {incomplete}").as_str())),
        };
        Prepared {
            targets: made,
            revisions: sources.iter().map(|s| s.revision.clone()).collect(),
            wanted: wanted.clone(),
            generation: self.generation,
        }
    }

    // --- looking ---------------------------------------------------------------------------------------------------------------------

    /// Compares; `None` if it is too early to say anything.
    fn look(&mut self, key: &AppKey, state: &mut AppState, now: Timestamp) -> Option<Look> {
        let mut conditions = Conditions::default();
        let server = self.server();
        let names = ClusterNames {
            server: &server,
            name: Destination::IN_CLUSTER_NAME,
        };
        let project_name = state.app.spec.project_or_default();
        match self.projects.get(project_name) {
            None => conditions.add(
                ConditionType::InvalidSpecError,
                SpecProblem::NoProject(project_name.to_owned()).to_string(),
            ),
            Some(project) => {
                for problem in check_spec(&state.app, project, names, &self.config.control_namespace) {
                    conditions.add(ConditionType::InvalidSpecError, problem.to_string());
                }
            }
        }
        if let Some(problem) = self.destination_problem(&state.app.spec.destination) {
            conditions.add(ConditionType::InvalidSpecError, problem);
        }
        let not_acted_on = not_acted_on(&state.app, self.projects.get(project_name));
        let look = if conditions.forbid_sync() {
            state.comparison = None;
            Look::unknown(&state.app, conditions)
        } else {
            let prepared = state.prepared.as_ref()?;
            match &prepared.targets {
                Err(why) => {
                    conditions.add(ConditionType::ComparisonError, why.to_string());
                    state.comparison = None;
                    Look::unknown(&state.app, conditions)
                }
                Ok(_) => {
                    if self.waits_for_kinds(prepared.objects(), now) {
                        self.schedule(key, after(now, KIND_WAIT));
                        return None;
                    }
                    self.compare(key, state, conditions, now)
                }
            }
        };
        Some(self.with_auto_sync_condition(state, look, &not_acted_on, now))
    }

    /// This version deploys into the cluster it runs in.
    fn destination_problem(&self, destination: &Destination) -> Option<String> {
        match destination.cluster() {
            Err(e) => Some(e.to_string()),
            Ok(_) if destination.is_in_cluster() => None,
            Ok(_) => {
                let named = if destination.server.is_empty() {
                    &destination.name
                } else {
                    &destination.server
                };
                Some(format!(
                    "destination cluster {named:?} is not supported by this version, which deploys into the cluster it runs in; use {} or the name {}",
                    Destination::IN_CLUSTER_SERVER,
                    Destination::IN_CLUSTER_NAME
                ))
            }
        }
    }

    /// Whether a kind that is wanted is being listed for the first time.
    fn waits_for_kinds(&self, objects: &[Object], now: Timestamp) -> bool {
        let kinds: BTreeSet<GroupKind> = objects.iter().map(|o| o.gvk().group_kind()).collect();
        kinds.iter().any(|kind| {
            matches!(
                self.index.check_fresh(kind, None, now, MAX_AGE),
                Err(pintle_engine::live::NotFresh::NotSynced)
            )
        })
    }

    fn compare(&mut self, key: &AppKey, state: &mut AppState, mut conditions: Conditions, now: Timestamp) -> Look {
        let own = ResourceKey::new(
            "argoproj.io",
            "Application",
            Arc::clone(&key.namespace),
            Arc::clone(&key.name),
        );
        let project = self.projects.get(state.app.spec.project_or_default());
        let server = self.server();
        let names = ClusterNames {
            server: &server,
            name: Destination::IN_CLUSTER_NAME,
        };
        let permitted = |object: &Object| {
            let gvk = object.gvk();
            let scope = self.scope_of(&gvk).unwrap_or(if object.namespace().is_empty() {
                Scope::Cluster
            } else {
                Scope::Namespaced
            });
            project.is_some_and(|p| check_resource(p, names, &gvk, &object.key(), Some(scope)).is_ok())
        };
        let instance = Arc::clone(&state.instance);
        let claimed_by_other = |wanted: &ResourceKey| {
            self.claims
                .get(wanted)
                .and_then(|apps| apps.iter().find(|a| **a != instance))
                .cloned()
        };
        let Some(complete) = state.prepared.as_ref().and_then(|p| p.targets.as_ref().ok()) else {
            return Look::unknown(&state.app, conditions);
        };
        let view = View::new(&self.index, &self.kinds, now);
        let input = CompareInput {
            app: &instance,
            own: &own,
            targets: complete,
            view,
            tracking: &self.tracking,
            ignore: &state.app.spec.ignore_differences,
            options: self.settings.compare_options,
            claimed_by_other: &claimed_by_other,
            permitted: &permitted,
        };
        let comparison = compare_app(input, &mut state.cache);
        self.read_bodies(key, state, &comparison.to_read);
        let revisions = state.prepared.as_ref().map(|p| p.revisions.clone()).unwrap_or_default();
        let mut assessment = Assessment::compared(&comparison, revisions, source_types(&state.render));
        conditions.extend(assessment.conditions);
        assessment.conditions = conditions;
        let look = Look::of(assessment);
        state.comparison = Some(comparison);
        look
    }

    /// Reads objects that are wanted but were not kept whole, once, and keeps them from then on.
    fn read_bodies(&mut self, key: &AppKey, state: &mut AppState, to_read: &[ResourceKey]) {
        if to_read.is_empty() {
            return;
        }
        let wanted: Vec<ResourceKey> = state
            .prepared
            .as_ref()
            .map(|p| p.objects().iter().map(Object::key).collect())
            .unwrap_or_default();
        for missing in self.index.retain_full(&state.instance, wanted) {
            if !state.reading.insert(missing.clone()) {
                continue;
            }
            let (cluster, events, app) = (self.config.cluster.clone(), self.events.clone(), key.clone());
            tokio::spawn(async move {
                let kind = match cluster.served_kind(&missing.group_kind()).await {
                    Ok(kind) => kind,
                    Err(e) => return tracing::warn!(object = %missing, error = %e, "a wanted object cannot be read"),
                };
                match cluster.find(&kind, &missing.namespace, &missing.name).await {
                    Ok(object) => {
                        let _ = events
                            .send(Event::Read {
                                app,
                                key: missing,
                                object,
                            })
                            .await;
                    }
                    // Its next watch event brings it whole, since it is kept from now on.
                    Err(e) => tracing::warn!(object = %missing, error = %e, "a wanted object cannot be read"),
                }
            });
        }
    }

    /// Decides about automated sync for its reason; the start itself is decided again when it is written.
    fn with_auto_sync_condition(
        &self,
        state: &mut AppState,
        mut look: Look,
        fields: &[pintle_engine::app::fail_closed::NotActedOn],
        now: Timestamp,
    ) -> Look {
        let decision = self.auto_sync(state, &look, fields, now);
        if let AutoSync::No(why) = &decision {
            state.why = why.to_string();
            if let Some(message) = why.condition() {
                look.assessment.conditions.add(ConditionType::SyncError, message);
            }
        }
        if !fields.is_empty() && state.app.spec.automated().is_none() {
            let named: Vec<String> = fields.iter().map(ToString::to_string).collect();
            look.assessment
                .conditions
                .add(ConditionType::SyncError, named.join("; "));
        }
        look
    }

    fn auto_sync(
        &self,
        state: &AppState,
        look: &Look,
        fields: &[pintle_engine::app::fail_closed::NotActedOn],
        now: Timestamp,
    ) -> AutoSync {
        let shared = state
            .comparison
            .as_ref()
            .map(|c| c.shared.as_slice())
            .unwrap_or_default();
        let compared = Compared {
            status: &look.assessment.sync,
            revisions: &look.assessment.revisions,
            resources: look.assessment.resources.as_deref().unwrap_or_default(),
            trusted: look.trusted,
            shared,
        };
        auto_sync(&state.app, compared, fields, self.self_heal(), now)
    }

    fn self_heal(&self) -> SelfHeal {
        let set = &self.settings.controller.self_heal;
        let (first, factor, longest) = match set.fixed {
            Some(fixed) => (fixed.to_std(), 1, fixed.to_std()),
            None => (set.backoff.to_std(), set.factor, set.cap.to_std()),
        };
        let cooldown = set.cooldown.map_or(SelfHeal::default().cooldown, |c| {
            SignedDuration::try_from(c.to_std()).unwrap_or(SignedDuration::MAX)
        });
        SelfHeal {
            backoff: SelfHealBackoff { first, factor, longest },
            cooldown,
        }
    }

    // --- operating -------------------------------------------------------------------------------------------------------------------

    /// Moves the operation on, or starts one; returns what the Application's operation fields become.
    fn operate(&mut self, key: &AppKey, state: &mut AppState, look: &Look, now: Timestamp) -> OperationPart {
        self.take_up(state, now);
        if state.operation.is_none() {
            let fields = not_acted_on(&state.app, self.projects.get(state.app.spec.project_or_default()));
            match self.auto_sync(state, look, &fields, now) {
                AutoSync::Start(operation) if !state.writing => {
                    tracing::info!(application = %key.name, revision = look.assessment.revisions.join(" "), "automated sync begins");
                    let operation = *operation;
                    let part = OperationPart {
                        operation: Some(operation.clone()),
                        state: Some(begin(operation, now)),
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
    fn take_up(&mut self, state: &mut AppState, now: Timestamp) {
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

    fn advance(&mut self, key: &AppKey, state: &mut AppState, look: &Look, now: Timestamp) -> OperationPart {
        let Some(mut running) = state.operation.take() else {
            return unchanged(&state.app);
        };
        // A step reads only what is stored: what it destroys next must survive a crash as a record (I-9). The write that stores the last
        // step's results goes out side by side with its effects, so this rarely waits.
        if running.executing || !is_recorded(&state.app, &running.state) {
            let part = under_way(&state.app, &running.state);
            state.operation = Some(running);
            return part;
        }
        let sync = running.state.operation.sync.clone().unwrap_or_default();
        let targets_ready = self.op_targets(key, state, &sync);
        let server = self.server();
        let names = ClusterNames {
            server: &server,
            name: Destination::IN_CLUSTER_NAME,
        };
        let in_sync = state.comparison.as_ref().map(|c| c.in_sync()).unwrap_or_default();
        let project = self.projects.get(state.app.spec.project_or_default()).cloned();
        let no_project = AppProject::default();
        let outcomes = std::mem::take(&mut running.outcomes);
        let targets = match &targets_ready {
            TargetsOf::Pending => OpTargets::Pending,
            TargetsOf::Spec => prepared_targets(state.prepared.as_ref()),
            TargetsOf::Operation => prepared_targets(state.op_prepared.as_ref()),
        };
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
            refused: look.refused.as_deref(),
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
        running.state = next;
        running.memory = memory;
        running.wake_at = wake_at;
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

    fn ended(&mut self, key: &AppKey, state: &mut AppState, ended: OperationState, now: Timestamp) -> OperationPart {
        tracing::info!(application = %key.name, phase = %ended.phase, message = ended.message, "operation ended");
        let history = history::recorded(&state.app, &ended, now.into());
        // Kept until it is stored: a write that fails is made again with the same end.
        self.runs += 1;
        let part = OperationPart {
            operation: None,
            state: Some(ended.clone()),
            history,
        };
        state.operation = Some(Running {
            executing: false,
            ..Running::new(self.runs, ended)
        });
        state.op_render = None;
        state.op_prepared = None;
        part
    }

    /// Sends the effects of one step out, each with its permission or its refusal.
    fn execute(
        &self,
        key: &AppKey,
        state: &AppState,
        run: u64,
        effects: Vec<(TaskId, Effect)>,
        project: Option<&AppProject>,
    ) {
        let options = state
            .app
            .spec
            .sync_policy
            .as_ref()
            .map(|p| SyncOptions::of_application(&p.sync_options))
            .unwrap_or_default();
        let operation = state
            .app
            .status
            .operation_state
            .as_ref()
            .and_then(|s| s.operation.sync.as_ref());
        let own = operation.is_some_and(|s| SyncOptions::of_application(&s.sync_options).create_namespace)
            || options.create_namespace;
        let own_namespace = own.then_some(state.app.spec.destination.namespace.as_str());
        let server = self.server();
        let names = ClusterNames {
            server: &server,
            name: Destination::IN_CLUSTER_NAME,
        };
        let writes = effects.into_iter().map(|(id, effect)| {
            // A server-side apply looks at managedFields, which are not kept here: it reads the object itself.
            let hinted = matches!(
                effect.action,
                Action::Apply {
                    mode: ApplyMode::ClientSide { .. },
                    ..
                }
            );
            let live = self
                .index
                .get(&effect.key())
                .and_then(|e| e.object())
                .filter(|_| hinted)
                .cloned();
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

    // --- deleting --------------------------------------------------------------------------------------------------------------------

    fn delete(&mut self, key: &AppKey, state: &mut AppState, now: Timestamp) {
        // A sync that runs is stopped first [F3.40]; what it has sent comes back before anything is deleted.
        if state.operation.as_ref().is_some_and(|o| o.executing) {
            return;
        }
        state.operation = None;
        let Some(deleted_at) = state.app.metadata.deletion_timestamp else {
            return;
        };
        let run = match &state.deletion {
            Some(deletion) if deletion.executing => return,
            Some(deletion) => deletion.run,
            None => {
                self.runs += 1;
                tracing::info!(application = %key.name, "the application is being deleted");
                state.deletion = Some(Deletion {
                    run: self.runs,
                    executing: false,
                    outcomes: Vec::new(),
                    wake_at: None,
                });
                self.runs
            }
        };
        let outcomes = state
            .deletion
            .as_mut()
            .map(|d| std::mem::take(&mut d.outcomes))
            .unwrap_or_default();
        let targets = match &state.prepared {
            Some(p) => p
                .targets
                .as_ref()
                .map(|t| t.get().objects.clone())
                .map_err(ToString::to_string),
            None => Err("manifests are not rendered yet".to_owned()),
        };
        let op = DeleteOp {
            cluster: self.config.cluster.id().clone(),
            namespace: state.app.spec.destination.namespace.clone(),
            application: ResourceKey::new(
                "argoproj.io",
                "Application",
                Arc::clone(&key.namespace),
                Arc::clone(&key.name),
            ),
            finalizers: state.app.metadata.finalizers.clone(),
            deleted_at: deleted_at.timestamp(),
            kinds: kinds_of(&state.app, targets.as_deref().unwrap_or_default()),
            targets,
            revision: state.app.status.sync.revision.clone(),
            options: state
                .app
                .spec
                .sync_policy
                .as_ref()
                .map(|p| SyncOptions::of_application(&p.sync_options))
                .unwrap_or_default(),
            approved_at: state
                .app
                .metadata
                .annotation(annotation::DELETION_APPROVED)
                .and_then(|t| t.parse().ok()),
        };
        let server = self.server();
        let names = ClusterNames {
            server: &server,
            name: Destination::IN_CLUSTER_NAME,
        };
        let project = self.projects.get(state.app.spec.project_or_default()).cloned();
        let in_sync = BTreeSet::new();
        let step = match &project {
            _ if !state.app.spec.destination.is_in_cluster() => abandon(&op),
            // A project that is gone permits nothing, so nothing is deleted by its word.
            None => pintle_engine::sync::delete::DeleteStep {
                condition: Some(format!(
                    "project {} does not exist, so nothing may be deleted; create it again, or take the finalizers off the Application",
                    state.app.spec.project_or_default()
                )),
                ..Default::default()
            },
            Some(project) => {
                let view = View::new(&self.index, &self.kinds, now);
                let cluster = AppCluster {
                    app: &state.instance,
                    view,
                    tracking: &self.tracking,
                    project,
                    names,
                    in_sync: &in_sync,
                };
                delete_step(&op, &cluster, &outcomes, now)
            }
        };
        if let Some(why) = &step.waiting_on {
            state.why = why.to_string();
        }
        if let Some(at) = step.wake_at {
            self.schedule(key, at);
        }
        if let Some(deletion) = &mut state.deletion {
            deletion.wake_at = step.wake_at;
            deletion.executing = !step.effects.is_empty();
        }
        if !step.effects.is_empty() {
            self.execute(key, state, run, step.effects, project.as_ref());
        }
        self.report_deletion(key, state, &step.release, step.condition, now);
    }

    fn report_deletion(
        &mut self,
        key: &AppKey,
        state: &mut AppState,
        release: &[String],
        condition: Option<String>,
        now: Timestamp,
    ) {
        let mut conditions = Conditions::default();
        if let Some(message) = condition {
            conditions.add(ConditionType::DeletionError, message);
        }
        let mut next = state.app.clone();
        next.metadata.finalizers.retain(|f| !release.contains(f));
        next.status.conditions = conditions.merge_into(
            &state.app.status.conditions,
            &[ConditionType::DeletionError],
            now.into(),
        );
        if next != state.app {
            self.write(key, state, &next, now);
        }
    }

    // --- reporting -------------------------------------------------------------------------------------------------------------------

    fn report(&mut self, key: &AppKey, state: &mut AppState, look: &Look, part: OperationPart, now: Timestamp) {
        let next = status::next(&state.app, &look.assessment, part, &self.config.control_namespace, now);
        match status::urgency(&state.app, &next) {
            Urgency::None => {
                state.write_later = None;
                self.settled(key, state);
            }
            Urgency::Later => {
                let at = *state.write_later.get_or_insert_with(|| after(now, REVISION_DELAY));
                if at <= now {
                    self.write(key, state, &next, now);
                } else {
                    self.schedule(key, at);
                }
            }
            Urgency::Now => self.write(key, state, &next, now),
        }
        self.wake_for_render(key, state);
    }

    /// What is stored is what is known: an operation that has ended is over.
    fn settled(&mut self, key: &AppKey, state: &mut AppState) {
        if state.operation.as_ref().is_some_and(|o| o.state.phase.is_completed()) {
            state.operation = None;
            self.schedule(key, crate::clock::now());
        }
    }

    fn write(&mut self, key: &AppKey, state: &mut AppState, next: &Application, now: Timestamp) {
        if state.writing {
            return;
        }
        let Some(patch) = status::patch(&state.app, next) else {
            return;
        };
        let effect = Effect {
            cluster: self.config.cluster.id().clone(),
            gvk: Application::gvk(),
            namespace: Arc::clone(&key.namespace),
            name: Arc::clone(&key.name),
            action: Action::MergePatch {
                patch,
                resource_version: Some(state.app.metadata.resource_version.as_str().into()),
            },
            dry_run: false,
        };
        let Ok(permitted) = Permitted::own_record(effect) else {
            return;
        };
        state.writing = true;
        state.write_later = None;
        self.announce(key, &state.app, next, now);
        tokio::spawn(jobs::write(
            self.executor.clone(),
            key.clone(),
            permitted,
            self.events.clone(),
        ));
    }

    pub(crate) fn written(&mut self, key: &AppKey, outcome: Outcome) {
        let now = crate::clock::now();
        let Some(state) = self.apps.get_mut(key) else { return };
        state.writing = false;
        match outcome {
            Outcome::Configured(object) | Outcome::Unchanged(object) | Outcome::Created(object) => {
                state.failed_writes = 0;
                state.pause_until = None;
                match Application::from_object(&object) {
                    Ok(app) if !is_older(&app.metadata.resource_version, &state.app.metadata.resource_version) => {
                        let ended = app
                            .status
                            .operation_state
                            .as_ref()
                            .is_some_and(|s| s.phase.is_completed());
                        let over = state.operation.as_ref().is_some_and(|o| o.state.phase.is_completed());
                        if ended && over && app.operation.is_none() {
                            state.operation = None;
                        }
                        state.app = app;
                    }
                    Ok(_) => {}
                    Err(e) => {
                        tracing::warn!(application = %key.name, error = %e, "the answer to a status write cannot be read")
                    }
                }
            }
            Outcome::Deleted => {}
            Outcome::Skipped(why) => {
                tracing::info!(application = %key.name, reason = %why, "status not written");
                state.pause_until = Some(after(now, WRITE_RETRY));
            }
            // Someone else changed it: their change arrives by the watch, and everything is decided again on top of it.
            Outcome::Failed(Failure {
                kind: FailureKind::Conflict,
                ..
            }) => {
                state.pause_until = Some(after(now, Duration::from_millis(50)));
            }
            Outcome::Failed(failure) => {
                let wait = WRITE_RETRY
                    .saturating_mul(1 << state.failed_writes.min(7))
                    .min(Duration::from_secs(60));
                state.failed_writes = state.failed_writes.saturating_add(1);
                tracing::warn!(application = %key.name, error = %failure, "status not written; tried again in {} ms", wait.as_millis());
                state.pause_until = Some(after(now, wait));
            }
        }
    }

    /// Records what a person may want to see later as a Kubernetes Event [F3.34].
    fn announce(&self, key: &AppKey, old: &Application, new: &Application, now: Timestamp) {
        for (reason, is_warning, message) in announcements(old, new) {
            let Some(event) = event_object(key, new, &self.config.identity, reason, is_warning, &message, now) else {
                continue;
            };
            let effect = Effect {
                cluster: self.config.cluster.id().clone(),
                gvk: Gvk::new("", "v1", "Event"),
                namespace: Arc::clone(&key.namespace),
                name: event.name().into(),
                action: Action::Create { object: event },
                dry_run: false,
            };
            let Ok(permitted) = Permitted::own_record(effect) else {
                continue;
            };
            let executor = self.executor.clone();
            // An Event that is lost is no harm: the status says the same.
            tokio::spawn(async move { executor.execute(permitted).await });
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
            outcomes: Vec::new(),
            wake_at: None,
        }
    }
}

impl Look {
    fn of(assessment: Assessment) -> Self {
        let trusted = !assessment.conditions.forbid_sync();
        let refused = (!trusted).then(|| assessment.conditions.error_message());
        let shared = assessment
            .conditions
            .iter()
            .find(|(kind, _)| **kind == ConditionType::SharedResourceWarning)
            .map(|(_, m)| m.to_owned());
        Self {
            assessment,
            refused,
            shared,
            trusted,
        }
    }

    fn unknown(app: &Application, conditions: Conditions) -> Self {
        Self::of(Assessment::unknown(app, conditions))
    }
}

/// What the spec wants rendered.
fn spec_wanted(app: &Application) -> Wanted {
    wanted(app, &SyncOperation::default())
}

fn prepared_targets(prepared: Option<&Prepared>) -> OpTargets<'_> {
    match prepared {
        None => OpTargets::Pending,
        Some(p) => match &p.targets {
            Ok(targets) => OpTargets::Ready {
                objects: &targets.get().objects,
                revisions: &p.revisions,
                wanted: &p.wanted,
            },
            Err(why) => OpTargets::Failed(why),
        },
    }
}

/// Whether the results of an operation are stored.
fn is_recorded(app: &Application, state: &OperationState) -> bool {
    let results = |s: Option<&OperationState>| {
        s.and_then(|s| s.sync_result.as_ref())
            .map(|r| r.resources.clone())
            .unwrap_or_default()
    };
    results(
        app.status
            .operation_state
            .as_ref()
            .filter(|s| s.started_at == state.started_at),
    ) == results(Some(state))
}

/// Every kind that may hold objects of an application: what its status lists, and what it wants.
fn kinds_of(app: &Application, targets: &[Object]) -> Vec<Gvk> {
    let listed = app
        .status
        .resources
        .iter()
        .map(|r| Gvk::new(r.group.as_str(), r.version.as_str(), r.kind.as_str()));
    let mut kinds: Vec<Gvk> = listed.chain(targets.iter().map(Object::gvk)).collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

/// The operation fields as they are.
fn unchanged(app: &Application) -> OperationPart {
    OperationPart {
        operation: app.operation.clone(),
        state: app.status.operation_state.clone(),
        history: None,
    }
}

/// The operation fields while it runs: `.operation` stays until the end.
fn under_way(app: &Application, state: &OperationState) -> OperationPart {
    let operation = if state.phase.is_completed() {
        None
    } else {
        app.operation.clone().or_else(|| Some(state.operation.clone()))
    };
    OperationPart {
        operation,
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

fn source_types(slot: &RenderSlot) -> Vec<SourceType> {
    let sources = slot
        .result
        .as_ref()
        .map(|(_, sources)| sources.as_slice())
        .unwrap_or_default();
    let types = sources.iter().map(|s| {
        s.rendered
            .as_ref()
            .ok()
            .map(|r| SourceType::from(r.source_type.to_string().as_str()))
    });
    types.collect::<Option<Vec<_>>>().unwrap_or_default()
}

/// Reason, whether it is a warning, message.
fn announcements(old: &Application, new: &Application) -> Vec<(&'static str, bool, String)> {
    let mut found = Vec::new();
    let (before, after) = (old.status.operation_state.as_ref(), new.status.operation_state.as_ref());
    let same_run = before.map(|s| s.started_at) == after.map(|s| s.started_at);
    if let Some(state) = after {
        let what = |verb: &str| {
            let by = if state.operation.initiated_by.automated {
                "automated sync".to_owned()
            } else {
                state.operation.initiated_by.username.clone()
            };
            let revision = state.sync_result.as_ref().map_or("", |r| r.revision.as_str());
            let by = if by.is_empty() { "unknown user".to_owned() } else { by };
            format!("{by} {verb} sync to {revision}")
        };
        if !same_run || before.is_none() {
            found.push(("OperationStarted", false, what("initiated")));
        }
        if state.phase.is_completed() && before.is_none_or(|s| !s.phase.is_completed() || !same_run) {
            let message = format!(
                "Sync operation to {} {}: {}",
                state.sync_result.as_ref().map_or("", |r| r.revision.as_str()),
                phase_word(state),
                state.message
            );
            found.push(("OperationCompleted", state.phase.is_failed(), message));
        }
    }
    let (sync_old, sync_new) = (&old.status.sync.status, &new.status.sync.status);
    if sync_old != sync_new {
        found.push((
            "ResourceUpdated",
            false,
            format!("Updated sync status: {sync_old} -> {sync_new}"),
        ));
    }
    let (health_old, health_new) = (&old.status.health.status, &new.status.health.status);
    if health_old != health_new {
        found.push((
            "ResourceUpdated",
            false,
            format!("Updated health status: {health_old} -> {health_new}"),
        ));
    }
    found
}

fn phase_word(state: &OperationState) -> &'static str {
    if state.phase.is_successful() {
        "succeeded"
    } else {
        "failed"
    }
}

fn event_object(
    key: &AppKey,
    app: &Application,
    identity: &str,
    reason: &str,
    is_warning: bool,
    message: &str,
    now: Timestamp,
) -> Option<Object> {
    // As client-go names them: unique enough for one object at one nanosecond.
    let name = format!("{}.{:x}", key.name, now.as_nanosecond());
    let mut event = Value::map();
    event.set_at(&["apiVersion"], "v1".into());
    event.set_at(&["kind"], "Event".into());
    event.set_at(
        &["metadata", "name"],
        format!("{name}.{}", reason.to_lowercase()).into(),
    );
    event.set_at(&["metadata", "namespace"], (&*key.namespace).into());
    for (field, text) in [
        ("apiVersion", "argoproj.io/v1alpha1"),
        ("kind", "Application"),
        ("namespace", &key.namespace),
        ("name", &key.name),
        ("uid", app.metadata.uid.as_str()),
        ("resourceVersion", app.metadata.resource_version.as_str()),
    ] {
        event.set_at(&["involvedObject", field], text.into());
    }
    let time = pintle_model::Time::new(now).to_string();
    event.set_at(&["reason"], reason.into());
    event.set_at(&["message"], message.into());
    event.set_at(&["type"], if is_warning { "Warning" } else { "Normal" }.into());
    event.set_at(&["source", "component"], identity.into());
    event.set_at(&["firstTimestamp"], time.as_str().into());
    event.set_at(&["lastTimestamp"], time.as_str().into());
    event.set_at(&["count"], Value::Int(1));
    Object::new(event).ok()
}
