//! What a tree shows of an object beside its name, computed when the object arrives [F3.60].

use std::collections::BTreeSet;
use std::sync::Arc;

use pintle_model::{Map, Object, Value};

use super::entry::InfoItem;
use super::intern::Interner;

/// The shown facts of one object.
#[derive(Clone, Default, PartialEq)]
pub(super) struct Facts {
    pub(super) info: Vec<InfoItem>,
    pub(super) images: Vec<Arc<str>>,
    pub(super) labels: Option<Map>,
    pub(super) target_labels: Option<Map>,
}

pub(super) fn facts(object: &Object, custom_labels: &[Arc<str>], interner: &mut Interner) -> Facts {
    let mut facts = Facts::default();
    if let Some(revision) = revision(object).filter(|revision| *revision > 0) {
        facts.info.push(InfoItem::new("Revision", format!("Rev:{revision}")));
    }
    for label in custom_labels {
        if let Some(value) = object.label(label) {
            facts.info.push(InfoItem {
                name: Arc::clone(label),
                value: value.into(),
            });
        }
    }
    match (object.group(), object.kind()) {
        ("", "Pod") => pod(object, &mut facts, interner),
        ("", "Service") => {
            facts.target_labels = object
                .value()
                .at(&["spec", "selector"])
                .and_then(Value::as_map)
                .cloned();
        }
        _ => {}
    }
    facts
}

/// The revision that a workload controller wrote on the object, or that the object (a ControllerRevision) is.
fn revision(object: &Object) -> Option<i64> {
    let annotation = ["deployment.kubernetes.io/revision", "rollout.argoproj.io/revision"]
        .iter()
        .find_map(|name| object.annotation(name));
    match annotation {
        Some(text) => text.parse().ok(),
        None => object.value().i64_at(&["revision"]),
    }
}

fn pod(object: &Object, facts: &mut Facts, interner: &mut Interner) {
    let pod = object.value();
    let (init, main) = (
        pod.list_at(&["spec", "initContainers"]),
        pod.list_at(&["spec", "containers"]),
    );
    let images: BTreeSet<&str> = init.iter().chain(main).filter_map(|c| c.str_at(&["image"])).collect();
    facts.images = images.into_iter().map(|image| interner.get(image)).collect();
    let summary = summarise(object);
    if !summary.reason.is_empty() {
        facts.info.push(InfoItem {
            name: interner.get("Status Reason"),
            value: interner.get(&summary.reason),
        });
    }
    let node = pod.str_at(&["spec", "nodeName"]).unwrap_or_default();
    facts.info.push(InfoItem {
        name: interner.get("Node"),
        value: interner.get(node),
    });
    let containers = format!("{}/{}", summary.ready, summary.total);
    facts.info.push(InfoItem {
        name: interner.get("Containers"),
        value: interner.get(&containers),
    });
    if summary.restarts > 0 {
        facts.info.push(InfoItem {
            name: interner.get("Restart Count"),
            value: summary.restarts.to_string().into(),
        });
    }
    facts.labels = object.labels().cloned();
}

struct PodSummary {
    reason: String,
    ready: usize,
    total: usize,
    restarts: i64,
}

/// The columns STATUS, READY and RESTARTS as `kubectl get pods` computes them.
fn summarise(object: &Object) -> PodSummary {
    let pod = object.value();
    let specs = pod.list_at(&["spec", "initContainers"]);
    let total = pod.list_at(&["spec", "containers"]).len() + specs.iter().filter(|c| is_sidecar(c)).count();
    let phase = pod.str_at(&["status", "phase"]).unwrap_or_default();
    let status_reason = pod.str_at(&["status", "reason"]).unwrap_or_default();
    let mut summary = PodSummary {
        reason: if status_reason.is_empty() { phase } else { status_reason }.to_owned(),
        ready: 0,
        total,
        restarts: 0,
    };
    if has_condition(pod, "PodScheduled", "reason", "SchedulingGated") {
        summary.reason = "SchedulingGated".to_owned();
    }
    let initializing = init_containers(pod, specs, &mut summary);
    if !initializing || has_condition(pod, "Initialized", "status", "True") {
        main_containers(pod, &mut summary);
    }
    if object.deletion_timestamp().is_some() {
        if status_reason == "NodeLost" {
            summary.reason = "Unknown".to_owned();
        } else if !matches!(phase, "Succeeded" | "Failed") {
            summary.reason = "Terminating".to_owned();
        }
    }
    summary
}

