//! Renders that outlive the process.
//!
//! ```text
//! what was asked ── keyed digest ─> file name        Rendered ── may_leave? ── bytes ── seal ─> temporary file ── rename ─> file
//! ```
//!
//! A file is found again only by who asks the same with the same secret, and is right only if everything that was read is still the same, which
//! [`super::kept`] looks at as for any render it keeps. Losing the directory, or any file of it, costs renders and nothing else: nothing here
//! fails, and what is not whole is deleted and made anew (I-22). Processes may share a directory: files appear whole by renaming, and the last
//! one stays.
//!
//! Everything here reads and writes files, so it is called on threads that may wait.

mod bytes;
mod record;
mod seal;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use pintle_model::Sensitive;
use pintle_render::Rendered;
use pintle_render::helm::Capabilities;

use record::Record;
use seal::{Keys, Name, Opened};

/// How much is kept.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// Files.
    pub entries: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Bytes of one file.
    pub entry_bytes: usize,
}

impl Default for Bounds {
    /// As many renders as memory keeps, at 50 kB each, which is twice what applications have on average; and nothing that is larger than the manifests
    /// an API server would take in one go: it is rare, and a disk should not be filled by it.
    fn default() -> Self {
        Self {
            entries: super::kept::MAX_RENDERS as u64,
            bytes: 1 << 30,
            entry_bytes: 16 << 20,
        }
    }
}

/// An entry that is used is marked as new again if it is older than this, so that what goes first is what nobody uses. Not each time: a read
/// should seldom be a write.
const MARK_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
/// A temporary file this old belongs to a process that died: writing one takes milliseconds.
const ABANDONED_AFTER: Duration = Duration::from_secs(60 * 60);
/// Begins the name of a temporary file.
const TEMPORARY: &str = "tmp-";

/// A directory of renders.
pub(super) struct Disk {
    directory: PathBuf,
    bounds: Bounds,
    /// Whether the directory is there, ours, and closed to others; found out at the first use.
    usable: OnceLock<bool>,
    warned: AtomicBool,
    found_damage: AtomicBool,
    /// Nothing more is written.
    closed: AtomicBool,
    /// Files and their bytes as of the last count, and what was written since. A file that was replaced counts twice until the next count.
    entries: AtomicU64,
    bytes: AtomicU64,
    counted: AtomicBool,
    counting: AtomicBool,
}

/// What was asked, by whom, and in which surroundings.
pub(super) struct Question<'a> {
    /// Everything the result is a function of besides what is recorded with it.
    pub asked: Vec<u8>,
    /// Secret of the installation.
    pub secret: &'a Sensitive<Vec<u8>>,
    /// The time.
    pub now: SystemTime,
}

impl Disk {
    pub fn new(directory: PathBuf, bounds: Bounds) -> Self {
        Self {
            directory,
            bounds,
            usable: OnceLock::new(),
            warned: AtomicBool::new(false),
            found_damage: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            entries: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            counted: AtomicBool::new(false),
            counting: AtomicBool::new(false),
        }
    }

    /// The render that was kept for a question, if there is a whole one of this build.
    pub fn find(&self, question: &Question<'_>, capabilities: &Arc<Capabilities>) -> Option<Rendered> {
        if !self.is_usable() {
            return None;
        }
        let keys = Keys::of(question.secret)?;
        let name = keys.name(&question.asked)?;
        let path = self.path(&name);
        let mut file = match self.contents(&path, question.now) {
            Ok(file) => file,
            Err(e) if e.kind() == ErrorKind::NotFound => return None,
            Err(e) => {
                tracing::debug!(path = %path.display(), error = %e, "a kept render cannot be read");
                return None;
            }
        };
        let record = match keys.open(&name, &mut file) {
            Opened::Body(body) => record::read(body, capabilities),
            Opened::Foreign => return None,
            Opened::Broken => Record::Broken,
        };
        match record {
            Record::Render(rendered) => Some(rendered),
            Record::OtherCluster => None,
            Record::Broken => {
                // Said once, for a disk that fails damages many.
                if !self.found_damage.swap(true, Ordering::Relaxed) {
                    tracing::warn!(path = %path.display(), "a kept render is damaged; it is deleted and rendered again, as is any other that is found");
                }
                let _ = fs::remove_file(&path);
                None
            }
        }
    }

    /// Keeps nothing more, and still finds what is there.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Keeps a render, unless it may not leave the process.
    pub fn keep(&self, question: &Question<'_>, rendered: &Rendered) {
        if self.closed.load(Ordering::Relaxed) {
            return;
        }
        let limit = self.bounds.entry_bytes.saturating_sub(seal::OVERHEAD);
        let Some(body) = record::write(rendered, limit) else {
            return;
        };
        if !self.is_usable() {
            return;
        }
        let Some((name, file)) = Keys::of(question.secret).and_then(|keys| {
            let name = keys.name(&question.asked)?;
            Some((name, keys.seal(&name, body)?))
        }) else {
            return;
        };
        match self.put(&name, &file, question.now) {
            Ok(()) => self.make_room(file.len() as u64, question.now),
            Err(e) => self.warn(&e),
        }
    }

