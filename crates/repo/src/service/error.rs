//! Why a source cannot be rendered at all.

use std::sync::Arc;

use pintle_model::tree::{BadPath, TreeError};
use pintle_render::archive::ArchiveError;

use crate::chart::ChartError;
use crate::git::{LocalError, StoreError};
use crate::url::UrlRefused;

/// Why a source could not be rendered at all. What is wrong inside a source is a diagnostic of [`pintle_render::Rendered`] instead.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RepoError {
    /// The URL is refused.
    #[error(transparent)]
    Url(#[from] UrlRefused),
    /// Resolving or fetching failed.
    #[error(transparent)]
    Store(Arc<StoreError>),
    /// A chart or an artifact of a registry cannot be had.
    #[error(transparent)]
    Chart(#[from] ChartError),
    /// A chart's archive cannot be used.
    #[error(
        "{what}: {reason}; nothing of this archive is used: publish another version, or set targetRevision to an earlier one"
    )]
    Archive {
        /// Which one.
        what: String,
        /// Why.
        reason: ArchiveError,
    },
    /// A path in the spec is none.
    #[error("spec.source.path {path:?} is no path inside the repository: {reason}")]
    Path {
        /// The path.
        path: String,
        /// Why.
        reason: BadPath,
    },
    /// A name that other sources refer to cannot be used.
    #[error("spec.sources ref {name:?}: {reason}")]
    Ref {
        /// The name.
        name: String,
        /// Why, and what to do.
        reason: String,
    },
    /// A chart depends on one of a repository that is known by no such name.
    #[error("no repository Secret of type helm has the name {name:?}; add one, or write the repository's URL")]
    NoRepository {
        /// The name.
        name: String,
    },
    /// Something that a source needs from elsewhere cannot be had.
    #[error("{what}: {reason}")]
    Need {
        /// What is needed.
        what: String,
        /// Why it cannot be had.
        reason: Box<RepoError>,
    },
    /// Every answer led to another question.
    #[error(
        "the source still asks for more after {rounds} rounds of fetching: {what}; look for remote bases that lead to each other"
    )]
    Endless {
        /// How many.
        rounds: usize,
        /// What it asks for last.
        what: String,
    },
    /// A repository on this machine does not have it.
    #[error("{0}; fetch it into that repository first (a clone of CI is often shallow)")]
    Near(#[from] Arc<LocalError>),
    /// Nothing is fetched now.
    #[error(
        "{what} is not on this machine, and nothing is fetched with --offline; map its URL to a checkout with --repo"
    )]
    Offline {
        /// What would have to be.
        what: String,
    },
    /// The stored objects cannot be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The render was given up because the process ends, or its thread failed.
    #[error("rendering was stopped because the process ends")]
    Stopped,
}

impl From<StoreError> for RepoError {
    fn from(e: StoreError) -> Self {
        Self::Store(Arc::new(e))
    }
}

impl RepoError {
    /// Whether trying again later may help without anyone changing anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Store(e) => e.is_retryable(),
            Self::Chart(e) => e.is_retryable(),
            Self::Need { reason, .. } => reason.is_retryable(),
            Self::Tree(_) | Self::Stopped => true,
            Self::Url(_)
            | Self::Path { .. }
            | Self::Archive { .. }
            | Self::Ref { .. }
            | Self::NoRepository { .. }
            | Self::Near(_)
            | Self::Offline { .. }
            | Self::Endless { .. } => false,
        }
    }
}
