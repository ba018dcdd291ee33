//! Health of an Ingress.

use pintle_model::Object;

use super::{Health, HealthCode};

pub(super) fn check(object: &Object) -> Health {
    let assigned = !object
        .value()
        .list_at(&["status", "loadBalancer", "ingress"])
        .is_empty();
    Health::bare(if assigned {
        HealthCode::Healthy
    } else {
        HealthCode::Progressing
    })
}
