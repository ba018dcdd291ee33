//! A [`Store`] over a cluster handle.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use pintle_cluster::resources::{LogOptions, project_kind};
use pintle_cluster::{
    Cluster, ClusterEvent, Clusters, Executor, KindTable, LeaseGuard, Listed, ProjectVersionMap, Scope, ServedKind,
    Watcher,
};
use pintle_engine::effect::{Effect, Outcome, Permitted};
use pintle_model::{GroupKind, Object};
use tokio::sync::mpsc;

use crate::error::ApiError;
use crate::store::{Store, StoreEvent};

/// Watch events that wait for a slow caller before the watch itself waits, as the peer's server buffers [F5.15].
const WATCH_BUFFER: usize = 1000;

/// One cluster, read directly; writes go through an executor.
pub struct ClusterStore {
    cluster: Cluster,
    executor: Executor,
    /// Versions of the projects this store read, where nobody watches them.
    read_projects: Option<ProjectVersionMap>,
}

impl ClusterStore {
    /// For commands: what a person asks for needs no lease, and is permitted by projects as this store read them last, since a command
    /// reads its project, writes once, and is done.
    pub fn new(cluster: Cluster) -> Self {
        let projects = ProjectVersionMap::default();
        let clusters = Clusters::of(cluster.clone());
        let executor = Executor::new(clusters, Arc::new(projects.clone()), LeaseGuard::not_needed());
        Self {
            cluster,
            executor,
            read_projects: Some(projects),
        }
    }

    /// With the executor of a process that has one, and watches projects.
    pub fn with_executor(cluster: Cluster, executor: Executor) -> Self {
        Self {
            cluster,
            executor,
            read_projects: None,
        }
    }

    /// The handle.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }
}

impl Store for ClusterStore {
    fn kinds(&self) -> BoxFuture<'_, Result<Arc<KindTable>, ApiError>> {
        Box::pin(async move {
            match self.cluster.kinds() {
                Some(kinds) => Ok(kinds),
                None => Ok(self.cluster.discover().await?),
            }
        })
    }

    fn served<'a>(&'a self, kind: &'a GroupKind) -> BoxFuture<'a, Result<Arc<ServedKind>, ApiError>> {
        Box::pin(async move { Ok(self.cluster.served_kind(kind).await?) })
    }

    fn find<'a>(
        &'a self,
        kind: &'a ServedKind,
        namespace: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<Object>, ApiError>> {
        Box::pin(async move {
            let found = self.cluster.find(kind, namespace, name).await?;
            if let (Some(projects), true) = (&self.read_projects, kind.gvk.group_kind() == project_kind()) {
                match &found {
                    Some(project) => projects.set(name, project.resource_version()),
                    None => projects.remove(name),
                }
            }
            Ok(found)
        })
    }

    fn list<'a>(&'a self, kind: &'a ServedKind, scope: &'a Scope) -> BoxFuture<'a, Result<Listed, ApiError>> {
        Box::pin(async move { Ok(self.cluster.list(kind, scope).await?) })
    }

    fn watch(&self, kind: Arc<ServedKind>, scope: Scope) -> BoxStream<'static, StoreEvent> {
        let (sender, receiver) = mpsc::channel(WATCH_BUFFER);
        let watcher = Watcher::start_kind(self.cluster.clone(), kind, scope, sender);
        // The watcher lives as long as the stream and ends with it.
        let events = stream::unfold((watcher, receiver), |(watcher, mut receiver)| async move {
            let event = receiver.recv().await?;
            Some((event, (watcher, receiver)))
        });
        events.filter_map(|event| async move { store_event(event) }).boxed()
    }

    fn pod_log<'a>(
        &'a self,
        namespace: &'a str,
        pod: &'a str,
        options: &'a LogOptions,
    ) -> BoxFuture<'a, Result<BoxStream<'static, Result<Bytes, ApiError>>, ApiError>> {
        Box::pin(async move {
            let log = self.cluster.pod_log(namespace, pod, options).await?;
            let parts = stream::unfold(Some(log), |log| async move {
                let mut log = log?;
                match log.next().await {
                    Ok(Some(part)) => Some((Ok(part), Some(log))),
                    Ok(None) => None,
                    // A broken log says so once and ends.
                    Err(error) => Some((Err(ApiError::from(error)), None)),
                }
            });
            Ok(parts.boxed())
        })
    }

    fn execute(&self, effect: Permitted<Effect>) -> BoxFuture<'_, Outcome> {
        Box::pin(self.executor.execute(effect))
    }
}

fn store_event(event: ClusterEvent) -> Option<StoreEvent> {
    match event {
        ClusterEvent::Reset { objects, .. } => Some(StoreEvent::Reset(objects)),
        ClusterEvent::Applied { object, .. } => Some(StoreEvent::Applied(object)),
        ClusterEvent::Deleted { object, .. } => Some(StoreEvent::Deleted(object)),
        ClusterEvent::KindFailed { error, .. } | ClusterEvent::DiscoveryFailed(error) => {
            Some(StoreEvent::Failed(error.into()))
        }
        // One unreadable record does not stop the others from being shown.
        ClusterEvent::Unreadable { object, .. } => {
            tracing::warn!(
                name = object.name,
                namespace = object.namespace,
                why = object.message,
                "unreadable object"
            );
            None
        }
        ClusterEvent::Discovery(_) | ClusterEvent::KindSynced { .. } | ClusterEvent::KindGone { .. } => None,
    }
}
