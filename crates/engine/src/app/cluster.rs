//! One application's cluster, as a sync sees it.

use std::collections::BTreeSet;

use pintle_model::project::AppProject;
use pintle_model::{GroupKind, Gvk, Object, ResourceKey};

use super::project::{ClusterNames, check_resource};
use crate::health::Health;
use crate::kinds::{Scope, Served as KindServed};
use crate::sync::{ClusterView, Incomplete, Live, Served};
use crate::track::Tracking;
use crate::view::{Live as Seen, View};

/// A [`ClusterView`] over the live index, discovery and a project.
#[derive(Clone, Copy)]
pub struct AppCluster<'a> {
    /// Instance name of the application.
    pub app: &'a str,
    /// Index and kinds of this moment.
    pub view: View<'a>,
    /// How objects are marked.
    pub tracking: &'a Tracking,
    /// The project as it is now.
    pub project: &'a AppProject,
    /// The cluster as projects name it.
    pub names: ClusterNames<'a>,
    /// Objects that are equal to their targets.
    pub in_sync: &'a BTreeSet<ResourceKey>,
}

impl ClusterView for AppCluster<'_> {
    fn live(&self, key: &ResourceKey) -> Live<'_> {
        match self.view.live(key) {
            Seen::Full(object) => Live::Present(object),
            Seen::Slim(_) => Live::Unknown("it is being read".to_owned()),
            Seen::Absent => Live::Absent,
            Seen::Unknown(why) => Live::Unknown(why.to_string()),
        }
    }

    fn managed(&self) -> Vec<&Object> {
        // What another object owns is that owner's affair, whatever labels it copied.
        self.view
            .index
            .managed_by(self.app)
            .filter(|e| !e.has_owners())
            .filter_map(|e| e.object())
            .collect()
    }

    fn is_tracked(&self, live: &Object) -> bool {
        self.tracking.app_of(live) == Some(self.app)
    }

    fn health(&self, live: &Object) -> Option<Health> {
        self.view.health(live)
    }

    fn served(&self, gvk: &Gvk) -> Served {
        match self.view.served(gvk) {
            KindServed::Yes(kind) => match kind.scope {
                Scope::Namespaced => Served::Namespaced,
                Scope::Cluster => Served::Cluster,
            },
            KindServed::No => Served::No,
            KindServed::Unknown { reason } => Served::Unknown(reason.to_owned()),
        }
    }

    fn permit(&self, gvk: &Gvk, namespace: &str, name: &str) -> Result<(), String> {
        let key = ResourceKey::new(gvk.group.clone(), gvk.kind.clone(), namespace, name);
        // A kind that is not served yet is judged as what it looks like; `execute` is given nothing of it before the cluster has said its scope.
        let scope = self.view.scope(&gvk.group_kind()).unwrap_or(if namespace.is_empty() {
            Scope::Cluster
        } else {
            Scope::Namespaced
        });
        check_resource(self.project, self.names, gvk, &key, Some(scope)).map_err(|denied| denied.to_string())
    }

    fn prune_ok(&self, kind: &GroupKind) -> Result<(), Incomplete> {
        // An object that cannot be read may be this application's, or own one that is.
        self.view
            .index
            .check_fresh(kind, None, self.view.now, self.view.max_age)
            .and_then(|()| self.view.index.check_readable(kind))
            .map_err(|why| Incomplete(why.to_string()))
    }

    fn is_in_sync(&self, key: &ResourceKey) -> bool {
        self.in_sync.contains(key)
    }
}
