//! Git over `file://`, `http://` and `https://`: one bare store per repository, fetched by the git program, read by gix.
//!
//! ```text
//! revision ─ ls-remote (shared) ─> Resolution ─ fetch one refspec (shared) ─> bare store ─> GitTree
//! ```
//!
//! A repository on this machine is read where it is: [`LocalRepository`].

mod local;
mod refs;
mod store;
mod tree;
mod work_tree;

pub use local::{LocalError, LocalRepository};
pub use refs::{Refs, Resolution, UnknownRevision, is_commit_id};
pub use store::{CommitMetadata, Counters, GitStore, StoreError};
pub use tree::{GitTree, OpenCommit};
