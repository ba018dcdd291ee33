//! What was deployed when, and going back to it [F1.11, F3.11].

use pintle_model::Time;
use pintle_model::application::{
    Application, Operation, OperationState, RevisionHistory, SyncOperation, SyncStrategy, SyncStrategyApply,
};

/// Returns the history after an operation ended, or `None` if the operation is not one that is recorded: it must have succeeded, really
/// written, and covered the whole application.
pub fn recorded(app: &Application, state: &OperationState, deployed_at: Time) -> Option<Vec<RevisionHistory>> {
    let sync = state.operation.sync.as_ref()?;
    let result = state.sync_result.as_ref()?;
    if !state.phase.is_successful() || sync.dry_run || !sync.resources.is_empty() {
        return None;
    }
    let mut history = app.status.history.clone();
    history.push(RevisionHistory {
        id: app.status.next_history_id(),
        revision: result.revision.clone(),
        revisions: result.revisions.clone(),
        source: result.source.clone(),
        sources: result.sources.clone(),
        deploy_started_at: state.started_at,
        deployed_at: Some(deployed_at),
        initiated_by: state.operation.initiated_by.clone(),
        ..RevisionHistory::default()
    });
    let limit = app.spec.history_limit();
    let surplus = history.len().saturating_sub(limit);
    history.drain(..surplus);
    Some(history)
}

/// Why a rollback cannot start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RollbackError {
    /// Automated sync would undo it at once.
    #[error("rollback cannot be initiated when auto-sync is enabled")]
    AutomatedSync,
    /// There is no such entry.
    #[error("application {app} does not have deployment id {id} in history; see `pintle app history {app}`")]
    NoSuchEntry {
        /// Name of the application.
        app: String,
        /// Id asked for.
        id: i64,
    },
    /// Nothing was deployed before the current entry.
    #[error("application {app} has no earlier deployment to go back to")]
    NothingEarlier {
        /// Name of the application.
        app: String,
    },
}

/// Returns the operation that deploys a history entry again; `id` `None` means the entry before the last one.
pub fn rollback(app: &Application, id: Option<i64>, prune: bool, dry_run: bool) -> Result<Operation, RollbackError> {
    if app.spec.automated().is_some() {
        return Err(RollbackError::AutomatedSync);
    }
    let name = || app.metadata.name.clone();
    let history = &app.status.history;
    let entry = match id {
        Some(id) => history
            .iter()
            .find(|h| h.id == id)
            .ok_or_else(|| RollbackError::NoSuchEntry { app: name(), id })?,
        None => {
            let earlier = history.len().checked_sub(2).and_then(|i| history.get(i));
            earlier.ok_or_else(|| RollbackError::NothingEarlier { app: name() })?
        }
    };
    let single = entry.sources.is_empty();
    Ok(Operation {
        sync: Some(SyncOperation {
            revision: entry.revision.clone(),
            revisions: entry.revisions.clone(),
            source: single.then(|| entry.source.clone()),
            sources: entry.sources.clone(),
            prune,
            dry_run,
            sync_options: app
                .spec
                .sync_policy
                .as_ref()
                .map(|p| p.sync_options.clone())
                .unwrap_or_default(),
            // As the peer: hooks belong to going forward.
            sync_strategy: Some(SyncStrategy {
                apply: Some(SyncStrategyApply::default()),
                ..SyncStrategy::default()
            }),
            ..SyncOperation::default()
        }),
        ..Operation::default()
    })
}

#[cfg(test)]
mod tests {
    use pintle_model::application::{Automated, OperationPhase, Source, SyncPolicy, SyncResult};

    use super::*;

    fn succeeded(revision: &str) -> OperationState {
        OperationState {
            phase: OperationPhase::Succeeded,
            operation: Operation {
                sync: Some(SyncOperation::default()),
                ..Operation::default()
            },
            sync_result: Some(SyncResult {
                revision: revision.into(),
                source: Source {
                    repo_url: "u".into(),
                    ..Source::default()
                },
                ..SyncResult::default()
            }),
            ..OperationState::default()
        }
    }

    #[test]
    fn entries_are_numbered_on_and_old_ones_fall_out() {
        let now: Time = "2026-01-01T00:00:00Z".parse().unwrap();
        let mut app = Application::default();
        app.spec.revision_history_limit = Some(2);
        for revision in ["a", "b", "c"] {
            app.status.history = recorded(&app, &succeeded(revision), now).unwrap();
        }
        let ids: Vec<(i64, &str)> = app.status.history.iter().map(|h| (h.id, h.revision.as_str())).collect();
        assert_eq!(ids, [(1, "b"), (2, "c")]);

        let back = rollback(&app, None, false, false).unwrap().sync.unwrap();
        assert_eq!(
            (back.revision.as_str(), back.source.unwrap().repo_url.as_str()),
            ("b", "u")
        );
        assert_eq!(
            rollback(&app, Some(7), false, false),
            Err(RollbackError::NoSuchEntry {
                app: String::new(),
                id: 7
            })
        );
        app.spec.sync_policy = Some(SyncPolicy {
            automated: Some(Automated::default()),
            ..SyncPolicy::default()
        });
        assert_eq!(rollback(&app, None, false, false), Err(RollbackError::AutomatedSync));
    }

    #[test]
    fn partial_dry_and_failed_ones_are_not_recorded() {
        let now: Time = "2026-01-01T00:00:00Z".parse().unwrap();
        let app = Application::default();
        let mut dry = succeeded("a");
        dry.operation.sync.as_mut().unwrap().dry_run = true;
        assert!(recorded(&app, &dry, now).is_none());
        let mut partial = succeeded("a");
        partial
            .operation
            .sync
            .as_mut()
            .unwrap()
            .resources
            .push(Default::default());
        assert!(recorded(&app, &partial, now).is_none());
        let mut failed = succeeded("a");
        failed.phase = OperationPhase::Failed;
        assert!(recorded(&app, &failed, now).is_none());
    }
}
