//! Archives on disk by digest. Losing the cache costs time only; what is read from it is checked every time.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use super::{ChartError, digest};

/// The archives of this process.
pub(crate) struct DiskCache {
    directory: PathBuf,
    limit_bytes: u64,
    /// Held while old files are removed.
    trimming: Mutex<()>,
}

/// Which archive: its digest, and for whom it was fetched. Knowing a digest gives nobody an archive that others' credentials brought here.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub digest: [u8; 32],
    pub scope: [u8; 32],
}

impl Key {
    fn name(&self) -> String {
        let scope: String = digest::hex(&self.scope).chars().take(16).collect();
        format!("{}-{scope}", digest::hex(&self.digest))
    }
}

impl DiskCache {
    /// Keeps archives below `directory`, which belongs to this process alone; unfinished downloads of an earlier one are removed (I-21).
    pub(crate) fn new(directory: PathBuf, limit_bytes: u64) -> Self {
        // Nothing of this process runs there yet; what cannot be removed shows when the folder is used.
        let _ = std::fs::remove_dir_all(directory.join("unfinished"));
        Self {
            directory,
            limit_bytes,
            trimming: Mutex::default(),
        }
    }

    fn archives(&self) -> PathBuf {
        self.directory.join("archives")
    }

    fn failed(&self, error: &std::io::Error) -> ChartError {
        ChartError::Local {
            directory: self.directory.clone(),
            message: error.to_string(),
        }
    }

    /// An archive, if it is here and still what it was. One that was changed is removed. Blocks.
    pub(crate) fn get(&self, key: &Key) -> Option<Arc<[u8]>> {
        let path = self.archives().join(key.name());
        let bytes = std::fs::read(&path).ok()?;
        if <[u8; 32]>::from(Sha256::digest(&bytes)) != key.digest {
            tracing::warn!(?path, "a cached archive was changed on disk; it is fetched again");
            let _ = std::fs::remove_file(&path);
            return None;
        }
        touch(&path);
        Some(bytes.into())
    }

    /// A new file for a download; removed when dropped. Blocks.
    pub(crate) fn unfinished(&self) -> Result<NamedTempFile, ChartError> {
        let directory = self.directory.join("unfinished");
        std::fs::create_dir_all(&directory)
            .and_then(|()| NamedTempFile::new_in(&directory))
            .map_err(|e| self.failed(&e))
    }

    /// Keeps a finished download and makes room for it. Blocks.
    pub(crate) fn keep(&self, file: NamedTempFile, key: &Key) -> Result<(), ChartError> {
        let archives = self.archives();
        std::fs::create_dir_all(&archives).map_err(|e| self.failed(&e))?;
        let path = archives.join(key.name());
        file.persist(&path).map_err(|e| self.failed(&e.error))?;
        self.trim(&path);
        Ok(())
    }

    /// Removes the archives that were not used for longest until the rest fits; the newest stays in any case.
    fn trim(&self, newest: &Path) {
        let _one_at_a_time = self.trimming.lock().unwrap_or_else(PoisonError::into_inner);
        let Ok(entries) = std::fs::read_dir(self.archives()) else {
            return;
        };
        let mut files: Vec<(SystemTime, u64, PathBuf)> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let about = entry.metadata().ok()?;
                let used = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                Some((used, about.len(), entry.path()))
            })
            .collect();
        files.sort();
        let mut total: u64 = files.iter().map(|(_, size, _)| size).sum();
        for (_, size, path) in files {
            if total <= self.limit_bytes {
                break;
            }
            if path != newest && std::fs::remove_file(&path).is_ok() {
                total = total.saturating_sub(size);
            }
        }
    }
}

/// Marks a file as used now; by that the oldest is chosen. Not worth an error.
#[allow(
    clippy::disallowed_methods,
    reason = "the time of a file, compared with other files only"
)]
fn touch(path: &Path) {
    if let Ok(file) = std::fs::File::options().write(true).open(path) {
        let _ = file.set_modified(SystemTime::now());
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn put(cache: &DiskCache, content: &[u8]) -> Key {
        let key = Key {
            digest: Sha256::digest(content).into(),
            scope: [7; 32],
        };
        let mut file = cache.unfinished().unwrap();
        file.write_all(content).unwrap();
        cache.keep(file, &key).unwrap();
        key
    }

    #[test]
    fn gives_back_what_was_kept_to_whom_it_was_kept_for() {
        let directory = tempfile::tempdir().unwrap();
        let cache = DiskCache::new(directory.path().to_owned(), 1000);
        let key = put(&cache, b"chart");
        assert_eq!(cache.get(&key).unwrap().as_ref(), b"chart");
        let other = Key {
            scope: [8; 32],
            ..key.clone()
        };
        assert!(cache.get(&other).is_none());
        // A later process finds it, and no leftovers.
        let again = DiskCache::new(directory.path().to_owned(), 1000);
        assert!(again.get(&key).is_some());
        assert!(!directory.path().join("unfinished").exists());
    }

    #[test]
    fn a_changed_file_is_a_miss() {
        let directory = tempfile::tempdir().unwrap();
        let cache = DiskCache::new(directory.path().to_owned(), 1000);
        let key = put(&cache, b"chart");
        let path = directory.path().join("archives").join(key.name());
        std::fs::write(&path, b"chArt").unwrap();
        assert!(cache.get(&key).is_none());
        assert!(!path.exists());
    }

    #[test]
    fn the_least_used_makes_room() {
        let directory = tempfile::tempdir().unwrap();
        let cache = DiskCache::new(directory.path().to_owned(), 25);
        let (a, b) = (put(&cache, b"aaaaaaaaaa"), put(&cache, b"bbbbbbbbbb"));
        let past = SystemTime::UNIX_EPOCH;
        let path = directory.path().join("archives").join(b.name());
        std::fs::File::options()
            .write(true)
            .open(path)
            .unwrap()
            .set_modified(past)
            .unwrap();
        let c = put(&cache, b"cccccccccc");
        assert!(cache.get(&a).is_some());
        assert!(cache.get(&b).is_none());
        assert!(cache.get(&c).is_some());
        // Larger than the whole cache: kept, alone.
        let d = put(&cache, &[b'd'; 100]);
        assert!(cache.get(&d).is_some());
        assert!(cache.get(&a).is_none());
    }
}
