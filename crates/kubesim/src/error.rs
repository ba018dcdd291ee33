//! What the API answers when it refuses: the same codes, reasons and sentences as kube-apiserver.

use std::fmt;

use pintle_model::Value;

use crate::resource::GroupResource;

/// A refusal, ready to be written as a `Status` object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// HTTP status code.
    pub code: u16,
    /// `reason` of the Status, for example `NotFound`; empty where kube-apiserver sends none.
    pub reason: &'static str,
    /// The sentence people see.
    pub message: String,
    /// `details` of the Status.
    pub details: Box<Details>,
}

/// `details` of a Status; empty parts are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// Object name, or resource name when the resource itself is unknown.
    pub name: String,
    /// API group.
    pub group: String,
    /// Kind (for Invalid) or resource (for everything else), as kube-apiserver mixes them.
    pub kind: String,
    /// UID of the object.
    pub uid: String,
    /// Single causes, for Invalid.
    pub causes: Vec<Cause>,
    /// Seconds after which a retry makes sense; 0 means none.
    pub retry_after_seconds: u32,
}

/// One field that is wrong, as `field.Error` of apimachinery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// `FieldValueRequired`, `FieldValueInvalid`, `FieldValueDuplicate`, …
    pub reason: &'static str,
    /// The text without the field, for example `Required value`.
    pub message: String,
    /// Path of the field, for example `spec.template.spec.containers[0].image`.
    pub field: String,
}

impl Cause {
    /// A field that must be there.
    pub fn required(field: impl Into<String>, detail: &str) -> Self {
        Self {
            reason: "FieldValueRequired",
            message: with_detail("Required value", detail),
            field: field.into(),
        }
    }

    /// A field with a value that cannot be; `shown` is how the value is printed (strings quoted).
    pub fn invalid(field: impl Into<String>, shown: impl fmt::Display, detail: &str) -> Self {
        Self {
            reason: "FieldValueInvalid",
            message: with_detail(&format!("Invalid value: {shown}"), detail),
            field: field.into(),
        }
    }

    /// A value outside a closed set.
    pub fn unsupported(field: impl Into<String>, shown: impl fmt::Display, allowed: &[&str]) -> Self {
        let allowed: Vec<String> = allowed.iter().map(|a| format!("{a:?}")).collect();
        Self {
            reason: "FieldValueNotSupported",
            message: format!("Unsupported value: {shown}: supported values: {}", allowed.join(", ")),
            field: field.into(),
        }
    }

    /// A value that is there twice.
    pub fn duplicate(field: impl Into<String>, shown: impl fmt::Display) -> Self {
        Self {
            reason: "FieldValueDuplicate",
            message: format!("Duplicate value: {shown}"),
            field: field.into(),
        }
    }

    /// A value that may not be.
    pub fn forbidden(field: impl Into<String>, detail: &str) -> Self {
        Self {
            reason: "FieldValueForbidden",
            message: with_detail("Forbidden", detail),
            field: field.into(),
        }
    }

    /// A value of another type than the schema says.
    pub fn wrong_type(field: impl Into<String>, shown: impl fmt::Display, detail: &str) -> Self {
        Self {
            reason: "FieldValueTypeInvalid",
            message: with_detail(&format!("Invalid value: {shown}"), detail),
            field: field.into(),
        }
    }
}

fn with_detail(text: &str, detail: &str) -> String {
    if detail.is_empty() {
        text.to_owned()
    } else {
        format!("{text}: {detail}")
    }
}

