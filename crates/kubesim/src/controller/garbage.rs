//! Owner references: what is owned goes with its owner.
//!
//! ```text
//! owner gone            -> dependent with no other living owner is deleted; with one, it loses the dead reference
//! owner: foreground     -> dependents are deleted, the owner stays until those that block it are gone
//! owner: orphan         -> dependents lose the reference, then the owner goes
//! ```

use jiff::Timestamp;
use pintle_model::{Object, Value};

use crate::resource::GroupResource;
use crate::simulate::Controller;
use crate::store::{DeleteOptions, EventKind, FOREGROUND, ORPHAN, Propagation, Store};

/// Deletes what nobody owns any more.
#[derive(Default)]
pub struct GarbageCollector {
    seen: u64,
}

impl Controller for GarbageCollector {
    fn name(&self) -> &'static str {
        "garbage-collector"
    }

    fn step(&mut self, store: &Store, _now: Timestamp) -> Option<Timestamp> {
        let upto = store.resource_version();
        if upto == self.seen {
            return None;
        }
        match store.events_since(self.seen) {
            Ok(events) => {
                for event in events {
                    let uid = event.object.uid().to_owned();
                    if event.kind == EventKind::Deleted {
                        self.owner_gone(store, &uid);
                        // An owner that waits in the foreground for this one.
                        for owner in event.object.owner_references() {
                            self.owner_by_uid(store, event.object.namespace(), &owner);
                        }
                    } else {
                        self.look(store, &event.gr, &event.object);
                    }
                }
            }
            // Too far behind: every object is looked at once.
            Err(_) => {
                for gr in store.populated() {
                    for object in store.list(&gr, None).objects {
                        self.look(store, &gr, &object);
                    }
                }
            }
        }
        self.seen = upto;
        None
    }
}

impl GarbageCollector {
    /// Looks at what an event or a listing was about, as it is now: an earlier step of the same pass may have changed it.
    fn look(&self, store: &Store, gr: &GroupResource, seen: &Object) {
        let wanted = seen.owner_references().next().is_some() || seen.deletion_timestamp().is_some();
        let Some(object) = wanted
            .then(|| store.get(gr, seen.namespace(), seen.name()).ok())
            .flatten()
        else {
            return;
        };
        if object.owner_references().any(|o| !store.uid_exists(o.uid)) {
            collect(store, gr, &object);
        }
        if object.deletion_timestamp().is_some() {
            self.process_deletion(store, gr, &object);
        }
    }

    fn owner_gone(&self, store: &Store, uid: &str) {
        for (gr, dependent) in store.dependents(uid) {
            collect(store, &gr, &dependent);
        }
    }

    fn owner_by_uid(&self, store: &Store, namespace: &str, owner: &pintle_model::OwnerReference<'_>) {
        if !store.uid_exists(owner.uid) {
            return;
        }
        let resources = store.resources();
        let group = owner.api_version.split_once('/').map_or("", |(g, _)| g);
        let Some(resource) = resources.by_kind(group, owner.kind) else {
            return;
        };
        let namespace = if resource.namespaced { namespace } else { "" };
        if let Ok(found) = store.get(&resource.gr, namespace, owner.name)
            && found.uid() == owner.uid
            && found.deletion_timestamp().is_some()
        {
            self.process_deletion(store, &resource.gr, &found);
        }
    }

    fn process_deletion(&self, store: &Store, gr: &GroupResource, owner: &Object) {
        let has = |name: &str| owner.finalizers().any(|f| f == name);
        if has(ORPHAN) {
            for (dependent_gr, dependent) in store.dependents(owner.uid()) {
                drop_owners(store, &dependent_gr, &dependent, |uid| uid == owner.uid());
            }
            release(store, gr, owner, ORPHAN);
        } else if has(FOREGROUND) {
            let mut blocked = false;
            for (dependent_gr, dependent) in store.dependents(owner.uid()) {
                blocked |= dependent
                    .owner_references()
                    .any(|o| o.uid == owner.uid() && o.block_owner_deletion);
                if dependent.deletion_timestamp().is_none() {
                    let options = DeleteOptions {
                        propagation: Some(Propagation::Foreground),
                        uid: Some(dependent.uid().into()),
                        ..DeleteOptions::default()
                    };
                    // Gone or replaced meanwhile: its own event comes.
                    let _ = store.delete(&dependent_gr, dependent.namespace(), dependent.name(), &options);
                }
            }
            if !blocked {
                release(store, gr, owner, FOREGROUND);
            }
        }
    }
}

/// Deletes an object none of whose owners lives; takes the dead ones out of its references otherwise.
fn collect(store: &Store, gr: &GroupResource, dependent: &Object) {
    // An owner in another namespace does not count: references never cross one.
    let lives = |uid: &str| store.uid_exists(uid);
    if dependent.owner_references().any(|o| lives(o.uid)) {
        drop_owners(store, gr, dependent, |uid| !lives(uid));
    } else if dependent.owner_references().next().is_some() && dependent.deletion_timestamp().is_none() {
        let options = DeleteOptions {
            propagation: None,
            uid: Some(dependent.uid().into()),
            ..DeleteOptions::default()
        };
        let _ = store.delete(gr, dependent.namespace(), dependent.name(), &options);
    }
}

fn drop_owners(store: &Store, gr: &GroupResource, dependent: &Object, gone: impl Fn(&str) -> bool) {
    let _ = store.modify(gr, dependent.namespace(), dependent.name(), |o| {
        let kept: Vec<Value> = o
            .value()
            .list_at(&["metadata", "ownerReferences"])
            .iter()
            .filter(|r| !r.str_at(&["uid"]).is_some_and(&gone))
            .cloned()
            .collect();
        if kept.is_empty() {
            o.value_mut().remove_at(&["metadata", "ownerReferences"]);
        } else {
            o.value_mut()
                .set_at(&["metadata", "ownerReferences"], Value::list(kept));
        }
    });
}

fn release(store: &Store, gr: &GroupResource, object: &Object, finalizer: &str) {
    let _ = store.modify(gr, object.namespace(), object.name(), |o| {
        remove_finalizer(o, finalizer)
    });
}

/// Takes one finalizer off an object.
pub(super) fn remove_finalizer(object: &mut Object, finalizer: &str) {
    let kept: Vec<Value> = object
        .finalizers()
        .filter(|f| *f != finalizer)
        .map(Value::from)
        .collect();
    if kept.is_empty() {
        object.value_mut().remove_at(&["metadata", "finalizers"]);
    } else {
        object
            .value_mut()
            .set_at(&["metadata", "finalizers"], Value::list(kept));
    }
}
