//! Live objects read from the cluster when they are asked for: what serves a command that runs without a controller beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use pintle_cluster::{Listed, Scope, ServedKind};
use pintle_engine::live::exclusion::KindFilter;
use pintle_engine::live::{IndexRules, LiveIndex, tree};
use pintle_engine::track::Tracking;
use pintle_model::application::{Application, HealthStatus};
use pintle_model::{GroupKind, Object, ResourceKey};

use crate::api::{Answer, ApplicationTree, LiveState, ResourceNode, ResourceRef};
use crate::error::{ApiError, Code};
use crate::store::Store;

/// Objects or kinds read at once; the cluster handle has bounds of its own below this.
const PARALLEL_READS: usize = 16;

/// A [`LiveState`] over one cluster.
pub struct ClusterLiveState {
    store: Arc<dyn Store>,
    tracking: Tracking,
}

impl ClusterLiveState {
    /// Reads this cluster, which stands for the destination `https://kubernetes.default.svc`.
    pub fn new(store: Arc<dyn Store>, tracking: Tracking) -> Self {
        Self { store, tracking }
    }

    fn reaches(&self, app: &Application) -> Result<(), ApiError> {
        if app.spec.destination.is_in_cluster() {
            return Ok(());
        }
        let destination = &app.spec.destination;
        let named = if destination.server.is_empty() {
            &destination.name
        } else {
            &destination.server
        };
        Err(ApiError::unsupported(format_args!(
            "reading the destination cluster {named:?}"
        )))
    }

    /// The kind, or `None` where the server, asked successfully, does not serve it: then it has no objects either.
    async fn served(&self, kind: &GroupKind) -> Result<Option<Arc<ServedKind>>, ApiError> {
        match self.store.served(kind).await {
            Ok(kind) => Ok(Some(kind)),
            Err(error) if error.code == Code::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn list(&self, kind: Arc<ServedKind>, scope: Scope) -> Result<Listed, ApiError> {
        self.store.list(&kind, &scope).await
    }

    async fn find(&self, key: ResourceKey) -> Result<Option<Object>, ApiError> {
        match self.served(&key.group_kind()).await? {
            Some(kind) if kind.namespaced && key.namespace.is_empty() => Ok(None),
            Some(kind) => self.store.find(&kind, &key.namespace, &key.name).await,
            None => Ok(None),
        }
    }

    async fn read(&self, keys: &[ResourceKey]) -> Result<Vec<Object>, ApiError> {
        let reads = stream::iter(keys.iter().cloned().map(|key| self.find(key)));
        reads
            .buffered(PARALLEL_READS)
            .try_filter_map(|found| async move { Ok(found) })
            .try_collect()
            .await
    }

    async fn build_tree(&self, app: &Application, roots: &[ResourceKey]) -> Result<ApplicationTree, ApiError> {
        self.reaches(app)?;
        let mut index = LiveIndex::new(IndexRules {
            tracking: self.tracking.clone(),
            ..IndexRules::default()
        });
        for object in self.read(roots).await? {
            index.apply(object);
        }
        let mut namespaces: BTreeSet<&str> = roots.iter().map(|r| &*r.namespace).filter(|n| !n.is_empty()).collect();
        namespaces.extend(Some(app.spec.destination.namespace.as_str()).filter(|n| !n.is_empty()));
        let table = self.store.kinds().await?;
        let filter = KindFilter::default();
        let kinds: Vec<Arc<ServedKind>> = table
            .watchable()
            .filter(|k| k.namespaced && !filter.is_excluded(&k.gvk.group, &k.gvk.kind, &app.spec.destination.server))
            .cloned()
            .collect();
        let wanted: Vec<(Arc<ServedKind>, Scope)> = namespaces
            .iter()
            .flat_map(|n| kinds.iter().map(|k| (Arc::clone(k), Scope::namespace(*n))))
            .collect();
        let mut unreadable: Vec<String> = table
            .failed
            .iter()
            .map(|f| format!("{}/{}: {}", f.group, f.version, f.message))
            .collect();
        let lists = stream::iter(wanted.into_iter().map(|(kind, scope)| self.list(kind, scope)));
        let mut lists = std::pin::pin!(lists.buffer_unordered(PARALLEL_READS));
        while let Some(listed) = lists.next().await {
            match listed {
                Ok(listed) => listed.objects.into_iter().for_each(|object| {
                    index.apply(object);
                }),
                // What cannot be read is named, so that an incomplete tree is never taken for a complete one.
                Err(error) => unreadable.push(error.message),
            }
        }
        unreadable.sort();
        let nodes = tree::tree(&index, roots, |_| true);
        Ok(ApplicationTree {
            nodes: nodes.iter().map(node).collect(),
            orphaned_nodes: Vec::new(),
            unreadable,
        })
    }

    async fn put_in_place(&self, app: &Application, mut objects: Vec<Object>) -> Result<Vec<Object>, ApiError> {
        let declared = declared_scopes(&objects);
        let mut scopes: BTreeMap<GroupKind, bool> = BTreeMap::new();
        for object in &mut objects {
            let kind = GroupKind::new(object.group(), object.kind());
            let namespaced = match scopes.get(&kind) {
                Some(known) => *known,
                None => {
                    let served = self.served(&kind).await?.map(|k| k.namespaced);
                    // A kind that is neither served nor declared: namespaced, like most; the sync itself says that it is missing.
                    let namespaced = served.or_else(|| declared.get(&kind).copied()).unwrap_or(true);
                    scopes.insert(kind, namespaced);
                    namespaced
                }
            };
            if !namespaced {
                object.set_namespace("");
            } else if object.namespace().is_empty() {
                object.set_namespace(&app.spec.destination.namespace);
            }
        }
        Ok(objects)
    }
}

impl LiveState for ClusterLiveState {
    fn objects<'a>(&'a self, app: &'a Application, keys: &'a [ResourceKey]) -> Answer<'a, Vec<Object>> {
        Box::pin(async move {
            self.reaches(app)?;
            self.read(keys).await
        })
    }

