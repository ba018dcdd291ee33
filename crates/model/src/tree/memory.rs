//! A tree in memory: tests, the demo, local checkouts read once.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{ContentId, Entry, EntryKind, Tree, TreeError, TreePath};

/// Files and links by path; directories follow from them.
#[derive(Clone, Default)]
pub struct MemoryTree {
    files: BTreeMap<TreePath, (EntryKind, Arc<[u8]>)>,
}

impl MemoryTree {
    /// Returns an empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or replaces a file.
    #[must_use]
    pub fn with_file(mut self, path: TreePath, bytes: impl Into<Arc<[u8]>>) -> Self {
        self.files.insert(path, (EntryKind::File, bytes.into()));
        self
    }

    /// Adds or replaces a symbolic link.
    #[must_use]
    pub fn with_symlink(mut self, path: TreePath, target: &str) -> Self {
        self.files.insert(path, (EntryKind::Symlink, target.as_bytes().into()));
        self
    }

    /// Adds or replaces a submodule.
    #[must_use]
    pub fn with_submodule(mut self, path: TreePath, commit: &str) -> Self {
        self.files
            .insert(path, (EntryKind::Submodule, commit.as_bytes().into()));
        self
    }

    fn below<'a>(&'a self, dir: &'a TreePath) -> impl Iterator<Item = (&'a str, &'a (EntryKind, Arc<[u8]>))> {
        self.files.iter().filter_map(|(p, f)| {
            p.strip_prefix(dir)
                .filter(|rest| !rest.is_empty())
                .map(|rest| (rest, f))
        })
    }
}

pub(super) fn digest(parts: impl Iterator<Item = impl AsRef<[u8]>>) -> ContentId {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.as_ref().len() as u64).to_be_bytes());
        hash.update(part.as_ref());
    }
    let mut hex = String::with_capacity(64);
    for byte in hash.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    ContentId(hex.into())
}

impl Tree for MemoryTree {
    fn id(&self) -> ContentId {
        digest(
            self.files
                .iter()
                .flat_map(|(p, (k, b))| [p.as_str().as_bytes().to_vec(), vec![*k as u8], b.to_vec()]),
        )
    }

    fn entry(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        if let Some((kind, bytes)) = self.files.get(path) {
            return Ok(Some(Entry {
                kind: *kind,
                id: digest(std::iter::once(bytes)),
            }));
        }
        if !path.is_root() && self.below(path).next().is_none() {
            return Ok(None);
        }
        // As a Git tree id: it covers everything below.
        let parts = self
            .below(path)
            .flat_map(|(p, (k, b))| [p.as_bytes().to_vec(), vec![*k as u8], b.to_vec()]);
        Ok(Some(Entry {
            kind: EntryKind::Dir,
            id: digest(parts),
        }))
    }

    fn list(&self, path: &TreePath) -> Result<Option<Vec<(Arc<str>, Entry)>>, TreeError> {
        if self.entry(path)?.is_none_or(|e| e.kind != EntryKind::Dir) {
            return Ok(None);
        }
        let mut names: Vec<&str> = self
            .below(path)
            .map(|(rest, _)| rest.split_once('/').map_or(rest, |(name, _)| name))
            .collect();
        names.sort_unstable();
        names.dedup();
        let mut entries = Vec::with_capacity(names.len());
        for name in names {
            if let Some(entry) = self.entry(&path.child(name))? {
                entries.push((name.into(), entry));
            }
        }
        Ok(Some(entries))
    }

    fn read(&self, path: &TreePath, limit: u64) -> Result<Option<Arc<[u8]>>, TreeError> {
        let Some((_, bytes)) = self.files.get(path) else {
            return Ok(None);
        };
        let size = bytes.len() as u64;
        if size > limit {
            return Err(TreeError::TooLarge {
                path: path.clone(),
                size,
                limit,
            });
        }
        Ok(Some(Arc::clone(bytes)))
    }
}
