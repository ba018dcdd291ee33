//! Everything the demo consists of, in one process and one directory: control plane, Git server, shop, controller.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use pintle_cluster::{Cluster, ConnectError, Elector, LeaseConfig};
use pintle_controller::{Controller, ControllerConfig, ControllerError};
use pintle_engine::effect::ClusterId;
use pintle_kubesim::{Clock, KubeSim, Server};
use pintle_model::application::SyncStatusCode;
use pintle_model::crd;
use pintle_repo::Repositories;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::check::{self, Wanted};
use super::console::Console;
use super::git_server::{GitServer, GitServerConfig};
use super::hand::{Hand, HandError};
use super::manifests::{self, BadManifest, CONTROL_NAMESPACE};
use super::shop::{Environment, REPOSITORY, Shop, ShopError};
use super::sight::Lookout;

/// Decides UIDs, names and the spread of simulated times, so that two demos show the same.
const SEED: u64 = 1;
/// Pushes that nobody has told the controller of yet; more are dropped, and its poll finds them.
const PUSH_BUFFER: usize = 16;
/// Prod's first deployment takes about two seconds.
const FIRST_SYNC: Duration = Duration::from_secs(30);
/// A free lease is taken at the first try.
const LEASE_DEADLINE: Duration = Duration::from_secs(20);
/// Writes under way end within their own deadline; the demo does not wait for a hanging one.
const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(5);

/// Where the demo lives and listens.
#[derive(Clone, Debug)]
pub struct WorldConfig {
    /// A directory that stays; `None` means a temporary one that goes with the demo.
    pub directory: Option<PathBuf>,
    /// Port of the Kubernetes API; if it is taken, any free one.
    pub api_port: u16,
    /// Port of the Git server; if it is taken, any free one.
    pub git_port: u16,
}

