//! Comparing what is wanted with what is there; nothing is decided here but what automated sync would do.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use pintle_engine::app::autosync::{AutoSync, Compared, SelfHeal, auto_sync};
use pintle_engine::app::compare::{CompareInput, compare_app};
use pintle_engine::app::condition::Conditions;
use pintle_engine::app::fail_closed::{NotActedOn, not_acted_on, settings_not_acted_on};
use pintle_engine::app::project::{ClusterNames, Scope, SpecProblem, check_resource, check_spec};
use pintle_engine::app::status::Assessment;
use pintle_engine::live::NotFresh;
use pintle_engine::sync::retry::SelfHealBackoff;
use pintle_engine::view::{MAX_AGE, View};
use pintle_model::application::{Application, ConditionType, Destination, SourceType};
use pintle_model::project::AppProject;
use pintle_model::{GroupKind, Object, ResourceKey};

use super::operating::besides_targets;
use super::{Look, after};
use crate::app_state::{AppState, RenderSlot};
use crate::event::{AppKey, Event};
use crate::hub::Hub;

/// An application with a kind that is not listed yet is looked at again this much later.
const KIND_WAIT: Duration = Duration::from_millis(250);

impl Hub {
    /// Compares; `None` if it is too early to say anything.
    pub(super) fn look(&mut self, key: &AppKey, state: &mut AppState, now: Timestamp) -> Option<Look> {
        let mut conditions = Conditions::default();
        let server = self.server();
        let names = ClusterNames {
            server: &server,
            name: Destination::IN_CLUSTER_NAME,
        };
        let project_name = state.app.spec.project_or_default();
        if !self.projects.contains_key(project_name) && self.projects_are_being_listed(now) {
            self.schedule(key, after(now, KIND_WAIT));
            return None;
        }
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
        let mut look = if conditions.forbid_sync() {
            state.comparison = None;
            Look::unknown(&state.app, conditions)
        } else {
            let prepared = state.prepared.as_ref()?;
            for warning in &prepared.warnings {
                conditions.add(ConditionType::SourceWarning, warning.clone());
            }
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
        look.not_acted_on = self.not_acted_on(&state.app);
        Some(self.with_auto_sync_condition(state, look, now))
    }

    /// Whether it is too early to say that a project does not exist: its definition came after the controller, or its list is on the way.
    fn projects_are_being_listed(&self, now: Timestamp) -> bool {
        let kind = AppProject::gvk().group_kind();
        matches!(
            self.index.check_fresh(&kind, None, now, MAX_AGE),
            Err(NotFresh::NotSynced | NotFresh::NotWatched)
        )
    }

    /// What is in use and not acted on: fields of the Application and its project, and settings.
    fn not_acted_on(&self, app: &Application) -> Vec<NotActedOn> {
        let mut fields = not_acted_on(app, self.projects.get(app.spec.project_or_default()));
        fields.extend(settings_not_acted_on(&self.settings));
        fields
    }

    /// This version deploys into the cluster it runs in.
    pub(super) fn destination_problem(&self, destination: &Destination) -> Option<String> {
        match destination.cluster() {
            Err(e) => Some(e.to_string()),
            Ok(_) if destination.is_in_cluster() && self.settings.in_cluster_enabled => None,
            Ok(_) if destination.is_in_cluster() => Some(
                "the cluster Pintle runs in is no destination: cluster.inClusterEnabled is \"false\" in argocd-cm"
                    .to_owned(),
            ),
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
    pub(super) fn waits_for_kinds(&self, objects: &[Object], now: Timestamp) -> bool {
        let kinds: BTreeSet<GroupKind> = objects.iter().map(|o| o.gvk().group_kind()).collect();
        kinds.iter().any(|kind| {
            matches!(
                self.index.check_fresh(kind, None, now, MAX_AGE),
                Err(NotFresh::NotSynced)
            )
        })
    }

    pub(super) fn compare(
        &mut self,
        key: &AppKey,
        state: &mut AppState,
        mut conditions: Conditions,
        now: Timestamp,
    ) -> Look {
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
        if !comparison.to_read.is_empty() {
            let operation = state.operation.as_ref().map(|o| &o.state);
            let sync = operation.and_then(|o| o.operation.sync.as_ref());
            let besides = besides_targets(&state.app, sync, operation);
            self.read_bodies(key, state, besides);
        }
        let revisions = state.prepared.as_ref().map(|p| p.revisions.clone()).unwrap_or_default();
        let mut assessment = Assessment::compared(&comparison, revisions, source_types(&state.render));
        conditions.extend(assessment.conditions);
        assessment.conditions = conditions;
        let look = Look::of(assessment);
        state.comparison = Some(comparison);
        look
    }

    /// Reads objects that are wanted but were not kept whole, once, and keeps them from then on.
    pub(super) fn read_bodies(&mut self, key: &AppKey, state: &mut AppState, besides: Vec<ResourceKey>) {
        let of_render = [&state.prepared, &state.op_prepared].into_iter().flatten();
        let targets = of_render.flat_map(|p| p.objects().iter().map(Object::key));
        let wanted: Vec<ResourceKey> = targets.chain(besides).collect();
        for missing in self.index.retain_full(&state.instance, wanted) {
            if !state.reading.insert(missing.clone()) {
                continue;
            }
            let (cluster, events, app) = (self.config.cluster.clone(), self.events.clone(), key.clone());
            tokio::spawn(async move {
                let kind = match cluster.served_kind(&missing.group_kind()).await {
                    Ok(kind) => kind,
                    Err(e) => {
                        tracing::warn!(object = %missing, error = %e, "a wanted object cannot be read");
                        let _ = events.send(Event::ReadFailed { app, key: missing }).await;
                        return;
                    }
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
                    Err(e) => {
                        tracing::warn!(object = %missing, error = %e, "a wanted object cannot be read");
                        let _ = events.send(Event::ReadFailed { app, key: missing }).await;
                    }
                }
            });
        }
    }

    /// Decides about automated sync for its reason; the start itself is decided again when it is written.
    pub(super) fn with_auto_sync_condition(&self, state: &mut AppState, mut look: Look, now: Timestamp) -> Look {
        let decision = self.auto_sync(state, &look, now);
        if let AutoSync::No(why) = &decision {
            state.why = why.to_string();
            if let Some(message) = why.condition() {
                look.assessment.conditions.add(ConditionType::SyncError, message);
            }
        }
        if !look.not_acted_on.is_empty() && state.app.spec.automated().is_none() {
            let named: Vec<String> = look.not_acted_on.iter().map(ToString::to_string).collect();
            look.assessment
                .conditions
                .add(ConditionType::SyncError, named.join("; "));
        }
        look
    }

    pub(super) fn auto_sync(&self, state: &AppState, look: &Look, now: Timestamp) -> AutoSync {
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
        auto_sync(&state.app, compared, &look.not_acted_on, self.self_heal(), now)
    }

    pub(super) fn self_heal(&self) -> SelfHeal {
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
