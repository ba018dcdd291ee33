//! Health of a StatefulSet.

use pintle_model::Object;

use super::{Health, HealthCode, int, is_behind, text};

pub(super) fn check(object: &Object) -> Health {
    if int(object, &["status", "observedGeneration"]) == 0 || is_behind(object) {
        return Health::progressing("Waiting for statefulset spec update to be observed...");
    }
    let wanted = object.value().i64_at(&["spec", "replicas"]);
    let ready = int(object, &["status", "readyReplicas"]);
    let updated = int(object, &["status", "updatedReplicas"]);
    if let Some(wanted) = wanted.filter(|wanted| ready < *wanted) {
        return Health::progressing(format!("Waiting for {} pods to be ready...", wanted - ready));
    }
    let strategy = text(object.value(), &["spec", "updateStrategy", "type"]);
    let rolling = object
        .value()
        .at(&["spec", "updateStrategy", "rollingUpdate"])
        .filter(|r| !r.is_null());
    if let (true, Some(rolling)) = (strategy == "RollingUpdate", rolling) {
        let goal = wanted
            .zip(rolling.i64_at(&["partition"]))
            .map(|(wanted, partition)| wanted.saturating_sub(partition));
        return match goal.filter(|goal| updated < *goal) {
            Some(goal) => Health::progressing(format!(
                "Waiting for partitioned roll out to finish: {updated} out of {goal} new pods have been updated..."
            )),
            None => Health::new(
                HealthCode::Healthy,
                format!("partitioned roll out complete: {updated} new pods have been updated..."),
            ),
        };
    }
    if strategy == "OnDelete" {
        return Health::new(HealthCode::Healthy, format!("statefulset has {ready} ready pods"));
    }
    let update = text(object.value(), &["status", "updateRevision"]);
    let current = text(object.value(), &["status", "currentRevision"]);
    if update != current {
        return Health::progressing(format!(
            "waiting for statefulset rolling update to complete {updated} pods at revision {update}..."
        ));
    }
    let pods = int(object, &["status", "currentReplicas"]);
    Health::new(
        HealthCode::Healthy,
        format!("statefulset rolling update complete {pods} pods at revision {current}..."),
    )
}
