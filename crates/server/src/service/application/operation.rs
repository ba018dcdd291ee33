//! Starting and stopping operations.

use pintle_engine::app::history;
use pintle_model::annotation;
use pintle_model::application::{Application, Initiator, Operation, OperationPhase, SyncOperation, SyncStrategy};

use crate::api::{AppRef, RollbackRequest, SyncRequest};
use crate::core::Core;
use crate::error::ApiError;

impl Core {
    pub(super) async fn start_sync(&self, request: SyncRequest) -> Result<Application, ApiError> {
        let mut what = String::new();
        let started = self
            .start(&request.app, |app| {
                let operation = sync_operation(app, &request)?;
                what = initiated(&operation);
                Ok(operation)
            })
            .await?;
        self.audit(&started.to_object(), "OperationStarted", &what).await;
        Ok(started)
    }

    pub(super) async fn start_rollback(&self, request: RollbackRequest) -> Result<Application, ApiError> {
        let mut what = String::new();
        let started = self
            .start(&request.app, |app| {
                let operation = history::rollback(app, request.id, request.prune, request.dry_run).map_err(refusal)?;
                let revision = operation.sync.as_ref().map(|s| s.revision.clone()).unwrap_or_default();
                what = format!("initiated rollback to {revision}");
                Ok(operation)
            })
            .await?;
        self.audit(&started.to_object(), "OperationStarted", &what).await;
        Ok(started)
    }

    pub(super) async fn terminate(&self, app: AppRef) -> Result<(), ApiError> {
        let stopped = self
            .update_app(&app, |app| match &mut app.status.operation_state {
                Some(state) if app.operation.is_some() && !state.phase.is_completed() => {
                    state.phase = OperationPhase::Terminating;
                    Ok(())
                }
                _ => Err(ApiError::invalid(
                    "Unable to terminate operation. No operation is in progress",
                )),
            })
            .await?;
        self.audit(
            &stopped.to_object(),
            "OperationTerminated",
            "terminated running operation",
        )
        .await;
        Ok(())
    }

    /// Writes an operation where there is none, and clears what the last one left in the same write [F1.4].
    async fn start(
        &self,
        app: &AppRef,
        mut operation: impl FnMut(&Application) -> Result<Operation, ApiError> + Send,
    ) -> Result<Application, ApiError> {
        let username = self.config.username.clone();
        self.update_app(app, |app| {
            if app.metadata.deletion_timestamp.is_some() {
                return Err(ApiError::precondition("application is deleting"));
            }
            if app.operation.is_some() {
                return Err(
                    ApiError::precondition("another operation is already in progress").with_hint(format!(
                        "`app wait {0} --operation` waits for it; `app terminate-op {0}` stops it",
                        app.metadata.name
                    )),
                );
            }
            let mut operation = operation(app)?;
            operation.initiated_by = Initiator {
                username: username.clone(),
                ..Initiator::default()
            };
            app.operation = Some(operation);
            app.status.operation_state = None;
            Ok(())
        })
        .await
    }
}

fn refusal(error: history::RollbackError) -> ApiError {
    use history::RollbackError;
    let message = error.to_string();
    match error {
        RollbackError::AutomatedSync => {
            ApiError::precondition(message).with_hint("switch it off first: `app set NAME --sync-policy none`")
        }
        RollbackError::NoSuchEntry { .. } | RollbackError::NothingEarlier { .. } => ApiError::invalid(message),
    }
}

/// What a request asks the controller for.
fn sync_operation(app: &Application, request: &SyncRequest) -> Result<Operation, ApiError> {
    let spec = &app.spec;
    let sources = spec.effective_sources();
    let policy = spec.sync_policy.as_ref();
    let mut sync = SyncOperation {
        revision: request.revision.clone(),
        prune: request.prune,
        dry_run: request.dry_run,
        sync_strategy: request.strategy.clone().filter(|s| *s != SyncStrategy::default()),
        resources: request.resources.clone(),
        manifests: request.manifests.clone(),
        sync_options: match &request.sync_options {
            Some(options) => options.clone(),
            None => policy.map(|p| p.sync_options.clone()).unwrap_or_default(),
        },
        ..SyncOperation::default()
    };
    if !request.manifests.is_empty() && spec.automated().is_some() && !request.dry_run {
        return Err(ApiError::precondition(
            "cannot use local sync when Automatic Sync Policy is enabled unless for dry run",
        ));
    }
    if spec.has_multiple_sources() {
        sync.revision.clear();
        sync.revisions = positioned(&request.revisions, &request.source_positions, sources.len())?;
    } else if !request.revisions.is_empty() {
        return Err(ApiError::invalid(format!(
            "application {:?} has one source; use --revision",
            app.metadata.name
        )));
    }
    let other = |wanted: &str, target: &str| !wanted.is_empty() && wanted != target;
    if spec.automated().is_some() && !request.dry_run {
        for (index, source) in sources.iter().enumerate() {
            let wanted = sync.revisions.get(index).map_or(sync.revision.as_str(), String::as_str);
            let target = source.revision_or_head();
            let is_ref_name_of_head = source.target_revision.is_empty() && wanted == "HEAD";
            if other(wanted, target) && other(wanted, &source.target_revision) && !is_ref_name_of_head {
                return Err(ApiError::precondition(format!(
                    "Cannot sync to {wanted}: auto-sync currently set to {target}"
                ))
                .with_hint(format!(
                    "`app set {} --sync-policy none` switches auto-sync off",
                    app.metadata.name
                )));
            }
        }
    }
    Ok(Operation {
        sync: Some(sync),
        info: request.infos.clone(),
        retry: request
            .retry
            .clone()
            .or_else(|| policy.and_then(|p| p.retry.clone()))
            .unwrap_or_default(),
        ..Operation::default()
    })
}

/// One revision for each source; empty ones mean the spec's target.
fn positioned(revisions: &[String], positions: &[i64], sources: usize) -> Result<Vec<String>, ApiError> {
    if revisions.is_empty() {
        return Ok(Vec::new());
    }
    if revisions.len() != positions.len() {
        return Err(ApiError::invalid(
            "each revision needs the position of its source, and the other way round",
        ));
    }
    let mut all = vec![String::new(); sources];
    for (revision, position) in revisions.iter().zip(positions) {
        let place = usize::try_from(*position)
            .ok()
            .and_then(|p| p.checked_sub(1))
            .and_then(|p| all.get_mut(p));
        match place {
            Some(place) => place.clone_from(revision),
            None => {
                return Err(ApiError::invalid(format!(
                    "there is no source {position}; positions go from 1 to {sources}"
                )));
            }
        }
    }
    Ok(all)
}

fn initiated(operation: &Operation) -> String {
    let Some(sync) = &operation.sync else {
        return "initiated operation".into();
    };
    let what = if sync.resources.is_empty() {
        "sync"
    } else {
        "partial sync"
    };
    let revision = if !sync.revisions.is_empty() {
        sync.revisions.join(", ")
    } else if sync.revision.is_empty() {
        "the target revision".into()
    } else {
        sync.revision.clone()
    };
    let dry = if sync.dry_run { " (dry run)" } else { "" };
    format!("initiated {what} to {revision}{dry}")
}

/// Finalizers that make deletion cascade [F1.18].
pub(super) const CASCADE_FINALIZERS: [&str; 3] = [
    annotation::FINALIZER,
    annotation::FINALIZER_FOREGROUND,
    annotation::FINALIZER_BACKGROUND,
];
