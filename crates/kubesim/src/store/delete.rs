//! Deletion: preconditions, propagation, finalizers, grace.

use std::time::Duration;

use jiff::Timestamp;
use pintle_model::{Object, Value};

use super::write::{bump_generation, check_preconditions};
use super::{State, Store};
use crate::clock::{later, rfc3339};
use crate::error::ApiError;
use crate::resource::GroupResource;

/// What happens to the objects that an object owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Propagation {
    /// They are deleted afterwards.
    Background,
    /// The object stays until those that block it are gone.
    Foreground,
    /// They lose their owner and stay.
    Orphan,
}

/// The finalizer of [`Propagation::Foreground`].
pub const FOREGROUND: &str = "foregroundDeletion";
/// The finalizer of [`Propagation::Orphan`].
pub const ORPHAN: &str = "orphan";

/// How a delete is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeleteOptions {
    /// `None`: background, as kube-apiserver does for every built-in kind.
    pub propagation: Option<Propagation>,
    /// The object must have this UID.
    pub uid: Option<String>,
    /// The object must be at this resourceVersion.
    pub resource_version: Option<String>,
    /// Seconds a Pod may take; `None` means its own `terminationGracePeriodSeconds`.
    pub grace_period_seconds: Option<i64>,
    /// Answer as if deleted, but write nothing.
    pub dry_run: bool,
}

/// What a delete did.
pub enum Deletion {
    /// The object is gone; this was its last state.
    Removed(Object),
    /// The object is marked: finalizers, a grace period or (for a namespace) contents hold it.
    Marked(Object),
}

impl Deletion {
    /// The object, gone or marked.
    pub fn object(&self) -> &Object {
        match self {
            Self::Removed(o) | Self::Marked(o) => o,
        }
    }
}

impl Store {
    /// Deletes an object, or marks it for deletion where something holds it.
    pub fn delete(
        &self,
        gr: &GroupResource,
        namespace: &str,
        name: &str,
        options: &DeleteOptions,
    ) -> Result<Deletion, ApiError> {
        let now = self.clock.now();
        self.write(|state| state.delete(gr, namespace, name, options, now))
    }
}

impl State {
    fn delete(
        &mut self,
        gr: &GroupResource,
        namespace: &str,
        name: &str,
        options: &DeleteOptions,
        now: Timestamp,
    ) -> Result<Deletion, ApiError> {
        let Some(old) = self.find(gr, namespace, name).cloned() else {
            return Err(ApiError::not_found(gr, name));
        };
        check_preconditions(gr, &old, options.uid.as_deref(), options.resource_version.as_deref())?;
        let mut object = old.clone();
        set_propagation(&mut object, options.propagation);
        let grace = grace_seconds(&object, options);
        let held = object.is_held();
        let key = (namespace.into(), name.into());
        if grace == 0 && !held {
            return Ok(Deletion::Removed(if options.dry_run {
                object
            } else {
                self.take(gr, key, old)
            }));
        }
        mark(&mut object, grace, now);
        if object != old && !options.dry_run {
            object = self.put(gr, key, object);
        }
        Ok(Deletion::Marked(object))
    }
}

/// Sets the deletion timestamp; a second delete may only shorten the grace period.
fn mark(object: &mut Object, grace: i64, now: Timestamp) {
    let at = later(now, Duration::from_secs(u64::try_from(grace).unwrap_or(0)));
    let current = object.value().i64_at(&["metadata", "deletionGracePeriodSeconds"]);
    if object.deletion_timestamp().is_some() && current.is_none_or(|c| c <= grace) {
        return;
    }
    if object.deletion_timestamp().is_none() {
        bump_generation(object);
    }
    object
        .value_mut()
        .set_at(&["metadata", "deletionTimestamp"], rfc3339(at).into());
    object
        .value_mut()
        .set_at(&["metadata", "deletionGracePeriodSeconds"], grace.into());
    if object.kind() == "Namespace" && object.group().is_empty() {
        object
            .value_mut()
            .remove_at(&["metadata", "deletionGracePeriodSeconds"]);
        object.value_mut().set_at(&["status", "phase"], "Terminating".into());
    }
}

/// Only Pods that run on a node have a grace period.
fn grace_seconds(object: &Object, options: &DeleteOptions) -> i64 {
    if object.kind() != "Pod" || !object.group().is_empty() {
        return 0;
    }
    let value = object.value();
    let finished = matches!(value.str_at(&["status", "phase"]), Some("Succeeded" | "Failed"));
    if finished || value.str_at(&["spec", "nodeName"]).is_none_or(str::is_empty) {
        return 0;
    }
    let wanted = options
        .grace_period_seconds
        .or_else(|| value.i64_at(&["spec", "terminationGracePeriodSeconds"]));
    wanted.unwrap_or(30).max(0)
}

fn set_propagation(object: &mut Object, propagation: Option<Propagation>) {
    let Some(propagation) = propagation else { return };
    let mut finalizers: Vec<Value> = object
        .finalizers()
        .filter(|f| *f != FOREGROUND && *f != ORPHAN)
        .map(Value::from)
        .collect();
    match propagation {
        Propagation::Foreground => finalizers.push(FOREGROUND.into()),
        Propagation::Orphan => finalizers.push(ORPHAN.into()),
        Propagation::Background => {}
    }
    if finalizers.is_empty() {
        object.value_mut().remove_at(&["metadata", "finalizers"]);
    } else {
        object
            .value_mut()
            .set_at(&["metadata", "finalizers"], Value::list(finalizers));
    }
}
