//! Renders sources of applications, sharing everything that can be shared.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use pintle_model::application::Source;
use pintle_model::tree::{ReadSet, Tree as _, TreeError, TreePath};
use pintle_render::{DEFAULT_MAX_MANIFEST_BYTES, DirectoryOptions, RenderRequest, Rendered, SourceType};
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::Instant;

use crate::chart::{ChartSettings, Charts};
use crate::credential::CredentialBook;
use crate::git::{GitStore, GitTree, Resolution, StoreError};
use crate::url::{RepoUrl, UrlRefused};

/// Renders kept per repository and request; one per application that differs in path or options. Past that the cache starts anew.
const MAX_RENDERS: usize = 20_000;
/// Trees kept open: commits that applications stand at now. Past that the cache starts anew.
const MAX_TREES: usize = 1_000;

/// Why a source could not be rendered at all. What is wrong inside a source is a diagnostic of [`Rendered`] instead.
#[derive(Debug, thiserror::Error)]
pub enum RepoError {
    /// The URL is refused.
    #[error(transparent)]
    Url(#[from] UrlRefused),
    /// Resolving or fetching failed.
    #[error(transparent)]
    Store(Arc<StoreError>),
    /// A path in the spec is none.
    #[error("spec.source.path {path:?} is no path inside the repository: {reason}")]
    Path {
        /// The path.
        path: String,
        /// Why.
        reason: pintle_model::tree::BadPath,
    },
    /// Charts come from chart repositories.
    #[error("chart {chart:?} of {url}: chart repositories are not supported by this version; use a Git repository")]
    ChartNotYet {
        /// Repository.
        url: String,
        /// Chart.
        chart: String,
    },
    /// The stored objects cannot be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The render was given up because the process ends.
    #[error("rendering was stopped because the process ends")]
    Stopped,
}

impl From<StoreError> for RepoError {
    fn from(e: StoreError) -> Self {
        Self::Store(Arc::new(e))
    }
}

impl RepoError {
    /// Whether trying again later may help without anyone changing anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Store(e) => e.is_retryable(),
            Self::Tree(_) | Self::Stopped => true,
            Self::Url(_) | Self::Path { .. } | Self::ChartNotYet { .. } => false,
        }
    }
}

/// One source, rendered.
#[derive(Clone)]
pub struct SourceRender {
    /// The commit that was rendered.
    pub revision: String,
    /// Objects and diagnostics. The same `Arc` as before if nothing that was read has changed.
    pub rendered: Arc<Rendered>,
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
    renders: Mutex<HashMap<(String, RenderRequest), Arc<Rendered>>>,
    /// Renders at once: they are work for the processor, so as many as there are processors.
    places: Semaphore,
    counters: Arc<crate::git::Counters>,
    rendered: AtomicU64,
}

