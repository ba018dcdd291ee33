//! From a task to the effect that carries it out [F3.23-F3.25], and from its outcome to the words kubectl would say [F3.27].

use std::sync::Arc;

use pintle_model::Object;

use super::dependency::is_crd;
use super::hook::finalizer_release;
use super::op::SyncOp;
use super::options::{of_object, prune_propagation};
use super::task::Task;
use crate::effect::{Action, ApplyMode, Effect, Outcome, Propagation};

/// How an object is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Three-way merge; `force` deletes and recreates what cannot be changed.
    ClientSide {
        /// See [`ApplyMode::ClientSide`].
        force: bool,
    },
    /// Server-side apply.
    ServerSide,
    /// PUT; `force` deletes and recreates always.
    Replace {
        /// See [`Action::Replace`].
        force: bool,
    },
}

/// How a task's object is written: its own annotation, then the Application's options.
pub fn manner(op: &SyncOp, task: &Task) -> Manner {
    let Some(target) = &task.target else {
        return Manner::ClientSide { force: false };
    };
    let own = of_object(target);
    // Deleting one of these takes everything in it along, so they are never recreated.
    let is_container = is_crd(target) || (target.kind() == "Namespace" && target.group().is_empty());
    let force = (op.force || own.force) && !is_container;
    if op.options.replace || own.replace || task.live.as_ref().is_some_and(|live| of_object(live).replace) {
        return Manner::Replace { force };
    }
    let server_side = own.server_side_apply.or(op.options.server_side_apply).unwrap_or(false);
    if server_side {
        Manner::ServerSide
    } else {
        Manner::ClientSide { force }
    }
}

/// The write of a task's target; `None` for prune tasks.
pub fn apply(op: &SyncOp, task: &Task) -> Option<Effect> {
    let target = task.target.clone()?;
    Some(effect(op, task, write(op, target, manner(op, task)), op.dry_run))
}

/// The dry run of a task's target; `None` for prune tasks.
///
/// What will be deleted before it is made again is tried as a CREATE: the server validates and admits it before it notices that the old one is
/// still there, so `AlreadyExists` means valid, and changes of immutable fields do not count.
pub fn dry_run(op: &SyncOp, task: &Task) -> Option<Effect> {
    let target = task.target.clone()?;
    let manner = manner(op, task);
    let action = if is_recreated(task, manner) {
        Action::Create { object: target }
    } else {
        let unforced = match manner {
            Manner::ClientSide { .. } => Manner::ClientSide { force: false },
            Manner::Replace { .. } => Manner::Replace { force: false },
            Manner::ServerSide => Manner::ServerSide,
        };
        write(op, target, unforced)
    };
    Some(effect(op, task, action, true))
}

fn is_recreated(task: &Task, manner: Manner) -> bool {
    let forced = matches!(
        manner,
        Manner::ClientSide { force: true } | Manner::Replace { force: true }
    );
    task.live.is_some() && (forced || task.must_go_first())
}

fn write(op: &SyncOp, object: Object, manner: Manner) -> Action {
    let validate = !(op.options.skip_validation || of_object(&object).skip_validation);
    match manner {
        Manner::ClientSide { force } => Action::Apply {
            object,
            mode: ApplyMode::ClientSide { force },
            validate,
        },
        Manner::ServerSide => Action::Apply {
            object,
            mode: ApplyMode::ServerSide,
            validate,
        },
        Manner::Replace { force } => Action::Replace { object, force },
    }
}

/// DELETE of an object that left the source, at exactly the version the decision saw; `None` without a live UID.
pub fn prune(op: &SyncOp, task: &Task) -> Option<Effect> {
    let live = task.live.as_ref()?;
    let version = Some(live.resource_version()).filter(|v| !v.is_empty()).map(Arc::from);
    delete(op, task, prune_propagation(&op.options), version)
}

/// DELETE of a hook; `None` without a live UID.
pub fn delete_hook(op: &SyncOp, task: &Task) -> Option<Effect> {
    // No resourceVersion: a running hook's status changes all the time, and whose hook it is does not.
    delete(op, task, prune_propagation(&op.options), None)
}

fn delete(op: &SyncOp, task: &Task, propagation: Propagation, resource_version: Option<Arc<str>>) -> Option<Effect> {
    let uid = task.live.as_ref().map(Object::uid).filter(|uid| !uid.is_empty())?;
    Some(effect(
        op,
        task,
        Action::Delete {
            uid: uid.into(),
            resource_version,
            propagation,
        },
        false,
    ))
}

/// The patch that takes the hook finalizer off a live hook.
pub fn release(op: &SyncOp, task: &Task) -> Option<Effect> {
    let live = task.live.as_ref()?;
    let resource_version = Some(live.resource_version()).filter(|v| !v.is_empty()).map(Arc::from);
    Some(effect(
        op,
        task,
        Action::MergePatch {
            patch: finalizer_release(live),
            resource_version,
        },
        false,
    ))
}

fn effect(op: &SyncOp, task: &Task, action: Action, dry_run: bool) -> Effect {
    Effect {
        cluster: op.cluster.clone(),
        gvk: task.gvk(),
        namespace: Arc::clone(&task.key.namespace),
        name: Arc::clone(&task.key.name),
        action,
        dry_run,
    }
}

/// What kubectl prints for a write that succeeded: `deployment.apps/x configured`.
pub fn kubectl_words(op: &SyncOp, task: &Task, outcome: &Outcome) -> String {
    let manner = manner(op, task);
    let done = match (manner, outcome) {
        (Manner::ServerSide, _) => "serverside-applied",
        (_, Outcome::Created(_)) => "created",
        (Manner::Replace { .. }, _) => "replaced",
        (Manner::ClientSide { .. }, Outcome::Unchanged(_)) => "unchanged",
        (Manner::ClientSide { .. }, _) => "configured",
    };
    let suffix = if op.dry_run { " (dry run)" } else { "" };
    format!("{} {done}{suffix}", resource_name(task))
}

/// What kubectl calls an object: `deployment.apps/x`.
pub fn resource_name(task: &Task) -> String {
    format!("{}/{}", task.key.group_kind().to_string().to_lowercase(), task.key.name)
}