    fn path(&self, name: &Name) -> PathBuf {
        let mut hex = String::with_capacity(64);
        for byte in name {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
        }
        self.directory.join(hex)
    }

    fn contents(&self, path: &Path, now: SystemTime) -> io::Result<Vec<u8>> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        let mut bytes = Vec::with_capacity(metadata.len().min(self.bounds.entry_bytes as u64) as usize);
        (&file).take(self.bounds.entry_bytes as u64).read_to_end(&mut bytes)?;
        if is_older(metadata.modified()?, MARK_AFTER, now) {
            // An entry that cannot be marked goes sooner.
            let _ = file.set_modified(now);
        }
        Ok(bytes)
    }

    /// Under a name of its own first: processes that share a directory may have the same number, in containers for one.
    fn put(&self, name: &Name, bytes: &[u8], now: SystemTime) -> io::Result<()> {
        // Made with mode 0600, and removed where anything fails.
        let mut file = tempfile::Builder::new()
            .prefix(TEMPORARY)
            .tempfile_in(&self.directory)?;
        file.write_all(bytes)?;
        file.as_file().set_modified(now)?;
        // Nothing is synced: what a crash leaves half written does not open, and is rendered again.
        file.persist(self.path(name))?;
        Ok(())
    }

    /// Counts what was added, and deletes the oldest where that is too much. One thread does so at a time, and the others go on: for that moment
    /// there may be a few more. What other processes add is seen at the next count only, so each may add a directory's worth.
    fn make_room(&self, added: u64, now: SystemTime) {
        let entries = self.entries.fetch_add(1, Ordering::Relaxed) + 1;
        let bytes = self.bytes.fetch_add(added, Ordering::Relaxed) + added;
        let is_first = !self.counted.swap(true, Ordering::Relaxed);
        let is_full = entries > self.bounds.entries || bytes > self.bounds.bytes;
        if (is_first || is_full) && !self.counting.swap(true, Ordering::Acquire) {
            if let Err(e) = self.sweep(now) {
                self.warn(&e);
            }
            self.counting.store(false, Ordering::Release);
        }
    }

    fn sweep(&self, now: SystemTime) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let is_entry = name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit());
            if !is_entry && !name.starts_with(TEMPORARY) {
                continue;
            }
            // Another process may have deleted it meanwhile.
            let Ok(metadata) = entry.metadata() else { continue };
            let modified = metadata.modified()?;
            if is_entry {
                files.push((modified, metadata.len(), entry.path()));
            } else if is_older(modified, ABANDONED_AFTER, now) {
                let _ = fs::remove_file(entry.path());
            }
        }
        let mut entries = files.len() as u64;
        let mut bytes: u64 = files.iter().map(|(_, length, _)| length).sum();
        if entries > self.bounds.entries || bytes > self.bounds.bytes {
            // An eighth more than needed, so that the next one is not the next time.
            let goal = |bound: u64| bound - bound / 8;
            files.sort();
            for (_, length, path) in &files {
                if entries <= goal(self.bounds.entries) && bytes <= goal(self.bounds.bytes) {
                    break;
                }
                match fs::remove_file(path) {
                    Err(e) if e.kind() != ErrorKind::NotFound => self.warn(&e),
                    _ => {
                        entries -= 1;
                        bytes -= length;
                    }
                }
            }
        }
        self.entries.store(entries, Ordering::Relaxed);
        self.bytes.store(bytes, Ordering::Relaxed);
        Ok(())
    }

    fn is_usable(&self) -> bool {
        *self.usable.get_or_init(|| match make_private(&self.directory) {
            Ok(()) => true,
            Err(e) => {
                self.warn(&e);
                false
            }
        })
    }

    /// Once: a disk that is full or read-only fails every time, and each time it costs one render later.
    fn warn(&self, error: &io::Error) {
        if !self.warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                directory = %self.directory.display(), error = %error,
                "renders cannot be kept on disk; they are made again after the next start"
            );
        }
    }
}

/// Makes a directory that only this user may look into. One that is somebody else's cannot be made so, and is not used.
fn make_private(directory: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    fs::set_permissions(directory, fs::Permissions::from_mode(0o700))
}

/// A time in the future, as after a clock was set back, is not old.
fn is_older(modified: SystemTime, age: Duration, now: SystemTime) -> bool {
    now.duration_since(modified).is_ok_and(|elapsed| elapsed > age)
}
