//! Health of a Pod.

use pintle_model::{Object, Value};

use super::{Health, HealthCode, condition, text};
use crate::sync::hook::is_hook;

pub(super) fn check(object: &Object) -> Health {
    let pod = object.value();
    let policy = text(pod, &["spec", "restartPolicy"]);
    let containers = pod.list_at(&["status", "containerStatuses"]);
    // Pods that are meant to end are not judged by a container that waits: it may be a hook whose image is still to come, and a hook called
    // failed would run after its sync is over.
    let runs_forever = policy == "Always"
        || (object.annotation("argocd.argoproj.io/ignore-restart-policy") == Some("true") && !is_hook(object));
    if runs_forever {
        let waiting: Vec<&str> = containers.iter().filter_map(failing_wait).collect();
        if !waiting.is_empty() {
            return Health::degraded(waiting.join(", "));
        }
    }
    let message = text(pod, &["status", "message"]);
    let status = match text(pod, &["status", "phase"]) {
        "Pending" => HealthCode::Progressing,
        "Succeeded" => HealthCode::Healthy,
        "Failed" if message.is_empty() => return Health::degraded(first_failure(pod)),
        "Failed" => HealthCode::Degraded,
        "Running" if runs_forever => running(object, containers),
        "Running" if matches!(policy, "OnFailure" | "Never") => HealthCode::Progressing,
        _ => HealthCode::Unknown,
    };
    Health::new(status, message)
}

fn running(object: &Object, containers: &[Value]) -> HealthCode {
    if condition(object, "Ready").is_some_and(|c| text(c, &["status"]) == "True") {
        HealthCode::Healthy
    } else if containers
        .iter()
        .any(|c| c.at(&["lastState", "terminated"]).is_some_and(|t| !t.is_null()))
    {
        HealthCode::Degraded
    } else {
        HealthCode::Progressing
    }
}

/// The message of a container that waits because of an error.
fn failing_wait(container: &Value) -> Option<&str> {
    let waiting = container.at(&["state", "waiting"])?;
    let reason = text(waiting, &["reason"]);
    let failing = reason.starts_with("Err") || reason.ends_with("Error") || reason.ends_with("BackOff");
    failing.then(|| text(waiting, &["message"]))
}

/// What the first container that failed says; empty if none says anything.
fn first_failure(pod: &Value) -> String {
    let init = pod.list_at(&["status", "initContainerStatuses"]);
    let main = pod.list_at(&["status", "containerStatuses"]);
    init.iter().chain(main).find_map(failure).unwrap_or_default()
}

fn failure(container: &Value) -> Option<String> {
    let terminated = container.at(&["state", "terminated"])?;
    let message = text(terminated, &["message"]);
    if !message.is_empty() {
        return Some(message.to_owned());
    }
    if text(terminated, &["reason"]) == "OOMKilled" {
        return Some("OOMKilled".to_owned());
    }
    let code = terminated.i64_at(&["exitCode"]).filter(|code| *code != 0)?;
    Some(format!(
        "container {:?} failed with exit code {code}",
        text(container, &["name"])
    ))
}
