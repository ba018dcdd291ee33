//! Create, update, update of status: the generic rules every kind shares.

use std::sync::Arc;

use pintle_model::{Object, Value};

use super::{Name, State, Store};
use crate::clock::rfc3339;
use crate::error::{ApiError, Cause};
use crate::resource::{GroupResource, Resource};

/// How a write is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// Answer as if written, but write nothing.
    pub dry_run: bool,
}

/// Tries for a free generated name, as kube-apiserver's.
const NAME_TRIES: usize = 8;

impl Store {
    /// Creates an object (in storage version) and returns it as stored. `metadata.generateName` is honoured; the namespace is not checked.
    pub fn create(&self, gr: &GroupResource, object: Object) -> Result<Object, ApiError> {
        self.create_with(gr, object, WriteOptions::default())
    }

    /// As [`Store::create`], with options.
    pub fn create_with(&self, gr: &GroupResource, object: Object, options: WriteOptions) -> Result<Object, ApiError> {
        let now = rfc3339(self.clock.now());
        self.write(|state| state.create(gr, object, &now, options))
    }

    /// Replaces an object, its status aside where that is a subresource, and returns it as stored. With `metadata.resourceVersion` set it
    /// must be the current one (409 otherwise). Removing the last finalizer of an object that is being deleted removes the object.
    pub fn update(&self, gr: &GroupResource, object: Object) -> Result<Object, ApiError> {
        self.update_with(gr, object, WriteOptions::default())
    }

    /// As [`Store::update`], with options.
    pub fn update_with(&self, gr: &GroupResource, object: Object, options: WriteOptions) -> Result<Object, ApiError> {
        self.write(|state| state.update(gr, object, Part::Main, options))
    }

    /// Replaces the status of an object and leaves everything else, and returns it as stored.
    pub fn update_status(&self, gr: &GroupResource, object: Object) -> Result<Object, ApiError> {
        self.update_status_with(gr, object, WriteOptions::default())
    }

    /// As [`Store::update_status`], with options.
    pub fn update_status_with(
        &self,
        gr: &GroupResource,
        object: Object,
        options: WriteOptions,
    ) -> Result<Object, ApiError> {
        self.write(|state| state.update(gr, object, Part::Status, options))
    }

    /// Reads, changes and writes back an object in one step, status included: what controllers use. Nothing is written if `change` changes
    /// nothing. Metadata that the server owns stays as it is.
    pub fn modify(
        &self,
        gr: &GroupResource,
        namespace: &str,
        name: &str,
        change: impl FnOnce(&mut Object),
    ) -> Result<Object, ApiError> {
        self.write(|state| {
            let mut object = state
                .find(gr, namespace, name)
                .cloned()
                .ok_or_else(|| ApiError::not_found(gr, name))?;
            change(&mut object);
            state.update(gr, object, Part::Whole, WriteOptions::default())
        })
    }
}

/// What of the object an update may change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// All but the status, where that is a subresource.
    Main,
    /// The status only.
    Status,
    /// All.
    Whole,
}

impl State {
    fn create(
        &mut self,
        gr: &GroupResource,
        mut object: Object,
        now: &str,
        options: WriteOptions,
    ) -> Result<Object, ApiError> {
        let resource = self.resource(gr)?;
        if object.name().is_empty() && !object.generate_name().is_empty() {
            let name = self.free_name(gr, &object)?;
            object.value_mut().set_at(&["metadata", "name"], name.into());
        }
        if object.name().is_empty() {
            let cause = Cause::required("metadata.name", "name or generateName is required");
            return Err(ApiError::invalid(&gr.group, &resource.kind, "", vec![cause]));
        }
        if !object.resource_version().is_empty() {
            return Err(ApiError::bad_request(
                "resourceVersion should not be set on objects to be created",
            ));
        }
        let key = key_of(&object);
        if self.find(gr, &key.0, &key.1).is_some() {
            return Err(ApiError::already_exists(gr, &key.1));
        }
        let uid = self.uids.uid();
        let value = object.value_mut();
        value.set_at(&["metadata", "uid"], uid.into());
        value.set_at(&["metadata", "creationTimestamp"], now.into());
        for field in [
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "selfLink",
            "generation",
        ] {
            value.remove_at(&["metadata", field]);
        }
        if resource.has_generation {
            value.set_at(&["metadata", "generation"], 1.into());
        }
        if gr.is("batch", "jobs") {
            crate::defaults::job_identity(&mut object);
        }
        if options.dry_run {
            return Ok(object);
        }
        Ok(self.put(gr, key, object))
    }

