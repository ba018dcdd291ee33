//! What may be pruned, and in which wave [F3.4, F3.22].

use std::collections::BTreeMap;

use pintle_model::application::SyncPhase;
use pintle_model::sync_option::Permission;

use super::op::SyncOp;
use super::options::{of_object, prune_permission};
use super::task::Task;
use super::view::SyncView;

/// What is to be done about one object that left the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PruneVerdict {
    /// Delete it.
    Delete,
    /// A person must approve it first.
    Confirm,
    /// Leave it; the message for its result.
    Skip(String),
}

/// Mirrors the waves inside the prune set, so that what was made last goes first, and moves `PruneLast` behind everything.
///
/// Tasks whose objects are gone no longer count, as in the peer: the order inside the set stays, its place among the applied waves may move
/// forward.
pub fn assign_waves(tasks: &mut [Task], op: &SyncOp) {
    let mut waves: Vec<i64> = tasks.iter().filter(|t| t.is_prune()).map(|t| t.wave).collect();
    waves.sort_unstable();
    waves.dedup();
    let mirrored: BTreeMap<i64, i64> = waves.iter().copied().zip(waves.iter().rev().copied()).collect();
    for task in tasks.iter_mut().filter(|t| t.is_prune()) {
        if let Some(wave) = mirrored.get(&task.wave) {
            task.wave = *wave;
        }
    }
    let last = tasks
        .iter()
        .filter(|t| t.phase == SyncPhase::Sync)
        .map(|t| t.wave)
        .max()
        .unwrap_or(0)
        .max(0);
    for task in tasks.iter_mut().filter(|t| t.is_prune()) {
        if op.options.prune_last || task.live.as_ref().is_some_and(|live| of_object(live).prune_last) {
            task.wave = last.saturating_add(1);
        }
    }
}

/// Decides over one prune task, on the live object as it is now.
pub fn verdict(task: &Task, op: &SyncOp, view: &SyncView<'_>) -> PruneVerdict {
    let Some(live) = &task.live else {
        return PruneVerdict::Skip("ignored (already gone)".into());
    };
    if !op.prune {
        return PruneVerdict::Skip("ignored (requires pruning)".into());
    }
    let permission = prune_permission(live, &op.options);
    if permission == Permission::No {
        return PruneVerdict::Skip("ignored (no prune)".into());
    }
    if let Err(why) = view.cluster.prune_ok(&task.key.group_kind()) {
        return PruneVerdict::Skip(format!("ignored (not pruned: {why})"));
    }
    if live.uid().is_empty() {
        return PruneVerdict::Skip("ignored (not pruned: the live object has no UID)".into());
    }
    if !view.cluster.is_tracked(live) {
        return PruneVerdict::Skip("ignored (not pruned: the object is not tracked by this application)".into());
    }
    if permission == Permission::Confirm && !op.is_approved() {
        return PruneVerdict::Confirm;
    }
    PruneVerdict::Delete
}
