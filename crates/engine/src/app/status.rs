//! What an Application's status should say, and the one patch that makes it say so.

use jiff::Timestamp;
use pintle_merge::json_merge;
use pintle_model::application::{
    Application, ApplicationSummary, ComparedTo, ConditionType, OperationPhase, OperationState, ResourceHealthSource,
    ResourceStatus, RevisionHistory, SourceType, SyncStatus, SyncStatusCode,
};
use pintle_model::{Value, annotation};

use super::compare::{Comparison, health_status, unknown_health};
use super::condition::Conditions;
use crate::health::Health;

/// The condition types that an assessment decides; others on the Application are someone else's.
const EVALUATED: [ConditionType; 9] = [
    ConditionType::InvalidSpecError,
    ConditionType::ComparisonError,
    ConditionType::SyncError,
    ConditionType::UnknownError,
    ConditionType::SharedResourceWarning,
    ConditionType::RepeatedResourceWarning,
    ConditionType::ExcludedResourceWarning,
    ConditionType::OrphanedResourceWarning,
    ConditionType::SourceWarning,
];

/// What is known of an Application at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    /// The verdict.
    pub sync: SyncStatusCode,
    /// One resolved revision per source; empty where none could be resolved.
    pub revisions: Vec<String>,
    /// Health of the whole.
    pub health: Health,
    /// Per object; `None` keeps what the status says, because nothing newer is known.
    pub resources: Option<Vec<ResourceStatus>>,
    /// Images and the like; `None` keeps what the status says.
    pub summary: Option<ApplicationSummary>,
    /// How each source is rendered; empty keeps what the status says.
    pub source_types: Vec<SourceType>,
    /// Everything found.
    pub conditions: Conditions,
}

impl Assessment {
    /// What follows from a comparison.
    pub fn compared(comparison: &Comparison, revisions: Vec<String>, source_types: Vec<SourceType>) -> Self {
        Self {
            sync: comparison.sync.clone(),
            revisions,
            health: comparison.health.clone(),
            resources: Some(comparison.resources.clone()),
            summary: Some(comparison.summary.clone()),
            source_types,
            conditions: comparison.conditions.clone(),
        }
    }

    /// What follows when desired or live state is not known: nothing is withdrawn, nothing is trusted.
    pub fn unknown(app: &Application, conditions: Conditions) -> Self {
        let old = &app.status.health;
        let health = if old.status.is_unset() {
            unknown_health("")
        } else {
            kept(old)
        };
        Self {
            sync: SyncStatusCode::Unknown,
            revisions: Vec::new(),
            health,
            resources: None,
            summary: None,
            source_types: Vec::new(),
            conditions,
        }
    }
}

/// The health a status already shows.
fn kept(old: &pintle_model::application::HealthStatus) -> Health {
    use crate::health::HealthCode;
    use pintle_model::application::HealthStatusCode as Code;
    let code = match old.status {
        Code::Healthy => HealthCode::Healthy,
        Code::Suspended => HealthCode::Suspended,
        Code::Progressing => HealthCode::Progressing,
        Code::Missing => HealthCode::Missing,
        Code::Degraded => HealthCode::Degraded,
        _ => HealthCode::Unknown,
    };
    Health::new(code, old.message.as_str())
}

/// What the operation part of an Application becomes.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OperationPart {
    /// `.operation` after the write.
    pub operation: Option<pintle_model::application::Operation>,
    /// `.status.operationState` after the write.
    pub state: Option<OperationState>,
    /// The history, where an entry was added.
    pub history: Option<Vec<RevisionHistory>>,
}

