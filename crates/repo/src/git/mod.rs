//! Git over `file://`, `http://` and `https://`: one bare store per repository, fetched by the git program, read by gix.
//!
//! ```text
//! revision ─ ls-remote (shared) ─> Resolution ─ fetch one refspec (shared) ─> bare store ─> GitTree
//! ```

mod refs;
mod store;
mod tree;

pub use refs::{Refs, Resolution, UnknownRevision, is_commit_id};
pub use store::{CommitMetadata, Counters, GitStore, StoreError};
pub use tree::{GitTree, OpenCommit};
