//! Whether to sync by itself, and if not, why not [F3.32, F3.33].

use std::fmt;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use pintle_model::ResourceKey;
use pintle_model::application::{
    Application, Initiator, Operation, OperationPhase, ResourceStatus, RetryStrategy, SyncOperation, SyncResource,
    SyncStatusCode,
};

use super::fail_closed::NotActedOn;
use crate::sync::retry::SelfHealBackoff;

/// Retries of an automated sync whose Application names none [F1.7].
const DEFAULT_RETRY_LIMIT: i64 = 5;

/// What automated sync does next.
#[derive(Clone, Debug, PartialEq)]
pub enum AutoSync {
    /// Start this operation.
    Start(Box<Operation>),
    /// Do nothing.
    No(NotSynced),
}

/// Why an application is not synced by itself. UI, log, status and tests print this same value.
#[derive(Clone, Debug, PartialEq)]
pub enum NotSynced {
    /// `spec.syncPolicy.automated` is absent or `enabled: false`: a person decides.
    Manual,
    /// An operation is asked for or under way.
    OperationInProgress,
    /// The application is being deleted.
    Deleting,
    /// Nothing differs.
    InSync,
    /// Desired or live state is not known, so nothing may follow from it.
    Unknown,
    /// All that is left is pruning, and automated pruning is off.
    OnlyPruningLeft,
    /// This revision was tried and failed.
    AlreadyFailed {
        /// The revisions, as tried.
        revisions: String,
        /// Message of the failed operation.
        message: String,
    },
    /// This revision was synced; drift since then is left alone because self-heal is off.
    SelfHealOff,
    /// Drift is healed again, but not before this time.
    SelfHealBackoff {
        /// When.
        until: Timestamp,
    },
    /// Every object of the application would be pruned (I-2).
    WouldWipeOut {
        /// The revisions that hold nothing.
        revisions: String,
    },
    /// Another application has objects that this one wants too (I-17).
    Shared(Vec<String>),
    /// The application uses fields that this version does not act on and that could change what is written.
    NotActedOn(Vec<NotActedOn>),
}

impl NotSynced {
    /// The text of the `SyncError` condition this sets, if it is something a person must know.
    pub fn condition(&self) -> Option<String> {
        match self {
            Self::AlreadyFailed { .. } | Self::WouldWipeOut { .. } | Self::NotActedOn(_) | Self::Shared(_) => {
                Some(self.to_string())
            }
            _ => None,
        }
    }

    /// When to look again, if time alone can change the answer.
    pub fn wake_at(&self) -> Option<Timestamp> {
        if let Self::SelfHealBackoff { until } = self {
            Some(*until)
        } else {
            None
        }
    }
}

impl fmt::Display for NotSynced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manual => f.write_str("automated sync is off; a person starts the sync"),
            Self::OperationInProgress => f.write_str("another operation is in progress"),
            Self::Deleting => f.write_str("the application is being deleted"),
            Self::InSync => f.write_str("nothing differs"),
            Self::Unknown => f.write_str("desired or live state is unknown; see the conditions"),
            Self::OnlyPruningLeft => f.write_str("only pruning is left, and automated pruning is off"),
            // These two are the peer's texts, word for word.
            Self::AlreadyFailed { revisions, message } => {
                write!(f, "Failed last sync attempt to [{revisions}]: {message}")
            }
            Self::WouldWipeOut { revisions } => {
                write!(
                    f,
                    "Skipping sync attempt to [{revisions}]: auto-sync will wipe out all resources"
                )
            }
            Self::Shared(objects) => write!(
                f,
                "automated sync is off while another application has {}; remove it from one of them, or sync by hand to take it over",
                objects.join(", ")
            ),
            Self::SelfHealOff => f.write_str("this revision was synced already, and self-heal is off"),
            Self::SelfHealBackoff { until } => write!(f, "healed a moment ago; healing again not before {until:.0}"),
            Self::NotActedOn(fields) => {
                f.write_str("automated sync is off for this application: ")?;
                for (i, field) in fields.iter().enumerate() {
                    write!(f, "{}{field}", if i == 0 { "" } else { "; " })?;
                }
                Ok(())
            }
        }
    }
}