/// The Application as it should be written. `reconciledAt` moves only together with something else.
pub fn next(
    app: &Application,
    assessment: &Assessment,
    operation: OperationPart,
    control_namespace: &str,
    now: Timestamp,
) -> Application {
    let mut next = app.clone();
    let status = &mut next.status;
    let keep_revisions = assessment.revisions.is_empty();
    let multiple = app.spec.has_multiple_sources();
    let old = &app.status.sync;
    status.sync = SyncStatus {
        status: assessment.sync.clone(),
        compared_to: compared_to(app),
        revision: match (keep_revisions, multiple) {
            (true, _) => old.revision.clone(),
            (false, true) => String::new(),
            (false, false) => assessment.revisions.first().cloned().unwrap_or_default(),
        },
        revisions: match (keep_revisions, multiple) {
            (true, _) => old.revisions.clone(),
            (false, true) => assessment.revisions.clone(),
            (false, false) => Vec::new(),
        },
        unknown: old.unknown.clone(),
    };
    status.health = health_status(&app.status.health, &assessment.health, now.into());
    if let Some(resources) = &assessment.resources {
        status.resources = resources.clone();
    }
    if let Some(summary) = &assessment.summary {
        status.summary = summary.clone();
    }
    if !assessment.source_types.is_empty() {
        status.source_type = if multiple {
            SourceType::Unset
        } else {
            assessment.source_types.first().cloned().unwrap_or_default()
        };
        status.source_types = if multiple {
            assessment.source_types.clone()
        } else {
            Vec::new()
        };
    }
    status.conditions = assessment
        .conditions
        .clone()
        .merge_into(&app.status.conditions, &EVALUATED, now.into());
    status.controller_namespace = control_namespace.to_owned();
    status.resource_health_source = ResourceHealthSource::AppTree;
    status.operation_state = operation.state;
    if let Some(history) = operation.history {
        status.history = history;
    }
    next.operation = operation.operation;
    next.metadata.annotations.remove(annotation::REFRESH);
    next.metadata.annotations.remove(annotation::REFRESH_TIMESTAMP);
    if next != *app {
        next.status.reconciled_at = Some(now.into());
    }
    next
}

fn compared_to(app: &Application) -> ComparedTo {
    let multiple = app.spec.has_multiple_sources();
    ComparedTo {
        source: if multiple {
            Default::default()
        } else {
            app.spec.effective_sources().into_iter().next().unwrap_or_default()
        },
        sources: if multiple { app.spec.sources.clone() } else { Vec::new() },
        destination: app.spec.destination.clone(),
        ignore_differences: app.spec.ignore_differences.clone(),
        ..ComparedTo::default()
    }
}

/// How soon a difference has to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Nothing differs.
    None,
    /// Only `status.sync.revision` or the summary moved: a commit that changed nothing here. Written after all real work.
    Later,
    /// How far a running operation is. Many of these come in a row, and one write says them all.
    Soon,
    /// Something a person or a program waits for.
    Now,
}

/// Whether and how soon `next` has to be written over `old`.
pub fn urgency(old: &Application, next: &Application) -> Urgency {
    if old == next {
        return Urgency::None;
    }
    let mut same = next.clone();
    same.status.sync.revision.clone_from(&old.status.sync.revision);
    same.status.sync.revisions.clone_from(&old.status.sync.revisions);
    same.status.summary.clone_from(&old.status.summary);
    same.status.reconciled_at = old.status.reconciled_at;
    if same == *old {
        return Urgency::Later;
    }
    let (Some(before), Some(after)) = (&old.status.operation_state, &mut same.status.operation_state) else {
        return Urgency::Now;
    };
    let (Some(done), Some(now_done)) = (&before.sync_result, &mut after.sync_result) else {
        return Urgency::Now;
    };
    if before.phase != OperationPhase::Running {
        return Urgency::Now;
    }
    now_done.resources.clone_from(&done.resources);
    after.message.clone_from(&before.message);
    same.status.resources.clone_from(&old.status.resources);
    same.status.health.clone_from(&old.status.health);
    same.status.sync.status.clone_from(&old.status.sync.status);
    if same == *old { Urgency::Soon } else { Urgency::Now }
}