/// Counts init containers; whether one of them is still to do, which then gives the reason.
fn init_containers(pod: &Value, specs: &[Value], summary: &mut PodSummary) -> bool {
    for (i, status) in pod.list_at(&["status", "initContainerStatuses"]).iter().enumerate() {
        summary.restarts += status.i64_at(&["restartCount"]).unwrap_or(0);
        let terminated = status.at(&["state", "terminated"]).filter(|t| !t.is_null());
        if terminated.is_some_and(|t| t.i64_at(&["exitCode"]).unwrap_or(0) == 0) {
            continue;
        }
        let name = status.str_at(&["name"]);
        let sidecar = specs.iter().any(|c| c.str_at(&["name"]) == name && is_sidecar(c));
        if sidecar && status.bool_at(&["started"]) == Some(true) {
            summary.ready += usize::from(status.bool_at(&["ready"]) == Some(true));
            continue;
        }
        let waiting = status
            .str_at(&["state", "waiting", "reason"])
            .filter(|r| !matches!(*r, "" | "PodInitializing"));
        summary.reason = match (terminated, waiting) {
            (Some(t), _) => format!("Init:{}", ended(t)),
            (None, Some(reason)) => format!("Init:{reason}"),
            (None, None) => format!("Init:{i}/{}", specs.len()),
        };
        return true;
    }
    false
}

fn main_containers(pod: &Value, summary: &mut PodSummary) {
    let mut runs = false;
    for status in pod.list_at(&["status", "containerStatuses"]).iter().rev() {
        summary.restarts += status.i64_at(&["restartCount"]).unwrap_or(0);
        let waiting = status.str_at(&["state", "waiting", "reason"]).filter(|r| !r.is_empty());
        let terminated = status.at(&["state", "terminated"]).filter(|t| !t.is_null());
        let running = status.at(&["state", "running"]).is_some_and(|r| !r.is_null());
        if let Some(reason) = waiting {
            summary.reason = reason.to_owned();
        } else if let Some(terminated) = terminated {
            summary.reason = ended(terminated);
        } else if running && status.bool_at(&["ready"]) == Some(true) {
            runs = true;
            summary.ready += 1;
        }
    }
    if runs && summary.reason == "Completed" {
        summary.reason = "Running".to_owned();
    }
}

/// How a container ended: its reason, signal or exit code.
fn ended(terminated: &Value) -> String {
    if let Some(reason) = terminated.str_at(&["reason"]).filter(|r| !r.is_empty()) {
        return reason.to_owned();
    }
    match terminated.i64_at(&["signal"]).unwrap_or(0) {
        0 => format!("ExitCode:{}", terminated.i64_at(&["exitCode"]).unwrap_or(0)),
        signal => format!("Signal:{signal}"),
    }
}

/// Whether an init container keeps running beside the main ones.
fn is_sidecar(container: &Value) -> bool {
    container.str_at(&["restartPolicy"]) == Some("Always")
}

