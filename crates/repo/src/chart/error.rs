//! Why a chart cannot be had.

use crate::helmrepo::IndexError;
use crate::http::HttpError;
use crate::oci::OciError;

use super::address::AddressRefused;

/// Why a chart cannot be had. Cheap to clone: everyone who waited for the same answer gets it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChartError {
    /// The URL is refused.
    #[error(transparent)]
    Address(#[from] AddressRefused),
    /// A server gave nothing usable.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// A registry answered something that is not what registries answer.
    #[error(transparent)]
    Oci(#[from] OciError),
    /// A kind of credentials that is not spoken yet.
    #[error(
        "the credentials of {url} are {what}, which this version does not support for charts; use a user name with a password or token"
    )]
    CredentialsNotYet {
        /// Repository.
        url: String,
        /// What they are.
        what: &'static str,
    },
    /// The index is no index.
    #[error("{url} is no index of charts: {reason}")]
    Index {
        /// The index.
        url: String,
        /// Why.
        reason: IndexError,
    },
    /// An archive's URL in the index is none.
    #[error(
        "the index of {url} gives {written:?} as the URL of an archive, which is none; only http, https and oci are fetched"
    )]
    ArchiveUrl {
        /// Repository.
        url: String,
        /// What is written there.
        written: String,
    },
    /// The repository has no such chart.
    #[error("there is no chart {chart:?} in {url}{hint}")]
    NoChart {
        /// Repository.
        url: String,
        /// Chart.
        chart: String,
        /// What there is that is close, with what joins it to the rest; may be empty.
        hint: String,
    },
    /// No version satisfies the revision.
    #[error("no version of {chart} in {url} satisfies {revision:?}; {existing}")]
    NoVersion {
        /// Repository.
        url: String,
        /// Chart, or the repository's path.
        chart: String,
        /// What was asked for.
        revision: String,
        /// Which versions exist.
        existing: String,
    },
    /// What came is not what was promised.
    #[error(
        "{url}: the archive has digest {got}, but {expected} was promised; the file was changed after it was listed, or on the way"
    )]
    Digest {
        /// The archive.
        url: String,
        /// Digest in the index or manifest.
        expected: String,
        /// Digest of what came.
        got: String,
    },
    /// What came is no archive.
    #[error("{url} is no chart archive: it does not begin as a gzip file does")]
    NotAnArchive {
        /// The archive.
        url: String,
    },
    /// The local disk.
    #[error("the chart cache {directory:?} cannot be used: {message}")]
    Local {
        /// Where.
        directory: std::path::PathBuf,
        /// What the system said.
        message: String,
    },
    /// The process ends.
    #[error("fetching was stopped because the process ends")]
    Stopped,
}

impl ChartError {
    /// Whether trying again later may help without anyone changing anything in the cluster or the spec.
    ///
    /// A missing chart or version is retryable: it may be published any minute.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Http(e) => e.is_retryable(),
            Self::NoChart { .. }
            | Self::NoVersion { .. }
            | Self::Digest { .. }
            | Self::Local { .. }
            | Self::Stopped => true,
            Self::Address(_)
            | Self::Oci(_)
            | Self::CredentialsNotYet { .. }
            | Self::Index { .. }
            | Self::ArchiveUrl { .. }
            | Self::NotAnArchive { .. } => false,
        }
    }
}
