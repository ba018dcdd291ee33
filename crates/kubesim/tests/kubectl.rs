//! Stock kubectl against the listener. Steps aside, aloud, where there is no kubectl.

// The whole file is a test: a panic is how one fails.
#![allow(clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use pintle_kubesim::{Clock, GroupResource, KubeSim, Server};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// A kubectl that hangs fails its test rather than the whole run.
const DEADLINE: Duration = Duration::from_secs(30);

struct World {
    sim: KubeSim,
    _server: Server,
    dir: PathBuf,
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

impl World {
    /// `None` without kubectl.
    async fn start(name: &str) -> Option<Self> {
        if Command::new("kubectl")
            .arg("version")
            .arg("--client")
            .output()
            .await
            .is_err()
        {
            eprintln!("stepping aside: no kubectl on the PATH");
            return None;
        }
        let sim = KubeSim::with_workloads(Clock::real(), 1);
        let server = sim.serve(0).await.expect("listens");
        let dir = std::env::temp_dir().join(format!("pintle-kubesim-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a directory");
        std::fs::write(dir.join("kubeconfig"), server.kubeconfig()).expect("written");
        let running = sim.clone();
        tokio::spawn(async move { running.run().await });
        Some(Self {
            sim,
            _server: server,
            dir,
        })
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("kubectl");
        command
            .args(args)
            .env("KUBECONFIG", self.dir.join("kubeconfig"))
            .env("HOME", &self.dir)
            .kill_on_drop(true);
        command
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        command
    }

    async fn run(&self, args: &[&str], input: &str) -> (bool, String) {
        let work = async {
            let mut child = self.command(args).spawn().expect("kubectl starts");
            let mut stdin = child.stdin.take().expect("a pipe");
            stdin.write_all(input.as_bytes()).await.expect("written");
            drop(stdin);
            child.wait_with_output().await.expect("ends")
        };
        let output = tokio::time::timeout(DEADLINE, work)
            .await
            .unwrap_or_else(|_| panic!("kubectl {args:?} hangs"));
        let text = [output.stdout, output.stderr]
            .map(|t| String::from_utf8_lossy(&t).into_owned())
            .concat();
        (output.status.success(), text.trim().to_owned())
    }

    async fn ok(&self, args: &[&str], input: &str) -> String {
        let (ok, text) = self.run(args, input).await;
        assert!(ok, "kubectl {args:?}: {text}");
        text
    }

    async fn refused(&self, args: &[&str], input: &str) -> String {
        let (ok, text) = self.run(args, input).await;
        assert!(!ok, "kubectl {args:?} was not refused: {text}");
        text
    }
}

const SHOP: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: "shop:1.4"}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: green}
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn apply_get_patch_scale_delete() {
    let Some(world) = World::start("apply").await else {
        return;
    };
    let applied = world.ok(&["apply", "-f", "-"], SHOP).await;
    assert_eq!(
        applied,
        "deployment.apps/web created\nservice/web created\nconfigmap/settings created"
    );
    let again = world.ok(&["apply", "-f", "-"], SHOP).await;
    assert_eq!(
        again,
        "deployment.apps/web unchanged\nservice/web unchanged\nconfigmap/settings unchanged"
    );
    let changed = SHOP.replace("1.4", "1.5").replace("colour: green", "size: big");
    let diff = world.refused(&["diff", "-f", "-"], &changed).await;
    assert!(
        diff.contains("-      - image: shop:1.4") && diff.contains("+      - image: shop:1.5"),
        "{diff}"
    );
    let applied = world.ok(&["apply", "-f", "-"], &changed).await;
    assert_eq!(
        applied,
        "deployment.apps/web configured\nservice/web unchanged\nconfigmap/settings configured"
    );
    let data = world.ok(&["get", "cm", "settings", "-o", "jsonpath={.data}"], "").await;
    assert_eq!(
        data, r#"{"size":"big"}"#,
        "what was applied before and is gone now is removed"
    );
    let table = world.ok(&["get", "deploy", "web"], "").await;
    let lines: Vec<Vec<&str>> = table.lines().map(|l| l.split_whitespace().collect()).collect();
    assert_eq!(
        lines.first().map(Vec::as_slice),
        Some(&["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"][..])
    );
    assert!(
        lines
            .get(1)
            .is_some_and(|row| matches!(row.as_slice(), ["web", ready, ..] if ready.ends_with("/2"))),
        "{table}"
    );
    assert_eq!(
        world.ok(&["scale", "deploy", "web", "--replicas=5"], "").await,
        "deployment.apps/web scaled"
    );
    world
        .ok(
            &[
                "patch",
                "deploy",
                "web",
                "--type=json",
                "-p",
                r#"[{"op":"test","path":"/spec/replicas","value":5}]"#,
            ],
            "",
        )
        .await;
    world
        .ok(
            &["patch", "deploy", "web", "-p", r#"{"spec":{"minReadySeconds":3}}"#],
            "",
        )
        .await;
    world.ok(&["set", "image", "deploy/web", "c=shop:1.6"], "").await;
    let what = "jsonpath={.spec.replicas} {.spec.minReadySeconds} {.spec.template.spec.containers[0].image} {.metadata.generation}";
    assert_eq!(
        world.ok(&["get", "deploy", "web", "-o", what], "").await,
        "5 3 shop:1.6 5"
    );
    world.ok(&["delete", "deploy", "web", "--cascade=foreground"], "").await;
    let gone = world.refused(&["get", "deploy", "web"], "").await;
    assert_eq!(
        gone,
        r#"Error from server (NotFound): deployments.apps "web" not found"#
    );
    assert!(
        world
            .sim
            .writes()
            .log()
            .iter()
            .any(|w| w.write.who == "kubectl-client-side-apply")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mistakes_are_told() {
    let Some(world) = World::start("mistakes").await else {
        return;
    };
    let typo = SHOP.replace("replicas:", "replicaz:");
    let refused = world.refused(&["apply", "-f", "-"], &typo).await;
    assert!(
        refused.contains(r#"strict decoding error: unknown field "spec.replicaz""#),
        "{refused}"
    );
    let refused = world.refused(&["apply", "-f", "-", "-n", "nowhere"], SHOP).await;
    assert!(refused.contains(r#"namespaces "nowhere" not found"#), "{refused}");
    let refused = world.refused(&["apply", "--server-side", "-f", "-"], SHOP).await;
    assert!(refused.contains("server-side apply is not served"), "{refused}");
    let bad = std::fs::read_to_string(world.dir.join("kubeconfig"))
        .expect("read")
        .replace("token: ", "token: x");
    std::fs::write(world.dir.join("kubeconfig"), bad).expect("written");
    let refused = world.refused(&["get", "--raw", "/api"], "").await;
    assert!(
        refused.contains("Unauthorized") || refused.contains("logged in"),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_sees_changes_and_definitions_serve() {
    let Some(world) = World::start("watch").await else {
        return;
    };
    let out = world.dir.join("watch");
    let file = std::fs::File::create(&out).expect("a file");
    let mut watching = world
        .command(&["get", "cm", "-w", "--output-watch-events"])
        .stdout(file)
        .spawn()
        .expect("kubectl starts");
    wait_for(&out, "kube-root-ca.crt").await;
    world.ok(&["apply", "-f", "-"], SHOP).await;
    world.ok(&["delete", "cm", "settings"], "").await;
    wait_for(&out, "DELETED").await;
    let seen = std::fs::read_to_string(&out).expect("read");
    let of = |word: &str| seen.lines().any(|l| l.starts_with(word) && l.contains("settings"));
    assert!(of("ADDED") && of("DELETED"), "{seen}");
    watching.kill().await.expect("killed");

    let definition = r#"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: ships.sea.example}
spec:
  group: sea.example
  scope: Namespaced
  names: {plural: ships, kind: Ship, shortNames: [sh]}
  versions:
  - name: v1
    served: true
    storage: true
    additionalPrinterColumns: [{name: Sails, type: integer, jsonPath: .spec.sails}]
    schema:
      openAPIV3Schema:
        type: object
        properties: {spec: {type: object, properties: {sails: {type: integer, default: 2}}}}
"#;
    world.ok(&["apply", "-f", "-"], definition).await;
    world
        .ok(
            &[
                "wait",
                "--for=condition=Established",
                "crd/ships.sea.example",
                "--timeout=10s",
            ],
            "",
        )
        .await;
    world
        .ok(
            &["apply", "-f", "-"],
            "apiVersion: sea.example/v1\nkind: Ship\nmetadata: {name: a}\nspec: {}\n",
        )
        .await;
    let table = world.ok(&["get", "sh"], "").await;
    assert_eq!(
        table.split_whitespace().collect::<Vec<_>>(),
        ["NAME", "SAILS", "a", "2"]
    );
    world.ok(&["delete", "crd", "ships.sea.example"], "").await;
    assert!(
        world
            .sim
            .store()
            .list(&GroupResource::new("sea.example", "ships"), None)
            .objects
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollout_is_watched_broken_and_undone() {
    let Some(world) = World::start("rollout").await else {
        return;
    };
    world.ok(&["apply", "-f", "-"], SHOP).await;
    let status = world
        .ok(&["rollout", "status", "deploy/web", "--timeout=20s"], "")
        .await;
    assert!(
        status.ends_with(r#"deployment "web" successfully rolled out"#),
        "{status}"
    );
    assert!(
        world
            .ok(&["logs", "deploy/web", "--tail=5"], "")
            .await
            .contains("shop:1.4")
    );
    world.ok(&["set", "image", "deploy/web", "c=shop:broken"], "").await;
    world
        .refused(&["rollout", "status", "deploy/web", "--timeout=2s"], "")
        .await;
    let pods = world.ok(&["get", "pods"], "").await;
    assert!(pods.contains("ImagePull") && pods.contains("Running"), "{pods}");
    world.ok(&["rollout", "undo", "deploy/web"], "").await;
    world
        .ok(&["rollout", "status", "deploy/web", "--timeout=20s"], "")
        .await;
    world.ok(&["delete", "deploy", "web"], "").await;
    world
        .ok(&["wait", "--for=delete", "pods", "-l", "app=web", "--timeout=20s"], "")
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn typed_commands_that_speak_protobuf() {
    let Some(world) = World::start("typed").await else {
        return;
    };
    assert_eq!(
        world.ok(&["create", "namespace", "demo"], "").await,
        "namespace/demo created"
    );
    world
        .ok(&["create", "configmap", "c", "-n", "demo", "--from-literal=a=b"], "")
        .await;
    world
        .ok(
            &["create", "secret", "generic", "s", "-n", "demo", "--from-literal=a=b"],
            "",
        )
        .await;
    world
        .ok(
            &[
                "create",
                "deployment",
                "web",
                "-n",
                "demo",
                "--image=shop:1",
                "--replicas=3",
                "--port=80",
            ],
            "",
        )
        .await;
    world
        .ok(&["expose", "deployment", "web", "-n", "demo", "--port=80"], "")
        .await;
    world
        .ok(&["autoscale", "deployment", "web", "-n", "demo", "--max=4"], "")
        .await;
    world
        .ok(
            &[
                "create",
                "job",
                "j",
                "-n",
                "demo",
                "--image=shop:1",
                "--",
                "sh",
                "-c",
                "true",
            ],
            "",
        )
        .await;
    world
        .ok(
            &["create", "role", "r", "-n", "demo", "--verb=get", "--resource=pods"],
            "",
        )
        .await;
    world
        .ok(
            &["create", "ingress", "i", "-n", "demo", "--rule=a.example/*=web:80"],
            "",
        )
        .await;
    assert_eq!(world.ok(&["auth", "can-i", "create", "pods"], "").await, "yes");
    let what =
        "jsonpath={.spec.replicas} {.spec.template.spec.containers[0].ports[0].containerPort} {.metadata.labels.app}";
    assert_eq!(
        world
            .ok(&["get", "deployment", "web", "-n", "demo", "-o", what], "")
            .await,
        "3 80 web"
    );
    let command = world
        .ok(
            &[
                "get",
                "job",
                "j",
                "-n",
                "demo",
                "-o",
                "jsonpath={.spec.template.spec.containers[0].command}",
            ],
            "",
        )
        .await;
    assert_eq!(command, r#"["sh","-c","true"]"#);
    let backend = "jsonpath={.spec.rules[0].http.paths[0].backend.service}";
    assert_eq!(
        world
            .ok(&["get", "ingress", "i", "-n", "demo", "-o", backend], "")
            .await,
        r#"{"name":"web","port":{"number":80}}"#
    );
    let refused = world.refused(&["create", "configmap", "c", "-n", "nowhere"], "").await;
    assert!(refused.contains(r#"namespaces "nowhere" not found"#), "{refused}");
    world.ok(&["delete", "namespace", "demo"], "").await;
    assert!(
        world
            .refused(&["get", "namespace", "demo"], "")
            .await
            .contains("not found")
    );
}

async fn wait_for(file: &Path, text: &str) {
    for _ in 0..300 {
        if std::fs::read_to_string(file).is_ok_and(|t| t.contains(text)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{text:?} does not come: {:?}", std::fs::read_to_string(file));
}
