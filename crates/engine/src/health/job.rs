//! Health of a Job.

use pintle_model::Object;

use super::{Health, HealthCode, conditions, text};

pub(super) fn check(object: &Object) -> Health {
    // The types are looked at whatever their status, as the peer does: only `Suspended` ever turns false again.
    let (mut failed, mut suspended, mut last) = (None, false, None);
    for condition in conditions(object) {
        let message = text(condition, &["message"]);
        match text(condition, &["type"]) {
            "Failed" => failed = Some(message),
            "Complete" => last = Some(message),
            "Suspended" => {
                last = Some(message);
                suspended |= text(condition, &["status"]) == "True";
            }
            _ => {}
        }
    }
    match (failed, last) {
        (Some(message), _) => Health::degraded(message),
        (None, Some(message)) if suspended => Health::new(HealthCode::Suspended, message),
        (None, Some(message)) => Health::new(HealthCode::Healthy, message),
        (None, None) => Health::bare(HealthCode::Progressing),
    }
}
