//! Health of a ReplicaSet.

use pintle_model::Object;

use super::{Health, condition, int, is_behind, text};

pub(super) fn check(object: &Object) -> Health {
    if is_behind(object) {
        return Health::progressing(
            "Waiting for rollout to finish: observed replica set generation less than desired generation",
        );
    }
    if let Some(failure) = condition(object, "ReplicaFailure").filter(|c| text(c, &["status"]) == "True") {
        return Health::degraded(text(failure, &["message"]));
    }
    let available = int(object, &["status", "availableReplicas"]);
    match object.value().i64_at(&["spec", "replicas"]) {
        Some(wanted) if available < wanted => Health::progressing(format!(
            "Waiting for rollout to finish: {available} out of {wanted} new replicas are available..."
        )),
        _ => Health::healthy(),
    }
}
