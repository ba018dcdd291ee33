//! A real Kubernetes control plane on loopback, with simulated nodes and pods.
//!
//! etcd, kube-apiserver (RBAC on, nobody anonymous), kube-controller-manager and
//! kube-scheduler are the originals; kwok plays the kubelets by
//! `tests/controlplane/stages.yaml`: pods become ready at once, pods that may end do so
//! at once, and an image tagged `broken` is never pulled.

mod certificates;
mod component;
mod error;
mod flags;
mod kubeconfig;
mod tools;
mod watchdog;

use std::{
    env,
    ffi::OsString,
    fs,
    net::{Ipv4Addr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

pub use certificates::Identity;
pub use error::{KubectlError, StartError};
pub use tools::{Tools, ToolsError, Unavailable};

use crate::{chain::chain, process, step_aside::require_or_step_aside};
use certificates::Authority;
use component::Component;
use error::at;
use flags::Ports;
use kubeconfig::kubeconfig;
use tempfile::TempDir;
use watchdog::Watchdog;

/// Seconds pass on an idle machine; minutes only on one that is building something else.
const READY_WITHIN: Duration = Duration::from_secs(180);

/// Longer than any wait a test gives `kubectl` itself.
const KUBECTL_WITHIN: Duration = Duration::from_secs(300);

/// Three times in a row another process would have to take one of six ports within a second.
const START_TRIES: u32 = 3;

/// What every simulated container has logged: `stages.yaml` names the file.
const POD_LOG: &str = "2026-01-01T00:00:00.000000000Z stdout F simulated container: ready\n";

/// A running control plane. Dropping it ends every process; so does the end of the test process.
pub struct ControlPlane {
    // Dropped first, in this order.
    components: Vec<Component>,
    watchdog: Watchdog,
    /// Removed after the processes are gone; on a death without drops by the watchdog.
    scratch: Option<TempDir>,
    dir: PathBuf,
    tools: Tools,
    server: String,
    authority: Authority,
    admin: Identity,
}

static SHARED: OnceLock<Result<Result<ControlPlane, StartError>, ToolsError>> = OnceLock::new();

impl ControlPlane {
    /// Starts a control plane with its files and logs in `dir`, which is made if need be.
    ///
    /// Returns when the API answers, the default service account exists (the controller-manager
    /// works), the scheduler is ready and two simulated nodes are `Ready`.
    /// Blocks; in async code call it where blocking is allowed.
    pub fn start(tools: &Tools, dir: &Path) -> Result<Self, StartError> {
        Self::start_guarded(tools, dir, None)
    }

    /// Starts a control plane in a temporary folder, which goes when the control plane does.
    pub fn start_in_scratch(tools: &Tools) -> Result<Self, StartError> {
        let scratch = tempfile::Builder::new().prefix("pintle-controlplane-").tempdir();
        let scratch = scratch.map_err(at(&env::temp_dir()))?;
        let mut plane = Self::start_guarded(tools, scratch.path(), Some(scratch.path()))?;
        plane.scratch = Some(scratch);
        Ok(plane)
    }

    /// Returns the control plane that all tests of this process share, or `None` when `test` must step aside.
    ///
    /// It runs, in a temporary folder, until the process ends. Tests keep out of each other's way by
    /// namespaces, and clean up what is cluster-wide.
    ///
    /// # Panics
    /// Like [`require_or_step_aside`], and when the control plane does not start.
    #[expect(clippy::panic, reason = "called by tests: a panic is how a test fails")]
    pub fn shared(test: &str) -> Option<&'static Self> {
        let outcome = SHARED.get_or_init(|| Tools::locate_or_build().map(|tools| Self::start_in_scratch(&tools)));
        match require_or_step_aside(test, outcome.as_ref())? {
            Ok(plane) => Some(plane),
            Err(error) => panic!("{test}: {}", chain(error)),
        }
    }

    /// Returns the API server's URL.
    pub fn server_url(&self) -> &str {
        &self.server
    }

    /// Returns the certificate that signs the server's and everyone's certificates, PEM.
    pub fn authority_pem(&self) -> &str {
        &self.authority.certificate_pem
    }

    /// Returns the client certificate of `admin`, who may do everything (`system:masters`).
    pub fn admin(&self) -> &Identity {
        &self.admin
    }

    /// Returns a client certificate for `user`, who may do what RBAC says.
    pub fn identity(&self, user: &str, group: Option<&str>) -> Result<Identity, StartError> {
        Ok(self.authority.client(user, group)?)
    }

    /// Returns a kubeconfig, as text, for the holder of `identity`.
    pub fn kubeconfig_for(&self, identity: &Identity) -> String {
        kubeconfig(&self.server, self.authority_pem(), identity)
    }

    /// Returns the path of the admin's kubeconfig; it holds its certificates inside.
    pub fn kubeconfig_path(&self) -> PathBuf {
        self.dir.join("admin.kubeconfig")
    }

    /// Returns the path of the `kubectl` of the same version.
    pub fn kubectl_path(&self) -> PathBuf {
        self.tools.path("kubectl")
    }

    /// Returns the folder with the components' logs (`kube-apiserver.log`, …).
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Returns the Kubernetes version that runs, such as `v1.36.3`.
    pub fn version(&self) -> &str {
        self.tools.version()
    }

    /// Returns every process of this control plane, by name.
    pub fn processes(&self) -> Vec<(&'static str, u32)> {
        let components = self
            .components
            .iter()
            .map(|component| (component.name, component.pid()));
        components.chain([("watchdog", self.watchdog.pid())]).collect()
    }

    /// Runs `kubectl` as admin and returns what it printed.
    pub fn kubectl(&self, arguments: &[&str]) -> Result<String, KubectlError> {
        self.kubectl_with_input(arguments, "")
    }

    /// Runs `kubectl` as admin with `input` as its standard input (`apply -f -`) and returns what it printed.
    pub fn kubectl_with_input(&self, arguments: &[&str], input: &str) -> Result<String, KubectlError> {
        let mut command = Command::new(self.kubectl_path());
        command
            .args(arguments)
            .env("KUBECONFIG", self.kubeconfig_path())
            .env("KUBECACHEDIR", self.dir.join("kubectl-cache"))
            // The user's own preferences do not change what a test sees.
            .env("KUBERC", "off");
        let done = process::run(&mut command, input, KUBECTL_WITHIN)?;
        if done.status.success() {
            return Ok(done.stdout);
        }
        Err(KubectlError::Refused {
            arguments: arguments.join(" "),
            said: done.stderr.trim_end().to_owned(),
        })
    }

    fn start_guarded(tools: &Tools, dir: &Path, scratch: Option<&Path>) -> Result<Self, StartError> {
        fs::create_dir_all(dir).map_err(at(dir))?;
        let dir = fs::canonicalize(dir).map_err(at(dir))?;
        for _ in 1..START_TRIES {
            match Self::start_once(tools, &dir, scratch) {
                Err(error) if error.is_port_taken() => {}
                outcome => return outcome,
            }
        }
        Self::start_once(tools, &dir, scratch)
    }

    fn start_once(tools: &Tools, dir: &Path, scratch: Option<&Path>) -> Result<Self, StartError> {
        let ports = Ports::free().map_err(StartError::Port)?;
        let mut plane = Self::prepare(tools, dir, scratch, &ports)?;

        plane.spawn("etcd", flags::etcd(&ports))?;
        plane.until_ready("etcd", |_| {
            TcpStream::connect((Ipv4Addr::LOCALHOST, ports.etcd))
                .map(drop)
                .map_err(|error| error.to_string())
        })?;
        plane.spawn("kube-apiserver", flags::apiserver(&ports))?;
        plane.until_ready("kube-apiserver", |plane| plane.probe(&["get", "--raw", "/readyz"]))?;

        plane.kubectl(&[
            "create",
            "--validate=false",
            "-f",
            &tools::module_dir().join("nodes.yaml").to_string_lossy(),
        ])?;
        plane.spawn("kube-controller-manager", flags::controller_manager(&ports))?;
        plane.spawn("kube-scheduler", flags::scheduler(&ports))?;
        plane.spawn("kwok", flags::kwok(&ports, &tools::module_dir().join("stages.yaml")))?;
        // Pods are refused until their service account exists.
        plane.until_ready("kube-controller-manager", |plane| {
            plane.probe(&["get", "serviceaccount", "default"])
        })?;
        let scheduler = format!("--server=https://127.0.0.1:{}", ports.scheduler);
        plane.until_ready("kube-scheduler", |plane| {
            plane.probe(&["get", "--raw", "/readyz", &scheduler])
        })?;
        plane.until_ready("kwok", |plane| {
            plane.probe(&["wait", "nodes", "--all", "--for=condition=Ready", "--timeout=2s"])
        })?;
        Ok(plane)
    }

    /// Makes everything the components read: certificates, keys, kubeconfigs.
    fn prepare(tools: &Tools, dir: &Path, scratch: Option<&Path>, ports: &Ports) -> Result<Self, StartError> {
        // A try before this one may have left data of an etcd that listened elsewhere.
        let data = dir.join("etcd");
        if data.exists() {
            fs::remove_dir_all(&data).map_err(at(&data))?;
        }
        let authority = Authority::new()?;
        let server = format!("https://127.0.0.1:{}", ports.apiserver);
        let write = |name: &str, text: &str| {
            let path = dir.join(name);
            fs::write(&path, text).map_err(at(&path))
        };
        write("ca.crt", &authority.certificate_pem)?;
        write("pod.log", POD_LOG)?;
        authority.server()?.write(dir, "server").map_err(at(dir))?;
        certificates::write_service_account_key(dir)?;
        let admin = authority.client("admin", Some("system:masters"))?;
        for (name, identity) in [
            ("admin", &admin),
            (
                "controller-manager",
                &authority.client("system:kube-controller-manager", None)?,
            ),
            ("scheduler", &authority.client("system:kube-scheduler", None)?),
            ("kwok", &authority.client("kwok", None)?),
        ] {
            write(
                &format!("{name}.kubeconfig"),
                &kubeconfig(&server, &authority.certificate_pem, identity),
            )?;
        }
        let watchdog = Watchdog::start(scratch);
        let watchdog = watchdog.map_err(|source| StartError::Spawn {
            component: "watchdog",
            source,
        })?;
        Ok(Self {
            components: Vec::new(),
            watchdog,
            scratch: None,
            dir: dir.to_owned(),
            tools: tools.clone(),
            server,
            authority,
            admin,
        })
    }

    fn spawn(&mut self, name: &'static str, arguments: Vec<OsString>) -> Result<(), StartError> {
        let program = self.tools.path(name);
        let component = Component::spawn(name, &program, arguments, &self.dir, &mut self.watchdog)?;
        self.components.push(component);
        Ok(())
    }

    /// Probes until it succeeds, as long as every component runs.
    fn until_ready(
        &mut self,
        component: &'static str,
        probe: impl Fn(&Self) -> Result<(), String>,
    ) -> Result<(), StartError> {
        let started = Instant::now();
        loop {
            let seen = probe(self);
            for running in &mut self.components {
                running.check_running()?;
            }
            match seen {
                Ok(()) => return Ok(()),
                Err(last_seen) if started.elapsed() >= READY_WITHIN => {
                    let log = self.components.iter().find(|running| running.name == component);
                    let log = log.map(Component::log_tail).unwrap_or_default();
                    return Err(StartError::NotReady {
                        component,
                        within: READY_WITHIN,
                        last_seen,
                        log,
                    });
                }
                Err(_) => thread::sleep(Duration::from_millis(100)),
            }
        }
    }

    fn probe(&self, arguments: &[&str]) -> Result<(), String> {
        let mut bounded = vec!["--request-timeout=5s"];
        bounded.extend(arguments);
        self.kubectl(&bounded).map(drop).map_err(|error| chain(&error))
    }
}
