//! Client-side apply: what `kubectl apply` would send, and what would come of it.

use std::sync::Arc;

use pintle_model::{Map, Object, Value, to_json_string};

use crate::json_merge::{self, JsonMergeError};
use crate::schema::TypeRef;
use crate::strategic::{self, StrategicError};

/// The annotation in which client-side apply keeps the configuration that it applied last.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The format of a patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchKind {
    /// `application/strategic-merge-patch+json`: built-in kinds.
    Strategic,
    /// `application/merge-patch+json`: custom kinds, and built-in ones with content that strategic patches cannot reach.
    Merge,
}

impl PatchKind {
    /// The content type that an API server expects with such a patch.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Strategic => "application/strategic-merge-patch+json",
            Self::Merge => "application/merge-patch+json",
        }
    }
}

/// A patch and what it makes of the live object.
pub struct Merged {
    /// The live object with the patch applied; before the server's defaults.
    pub predicted: Value,
    /// The patch; [`pintle_model::to_json`] makes its body.
    pub patch: Value,
    /// The format of `patch`.
    pub patch_kind: PatchKind,
    /// Whether the patch makes a difference to `live` as it is written.
    pub changed: bool,
}

/// Why no patch can be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// The documents name different objects.
    #[error("at least one of apiVersion, kind and name was changed")]
    IdentityChanged,
    /// The merge patch cannot be made.
    #[error(transparent)]
    Json(#[from] JsonMergeError),
}

/// Returns the patch that makes `live` what `desired` says, deletes what `last_applied` said and `desired` no longer does, and leaves
/// what others set. `of` is the type of built-in kinds and `None` for custom ones.
///
/// To apply, `desired` carries its own configuration ([`with_last_applied`]), so that the patch updates the annotation too.
pub fn three_way(
    last_applied: Option<&Value>,
    desired: &Value,
    live: &Value,
    of: Option<TypeRef<'_>>,
) -> Result<Merged, MergeError> {
    for path in [&["apiVersion"][..], &["kind"], &["metadata", "name"]] {
        if desired.at(path) != live.at(path) {
            return Err(MergeError::IdentityChanged);
        }
    }
    let (patch, predicted, patch_kind) = match of.map(|of| strategic_patch(last_applied, desired, live, of)) {
        Some(Ok((patch, predicted))) => (patch, predicted, PatchKind::Strategic),
        // Fields that the table does not know, or a map of maps: kubectl falls back in the same way.
        Some(Err(_)) | None => {
            let patch = json_merge::create_three_way(last_applied, desired, live)?;
            let predicted = json_merge::apply(live, &patch)?;
            (patch, predicted, PatchKind::Merge)
        }
    };
    let changed = predicted != *live;
    Ok(Merged {
        predicted,
        patch,
        patch_kind,
        changed,
    })
}

/// The strategic three-way patch and its result.
pub(crate) fn strategic_patch(
    last_applied: Option<&Value>,
    desired: &Value,
    live: &Value,
    of: TypeRef<'_>,
) -> Result<(Value, Value), StrategicError> {
    let patch = strategic::create_three_way(last_applied, desired, live, of)?;
    let predicted = strategic::apply(live, &patch, of)?;
    Ok((patch, predicted))
}

/// Returns the configuration that client-side apply recorded on an object; `None` if there is none or it cannot be read.
pub fn last_applied(object: &Object) -> Option<Value> {
    let text = object.annotation(LAST_APPLIED)?;
    Value::from_json(text.as_bytes()).ok().filter(|v| v.as_map().is_some())
}

/// Returns the object with its own configuration in the annotation, written as kubectl writes it: keys sorted, `annotations` always
/// there, a newline at the end. Left out of the copy are the annotation itself and what generators leave behind: a null
/// `creationTimestamp`, an empty `status`.
pub fn with_last_applied(object: &Object) -> Object {
    let mut configuration = object.value().clone();
    configuration.remove_at(&["metadata", "annotations", LAST_APPLIED]);
    if configuration
        .at(&["metadata", "annotations"])
        .is_none_or(Value::is_null)
    {
        configuration.set_at(&["metadata", "annotations"], Map::new().into());
    }
    if configuration
        .at(&["metadata", "creationTimestamp"])
        .is_some_and(Value::is_null)
    {
        configuration.remove_at(&["metadata", "creationTimestamp"]);
    }
    if configuration.at(&["status"]).is_some_and(Value::is_empty) {
        configuration.remove_at(&["status"]);
    }
    let mut text = to_json_string(&configuration);
    text.push('\n');
    let mut object = object.clone();
    object.set_annotation(LAST_APPLIED, Arc::<str>::from(text));
    object
}
