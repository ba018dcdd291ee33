//! Controller references: who manages what, adoption of orphans and release of strays.

use std::collections::BTreeMap;

use pintle_model::{Object, OwnerReference, Value};

use super::driver::{Context, Queue};
use super::selector::Selector;
use crate::error::ApiError;
use crate::resource::GroupResource;
use crate::store::{Event, EventKind, Name, Store};

/// The managing controller of an object.
pub(super) fn controller_of(object: &Object) -> Option<OwnerReference<'_>> {
    object.owner_references().find(|o| o.controller)
}

/// Whether `owner` manages `object`.
pub(super) fn is_controlled_by(object: &Object, owner: &Object) -> bool {
    controller_of(object).is_some_and(|o| o.uid == owner.uid())
}

/// The reference that makes `owner` the managing controller.
pub(super) fn controller_reference(owner: &Object) -> Value {
    let mut reference = Value::map();
    reference.set_at(&["apiVersion"], owner.api_version().into());
    reference.set_at(&["kind"], owner.kind().into());
    reference.set_at(&["name"], owner.name().into());
    reference.set_at(&["uid"], owner.uid().into());
    reference.set_at(&["controller"], true.into());
    reference.set_at(&["blockOwnerDeletion"], true.into());
    reference
}

/// The objects of a table that `owner` manages, in the order of their names.
pub(super) fn controlled(store: &Store, gr: &GroupResource, owner: &Object) -> Vec<Object> {
    let mut found: Vec<Object> = store
        .dependents(owner.uid())
        .into_iter()
        .filter(|(table, object)| table == gr && is_controlled_by(object, owner))
        .map(|(_, object)| object)
        .collect();
    found.sort_by(|a, b| a.name().cmp(b.name()));
    found
}

/// As [`controlled`], after adopting orphans that match the selector and letting go what no longer matches. An owner that is being deleted
/// does neither.
pub(super) fn claim(
    cx: &Context<'_>,
    gr: &GroupResource,
    owner: &Object,
    selector: &Selector,
    orphans: &Orphans,
) -> Result<Vec<Object>, ApiError> {
    let mut owned = controlled(cx.store, gr, owner);
    if owner.deletion_timestamp().is_some() {
        return Ok(owned);
    }
    let mut kept = Vec::with_capacity(owned.len());
    for object in owned.drain(..) {
        if object.deletion_timestamp().is_some() || selector.matches(&object) {
            kept.push(object);
            continue;
        }
        let uid = owner.uid();
        cx.modify(gr, &object, |o| {
            let rest: Vec<Value> = o
                .value()
                .list_at(&["metadata", "ownerReferences"])
                .iter()
                .filter(|r| r.str_at(&["uid"]) != Some(uid))
                .cloned()
                .collect();
            if rest.is_empty() {
                o.value_mut().remove_at(&["metadata", "ownerReferences"]);
            } else {
                o.value_mut().set_at(&["metadata", "ownerReferences"], rest.into());
            }
        })?;
    }
    for name in orphans.matching(owner.namespace(), selector) {
        let Ok(orphan) = cx.store.get(gr, owner.namespace(), &name) else {
            continue;
        };
        if controller_of(&orphan).is_some() || orphan.deletion_timestamp().is_some() {
            continue;
        }
        let reference = controller_reference(owner);
        kept.push(cx.modify(gr, &orphan, |o| {
            let mut references = o.value().list_at(&["metadata", "ownerReferences"]).to_vec();
            references.push(reference);
            o.value_mut()
                .set_at(&["metadata", "ownerReferences"], references.into());
        })?);
    }
    Ok(kept)
}

/// The objects of one table that nobody manages.
#[derive(Default)]
pub(super) struct Orphans(BTreeMap<Name, Object>);

impl Orphans {
    /// Notes an event of the children's table. An object that becomes (or changes as) an orphan concerns every owner in its namespace.
    pub(super) fn observe(&mut self, store: &Store, event: &Event, owners: &GroupResource, queue: &mut Queue) {
        let object = &event.object;
        if event.kind == EventKind::Deleted || controller_of(object).is_some() || object.deletion_timestamp().is_some()
        {
            self.0.remove(&event.key);
            return;
        }
        let before = self.0.insert(event.key.clone(), object.clone());
        if before.is_some_and(|b| b.labels() == object.labels()) {
            return;
        }
        for owner in store.list(owners, Some(&event.key.0)).objects {
            if Selector::of(&owner).matches(object) {
                queue.push_name(owner.namespace(), owner.name());
            }
        }
    }

    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    fn matching(&self, namespace: &str, selector: &Selector) -> Vec<std::sync::Arc<str>> {
        let from: Name = (namespace.into(), "".into());
        self.0
            .range(from..)
            .take_while(|((ns, _), _)| &**ns == namespace)
            .filter(|(_, object)| selector.matches(object))
            .map(|((_, name), _)| std::sync::Arc::clone(name))
            .collect()
    }
}
