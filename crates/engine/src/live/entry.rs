//! What the index keeps of one object.

use std::sync::Arc;

use pintle_model::{Map, Object, ResourceKey, Value};

use super::index::IndexRules;
use super::info::{self, Facts};
use super::intern::Interner;
use super::link::{self, Link};
use crate::health::{Health, health};

/// One line of what a tree shows of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InfoItem {
    /// What it is, for example `Containers`.
    pub name: Arc<str>,
    /// Its value, for example `1/2`.
    pub value: Arc<str>,
}

impl InfoItem {
    pub(super) fn new(name: &str, value: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
        }
    }
}

/// One object of the cluster: whole where an application manages it or asked for it, otherwise what trees and health need.
pub struct Entry {
    pub(super) key: ResourceKey,
    pub(super) version: Arc<str>,
    pub(super) uid: Arc<str>,
    pub(super) resource_version: Arc<str>,
    pub(super) created_at: Arc<str>,
    pub(super) deleting: bool,
    pub(super) app: Option<Arc<str>>,
    pub(super) health: Option<Health>,
    pub(super) facts: Facts,
    pub(super) seeks: Box<[Link]>,
    pub(super) claims: Box<[Link]>,
    pub(super) object: Option<Object>,
}

impl Entry {
    /// Takes from an object what is worth keeping.
    pub(super) fn new(
        object: Object,
        key: ResourceKey,
        keep_whole: bool,
        rules: &IndexRules,
        interner: &mut Interner,
    ) -> Self {
        let app = rules.tracking.app_of(&object).map(|app| interner.get(app));
        Self {
            version: interner.get(object.version()),
            uid: object.uid().into(),
            resource_version: object.resource_version().into(),
            created_at: object.creation_timestamp().into(),
            deleting: object.deletion_timestamp().is_some(),
            health: health(&object),
            facts: info::facts(&object, &rules.custom_labels, interner),
            seeks: link::seeks(&object, interner).into(),
            claims: link::claims(&object, interner).into(),
            object: (keep_whole || app.is_some()).then_some(object),
            app,
            key,
        }
    }

    /// Group, kind, namespace, name.
    pub fn key(&self) -> &ResourceKey {
        &self.key
    }

    /// The API version it was read in.
    pub fn version(&self) -> &Arc<str> {
        &self.version
    }

    /// `metadata.uid`.
    pub fn uid(&self) -> &Arc<str> {
        &self.uid
    }

    /// `metadata.resourceVersion`.
    pub fn resource_version(&self) -> &Arc<str> {
        &self.resource_version
    }

    /// `metadata.creationTimestamp` as text (RFC 3339); empty when absent.
    pub fn created_at(&self) -> &Arc<str> {
        &self.created_at
    }

    /// Whether it has a deletionTimestamp.
    pub fn is_deleting(&self) -> bool {
        self.deleting
    }

    /// Instance name of the application whose tracking mark it carries rightfully.
    pub fn app(&self) -> Option<&Arc<str>> {
        self.app.as_ref()
    }

    /// Its health by the built-in checks, where its kind has one.
    pub fn health(&self) -> Option<&Health> {
        self.health.as_ref()
    }

    /// What a tree shows of it.
    pub fn info(&self) -> &[InfoItem] {
        &self.facts.info
    }

    /// The images of a Pod, sorted, once each.
    pub fn images(&self) -> &[Arc<str>] {
        &self.facts.images
    }

    /// The labels of a Pod.
    pub fn labels(&self) -> Option<&Map> {
        self.facts.labels.as_ref()
    }

    /// The selector of a Service.
    pub fn target_labels(&self) -> Option<&Map> {
        self.facts.target_labels.as_ref()
    }

    /// Whether it names or implies any owner, found or not.
    pub fn has_owners(&self) -> bool {
        // An implied StatefulSet may not exist: any claim whose name ends in a number seeks one.
        self.seeks.iter().any(|link| !matches!(link, Link::Claim { .. }))
    }

    /// The object, where it is kept whole.
    pub fn object(&self) -> Option<&Object> {
        self.object.as_ref()
    }

    /// The links by which children find it.
    pub(super) fn offers(&self) -> impl Iterator<Item = Link> {
        [Link::Uid(Arc::clone(&self.uid)), Link::Key(self.key.clone())]
            .into_iter()
            .chain(self.claims.iter().cloned())
    }

    /// Whether trees show the two alike.
    pub(super) fn shows_like(&self, other: &Self) -> bool {
        self.uid == other.uid
            && self.version == other.version
            && self.app == other.app
            && self.deleting == other.deleting
            && self.health == other.health
            && self.facts == other.facts
            && self.created_at == other.created_at
            && self.seeks == other.seeks
            && self.claims == other.claims
    }

    /// Whether a comparison with the desired state would see no difference between the two: resourceVersion, managedFields and, unless
    /// `with_status`, status aside.
    pub(super) fn compares_like(&self, other: &Self, with_status: bool) -> bool {
        match (&self.object, &other.object) {
            (Some(a), Some(b)) => same_desired(a.value(), b.value(), with_status),
            (None, None) => true,
            _ => false,
        }
    }
}

fn same_desired(a: &Value, b: &Value, with_status: bool) -> bool {
    let skip_top = |key: &str| key == "metadata" || (!with_status && key == "status");
    let skip_meta = |key: &str| matches!(key, "resourceVersion" | "managedFields" | "generation");
    let metadata = |v: &Value| v.get("metadata").and_then(Value::as_map).cloned().unwrap_or_default();
    match (a.as_map(), b.as_map()) {
        (Some(a_top), Some(b_top)) => {
            same_except(a_top, b_top, skip_top) && same_except(&metadata(a), &metadata(b), skip_meta)
        }
        _ => a == b,
    }
}

/// Whether two maps are equal but for some keys.
fn same_except(a: &Map, b: &Map, skip: impl Fn(&str) -> bool) -> bool {
    a.iter()
        .filter(|(k, _)| !skip(k))
        .eq(b.iter().filter(|(k, _)| !skip(k)))
}
