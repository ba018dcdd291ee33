//! Taking an application away with all it owns.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use pintle_engine::app::cluster::AppCluster;
use pintle_engine::app::condition::Conditions;
use pintle_engine::app::project::ClusterNames;
use pintle_engine::kinds::Served;
use pintle_engine::sync::delete::{DeleteOp, abandon, delete_step};
use pintle_engine::view::View;
use pintle_model::application::{Application, ConditionType, Destination};
use pintle_model::{Gvk, Object, ResourceKey, SyncOptions, annotation};

use crate::app_state::{AppState, Deletion};
use crate::event::AppKey;
use crate::hub::Hub;

impl Hub {
    pub(super) fn delete(&mut self, key: &AppKey, state: &mut AppState, now: Timestamp) {
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
            kinds: self.kinds_of(&state.app, targets.as_deref().unwrap_or_default()),
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
            deletion.executing = !step.effects.is_empty();
        }
        if !step.effects.is_empty() {
            self.execute(key, state, run, step.effects, project.as_ref());
        }
        self.report_deletion(key, state, &step.release, step.condition, now);
    }

    pub(super) fn report_deletion(
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
            self.write(key, state, &next);
        }
    }

    /// Every kind that may hold objects of an application: what its status lists, and what it wants. A kind counts at the version it is served
    /// at now: objects do not go when a version goes.
    fn kinds_of(&self, app: &Application, targets: &[Object]) -> Vec<Gvk> {
        let resources = &app.status.resources;
        let listed = resources
            .iter()
            .map(|r| Gvk::new(r.group.as_str(), r.version.as_str(), r.kind.as_str()));
        let now = |gvk: Gvk| match self.kinds.served(&gvk.group_kind()) {
            Served::Yes(kind) => Gvk::new(gvk.group, Arc::clone(&kind.version), gvk.kind),
            Served::No | Served::Unknown { .. } => gvk,
        };
        let mut kinds: Vec<Gvk> = listed.chain(targets.iter().map(Object::gvk)).map(now).collect();
        kinds.sort();
        kinds.dedup();
        kinds
    }
}
