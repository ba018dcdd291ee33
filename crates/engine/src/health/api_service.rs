//! Health of an APIService.

use pintle_model::Object;

use super::{Health, HealthCode, condition, text};

pub(super) fn check(object: &Object) -> Health {
    let Some(available) = condition(object, "Available") else {
        return Health::progressing("Waiting to be processed");
    };
    let status = if text(available, &["status"]) == "True" {
        HealthCode::Healthy
    } else {
        HealthCode::Progressing
    };
    Health::new(
        status,
        format!("{}: {}", text(available, &["reason"]), text(available, &["message"])),
    )
}
