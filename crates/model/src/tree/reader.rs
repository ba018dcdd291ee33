//! Reads a tree the way a render may: symbolic links are followed inside the tree and never out of it, and every read is recorded.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::{ContentId, Entry, EntryKind, Read, ReadSet, Tree, TreeError, TreePath};

/// A recording reader. Not `Sync`: one render, one reader.
pub struct Reader<'t> {
    tree: &'t dyn Tree,
    reads: RefCell<ReadSet>,
    store_failed: Cell<bool>,
}

/// A file as read.
#[derive(Clone)]
pub struct File {
    /// Where the content really stands, after links.
    pub path: TreePath,
    /// Content id.
    pub id: ContentId,
    /// Content.
    pub bytes: Arc<[u8]>,
}

/// One entry of a directory, links resolved.
#[derive(Clone, Debug)]
pub struct DirEntry {
    /// Name in the directory.
    pub name: Arc<str>,
    /// What it leads to: a file, a directory, or a submodule, of which nothing can be read; a dangling link is left out of listings.
    pub kind: EntryKind,
}

impl<'t> Reader<'t> {
    /// Links followed for one path before it counts as a loop; Linux allows the same.
    pub const MAX_HOPS: usize = 40;

    /// Returns a reader that has read nothing yet.
    pub fn new(tree: &'t dyn Tree) -> Self {
        Self {
            tree,
            reads: RefCell::default(),
            store_failed: Cell::new(false),
        }
    }

    /// Whether the store failed to answer: what was made of that is not worth keeping, another try may go well.
    pub fn has_store_failed(&self) -> bool {
        self.store_failed.get()
    }

    fn seen<T>(&self, answer: Result<T, TreeError>) -> Result<T, TreeError> {
        if matches!(answer, Err(TreeError::Store { .. })) {
            self.store_failed.set(true);
        }
        answer
    }

