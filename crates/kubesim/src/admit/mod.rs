//! From what a client sent to what may be stored: types, defaults, rules.

mod immutable;
mod kinds;
mod metadata;
mod pod;
mod typed;

use pintle_merge::Schema;
use pintle_model::{Object, Value};

use crate::crd;
use crate::defaults;
use crate::error::{ApiError, Cause};
use crate::resource::{GroupResource, Resource};
use crate::store::Store;

/// What happens with fields that the schema does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldValidation {
    /// They are dropped.
    Ignore,
    /// They are dropped, and the client is warned.
    Warn,
    /// The write is refused.
    Strict,
}

impl FieldValidation {
    /// Reads the `fieldValidation` parameter; absent means `Warn`.
    pub fn parse(text: &str) -> Result<Self, ApiError> {
        match text {
            "Ignore" => Ok(Self::Ignore),
            "" | "Warn" => Ok(Self::Warn),
            "Strict" => Ok(Self::Strict),
            other => {
                let allowed = &["Ignore", "Strict", "Warn"];
                let cause = Cause::unsupported("fieldValidation", format!("{other:?}"), allowed);
                Err(ApiError::invalid("meta.k8s.io", "CreateOptions", "", vec![cause]))
            }
        }
    }
}

/// Brings an object in a served version into the shape of its schema: drops nulls and unknown fields, refuses wrong types. Returns the
/// warnings for the client.
pub fn decode(resource: &Resource, object: &mut Object, validation: FieldValidation) -> Result<Vec<String>, ApiError> {
    let (kind, version) = (object.kind().to_owned(), object.version().to_owned());
    let refuse = |why: &str| {
        ApiError::bad_request(format!(
            "{kind} in version {version:?} cannot be handled as a {kind}: {why}"
        ))
    };
    let unknown = if let Some(custom) = &resource.custom {
        let Some(of) = custom.versions.get(&*version) else {
            return Err(ApiError::no_such_path());
        };
        typed::metadata(object.value_mut()).map_err(|e| refuse(&e))?;
        crd::prune::prune(object.value_mut(), &of.schema)
    } else if let Some(of) = Schema::builtin().type_of(&object.gvk()) {
        typed::decode(object.value_mut(), of).map_err(|e| refuse(&e))?
    } else {
        typed::metadata(object.value_mut()).map_err(|e| refuse(&e))?;
        Vec::new()
    };
    let texts: Vec<String> = unknown.iter().map(|path| format!("unknown field {path:?}")).collect();
    match validation {
        FieldValidation::Strict if !texts.is_empty() => {
            Err(refuse(&format!("strict decoding error: {}", texts.join(", "))))
        }
        FieldValidation::Warn => Ok(texts),
        _ => Ok(Vec::new()),
    }
}

/// The namespace must exist and must not be going away.
pub fn check_namespace(store: &Store, resource: &Resource, object: &Object) -> Result<(), ApiError> {
    if !resource.namespaced {
        return Ok(());
    }
    let namespace = store.get(&GroupResource::new("", "namespaces"), "", object.namespace())?;
    if namespace.deletion_timestamp().is_some() {
        let why = format!(
            "unable to create new content in namespace {} because it is being terminated",
            object.namespace()
        );
        let mut error = ApiError::forbidden(&resource.gr, object.name(), &why);
        error.details.causes.push(Cause {
            reason: "NamespaceTerminating",
            message: format!("namespace {} is being terminated", object.namespace()),
            field: "metadata.namespace".into(),
        });
        return Err(error);
    }
    Ok(())
}

/// Defaults and rules for an object in storage version that is to be created.
pub fn create(store: &Store, resource: &Resource, object: &mut Object) -> Result<(), ApiError> {
    if resource.has_status {
        // A client cannot create a status where that is a subresource of its own.
        object.value_mut().remove_at(&["status"]);
    }
    defaults::apply(store, resource, object, None);
    let mut causes = metadata::check(resource, object);
    causes.extend(kinds::check(resource, object));
    causes.extend(custom_causes(resource, object));
    refuse(resource, object, causes)
}

/// Defaults and rules for an object in storage version that replaces `old`.
pub fn update(store: &Store, resource: &Resource, old: &Object, object: &mut Object) -> Result<(), ApiError> {
    defaults::apply(store, resource, object, Some(old));
    if resource.has_status {
        match old.value().get("status") {
            Some(status) => object.value_mut().set_at(&["status"], status.clone()),
            None => {
                object.value_mut().remove_at(&["status"]);
            }
        }
    }
    let mut causes = metadata::check(resource, object);
    causes.extend(metadata::check_update(old, object));
    causes.extend(kinds::check(resource, object));
    causes.extend(immutable::check(resource, old, object));
    causes.extend(custom_causes(resource, object));
    refuse(resource, object, causes)
}

/// Rules for a new status of `old`.
pub fn update_status(resource: &Resource, old: &Object, object: &mut Object) -> Result<(), ApiError> {
    if resource.custom.is_none() {
        return Ok(());
    }
    let mut merged = old.clone();
    merged.value_mut().set_at(
        &["status"],
        object.value().get("status").cloned().unwrap_or(Value::Null),
    );
    if object.value().get("status").is_none() {
        merged.value_mut().remove_at(&["status"]);
    }
    let causes = custom_causes(resource, &merged);
    refuse(resource, object, causes)
}

fn custom_causes(resource: &Resource, object: &Object) -> Vec<Cause> {
    let Some(custom) = &resource.custom else {
        return Vec::new();
    };
    custom
        .versions
        .get(&*resource.storage_version)
        .map_or_else(Vec::new, |v| crd::validate::check(object.value(), &v.schema))
}

fn refuse(resource: &Resource, object: &Object, causes: Vec<Cause>) -> Result<(), ApiError> {
    if causes.is_empty() {
        return Ok(());
    }
    let name = if object.name().is_empty() {
        object.generate_name()
    } else {
        object.name()
    };
    Err(ApiError::invalid(&resource.gr.group, &resource.kind, name, causes))
}
