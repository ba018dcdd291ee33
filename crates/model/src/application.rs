//! The Application: what to deploy, what was asked, what was observed.

pub mod operation;
pub mod source;
pub mod spec;
pub mod status;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::Gvk;
use crate::metadata::ObjectMeta;
use crate::object::Object;
use crate::typed::{self, DecodeError};
use crate::unknown::{Unknown, is_default};

pub use operation::{
    HookType, Initiator, Operation, OperationPhase, OperationState, ResourceResult, ResultCode, SyncOperation,
    SyncPhase, SyncResource, SyncResult, SyncStrategy, SyncStrategyApply, SyncStrategyHook,
};
pub use source::{
    Directory, DrySource, EnvEntry, Helm, HelmFileParameter, HelmParameter, HydrateTo, IntOrString, Jsonnet,
    JsonnetVar, Kustomize, KustomizePatch, KustomizeReplica, KustomizeTarget, Plugin, PluginParameter, Source,
    SourceHydrator, SyncSource,
};
pub use spec::{
    ApplicationSpec, Automated, Backoff, ClusterRef, DEFAULT_REVISION_HISTORY_LIMIT, Destination, DestinationError,
    IgnoreDifferences, Info, ManagedNamespaceMetadata, RetryStrategy, SyncPolicy,
};
pub use status::{
    ApplicationCondition, ApplicationStatus, ApplicationSummary, ComparedTo, ConditionType, HealthStatus,
    HealthStatusCode, HydrateOperation, HydratePhase, ResourceHealthSource, ResourceStatus, RevisionHistory,
    SourceHydratorStatus, SourceType, SuccessfulHydrateOperation, SyncStatus, SyncStatusCode,
};

/// Group of all our custom resources [F1.1].
pub const GROUP: &str = "argoproj.io";
/// Version of all our custom resources [F1.1].
pub const VERSION: &str = "v1alpha1";

/// An `argoproj.io/v1alpha1` Application. Fields it has no name for are kept at every level and written back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["metadata", "spec"]))]
pub struct Application {
    /// Name, namespace, labels, annotations, finalizers.
    pub metadata: ObjectMeta,
    /// What it should be.
    pub spec: ApplicationSpec,
    /// What it is, as last observed.
    #[serde(skip_serializing_if = "is_default")]
    pub status: ApplicationStatus,
    /// What is asked of the controller; it takes the field away once it has begun and ended it [F1.4].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

impl Application {
    /// Kind.
    pub const KIND: &str = "Application";

    /// Group, version and kind.
    pub fn gvk() -> Gvk {
        Gvk::new(GROUP, VERSION, Self::KIND)
    }

    /// Reads an Application; `null` stands for a field's zero value. Fails where a field has another type than it must, naming it.
    pub fn from_object(object: &Object) -> Result<Self, DecodeError> {
        typed::decode(object, GROUP, Self::KIND)
    }

    /// Returns the object this is written as. What [`Application::from_object`] read and nobody changed comes back equal, but for zero
    /// values (`""`, `{}`, `false`), which Go leaves out too.
    pub fn to_object(&self) -> Object {
        typed::encode_object(self, &Self::gvk())
    }

    /// `namespace/name`.
    pub fn qualified_name(&self) -> String {
        format!("{}/{}", self.metadata.namespace, self.metadata.name)
    }

    /// Whether an operation was asked for or is going on.
    pub fn is_operating(&self) -> bool {
        self.operation.is_some()
            || self
                .status
                .operation_state
                .as_ref()
                .is_some_and(|s| !s.phase.is_completed() && !s.phase.is_unset())
    }
}
