//! Joins the core API with the cluster of the kubeconfig and the repositories it names: what `--core` means.

use std::sync::Arc;

use pintle_cluster::{Cluster, KubeconfigSource};
use pintle_engine::effect::ClusterId;
use pintle_engine::track::Tracking;
use pintle_server::api::{ApplicationService, ProjectService, RepositoryService};
use pintle_server::cluster_store::ClusterStore;
use pintle_server::store::Store;
use pintle_server::{ClusterLiveState, Core, CoreConfig, Parts};

use crate::args::{GlobalArgs, KubeArgs, NamespaceArgs};
use crate::exit::CliError;
use crate::local_repositories::LocalRepositories;

/// Where the control plane lives unless -n says otherwise.
const DEFAULT_NAMESPACE: &str = "argocd";

/// What a command works with.
pub(crate) struct Session {
    pub apps: Arc<dyn ApplicationService>,
    pub projects: Arc<dyn ProjectService>,
    pub repositories: Arc<dyn RepositoryService>,
    pub namespace: String,
}

/// Opens the cluster of the kubeconfig. Nothing is sent yet.
pub(crate) async fn connect(
    global: &GlobalArgs,
    kube: &KubeArgs,
    namespace: Option<&String>,
) -> Result<Session, CliError> {
    let remote = &global.remote;
    if !global.core && (remote.server.is_some() || remote.port_forward || remote.argocd_context.is_some()) {
        return Err(CliError::unsupported("talking to an API server").with_hint(
            "--core talks to the cluster of the kubeconfig directly; unset ARGOCD_SERVER to make that the default",
        ));
    }
    let source = KubeconfigSource {
        path: kube.kubeconfig.clone(),
        context: global.kube_context.clone().or_else(|| kube.context.clone()),
    };
    let opened = Cluster::from_kubeconfig(ClusterId::in_cluster(), source.clone(), "cli").await;
    let cluster = match opened {
        Ok(cluster) => cluster,
        // In a Pod there is an account and no kubeconfig.
        Err(error) if source == KubeconfigSource::default() => {
            Cluster::in_cluster("cli").map_err(|_| no_cluster(&error))?
        }
        Err(error) => return Err(no_cluster(&error)),
    };
    let namespace = namespace.cloned().unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned());
    Ok(session(cluster, namespace))
}

/// The cluster of the kubeconfig, or the one this process runs in, and the control namespace: for daemons.
pub(crate) async fn open(args: &NamespaceArgs, component: &str) -> Result<(Cluster, String), CliError> {
    let source = KubeconfigSource {
        path: args.kube.kubeconfig.clone(),
        context: args.kube.context.clone(),
    };
    let cluster = match Cluster::from_kubeconfig(ClusterId::in_cluster(), source.clone(), component).await {
        Ok(cluster) => cluster,
        Err(error) if source == KubeconfigSource::default() => {
            Cluster::in_cluster(component).map_err(|_| no_cluster(&error))?
        }
        Err(error) => return Err(no_cluster(&error)),
    };
    Ok((
        cluster,
        args.control_namespace
            .clone()
            .unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned()),
    ))
}

fn no_cluster(error: &pintle_cluster::ConnectError) -> CliError {
    CliError::error(error.to_string()).with_hint(
        "set KUBECONFIG or give --kubeconfig; `pintle demo` starts a cluster to try things on and prints its kubeconfig",
    )
}

/// The core API over one cluster, reading it live.
pub(crate) fn session(cluster: Cluster, namespace: String) -> Session {
    let store: Arc<dyn Store> = Arc::new(ClusterStore::new(cluster));
    let tracking = Tracking::default();
    let repositories = Arc::new(LocalRepositories::new(Arc::clone(&store), namespace.clone()));
    let parts = Parts {
        store: Arc::clone(&store),
        live: Arc::new(ClusterLiveState::new(store, tracking.clone())),
        manifests: Arc::<LocalRepositories>::clone(&repositories),
        repositories,
    };
    let config = CoreConfig {
        control_namespace: namespace.clone(),
        username: username(),
        tracking,
    };
    let core = Arc::new(Core::new(parts, config));
    Session {
        apps: Arc::<Core>::clone(&core),
        projects: Arc::<Core>::clone(&core),
        repositories: core,
        namespace,
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "the login name, for operations and events; the door of the command line"
)]
fn username() -> String {
    std::env::var("USER").unwrap_or_default()
}