    fn free_name(&mut self, gr: &GroupResource, object: &Object) -> Result<String, ApiError> {
        // Names end at 63 characters for most kinds; the base is cut so that five more fit.
        let base: String = object.generate_name().chars().take(58).collect();
        for _ in 0..NAME_TRIES {
            let name = format!("{base}{}", self.uids.suffix());
            if self.find(gr, object.namespace(), &name).is_none() {
                return Ok(name);
            }
        }
        Err(ApiError::already_exists(gr, object.generate_name()))
    }

    fn update(
        &mut self,
        gr: &GroupResource,
        mut object: Object,
        part: Part,
        options: WriteOptions,
    ) -> Result<Object, ApiError> {
        let resource = self.resource(gr)?;
        let key = key_of(&object);
        let Some(old) = self.find(gr, &key.0, &key.1).cloned() else {
            return Err(ApiError::not_found(gr, &key.1));
        };
        check_preconditions(gr, &old, Some(object.uid()), Some(object.resource_version()))?;
        keep_server_fields(&mut object, &old);
        match part {
            Part::Main if resource.has_status => copy_field(&mut object, &old, "status"),
            Part::Status => {
                let mut merged = old.clone();
                copy_field(&mut merged, &object, "status");
                object = merged;
            }
            Part::Main | Part::Whole => {}
        }
        if resource.has_generation && desired_changed(&resource, &old, &object) {
            bump_generation(&mut object);
        }
        if object.is_released() {
            return Ok(if options.dry_run {
                object
            } else {
                self.take(gr, key, object)
            });
        }
        if object == old || options.dry_run {
            return Ok(object);
        }
        Ok(self.put(gr, key, object))
    }
}

pub(super) fn key_of(object: &Object) -> Name {
    (object.namespace().into(), object.name().into())
}

/// 409 if a UID or a resourceVersion is given and is not the object's.
pub(super) fn check_preconditions(
    gr: &GroupResource,
    live: &Object,
    uid: Option<&str>,
    resource_version: Option<&str>,
) -> Result<(), ApiError> {
    if let Some(uid) = uid.filter(|u| !u.is_empty() && *u != live.uid()) {
        let why = format!(
            "Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
            live.uid()
        );
        return Err(ApiError::conflict(gr, live.name(), &why));
    }
    if resource_version.is_some_and(|rv| !rv.is_empty() && rv != "0" && rv != live.resource_version()) {
        return Err(ApiError::modified(gr, live.name()));
    }
    Ok(())
}

/// What a client cannot change, whatever it sends.
fn keep_server_fields(object: &mut Object, old: &Object) {
    for field in [
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
    ] {
        match old.value().at(&["metadata", field]) {
            Some(kept) => object.value_mut().set_at(&["metadata", field], kept.clone()),
            None => {
                object.value_mut().remove_at(&["metadata", field]);
            }
        }
    }
    object.value_mut().remove_at(&["metadata", "selfLink"]);
}

fn copy_field(to: &mut Object, from: &Object, field: &str) {
    match from.value().get(field) {
        Some(value) => to.value_mut().set_at(&[field], value.clone()),
        None => {
            to.value_mut().remove_at(&[field]);
        }
    }
}

/// Whether anything but metadata and status differs; a custom resource without a status subresource counts its status as desired state.
fn desired_changed(resource: &Resource, old: &Object, new: &Object) -> bool {
    let ignores_status = resource.has_status || resource.custom.is_none();
    let desired = |o: &Object| -> Vec<(Arc<str>, Value)> {
        let Some(map) = o.value().as_map() else {
            return Vec::new();
        };
        map.clone()
            .into_iter()
            .filter(|(k, _)| &**k != "metadata" && !(ignores_status && &**k == "status"))
            .collect()
    };
    desired(old) != desired(new)
}

pub(super) fn bump_generation(object: &mut Object) {
    if let Some(generation) = object.generation() {
        object
            .value_mut()
            .set_at(&["metadata", "generation"], generation.saturating_add(1).into());
    }
}
