//! What the sync options of an object and of its Application say together [F3.22].

use pintle_model::sync_option::{Permission, Propagation as Policy, SyncOptions};
use pintle_model::{Object, annotation};

use crate::effect::Propagation;

/// The options in an object's own annotation.
pub fn of_object(object: &Object) -> SyncOptions {
    object
        .annotation(annotation::SYNC_OPTIONS)
        .map(SyncOptions::of_annotation)
        .unwrap_or_default()
}

/// Whether an object may be pruned: what it says itself goes before what its Application says.
pub fn prune_permission(live: &Object, application: &SyncOptions) -> Permission {
    of_object(live).prune.or(application.prune).unwrap_or(Permission::Yes)
}

/// Whether an object may be deleted together with its Application, likewise.
pub fn delete_permission(live: &Object, application: &SyncOptions) -> Permission {
    of_object(live).delete.or(application.delete).unwrap_or(Permission::Yes)
}

/// What becomes of the dependents of a pruned object; they go first unless set.
pub fn prune_propagation(application: &SyncOptions) -> Propagation {
    match application.prune_propagation.unwrap_or_default() {
        Policy::Foreground => Propagation::Foreground,
        Policy::Background => Propagation::Background,
        Policy::Orphan => Propagation::Orphan,
    }
}
