//! What a service answers when it does not answer with a result.

use std::fmt;

use pintle_engine::effect::{Failure, FailureKind, Outcome};

/// The sorts of failure of gRPC; the wire sends them by number and maps them to HTTP statuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The request makes no sense, whatever the state.
    InvalidArgument,
    /// The bound on waiting was reached; it may have happened or still happen.
    DeadlineExceeded,
    /// What was named is not there.
    NotFound,
    /// It is there already.
    AlreadyExists,
    /// Not allowed.
    PermissionDenied,
    /// Not in this state.
    FailedPrecondition,
    /// Others wrote at the same time, again and again.
    Aborted,
    /// This version cannot.
    Unimplemented,
    /// Our own mistake, or a record nobody can read.
    Internal,
    /// Something outside does not answer; the same request may succeed later.
    Unavailable,
    /// Credentials are missing or refused.
    Unauthenticated,
}

impl Code {
    /// The number on the wire.
    pub fn number(self) -> i32 {
        match self {
            Self::InvalidArgument => 3,
            Self::DeadlineExceeded => 4,
            Self::NotFound => 5,
            Self::AlreadyExists => 6,
            Self::PermissionDenied => 7,
            Self::FailedPrecondition => 9,
            Self::Aborted => 10,
            Self::Unimplemented => 12,
            Self::Internal => 13,
            Self::Unavailable => 14,
            Self::Unauthenticated => 16,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A failed request: what sort, what exactly, and where there is one, what to do next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// What sort.
    pub code: Code,
    /// What exactly; names the thing, never holds secret data.
    pub message: String,
    /// The next step for a person.
    pub hint: Option<String>,
}

impl ApiError {
    /// Returns the error without a hint.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
        }
    }

    /// The same with a next step.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// [`Code::InvalidArgument`].
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgument, message)
    }

    /// [`Code::NotFound`].
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Code::NotFound, message)
    }

    /// [`Code::FailedPrecondition`].
    pub fn precondition(message: impl Into<String>) -> Self {
        Self::new(Code::FailedPrecondition, message)
    }

    /// [`Code::Unimplemented`], for what a later version does.
    pub fn unsupported(what: impl fmt::Display) -> Self {
        Self::new(Code::Unimplemented, format!("{what} is not supported by this version"))
    }
}

fn code_of(kind: FailureKind) -> Code {
    match kind {
        FailureKind::Conflict => Code::Aborted,
        FailureKind::AlreadyExists => Code::AlreadyExists,
        FailureKind::NotFound => Code::NotFound,
        FailureKind::Forbidden => Code::PermissionDenied,
        FailureKind::Invalid => Code::InvalidArgument,
        FailureKind::Unavailable => Code::Unavailable,
        FailureKind::Unknown => Code::Unavailable,
    }
}

impl From<pintle_cluster::ApiError> for ApiError {
    fn from(error: pintle_cluster::ApiError) -> Self {
        let code = if error.is_unauthorized() {
            Code::Unauthenticated
        } else {
            code_of(error.kind)
        };
        let hint = match code {
            Code::Unavailable => Some(format!("check that {} can be reached: `kubectl version`", error.server)),
            Code::Unauthenticated => Some("check the user of the kubeconfig's context".to_owned()),
            Code::NotFound if error.what.contains("argoproj.io") && error.status.is_none() => {
                Some("install the custom resource definitions first: `kubectl apply -f manifests/crds`".to_owned())
            }
            _ => None,
        };
        Self {
            code,
            message: error.to_string(),
            hint,
        }
    }
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        Self::new(code_of(failure.kind), failure.message)
    }
}

impl From<pintle_model::DecodeError> for ApiError {
    fn from(error: pintle_model::DecodeError) -> Self {
        Self::new(Code::Internal, error.to_string())
    }
}

/// The object a write left behind, or why it was not done. A delete leaves none.
pub(crate) fn written(outcome: Outcome) -> Result<Option<pintle_model::Object>, ApiError> {
    match outcome {
        Outcome::Created(o) | Outcome::Configured(o) | Outcome::Unchanged(o) => Ok(Some(o)),
        Outcome::Deleted => Ok(None),
        Outcome::Skipped(why) => Err(ApiError::new(Code::Aborted, why.to_string())),
        Outcome::Failed(failure) => Err(failure.into()),
    }
}
