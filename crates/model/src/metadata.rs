//! Object metadata of typed resources.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::time::Time;
use crate::unknown::{Unknown, is_default};

/// `metadata` of a typed resource. What has no field here (`managedFields` among others) is kept in `unknown`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ObjectMeta {
    /// Name, unique within kind and namespace.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Prefix from which the API server makes a name when `name` is empty.
    #[serde(skip_serializing_if = "is_default")]
    pub generate_name: String,
    /// Namespace.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    /// Identity given by the API server; changes when the object is deleted and made again.
    #[serde(skip_serializing_if = "is_default")]
    pub uid: String,
    /// Opaque version for optimistic concurrency.
    #[serde(skip_serializing_if = "is_default")]
    pub resource_version: String,
    /// Counts changes of the object's desired state; 0 means unknown.
    #[serde(skip_serializing_if = "is_default")]
    pub generation: i64,
    /// When the API server stored the object first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_timestamp: Option<Time>,
    /// When deletion was asked for; the object stays until its finalizers are gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_timestamp: Option<Time>,
    /// Seconds between `deletion_timestamp` and the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_grace_period_seconds: Option<i64>,
    /// Labels.
    #[serde(skip_serializing_if = "is_default")]
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    #[serde(skip_serializing_if = "is_default")]
    pub annotations: BTreeMap<String, String>,
    /// Owners.
    #[serde(skip_serializing_if = "is_default")]
    pub owner_references: Vec<OwnerRef>,
    /// Finalizers, in order.
    #[serde(skip_serializing_if = "is_default")]
    pub finalizers: Vec<String>,
    /// Every other field.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl ObjectMeta {
    /// One annotation.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.get(key).map(String::as_str)
    }

    /// One label.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.labels.get(key).map(String::as_str)
    }

    /// Whether deletion was asked for.
    pub fn is_deleting(&self) -> bool {
        self.deletion_timestamp.is_some()
    }

    /// Whether a finalizer is present.
    pub fn has_finalizer(&self, finalizer: &str) -> bool {
        self.finalizers.iter().any(|f| f == finalizer)
    }
}

/// One entry of `metadata.ownerReferences`, owned; [`crate::OwnerReference`] is the borrowed view over an [`crate::Object`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct OwnerRef {
    /// `group/version` of the owner.
    pub api_version: String,
    /// Kind of the owner.
    pub kind: String,
    /// Name of the owner.
    pub name: String,
    /// UID of the owner.
    pub uid: String,
    /// Whether this owner is the managing controller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub controller: Option<bool>,
    /// Whether foreground deletion of the owner waits for this object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block_owner_deletion: Option<bool>,
    /// Every other field.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl JsonSchema for ObjectMeta {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ObjectMeta".into()
    }
    fn inline_schema() -> bool {
        true
    }
    // The API server knows metadata by itself; a CRD schema must not describe it.
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "object" })
    }
}
