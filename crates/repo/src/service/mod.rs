//! Renders sources of applications, sharing everything that can be shared.
//!
//! ```text
//! Ask ── parts (Git commit | chart archive) ── render: [ kept? | on disk? | render on a thread of its own ── Needs ── parts ── … ] ──► SourceRender
//! ```

mod ask;
mod changes;
mod disk;
mod error;
mod gates;
mod kept;
mod near;
mod parts;
mod render;
mod threads;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use pintle_model::tree::Tree as _;
use pintle_render::{ChartCache, Rendered};
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::Instant;

pub use ask::{Ask, Permits, SourceRender};
pub use error::RepoError;
pub use near::{Near, NearRepository, Stand};
pub use render::MAX_ROUNDS;

use crate::chart::{ChartError, ChartRef, ChartSettings, Charts};
use crate::credential::CredentialBook;
use crate::git::{GitStore, GitTree, StoreError};
use crate::url::RepoUrl;
use changes::Changes;
use disk::Disk;
use gates::Gates;
use kept::Kept;
use parts::Archives;
use threads::Threads;

/// Trees kept open: commits that applications stand at now. Past that the cache starts anew.
const MAX_TREES: usize = 1_000;

/// How long the outside may take, and where renders are kept.
#[derive(Clone, Debug, Default)]
pub struct RepositoryLimits {
    /// Chart repositories and registries.
    pub charts: ChartSettings,
    /// A directory, of its own, for renders that outlive the process; processes may share it. `None`, the default, keeps them in memory alone.
    /// Only renders asked for with [`Ask::secret`] are kept there, encrypted with it, and none with a Secret or with anything drawn at random.
    pub renders: Option<PathBuf>,
}

/// What was done so far, for metrics and benchmarks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Listings of refs.
    pub ls_remotes: u64,
    /// Fetches.
    pub fetches: u64,
    /// Renders really made.
    pub renders: u64,
}

/// Every repository this process knows. Cheap to clone.
#[derive(Clone)]
pub struct Repositories {
    shared: Arc<Shared>,
}

struct Shared {
    directory: PathBuf,
    credentials: RwLock<Arc<CredentialBook>>,
    charts: Charts,
    stores: Mutex<HashMap<String, Arc<OnceCell<Arc<GitStore>>>>>,
    trees: Mutex<HashMap<(String, String), Arc<GitTree>>>,
    kept: Kept,
    /// Renders that outlive this process, where there is a directory for them.
    disk: Option<Disk>,
    gates: Gates,
    changes: Changes,
    archives: Archives,
    /// One for all, so that it is known for the same again.
    nothing: Arc<Rendered>,
    parsed: ChartCache,
    /// Renders at once: they are work for the processor, so as many as there are processors.
    places: Semaphore,
    /// What they run on.
    threads: Threads,
    counters: Arc<crate::git::Counters>,
    rendered: AtomicU64,
}

impl Repositories {
    /// Keeps stores below `directory`, which belongs to this process alone.
    pub fn new(directory: PathBuf) -> Self {
        Self::with_limits(directory, RepositoryLimits::default())
    }

    /// The same, with other limits and deadlines.
    pub fn with_limits(directory: PathBuf, limits: RepositoryLimits) -> Self {
        // Private files of a Git that was killed with its process; nothing of this process runs yet (I-21, I-26).
        let _ = std::fs::remove_dir_all(directory.join("private"));
        let processors = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self {
            shared: Arc::new(Shared {
                charts: Charts::new(directory.join("charts"), limits.charts),
                directory,
                credentials: RwLock::default(),
                stores: Mutex::default(),
                trees: Mutex::default(),
                kept: Kept::default(),
                disk: limits
                    .renders
                    .map(|directory| Disk::new(directory, disk::Bounds::default())),
                gates: Gates::default(),
                changes: Changes::default(),
                archives: Archives::default(),
                nothing: Arc::new(render::nothing()),
                parsed: ChartCache::default(),
                places: Semaphore::new(processors),
                threads: Threads::default(),
                counters: Arc::default(),
                rendered: AtomicU64::new(0),
            }),
        }
    }