/// Why the demo did not start.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The directory cannot be used.
    #[error("cannot use {path} as the demo's directory: {reason}")]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A listener cannot be opened.
    #[error("cannot listen for {what} on 127.0.0.1")]
    Listen {
        /// For what.
        what: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The repository could not be made.
    #[error(transparent)]
    Shop(#[from] ShopError),
    /// An object could not be created.
    #[error(transparent)]
    Hand(#[from] HandError),
    /// Our own manifest is broken.
    #[error(transparent)]
    Manifest(#[from] BadManifest),
    /// The cluster cannot be asked.
    #[error(transparent)]
    Cluster(#[from] pintle_cluster::ApiError),
    /// There is no handle to the cluster.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The controller did not start.
    #[error(transparent)]
    Controller(#[from] ControllerError),
    /// The core API refused.
    #[error("the core API refused {what}")]
    Core {
        /// What.
        what: &'static str,
        /// Why.
        #[source]
        source: pintle_server::ApiError,
    },
    /// Something did not come about.
    #[error("expected {expected}, last seen: {seen}")]
    NotSeen {
        /// What.
        expected: String,
        /// How it is instead.
        seen: String,
    },
}

/// The running demo. Ends with [`World::shut_down`]; dropping it ends it too, without letting writes finish.
pub struct World {
    /// What can be seen of the cluster.
    pub lookout: Lookout,
    /// What a person can ask of Pintle.
    pub console: Console,
    /// What a person can do to the cluster past Pintle.
    pub hand: Hand,
    /// The shop's repository.
    pub shop: Shop,
    /// `None` once it has been stopped.
    controller: Option<Arc<Controller>>,
    /// Passes pushes on to the controller.
    hints: JoinHandle<()>,
    elector: Elector,
    /// Runs the simulated workloads.
    workloads: JoinHandle<()>,
    api: Server,
    git: GitServer,
    kubeconfig: PathBuf,
    // Last, so that it is removed when everything that writes into it has gone.
    directory: Directory,
}

impl World {
    /// Starts everything and brings the shop to where the story begins: prod deployed at 1.4 by a sync, dev and staging told to follow
    /// Git, image 1.5 pushed.
    pub async fn start(config: WorldConfig) -> Result<Self, WorldError> {
        let directory = Directory::open(config.directory.as_deref())?;

        let sim = KubeSim::new(Clock::real(), SEED);
        for controller in pintle_kubesim::workload::controllers(SEED) {
            sim.add_controller(controller);
        }
        sim.set_pod_logs(pintle_kubesim::workload::logs());
        let api = serve(&sim, config.api_port).await?;
        let running = sim.clone();
        let workloads = tokio::spawn(async move { running.run().await });
        let kubeconfig = directory.path().join("kubeconfig");
        write_kubeconfig(&kubeconfig, &api)?;

        // In process: the same API without TLS in between.
        let client = kube::Client::new(sim.service(), CONTROL_NAMESPACE);
        let cluster = Cluster::from_client(ClusterId::in_cluster(), &api.url(), client.clone(), "demo");
        let hand = Hand::new(client, cluster.clone());
        install(&hand, &cluster, &sim).await?;

        let (pushed, mut pushes) = mpsc::channel(PUSH_BUFFER);
        let git = serve_git(&directory.path().join("git"), config.git_port, pushed).await?;
        Shop::init_bare(git.root()).await?;
        let url = git.url(REPOSITORY);
        let (shop, _) = Shop::begin(&url, &directory.path().join("shop"), "1.4").await?;

        let elector = lead(&cluster).await?;
        let repositories = Repositories::new(directory.path().join("repositories"));
        let controller = Controller::start(ControllerConfig {
            cluster: cluster.clone(),
            repositories,
            control_namespace: CONTROL_NAMESPACE.to_owned(),
            identity: "demo".to_owned(),
            lease: elector.guard(),
        });
        let controller = Arc::new(controller.await?);
        let (hinted, hinted_url) = (Arc::clone(&controller), url.clone());
        let hints = tokio::spawn(async move {
            while pushes.recv().await.is_some() {
                hinted.hint(&hinted_url);
            }
        });

        // The same services as the commands use.
        let session = crate::wiring::session(cluster.clone(), CONTROL_NAMESPACE.to_owned());
        let world = Self {
            lookout: Lookout::start(&cluster),
            console: Console::new(session.apps),
            hand,
            shop,
            controller: Some(controller),
            hints,
            elector,
            workloads,
            api,
            git,
            kubeconfig,
            directory,
        };
        world.open_shop().await?;
        Ok(world)
    }

    async fn open_shop(&self) -> Result<(), WorldError> {
        let url = self.clone_url();
        for environment in Environment::ALL {
            self.hand
                .create(&manifests::namespace(environment.application()))
                .await?;
        }
        self.hand.create(&manifests::project(&url)?).await?;
        let prod = Environment::Prod;
        self.hand.create(&manifests::application(prod, &url)?).await?;
        self.see(FIRST_SYNC, &format!("{} compared", prod.application()), |sight| {
            let compared = sight.application(prod.application())?.status.sync.status == SyncStatusCode::OutOfSync;
            if compared {
                Ok(())
            } else {
                Err(check::describe(sight, prod))
            }
        })
        .await?;
        let asked = self.console.sync(prod.application()).await;
        asked.map_err(|source| WorldError::Core {
            what: "the first sync of shop-prod",
            source,
        })?;
        let deployed = Wanted::good(prod, "1.4").operation_ended();
        self.see(FIRST_SYNC, &deployed.to_string(), |sight| {
            check::wanted(sight, &deployed)
        })
        .await?;
        self.shop.release(&Environment::ALL, "1.5").await?;
        for environment in [Environment::Dev, Environment::Staging] {
            self.hand.create(&manifests::application(environment, &url)?).await?;
        }
        Ok(())
    }

    async fn see(
        &self,
        within: Duration,
        expected: &str,
        look: impl FnMut(&super::sight::Sight) -> Result<(), String>,
    ) -> Result<(), WorldError> {
        let seen = self.lookout.until(within, look).await;
        seen.map_err(|seen| WorldError::NotSeen {
            expected: expected.to_owned(),
            seen,
        })
    }

    /// The kubeconfig for `kubectl` and `pintle`.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The URL to clone the shop from and to push to.
    pub fn clone_url(&self) -> String {
        self.git.url(REPOSITORY)
    }

    /// The Kubernetes API.
    pub fn api_url(&self) -> String {
        self.api.url()
    }

    /// The directory, and whether it stays.
    pub fn directory(&self) -> (&Path, bool) {
        (self.directory.path(), matches!(self.directory, Directory::Named(_)))
    }

    /// Stops the controller alone: whatever changes from now on, nobody deploys it.
    pub async fn stop_controller(&mut self) {
        let Some(controller) = self.controller.take() else {
            return;
        };
        self.hints.abort();
        // Until the task has ended it holds the controller.
        let _ = (&mut self.hints).await;
        if let Some(controller) = Arc::into_inner(controller) {
            controller.shutdown().await;
        }
    }

    /// Stops everything, and removes the directory if it is temporary.
    pub async fn shut_down(mut self) {
        if timeout(SHUTDOWN_DEADLINE, self.stop_controller()).await.is_err() {
            tracing::warn!("the demo's controller did not stop in time");
        }
        let Self {
            elector,
            workloads,
            directory,
            ..
        } = self;
        if timeout(SHUTDOWN_DEADLINE, elector.release()).await.is_err() {
            tracing::warn!("the demo's lease was not given up in time");
        }
        workloads.abort();
        directory.close();
    }
}

/// A directory that goes with the demo, or one that stays.
enum Directory {
    Temporary(TempDir),
    Named(PathBuf),
}

impl Directory {
    fn open(named: Option<&Path>) -> Result<Self, WorldError> {
        let failed = |path: &Path, reason: String| WorldError::Directory {
            path: path.to_owned(),
            reason,
        };
        let Some(path) = named else {
            let made = tempfile::Builder::new().prefix("pintle-demo-").tempdir();
            return made
                .map(Self::Temporary)
                .map_err(|e| failed(Path::new("a temporary directory"), e.to_string()));
        };
        std::fs::create_dir_all(path).map_err(|e| failed(path, e.to_string()))?;
        let mut entries = std::fs::read_dir(path).map_err(|e| failed(path, e.to_string()))?;
        if entries.next().is_some() {
            return Err(failed(
                path,
                "it is not empty; name one that is, or one that is not there yet".to_owned(),
            ));
        }
        // Git and its subprocesses are started elsewhere: a relative path would mean something else to them.
        let path = std::path::absolute(path).map_err(|e| failed(path, e.to_string()))?;
        Ok(Self::Named(path))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Temporary(directory) => directory.path(),
            Self::Named(path) => path,
        }
    }

    fn close(self) {
        if let Self::Temporary(directory) = self {
            let path = directory.path().to_owned();
            if let Err(error) = directory.close() {
                tracing::warn!(path = %path.display(), %error, "the demo's directory could not be removed");
            }
        }
    }
}

/// Listens on the preferred port, or on any free one.
async fn serve(sim: &KubeSim, port: u16) -> Result<Server, WorldError> {
    let what = "the Kubernetes API";
    match sim.serve(port).await {
        Err(e) if is_taken(&e) => sim.serve(0).await,
        other => other,
    }
    .map_err(|source| WorldError::Listen { what, source })
}

async fn serve_git(root: &Path, port: u16, pushed: mpsc::Sender<String>) -> Result<GitServer, WorldError> {
    let config = |port| GitServerConfig {
        root: root.to_owned(),
        address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        // Loopback, and a repository that holds no secrets.
        credentials: None,
    };
    match GitServer::start(config(port), pushed.clone()).await {
        Err(e) if is_taken(&e) => GitServer::start(config(0), pushed).await,
        other => other,
    }
    .map_err(|source| WorldError::Listen { what: "Git", source })
}

fn is_taken(error: &io::Error) -> bool {
    // Low ports without the right to them are as good as taken.
    matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied)
}

/// Writes the kubeconfig with a context in the control namespace, where the commands look for Applications. Whoever reads the file may do
/// everything in the demo's cluster, so nobody else may.
fn write_kubeconfig(path: &Path, api: &Server) -> Result<(), WorldError> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let text = with_context(&api.kubeconfig());
    let write = || -> io::Result<()> {
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(text.as_bytes())
    };
    write().map_err(|e| WorldError::Directory {
        path: path.to_owned(),
        reason: e.to_string(),
    })
}

/// The kubeconfig with the context `pintle` as the current one.
fn with_context(kubeconfig: &str) -> String {
    let context = format!(
        "contexts:\n- name: pintle\n  context:\n    cluster: kubesim\n    user: admin\n    namespace: {CONTROL_NAMESPACE}\n"
    );
    kubeconfig
        .replace("contexts:\n", &context)
        .replace("current-context: kubesim", "current-context: pintle")
}

/// Our definitions and our namespace.
async fn install(hand: &Hand, cluster: &Cluster, sim: &KubeSim) -> Result<(), WorldError> {
    for (_, definition) in crd::crds() {
        hand.create(&manifests::read(&definition)?).await?;
    }
    hand.create(&manifests::namespace(CONTROL_NAMESPACE)).await?;
    // The definitions are served from now on, not from when the simulation happens to come by.
    sim.settle();
    cluster.discover().await?;
    Ok(())
}

/// Takes the lease that keeps a second controller away, for instance a `pintle serve` on the demo's kubeconfig.
async fn lead(cluster: &Cluster) -> Result<Elector, WorldError> {
    let elector = Elector::start(
        cluster.clone(),
        LeaseConfig {
            namespace: CONTROL_NAMESPACE.into(),
            name: "pintle-controller".into(),
            identity: format!("demo-{}", std::process::id()).into(),
        },
    );
    let mut leadership = elector.leadership();
    let leads = timeout(LEASE_DEADLINE, leadership.wait_for(|l| l.is_leading())).await;
    match leads {
        Ok(Ok(_)) => {}
        _ => {
            return Err(WorldError::NotSeen {
                expected: "this process leads".to_owned(),
                seen: format!("{:?}", *elector.leadership().borrow()),
            });
        }
    }
    Ok(elector)
}
