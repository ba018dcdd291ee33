//! What an Application is, as last observed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::operation::{Initiator, OperationState};
use super::source::{Source, SourceHydrator};
use super::spec::{Destination, IgnoreDifferences};
use crate::open_enum::open_enum;
use crate::time::Time;
use crate::unknown::{Unknown, is_default};

/// What an Application is, as last observed. Written with plain patches: there is no status subresource [F1.2].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ApplicationStatus {
    /// One entry for each managed object.
    #[serde(skip_serializing_if = "is_default")]
    pub resources: Vec<ResourceStatus>,
    /// How the cluster compares with the source.
    #[serde(skip_serializing_if = "is_default")]
    pub sync: SyncStatus,
    /// Health of the whole.
    #[serde(skip_serializing_if = "is_default")]
    pub health: HealthStatus,
    /// Completed syncs, oldest first [F1.11].
    #[serde(skip_serializing_if = "is_default")]
    pub history: Vec<RevisionHistory>,
    /// What is wrong, or odd.
    #[serde(skip_serializing_if = "is_default")]
    pub conditions: Vec<ApplicationCondition>,
    /// When it was last compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconciled_at: Option<Time>,
    /// The last operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_state: Option<OperationState>,
    /// Obsolete; kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_at: Option<Time>,
    /// What renders the source.
    #[serde(skip_serializing_if = "is_default")]
    pub source_type: SourceType,
    /// Images and URLs.
    #[serde(skip_serializing_if = "is_default")]
    pub summary: ApplicationSummary,
    /// Where the health of single objects is.
    #[serde(skip_serializing_if = "is_default")]
    pub resource_health_source: ResourceHealthSource,
    /// What renders the sources, one for each.
    #[serde(skip_serializing_if = "is_default")]
    pub source_types: Vec<SourceType>,
    /// Namespace of the controller that wrote this.
    #[serde(skip_serializing_if = "is_default")]
    pub controller_namespace: String,
    /// State of the hydrator.
    #[serde(skip_serializing_if = "is_default")]
    pub source_hydrator: SourceHydratorStatus,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

impl ApplicationStatus {
    /// The condition of one type.
    pub fn condition(&self, kind: &ConditionType) -> Option<&ApplicationCondition> {
        self.conditions.iter().find(|c| c.kind == *kind)
    }

    /// The id for the next history entry: the last one's plus one, 0 for the first [F1.11].
    pub fn next_history_id(&self) -> i64 {
        self.history.last().map_or(0, |last| last.id.saturating_add(1))
    }
}

open_enum! {
    /// Whether live objects are as the source says [F1.15].
    SyncStatusCode {
        /// Could not be compared.
        Unknown = "Unknown",
        /// They are.
        Synced = "Synced",
        /// They are not.
        OutOfSync = "OutOfSync",
    }
}

open_enum! {
    /// Health, in order from best to worst; `Unset` counts as best, a code this version does not know as worst [F1.15].
    HealthStatusCode {
        /// Works.
        Healthy = "Healthy",
        /// Paused on purpose.
        Suspended = "Suspended",
        /// On its way.
        Progressing = "Progressing",
        /// Not in the cluster.
        Missing = "Missing",
        /// Does not work.
        Degraded = "Degraded",
        /// Cannot be told.
        Unknown = "Unknown",
    }
}

impl HealthStatusCode {
    /// Whether this is worse than `other`.
    pub fn is_worse_than(&self, other: &Self) -> bool {
        self > other
    }

    /// The worse of two.
    pub fn worst(self, other: Self) -> Self {
        self.max(other)
    }
}

/// Health with a reason.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct HealthStatus {
    /// The code; unset where health does not apply.
    #[serde(skip_serializing_if = "is_default")]
    pub status: HealthStatusCode,
    /// In words.
    #[serde(skip_serializing_if = "is_default")]
    pub message: String,
    /// When the code changed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<Time>,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// How the cluster compares with the source.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["status"]))]
