//! The user's own file system as a tree: overlays reach for their bases with `../..`, wherever the build starts.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pintle_model::tree::{ContentId, Entry, EntryKind, Listing, Tree, TreeError, TreePath};

/// The file system. Ids are paths: nothing compares contents here.
pub(in crate::command) struct Disk;

impl Disk {
    /// The tree, and a directory of it with every link on the way to it followed.
    pub fn at(directory: &Path) -> io::Result<(Self, TreePath)> {
        let real = directory.canonicalize()?;
        if !real.is_dir() {
            return Err(io::Error::other("it is no directory"));
        }
        let text = real.to_str().ok_or_else(|| io::Error::other("its path is not UTF-8"))?;
        let path = TreePath::new(text).map_err(io::Error::other)?;
        Ok((Self, path))
    }
}

fn on_disk(path: &TreePath) -> PathBuf {
    Path::new("/").join(path.as_str())
}

fn failed(path: &TreePath, error: &io::Error) -> TreeError {
    TreeError::Store {
        path: path.clone(),
        message: error.to_string(),
    }
}

/// What is not there is no failure; a file where a directory is needed counts as that.
fn there<T>(path: &TreePath, result: io::Result<T>) -> Result<Option<T>, TreeError> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(e) => Err(failed(path, &e)),
    }
}

fn entry_of(kind: fs::FileType, path: &TreePath) -> Option<Entry> {
    let kind = match kind {
        kind if kind.is_dir() => EntryKind::Dir,
        kind if kind.is_symlink() => EntryKind::Symlink,
        kind if kind.is_file() => EntryKind::File,
        // Pipes and devices hold no manifests, and reading one may never end.
        _ => return None,
    };
    let id = ContentId(path.as_str().into());
    Some(Entry { kind, id })
}

impl Tree for Disk {
    fn id(&self) -> ContentId {
        ContentId("disk".into())
    }

    fn entry(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        let found = there(path, fs::symlink_metadata(on_disk(path)))?;
        Ok(found.and_then(|metadata| entry_of(metadata.file_type(), path)))
    }

    fn list(&self, path: &TreePath) -> Result<Option<Listing>, TreeError> {
        let Some(entries) = there(path, fs::read_dir(on_disk(path)))? else {
            return Ok(None);
        };
        let mut listing = Listing::new();
        for entry in entries {
            let entry = entry.map_err(|e| failed(path, &e))?;
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
                continue;
            };
            let kind = entry.file_type().map_err(|e| failed(path, &e))?;
            if let Some(found) = entry_of(kind, &path.child(&name)) {
                listing.push((name.into(), found));
            }
        }
        listing.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(Some(listing))
    }

    fn read(&self, path: &TreePath, limit: u64) -> Result<Option<Arc<[u8]>>, TreeError> {
        let full = on_disk(path);
        let Some(metadata) = there(path, fs::symlink_metadata(&full))? else {
            return Ok(None);
        };
        if metadata.is_symlink() {
            let target = fs::read_link(&full).map_err(|e| failed(path, &e))?;
            // Nothing stands above the root here, so an absolute target is one that goes up to it first.
            let up = "../".repeat(path.parts().count().saturating_sub(1));
            let bytes = match target.strip_prefix("/") {
                Ok(below) => [up.as_bytes(), below.as_os_str().as_bytes()].concat(),
                Err(_) => target.as_os_str().as_bytes().to_vec(),
            };
            return Ok(Some(bytes.into()));
        }
        if !metadata.is_file() {
            return Ok(None);
        }
        if metadata.len() > limit {
            return Err(TreeError::TooLarge {
                path: path.clone(),
                size: metadata.len(),
                limit,
            });
        }
        let bytes = fs::read(&full).map_err(|e| failed(path, &e))?;
        Ok(Some(bytes.into()))
    }
}
