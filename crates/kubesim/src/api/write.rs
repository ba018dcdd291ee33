//! Create, update, patch, delete: what happens to an object between the wire and the store.
//!
//! ```text
//! body ─► object ─► stored version ─► decode (types, unknown fields) ─► defaults ─► validation ─► namespace ─► store
//! ```

use pintle_model::{Object, Value};

use super::patch::{self, PatchKind};
use super::path::Target;
use super::query::Query;
use super::read::{Selection, list};
use crate::admit::{self, FieldValidation};
use crate::convert::{to_served, to_stored};
use crate::error::ApiError;
use crate::store::{DeleteOptions, Deletion, Propagation, Store, WriteOptions};

/// An answered write.
pub struct Written {
    /// HTTP status.
    pub code: u16,
    /// What to show.
    pub answer: Answer,
    /// Warnings for the client, one `Warning` header each.
    pub warnings: Vec<String>,
}

/// What a write is answered with.
pub enum Answer {
    /// A stored object, to be shown in the version and form asked for.
    Object(Object),
    /// Stored objects.
    List(Vec<Object>),
    /// A value as it is.
    Value(Value),
}

/// Tries of a patch whose object changes under it, as kube-apiserver's.
const PATCH_TRIES: usize = 5;

/// What every write needs.
pub struct Context<'a> {
    /// The store.
    pub store: &'a Store,
    /// What the path names.
    pub target: &'a Target,
    /// The parameters.
    pub query: &'a Query,
}

