//! Health of a DaemonSet.

use pintle_model::Object;

use super::{Health, HealthCode, int, is_behind, text};

pub(super) fn check(object: &Object) -> Health {
    if is_behind(object) {
        return Health::progressing(
            "Waiting for rollout to finish: observed daemon set generation less than desired generation",
        );
    }
    let wanted = int(object, &["status", "desiredNumberScheduled"]);
    let updated = int(object, &["status", "updatedNumberScheduled"]);
    let available = int(object, &["status", "numberAvailable"]);
    if text(object.value(), &["spec", "updateStrategy", "type"]) == "OnDelete" {
        let message = format!("daemon set {updated} out of {wanted} new pods have been updated");
        return Health::new(HealthCode::Healthy, message);
    }
    let name = object.name();
    if updated < wanted {
        return Health::progressing(format!(
            "Waiting for daemon set {name:?} rollout to finish: {updated} out of {wanted} new pods have been updated..."
        ));
    }
    if available < wanted {
        return Health::progressing(format!(
            "Waiting for daemon set {name:?} rollout to finish: {available} of {wanted} updated pods are available..."
        ));
    }
    Health::healthy()
}
