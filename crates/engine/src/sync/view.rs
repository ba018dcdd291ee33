//! What a step sees: the cluster as it is known now, the persisted progress, and what this process remembers.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use pintle_model::application::ResourceResult;
use pintle_model::{GroupKind, Gvk, Object, ResourceKey};

use crate::health::Health;

/// What is known of one object.
#[derive(Clone)]
pub enum Live<'a> {
    /// It is there.
    Present(&'a Object),
    /// It is not there, and the view is fresh enough to say so: synced, and not older than this process's own writes.
    Absent,
    /// Nobody knows, and why: the kind cannot be read, or its watch is behind (I-13).
    Unknown(String),
}

/// What the cluster serves for one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Served {
    /// Objects of it live in namespaces.
    Namespaced,
    /// Objects of it belong to the cluster.
    Cluster,
    /// The cluster does not know the kind.
    No,
    /// Discovery of its group failed; nothing of it is written (I-5).
    Unknown(String),
}

/// Why what is known of a kind is not enough to delete on (I-1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incomplete(pub String);

impl fmt::Display for Incomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The cluster of one Application. Implemented over the live index; every method answers from memory.
pub trait ClusterView {
    /// The object under a key, whoever owns it.
    fn live(&self, key: &ResourceKey) -> Live<'_>;
    /// The live objects whose tracking names this Application and their own identity.
    fn managed(&self) -> Vec<&Object>;
    /// Whether an object's tracking names this Application and its own identity (I-6).
    fn is_tracked(&self, live: &Object) -> bool;
    /// Health and its message; `None` for kinds that have none.
    fn health(&self, live: &Object) -> Option<Health>;
    /// What is served for a kind at this version.
    fn served(&self, gvk: &Gvk) -> Served;
    /// Whether the project permits the object; the refusal in the peer's words [F3.10]. `namespace` is empty for cluster-scoped objects.
    fn permit(&self, gvk: &Gvk, namespace: &str, name: &str) -> Result<(), String>;
    /// Whether targets and live objects of a kind are completely known, so that an object without target may be deleted.
    fn prune_ok(&self, kind: &GroupKind) -> Result<(), Incomplete>;
    /// Whether the comparison found an object equal to its target; read with `ApplyOutOfSyncOnly`.
    fn is_in_sync(&self, key: &ResourceKey) -> bool;
}

/// What a process remembers between steps of one attempt. Losing it costs a repeated dry run or a shorter wave delay, nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// The dry run of the first pass has passed.
    pub validated: bool,
    /// When outcomes last came back; set it to the present when taking over an operation.
    pub last_write: Option<Timestamp>,
    /// Since when ended hooks cannot be seen that are to be let go.
    pub blind_since: Option<Timestamp>,
}

/// Everything a step reads besides the operation.
pub struct SyncView<'a> {
    /// The cluster.
    pub cluster: &'a dyn ClusterView,
    /// The persisted progress: `operationState.syncResult.resources`.
    pub results: &'a [ResourceResult],
    /// What the previous [`super::Step`] returned, or the default after a restart.
    pub memory: Memory,
    /// `controller.sync.wave.delay.seconds` [F3.8].
    pub wave_delay: Duration,
}
