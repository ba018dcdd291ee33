//! Health of a Service.

use pintle_model::Object;

use super::{Health, HealthCode, text};

pub(super) fn check(object: &Object) -> Health {
    let balanced = text(object.value(), &["spec", "type"]) == "LoadBalancer";
    if balanced
        && object
            .value()
            .list_at(&["status", "loadBalancer", "ingress"])
            .is_empty()
    {
        return Health::bare(HealthCode::Progressing);
    }
    Health::healthy()
}