/// How fast drift is healed again (`controller.self.heal.*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelfHeal {
    /// Waits between attempts.
    pub backoff: SelfHealBackoff,
    /// An attempt this long after the last one counts as the first again; without it one bad week would slow healing for ever.
    pub cooldown: SignedDuration,
}

impl Default for SelfHeal {
    fn default() -> Self {
        Self {
            backoff: SelfHealBackoff::default(),
            cooldown: SignedDuration::from_secs(330),
        }
    }
}

/// What was found when desired and live state were compared.
#[derive(Clone, Copy, Debug)]
pub struct Compared<'a> {
    /// The verdict.
    pub status: &'a SyncStatusCode,
    /// One revision per source.
    pub revisions: &'a [String],
    /// Per object.
    pub resources: &'a [ResourceStatus],
    /// Whether the comparison ended without an error condition.
    pub trusted: bool,
    /// Objects that another application has.
    pub shared: &'a [(ResourceKey, Arc<str>)],
}

/// Decides whether to start an automated sync.
pub fn auto_sync(
    app: &Application,
    compared: Compared<'_>,
    not_acted_on: &[NotActedOn],
    heal: SelfHeal,
    now: Timestamp,
) -> AutoSync {
    match blocked(app, compared, not_acted_on) {
        Some(why) => AutoSync::No(why),
        None => start(app, compared, heal, now),
    }
}

/// What forbids a sync before it is even asked which revision was tried.
fn blocked(app: &Application, compared: Compared<'_>, not_acted_on: &[NotActedOn]) -> Option<NotSynced> {
    let Some(automated) = app.spec.automated() else {
        return Some(NotSynced::Manual);
    };
    if app.is_operating() {
        return Some(NotSynced::OperationInProgress);
    }
    if app.metadata.is_deleting() {
        return Some(NotSynced::Deleting);
    }
    if !compared.trusted {
        return Some(NotSynced::Unknown);
    }
    match compared.status {
        SyncStatusCode::OutOfSync => {}
        SyncStatusCode::Synced => return Some(NotSynced::InSync),
        _ => return Some(NotSynced::Unknown),
    }
    if !not_acted_on.is_empty() {
        return Some(NotSynced::NotActedOn(not_acted_on.to_vec()));
    }
    if !compared.shared.is_empty() {
        let named = compared
            .shared
            .iter()
            .map(|(key, app)| format!("{key} (application {app})"));
        return Some(NotSynced::Shared(named.collect()));
    }
    let out_of_sync = || {
        compared
            .resources
            .iter()
            .filter(|r| r.status == SyncStatusCode::OutOfSync)
    };
    if !automated.prunes() && out_of_sync().all(|r| r.requires_pruning) {
        return Some(NotSynced::OnlyPruningLeft);
    }
    // Judged here for the reason it gives, and once more by the sync itself on the exact set (I-2).
    let owned = || compared.resources.iter().filter(|r| !r.hook);
    if automated.prunes()
        && !automated.allows_empty()
        && owned().next().is_some()
        && owned().all(|r| r.requires_pruning)
    {
        return Some(NotSynced::WouldWipeOut {
            revisions: compared.revisions.join(" "),
        });
    }
    None
}

