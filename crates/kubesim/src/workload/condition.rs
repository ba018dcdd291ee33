//! `status.conditions`.

use pintle_model::{Object, Value};

/// The condition of a type.
pub(super) fn find<'a>(object: &'a Object, kind: &str) -> Option<&'a Value> {
    object
        .value()
        .list_at(&["status", "conditions"])
        .iter()
        .find(|c| c.str_at(&["type"]) == Some(kind))
}

/// Whether the condition of a type is `True`.
pub(super) fn is_true(object: &Object, kind: &str) -> bool {
    find(object, kind).is_some_and(|c| c.str_at(&["status"]) == Some("True"))
}

/// A condition without times.
pub(super) fn new(kind: &str, is_true: bool, reason: &str, message: &str) -> Value {
    let mut condition = Value::map();
    condition.set_at(&["type"], kind.into());
    condition.set_at(&["status"], if is_true { "True" } else { "False" }.into());
    for (field, text) in [("reason", reason), ("message", message)] {
        if !text.is_empty() {
            condition.set_at(&[field], text.into());
        }
    }
    condition
}

/// Puts a condition in the place of the one of its type, or last, and sets `lastTransitionTime`: kept while the status stays.
pub(super) fn put(conditions: &mut Vec<Value>, mut condition: Value, now: &str) {
    let kind = condition.str_at(&["type"]).unwrap_or_default().to_owned();
    let place = conditions.iter_mut().find(|c| c.str_at(&["type"]) == Some(&kind));
    let since = place
        .as_ref()
        .filter(|old| old.str_at(&["status"]) == condition.str_at(&["status"]))
        .and_then(|old| old.str_at(&["lastTransitionTime"]))
        .unwrap_or(now)
        .to_owned();
    condition.set_at(&["lastTransitionTime"], since.into());
    match place {
        Some(old) => *old = condition,
        None => conditions.push(condition),
    }
}
