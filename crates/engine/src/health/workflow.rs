//! Health of an Argo Workflow.

use pintle_model::Object;

use super::{Health, HealthCode, text};

pub(super) fn check(object: &Object) -> Health {
    let status = match text(object.value(), &["status", "phase"]) {
        "" | "Pending" | "Running" => HealthCode::Progressing,
        "Succeeded" => HealthCode::Healthy,
        "Failed" | "Error" => HealthCode::Degraded,
        _ => HealthCode::Unknown,
    };
    Health::new(status, text(object.value(), &["status", "message"]))
}
