//! From a source spec to rendered manifests: Git, credentials, caches.
//!
//! ```text
//! Ask ─> RepoUrl (door) ─> GitStore (ls-remote, fetch: the git program) ─> GitTree (gix) ─> render ─> Rendered, kept by request + reads
//! ChartRef ─> Address (door) ─> index.yaml | tags, manifest ─> Resolved ─> ChartArchive (disk by digest, or HTTP)
//! ```
//!
//! The network is touched by [`git`], only through the git program with fixed arguments, and by `http`, on behalf of [`Charts`]. Trees are read from objects; there is no
//! work tree. A new commit that changes nothing a render read gives the old result back without rendering.

mod chart;
pub mod credential;
pub mod git;
mod helmrepo;
mod http;
mod oci;
mod process;
mod service;
pub mod url;

pub use chart::{
    AddressRefused, ChartAccess, ChartArchive, ChartCounts, ChartError, ChartRef, ChartSettings, Charts,
    REVISION_CACHE, Resolved,
};
pub use credential::{Access, AccessError, CredentialBook};
pub use helmrepo::{Entry, Index, IndexError};
pub use http::{HttpError, HttpSettings};
pub use oci::OciError;
pub use process::GitError;
pub use service::{
    Ask, Counts, MAX_ROUNDS, Near, NearRepository, Permits, RepoError, Repositories, RepositoryLimits, SourceRender,
    Stand,
};
pub use url::{RepoUrl, Scheme, UrlRefused, normalize as normalize_url};