/// The JSON merge patch from `old` to `next`, both as the typed resource writes them; `None` if they are equal.
///
/// What is taken away is `null` in the patch, so that `operationState` and its kin are replaced whole and nothing stale stays (safety.md, R4).
pub fn patch(old: &Application, next: &Application) -> Option<Value> {
    let (old, next) = (old.to_object().into_value(), next.to_object().into_value());
    let patch = json_merge::diff(&old, &next).ok()?;
    (!patch.is_empty()).then_some(patch)
}

#[cfg(test)]
mod tests {
    use pintle_model::application::{ResourceResult, SyncResult};
    use pintle_model::to_json_string;

    use super::*;
    use crate::health::HealthCode;

    fn healthy(revision: &str) -> Assessment {
        Assessment {
            sync: SyncStatusCode::Synced,
            revisions: vec![revision.into()],
            health: Health::new(HealthCode::Healthy, ""),
            resources: Some(vec![]),
            summary: Some(ApplicationSummary::default()),
            source_types: vec![SourceType::Directory],
            conditions: Conditions::default(),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn nothing_new_is_nothing_written_and_a_revision_alone_can_wait() {
        let app = Application::default();
        let first = next(&app, &healthy("a"), OperationPart::default(), "argocd", at(1));
        assert_eq!(urgency(&app, &first), Urgency::Now);
        let again = next(&first, &healthy("a"), OperationPart::default(), "argocd", at(2));
        assert_eq!(urgency(&first, &again), Urgency::None);
        assert!(patch(&first, &again).is_none());
        let moved = next(&first, &healthy("b"), OperationPart::default(), "argocd", at(3));
        assert_eq!(urgency(&first, &moved), Urgency::Later);
        let mut images = first.clone();
        images.status.summary.images.push("shop:1.5".into());
        assert_eq!(urgency(&first, &images), Urgency::Later);
        let text = to_json_string(&patch(&first, &moved).unwrap());
        assert_eq!(
            text,
            r#"{"status":{"reconciledAt":"1970-01-01T00:00:03Z","sync":{"revision":"b"}}}"#
        );
    }

    #[test]
    fn how_far_an_operation_is_may_wait_a_moment_and_its_start_and_end_may_not() {
        let mut start = Application::default();
        start.status.operation_state = Some(OperationState {
            phase: OperationPhase::Running,
            sync_result: Some(SyncResult::default()),
            ..OperationState::default()
        });
        assert_eq!(urgency(&Application::default(), &start), Urgency::Now);
        let with = |change: fn(&mut OperationState)| {
            let mut next = start.clone();
            change(next.status.operation_state.as_mut().unwrap());
            urgency(&start, &next)
        };
        assert_eq!(with(|s| s.message = "waiting".into()), Urgency::Soon);
        let applied = |s: &mut OperationState| {
            s.sync_result
                .as_mut()
                .unwrap()
                .resources
                .push(ResourceResult::default())
        };
        assert_eq!(with(applied), Urgency::Soon);
        assert_eq!(with(|s| s.phase = OperationPhase::Succeeded), Urgency::Now);
        assert_eq!(with(|s| s.retry_count = 1), Urgency::Now);
        assert_eq!(
            with(|s| s.sync_result.as_mut().unwrap().revision = "a".into()),
            Urgency::Now
        );
    }

    #[test]
    fn an_ended_operation_leaves_nothing_behind() {
        let mut app = Application {
            operation: Some(Default::default()),
            ..Application::default()
        };
        app.status.operation_state = Some(OperationState {
            message: "old".into(),
            retry_count: 3,
            finished_at: Some(at(5).into()),
            ..OperationState::default()
        });
        let state = OperationState {
            message: "new".into(),
            ..OperationState::default()
        };
        let part = OperationPart {
            operation: None,
            state: Some(state),
            history: None,
        };
        let done = next(&app, &healthy("a"), part, "argocd", at(6));
        let text = to_json_string(&patch(&app, &done).unwrap());
        assert!(
            text.contains(r#""operationState":{"finishedAt":null,"message":"new","retryCount":null}"#),
            "{text}"
        );
    }
}
