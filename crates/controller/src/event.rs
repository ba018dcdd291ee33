//! Everything that can wake the hub.

use std::sync::Arc;

use pintle_cluster::ClusterEvent;
use pintle_engine::Outcome;
use pintle_engine::app::operation::Wanted;
use pintle_engine::sync::TaskId;
use pintle_model::{Object, ResourceKey, Sensitive};
use pintle_render::Rendered;
use tokio::time::Instant;

use crate::query::Query;

/// Names an Application: namespace and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct AppKey {
    pub namespace: Arc<str>,
    pub name: Arc<str>,
}

/// One source, rendered or not.
#[derive(Clone)]
pub(crate) struct SourceResult {
    /// Resolved revision; empty if it could not be resolved.
    pub revision: String,
    /// What was rendered, or why nothing was, and whether trying again may help.
    pub rendered: Result<Arc<Rendered>, RenderFailure>,
}

#[derive(Clone)]
pub(crate) struct RenderFailure {
    pub message: Arc<str>,
    pub is_retryable: bool,
}

/// What a job or a caller tells the hub. Closed on purpose: a new way to wake it is a new variant.
pub(crate) enum Event {
    /// The cluster was seen.
    Cluster(ClusterEvent),
    /// A repository may have moved; nothing is believed, it is only looked at.
    RepositoryHint { url: String, at: Instant },
    /// A render job ended.
    Rendered {
        app: AppKey,
        wanted: Wanted,
        for_operation: bool,
        sources: Vec<SourceResult>,
    },
    /// All effects of one step of an operation or deletion were carried out.
    Executed {
        app: AppKey,
        run: u64,
        outcomes: Vec<(TaskId, Outcome)>,
    },
    /// A write of the Application itself ended.
    Written { app: AppKey, outcome: Outcome },
    /// An object that is wanted but was not kept whole was read; `None` if it is gone.
    Read {
        app: AppKey,
        key: ResourceKey,
        object: Option<Object>,
    },
    /// An object that is wanted could not be read; it is tried again.
    ReadFailed { app: AppKey, key: ResourceKey },
    /// The secret that charts' randomness depends on is known.
    Installation(Arc<Sensitive<Vec<u8>>>),
    /// Someone asks about an application.
    Query(Query),
    /// Stop.
    Shutdown,
}
