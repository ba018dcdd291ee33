//! The binary against the embedded control plane with a controller and a Git repository: what a person types, and what comes back.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test starts programs and fails by panicking"
)]

use std::process::Output;
use std::time::Duration;

use pintle_cluster::{Cluster, LeaseGuard};
use pintle_controller::{Controller, ControllerConfig};
use pintle_engine::ClusterId;
use pintle_kubesim::{Clock, GroupResource, KubeSim, Server};
use pintle_model::{Object, to_json_string, yaml_objects};
use pintle_repo::Repositories;
use pintle_tests::checkout::git;

/// A rollout, a fetch and a process start take well under this.
const WITHIN: Duration = Duration::from_secs(60);

struct World {
    sim: KubeSim,
    _server: Server,
    controller: Controller,
    directory: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let sim = KubeSim::with_workloads(Clock::real(), 7);
        let running = sim.clone();
        tokio::spawn(async move { running.run().await });
        for (_, yaml) in pintle_model::crd::crds() {
            apply(&sim, "apiextensions.k8s.io", "customresourcedefinitions", &yaml);
        }
        for namespace in ["argocd", "dev"] {
            let yaml = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {namespace}}}\n");
            apply(&sim, "", "namespaces", &yaml);
        }
        for name in ["applications.argoproj.io", "appprojects.argoproj.io"] {
            let resource = GroupResource::new("apiextensions.k8s.io", "customresourcedefinitions");
            let is_served = || {
                let found = sim.store().get(&resource, "", name).ok();
                found.is_some_and(|o| to_json_string(o.value()).contains(r#""status":"True","type":"Established""#))
            };
            while !is_served() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        let server = sim.serve(0).await.unwrap();
        std::fs::write(directory.path().join("kubeconfig"), server.kubeconfig()).unwrap();
        std::fs::create_dir(directory.path().join("shop")).unwrap();
        let client = kube::Client::new(sim.service(), "argocd");
        let config = ControllerConfig {
            cluster: Cluster::from_client(ClusterId::in_cluster(), "https://kubesim", client, "test"),
            repositories: Repositories::new(directory.path().join("state")),
            control_namespace: "argocd".into(),
            identity: "test".into(),
            lease: LeaseGuard::not_needed(),
        };
        let controller = Controller::start(config).await.unwrap();
        let world = Self {
            sim,
            _server: server,
            controller,
            directory,
        };
        world.git(&["init", "--quiet", "--initial-branch=main", "."]);
        world
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }

    fn git(&self, arguments: &[&str]) -> String {
        git(&self.path("shop"), arguments).unwrap()
    }

    fn repo(&self) -> String {
        format!("file://{}", self.path("shop").display())
    }

    fn push(&self, image: &str) -> String {
        std::fs::create_dir_all(self.path("shop/web")).unwrap();
        std::fs::write(self.path("shop/web/web.yaml"), DEPLOYMENT.replace("IMAGE", image)).unwrap();
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", image]);
        self.controller.hint(&self.repo());
        self.git(&["rev-parse", "HEAD"])
    }

    /// Runs the binary; answers exit code, stdout and stderr.
    async fn pintle(&self, line: &str) -> (i32, String, String) {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_pintle"));
        command
            .args(line.split_whitespace())
            .env("KUBECONFIG", self.path("kubeconfig"))
            .env("USER", "ada")
            .env_remove("ARGOCD_SERVER")
            .stdin(std::process::Stdio::null())
            .kill_on_drop(true);
        let out = tokio::time::timeout(WITHIN, command.output()).await;
        let Output { status, stdout, stderr } = out.unwrap_or_else(|_| panic!("{line}: no end")).unwrap();
        let (stdout, stderr) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
        eprintln!("$ pintle {line}\n{stdout}{stderr}[{status}]");
        (status.code().unwrap_or(-1), stdout, stderr)
    }

    async fn ok(&self, line: &str) -> String {
        let (code, stdout, stderr) = self.pintle(line).await;
        assert_eq!(code, 0, "{line}\n{stdout}\n{stderr}");
        stdout
    }

    /// Runs what must fail with this code, saying this.
    async fn fails(&self, line: &str, code: i32, said: &str) {
        let (is, stdout, stderr) = self.pintle(line).await;
        assert!(
            is == code && stderr.contains(said),
            "{line}: exit {is}\n{stdout}\n{stderr}"
        );
    }
}

fn apply(sim: &KubeSim, group: &str, plural: &str, yaml: &str) {
    for object in yaml_objects(yaml) {
        let object: Object = object.result.unwrap();
        if let Err(e) = sim.store().create(&GroupResource::new(group, plural), object) {
            panic!("{e}");
        }
    }
}

const DEPLOYMENT: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  progressDeadlineSeconds: 5
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: IMAGE
";

#[tokio::test(flavor = "multi_thread")]
async fn an_application_from_its_first_day_to_its_last() {
    let world = World::new().await;
    let first = world.push("web:1.5");
    let repo = world.repo();

    world.fails("app get shop", 20, "hint: ").await;
    world.fails("app sync", 1, "no application is named").await;
    let create = format!("app create shop --repo {repo} --path web --revision main --dest-namespace dev");
    world
        .fails(&create, 20, "Destination server missing from app spec")
        .await;
    let create = format!("{create} --dest-server https://kubernetes.default.svc --set-finalizer");
    world
        .fails(&create.replace("--path web", "--path nowhere"), 20, "nowhere")
        .await;
    assert_eq!(world.ok(&create).await, "application 'shop' created\n");
    world.fails("app get shp", 20, "Did you mean \"shop\"?").await;

    // A first look, then a diff with nothing on one side.
    let seen = world.ok("app get shop --refresh").await;
    assert!(seen.contains("Sync Status:        OutOfSync from main"), "{seen}");
    assert_eq!(world.ok(&create).await, "application 'shop' unchanged\n");
    let (code, diff, _) = world.pintle("app diff shop").await;
    assert_eq!(code, 1);
    assert!(diff.starts_with("\n===== apps/Deployment dev/web ======\n"), "{diff}");
    assert!(diff.contains("image: web:1.5\n"), "{diff}");
    assert_eq!(world.pintle("app diff shop --exit-code=false").await.0, 0);
    world
        .fails("app diff", 2, "the name of the application is missing")
        .await;

    let synced = world.ok("app sync shop").await;
    assert!(synced.starts_with("TIMESTAMP"), "{synced}");
    assert!(synced.contains("Phase:              Succeeded"), "{synced}");
    assert!(synced.contains(&format!("Sync Revision:      {first}")), "{synced}");
    let waited = world.ok("app wait shop --health --sync --timeout 40").await;
    assert!(waited.contains("Health Status:      Healthy"), "{waited}");
    assert_eq!(world.ok("app diff shop").await, "");

    let list = world.ok("app list").await;
    assert!(
        list.contains("argocd/shop") && list.contains("Synced  Healthy  Manual"),
        "{list}"
    );
    assert_eq!(world.ok("app list -o name").await, "argocd/shop\n");
    assert!(
        world
            .ok("app list -o json")
            .await
            .starts_with("[\n  {\n    \"apiVersion\": \"argoproj.io/v1alpha1\"")
    );
    let tree = world.ok("app get shop -o tree").await;
    assert!(
        tree.contains("Deployment/web") && tree.contains("└─ReplicaSet/web-"),
        "{tree}"
    );
    assert!(tree.contains("  └─Pod/web-"), "{tree}");
    let resources = world.ok("app resources shop").await;
    assert!(
        resources.contains("apps   Deployment") && resources.contains("Pod"),
        "{resources}"
    );
    assert!(world.ok("app manifests shop").await.contains("image: web:1.5"));
    assert!(
        world
            .ok("app manifests shop --source live")
            .await
            .contains("kind: Deployment")
    );
    assert!(!world.ok("app logs shop --tail 3").await.is_empty());

    // The next version, and back.
    let second = world.push("web:1.6");
    world.ok("app get shop --hard-refresh").await;
    let (code, diff, _) = world.pintle("app diff shop").await;
    assert_eq!(code, 1);
    let changed = |sign: &str, image: &str| {
        diff.lines()
            .any(|l| l.starts_with(sign) && l.ends_with(&format!("image: {image}")))
    };
    assert!(changed("-", "web:1.5") && changed("+", "web:1.6"), "{diff}");
    let (code, diff, _) = world.pintle(&format!("app diff shop --revision {first}")).await;
    assert_eq!((code, diff.as_str()), (0, ""), "what runs is that revision");
    world.ok("app sync shop").await;
    let history = world.ok("app history shop").await;
    for revision in [&first, &second] {
        assert!(history.contains(revision.get(..7).unwrap()), "{history}");
    }
    let back = world.ok("app rollback shop").await;
    assert!(back.contains(&format!("Sync Revision:      {first}")), "{back}");

    // A commit that does not render is no commit without changes.
    world.push("web: [");
    world.ok("app get shop --refresh").await;
    world.fails("app diff shop", 20, "ComparisonError").await;
    let (code, diff, _) = world.pintle(&format!("app diff shop --revision {first}")).await;
    assert_eq!((code, diff.as_str()), (0, ""), "a revision that is named is compared");
    world.push("web:1.6");
    world.ok("app get shop --refresh").await;

    // Automated sync keeps a rollback away; other changes of the spec arrive.
    world.ok("app set shop --sync-policy automated --self-heal").await;
    world.fails("app rollback shop", 20, "auto-sync").await;
    world.ok("app wait shop --sync --health --operation --timeout 40").await;
    assert!(
        world
            .ok("app get shop")
            .await
            .contains("Sync Policy:        Automated\n")
    );
    world
        .fails("app sync shop --local .", 20, "not supported by this version")
        .await;
    world
        .fails("app terminate-op shop", 20, "No operation is in progress")
        .await;

    assert!(world.ok("proj list").await.contains("default"));
    world.fails("app delete shop", 1, "-y answers yes").await;
    world.ok("app delete shop -y --wait").await;
    let gone = world
        .sim
        .store()
        .get(&GroupResource::new("apps", "deployments"), "dev", "web");
    assert!(gone.is_err(), "what it deployed went with it");
}

#[tokio::test(flavor = "multi_thread")]
async fn repositories_are_tried_before_they_are_kept() {
    let world = World::new().await;
    world.push("web:1.5");
    let repo = world.repo();
    assert_eq!(
        world.ok(&format!("repo add {repo}")).await,
        format!("Repository '{repo}' added\n")
    );
    let list = world.ok("repo list").await;
    assert!(
        list.starts_with("TYPE  NAME  REPO") && list.contains("Successful"),
        "{list}"
    );
    let missing = format!("file://{}", world.path("nothing").display());
    world
        .fails(
            &format!("repo add {missing}"),
            20,
            "error testing repository connectivity",
        )
        .await;
    world.ok(&format!("repo rm {repo}")).await;
    assert_eq!(world.ok("repo list -o url").await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_cluster_is_told_with_a_next_step() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_pintle"));
    command
        .args(["app", "list", "--kubeconfig"])
        .arg(directory.path().join("none"));
    let out = command.output().await.unwrap();
    let said = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(20), "{said}");
    assert!(
        said.contains("cannot use") && said.contains("hint: set KUBECONFIG"),
        "{said}"
    );
}