fn start(app: &Application, compared: Compared<'_>, heal: SelfHeal, now: Timestamp) -> AutoSync {
    let mut sync = SyncOperation {
        prune: app.spec.automated().is_some_and(|a| a.prunes()),
        sync_options: app
            .spec
            .sync_policy
            .as_ref()
            .map(|p| p.sync_options.clone())
            .unwrap_or_default(),
        ..SyncOperation::default()
    };
    if app.spec.has_multiple_sources() {
        sync.revisions = compared.revisions.to_vec();
    } else {
        sync.revision = compared.revisions.first().cloned().unwrap_or_default();
    }
    if let Some(attempt) = last_attempt(app, compared.revisions) {
        if attempt.phase != OperationPhase::Succeeded {
            // Self-heal does not override this: a failing revision would be tried for ever.
            return AutoSync::No(NotSynced::AlreadyFailed {
                revisions: compared.revisions.join(" "),
                message: attempt.message.clone(),
            });
        }
        if !app.spec.automated().is_some_and(|a| a.self_heals()) {
            return AutoSync::No(NotSynced::SelfHealOff);
        }
        let finished = attempt.finished_at.map_or(Timestamp::UNIX_EPOCH, |t| t.timestamp());
        let quiet = now.duration_since(finished);
        let attempts = attempt
            .operation
            .sync
            .as_ref()
            .map_or(0, |s| s.auto_heal_attempts_count);
        let attempts = if quiet > heal.cooldown { 0 } else { attempts };
        let until = heal.backoff.next_at(attempts, finished);
        if now < until {
            return AutoSync::No(NotSynced::SelfHealBackoff { until });
        }
        sync.auto_heal_attempts_count = attempts.saturating_add(1);
        sync.resources = compared
            .resources
            .iter()
            .filter(|r| r.status == SyncStatusCode::OutOfSync)
            .map(|r| SyncResource {
                group: r.group.clone(),
                kind: r.kind.clone(),
                name: r.name.clone(),
                ..SyncResource::default()
            })
            .collect();
    }
    let retry = app.spec.sync_policy.as_ref().and_then(|p| p.retry.clone());
    AutoSync::Start(Box::new(Operation {
        sync: Some(sync),
        initiated_by: Initiator {
            automated: true,
            ..Initiator::default()
        },
        retry: retry.unwrap_or(RetryStrategy {
            limit: DEFAULT_RETRY_LIMIT,
            ..RetryStrategy::default()
        }),
        ..Operation::default()
    }))
}

/// The last operation, if it was a sync of the same revisions and the same sources.
fn last_attempt<'a>(
    app: &'a Application,
    revisions: &[String],
) -> Option<&'a pintle_model::application::OperationState> {
    let state = app.status.operation_state.as_ref()?;
    let result = state.sync_result.as_ref()?;
    let same = if app.spec.has_multiple_sources() {
        result.revisions == revisions && result.sources == app.spec.sources
    } else {
        revisions.first() == Some(&result.revision) && app.spec.source.as_ref() == Some(&result.source)
    };
    // A rollback pins a source of its own: what the spec asks for was then not tried.
    same.then_some(state)
}

#[cfg(test)]
mod tests {
    use pintle_model::application::{Automated, OperationState, Source, SyncPolicy, SyncResult};

    use super::*;

    const NOW: &str = "2026-01-01T00:10:00Z";

    fn app(automated: Automated) -> Application {
        let mut app = Application::default();
        app.spec.source = Some(Source {
            repo_url: "http://git/shop".into(),
            path: "dev".into(),
            ..Source::default()
        });
        app.spec.sync_policy = Some(SyncPolicy {
            automated: Some(automated),
            ..SyncPolicy::default()
        });
        app
    }

    fn attempted(
        mut app: Application,
        revision: &str,
        phase: OperationPhase,
        finished: &str,
        heals: i64,
    ) -> Application {
        app.status.operation_state = Some(OperationState {
            phase,
            message: "boom".into(),
            operation: Operation {
                sync: Some(SyncOperation {
                    auto_heal_attempts_count: heals,
                    ..SyncOperation::default()
                }),
                ..Operation::default()
            },
            sync_result: Some(SyncResult {
                revision: revision.into(),
                source: app.spec.source.clone().unwrap_or_default(),
                ..SyncResult::default()
            }),
            finished_at: finished.parse().ok(),
            ..OperationState::default()
        });
        app
    }

    fn resource(name: &str, status: SyncStatusCode, requires_pruning: bool) -> ResourceStatus {
        ResourceStatus {
            kind: "ConfigMap".into(),
            name: name.into(),
            status,
            requires_pruning,
            ..ResourceStatus::default()
        }
    }

