//! A commit as a [`Tree`], read straight from Git objects.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use gix::ThreadSafeRepository;
use gix::objs::tree::EntryKind as GitKind;
use pintle_model::tree::{ContentId, Entry, EntryKind, Tree, TreeError, TreePath};

type Listing = Arc<Vec<(Arc<str>, Entry)>>;

/// Directories remembered per tree; a monorepo of 1,000 applications reads about as many. Past that the oldest knowledge is dropped whole.
const MAX_LISTINGS: usize = 20_000;

/// One commit of a bare store.
pub struct GitTree {
    store: Arc<ThreadSafeRepository>,
    root: gix::ObjectId,
    listings: Mutex<BTreeMap<gix::ObjectId, Listing>>,
}

/// Why a commit cannot be opened as a tree.
#[derive(Debug, thiserror::Error)]
#[error("commit {commit} cannot be read from the local store: {message}")]
pub struct OpenCommit {
    /// The commit.
    pub commit: String,
    /// What the store said.
    pub message: String,
}

impl GitTree {
    /// Opens a commit by its full id.
    pub fn open(store: Arc<ThreadSafeRepository>, commit: &str) -> Result<Self, OpenCommit> {
        let failed = |message: String| OpenCommit {
            commit: commit.to_owned(),
            message,
        };
        let id = gix::ObjectId::from_hex(commit.as_bytes()).map_err(|e| failed(e.to_string()))?;
        let local = store.to_thread_local();
        let object = local.find_object(id).map_err(|e| failed(e.to_string()))?;
        // An annotated tag may stand where a commit is meant.
        let commit_object = object
            .peel_to_kind(gix::objs::Kind::Commit)
            .map_err(|e| failed(e.to_string()))?;
        let root = commit_object
            .into_commit()
            .tree_id()
            .map_err(|e| failed(e.to_string()))?
            .detach();
        drop(local);
        Ok(Self {
            store,
            root,
            listings: Mutex::default(),
        })
    }

    fn listing(&self, id: gix::ObjectId, path: &TreePath) -> Result<Listing, TreeError> {
        if let Some(known) = self.listings.lock().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Ok(Arc::clone(known));
        }
        let failed = |message: String| TreeError::Store {
            path: path.clone(),
            message,
        };
        let local = self.store.to_thread_local();
        let tree = local.find_tree(id).map_err(|e| failed(unread(&local, &e)))?;
        let decoded = tree.decode().map_err(|e| failed(e.to_string()))?;
        let mut entries = Vec::with_capacity(decoded.entries.len());
        for entry in &decoded.entries {
            // Names that are not UTF-8 cannot be spelled in a spec, but they must not make a directory unreadable.
            let name = String::from_utf8_lossy(entry.filename).into_owned();
            let kind = match entry.mode.kind() {
                GitKind::Tree => EntryKind::Dir,
                GitKind::Blob | GitKind::BlobExecutable => EntryKind::File,
                GitKind::Link => EntryKind::Symlink,
                GitKind::Commit => EntryKind::Submodule,
            };
            entries.push((
                name.into(),
                Entry {
                    kind,
                    id: content_id(entry.oid),
                },
            ));
        }
        // Git sorts directories as if their names ended in `/`; listings are sorted by name alone.
        entries.sort_by(|a: &(Arc<str>, Entry), b| a.0.cmp(&b.0));
        let listing = Arc::new(entries);
        let mut listings = self.listings.lock().unwrap_or_else(PoisonError::into_inner);
        if listings.len() >= MAX_LISTINGS {
            listings.clear();
        }
        listings.insert(id, Arc::clone(&listing));
        Ok(listing)
    }

    fn root_entry(&self) -> Entry {
        Entry {
            kind: EntryKind::Dir,
            id: content_id(&self.root),
        }
    }
}

/// Why an object cannot be read, and what to do where the clone was made without it.
fn unread(local: &gix::Repository, error: &dyn std::fmt::Display) -> String {
    let config = local.config_snapshot();
    let mut remotes = config.plumbing().sections_by_name("remote").into_iter().flatten();
    if remotes.any(|remote| remote.value("promisor").is_some_and(|value| value == "true")) {
        format!(
            "{error}; this is a partial clone, and what it left out is not fetched: run `git fetch --refetch --no-filter` first"
        )
    } else {
        error.to_string()
    }
}

fn content_id(id: &gix::oid) -> ContentId {
    ContentId(id.to_hex().to_string().into())
}

fn object_id(id: &ContentId, path: &TreePath) -> Result<gix::ObjectId, TreeError> {
    gix::ObjectId::from_hex(id.0.as_bytes()).map_err(|e| TreeError::Store {
        path: path.clone(),
        message: e.to_string(),
    })
}

impl Tree for GitTree {
    fn id(&self) -> ContentId {
        content_id(&self.root)
    }

    fn entry(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        let mut here = self.root_entry();
        for part in path.parts() {
            if here.kind != EntryKind::Dir {
                return Ok(None);
            }
            let listing = self.listing(object_id(&here.id, path)?, path)?;
            match listing.binary_search_by(|(name, _)| (**name).cmp(part)) {
                Ok(i) => match listing.get(i) {
                    Some((_, entry)) => here = entry.clone(),
                    None => return Ok(None),
                },
                Err(_) => return Ok(None),
            }
        }
        Ok(Some(here))
    }

    fn list(&self, path: &TreePath) -> Result<Option<Vec<(Arc<str>, Entry)>>, TreeError> {
        match self.entry(path)? {
            Some(entry) if entry.kind == EntryKind::Dir => {
                Ok(Some(self.listing(object_id(&entry.id, path)?, path)?.as_ref().clone()))
            }
            _ => Ok(None),
        }
    }

    fn read(&self, path: &TreePath, limit: u64) -> Result<Option<Arc<[u8]>>, TreeError> {
        let Some(entry) = self.entry(path)? else {
            return Ok(None);
        };
        if !matches!(entry.kind, EntryKind::File | EntryKind::Symlink) {
            return Ok(None);
        }
        let failed = |message: String| TreeError::Store {
            path: path.clone(),
            message,
        };
        let id = object_id(&entry.id, path)?;
        let local = self.store.to_thread_local();
        // The header first: a file over the limit is not even unpacked.
        let size = local.find_header(id).map_err(|e| failed(unread(&local, &e)))?.size();
        if size > limit {
            return Err(TreeError::TooLarge {
                path: path.clone(),
                size,
                limit,
            });
        }
        let mut object = local.find_object(id).map_err(|e| failed(unread(&local, &e)))?;
        Ok(Some(std::mem::take(&mut object.data).into()))
    }
}
