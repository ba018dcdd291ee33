//! The Pod row: ready containers, status, restarts.

use jiff::Timestamp;
use pintle_model::{Object, Value};

use super::{age, or_none, since};

pub(super) fn cells(pod: &Object, now: Timestamp) -> Vec<Value> {
    let v = pod.value();
    let statuses = v.list_at(&["status", "containerStatuses"]);
    let total = v.list_at(&["spec", "containers"]).len();
    let ready = statuses
        .iter()
        .filter(|s| s.bool_at(&["ready"]) == Some(true) && s.at(&["state", "running"]).is_some())
        .count();
    let restarts: i64 = statuses.iter().filter_map(|s| s.i64_at(&["restartCount"])).sum();
    let last_restart = statuses
        .iter()
        .filter_map(|s| s.str_at(&["lastState", "terminated", "finishedAt"]))
        .max();
    let restarts: Value = match last_restart {
        Some(at) if restarts > 0 => format!("{restarts} ({} ago)", since(Some(at), now)).into(),
        _ => restarts.to_string().into(),
    };
    let gates = v.list_at(&["spec", "readinessGates"]);
    let passed = gates.iter().filter(|g| {
        let wanted = g.str_at(&["conditionType"]);
        v.list_at(&["status", "conditions"])
            .iter()
            .any(|c| c.str_at(&["type"]) == wanted && c.str_at(&["status"]) == Some("True"))
    });
    let gates: Value = if gates.is_empty() {
        "<none>".into()
    } else {
        format!("{}/{}", passed.count(), gates.len()).into()
    };
    let text = |path: &[&str]| or_none(v.str_at(path).unwrap_or_default().to_owned(), "<none>");
    vec![
        format!("{ready}/{total}").into(),
        status(pod).into(),
        restarts,
        age(pod, now),
        text(&["status", "podIP"]),
        text(&["spec", "nodeName"]),
        text(&["status", "nominatedNodeName"]),
        gates,
    ]
}

/// The STATUS column: the most telling reason, as kubectl's printer picks it.
fn status(pod: &Object) -> String {
    let v = pod.value();
    let mut reason = v
        .str_at(&["status", "reason"])
        .or(v.str_at(&["status", "phase"]))
        .unwrap_or("Unknown")
        .to_owned();
    let init = v.list_at(&["status", "initContainerStatuses"]);
    let mut initializing = false;
    for (i, s) in init.iter().enumerate() {
        let exit = s.i64_at(&["state", "terminated", "exitCode"]);
        if exit == Some(0) || (s.bool_at(&["started"]) == Some(true) && s.bool_at(&["ready"]) == Some(true)) {
            continue;
        }
        initializing = true;
        let waiting = s
            .str_at(&["state", "waiting", "reason"])
            .filter(|r| *r != "PodInitializing");
        reason = match (s.at(&["state", "terminated"]), waiting) {
            (Some(t), _) => match t.str_at(&["reason"]) {
                Some(r) => format!("Init:{r}"),
                None => format!("Init:ExitCode:{}", exit.unwrap_or(0)),
            },
            (None, Some(r)) => format!("Init:{r}"),
            (None, None) => format!("Init:{i}/{}", init.len()),
        };
        break;
    }
    if !initializing {
        let mut running = false;
        for s in v.list_at(&["status", "containerStatuses"]).iter().rev() {
            if let Some(r) = s.str_at(&["state", "waiting", "reason"]).filter(|r| !r.is_empty()) {
                reason = r.to_owned();
            } else if let Some(t) = s.at(&["state", "terminated"]) {
                reason = match t.str_at(&["reason"]).filter(|r| !r.is_empty()) {
                    Some(r) => r.to_owned(),
                    None => format!("ExitCode:{}", t.i64_at(&["exitCode"]).unwrap_or(0)),
                };
            } else if s.bool_at(&["ready"]) == Some(true) && s.at(&["state", "running"]).is_some() {
                running = true;
            }
        }
        if reason == "Completed" && running {
            reason = "Running".to_owned();
        }
    }
    if pod.deletion_timestamp().is_some() {
        return if v.str_at(&["status", "reason"]) == Some("NodeLost") {
            "Unknown".into()
        } else {
            "Terminating".into()
        };
    }
    reason
}