impl Context<'_> {
    fn options(&self) -> Result<WriteOptions, ApiError> {
        Ok(WriteOptions {
            dry_run: self.query.dry_run()?,
        })
    }

    fn field_validation(&self) -> Result<FieldValidation, ApiError> {
        FieldValidation::parse(self.query.get("fieldValidation"))
    }

    /// POST of an object.
    pub fn create(&self, body: Value) -> Result<Written, ApiError> {
        let options = self.options()?;
        let mut object = self.object_of(body)?;
        if object.name().is_empty() && !object.generate_name().is_empty() {
            // The store makes the name; validation sees the base.
        } else if object.name().is_empty() {
            let cause = crate::error::Cause::required("metadata.name", "name or generateName is required");
            return Err(ApiError::invalid(
                self.group(),
                &self.target.resource.kind,
                "",
                vec![cause],
            ));
        }
        let warnings = admit::decode(&self.target.resource, &mut object, self.field_validation()?)?;
        let mut object = to_stored(object, &self.target.resource);
        admit::check_namespace(self.store, &self.target.resource, &object)?;
        admit::create(self.store, &self.target.resource, &mut object)?;
        let stored = self.store.create_with(self.target.gr(), object, options)?;
        Ok(Written {
            code: 201,
            answer: Answer::Object(stored),
            warnings,
        })
    }

    /// PUT of an object or of its status.
    pub fn update(&self, body: Value) -> Result<Written, ApiError> {
        let options = self.options()?;
        let mut object = self.object_of(body)?;
        if object.name() != self.target.name() {
            return Err(ApiError::bad_request(format!(
                "the name of the object ({}) does not match the name on the URL ({})",
                object.name(),
                self.target.name()
            )));
        }
        let warnings = admit::decode(&self.target.resource, &mut object, self.field_validation()?)?;
        let object = to_stored(object, &self.target.resource);
        let old = self.store.get(self.target.gr(), self.target.ns(), self.target.name())?;
        if self.target.resource.custom.is_some() && object.resource_version().is_empty() {
            let cause =
                crate::error::Cause::invalid("metadata.resourceVersion", "0x0", "must be specified for an update");
            return Err(ApiError::invalid(
                self.group(),
                &self.target.resource.kind,
                object.name(),
                vec![cause],
            ));
        }
        let stored = self.put(&old, object, options)?;
        Ok(Written {
            code: 200,
            answer: Answer::Object(stored),
            warnings,
        })
    }

    /// PATCH of an object or of its status.
    pub fn patch(&self, kind: PatchKind, body: &Value) -> Result<Written, ApiError> {
        let options = self.options()?;
        let validation = self.field_validation()?;
        let mut last = ApiError::modified(self.target.gr(), self.target.name());
        for _ in 0..PATCH_TRIES {
            let old = self.store.get(self.target.gr(), self.target.ns(), self.target.name())?;
            let served = to_served(old.clone(), &self.target.resource, &self.target.version);
            let patched = patch::apply(kind, served.value(), body, &served.gvk(), &self.target.resource)?;
            let mut object = self.object_of(patched)?;
            if object.name() != self.target.name() {
                let cause =
                    crate::error::Cause::invalid("metadata.name", format!("{:?}", object.name()), "field is immutable");
                return Err(ApiError::invalid(
                    self.group(),
                    &self.target.resource.kind,
                    self.target.name(),
                    vec![cause],
                ));
            }
            let pinned = object.resource_version() != old.resource_version();
            let warnings = admit::decode(&self.target.resource, &mut object, validation)?;
            match self.put(&old, to_stored(object, &self.target.resource), options) {
                // Somebody else was faster, and the client did not ask for a certain version: once more.
                Err(e) if e.is_conflict() && !pinned => last = e,
                other => {
                    return Ok(Written {
                        code: 200,
                        answer: Answer::Object(other?),
                        warnings,
                    });
                }
            }
        }
        Err(last)
    }

    fn put(&self, old: &Object, mut object: Object, options: WriteOptions) -> Result<Object, ApiError> {
        let resource = &self.target.resource;
        if self.target.subresource.as_deref() == Some("status") {
            admit::update_status(resource, old, &mut object)?;
            return self.store.update_status_with(self.target.gr(), object, options);
        }
        admit::update(self.store, resource, old, &mut object)?;
        self.store.update_with(self.target.gr(), object, options)
    }

    /// PUT of a namespace's finalizers.
    pub fn finalize(&self, body: Value) -> Result<Written, ApiError> {
        let object = self.object_of(body)?;
        let finalizers = object.value().at(&["spec", "finalizers"]).cloned();
        let stored = self
            .store
            .modify(self.target.gr(), "", self.target.name(), |o| match finalizers {
                Some(finalizers) => o.value_mut().set_at(&["spec", "finalizers"], finalizers),
                None => {
                    o.value_mut().remove_at(&["spec", "finalizers"]);
                }
            })?;
        Ok(Written {
            code: 200,
            answer: Answer::Object(stored),
            warnings: Vec::new(),
        })
    }

    /// DELETE of an object.
    pub fn delete(&self, body: Option<&Value>) -> Result<Written, ApiError> {
        let options = self.delete_options(body)?;
        let deletion = self.delete_one(self.target.ns(), self.target.name(), &options)?;
        let answer = match deletion {
            Deletion::Marked(object) => Answer::Object(object),
            // kube-apiserver answers the last state of these kinds, and a Status for all others.
            Deletion::Removed(object) if returns_deleted(&self.target.resource.kind) => Answer::Object(object),
            Deletion::Removed(object) => Answer::Value(self.deleted_status(&object)),
        };
        Ok(Written {
            code: 200,
            answer,
            warnings: Vec::new(),
        })
    }

    /// DELETE of a collection.
    pub fn delete_collection(&self, body: Option<&Value>) -> Result<Written, ApiError> {
        let options = self.delete_options(body)?;
        Selection::parse(self.query, self.target)?;
        let page = list(self.store, self.target, self.query)?;
        for object in &page.objects {
            match self.delete_one(object.namespace(), object.name(), &options) {
                Err(e) if !e.is_not_found() => return Err(e),
                _ => {}
            }
        }
        Ok(Written {
            code: 200,
            answer: Answer::List(page.objects),
            warnings: Vec::new(),
        })
    }

    fn delete_one(&self, namespace: &str, name: &str, options: &DeleteOptions) -> Result<Deletion, ApiError> {
        if self.target.gr().is("", "namespaces") && matches!(name, "default" | "kube-system" | "kube-public") {
            return Err(ApiError::forbidden(
                self.target.gr(),
                name,
                "this namespace may not be deleted",
            ));
        }
        self.store.delete(self.target.gr(), namespace, name, options)
    }

    fn delete_options(&self, body: Option<&Value>) -> Result<DeleteOptions, ApiError> {
        let text = |path: &[&str]| {
            body.and_then(|b| b.str_at(path))
                .filter(|s| !s.is_empty())
                .map(str::to_owned)
        };
        let policy = text(&["propagationPolicy"]).or_else(|| Some(self.query.get("propagationPolicy").to_owned()));
        let orphans = body.and_then(|b| b.bool_at(&["orphanDependents"])).or_else(|| {
            self.query
                .has("orphanDependents")
                .then(|| self.query.flag("orphanDependents"))
        });
        let propagation = match policy.as_deref().unwrap_or_default() {
            "Background" => Some(Propagation::Background),
            "Foreground" => Some(Propagation::Foreground),
            "Orphan" => Some(Propagation::Orphan),
            "" => orphans.map(|o| {
                if o {
                    Propagation::Orphan
                } else {
                    Propagation::Background
                }
            }),
            other => {
                let allowed = &["Background", "Foreground", "Orphan"];
                let cause = crate::error::Cause::unsupported("propagationPolicy", format!("{other:?}"), allowed);
                return Err(ApiError::invalid("meta.k8s.io", "DeleteOptions", "", vec![cause]));
            }
        };
        let body_grace = body.and_then(|b| b.i64_at(&["gracePeriodSeconds"]));
        let dry_run = body.is_some_and(|b| b.list_at(&["dryRun"]).iter().any(|v| v.as_str() == Some("All")));
        Ok(DeleteOptions {
            propagation,
            uid: text(&["preconditions", "uid"]),
            resource_version: text(&["preconditions", "resourceVersion"]),
            grace_period_seconds: body_grace.or(self.query.number("gracePeriodSeconds")?),
            dry_run: dry_run || self.query.dry_run()?,
        })
    }

    fn deleted_status(&self, object: &Object) -> Value {
        let mut status = Value::map();
        status.set_at(&["kind"], "Status".into());
        status.set_at(&["apiVersion"], "v1".into());
        status.set_at(&["metadata"], Value::map());
        status.set_at(&["status"], "Success".into());
        status.set_at(&["details", "name"], object.name().into());
        if !self.group().is_empty() {
            status.set_at(&["details", "group"], self.group().into());
        }
        status.set_at(&["details", "kind"], Value::Str(self.target.gr().resource.clone()));
        status.set_at(&["details", "uid"], object.uid().into());
        status
    }

    /// The object of a body: its kind, version and namespace must be those of the path; absent ones are filled in.
    fn object_of(&self, mut body: Value) -> Result<Object, ApiError> {
        let resource = &self.target.resource;
        if body.as_map().is_none() {
            return Err(ApiError::bad_request(format!(
                "couldn't get version/kind; json parse error: cannot unmarshal {} into an object",
                body.type_name()
            )));
        }
        let expected = pintle_model::Gvk {
            group: resource.gr.group.clone(),
            version: self.target.version.clone(),
            kind: resource.kind.clone(),
        };
        for (field, value) in [
            ("apiVersion", expected.api_version()),
            ("kind", resource.kind.to_string()),
        ] {
            if body.str_at(&[field]).is_none_or(str::is_empty) {
                body.set_at(&[field], value.into());
            }
        }
        if body.get("metadata").is_none_or(Value::is_null) {
            body.set_at(&["metadata"], Value::map());
        }
        let mut object = Object::new(body).map_err(|e| ApiError::bad_request(e.to_string()))?;
        if object.api_version() != expected.api_version() {
            return Err(ApiError::bad_request(format!(
                "the API version in the data ({}) does not match the expected API version ({})",
                object.api_version(),
                expected.api_version()
            )));
        }
        if object.kind() != &*resource.kind {
            return Err(ApiError::bad_request(format!(
                "{} in version {:?} cannot be handled as a {}: the kind in the data does not match",
                object.kind(),
                &*self.target.version,
                resource.kind
            )));
        }
        let wanted = self.target.ns();
        if resource.namespaced {
            if wanted.is_empty() {
                return Err(ApiError::bad_request("namespace is required in the path"));
            }
            if object.namespace().is_empty() {
                object.set_namespace(wanted);
            } else if object.namespace() != wanted {
                return Err(ApiError::bad_request(
                    "the namespace of the provided object does not match the namespace sent on the request",
                ));
            }
        } else {
            object.set_namespace("");
        }
        Ok(object)
    }

    fn group(&self) -> &str {
        &self.target.resource.gr.group
    }
}

fn returns_deleted(kind: &str) -> bool {
    matches!(
        kind,
        "Pod"
            | "Namespace"
            | "PersistentVolumeClaim"
            | "PersistentVolume"
            | "Service"
            | "ServiceAccount"
            | "PodTemplate"
            | "ResourceQuota"
    )
}
