//! b1: install N applications of four objects each, until all are Synced and Healthy.

use std::time::Duration;

use pintle_model::{Application, GroupKind, Object};
use pintle_repo::Counts;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::Result;
use super::child::ControllerProcess;
use super::floor::Floor;
use super::plain::Plain;
use super::report::{Report, Verdict};
use super::sources::Sources;
use super::stage::{CONTROL, Requests, Stage};
use super::watched::Watched;
use crate::Tools;
use crate::checkout::Checkout;

/// A fleet that is not there after this long is a failure, not a figure.
const WITHIN: Duration = Duration::from_secs(900);
/// The controller has listed everything and the machine is quiet again.
const SETTLED_AFTER: Duration = Duration::from_secs(3);
/// Clients that create the Applications.
const CLIENTS: usize = 8;
/// Processor time of a fleet that nothing happens to is counted over this long.
const IDLE_FOR: Duration = Duration::from_secs(10);

/// What is waited for of an Application.
pub(super) struct App {
    pub(super) synced: bool,
    pub(super) healthy: bool,
    /// The last operation has ended well, and none is asked for.
    pub(super) at_rest: bool,
    pub(super) revision: String,
}

impl App {
    fn read(object: &Object) -> Self {
        let text = |path: &[&str]| object.value().str_at(path).unwrap_or_default();
        Self {
            synced: text(&["status", "sync", "status"]) == "Synced",
            healthy: text(&["status", "health", "status"]) == "Healthy",
            at_rest: text(&["status", "operationState", "phase"]) == "Succeeded"
                && object.value().get("operation").is_none(),
            revision: text(&["status", "sync", "revision"]).to_owned(),
        }
    }

    /// Synced at `revision`, with no operation under way.
    pub(super) fn is_synced(&self, revision: &str) -> bool {
        self.synced && self.at_rest && self.revision == revision
    }

    /// Synced and Healthy at `revision`, with nothing under way.
    pub(super) fn is_done(&self, revision: &str) -> bool {
        self.is_synced(revision) && self.healthy
    }
}

/// A fleet that is installed, with its controller still running.
pub(super) struct Installed {
    pub(super) sources: Sources,
    pub(super) apps: usize,
    /// What the repositories had to do for it.
    pub(super) work: Counts,
    pub(super) controller: ControllerProcess,
    pub(super) watched: Watched<App>,
    pub(super) repository: Checkout,
    pub(super) stage: Stage,
    _directory: TempDir,
    took: Duration,
    controller_cpu: f64,
    server_cpu: f64,
    writes: u64,
    requests: Requests,
    peak_mib: f64,
    idle_mib: f64,
    idle_cpu: f64,
    idle_writes: u64,
}

/// Installs `apps` applications with a controller that is already running.
pub(super) async fn install(tools: &Tools, sources: Sources, apps: usize) -> Result<Installed> {
    let stage = Stage::new(tools).await?;
    let repository = sources.repository(apps)?;
    let head = repository.head()?;
    let directory = tempfile::Builder::new().prefix("pintle-bench-").tempdir()?;
    let mut watched = Watched::start(
        &stage.cluster,
        &GroupKind::new("argoproj.io", Application::KIND),
        CONTROL,
        App::read,
    )
    .await?;
    let mut controller = ControllerProcess::start(&stage.plane.kubeconfig_path(), directory.path()).await?;
    tokio::time::sleep(SETTLED_AFTER).await;

    let requests = stage.requests().await?;
    let (server_cpu, controller_cpu) = (stage.cpu_of("kube-apiserver")?, controller.cpu_seconds()?);
    let started = Instant::now();
    create_applications(&stage, sources, apps, &repository.url()).await?;
    watched
        .until_all(apps, WITHIN, |app| app.is_done(&head))
        .await
        .map_err(|e| controller.failed(&format!("did not install the fleet: {e}")))?;
    let took = started.elapsed();
    let controller_cpu = controller.cpu_seconds()? - controller_cpu;
    let server_cpu = stage.cpu_of("kube-apiserver")? - server_cpu;
    let requests = stage.requests().await?.since(&requests);
    // The create of each is one of them.
    let writes = watched.events() - apps as u64;
    eprintln!(
        "bench: {apps} applications are there after {:.1} s; checking them",
        took.as_secs_f64()
    );
    sources.check(&stage, apps, "first").await?;

    tokio::time::sleep(SETTLED_AFTER).await;
    let (idle_cpu, idle_writes) = (controller.cpu_seconds()?, watched.events());
    tokio::time::sleep(IDLE_FOR).await;
    let idle_cpu = controller.cpu_seconds()? - idle_cpu;
    let idle_writes = watched.events() - idle_writes;
    let work = controller.counts().await?;
    let (peak_mib, idle_mib) = controller.memory_mib()?;
    Ok(Installed {
        sources,
        apps,
        work,
        controller,
        watched,
        repository,
        stage,
        _directory: directory,
        took,
        controller_cpu,
        server_cpu,
        writes,
        requests,
        peak_mib,
        idle_mib,
        idle_cpu,
        idle_writes,
    })
}

async fn create_applications(stage: &Stage, sources: Sources, apps: usize, url: &str) -> Result<()> {
    let collection = format!("/apis/argoproj.io/v1alpha1/namespaces/{CONTROL}/applications");
    let mut running: JoinSet<Result<()>> = JoinSet::new();
    for client in 0..CLIENTS {
        let plain = Plain::connect(&stage.plane.kubeconfig_path()).await?;
        let (collection, url) = (collection.clone(), url.to_owned());
        running.spawn(async move {
            for index in (client..apps).step_by(CLIENTS) {
                plain.create(&collection, &sources.application(index, &url)).await?;
            }
            Ok(())
        });
    }
    while let Some(done) = running.join_next().await {
        done??;
    }
    Ok(())
}

impl Installed {
    /// Adds the figures beside the floor's.
    pub(super) fn report(&self, floor: &Floor, report: &mut Report) {
        let (apps, count) = (self.apps, self.apps as f64);
        let ratio = self.took.as_secs_f64() / floor.one_client.as_secs_f64();
        let per_app = self.controller_cpu / count;
        report.add(
            "b1",
            format!("install {apps} applications x 4 objects until Synced and Healthy"),
            format!("{:.1} s, {ratio:.2} x the floor of one client", self.took.as_secs_f64()),
            Verdict::Target("2 x", ratio <= 2.0),
        );
        report.add(
            "b1",
            format!("{apps}: controller, processor"),
            format!("{:.1} CPU-s, {per_app:.4} per application", self.controller_cpu),
            Verdict::Target("0.04 CPU-s", per_app <= 0.04),
        );
        report.add(
            "b1",
            format!("{apps}: API server, processor"),
            format!("{:.1} CPU-s (floor {:.1})", self.server_cpu, floor.server_cpu),
            Verdict::None,
        );
        report.add(
            "b1",
            format!("{apps}: controller, memory"),
            format!("{:.0} MiB peak, {:.0} MiB at rest", self.peak_mib, self.idle_mib),
            Verdict::None,
        );
        report.add(
            "b1",
            format!("{apps}: writes of an Application"),
            format!("{:.2} per application", self.writes as f64 / count),
            Verdict::None,
        );
        report.add(
            "b1",
            format!("{apps}: at rest, {} s", IDLE_FOR.as_secs()),
            format!(
                "{:.2} CPU-s, {} writes of Applications",
                self.idle_cpu, self.idle_writes
            ),
            Verdict::None,
        );
        report.add_requests(self.requests.table(&floor.requests, apps));
    }
}
