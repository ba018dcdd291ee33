//! The clusters this process knows, by the name effects use.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use pintle_engine::effect::ClusterId;

use crate::client::Cluster;

/// A shared set of cluster handles. Cheap to clone; clones are the same set.
#[derive(Clone, Default)]
pub struct Clusters(Arc<RwLock<BTreeMap<ClusterId, Cluster>>>);

impl Clusters {
    /// A set of one.
    pub fn of(cluster: Cluster) -> Self {
        let clusters = Self::default();
        clusters.insert(cluster);
        clusters
    }

    /// Adds a cluster, or replaces the one of the same name.
    pub fn insert(&self, cluster: Cluster) {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(cluster.id().clone(), cluster);
    }

    /// Forgets a cluster. Requests under way end by their deadlines.
    pub fn remove(&self, id: &ClusterId) -> Option<Cluster> {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(id)
    }

    /// The handle of a cluster.
    pub fn get(&self, id: &ClusterId) -> Option<Cluster> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// All names.
    pub fn ids(&self) -> Vec<ClusterId> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .keys()
            .cloned()
            .collect()
    }
}
