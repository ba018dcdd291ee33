//! Health of a PersistentVolumeClaim.

use pintle_model::Object;

use super::{Health, HealthCode, text};

pub(super) fn check(object: &Object) -> Health {
    Health::bare(match text(object.value(), &["status", "phase"]) {
        "Lost" => HealthCode::Degraded,
        "Pending" => HealthCode::Progressing,
        "Bound" => HealthCode::Healthy,
        _ => HealthCode::Unknown,
    })
}