pub struct SyncStatus {
    /// The code.
    pub status: SyncStatusCode,
    /// What was compared.
    #[serde(skip_serializing_if = "is_default")]
    pub compared_to: ComparedTo,
    /// Revision that was compared.
    #[serde(skip_serializing_if = "is_default")]
    pub revision: String,
    /// Revisions that were compared, one for each source.
    #[serde(skip_serializing_if = "is_default")]
    pub revisions: Vec<String>,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// What a comparison was made with; where the spec differs, the comparison is out of date [F1.12].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["destination"]))]
pub struct ComparedTo {
    /// The source.
    #[serde(skip_serializing_if = "is_default")]
    pub source: Source,
    /// The destination.
    pub destination: Destination,
    /// The sources.
    #[serde(skip_serializing_if = "is_default")]
    pub sources: Vec<Source>,
    /// Differences that did not count.
    #[serde(skip_serializing_if = "is_default")]
    pub ignore_differences: Vec<IgnoreDifferences>,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// One managed object [F1.12].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ResourceStatus {
    /// API group.
    #[serde(skip_serializing_if = "is_default")]
    pub group: String,
    /// API version.
    #[serde(skip_serializing_if = "is_default")]
    pub version: String,
    /// Kind.
    #[serde(skip_serializing_if = "is_default")]
    pub kind: String,
    /// Namespace.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    /// Name.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// How it compares; unset for hooks.
    #[serde(skip_serializing_if = "is_default")]
    pub status: SyncStatusCode,
    /// Its health, where persisted or inline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthStatus>,
    /// Whether it is a hook.
    #[serde(skip_serializing_if = "is_default")]
    pub hook: bool,
    /// Whether it left the source and waits for pruning.
    #[serde(skip_serializing_if = "is_default")]
    pub requires_pruning: bool,
    /// Its wave.
    #[serde(skip_serializing_if = "is_default")]
    pub sync_wave: i64,
    /// Whether its deletion waits for a person's confirmation.
    #[serde(skip_serializing_if = "is_default")]
    pub requires_deletion_confirmation: bool,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

impl ResourceStatus {
    /// The object's identity in its cluster.
    pub fn key(&self) -> crate::ResourceKey {
        crate::ResourceKey::new(&*self.group, &*self.kind, &*self.namespace, &*self.name)
    }
}

/// One completed sync [F1.11].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["deployedAt", "id"]))]
pub struct RevisionHistory {
    /// Revision that was synced to.
    #[serde(skip_serializing_if = "is_default")]
    pub revision: String,
    /// When it was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployed_at: Option<Time>,
    /// Number, for rollback.
    pub id: i64,
    /// Source that was synced.
    #[serde(skip_serializing_if = "is_default")]
    pub source: Source,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deploy_started_at: Option<Time>,
    /// Sources that were synced.
    #[serde(skip_serializing_if = "is_default")]
    pub sources: Vec<Source>,
    /// Revisions that were synced to, one for each of `sources`.
    #[serde(skip_serializing_if = "is_default")]
    pub revisions: Vec<String>,
    /// Who asked.
    #[serde(skip_serializing_if = "is_default")]
    pub initiated_by: Initiator,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// One thing that is wrong, or odd.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["type", "message"]))]
pub struct ApplicationCondition {
    /// What it is about.
    #[serde(rename = "type")]
    pub kind: ConditionType,
    /// In words.
    pub message: String,
    /// When the message changed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<Time>,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

open_enum! {
    /// What a condition is about [F1.13].
    ConditionType {
        /// Objects or the Application itself cannot be deleted.
        DeletionError = "DeletionError",
        /// The spec cannot be acted on.
        InvalidSpecError = "InvalidSpecError",
        /// The comparison failed.
        ComparisonError = "ComparisonError",
        /// Automated sync failed.
        SyncError = "SyncError",
        /// Something unforeseen.
        UnknownError = "UnknownError",
        /// Another Application manages the object too.
        SharedResourceWarning = "SharedResourceWarning",
        /// The source has an object twice.
        RepeatedResourceWarning = "RepeatedResourceWarning",
        /// The source has an object that settings exclude.
        ExcludedResourceWarning = "ExcludedResourceWarning",
        /// The namespace has objects that no Application manages.
        OrphanedResourceWarning = "OrphanedResourceWarning",
        /// The source is rendered, and something in it is to be written otherwise. Argo CD has no such type.
        SourceWarning = "SourceWarning",
    }
}

impl ConditionType {
    /// Whether it is an error rather than a warning.
    pub fn is_error(&self) -> bool {
        self.as_str().ends_with("Error")
    }

    /// Whether desired or live state cannot be trusted because of it: nothing is synced, and no comparison shown.
    pub fn forbids_sync(&self) -> bool {
        matches!(
            self,
            Self::ComparisonError | Self::InvalidSpecError | Self::UnknownError
        )
    }
}

open_enum! {
    /// What renders a source [F1.14].
    SourceType {
        /// A Helm chart.
        Helm = "Helm",
        /// A Kustomize directory.
        Kustomize = "Kustomize",
        /// Plain manifests.
        Directory = "Directory",
        /// A plugin.
        Plugin = "Plugin",
    }
}

open_enum! {
    /// Where the health of single objects is found; unset means in `resources` [F1.12].
    ResourceHealthSource {
        /// In the resource tree only.
        AppTree = "appTree",
    }
}

/// Images and URLs of the whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ApplicationSummary {
    /// Where it can be reached.
    #[serde(rename = "externalURLs", skip_serializing_if = "is_default")]
    pub external_urls: Vec<String>,
    /// Images it runs.
    #[serde(skip_serializing_if = "is_default")]
    pub images: Vec<String>,
    /// Whether it manages other Applications.
    #[serde(skip_serializing_if = "is_default")]
    pub is_app_of_apps: bool,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// State of the hydrator [F1.16].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SourceHydratorStatus {
    /// The last that ended well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_successful_operation: Option<SuccessfulHydrateOperation>,
    /// The last, or the one going on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_operation: Option<HydrateOperation>,
    /// Dry revision that was compared last.
    #[serde(skip_serializing_if = "is_default")]
    pub last_compared_dry_revision: String,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// One hydration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["phase", "message"]))]
pub struct HydrateOperation {
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Time>,
    /// How far it is.
    pub phase: HydratePhase,
    /// In words.
    pub message: String,
    /// Commit that was rendered.
    #[serde(rename = "drySHA", skip_serializing_if = "is_default")]
    pub dry_sha: String,
    /// Commit that was made.
    #[serde(rename = "hydratedSHA", skip_serializing_if = "is_default")]
    pub hydrated_sha: String,
    /// What was asked for.
    #[serde(skip_serializing_if = "is_default")]
    pub source_hydrator: SourceHydrator,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// One hydration that ended well.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SuccessfulHydrateOperation {
    /// Commit that was rendered.
    #[serde(rename = "drySHA", skip_serializing_if = "is_default")]
    pub dry_sha: String,
    /// Commit that was made.
    #[serde(rename = "hydratedSHA", skip_serializing_if = "is_default")]
    pub hydrated_sha: String,
    /// What was asked for.
    #[serde(skip_serializing_if = "is_default")]
    pub source_hydrator: SourceHydrator,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

open_enum! {
    /// How far a hydration is [F1.16].
    HydratePhase {
        /// Going on.
        Hydrating = "Hydrating",
        /// Ended badly.
        Failed = "Failed",
        /// Ended well.
        Hydrated = "Hydrated",
    }
}
