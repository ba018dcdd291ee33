//! A whole world for one scenario: a plane, a Git repository over HTTP, a user, and Pintle, which can be killed.
//!
//! Scenarios speak only through this type, so that each runs on kubesim and on the real control plane alike. Everything a scenario makes has
//! names of its own ([`World::own`]): scenarios share a real control plane and run side by side.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "called by tests: a panic is how a test fails"
)]

mod api;
mod git;
mod pintle;
mod wire;

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use pintle_kubesim::{Clock, Faults, KubeSim};
use pintle_model::application::{ConditionType, HealthStatusCode, OperationPhase, SyncStatusCode};
use pintle_model::project::AppProject;
use pintle_model::{Application, Object, to_json_string};
use pintle_repo::{Counts, RepositoryLimits};
use serde_json::{Value, json};
use tokio::sync::watch;

pub use self::api::{Api, USER};
use self::git::{Git, SHOP};
use self::pintle::{Connection, Pintle};
pub use self::wire::{Death, Line, SentWrite, is_refusal};
use self::wire::{Wire, WireLog};
use crate::controlplane::ControlPlane;

/// How long anything may take. Seconds on an idle machine; tests run side by side on a busy one.
const PATIENCE: Duration = Duration::from_secs(90);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);

static WORLDS: AtomicU32 = AtomicU32::new(0);

enum Plane {
    Simulated {
        sim: KubeSim,
        log: Arc<WireLog>,
        driver: tokio::task::JoinHandle<()>,
    },
    Real(&'static ControlPlane),
}

/// See the module.
pub struct World {
    id: String,
    plane: Plane,
    api: Api,
    git: Git,
    pintle: Option<Pintle>,
    line: Arc<watch::Sender<Line>>,
    processes: u32,
    limits: RepositoryLimits,
    scratch: tempfile::TempDir,
}

impl World {
    /// A world on kubesim, with the default project and no Pintle yet.
    pub async fn simulated() -> Self {
        let sim = KubeSim::with_workloads(Clock::real(), 7);
        let driven = sim.clone();
        let driver = tokio::spawn(async move { driven.run().await });
        let api = Api::new(kube::Client::new(sim.service(), "default"));
        let log = Arc::default();
        Self::furnished(Plane::Simulated { sim, log, driver }, api).await
    }

    /// A world on the real control plane; `None` when `test` must step aside on this machine.
    pub async fn real(test: &str) -> Option<Self> {
        let test = test.to_owned();
        let plane = tokio::task::spawn_blocking(move || ControlPlane::shared(&test)).await;
        let plane = plane.unwrap_or_else(|e| std::panic::resume_unwind(e.into_panic()))?;
        let kubeconfig = kube::config::Kubeconfig::read_from(plane.kubeconfig_path()).expect("it is sound");
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &Default::default()).await;
        let client = kube::Client::try_from(config.expect("it is sound")).expect("it is sound");
        Some(Self::furnished(Plane::Real(plane), Api::new(client)).await)
    }

    async fn furnished(plane: Plane, api: Api) -> Self {
        let scratch = tempfile::tempdir().expect("a scratch folder can be made");
        let git = Git::start(scratch.path()).await;
        let world = Self {
            id: format!("s{}", WORLDS.fetch_add(1, Ordering::Relaxed)),
            plane,
            api,
            git,
            pintle: None,
            line: Arc::new(watch::Sender::new(Line::Up)),
            processes: 0,
            limits: RepositoryLimits::default(),
            scratch,
        };
        for (_, crd) in pintle_model::crd::crds() {
            world.create(&crd).await;
        }
        world.namespace(&world.control()).await;
        let project = AppProject::allow_all(&world.control()).to_object();
        let project = to_json_string(project.value());
        // The kinds are served a moment after their definitions are stored.
        world
            .until("the default project can be created", async || {
                world.api.create(&project).await.map_err(|e| e.to_string())
            })
            .await;
        world
    }

    // --- names -----------------------------------------------------------------------------------------------------------------------

