//! Client-side apply: the annotation that remembers what was applied, and the patch that follows from it. Pure.

use pintle_merge::{Schema, json_merge, strategic};
use pintle_model::{Object, Value, to_json_string};

/// Where `kubectl apply` and Argo CD keep the configuration they applied last.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The media type of a strategic merge patch.
const STRATEGIC: &str = "application/strategic-merge-patch+json";
/// The media type of a JSON merge patch.
pub(super) const MERGE: &str = "application/merge-patch+json";

/// Returns `object` with the annotation that says what it is, byte for byte as kubectl writes it.
pub(super) fn with_last_applied(object: &Object) -> Object {
    let mut object = object.clone();
    object.value_mut().remove_at(&["metadata", "annotations", LAST_APPLIED]);
    // kubectl leaves an empty map where there is none.
    if object.annotations().is_none() {
        object.value_mut().set_at(&["metadata", "annotations"], Value::map());
    }
    let mut text = to_json_string(object.value());
    text.push('\n');
    object.set_annotation(LAST_APPLIED, text);
    object
}

/// A patch and how to send it.
pub(super) struct Patch {
    /// Empty map: nothing has to change.
    pub(super) body: Value,
    /// Its media type.
    pub(super) media_type: &'static str,
}

/// Makes the patch that turns `live` into what `modified` (with its annotation) says, and takes away what was applied last and is not in it.
/// Strategic for built-in kinds, a JSON merge patch for the others, as kubectl chooses. Errors name fields, never values.
pub(super) fn three_way_patch(live: &Object, modified: &Object) -> Result<Patch, String> {
    let original = match live.annotation(LAST_APPLIED) {
        None | Some("") => None,
        Some(text) => Some(
            Value::from_json(text.as_bytes())
                .map_err(|e| format!("the annotation {LAST_APPLIED} of the live object: {e}"))?,
        ),
    };
    let (modified, live, gvk) = (modified.value(), live.value(), modified.gvk());
    Ok(match Schema::builtin().type_of(&gvk) {
        Some(of) => Patch {
            body: strategic::create_three_way(original.as_ref(), modified, live, of).map_err(|e| e.to_string())?,
            media_type: STRATEGIC,
        },
        None => Patch {
            body: json_merge::create_three_way(original.as_ref(), modified, live).map_err(|e| e.to_string())?,
            media_type: MERGE,
        },
    })
}

/// Whether a refusal says that a field cannot change, so that only a new object can have the new value.
///
/// API servers have one status for this and for plain mistakes (422), so the words decide: deleting an object because its new version
/// has a typo would be an outage.
pub(super) fn is_about_immutability(message: &str) -> bool {
    [
        "immutable",
        "updates to",
        "may not change",
        "may not be changed",
        "cannot be changed",
        "cannot change",
        "not be updated",
    ]
    .iter()
    .any(|words| message.contains(words))
}

/// What can be created again from a live object: without what the server alone writes.
pub(super) fn recreatable(live: &Object) -> Object {
    let mut object = live.clone();
    let value = object.value_mut();
    for field in [
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "generation",
        "managedFields",
        "selfLink",
    ] {
        value.remove_at(&["metadata", field]);
    }
    for field in ["deletionTimestamp", "deletionGracePeriodSeconds"] {
        value.remove_at(&["metadata", field]);
    }
    value.remove_at(&["status"]);
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(json: &str) -> Object {
        Object::from_json(json.as_bytes()).expect("test input is an object")
    }

    #[test]
    fn the_annotation_is_written_as_kubectl_writes_it() {
        let plain = object(r#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a"},"data":{"k":"<v>"}}"#);
        let applied = with_last_applied(&plain);
        let expected = "{\"apiVersion\":\"v1\",\"data\":{\"k\":\"\\u003cv\\u003e\"},\"kind\":\"ConfigMap\",\
                        \"metadata\":{\"annotations\":{},\"name\":\"a\"}}\n";
        assert_eq!(applied.annotation(LAST_APPLIED), Some(expected));
        assert!(
            with_last_applied(&applied) == applied,
            "applying what was read back changes nothing"
        );
    }

    #[test]
    fn what_was_applied_and_is_no_longer_wanted_goes_and_what_others_set_stays() {
        let check = |api_version: &str, kind: &str, expected: &str| {
            let make = |data: &str| {
                object(&format!(
                    r#"{{"apiVersion":"{api_version}","kind":"{kind}","metadata":{{"name":"a"}},"data":{data}}}"#
                ))
            };
            let mut live = with_last_applied(&make(r#"{"old":"1","k":"1"}"#));
            live.value_mut().set_at(&["data", "theirs"], "1".into());
            let patch = three_way_patch(&live, &with_last_applied(&make(r#"{"k":"2"}"#))).unwrap();
            let mut body = patch.body;
            body.remove_at(&["metadata"]);
            assert_eq!(to_json_string(&body), r#"{"data":{"k":"2","old":null}}"#);
            assert_eq!(patch.media_type, expected);
        };
        check("v1", "ConfigMap", STRATEGIC);
        check("example.com/v1", "Shop", MERGE);
    }
}
