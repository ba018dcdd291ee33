//! Health of a Deployment.

use pintle_model::Object;

use super::{Health, HealthCode, condition, int, is_behind, text};

pub(super) fn check(object: &Object) -> Health {
    if object.value().bool_at(&["spec", "paused"]) == Some(true) {
        return Health::new(HealthCode::Suspended, "Deployment is paused");
    }
    if is_behind(object) {
        return Health::progressing(
            "Waiting for rollout to finish: observed deployment generation less than desired generation",
        );
    }
    if condition(object, "Progressing").is_some_and(|c| text(c, &["reason"]) == "ProgressDeadlineExceeded") {
        return Health::degraded(format!("Deployment {:?} exceeded its progress deadline", object.name()));
    }
    let wanted = object.value().i64_at(&["spec", "replicas"]);
    let updated = int(object, &["status", "updatedReplicas"]);
    let total = int(object, &["status", "replicas"]);
    let available = int(object, &["status", "availableReplicas"]);
    match wanted {
        Some(wanted) if updated < wanted => Health::progressing(format!(
            "Waiting for rollout to finish: {updated} out of {wanted} new replicas have been updated..."
        )),
        _ if total > updated => Health::progressing(format!(
            "Waiting for rollout to finish: {} old replicas are pending termination...",
            total - updated
        )),
        _ if available < updated => Health::progressing(format!(
            "Waiting for rollout to finish: {available} of {updated} updated replicas are available..."
        )),
        _ => Health::healthy(),
    }
}