impl ApiError {
    fn plain(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            details: Box::default(),
        }
    }

    fn of(code: u16, reason: &'static str, gr: &GroupResource, name: &str, message: String) -> Self {
        let details = Details {
            name: name.into(),
            group: gr.group.to_string(),
            kind: gr.resource.to_string(),
            ..Details::default()
        };
        Self {
            code,
            reason,
            message,
            details: Box::new(details),
        }
    }

    /// 404 for an object.
    pub fn not_found(gr: &GroupResource, name: &str) -> Self {
        Self::of(404, "NotFound", gr, name, format!("{gr} {name:?} not found"))
    }

    /// 404 for a path that nothing serves.
    pub fn no_such_path() -> Self {
        Self::plain(404, "NotFound", "the server could not find the requested resource")
    }

    /// 405.
    pub fn method_not_allowed() -> Self {
        Self::plain(
            405,
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
        )
    }

    /// 409 for a create of a name that is taken.
    pub fn already_exists(gr: &GroupResource, name: &str) -> Self {
        Self::of(409, "AlreadyExists", gr, name, format!("{gr} {name:?} already exists"))
    }

    /// 409 for a stale resourceVersion.
    pub fn modified(gr: &GroupResource, name: &str) -> Self {
        Self::conflict(
            gr,
            name,
            "the object has been modified; please apply your changes to the latest version and try again",
        )
    }

    /// 409 with a reason of its own.
    pub fn conflict(gr: &GroupResource, name: &str, why: &str) -> Self {
        Self::of(
            409,
            "Conflict",
            gr,
            name,
            format!("Operation cannot be fulfilled on {gr} {name:?}: {why}"),
        )
    }

    /// 403 from admission or authorization.
    pub fn forbidden(gr: &GroupResource, name: &str, why: &str) -> Self {
        Self::of(403, "Forbidden", gr, name, format!("{gr} {name:?} is forbidden: {why}"))
    }

    /// 400 with a sentence.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::plain(400, "BadRequest", message)
    }

    /// 401.
    pub fn unauthorized() -> Self {
        Self::plain(401, "Unauthorized", "Unauthorized")
    }

    /// 406 or 415 with a sentence.
    pub fn unsupported_media_type(message: impl Into<String>) -> Self {
        Self::plain(415, "UnsupportedMediaType", message)
    }

    /// 406.
    pub fn not_acceptable(message: impl Into<String>) -> Self {
        Self::plain(406, "NotAcceptable", message)
    }

    /// 410: the resourceVersion or continue token is older than what is kept.
    pub fn expired(message: impl Into<String>) -> Self {
        Self::plain(410, "Expired", message)
    }

    /// 413.
    pub fn too_large(limit: usize) -> Self {
        Self::plain(
            413,
            "RequestEntityTooLarge",
            format!("Request entity too large: limit is {limit}"),
        )
    }

    /// 422 with the fields that are wrong. `kind` is the Kind, `group` its group.
    pub fn invalid(group: &str, kind: &str, name: &str, causes: Vec<Cause>) -> Self {
        let shown = if group.is_empty() {
            kind.to_owned()
        } else {
            format!("{kind}.{group}")
        };
        let texts: Vec<String> = causes.iter().map(|c| format!("{}: {}", c.field, c.message)).collect();
        let list = match texts.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let details = Details {
            name: name.into(),
            group: group.into(),
            kind: kind.into(),
            causes,
            ..Details::default()
        };
        Self {
            code: 422,
            reason: "Invalid",
            message: format!("{shown} {name:?} is invalid: {list}"),
            details: Box::new(details),
        }
    }

    /// 422 for a patch that cannot be applied.
    pub fn unprocessable(message: impl Into<String>) -> Self {
        Self::plain(422, "Invalid", message)
    }

    /// 429 with a Retry-After.
    pub fn too_many_requests(message: impl Into<String>, retry_after_seconds: u32) -> Self {
        let mut error = Self::plain(429, "TooManyRequests", message);
        error.details.retry_after_seconds = retry_after_seconds;
        error
    }

    /// 500.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::plain(
            500,
            "InternalError",
            format!("Internal error occurred: {}", message.into()),
        )
    }

    /// 504: the answer to a write did not come back.
    pub fn timeout(message: impl Into<String>) -> Self {
        Self::plain(504, "Timeout", message)
    }

    /// Any status a test wants to inject.
    pub fn custom(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self::plain(code, reason, message)
    }

    /// Whether the object was not there.
    pub fn is_not_found(&self) -> bool {
        self.code == 404
    }

    /// Whether a precondition failed.
    pub fn is_conflict(&self) -> bool {
        self.reason == "Conflict"
    }

    /// The `Status` object.
    pub fn to_status(&self) -> Value {
        let mut status = Value::map();
        status.set_at(&["apiVersion"], "v1".into());
        status.set_at(&["code"], i64::from(self.code).into());
        status.set_at(&["kind"], "Status".into());
        status.set_at(&["message"], self.message.as_str().into());
        status.set_at(&["metadata"], Value::map());
        if !self.reason.is_empty() {
            status.set_at(&["reason"], self.reason.into());
        }
        status.set_at(&["status"], "Failure".into());
        let details = self.details.to_value();
        if !details.is_empty() {
            status.set_at(&["details"], details);
        }
        status
    }
}

impl Details {
    fn to_value(&self) -> Value {
        let mut out = Value::map();
        for (field, text) in [
            ("name", &self.name),
            ("group", &self.group),
            ("kind", &self.kind),
            ("uid", &self.uid),
        ] {
            if !text.is_empty() {
                out.set_at(&[field], text.as_str().into());
            }
        }
        if !self.causes.is_empty() {
            let causes = self.causes.iter().map(|c| {
                let mut cause = Value::map();
                cause.set_at(&["reason"], c.reason.into());
                cause.set_at(&["message"], c.message.as_str().into());
                cause.set_at(&["field"], c.field.as_str().into());
                cause
            });
            out.set_at(&["causes"], Value::list(causes.collect()));
        }
        if self.retry_after_seconds > 0 {
            out.set_at(&["retryAfterSeconds"], i64::from(self.retry_after_seconds).into());
        }
        out
    }
}