    /// A name that only this scenario uses.
    pub fn own(&self, name: &str) -> String {
        format!("{name}-{}", self.id)
    }

    /// The namespace of its Applications, projects and settings.
    pub fn control(&self) -> String {
        self.own("control")
    }

    /// The clone URL of its repository.
    pub fn repo_url(&self) -> String {
        self.git.url(SHOP)
    }

    /// The clone URL of another repository of this scenario, made by [`World::make_repository`].
    pub fn url_of(&self, repository: &str) -> String {
        self.git.url(repository)
    }

    // --- given -----------------------------------------------------------------------------------------------------------------------

    /// Makes a namespace, named as given.
    pub async fn namespace(&self, name: &str) {
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        self.create(&object.to_string()).await;
    }

    /// Creates objects as a user would.
    pub async fn create(&self, yaml: &str) {
        self.api
            .create(yaml)
            .await
            .unwrap_or_else(|e| panic!("create: {e}\n{yaml}"));
    }

    /// Creates the Application `name` and the namespace of the same name, to deploy the folder `name` into it. Its spec is the usual one
    /// changed by `change`, a JSON merge patch. Name, namespace and labels are this scenario's own.
    pub async fn application(&self, name: &str, change: Value) {
        let own = self.own(name);
        self.namespace(&own).await;
        let mut spec = json!({
            "project": "default",
            "source": {"repoURL": self.repo_url(), "path": name, "targetRevision": "main"},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": own},
        });
        merge(&mut spec, change);
        let application = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {
                "name": own, "namespace": self.control(),
                "finalizers": ["resources-finalizer.argocd.argoproj.io"],
            },
            "spec": spec,
        });
        self.create(&application.to_string()).await;
    }

    /// Makes one more empty Git repository, on the same server.
    pub async fn make_repository(&self, repository: &str) {
        self.git.make(repository).await;
    }

    /// Creates a repository Secret with these fields, or changes it.
    pub async fn repository_secret(&self, name: &str, fields: Value) {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {
                "name": name, "namespace": self.control(),
                "labels": {"argocd.argoproj.io/secret-type": "repository"},
            },
            "stringData": fields,
        });
        if self.api.get("Secret", &self.control(), name).await.is_some() {
            self.api.patch("Secret", &self.control(), name, &secret).await;
        } else {
            self.create(&secret.to_string()).await;
        }
    }

    /// Trusts an authority for a host.
    pub async fn trust(&self, host: &str, authority_pem: &str) {
        let authorities = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {
                "name": "argocd-tls-certs-cm", "namespace": self.control(),
                "labels": {"app.kubernetes.io/part-of": "argocd"},
            },
            "data": {host: authority_pem},
        });
        self.create(&authorities.to_string()).await;
    }

    /// How long Pintle waits for chart repositories and registries, from the next start on.
    pub fn limits(&mut self) -> &mut RepositoryLimits {
        &mut self.limits
    }

    /// Starts Pintle.
    pub async fn start(&mut self) {
        self.start_to_die(None).await;
    }

    /// Starts Pintle, to die in the middle of what it writes (kubesim only).
    pub async fn start_to_die(&mut self, death: Option<Death>) {
        assert!(self.pintle.is_none(), "one Pintle at a time");
        self.processes += 1;
        self.line = Arc::new(watch::Sender::new(Line::Up));
        let connection = match &self.plane {
            Plane::Simulated { sim, log, .. } => Connection::Wire(Wire::new(
                self.processes,
                sim.service(),
                Arc::clone(log),
                death,
                Arc::clone(&self.line),
            )),
            Plane::Real(plane) => {
                assert_eq!(death, None, "only the wire to kubesim can be cut");
                Connection::Kubeconfig(plane.kubeconfig_path())
            }
        };
        let directory = self.scratch.path().join("state");
        self.pintle = Some(Pintle::start(connection, &self.control(), &directory, self.limits.clone()).await);
    }

    /// Kills Pintle where it stands.
    pub fn kill(&mut self) {
        // Nothing of it reaches the API server from here on, whatever its threads are still at.
        self.line.send_replace(Line::Dead);
        self.pintle = None;
    }

    /// Waits until Pintle has died as it was told to when it was started; false if that does not happen within `patience`.
    pub async fn died(&self, patience: Duration) -> bool {
        let mut line = self.line.subscribe();
        let dead = line.wait_for(|l| *l == Line::Dead);
        tokio::time::timeout(patience, dead).await.is_ok()
    }

    // --- when ------------------------------------------------------------------------------------------------------------------------

    /// Commits files (`None` removes one), pushes them over HTTP and lets the Git server's hint reach Pintle. Returns the commit.
    pub async fn push(&mut self, files: &[(&str, Option<&str>)]) -> String {
        let commit = self.git.push(SHOP, files).await;
        self.hint();
        commit
    }

    /// The same without a word to Pintle, as where nobody has set up a webhook.
    pub async fn push_quietly(&mut self, files: &[(&str, Option<&str>)]) -> String {
        self.git.push(SHOP, files).await
    }

    /// [`World::push`] for files that a program wrote.
    pub async fn push_files(&mut self, files: &[(String, String)]) -> String {
        let files: Vec<_> = files.iter().map(|(p, c)| (p.as_str(), Some(c.as_str()))).collect();
        self.push(&files).await
    }

    /// The same in another repository. Its hint names that repository.
    pub async fn push_to(&mut self, repository: &str, files: &[(&str, Option<&str>)]) -> String {
        let commit = self.git.push(repository, files).await;
        self.hint_url(&self.git.url(repository));
        commit
    }

    /// Where the scenario's clone of its repository is: what is put there goes along with the next push.
    pub fn work_tree(&self) -> std::path::PathBuf {
        self.git.clone_of(SHOP)
    }

    /// Undoes the last commit by a new one.
    pub async fn revert(&mut self) -> String {
        let commit = self.git.revert().await;
        self.hint();
        commit
    }

    /// Tags the last commit.
    pub async fn tag(&mut self, name: &str) {
        self.git.tag(name).await;
        self.hint();
    }

    /// Pushes many tags of the last commit at once.
    pub async fn tags(&mut self, names: &[String]) {
        self.git.tags(names).await;
        self.hint();
    }

    /// Tells Pintle that the repository may have moved.
    pub fn hint(&self) {
        self.hint_url(&self.repo_url());
    }

    /// Tells Pintle that any repository may have moved.
    pub fn hint_url(&self, url: &str) {
        if let Some(pintle) = &self.pintle {
            pintle.hint(url);
        }
    }

    /// Asks for a look at the sources, as `argocd app get --refresh` does: by an annotation.
    pub async fn refresh(&self, name: &str) {
        let asked = json!({"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}});
        self.patch("Application", name, &self.own(name), &asked).await;
    }

    /// The repository's server.
    pub fn git(&mut self) -> &mut Git {
        &mut self.git
    }

    /// Cuts Pintle off from the API server, or joins them again (kubesim only).
    pub fn line(&self, line: Line) {
        self.line.send_replace(line);
    }

    /// Says what goes wrong with writes (kubesim only).
    pub fn faults(&self, faults: Option<Arc<dyn Faults>>) {
        match &self.plane {
            Plane::Simulated { sim, .. } => sim.writes().set_faults(faults),
            Plane::Real(_) => panic!("only kubesim fails on purpose"),
        }
    }

    /// Asks for an operation, as `argocd app sync` does: by the Application's `operation` field.
    pub async fn operate(&self, name: &str, sync: Value) {
        let operation = json!({"operation": {"sync": sync, "initiatedBy": {"username": "admin"}}});
        self.patch("Application", name, &self.own(name), &operation).await;
    }

    /// Changes the spec of an Application by a merge patch.
    pub async fn respec(&self, name: &str, change: Value) {
        self.patch("Application", name, &self.own(name), &json!({"spec": change}))
            .await;
    }

    /// Changes an object in the namespace of an application, past Pintle; an Application or AppProject in the control namespace.
    pub async fn patch(&self, kind: &str, app: &str, name: &str, patch: &Value) {
        let namespace = self.namespace_of(kind, app);
        self.api.patch(kind, &namespace, name, patch).await;
    }

    /// Deletes an object in the namespace of an application, past Pintle; an Application or AppProject in the control namespace.
    pub async fn delete(&self, kind: &str, app: &str, name: &str) {
        let namespace = self.namespace_of(kind, app);
        self.api.delete(kind, &namespace, name).await;
    }

    // --- then ------------------------------------------------------------------------------------------------------------------------

    /// Reads an object in the namespace of an application.
    pub async fn get(&self, kind: &str, app: &str, name: &str) -> Option<Value> {
        self.api.get(kind, &self.namespace_of(kind, app), name).await
    }

    /// Lists objects in the namespace of an application.
    pub async fn list(&self, kind: &str, app: &str) -> Vec<Value> {
        self.api.list(kind, &self.namespace_of(kind, app)).await
    }

    /// The Application, which is there.
    pub async fn app(&self, name: &str) -> Application {
        let own = self.own(name);
        let found = self.get("Application", name, &own).await;
        typed(&found.unwrap_or_else(|| panic!("the application {own} is not there")))
    }

    /// The value of the one key of a ConfigMap of an application.
    pub async fn config(&self, app: &str, name: &str) -> Option<String> {
        let object = self.get("ConfigMap", app, name).await?;
        Some(object["data"]["key"].as_str()?.to_owned())
    }

    /// The image of the first container of a Deployment of an application.
    pub async fn image(&self, app: &str, name: &str) -> Option<String> {
        let object = self.get("Deployment", app, name).await?;
        let image = &object["spec"]["template"]["spec"]["containers"][0]["image"];
        Some(image.as_str()?.to_owned())
    }

    /// What the repositories of the Pintle that runs have done since it was started: its metrics.
    pub fn counts(&self) -> Counts {
        self.pintle.as_ref().expect("a Pintle runs").counts()
    }

    /// Whether [`World::writes`] can tell: on kubesim.
    pub fn sees_writes(&self) -> bool {
        matches!(self.plane, Plane::Simulated { .. })
    }

    /// Every write of every Pintle of this world so far, Events and dry runs left out (kubesim only).
    pub fn writes(&self) -> Vec<SentWrite> {
        match &self.plane {
            Plane::Simulated { log, .. } => log.writes(),
            Plane::Real(_) => panic!("writes are seen on kubesim only"),
        }
    }

    /// Waits until the Application has this sync status and health.
    pub async fn until_is(&self, name: &str, sync: SyncStatusCode, health: HealthStatusCode) -> Application {
        let what = format!("{name} is {sync} and {health}");
        self.until_app(name, &what, |app| {
            app.status.sync.status == sync && app.status.health.status == health
        })
        .await
    }

    /// Waits until the Application is Synced and Healthy at `revision`, and no operation runs.
    pub async fn until_settled(&self, name: &str, revision: &str) -> Application {
        let what = format!("{name} is Synced and Healthy at {revision}, with nothing under way");
        self.until_app(name, &what, |app| {
            app.status.sync.status == SyncStatusCode::Synced
                && app.status.health.status == HealthStatusCode::Healthy
                && app.status.sync.revision == revision
                && app.operation.is_none()
                && app.status.conditions.is_empty()
        })
        .await
    }

    /// Waits until an operation on `revision` has ended, and returns the Application then.
    pub async fn until_ended(&self, name: &str, revision: &str, phase: OperationPhase) -> Application {
        let what = format!("an operation of {name} to {revision} ends {phase}");
        self.until_app(name, &what, |app| {
            let state = app.status.operation_state.as_ref();
            let at = state.and_then(|s| s.sync_result.as_ref()).map(|r| r.revision.as_str());
            app.operation.is_none() && at == Some(revision) && state.is_some_and(|s| s.phase == phase)
        })
        .await
    }

    /// Waits until the Application has a condition of this type whose message has all of `parts`. Returns the message.
    pub async fn until_condition(&self, name: &str, kind: ConditionType, parts: &[&str]) -> String {
        let what = format!("{name} has the condition {kind} with {parts:?}");
        let found = |app: &Application| {
            let conditions = app.status.conditions.iter().filter(|c| c.kind == kind);
            conditions
                .map(|c| c.message.clone())
                .find(|m| parts.iter().all(|part| m.contains(part)))
        };
        let app = self.until_app(name, &what, |app| found(app).is_some()).await;
        found(&app).expect("it was there")
    }

    /// Waits until the Application is as wanted.
    pub async fn until_app(&self, name: &str, what: &str, wanted: impl Fn(&Application) -> bool) -> Application {
        self.until(what, async || {
            let app = self.app(name).await;
            if wanted(&app) { Ok(app) } else { Err(summary(&app)) }
        })
        .await
    }

    /// Waits until `look` says `Ok`; `Err` is what was seen instead. Fails the test, with the state of every application, when it takes
    /// longer than anything may.
    pub async fn until<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Result<T, String>) -> T {
        let since = Instant::now();
        loop {
            match look().await {
                Ok(seen) => return seen,
                Err(seen) if since.elapsed() > PATIENCE => {
                    panic!(
                        "not within {PATIENCE:?}: {what}\nlast seen: {seen}\n{}",
                        self.state().await
                    )
                }
                Err(_) => tokio::time::sleep(LOOK).await,
            }
        }
    }

    /// Waits until a condition of the world holds.
    pub async fn until_true(&self, what: &str, mut holds: impl AsyncFnMut() -> bool) {
        self.until(what, async || {
            if holds().await {
                Ok(())
            } else {
                Err("not so".to_owned())
            }
        })
        .await;
    }

    /// Looks for a while whether something that must not happen happens.
    pub async fn never(&self, what: &str, within: Duration, mut happens: impl AsyncFnMut() -> bool) {
        let since = Instant::now();
        while since.elapsed() < within {
            if happens().await {
                panic!("it happened: {what}\n{}", self.state().await);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn namespace_of(&self, kind: &str, app: &str) -> String {
        if matches!(kind, "Application" | "AppProject") {
            self.control()
        } else {
            self.own(app)
        }
    }

    async fn state(&self) -> String {
        let mut text = String::new();
        for app in self.list("Application", "").await {
            let _ = writeln!(text, "{}\n{}", summary(&typed(&app)), app["status"]);
        }
        text
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.pintle = None;
        if let Plane::Simulated { driver, .. } = &self.plane {
            driver.abort();
        }
    }
}

fn typed(value: &Value) -> Application {
    let mut value = value.clone();
    // Items of a list do not say what they are.
    merge(
        &mut value,
        json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application"}),
    );
    let object = Object::from_json(value.to_string().as_bytes());
    let app = object.map(|o| Application::from_object(&o));
    match app {
        Ok(Ok(app)) => app,
        Ok(Err(e)) => panic!("an Application cannot be read: {e}\n{value}"),
        Err(e) => panic!("no object: {e}\n{value}"),
    }
}

/// One application in one line, with its conditions and its operation.
fn summary(app: &Application) -> String {
    let mut text = format!(
        "{}: {} {} at {:?}",
        app.metadata.name, app.status.sync.status, app.status.health.status, app.status.sync.revision
    );
    if let Some(state) = &app.status.operation_state {
        let _ = write!(text, ", operation {} ({})", state.phase, state.message);
    }
    if app.operation.is_some() {
        text.push_str(", operation asked for");
    }
    for condition in &app.status.conditions {
        let _ = write!(text, ", {}: {}", condition.kind, condition.message);
    }
    text
}

/// RFC 7386.
fn merge(into: &mut Value, patch: Value) {
    match patch {
        Value::Object(fields) => {
            if !into.is_object() {
                *into = json!({});
            }
            for (name, value) in fields {
                if value.is_null() {
                    if let Some(map) = into.as_object_mut() {
                        map.remove(&name);
                    }
                } else {
                    merge(&mut into[name.as_str()], value);
                }
            }
        }
        other => *into = other,
    }
}