impl Repositories {
    /// Keeps stores below `directory`, which belongs to this process alone.
    pub fn new(directory: PathBuf) -> Self {
        // Private files of a Git that was killed with its process; nothing of this process runs yet (I-21, I-26).
        let _ = std::fs::remove_dir_all(directory.join("private"));
        let processors = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self {
            shared: Arc::new(Shared {
                charts: Charts::new(directory.join("charts"), ChartSettings::default()),
                directory,
                credentials: RwLock::default(),
                stores: Mutex::default(),
                trees: Mutex::default(),
                renders: Mutex::default(),
                places: Semaphore::new(processors),
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

    /// Whether a repository answers, for `repo list` and `repo add`.
    pub async fn check(&self, url: &str, project: &str) -> Result<(), RepoError> {
        let url = RepoUrl::parse(url)?;
        let access = self.book().access(&url, project);
        let store = self.store(&url).await?;
        store.refs(&access, Instant::now()).await?;
        Ok(())
    }

    /// Which commit `revision` is, by refs as of `not_before` or later.
    pub async fn resolve(
        &self,
        source: &Source,
        revision: &str,
        project: &str,
        not_before: Instant,
    ) -> Result<String, RepoError> {
        let url = RepoUrl::parse(&source.repo_url)?;
        let access = self.book().access(&url, project);
        let store = self.store(&url).await?;
        let resolution = store.resolve(&access, revision, &source.tag_prefix, not_before).await?;
        Ok(match resolution {
            Resolution::Ref { commit, .. } | Resolution::Commit(commit) => commit,
            abbreviated @ Resolution::Abbreviated(_) => store.fetch(&access, &abbreviated).await?,
        })
    }

    /// Resolves, fetches and renders one source. `revision` overrides the source's own; refs are as of `not_before` or later.
    pub async fn render(
        &self,
        source: &Source,
        revision: Option<&str>,
        project: &str,
        not_before: Instant,
    ) -> Result<SourceRender, RepoError> {
        let url = RepoUrl::parse(&source.repo_url)?;
        if source.is_chart() {
            return Err(RepoError::ChartNotYet {
                url: url.to_string(),
                chart: source.chart.clone(),
            });
        }
        let request = request(source)?;
        // A source that only lends its files to others renders nothing itself [F4.13].
        let lends_only = source.is_ref_only();
        let access = self.book().access(&url, project);
        let store = self.store(&url).await?;
        let revision = revision.unwrap_or_else(|| source.revision_or_head());
        let resolution = store.resolve(&access, revision, &source.tag_prefix, not_before).await?;
        let commit = store.fetch(&access, &resolution).await?;
        if lends_only {
            let nothing = Rendered {
                source_type: SourceType::Directory,
                objects: Vec::new(),
                diagnostics: Vec::new(),
                reads: ReadSet::default(),
            };
            return Ok(SourceRender {
                revision: commit,
                rendered: Arc::new(nothing),
            });
        }
        let rendered = self.render_commit(&url, &store, &commit, request).await?;
        Ok(SourceRender {
            revision: commit,
            rendered,
        })
    }

    /// Author, date and message of a commit that was rendered.
    pub async fn metadata(&self, url: &str, commit: &str) -> Result<crate::git::CommitMetadata, RepoError> {
        let url = RepoUrl::parse(url)?;
        Ok(self.store(&url).await?.metadata(commit)?)
    }

    async fn render_commit(
        &self,
        url: &RepoUrl,
        store: &Arc<GitStore>,
        commit: &str,
        request: RenderRequest,
    ) -> Result<Arc<Rendered>, RepoError> {
        let tree = self.tree(url, store, commit)?;
        let key = (url.normalized(), request);
        let _place = self.shared.places.acquire().await.map_err(|_| RepoError::Stopped)?;
        let known = self
            .shared
            .renders
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
            .cloned();
        let shared = Arc::clone(&self.shared);
        let work = move || {
            if let Some(known) = known
                && known.reads.first_difference(&*tree)?.is_none()
            {
                return Ok(known);
            }
            shared.rendered.fetch_add(1, Ordering::Relaxed);
            let rendered = Arc::new(pintle_render::render(&*tree, &key.1));
            let mut renders = shared.renders.lock().unwrap_or_else(PoisonError::into_inner);
            if renders.len() >= MAX_RENDERS {
                renders.clear();
            }
            renders.insert(key, Arc::clone(&rendered));
            Ok(rendered)
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| RepoError::Stopped)?
    }

    fn tree(&self, url: &RepoUrl, store: &GitStore, commit: &str) -> Result<Arc<GitTree>, RepoError> {
        let key = (url.normalized(), commit.to_owned());
        let mut trees = self.shared.trees.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tree) = trees.get(&key) {
            return Ok(Arc::clone(tree));
        }
        let tree = Arc::new(store.tree(commit)?);
        tracing::debug!(url = %url, commit, tree = %tree.id(), "commit opened");
        if trees.len() >= MAX_TREES {
            trees.clear();
        }
        trees.insert(key, Arc::clone(&tree));
        Ok(tree)
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

/// What a source asks the renderer for.
fn request(source: &Source) -> Result<RenderRequest, RepoError> {
    let path = TreePath::new(&source.path).map_err(|reason| RepoError::Path {
        path: source.path.clone(),
        reason,
    })?;
    let directory = source.directory.as_ref();
    let explicit = if source.plugin.is_some() {
        Some(SourceType::Plugin)
    } else if source.helm.is_some() {
        Some(SourceType::Helm)
    } else if source.kustomize.is_some() {
        Some(SourceType::Kustomize)
    } else {
        directory.map(|_| SourceType::Directory)
    };
    Ok(RenderRequest {
        path,
        explicit,
        directory: directory.map_or_else(DirectoryOptions::default, |d| DirectoryOptions {
            recurse: d.recurse,
            include: d.include.clone(),
            exclude: d.exclude.clone(),
            disable_extension_filter: d.disable_extension_filter,
        }),
        max_manifest_bytes: DEFAULT_MAX_MANIFEST_BYTES,
    })
}
