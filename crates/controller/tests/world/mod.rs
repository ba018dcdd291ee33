//! A whole small world in one process: kubesim with workloads, a Git repository, a controller.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    dead_code,
    missing_docs
)]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use pintle_cluster::{Cluster, LeaseGuard};
use pintle_controller::{Controller, ControllerConfig};
use pintle_engine::ClusterId;
use pintle_kubesim::{Clock, GroupResource, KubeSim};
use pintle_model::project::AppProject;
use pintle_model::{Application, Object, Value, to_json_string, yaml_objects};
use pintle_repo::Repositories;

pub struct World {
    pub sim: KubeSim,
    pub controller: Option<Controller>,
    pub directory: tempfile::TempDir,
    pub repositories: Repositories,
    running: tokio::task::JoinHandle<()>,
}

impl Drop for World {
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl World {
    /// Starts everything but the controller.
    pub async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let sim = KubeSim::new(Clock::real(), 7);
        for controller in pintle_kubesim::workload::controllers(7) {
            sim.add_controller(controller);
        }
        let driven = sim.clone();
        let running = tokio::spawn(async move { driven.run().await });
        let repositories = Repositories::new(directory.path().join("state"));
        let world = Self {
            sim,
            controller: None,
            directory,
            repositories,
            running,
        };
        std::fs::create_dir_all(world.git_path()).unwrap();
        world.git(&["init", "--quiet", "--initial-branch=main", "."]);
        for (_, yaml) in pintle_model::crd::crds() {
            world.apply(&yaml);
        }
        for namespace in ["argocd", "dev", "prod"] {
            world.apply(&format!(
                "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {namespace}\n"
            ));
        }
        for crd in ["applications.argoproj.io", "appprojects.argoproj.io"] {
            world
                .until("the CRDs are established", || {
                    let crd = world.get("apiextensions.k8s.io", "customresourcedefinitions", "", crd);
                    crd.is_some_and(|c| to_json_string(c.value()).contains(r#""status":"True","type":"Established""#))
                })
                .await;
        }
        let project = AppProject::allow_all("argocd").to_object();
        world.until_applied(project).await;
        world
    }

    pub fn cluster(&self) -> Cluster {
        let client = kube::Client::new(self.sim.service(), "argocd");
        Cluster::from_client(ClusterId::in_cluster(), "https://kubesim", client, "test")
    }

    pub async fn start(&mut self) {
        let config = ControllerConfig {
            cluster: self.cluster(),
            repositories: self.repositories.clone(),
            control_namespace: "argocd".into(),
            identity: "test".into(),
            lease: LeaseGuard::not_needed(),
        };
        self.controller = Some(Controller::start(config).await.unwrap());
    }

    pub fn git_path(&self) -> std::path::PathBuf {
        self.directory.path().join("upstream")
    }

    pub fn repo_url(&self) -> String {
        format!("file://{}", self.git_path().display())
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        let out = Command::new("git")
            .current_dir(self.git_path())
            .args(["-c", "user.name=t", "-c", "user.email=t@t"])
            .args(arguments)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .unwrap();
        assert!(
            out.status.success(),
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&out.stderr)
        );
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    }

    /// Commits files (`None` removes one) and hints the controller.
    pub fn push(&self, files: &[(&str, Option<&str>)]) -> String {
        for (path, content) in files {
            let file = self.git_path().join(path);
            match content {
                Some(content) => {
                    std::fs::create_dir_all(file.parent().unwrap_or(Path::new("."))).unwrap();
                    std::fs::write(file, content).unwrap();
                }
                None => std::fs::remove_file(file).unwrap(),
            }
        }
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "change"]);
        if let Some(controller) = &self.controller {
            controller.hint(&self.repo_url());
        }
        self.git(&["rev-parse", "HEAD"])
    }

    pub fn apply(&self, yaml: &str) {
        for object in yaml_objects(yaml) {
            self.put(object.result.unwrap());
        }
    }

    pub fn resource(&self, object: &Object) -> GroupResource {
        let plural = match object.kind() {
            "NetworkPolicy" => "networkpolicies".to_owned(),
            kind => format!("{}s", kind.to_lowercase()),
        };
        GroupResource::new(object.group(), &*plural)
    }

    /// Creates an object as `kubectl create` would, through the API.
    pub fn put(&self, object: Object) {
        let resource = self.resource(&object);
        if let Err(e) = self.sim.store().create(&resource, object) {
            panic!("{e}");
        }
    }

    async fn until_applied(&self, object: Object) {
        let resource = self.resource(&object);
        self.until("it can be created", || {
            self.sim.store().create(&resource, object.clone()).is_ok()
        })
        .await;
    }

    pub fn get(&self, group: &str, resource: &str, namespace: &str, name: &str) -> Option<Object> {
        self.sim
            .store()
            .get(&GroupResource::new(group, resource), namespace, name)
            .ok()
    }

    pub fn app(&self, name: &str) -> Application {
        let object = self
            .get("argoproj.io", "applications", "argocd", name)
            .expect("the application is there");
        Application::from_object(&object).unwrap()
    }

    /// Changes an object in the store, as someone with kubectl would.
    pub fn change(&self, group: &str, resource: &str, namespace: &str, name: &str, change: impl Fn(&mut Value)) {
        for _ in 0..20 {
            let mut object = self.get(group, resource, namespace, name).expect("it is there");
            change(object.value_mut());
            if self
                .sim
                .store()
                .update(&GroupResource::new(group, resource), object)
                .is_ok()
            {
                return;
            }
        }
        panic!("{name} could not be changed");
    }

    pub async fn until(&self, what: &str, mut done: impl FnMut() -> bool) {
        let mut changes = self.sim.store().subscribe();
        let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
        while !done() {
            let tick = tokio::time::sleep(Duration::from_millis(50));
            tokio::select! {
                _ = changes.changed() => {}
                () = tick => {}
            }
            if tokio::time::Instant::now() > deadline {
                let apps = self
                    .sim
                    .store()
                    .list(&GroupResource::new("argoproj.io", "applications"), None);
                let apps: Vec<String> = apps.objects.iter().map(|o| to_json_string(o.value())).collect();
                panic!("not within 30 s: {what}\n{}", apps.join("\n"));
            }
        }
    }
}

pub fn application(name: &str, repo_url: &str, path: &str, namespace: &str, policy: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: {name}\n  namespace: argocd\n  finalizers: [resources-finalizer.argocd.argoproj.io]\nspec:\n  \
         project: default\n  source:\n    repoURL: {repo_url}\n    path: {path}\n    targetRevision: main\n  destination:\n    server: https://kubernetes.default.svc\n    \
         namespace: {namespace}\n  syncPolicy: {policy}\n"
    )
}

pub fn config_map(name: &str, value: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  key: {value}\n")
}

pub fn deployment(name: &str, image: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\nspec:\n  replicas: 2\n  progressDeadlineSeconds: 5\n  selector:\n    matchLabels: {{app: {name}}}\n  \
         template:\n    metadata:\n      labels: {{app: {name}}}\n    spec:\n      containers:\n      - name: web\n        image: {image}\n        resources: {{requests: {{cpu: 1000m}}}}\n"
    )
}
