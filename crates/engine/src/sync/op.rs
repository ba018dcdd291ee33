//! What one sync operation is told to do; it does not change while it runs.

use jiff::Timestamp;
use pintle_model::Object;
use pintle_model::application::{ManagedNamespaceMetadata, SyncResource};
use pintle_model::sync_option::SyncOptions;

use crate::effect::ClusterId;

/// Why an operation is terminated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terminate {
    /// Someone asked.
    Asked,
    /// It ran longer than `controller.sync.timeout.seconds` [F3.30].
    TimedOut,
}

/// The input of one attempt of one operation.
#[derive(Clone)]
pub struct SyncOp {
    /// Cluster everything is written to.
    pub cluster: ClusterId,
    /// Destination namespace; empty if the Application has none.
    pub namespace: String,
    /// Rendered, normalised and tracked objects, hooks among them. Complete: a failed render makes no `SyncOp` (I-1).
    pub targets: Vec<Object>,
    /// Resolved revision; names generated hooks.
    pub revision: String,
    /// `operationState.startedAt`; retries do not reset it.
    pub started_at: Timestamp,
    /// `operationState.retryCount`; hooks run again in each attempt.
    pub attempt: i64,
    /// Whether objects that left the source are deleted.
    pub prune: bool,
    /// Whether nothing is written.
    pub dry_run: bool,
    /// `strategy.apply`: without hooks.
    pub skip_hooks: bool,
    /// `strategy.{apply,hook}.force`.
    pub force: bool,
    /// Whether automated sync started it.
    pub automated: bool,
    /// `automated.allowEmpty`: automated sync may delete everything (I-2).
    pub allow_empty: bool,
    /// Options of Application and operation.
    pub options: SyncOptions,
    /// Only these objects; empty means all. Any selection leaves hooks out [F3.11].
    pub selected: Vec<SyncResource>,
    /// `syncPolicy.managedNamespaceMetadata`.
    pub namespace_metadata: Option<ManagedNamespaceMetadata>,
    /// Message of the `SharedResourceWarning` condition, if there is one; read with `FailOnSharedResource`.
    pub shared_resource: Option<String>,
    /// Time of the annotation `argocd.argoproj.io/deletion-approved` [F3.38].
    pub approved_at: Option<Timestamp>,
    /// Whether the operation is to stop.
    pub terminate: Option<Terminate>,
}

impl SyncOp {
    /// Whether hooks run in it.
    pub fn runs_hooks(&self) -> bool {
        !self.skip_hooks && self.selected.is_empty()
    }

    /// Whether a person approved deletions after it began. Both are whole seconds on the wire.
    pub fn is_approved(&self) -> bool {
        self.approved_at
            .is_some_and(|at| at.as_second() >= self.started_at.as_second())
    }

    /// Whether an object belongs to it: everything where nothing is selected.
    pub fn selects(&self, key: &pintle_model::ResourceKey) -> bool {
        self.selected.is_empty()
            || self.selected.iter().any(|r| {
                *r.group == *key.group
                    && *r.kind == *key.kind
                    && *r.name == *key.name
                    && (r.namespace.is_empty() || *r.namespace == *key.namespace)
            })
    }
}