    /// The tree it reads.
    pub fn tree(&self) -> &'t dyn Tree {
        self.tree
    }

    /// What was read, so far.
    pub fn into_reads(self) -> ReadSet {
        self.reads.into_inner()
    }

    /// The content of a file; `Ok(None)` if there is none at `path` (or it is a directory).
    pub fn file(&self, path: &TreePath, limit: u64) -> Result<Option<File>, TreeError> {
        let Some((real, entry)) = self.resolve(path)? else {
            return Ok(None);
        };
        if entry.kind != EntryKind::File {
            return Ok(None);
        }
        let Some(bytes) = self.seen(self.tree.read(&real, limit))? else {
            return Ok(None);
        };
        self.note(&real, Read::File(entry.id.clone()));
        Ok(Some(File {
            path: real,
            id: entry.id,
            bytes,
        }))
    }

    /// The entries of a directory, sorted by name; `Ok(None)` if there is no directory at `path`.
    pub fn dir(&self, path: &TreePath) -> Result<Option<Vec<DirEntry>>, TreeError> {
        let Some((real, entry)) = self.resolve(path)? else {
            return Ok(None);
        };
        let Some(listing) = self.seen(self.tree.list(&real))? else {
            return Ok(None);
        };
        let names = super::readset::names(&listing);
        let content = entry.id;
        self.note(&real, Read::Listing { content, names });
        let mut entries = Vec::with_capacity(listing.len());
        for (name, entry) in listing {
            let kind = match entry.kind {
                EntryKind::File | EntryKind::Dir | EntryKind::Submodule => entry.kind,
                EntryKind::Symlink => match self.resolve(&real.child(&name))? {
                    Some((_, target)) => target.kind,
                    None => continue,
                },
            };
            entries.push(DirEntry { name, kind });
        }
        Ok(Some(entries))
    }

    /// Whether a file, a directory, or nothing stands at `path`, after links.
    pub fn kind(&self, path: &TreePath) -> Result<Option<EntryKind>, TreeError> {
        let Some((real, entry)) = self.resolve(path)? else {
            return Ok(None);
        };
        // A kind is known from the entry alone: recorded as a listing of nothing more than its parent would be too coarse.
        self.note(&real, Read::Kind(entry.kind));
        Ok(Some(entry.kind))
    }

    /// Where `path` leads once links are followed, and what stands there.
    fn resolve(&self, path: &TreePath) -> Result<Option<(TreePath, Entry)>, TreeError> {
        let mut here = TreePath::root();
        // Parts still to walk, last first.
        let mut todo: Vec<String> = path.parts().rev().map(str::to_owned).collect();
        let mut hops = 0;
        let mut last_link: Option<(TreePath, String)> = None;
        let mut entry = self.seen(self.tree.entry(&here))?;
        while let Some(part) = todo.pop() {
            if part == ".." {
                // Only link targets bring these. They are walked and not spelled: a link on the way can make the path shorter or longer.
                here = match (here.parent().filter(|_| here != self.tree.jail(&here)), &last_link) {
                    (Some(parent), _) => parent,
                    (None, Some(link)) => return Err(escapes(link)),
                    (None, None) => TreePath::root(),
                };
                entry = self.seen(self.tree.entry(&here))?;
                continue;
            }
            let next = here.child(&part);
            if let Some(link) = &last_link
                && self.tree.jail(&next) != self.tree.jail(&link.0)
            {
                return Err(escapes(link));
            }
            let Some(found) = self.seen(self.tree.entry(&next))? else {
                self.note(&next, Read::Missing { below: here });
                return Ok(None);
            };
            match found.kind {
                EntryKind::Symlink => {
                    hops += 1;
                    if hops > Self::MAX_HOPS {
                        return Err(TreeError::SymlinkLoop { path: next });
                    }
                    self.note(&next, Read::Symlink(found.id.clone()));
                    let target = self.push_target(&next, &mut todo)?;
                    last_link = Some((next, target));
                    entry = self.seen(self.tree.entry(&here))?;
                }
                EntryKind::Submodule => return Err(TreeError::Submodule { path: next }),
                EntryKind::File if !todo.is_empty() => {
                    // A file where a directory is needed: nothing stands below it.
                    let missing = todo.iter().rev().fold(next.clone(), |p, name| p.child(name));
                    self.note(&missing, Read::Missing { below: here });
                    self.note(&next, Read::Kind(EntryKind::File));
                    return Ok(None);
                }
                EntryKind::File | EntryKind::Dir => {
                    here = next;
                    entry = Some(found);
                }
            }
        }
        Ok(entry.map(|e| (here, e)))
    }

    /// Puts the parts of the target of `link` on the stack and returns the target; refuses absolute ones.
    fn push_target(&self, link: &TreePath, todo: &mut Vec<String>) -> Result<String, TreeError> {
        // 4096 bytes: PATH_MAX on Linux.
        let bytes = self.seen(self.tree.read(link, 4096))?.unwrap_or_default();
        let target = String::from_utf8_lossy(&bytes).into_owned();
        if target.starts_with('/') {
            return Err(TreeError::SymlinkEscapes {
                path: link.clone(),
                target,
            });
        }
        if target.contains('\0') {
            return Err(TreeError::BadTarget {
                path: link.clone(),
                reason: super::BadPath::Nul,
            });
        }
        todo.extend(
            target
                .split('/')
                .rev()
                .filter(|p| !matches!(*p, "" | "."))
                .map(str::to_owned),
        );
        Ok(target)
    }

    /// Counts what another reader of this tree has read as read by this one.
    pub fn note_all(&self, reads: &ReadSet) {
        self.reads.borrow_mut().extend(reads.clone());
    }

    fn note(&self, path: &TreePath, read: Read) {
        self.reads.borrow_mut().note(path, read);
    }
}

fn escapes((path, target): &(TreePath, String)) -> TreeError {
    TreeError::SymlinkEscapes {
        path: path.clone(),
        target: target.clone(),
    }
}
