//! What a render read, and whether it would read the same from another tree.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{ContentId, Entry, EntryKind, Tree, TreeError, TreePath};

/// One recorded read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// A file's content.
    File(ContentId),
    /// A directory's listing.
    Listing {
        /// Content id of the directory, which covers everything below it.
        content: ContentId,
        /// [`names`] of its entries: what a listing tells.
        names: ContentId,
    },
    /// A symbolic link's target.
    Symlink(ContentId),
    /// Only what sort of thing stands there.
    Kind(EntryKind),
    /// Nothing stood there.
    Missing {
        /// The deepest directory on the way that did exist.
        below: TreePath,
    },
}

/// Everything one render read, by path. Values that are not files (build variables, capabilities, settings) are part of the request that the
/// render is keyed by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadSet {
    reads: BTreeMap<TreePath, Read>,
}

impl ReadSet {
    /// Records one read. A file's content or a listing says more than a kind and is never overwritten by it.
    pub fn note(&mut self, path: &TreePath, read: Read) {
        match self.reads.get(path) {
            Some(Read::File(_) | Read::Listing { .. }) if matches!(read, Read::Kind(_)) => {}
            _ => {
                self.reads.insert(path.clone(), read);
            }
        }
    }

    /// How many paths were read.
    pub fn len(&self) -> usize {
        self.reads.len()
    }

    /// Whether nothing was read.
    pub fn is_empty(&self) -> bool {
        self.reads.is_empty()
    }

    /// The reads by path.
    pub fn iter(&self) -> impl Iterator<Item = (&TreePath, &Read)> {
        self.reads.iter()
    }

    /// Adds another set, for example of a second source of the same tree.
    pub fn extend(&mut self, other: Self) {
        for (path, read) in other.reads {
            self.note(&path, read);
        }
    }

    /// Returns the first path that `tree` would answer differently, or `None` if a render would read exactly the same.
    ///
    /// Cost is one lookup per recorded path. A failed read is an error and not a difference.
    pub fn first_difference(&self, tree: &dyn Tree) -> Result<Option<TreePath>, TreeError> {
        for (path, read) in &self.reads {
            let now = tree.entry(path)?;
            let same = match (read, &now) {
                (Read::File(id), Some(e)) => e.kind == EntryKind::File && e.id == *id,
                (Read::Listing { content, .. }, Some(e)) if e.id == *content => e.kind == EntryKind::Dir,
                (Read::Listing { names: known, .. }, Some(_)) => {
                    tree.list(path)?.is_some_and(|listing| names(&listing) == *known)
                }
                (Read::Symlink(id), Some(e)) => e.kind == EntryKind::Symlink && e.id == *id,
                (Read::Kind(kind), Some(e)) => e.kind == *kind,
                (Read::Missing { .. }, None) => true,
                _ => false,
            };
            if !same {
                return Ok(Some(path.clone()));
            }
        }
        Ok(None)
    }
}

/// The id of the names of a directory's entries and of what sort each is; their contents do not count.
pub(super) fn names(listing: &[(Arc<str>, Entry)]) -> ContentId {
    super::memory::digest(
        listing
            .iter()
            .map(|(name, entry)| format!("{}{name}", entry.kind as u8)),
    )
}
