//! What a controller is started with.

use pintle_cluster::{Cluster, LeaseGuard};
use pintle_repo::Repositories;

/// Everything a controller needs from outside.
#[derive(Clone)]
pub struct ControllerConfig {
    /// The cluster that holds the Applications, and the only destination of this version.
    pub cluster: Cluster,
    /// Access to repositories.
    pub repositories: Repositories,
    /// Namespace of Applications, projects and settings, usually `argocd`.
    pub control_namespace: String,
    /// Who this is, in events: for example the pod's name.
    pub identity: String,
    /// Whether this process may write; checked at every write.
    pub lease: LeaseGuard,
}