    fn tree<'a>(&'a self, app: &'a Application, roots: &'a [ResourceKey]) -> Answer<'a, ApplicationTree> {
        Box::pin(self.build_tree(app, roots))
    }

    fn place<'a>(&'a self, app: &'a Application, objects: Vec<Object>) -> Answer<'a, Vec<Object>> {
        Box::pin(self.put_in_place(app, objects))
    }
}

/// Kinds that the objects' own definitions declare, and whether they are namespaced.
fn declared_scopes(objects: &[Object]) -> BTreeMap<GroupKind, bool> {
    objects
        .iter()
        .filter(|o| o.kind() == "CustomResourceDefinition" && o.group() == "apiextensions.k8s.io")
        .filter_map(|o| {
            let value = o.value();
            let kind = GroupKind::new(
                value.str_at(&["spec", "group"])?,
                value.str_at(&["spec", "names", "kind"])?,
            );
            Some((kind, value.str_at(&["spec", "scope"])? == "Namespaced"))
        })
        .collect()
}

fn node(node: &tree::TreeNode<'_>) -> ResourceNode {
    let entry = node.entry;
    let reference = |e: &pintle_engine::live::Entry| ResourceRef {
        key: e.key().clone(),
        version: Arc::clone(e.version()),
        uid: Arc::clone(e.uid()),
    };
    ResourceNode {
        reference: reference(entry),
        parents: node.parents.iter().map(|e| reference(e)).collect(),
        info: entry
            .info()
            .iter()
            .map(|i| (Arc::clone(&i.name), Arc::clone(&i.value)))
            .collect(),
        images: entry.images().to_vec(),
        health: entry.health().map(|h| HealthStatus {
            status: h.status.as_str().into(),
            message: h.message.to_string(),
            ..HealthStatus::default()
        }),
        created_at: entry.created_at().parse().ok(),
        resource_version: Arc::clone(entry.resource_version()),
    }
}
