//! Writes to Pintle's own records (Applications, AppProjects, Events) and to objects people edit, as effects.

use pintle_merge::{json_merge, json_patch};
use pintle_model::{Object, Value};

use crate::effect::{Action, ClusterId, Effect, Propagation};

/// Returns the POST of a new record.
pub fn create(object: Object) -> Effect {
    effect(&object, Action::Create { object: object.clone() })
}

/// Returns the write that turns `before`, as it was read, into `after`; `None` where nothing differs. It is refused by the server where
/// somebody else wrote in between.
pub fn update(before: &Object, after: &Object) -> Option<Effect> {
    // Objects are maps, so this cannot fail; if it did, writing nothing would be wrong, and writing everything is not.
    let patch = json_merge::diff(before.value(), after.value()).unwrap_or_else(|_| after.value().clone());
    if patch.is_empty() {
        return None;
    }
    let resource_version = Some(before.resource_version().into()).filter(|v: &std::sync::Arc<str>| !v.is_empty());
    Some(effect(
        before,
        Action::MergePatch {
            patch,
            resource_version,
        },
    ))
}

/// Returns the deletion of that incarnation of a record.
pub fn delete(object: &Object, propagation: Propagation) -> Effect {
    let action = Action::Delete {
        uid: object.uid().into(),
        resource_version: None,
        propagation,
    };
    effect(object, action)
}

fn effect(object: &Object, action: Action) -> Effect {
    Effect {
        cluster: ClusterId::in_cluster(),
        gvk: object.gvk(),
        namespace: object.namespace().into(),
        name: object.name().into(),
        action,
        dry_run: false,
    }
}

/// How a person's patch is written [F5.17].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchType {
    /// RFC 6902.
    Json,
    /// RFC 7386.
    Merge,
}

/// Why a person's patch cannot be applied.
#[derive(Debug, thiserror::Error)]
pub enum PatchError {
    /// The patch is not JSON.
    #[error("the patch is not JSON: {0}")]
    NotJson(#[from] pintle_model::JsonError),
    /// A JSON patch that does not fit.
    #[error(transparent)]
    Json(#[from] json_patch::JsonPatchError),
    /// A merge patch that is no object.
    #[error(transparent)]
    Merge(#[from] json_merge::JsonMergeError),
    /// The result is no object any more.
    #[error("the patched document: {0}")]
    Result(#[from] pintle_model::NotAnObject),
}

/// Applies a person's patch.
pub fn patch(object: &Object, patch: &str, kind: PatchType) -> Result<Object, PatchError> {
    let patch = Value::from_json(patch.as_bytes())?;
    let patched = match kind {
        PatchType::Json => json_patch::apply(object.value(), &patch)?,
        PatchType::Merge => json_merge::apply(object.value(), &patch)?,
    };
    Ok(Object::new(patched)?)
}

#[cfg(test)]
mod tests {
    use pintle_model::to_json_string;

    use super::*;

    #[test]
    fn an_update_holds_only_what_changed_and_the_version_it_was_read_at() {
        let before = Object::from_json(
            br#"{"apiVersion":"v1","kind":"X","metadata":{"name":"a","resourceVersion":"7"},"status":{"s":1},"spec":{"a":1,"b":2}}"#,
        )
        .ok()
        .unwrap();
        assert!(update(&before, &before).is_none());
        let after = patch(&before, r#"{"spec":{"b":null,"c":3},"operation":{}}"#, PatchType::Merge)
            .ok()
            .unwrap();
        let Some(Effect {
            action: Action::MergePatch {
                patch,
                resource_version,
            },
            ..
        }) = update(&before, &after)
        else {
            panic!("expected a patch");
        };
        assert_eq!(to_json_string(&patch), r#"{"operation":{},"spec":{"b":null,"c":3}}"#);
        assert_eq!(resource_version.as_deref(), Some("7"));
    }
}