    /// Replaces what is known about access; the next request uses it (I-23).
    pub fn set_credentials(&self, book: CredentialBook) {
        let book = Arc::new(book);
        self.shared.charts.set_credentials(Arc::clone(&book));
        *self.shared.credentials.write().unwrap_or_else(PoisonError::into_inner) = book;
    }

    /// Chart repositories and registries, reached with the same credentials.
    pub fn charts(&self) -> &Charts {
        &self.shared.charts
    }

    /// What was done so far.
    pub fn counts(&self) -> Counts {
        Counts {
            ls_remotes: self.shared.counters.ls_remotes.load(Ordering::Relaxed),
            fetches: self.shared.counters.fetches.load(Ordering::Relaxed),
            renders: self.shared.rendered.load(Ordering::Relaxed),
        }
    }

    /// From here on no render is written to the directory of renders; those in it are still taken. For who renders a state that will not be asked
    /// for again: it would take the place of one that will.
    pub fn leave_no_more_renders(&self) {
        if let Some(disk) = &self.shared.disk {
            disk.close();
        }
    }

    /// Whether a repository answers, for `repo list` and `repo add`.
    pub async fn check(&self, url: &str, project: &str) -> Result<(), RepoError> {
        let url = RepoUrl::parse(url)?;
        let access = self.book().access(&url, project);
        let store = self.store(&url).await?;
        store.refs(&access, Instant::now()).await?;
        Ok(())
    }

    /// Whether a chart repository or registry answers. A registry is asked for the versions of what the URL names; that there are none is an
    /// answer.
    pub async fn check_charts(&self, url: &str, project: &str) -> Result<(), RepoError> {
        let of = ChartRef {
            repo_url: url.to_owned(),
            project: project.to_owned(),
            ..ChartRef::default()
        };
        let charts = &self.shared.charts;
        let now = Instant::now();
        if charts.names(&of, now).await?.is_some() {
            return Ok(());
        }
        match charts.versions(&of, now).await {
            Ok(_) | Err(ChartError::NoChart { .. }) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }

    /// Author, date and message of a commit that was rendered.
    pub async fn metadata(&self, url: &str, commit: &str) -> Result<crate::git::CommitMetadata, RepoError> {
        let url = RepoUrl::parse(url)?;
        Ok(self.store(&url).await?.metadata(commit)?)
    }

    /// A commit that was opened before and is still.
    fn known_tree(&self, place: &str, commit: &str) -> Option<Arc<GitTree>> {
        let trees = self.shared.trees.lock().unwrap_or_else(PoisonError::into_inner);
        trees.get(&(place.to_owned(), commit.to_owned())).cloned()
    }

    fn tree(&self, url: &RepoUrl, store: &GitStore, commit: &str) -> Result<Arc<GitTree>, RepoError> {
        let place = url.normalized();
        if let Some(tree) = self.known_tree(&place, commit) {
            return Ok(tree);
        }
        let tree = store.tree(commit)?;
        tracing::debug!(url = %url, commit, tree = %tree.id(), "commit opened");
        Ok(self.keep_tree(&place, commit, tree))
    }

    /// Keeps a commit that was opened; who opened it at the same time gets the first one.
    fn keep_tree(&self, place: &str, commit: &str, tree: GitTree) -> Arc<GitTree> {
        let mut trees = self.shared.trees.lock().unwrap_or_else(PoisonError::into_inner);
        if trees.len() >= MAX_TREES {
            trees.clear();
        }
        let key = (place.to_owned(), commit.to_owned());
        Arc::clone(trees.entry(key).or_insert_with(|| Arc::new(tree)))
    }

    fn book(&self) -> Arc<CredentialBook> {
        Arc::clone(&self.shared.credentials.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The store of a repository; concurrent first users open it once.
    async fn store(&self, url: &RepoUrl) -> Result<Arc<GitStore>, RepoError> {
        let cell = {
            let mut stores = self.shared.stores.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(stores.entry(url.normalized()).or_default())
        };
        let open = || async {
            let store = GitStore::open(&self.shared.directory, url.clone(), Arc::clone(&self.shared.counters)).await?;
            Ok::<_, StoreError>(Arc::new(store))
        };
        Ok(Arc::clone(cell.get_or_try_init(open).await?))
    }
}
