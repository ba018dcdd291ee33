//! The control plane itself: what scenarios may rely on.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "helpers of tests: they fail by panicking and look at processes"
)]

use std::{fs, path::Path, time::Duration};

use pintle_tests::{ControlPlane, Tools, chain::chain, require_or_step_aside, wait_until};

const WITHIN: Duration = Duration::from_secs(60);

const DEPLOYMENTS: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: good, namespace: shop}
spec:
  replicas: 2
  progressDeadlineSeconds: 60
  selector: {matchLabels: {app: good}}
  template:
    metadata: {labels: {app: good}}
    spec: {containers: [{name: web, image: 'shop/web:1.5'}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: bad, namespace: shop}
spec:
  progressDeadlineSeconds: 5
  selector: {matchLabels: {app: bad}}
  template:
    metadata: {labels: {app: bad}}
    spec: {containers: [{name: web, image: 'shop/web:broken'}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, namespace: shop}
spec:
  template:
    spec: {restartPolicy: Never, containers: [{name: migrate, image: 'shop/migrate:1.5'}]}
";

#[test]
fn deployments_live_as_their_images_say_and_nothing_outlives_the_plane() {
    let name = "deployments_live_as_their_images_say_and_nothing_outlives_the_plane";
    let Some(tools) = require_or_step_aside(name, Tools::locate_or_build()) else {
        return;
    };
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let plane = ControlPlane::start(&tools, scratch.path()).unwrap_or_else(|error| panic!("{}", chain(&error)));

    // The version that clients decide by.
    let version = plane.kubectl(&["get", "--raw", "/version"]).expect("version");
    assert!(
        version.contains(&format!("\"gitVersion\": \"{}\"", plane.version())),
        "{version}"
    );

    plane
        .kubectl(&["create", "namespace", "shop"])
        .expect("create namespace");
    plane
        .kubectl_with_input(&["apply", "-f", "-"], DEPLOYMENTS)
        .expect("apply");

    eventually(&plane, "good", "Available", "True MinimumReplicasAvailable");
    let ready = field(&plane, "deployment/good", "{.status.readyReplicas}");
    assert_eq!(ready.as_deref(), Ok("2"));
    wait_until("the job to complete", WITHIN, || {
        field(&plane, "job/migrate", "{.status.succeeded}").and_then(|succeeded| expect("1", succeeded))
    })
    .expect("job");

    eventually(&plane, "bad", "Progressing", "False ProgressDeadlineExceeded");
    eventually(&plane, "bad", "Available", "False MinimumReplicasUnavailable");
    let waiting = "{.items[0].status.phase} {.items[0].status.containerStatuses[0].state.waiting.reason}";
    let seen = plane.kubectl(&[
        "get",
        "pods",
        "-n=shop",
        "-l=app=bad",
        &format!("-o=jsonpath={waiting}"),
    ]);
    assert_eq!(seen.expect("pods"), "Pending ImagePullBackOff");

    let logs = plane.kubectl(&["logs", "deployment/good", "-n=shop"]).expect("logs");
    assert_eq!(logs, "simulated container: ready\n");

    // RBAC decides: someone with a valid certificate and no role may not read.
    let stranger = plane.identity("stranger", None).expect("certificate");
    let stranger_config = scratch.path().join("stranger.kubeconfig");
    fs::write(&stranger_config, plane.kubeconfig_for(&stranger)).expect("write");
    let refused = plane.kubectl(&[
        "get",
        "pods",
        "-n=shop",
        &format!("--kubeconfig={}", stranger_config.display()),
    ]);
    let refused = refused.expect_err("a stranger reads nothing").to_string();
    assert!(
        refused.contains("Forbidden") && refused.contains("stranger"),
        "{refused}"
    );

    let processes = plane.processes();
    assert_eq!(processes.len(), 6, "{processes:?}");
    for (process, pid) in &processes {
        assert!(alive(*pid), "{process} {pid} runs while the plane does");
    }
    drop(plane);
    for (process, pid) in processes {
        assert!(!alive(pid), "{process} {pid} outlived the plane");
    }
    assert_eq!(processes_in(scratch.path()), Vec::<String>::new());
}

#[test]
fn tests_of_one_process_share_a_plane() {
    let name = "tests_of_one_process_share_a_plane";
    let other = std::thread::spawn(move || ControlPlane::shared(name));
    let here = ControlPlane::shared(name);
    let there = other.join().expect("the other test does not panic");
    let (Some(here), Some(there)) = (here, there) else {
        return;
    };
    assert!(std::ptr::eq(here, there));
    // The thread that started it may have ended: the plane has not.
    assert_eq!(here.kubectl(&["get", "--raw", "/readyz"]).expect("readyz"), "ok");
}

fn eventually(plane: &ControlPlane, deployment: &str, condition: &str, expected: &str) {
    let path = format!(
        "{{.status.conditions[?(@.type==\"{condition}\")].status}} {{.status.conditions[?(@.type==\"{condition}\")].reason}}"
    );
    wait_until(format!("{deployment}: {condition} {expected}"), WITHIN, || {
        field(plane, &format!("deployment/{deployment}"), &path).and_then(|seen| expect(expected, seen))
    })
    .unwrap_or_else(|error| panic!("{error}"));
}

fn field(plane: &ControlPlane, object: &str, path: &str) -> Result<String, String> {
    plane
        .kubectl(&["get", object, "-n=shop", &format!("-o=jsonpath={path}")])
        .map_err(|error| chain(&error))
}

fn expect(expected: &str, seen: String) -> Result<(), String> {
    if seen == expected { Ok(()) } else { Err(seen) }
}

fn alive(pid: u32) -> bool {
    let mut probe = std::process::Command::new("sh");
    probe.args(["-c", "kill -0 \"$1\" 2>/dev/null", "probe", &pid.to_string()]);
    probe.status().expect("sh runs").success()
}

/// Every process that works in `dir`, whoever started it.
fn processes_in(dir: &Path) -> Vec<String> {
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let works_there = |process: &fs::DirEntry| fs::read_link(process.path().join("cwd")).is_ok_and(|cwd| cwd == dir);
    processes
        .flatten()
        .filter(works_there)
        .map(|process| process.path().display().to_string())
        .collect()
}
