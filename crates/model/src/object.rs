//! A Kubernetes object: a map with `apiVersion`, `kind` and metadata.

use std::sync::Arc;

use crate::id::{Gvk, ResourceKey};
use crate::value::{JsonError, Map, Value};

/// A Kubernetes object. Cheap to clone; neither `Debug` nor `Serialize` (see [`crate::value`]).
#[derive(Clone, PartialEq)]
pub struct Object(Value);

/// Why a value is not a Kubernetes object.
#[derive(Debug, thiserror::Error)]
pub enum NotAnObject {
    /// The text is not JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// The value is of another type.
    #[error("expected an object, found {0}")]
    WrongType(&'static str),
    /// `apiVersion` or `kind` is missing or not a string.
    #[error("field {0:?} is missing or not a string")]
    MissingField(&'static str),
}

impl Object {
    /// Checks that `value` is a map with string `apiVersion` and `kind`.
    pub fn new(value: Value) -> Result<Self, NotAnObject> {
        let map = value.as_map().ok_or(NotAnObject::WrongType(value.type_name()))?;
        for field in ["apiVersion", "kind"] {
            if map.get(field).and_then(Value::as_str).is_none_or(str::is_empty) {
                return Err(NotAnObject::MissingField(field));
            }
        }
        Ok(Self(value))
    }

    /// Parses one JSON text.
    pub fn from_json(text: &[u8]) -> Result<Self, NotAnObject> {
        Self::new(Value::from_json(text)?)
    }

    /// Returns a minimal object; `namespace` empty means cluster-scoped.
    pub fn bare(gvk: &Gvk, namespace: &str, name: &str) -> Self {
        let mut value = Value::map();
        value.set_at(&["apiVersion"], gvk.api_version().into());
        value.set_at(&["kind"], Value::Str(Arc::clone(&gvk.kind)));
        value.set_at(&["metadata", "name"], name.into());
        if !namespace.is_empty() {
            value.set_at(&["metadata", "namespace"], namespace.into());
        }
        Self(value)
    }

    /// The whole value.
    pub fn value(&self) -> &Value {
        &self.0
    }

    /// The whole value, moved out.
    pub fn into_value(self) -> Value {
        self.0
    }

    /// Changes fields in place. `apiVersion` and `kind` must stay strings: [`Object::new`] checks what comes from outside.
    pub fn value_mut(&mut self) -> &mut Value {
        &mut self.0
    }

    /// `apiVersion`.
    pub fn api_version(&self) -> &str {
        self.0.str_at(&["apiVersion"]).unwrap_or_default()
    }

    /// `kind`.
    pub fn kind(&self) -> &str {
        self.0.str_at(&["kind"]).unwrap_or_default()
    }

    /// The API group; empty for the core group.
    pub fn group(&self) -> &str {
        self.api_version().split_once('/').map_or("", |(group, _)| group)
    }

    /// The API version without the group.
    pub fn version(&self) -> &str {
        let api_version = self.api_version();
        api_version.split_once('/').map_or(api_version, |(_, version)| version)
    }

    /// Group, version and kind.
    pub fn gvk(&self) -> Gvk {
        Gvk::from_api_version(self.api_version(), self.kind())
    }

    /// Group, kind, namespace and name as the object itself says them.
    pub fn key(&self) -> ResourceKey {
        ResourceKey::new(self.group(), self.kind(), self.namespace(), self.name())
    }

    /// `metadata.name`; empty when absent.
    pub fn name(&self) -> &str {
        self.meta_str("name")
    }

    /// `metadata.generateName`; empty when absent.
    pub fn generate_name(&self) -> &str {
        self.meta_str("generateName")
    }

    /// `metadata.namespace`; empty when absent.
    pub fn namespace(&self) -> &str {
        self.meta_str("namespace")
    }

    /// `metadata.uid`; empty when absent.
    pub fn uid(&self) -> &str {
        self.meta_str("uid")
    }

    /// `metadata.resourceVersion`; empty when absent.
    pub fn resource_version(&self) -> &str {
        self.meta_str("resourceVersion")
    }

    /// `metadata.creationTimestamp` as text (RFC 3339); empty when absent.
    pub fn creation_timestamp(&self) -> &str {
        self.meta_str("creationTimestamp")
    }

    /// `metadata.deletionTimestamp` as text (RFC 3339), if the object is being deleted.
    pub fn deletion_timestamp(&self) -> Option<&str> {
        self.0.str_at(&["metadata", "deletionTimestamp"])
    }

    /// `metadata.generation`.
    pub fn generation(&self) -> Option<i64> {
        self.0.i64_at(&["metadata", "generation"])
    }

    /// One label.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.0.str_at(&["metadata", "labels", key])
    }

    /// One annotation.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.0.str_at(&["metadata", "annotations", key])
    }

