//! From a source spec to rendered manifests: Git, credentials, caches.
//!
//! ```text
//! Source ─> RepoUrl (door) ─> GitStore (ls-remote, fetch: the git program) ─> GitTree (gix) ─> render ─> Rendered, kept by request + reads
//! ```
//!
//! The network is touched by [`git`] only, and only through the git program with fixed arguments. Trees are read from objects; there is no
//! work tree. A new commit that changes nothing a render read gives the old result back without rendering.

pub mod credential;
pub mod git;
mod process;
pub mod semver;
mod service;
pub mod url;

pub use credential::{Access, AccessError, CredentialBook};
pub use process::GitError;
pub use service::{Counts, RepoError, Repositories, SourceRender};
pub use url::{RepoUrl, UrlRefused};
