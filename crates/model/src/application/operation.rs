//! Operations: what was asked for, and how far it is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::source::Source;
use super::spec::{Info, ManagedNamespaceMetadata, RetryStrategy};
use crate::open_enum::open_enum;
use crate::time::Time;
use crate::unknown::{Unknown, is_default};

/// One thing asked of the controller, written to the top-level field `operation` [F1.4].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Operation {
    /// A sync.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync: Option<SyncOperation>,
    /// Who asked.
    #[serde(skip_serializing_if = "is_default")]
    pub initiated_by: Initiator,
    /// Notes for people.
    #[serde(skip_serializing_if = "is_default")]
    pub info: Vec<Info>,
    /// How a failure is tried again.
    #[serde(skip_serializing_if = "is_default")]
    pub retry: RetryStrategy,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// Who asked for an operation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Initiator {
    /// Name of the person or account; empty for the controller itself.
    #[serde(skip_serializing_if = "is_default")]
    pub username: String,
    /// Whether automated sync asked.
    #[serde(skip_serializing_if = "is_default")]
    pub automated: bool,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// What to sync.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SyncOperation {
    /// Revision to sync to; empty means the spec's target.
    #[serde(skip_serializing_if = "is_default")]
    pub revision: String,
    /// Whether objects that left the source are deleted.
    #[serde(skip_serializing_if = "is_default")]
    pub prune: bool,
    /// Whether nothing is written.
    #[serde(skip_serializing_if = "is_default")]
    pub dry_run: bool,
    /// How objects are applied; absent means with hooks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_strategy: Option<SyncStrategy>,
    /// Sync only these; empty means all.
    #[serde(skip_serializing_if = "is_default")]
    pub resources: Vec<SyncResource>,
    /// Source to use instead of the spec's, as a rollback does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// Manifests to use instead of the source's, as JSON or YAML texts.
    #[serde(skip_serializing_if = "is_default")]
    pub manifests: Vec<String>,
    /// Options that replace the spec's for this operation.
    #[serde(skip_serializing_if = "is_default")]
    pub sync_options: Vec<String>,
    /// Sources to use instead of the spec's.
    #[serde(skip_serializing_if = "is_default")]
    pub sources: Vec<Source>,
    /// Revisions to sync to, one for each source.
    #[serde(skip_serializing_if = "is_default")]
    pub revisions: Vec<String>,
    /// How many times self-heal tried already.
    #[serde(skip_serializing_if = "is_default")]
    pub auto_heal_attempts_count: i64,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// One object a partial sync selects.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["kind", "name"]))]
pub struct SyncResource {
    /// API group.
    #[serde(skip_serializing_if = "is_default")]
    pub group: String,
    /// Kind.
    pub kind: String,
    /// Name.
    pub name: String,
    /// Namespace; empty means any.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// How objects are applied: plainly, or with hooks (the default where both are absent).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SyncStrategy {
    /// Apply without hooks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apply: Option<SyncStrategyApply>,
    /// Apply with hooks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook: Option<SyncStrategyHook>,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

impl SyncStrategy {
    /// Whether objects that cannot be changed are deleted and made again.
    pub fn force(&self) -> bool {
        self.apply.as_ref().is_some_and(|s| s.force) || self.hook.as_ref().is_some_and(|s| s.force)
    }

    /// Whether hooks are left out.
    pub fn skips_hooks(&self) -> bool {
        self.apply.is_some()
    }
}

/// Apply without hooks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SyncStrategyApply {
    /// Whether objects that cannot be changed are deleted and made again.
    #[serde(skip_serializing_if = "is_default")]
    pub force: bool,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// Apply with hooks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SyncStrategyHook {
    /// Whether objects that cannot be changed are deleted and made again.
    #[serde(skip_serializing_if = "is_default")]
    pub force: bool,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

open_enum! {
    /// How far an operation, or a hook, is [F1.4].
    OperationPhase {
        /// Going on.
        Running = "Running",
        /// Asked to stop.
        Terminating = "Terminating",
        /// Ended: something it applied failed.
        Failed = "Failed",
        /// Ended: it could not be carried out.
        Error = "Error",
        /// Ended well.
        Succeeded = "Succeeded",
    }
}

impl OperationPhase {
    /// Whether the operation has ended, well or not.
    pub fn is_completed(&self) -> bool {
        matches!(self, Self::Failed | Self::Error | Self::Succeeded)
    }

