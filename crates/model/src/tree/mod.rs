//! An immutable, content-addressed view of files: a Git commit, an unpacked chart, an OCI layer.
//!
//! ```text
//! Tree (raw: entry, list, read) ── Reader (follows symlinks inside, records) ──> file contents + ReadSet
//! ReadSet + a later Tree ──> would a render read the same?
//! ```
//!
//! There is no work tree to race on, to escape from by symlink, or to clean up. A failed read is never a miss: everything answers
//! `Result<Option<_>>`.

mod fixed;
mod memory;
mod mounted;
mod path;
mod reader;
mod readset;

use std::fmt;
use std::sync::Arc;

pub use fixed::FixedTree;
pub use memory::MemoryTree;
pub use mounted::MountedTree;
pub use path::{BadPath, TreePath};
pub use reader::{DirEntry, File, Reader};
pub use readset::{Read, ReadSet};

/// The content id of a file, a directory listing or a whole tree: a Git object id in hexadecimal, or another digest. Equal ids mean equal
/// content.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentId(pub Arc<str>);

impl fmt::Display for ContentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link; its content is the target.
    Symlink,
    /// A submodule: a commit of another repository, not read through.
    Submodule,
}

/// One path of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: EntryKind,
    /// Its content id.
    pub id: ContentId,
}

/// Why a tree could not be read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TreeError {
    /// The store failed: a missing or damaged object, an I/O error.
    #[error("reading {path:?} failed: {message}")]
    Store {
        /// Path that was read.
        path: TreePath,
        /// What the store said.
        message: String,
    },
    /// The file is larger than the caller allows (I-3: limits fail, they never truncate).
    #[error("{path:?} has {size} bytes, more than the limit of {limit}")]
    TooLarge {
        /// Path of the file.
        path: TreePath,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// A symbolic link points out of the tree.
    #[error("symbolic link {path:?} points out of the repository (to {target:?})")]
    SymlinkEscapes {
        /// Path of the link.
        path: TreePath,
        /// Its target as written.
        target: String,
    },
    /// Symbolic links form a loop or a chain longer than [`Reader::MAX_HOPS`].
    #[error("too many symbolic links at {path:?}")]
    SymlinkLoop {
        /// Path where following stopped.
        path: TreePath,
    },
    /// The path leads into a submodule, whose files are not part of this tree.
    #[error("{path:?} is a submodule or inside of one, and those are not fetched")]
    Submodule {
        /// Path of the submodule.
        path: TreePath,
    },
    /// A link's target is not a path.
    #[error("symbolic link {path:?} has a target that is not a path: {reason}")]
    BadTarget {
        /// Path of the link.
        path: TreePath,
        /// Why.
        reason: BadPath,
    },
}

/// The entries of a directory, sorted by name.
pub type Listing = Vec<(Arc<str>, Entry)>;

/// An immutable view of files. Implementations do not follow symbolic links; [`Reader`] does, and records.
pub trait Tree: Send + Sync {
    /// The id of the whole tree.
    fn id(&self) -> ContentId;

    /// What stands at `path`; the root is a directory. `Ok(None)` means nothing does.
    fn entry(&self, path: &TreePath) -> Result<Option<Entry>, TreeError>;

    /// The entries of a directory, sorted by name; `Ok(None)` if `path` is not a directory.
    fn list(&self, path: &TreePath) -> Result<Option<Listing>, TreeError>;

    /// The bytes of a file or the target of a symbolic link; `Ok(None)` if `path` is neither. Larger than `limit` bytes is an error.
    fn read(&self, path: &TreePath, limit: u64) -> Result<Option<Arc<[u8]>>, TreeError>;

    /// The directory that symbolic links at `path` may not lead out of: the root, unless the tree is put together from several.
    fn jail(&self, _path: &TreePath) -> TreePath {
        TreePath::root()
    }
}

#[cfg(test)]
mod tests;