    fn check(app: &Application, resources: &[ResourceStatus], expected: &str) {
        let compared = Compared {
            status: &SyncStatusCode::OutOfSync,
            revisions: &["abc".into()],
            resources,
            trusted: true,
            shared: &[],
        };
        let said = match auto_sync(app, compared, &[], SelfHeal::default(), NOW.parse().unwrap()) {
            AutoSync::Start(op) => {
                let sync = op.sync.unwrap();
                let only: Vec<&str> = sync.resources.iter().map(|r| r.name.as_str()).collect();
                format!(
                    "sync {} prune={} heal={} only={only:?} retry={}",
                    sync.revision, sync.prune, sync.auto_heal_attempts_count, op.retry.limit
                )
            }
            AutoSync::No(why) => why.to_string(),
        };
        assert_eq!(said, expected);
    }

    #[test]
    fn a_new_revision_is_synced_and_a_tried_one_is_not() {
        let on = Automated {
            prune: Some(true),
            ..Automated::default()
        };
        let drift = [
            resource("a", SyncStatusCode::OutOfSync, false),
            resource("b", SyncStatusCode::Synced, false),
        ];
        check(&app(on.clone()), &drift, "sync abc prune=true heal=0 only=[] retry=5");
        let failed = attempted(
            app(on.clone()),
            "abc",
            OperationPhase::Failed,
            "2026-01-01T00:09:00Z",
            0,
        );
        check(&failed, &drift, "Failed last sync attempt to [abc]: boom");
        let other = attempted(
            app(on.clone()),
            "old",
            OperationPhase::Failed,
            "2026-01-01T00:09:00Z",
            0,
        );
        check(&other, &drift, "sync abc prune=true heal=0 only=[] retry=5");
        let done = attempted(app(on), "abc", OperationPhase::Succeeded, "2026-01-01T00:09:00Z", 0);
        check(&done, &drift, "this revision was synced already, and self-heal is off");
    }

    #[test]
    fn drift_is_healed_at_once_and_then_slower() {
        let on = Automated {
            self_heal: Some(true),
            ..Automated::default()
        };
        let drift = [
            resource("a", SyncStatusCode::OutOfSync, false),
            resource("b", SyncStatusCode::Synced, false),
        ];
        let healed = |at: &str, n| attempted(app(on.clone()), "abc", OperationPhase::Succeeded, at, n);
        check(
            &healed("2026-01-01T00:09:59Z", 0),
            &drift,
            "sync abc prune=false heal=1 only=[\"a\"] retry=5",
        );
        check(
            &healed("2026-01-01T00:09:59Z", 1),
            &drift,
            "healed a moment ago; healing again not before 2026-01-01T00:10:01Z",
        );
        check(
            &healed("2026-01-01T00:09:57Z", 1),
            &drift,
            "sync abc prune=false heal=2 only=[\"a\"] retry=5",
        );
        check(
            &healed("2026-01-01T00:09:50Z", 9),
            &drift,
            "healed a moment ago; healing again not before 2026-01-01T00:14:50Z",
        );
        check(
            &healed("2026-01-01T00:00:00Z", 9),
            &drift,
            "sync abc prune=false heal=1 only=[\"a\"] retry=5",
        );
    }

    #[test]
    fn nothing_is_wiped_out_and_pruning_is_asked_for() {
        let gone = [resource("a", SyncStatusCode::OutOfSync, true)];
        let prune = Automated {
            prune: Some(true),
            ..Automated::default()
        };
        check(
            &app(Automated::default()),
            &gone,
            "only pruning is left, and automated pruning is off",
        );
        check(
            &app(prune.clone()),
            &gone,
            "Skipping sync attempt to [abc]: auto-sync will wipe out all resources",
        );
        let empty = Automated {
            allow_empty: Some(true),
            ..prune.clone()
        };
        check(&app(empty), &gone, "sync abc prune=true heal=0 only=[] retry=5");
        let one_left = [gone[0].clone(), resource("b", SyncStatusCode::Synced, false)];
        check(&app(prune), &one_left, "sync abc prune=true heal=0 only=[] retry=5");
    }

    #[test]
    fn off_means_off() {
        let off = Automated {
            enabled: Some(false),
            self_heal: Some(true),
            ..Automated::default()
        };
        check(&app(off), &[], "automated sync is off; a person starts the sync");
    }
}