    /// Whether the operation has ended well.
    pub fn is_successful(&self) -> bool {
        *self == Self::Succeeded
    }

    /// Whether the operation has ended, but not well.
    pub fn is_failed(&self) -> bool {
        matches!(self, Self::Failed | Self::Error)
    }
}

/// The last operation and how far it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["operation", "phase", "startedAt"]))]
pub struct OperationState {
    /// What was asked for.
    pub operation: Operation,
    /// How far it is.
    pub phase: OperationPhase,
    /// In words.
    #[serde(skip_serializing_if = "is_default")]
    pub message: String,
    /// What came of it, object by object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_result: Option<SyncResult>,
    /// When it began; retries do not reset it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Time>,
    /// How many times it was tried again.
    #[serde(skip_serializing_if = "is_default")]
    pub retry_count: i64,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// What a sync did, object by object.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["revision"]))]
pub struct SyncResult {
    /// One entry for each object and hook.
    #[serde(skip_serializing_if = "is_default")]
    pub resources: Vec<ResourceResult>,
    /// Revision that was synced to.
    pub revision: String,
    /// Source that was synced.
    #[serde(skip_serializing_if = "is_default")]
    pub source: Source,
    /// Sources that were synced.
    #[serde(skip_serializing_if = "is_default")]
    pub sources: Vec<Source>,
    /// Revisions that were synced to, one for each of `sources`.
    #[serde(skip_serializing_if = "is_default")]
    pub revisions: Vec<String>,
    /// Metadata the made namespace got.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_namespace_metadata: Option<ManagedNamespaceMetadata>,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// What a sync did with one object or hook.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["group", "version", "kind", "namespace", "name"]))]
pub struct ResourceResult {
    /// API group.
    pub group: String,
    /// API version.
    pub version: String,
    /// Kind.
    pub kind: String,
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// What came of it; unset while a hook runs.
    #[serde(skip_serializing_if = "is_default")]
    pub status: ResultCode,
    /// In words.
    #[serde(skip_serializing_if = "is_default")]
    pub message: String,
    /// Which kind of hook it is; unset for plain objects.
    #[serde(skip_serializing_if = "is_default")]
    pub hook_type: HookType,
    /// How far the hook is, or the object on its way to health.
    #[serde(skip_serializing_if = "is_default")]
    pub hook_phase: OperationPhase,
    /// In which phase it is applied.
    #[serde(skip_serializing_if = "is_default")]
    pub sync_phase: SyncPhase,
    /// Images the object runs.
    #[serde(skip_serializing_if = "is_default")]
    pub images: Vec<String>,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

open_enum! {
    /// What came of one object in a sync [F1.15].
    ResultCode {
        /// Applied.
        Synced = "Synced",
        /// Not applied.
        SyncFailed = "SyncFailed",
        /// Deleted.
        Pruned = "Pruned",
        /// Not in the source, and left alone.
        PruneSkipped = "PruneSkipped",
    }
}

open_enum! {
    /// When a hook runs [F1.15].
    HookType {
        /// Before anything is applied.
        PreSync = "PreSync",
        /// With the plain objects.
        Sync = "Sync",
        /// After everything is healthy.
        PostSync = "PostSync",
        /// Never; the object is not applied.
        Skip = "Skip",
        /// After a sync failed.
        SyncFail = "SyncFail",
        /// Before the Application's objects are deleted.
        PreDelete = "PreDelete",
        /// After the Application's objects are deleted.
        PostDelete = "PostDelete",
    }
}

open_enum! {
    /// A phase of a sync, in the order they run [F1.15].
    SyncPhase {
        /// Before anything is applied.
        PreSync = "PreSync",
        /// Plain objects and `Sync` hooks.
        Sync = "Sync",
        /// After everything is healthy.
        PostSync = "PostSync",
        /// After a phase failed.
        SyncFail = "SyncFail",
    }
}
