//! Whether a live object is what was asked for.
//!
//! ```text
//! desired, live, last applied -> canonical -> ignored fields out -> three-way patch -> predicted
//!                                                        predicted, live -> settled -> paths of difference
//! ```
//!
//! As in Argo CD [F3.44, F3.45]: the live object differs if applying would change it. Fields that nobody applied are no difference.
//! Without a last applied configuration what is desired stands in for it, so nothing counts as removed.

use pintle_model::{Object, Value};

use crate::schema::{Schema, TypeRef};
use crate::three_way::{last_applied, strategic_patch};
use crate::{diff, json_merge, json_patch, normalize};

/// What a comparison leaves out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompareRules {
    /// `status` is never compared.
    pub ignore_status: bool,
    /// JSON pointers (RFC 6901) of fields that are not compared. Pointers that lead nowhere have no effect.
    pub ignore: Vec<String>,
    /// The rules of a ClusterRole that has an `aggregationRule` are not compared: a controller writes them.
    pub ignore_aggregated_roles: bool,
}

impl Default for CompareRules {
    /// Leaves out `status` and nothing else.
    fn default() -> Self {
        Self {
            ignore_status: true,
            ignore: Vec::new(),
            ignore_aggregated_roles: false,
        }
    }
}

/// How a live object differs from the one asked for. Holds objects, which may be secret: show them masked only.
pub struct ObjectDiff {
    /// Whether applying would change the live object, create it, or (if nothing is desired) it is there and should not be.
    pub modified: bool,
    /// JSON pointers of the places that differ, at most [`diff::MAX_PATHS`]; empty when an object is missing on one side.
    pub paths: Vec<String>,
    /// What applying would make of the live object, normalised; `None` if nothing is desired.
    pub predicted: Option<Object>,
    /// The live object, normalised in the same way; `None` if there is none.
    pub live: Option<Object>,
}

/// Compares an object that is asked for with the one that is there. Both must be of one kind; an `apiVersion` that differs counts as a
/// difference. Answers the same for the same input, and for `desired` against its own prediction answers "not modified".
pub fn compare(desired: Option<&Object>, live: Option<&Object>, rules: &CompareRules) -> ObjectDiff {
    match (desired, live) {
        (None, None) => ObjectDiff {
            modified: false,
            paths: Vec::new(),
            predicted: None,
            live: None,
        },
        (desired, None) => {
            let predicted = desired.map(|object| prepare(object, type_of(object), rules));
            ObjectDiff {
                modified: true,
                paths: Vec::new(),
                predicted,
                live: None,
            }
        }
        (None, live) => {
            let live = live.map(|object| prepare(object, type_of(object), rules));
            ObjectDiff {
                modified: true,
                paths: Vec::new(),
                predicted: None,
                live,
            }
        }
        (Some(desired), Some(live)) => compare_both(desired, live, rules),
    }
}

fn compare_both(desired: &Object, live: &Object, rules: &CompareRules) -> ObjectDiff {
    let of = type_of(desired);
    let applied = last_applied(live)
        .and_then(|v| Object::new(v).ok())
        .map(|object| prepare(&object, of, rules));
    let mut desired = prepare(desired, of, rules);
    let live = prepare(live, of, rules);
    let mut applied = applied.unwrap_or_else(|| desired.clone());
    // Where an object lies is its identity and not its content; a manifest may leave it to the application.
    for object in [&mut desired, &mut applied] {
        object.set_namespace("");
    }

    let predicted = predict(applied.value(), desired.value(), live.value(), of);
    let predicted = normalize::settled(&predicted, of);
    let live_value = normalize::settled(live.value(), of);
    let paths = diff::paths(&predicted, &live_value);
    ObjectDiff {
        modified: !paths.is_empty(),
        paths,
        predicted: Object::new(predicted).ok(),
        live: Object::new(live_value).ok(),
    }
}

fn type_of(object: &Object) -> Option<TypeRef<'static>> {
    Schema::builtin().type_of(&object.gvk())
}

/// The canonical object without what the rules leave out.
fn prepare(object: &Object, of: Option<TypeRef<'_>>, rules: &CompareRules) -> Object {
    let mut object = normalize::canonical(object, of);
    if rules.ignore_status {
        object.value_mut().remove_at(&["status"]);
    }
    let aggregated = object.value().get("aggregationRule").is_some();
    if rules.ignore_aggregated_roles && aggregated && object.kind() == "ClusterRole" {
        object.value_mut().remove_at(&["rules"]);
    }
    for pointer in &rules.ignore {
        // What an object is stays, whatever a rule says.
        if !matches!(pointer.as_str(), "" | "/apiVersion" | "/kind") {
            json_patch::remove(object.value_mut(), pointer);
        }
    }
    object
}

/// What applying makes of `live`.
fn predict(applied: &Value, desired: &Value, live: &Value, of: Option<TypeRef<'_>>) -> Value {
    if let Some(of) = of
        && let Ok((_, predicted)) = strategic_patch(Some(applied), desired, live, of)
    {
        return predicted;
    }
    // Lists of custom kinds are replaced as a whole, so what others added inside them is set aside while the patch is made.
    let own = restricted(applied, live);
    let patch = json_merge::create_three_way(Some(applied), desired, &own)
        .or_else(|_| json_merge::create_three_way(None, desired, &own));
    match patch.and_then(|patch| json_merge::apply(live, &patch)) {
        Ok(predicted) => predicted,
        // Objects are maps, so the two-way patch above can always be made; if not, everything counts as different.
        Err(_) => desired.clone(),
    }
}

/// `live` restricted to the fields that `applied` has. Elements of lists go by their places; those past the end of `applied` stay.
fn restricted(applied: &Value, live: &Value) -> Value {
    match (applied, live) {
        (Value::Map(applied), Value::Map(live)) => applied
            .iter()
            .filter_map(|(key, applied)| Some((key, restricted(applied, live.get(key)?))))
            .collect::<pintle_model::Map>()
            .into(),
        (Value::List(applied), Value::List(live)) => live
            .iter()
            .enumerate()
            .map(|(i, live)| {
                applied
                    .get(i)
                    .map_or_else(|| live.clone(), |applied| restricted(applied, live))
            })
            .collect::<Vec<_>>()
            .into(),
        _ => live.clone(),
    }
}

#[cfg(test)]
mod tests;