    /// `metadata.labels`, if it is a map.
    pub fn labels(&self) -> Option<&Map> {
        self.0.at(&["metadata", "labels"]).and_then(Value::as_map)
    }

    /// `metadata.annotations`, if it is a map.
    pub fn annotations(&self) -> Option<&Map> {
        self.0.at(&["metadata", "annotations"]).and_then(Value::as_map)
    }

    /// `metadata.finalizers`, strings only.
    pub fn finalizers(&self) -> impl Iterator<Item = &str> {
        self.0
            .list_at(&["metadata", "finalizers"])
            .iter()
            .filter_map(Value::as_str)
    }

    /// Whether anything holds its deletion back: `metadata.finalizers`, and those that a Namespace has in its spec.
    pub fn is_held(&self) -> bool {
        let is_namespace = self.kind() == "Namespace" && self.group().is_empty();
        self.finalizers().next().is_some() || is_namespace && !self.0.list_at(&["spec", "finalizers"]).is_empty()
    }

    /// Whether it is being deleted and nothing is waited for any more, a grace period neither: a write that makes it so is the last one.
    pub fn is_released(&self) -> bool {
        let grace = self.0.i64_at(&["metadata", "deletionGracePeriodSeconds"]).unwrap_or(0);
        self.deletion_timestamp().is_some() && grace == 0 && !self.is_held()
    }

    /// `metadata.ownerReferences`, those that name a kind, a name and a UID.
    pub fn owner_references(&self) -> impl Iterator<Item = OwnerReference<'_>> {
        self.0.list_at(&["metadata", "ownerReferences"]).iter().filter_map(|o| {
            Some(OwnerReference {
                api_version: o.str_at(&["apiVersion"])?,
                kind: o.str_at(&["kind"])?,
                name: o.str_at(&["name"])?,
                uid: o.str_at(&["uid"])?,
                controller: o.bool_at(&["controller"]).unwrap_or(false),
                block_owner_deletion: o.bool_at(&["blockOwnerDeletion"]).unwrap_or(false),
            })
        })
    }

    /// Sets one annotation.
    pub fn set_annotation(&mut self, key: &str, value: impl Into<Arc<str>>) {
        self.0
            .set_at(&["metadata", "annotations", key], Value::Str(value.into()));
    }

    /// Sets one label.
    pub fn set_label(&mut self, key: &str, value: impl Into<Arc<str>>) {
        self.0.set_at(&["metadata", "labels", key], Value::Str(value.into()));
    }

    /// Removes one annotation, and the annotations map when it becomes empty.
    pub fn remove_annotation(&mut self, key: &str) -> Option<Value> {
        let old = self.0.remove_at(&["metadata", "annotations", key]);
        if self.annotations().is_some_and(Map::is_empty) {
            self.0.remove_at(&["metadata", "annotations"]);
        }
        old
    }

    /// Sets or, with an empty string, removes `metadata.namespace`.
    pub fn set_namespace(&mut self, namespace: &str) {
        if namespace.is_empty() {
            self.0.remove_at(&["metadata", "namespace"]);
        } else {
            self.0.set_at(&["metadata", "namespace"], namespace.into());
        }
    }

    fn meta_str(&self, field: &str) -> &str {
        self.0.str_at(&["metadata", field]).unwrap_or_default()
    }
}

/// One entry of `metadata.ownerReferences`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnerReference<'a> {
    /// `group/version` of the owner.
    pub api_version: &'a str,
    /// Kind of the owner.
    pub kind: &'a str,
    /// Name of the owner, in the same namespace or cluster-scoped.
    pub name: &'a str,
    /// UID of the owner.
    pub uid: &'a str,
    /// Whether this owner is the managing controller.
    pub controller: bool,
    /// Whether foreground deletion of the owner waits for this object.
    pub block_owner_deletion: bool,
}
