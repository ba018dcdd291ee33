//! Binds Pods to nodes.

use pintle_model::{Object, Value};

use super::{Look, NODES, PODS, container};
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::workload::condition;
use crate::workload::recorder::About;
use crate::workload::selector::Selector;
use crate::workload::table::PVCS;
use crate::workload::timing;

const SCHEDULER: &str = "default-scheduler";

/// Binds the Pod once its time has come and a node suits it. Bind and kubelet's first status are one write.
pub(super) fn step(look: &mut Look<'_>, bound: &mut usize) -> Result<(), ApiError> {
    let gates = look.pod.value().list_at(&["spec", "schedulingGates"]);
    if !gates.is_empty() || !look.is_due("schedule", timing::SCHEDULE) {
        return Ok(());
    }
    let (cx, pod) = (look.cx, look.pod);
    let now = rfc3339(cx.now);
    match choose(look, *bound) {
        Ok(node) => {
            *bound = bound.wrapping_add(1);
            cx.modify(&PODS, pod, |p| {
                p.value_mut().set_at(&["spec", "nodeName"], node.name().into());
                container::accept(p, &node, &now);
            })?;
            let message = format!(
                "Successfully assigned {}/{} to {}",
                pod.namespace(),
                pod.name(),
                node.name()
            );
            cx.record_as(SCHEDULER, &About::object(pod), "Normal", "Scheduled", &message);
        }
        Err(why) => {
            // What it waits for (a node, a volume) may come without an event of this Pod.
            look.run.due.clear();
            look.is_due_after("schedule", timing::LOOK_AGAIN);
            let known = condition::find(pod, "PodScheduled").and_then(|c| c.str_at(&["message"]));
            if known != Some(&why) {
                cx.modify(&PODS, pod, |p| {
                    let mut conditions = p.value().list_at(&["status", "conditions"]).to_vec();
                    let unschedulable = condition::new("PodScheduled", false, "Unschedulable", &why);
                    condition::put(&mut conditions, unschedulable, &now);
                    p.value_mut().set_at(&["status", "conditions"], conditions.into());
                })?;
                cx.record_as(SCHEDULER, &About::object(pod), "Warning", "FailedScheduling", &why);
            }
        }
    }
    Ok(())
}

/// The node for a Pod, or the scheduler's sentence why there is none.
fn choose(look: &Look<'_>, bound: usize) -> Result<Object, String> {
    let (store, pod) = (look.cx.store, look.pod);
    let nodes = store.list(&NODES, None).objects;
    let total = nodes.len();
    for claim in claims(pod) {
        let Ok(claim) = store.get(&PVCS, pod.namespace(), claim) else {
            return Err(format!("persistentvolumeclaim {claim:?} not found"));
        };
        if claim.value().str_at(&["status", "phase"]) != Some("Bound") {
            return Err(format!(
                "0/{total} nodes are available: pod has unbound immediate PersistentVolumeClaims."
            ));
        }
    }
    let suits: Vec<Object> = nodes.into_iter().filter(|n| suits(pod, n)).collect();
    let open: Vec<&Object> = suits
        .iter()
        .filter(|n| !n.value().bool_at(&["spec", "unschedulable"]).unwrap_or(false) || is_daemon(pod))
        .collect();
    match open.get(bound.checked_rem(open.len()).unwrap_or(0)) {
        Some(node) => Ok((*node).clone()),
        None if suits.is_empty() => Err(format!(
            "0/{total} nodes are available: {total} node(s) didn't match Pod's node affinity/selector."
        )),
        None => Err(format!(
            "0/{total} nodes are available: {} node(s) were unschedulable.",
            suits.len()
        )),
    }
}

fn claims(pod: &Object) -> impl Iterator<Item = &str> {
    let volumes = pod.value().list_at(&["spec", "volumes"]);
    volumes
        .iter()
        .filter_map(|v| v.str_at(&["persistentVolumeClaim", "claimName"]))
}

fn is_daemon(pod: &Object) -> bool {
    crate::workload::owner::controller_of(pod).is_some_and(|o| o.kind == "DaemonSet")
}

/// `nodeSelector`, and the one form of node affinity that the simulation reads: a node by name, as a DaemonSet's Pods have it.
pub(in crate::workload) fn suits(pod: &Object, node: &Object) -> bool {
    let selector = pod.value().at(&["spec", "nodeSelector"]).and_then(Value::as_map);
    if !Selector::plain(selector).or_everything().matches(node) {
        return false;
    }
    let path = [
        "spec",
        "affinity",
        "nodeAffinity",
        "requiredDuringSchedulingIgnoredDuringExecution",
        "nodeSelectorTerms",
    ];
    let mut names = pod
        .value()
        .list_at(&path)
        .iter()
        .flat_map(|t| t.list_at(&["matchFields"]))
        .flat_map(|f| f.list_at(&["values"]))
        .filter_map(Value::as_str)
        .peekable();
    names.peek().is_none() || names.any(|n| n == node.name())
}
