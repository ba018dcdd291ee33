//! Stock kubectl against the listener. Steps aside, aloud, where there is no kubectl.

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
        let sim = KubeSim::new(Clock::real(), 1);
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

    #[track_caller]
    fn ok<'a>(&'a self, args: &'a [&'a str], input: &'a str) -> impl Future<Output = String> + 'a {
        async move {
            let (ok, text) = self.run(args, input).await;
            assert!(ok, "kubectl {args:?}: {text}");
            text
        }
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
            .is_some_and(|row| row.starts_with(&["web", "0/2", "0", "0"])),
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

async fn wait_for(file: &Path, text: &str) {
    for _ in 0..300 {
        if std::fs::read_to_string(file).is_ok_and(|t| t.contains(text)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{text:?} does not come: {:?}", std::fs::read_to_string(file));
}