fn has_condition(pod: &Value, name: &str, field: &str, value: &str) -> bool {
    pod.list_at(&["status", "conditions"])
        .iter()
        .any(|c| c.str_at(&["type"]) == Some(name) && c.str_at(&[field]) == Some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Info items as `name=value; …`, then the images.
    fn check(yaml: &str, expected: &str) {
        let object = Object::new(pintle_yaml::parse(yaml).unwrap().into()).ok().unwrap();
        let facts = facts(&object, &["team".into()], &mut Interner::default());
        let mut shown: Vec<String> = facts.info.iter().map(|i| format!("{}={}", i.name, i.value)).collect();
        shown.extend(facts.images.iter().map(ToString::to_string));
        assert_eq!(shown.join("; "), expected, "{yaml}");
    }

    fn check_pod(meta: &str, spec: &str, status: &str, expected: &str) {
        check(
            &format!(
                "apiVersion: v1\nkind: Pod\nmetadata: {{name: p, {meta}}}\nspec: {{{spec}}}\nstatus: {{{status}}}"
            ),
            expected,
        );
    }

    #[test]
    fn revisions_and_custom_labels() {
        let annotated =
            "metadata: {name: w, labels: {team: blue}, annotations: {deployment.kubernetes.io/revision: '3'}}";
        check(
            &format!("apiVersion: apps/v1\nkind: Deployment\n{annotated}"),
            "Revision=Rev:3; team=blue",
        );
        check(
            "apiVersion: apps/v1\nkind: ControllerRevision\nrevision: 2",
            "Revision=Rev:2",
        );
        check("apiVersion: v1\nkind: ConfigMap", "");
    }

    #[test]
    fn pods() {
        let two = "nodeName: n1, containers: [{name: a, image: 'x:1'}, {name: b, image: 'x:1'}]";
        check_pod(
            "",
            two,
            "phase: Pending",
            "Status Reason=Pending; Node=n1; Containers=0/2; x:1",
        );
        check_pod(
            "",
            two,
            "phase: Running, containerStatuses: [{ready: true, restartCount: 2, state: {running: {}}}, {state: {waiting: {reason: CrashLoopBackOff}}, restartCount: 1}]",
            "Status Reason=CrashLoopBackOff; Node=n1; Containers=1/2; Restart Count=3; x:1",
        );
        check_pod(
            "",
            two,
            "phase: Running, containerStatuses: [{state: {terminated: {exitCode: 0, reason: Completed}}}, {ready: true, state: {running: {}}}]",
            "Status Reason=Running; Node=n1; Containers=1/2; x:1",
        );
        check_pod(
            "",
            two,
            "phase: Failed, containerStatuses: [{state: {terminated: {exitCode: 2}}}]",
            "Status Reason=ExitCode:2; Node=n1; Containers=0/2; x:1",
        );
        check_pod(
            "",
            two,
            "phase: Failed, reason: Evicted",
            "Status Reason=Evicted; Node=n1; Containers=0/2; x:1",
        );
        check_pod(
            "deletionTimestamp: '2026-01-01T00:00:00Z'",
            two,
            "phase: Running",
            "Status Reason=Terminating; Node=n1; Containers=0/2; x:1",
        );
        check_pod(
            "",
            two,
            "phase: Pending, conditions: [{type: PodScheduled, reason: SchedulingGated}]",
            "Status Reason=SchedulingGated; Node=n1; Containers=0/2; x:1",
        );
    }

    #[test]
    fn init_containers_and_sidecars() {
        let spec = "initContainers: [{name: i, image: 'i:1'}, {name: s, image: 's:1', restartPolicy: Always}], containers: [{name: a, image: 'x:1'}]";
        check_pod(
            "",
            spec,
            "phase: Pending, initContainerStatuses: [{name: i, state: {running: {}}}]",
            "Status Reason=Init:0/2; Node=; Containers=0/2; i:1; s:1; x:1",
        );
        check_pod(
            "",
            spec,
            "phase: Pending, initContainerStatuses: [{name: i, state: {terminated: {exitCode: 1}}, restartCount: 4}]",
            "Status Reason=Init:ExitCode:1; Node=; Containers=0/2; Restart Count=4; i:1; s:1; x:1",
        );
        check_pod(
            "",
            spec,
            "phase: Running, initContainerStatuses: [{name: i, state: {terminated: {exitCode: 0}}}, {name: s, started: true, ready: true, state: {running: {}}}], containerStatuses: [{ready: true, state: {running: {}}}]",
            "Status Reason=Running; Node=; Containers=2/2; i:1; s:1; x:1",
        );
    }
}
