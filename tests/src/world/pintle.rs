//! One Pintle process: a controller in a runtime of its own, so that it can be killed in the middle of anything.

use std::path::Path;

use pintle_cluster::{Cluster, KubeconfigSource, LeaseGuard};
use pintle_controller::{Controller, ControllerConfig};
use pintle_engine::ClusterId;
use pintle_repo::{Counts, Repositories, RepositoryLimits};
use tokio::runtime::Runtime;

use super::wire::Wire;

/// How a process reaches its API server.
pub enum Connection {
    /// kubesim, in process.
    Wire(Wire),
    /// A real one, by a kubeconfig.
    Kubeconfig(std::path::PathBuf),
}

/// A running controller. Dropping it kills it: no task of it goes on past its next await, and nothing is said to anyone.
pub struct Pintle {
    controller: Option<Controller>,
    repositories: Repositories,
    runtime: Option<Runtime>,
}

impl Pintle {
    /// Starts a controller for `namespace` that keeps its clones in `directory` within `limits`.
    pub async fn start(connection: Connection, namespace: &str, directory: &Path, limits: RepositoryLimits) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime starts");
        let namespace = namespace.to_owned();
        let repositories = Repositories::with_limits(directory.to_owned(), limits);
        let its_own = repositories.clone();
        let started = runtime.spawn(async move {
            let cluster = match connection {
                Connection::Wire(wire) => {
                    let client = kube::Client::new(wire, namespace.as_str());
                    Cluster::from_client(ClusterId::in_cluster(), "https://kubesim", client, "acceptance")
                }
                Connection::Kubeconfig(path) => {
                    let source = KubeconfigSource {
                        path: Some(path),
                        context: None,
                    };
                    let opened = Cluster::from_kubeconfig(ClusterId::in_cluster(), source, "acceptance").await;
                    opened.expect("the control plane's own kubeconfig is sound")
                }
            };
            let config = ControllerConfig {
                cluster,
                repositories: its_own,
                control_namespace: namespace,
                identity: "acceptance".into(),
                lease: LeaseGuard::not_needed(),
            };
            Controller::start(config).await
        });
        // A process may be killed before it has read its settings; then there is nothing to hint.
        let controller = match tokio::time::timeout(super::PATIENCE, started).await {
            Ok(Ok(started)) => Some(started.expect("the controller starts")),
            Ok(Err(panicked)) => panic!("the controller did not start: {panicked}"),
            Err(_) => None,
        };
        Self {
            controller,
            repositories,
            runtime: Some(runtime),
        }
    }

    /// What its repositories have done since it was started.
    pub fn counts(&self) -> Counts {
        self.repositories.counts()
    }

    /// Tells it that a repository may have moved.
    pub fn hint(&self, url: &str) {
        if let Some(controller) = &self.controller {
            controller.hint(url);
        }
    }
}

impl Drop for Pintle {
    fn drop(&mut self) {
        self.controller = None;
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
