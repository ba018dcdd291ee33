//! The patch formats.

use pintle_merge::{Schema, json_merge, json_patch, strategic};
use pintle_model::{Gvk, Value};

use crate::error::ApiError;
use crate::resource::Resource;

/// How a patch body is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchKind {
    /// RFC 6902.
    Json,
    /// RFC 7386.
    Merge,
    /// Kubernetes' own, which knows the types.
    Strategic,
}

impl PatchKind {
    /// Reads a content type. Server-side apply is refused by name: it comes with the structured merge.
    pub fn parse(content_type: &str) -> Result<Self, ApiError> {
        match content_type.split(';').next().unwrap_or_default().trim() {
            "application/json-patch+json" => Ok(Self::Json),
            "application/merge-patch+json" => Ok(Self::Merge),
            "application/strategic-merge-patch+json" => Ok(Self::Strategic),
            "application/apply-patch+yaml" | "application/apply-patch+cbor" => Err(ApiError::unsupported_media_type(
                "server-side apply is not served by the evaluation control plane yet: use client-side apply, or a merge patch",
            )),
            _ => Err(ApiError::unsupported_media_type(
                "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, \
                 application/merge-patch+json, application/strategic-merge-patch+json",
            )),
        }
    }
}

/// Applies a patch to an object in the served version.
pub fn apply(
    kind: PatchKind,
    original: &Value,
    patch: &Value,
    gvk: &Gvk,
    resource: &Resource,
) -> Result<Value, ApiError> {
    match kind {
        PatchKind::Json => json_patch::apply(original, patch).map_err(|e| ApiError::unprocessable(e.to_string())),
        PatchKind::Merge => json_merge::apply(original, patch).map_err(|e| ApiError::bad_request(e.to_string())),
        PatchKind::Strategic => {
            let of = Schema::builtin().type_of(gvk).filter(|_| resource.custom.is_none());
            match of {
                Some(of) => strategic::apply(original, patch, of).map_err(|e| ApiError::unprocessable(e.to_string())),
                // Kinds of the API extension groups have no merge keys: their lists are replaced, which is what a merge patch does.
                None if resource.custom.is_none() => {
                    json_merge::apply(original, patch).map_err(|e| ApiError::bad_request(e.to_string()))
                }
                None => Err(ApiError::unsupported_media_type(
                    "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, \
                     application/merge-patch+json",
                )),
            }
        }
    }
}
