//! What the services need of one cluster: reads, watches, log streams, and permitted writes.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use pintle_cluster::resources::LogOptions;
use pintle_cluster::{KindTable, Listed, Scope, ServedKind};
use pintle_engine::effect::{Effect, Outcome, Permitted};
use pintle_model::{GroupKind, Object};

use crate::error::ApiError;

/// One cluster. A trait so that services are tested without one, and so that a cache can stand in front of it.
pub trait Store: Send + Sync {
    /// Everything the cluster serves, as last read.
    fn kinds(&self) -> BoxFuture<'_, Result<Arc<KindTable>, ApiError>>;

    /// A kind at its preferred version. `NotFound` where the server does not serve it.
    fn served<'a>(&'a self, kind: &'a GroupKind) -> BoxFuture<'a, Result<Arc<ServedKind>, ApiError>>;

    /// One object; `None` where the server itself says it is not there.
    fn find<'a>(
        &'a self,
        kind: &'a ServedKind,
        namespace: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<Object>, ApiError>>;

    /// A collection, whole or not at all.
    fn list<'a>(&'a self, kind: &'a ServedKind, scope: &'a Scope) -> BoxFuture<'a, Result<Listed, ApiError>>;

    /// Follows a collection: its state first, then each change. Ends only when dropped.
    fn watch(&self, kind: Arc<ServedKind>, scope: Scope) -> BoxStream<'static, StoreEvent>;

    /// The log of one container as it comes.
    fn pod_log<'a>(
        &'a self,
        namespace: &'a str,
        pod: &'a str,
        options: &'a LogOptions,
    ) -> BoxFuture<'a, Result<BoxStream<'static, Result<Bytes, ApiError>>, ApiError>>;

    /// Carries out one permitted write.
    fn execute(&self, effect: Permitted<Effect>) -> BoxFuture<'_, Outcome>;
}

/// What a watch of one kind says.
#[derive(Clone)]
pub enum StoreEvent {
    /// All objects as of now; whatever was known before is gone.
    Reset(Vec<Object>),
    /// An object is new or different.
    Applied(Object),
    /// An object is gone; its last state.
    Deleted(Object),
    /// The kind cannot be read at the moment; it is tried again.
    Failed(ApiError),
}
