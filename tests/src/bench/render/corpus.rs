//! The corpora of charts and kustomizations: found beside the repository, unpacked once, read into memory.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use pintle_model::tree::{ContentId, Entry, EntryKind, Listing, Tree, TreeError, TreePath};
use serde::Deserialize;

use super::super::Result;
use crate::{go_tools::cache_dir, process};

/// Unpacking takes seconds; a minute and more means that the disk does not answer.
const UNPACK_WITHIN: Duration = Duration::from_secs(300);

/// One line of `helm/cases.json`.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ChartCase {
    /// Its name.
    #[serde(rename = "case")]
    pub name: String,
    /// Directory of the chart, relative to the corpus.
    pub chart: String,
    /// File of values, relative to the corpus.
    pub values: Option<String>,
    /// Whether Helm renders it.
    pub ok: bool,
    /// Whether Helm renders it to the same text each time.
    pub deterministic: bool,
}

/// One line of `kustomize/cases.json`.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct KustomizeCase {
    /// Its name.
    #[serde(rename = "case")]
    pub name: String,
    /// Directory of the kustomization, relative to the corpus: `trees/<repository>/…`.
    pub path: String,
    /// Whether Kustomize builds it.
    pub ok: bool,
}

impl KustomizeCase {
    /// The repository's directory, relative to the corpus, and the kustomization inside it.
    pub(super) fn split(&self) -> Result<(String, TreePath)> {
        let mut parts = self.path.splitn(3, '/');
        let (Some(trees), Some(repository)) = (parts.next(), parts.next()) else {
            return Err(format!("{}: no path of a case", self.path).into());
        };
        let inside = TreePath::new(parts.next().unwrap_or_default())?;
        Ok((format!("{trees}/{repository}"), inside))
    }
}

/// The unpacked corpus of that name (`helm`, `kustomize`): the directory with `cases.json`.
pub(super) fn unpacked(name: &str) -> Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = format!("shared/corpus/{name}.tar.xz");
    let archive = here
        .ancestors()
        .map(|above| above.join(&file))
        .find(|path| path.is_file())
        .ok_or_else(|| format!("no {file} in a directory above the repository: there is nothing to measure with"))?;
    let meta = fs::metadata(&archive)?;
    let age = meta.modified()?.duration_since(UNIX_EPOCH)?.as_secs();
    let cache = cache_dir()?.join("corpus");
    let whole = cache.join(format!("{name}-{}-{age}", meta.len()));
    if !whole.is_dir() {
        let part = cache.join(format!("{name}-{}.part", std::process::id()));
        fs::create_dir_all(&part)?;
        let mut tar = Command::new("tar");
        tar.arg("-xJf").arg(&archive).arg("-C").arg(&part);
        let done = process::run(&mut tar, "", UNPACK_WITHIN)?;
        if !done.status.success() {
            return Err(format!("tar cannot unpack {}: {}", archive.display(), done.stderr).into());
        }
        // Whoever comes second finds the first one's.
        if fs::rename(&part, &whole).is_err() {
            fs::remove_dir_all(&part)?;
        }
    }
    Ok(whole.join(name))
}

/// The cases of a corpus, in its order.
pub(super) fn cases<T: for<'de> Deserialize<'de>>(corpus: &Path) -> Result<Vec<T>> {
    Ok(serde_json::from_slice(&fs::read(corpus.join("cases.json"))?)?)
}

/// The files below a directory, in memory, as a commit of a repository would have them: listings are there already.
#[derive(Default)]
pub(super) struct Snapshot {
    entries: BTreeMap<TreePath, (Entry, Arc<[u8]>)>,
    listings: BTreeMap<TreePath, Listing>,
}

impl Snapshot {
    /// Reads a directory.
    pub(super) fn of(directory: &Path) -> Result<Self> {
        let mut snapshot = Self::default();
        snapshot.add(directory, &TreePath::root())?;
        Ok(snapshot)
    }

    /// Whether a file below a directory of templates holds one of the words.
    pub(super) fn mentions(&self, words: &[&str]) -> bool {
        self.entries.iter().any(|(path, (_, bytes))| {
            let text = String::from_utf8_lossy(bytes);
            path.parts().any(|part| part == "templates") && words.iter().any(|word| text.contains(word))
        })
    }

    fn add(&mut self, directory: &Path, at: &TreePath) -> Result<()> {
        let mut listing = Listing::new();
        for found in fs::read_dir(directory)? {
            let found = found?;
            let name = found.file_name();
            let name = name.to_str().ok_or("a name in the corpus is not UTF-8")?;
            let path = at.child(name);
            let kind = found.file_type()?;
            let (kind, bytes): (_, Arc<[u8]>) = if kind.is_dir() {
                self.add(&found.path(), &path)?;
                (EntryKind::Dir, Arc::default())
            } else if kind.is_symlink() {
                let target = fs::read_link(found.path())?;
                (EntryKind::Symlink, target.to_string_lossy().as_bytes().into())
            } else {
                (EntryKind::File, fs::read(found.path())?.into())
            };
            // Nothing changes here, so that a path names its content.
            let id = ContentId(path.as_str().into());
            let entry = Entry { kind, id };
            listing.push((name.into(), entry.clone()));
            self.entries.insert(path, (entry, bytes));
        }
        listing.sort_by(|a, b| a.0.cmp(&b.0));
        self.listings.insert(at.clone(), listing);
        Ok(())
    }
}

impl Tree for Snapshot {
    fn id(&self) -> ContentId {
        ContentId("snapshot".into())
    }

    fn entry(&self, path: &TreePath) -> std::result::Result<Option<Entry>, TreeError> {
        if path.is_root() {
            return Ok(Some(Entry {
                kind: EntryKind::Dir,
                id: ContentId("".into()),
            }));
        }
        Ok(self.entries.get(path).map(|(entry, _)| entry.clone()))
    }

    fn list(&self, path: &TreePath) -> std::result::Result<Option<Listing>, TreeError> {
        Ok(self.listings.get(path).cloned())
    }

    fn read(&self, path: &TreePath, limit: u64) -> std::result::Result<Option<Arc<[u8]>>, TreeError> {
        let Some((entry, bytes)) = self.entries.get(path) else {
            return Ok(None);
        };
        if entry.kind == EntryKind::Dir {
            return Ok(None);
        }
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
