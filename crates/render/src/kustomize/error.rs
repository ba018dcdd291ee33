//! Why a build fails.

/// The family a failure belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// A file or directory that is named does not exist, or a directory holds no kustomization file.
    Missing,
    /// A kustomization file says nothing.
    Empty,
    /// A file cannot be read as what it should be: broken YAML, unknown fields, contradictory settings.
    Invalid,
    /// A file outside the directory of its kustomization, or a base outside the repository.
    Restricted,
    /// A generator, transformer or validator that is not built in.
    Plugins,
    /// A Helm chart, where charts are not enabled.
    Helm,
    /// A base that includes itself, or bases nested too deeply.
    Cycle,
    /// A remote base or file that was not allowed or could not be fetched.
    Remote,
    /// Two objects with one id, or an override of an object that is not there.
    Conflict,
    /// A patch, replacement or variable whose target or source is not there, or not the only one.
    NoMatch,
    /// A feature of Kustomize that is not here yet.
    Unsupported,
    /// The store behind the tree failed, or a bound was passed.
    Store,
}

/// Bytes of a message beyond which it gets no longer: a person reads it in a condition.
const MAX_MESSAGE: usize = 700;
/// Stands for the places that were left out.
const LEFT_OUT: &str = "…: ";

/// A failure: its family, and what is wrong with which file in one sentence. Never quotes field values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The family.
    pub reason: Reason,
    /// What is wrong, where, and what to do.
    pub message: String,
}

impl Failure {
    pub(super) fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
        }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Reason::Invalid, message)
    }

    /// Says where the failure happened. Once that is a page of places, the innermost of them stay, which lead to the reason.
    pub(super) fn within(mut self, place: impl std::fmt::Display) -> Self {
        if self.message.len() > MAX_MESSAGE {
            if !self.message.starts_with(LEFT_OUT) {
                self.message.insert_str(0, LEFT_OUT);
            }
            return self;
        }
        self.message = format!("{place}: {}", self.message);
        self
    }
}

pub(super) type Result<T> = std::result::Result<T, Failure>;
