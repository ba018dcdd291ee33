//! The bare store of one repository, and the only two things asked of its remote: what refs there are, and the objects of one of them.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use gix::ThreadSafeRepository;
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::refs::{Refs, Resolution, UnknownRevision};
use super::tree::{GitTree, OpenCommit};
use crate::credential::{Access, AccessError};
use crate::process::{Bounds, GitError, GitRun};
use crate::url::RepoUrl;

/// The peer allows 90 s for a listing of refs (`ARGOCD_GIT_REQUEST_TIMEOUT`-less default of its exec timeout); so do we.
const LISTING: Bounds = Bounds {
    deadline: Duration::from_secs(90),
    // Git keeps the answer as a whole; half a million refs take a tenth of this.
    memory_bytes: 512 << 20,
};
/// A first fetch of a large repository takes minutes; twenty minutes mean that something hangs.
const FETCHING: Bounds = Bounds {
    deadline: Duration::from_secs(20 * 60),
    memory_bytes: Bounds::PACKS,
};

/// Commits known to be whole; past that they are looked at again.
const MAX_WHOLE: usize = 10_000;

/// Why a revision could not be brought here.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Git failed.
    #[error(transparent)]
    Git(#[from] GitError),
    /// Credentials cannot be used.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The revision means nothing.
    #[error(transparent)]
    Revision(#[from] UnknownRevision),
    /// The commit is not there even after fetching.
    #[error(transparent)]
    Open(#[from] OpenCommit),
    /// The local directory cannot be used.
    #[error("the local Git store {directory:?} cannot be used: {message}")]
    Local {
        /// The directory.
        directory: PathBuf,
        /// Why.
        message: String,
    },
}

impl StoreError {
    /// Whether trying again later may help without anyone changing anything.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Git(_) | Self::Local { .. })
    }
}

/// How often the outside was asked; benchmarks and metrics read it.
#[derive(Debug, Default)]
pub struct Counters {
    /// Listings of refs.
    pub ls_remotes: AtomicU64,
    /// Fetches.
    pub fetches: AtomicU64,
}

/// One repository's bare store. Shared by every application of the repository.
pub struct GitStore {
    url: RepoUrl,
    directory: PathBuf,
    scratch: PathBuf,
    repository: Arc<ThreadSafeRepository>,
    /// Refs and when their listing began. The lock is held while listing: whoever comes meanwhile waits for that answer instead of asking again.
    refs: Mutex<Option<(Instant, Arc<Refs>)>>,
    /// Held while fetching, for the same reason.
    fetching: Mutex<()>,
    /// Commits that are here with everything they need. That a commit's own object is here says nothing: Git writes it before the trees and
    /// files of it, so it is seen while a fetch is under way, and after one that was killed.
    whole: std::sync::Mutex<HashSet<String>>,
    counters: Arc<Counters>,
}

impl GitStore {
    /// Opens or makes the store of `url` below `base`, sweeping what a killed Git left behind (I-21).
    pub async fn open(base: &Path, url: RepoUrl, counters: Arc<Counters>) -> Result<Self, StoreError> {
        let digest = Sha256::digest(url.normalized().as_bytes());
        let name: String = digest.iter().take(16).map(|b| format!("{b:02x}")).collect();
        let directory = base.join("git").join(name);
        let scratch = base.join("private");
        let local = |message: String| StoreError::Local {
            directory: directory.clone(),
            message,
        };
        for path in [&directory, &scratch] {
            tokio::fs::create_dir_all(path)
                .await
                .map_err(|e| local(e.to_string()))?;
        }
        sweep(&directory).map_err(|e| local(e.to_string()))?;
        if !directory.join("HEAD").exists() {
            let run = GitRun {
                directory: &directory,
                config: None,
                what: format!("making the local store of {url}"),
                bounds: LISTING,
            };
            run.output(&["init", "--quiet", "--bare", "--template=", "."]).await?;
        }
        // Isolated: no system or user configuration, nothing from the environment.
        let repository = gix::open::Options::isolated()
            .open(&directory)
            .map_err(|e| local(e.to_string()))?;
        Ok(Self {
            url,
            directory,
            scratch,
            repository: Arc::new(repository),
            refs: Mutex::default(),
            fetching: Mutex::default(),
            whole: std::sync::Mutex::default(),
            counters,
        })
    }

    /// The refs of the remote as of a listing that began at `not_before` or later. Concurrent callers share one listing.
    pub async fn refs(&self, access: &Access, not_before: Instant) -> Result<Arc<Refs>, StoreError> {
        let mut known = self.refs.lock().await;
        if let Some((at, refs)) = &*known
            && *at >= not_before
        {
            return Ok(Arc::clone(refs));
        }
        let began = Instant::now();
        self.counters.ls_remotes.fetch_add(1, Ordering::Relaxed);
        let what = format!("listing the refs of {}", self.url);
        let output = self
            .run(access, what, LISTING, &["ls-remote", "--", self.url.as_str()])
            .await?;
        let refs = Arc::new(Refs::parse(&String::from_utf8_lossy(&output)));
        *known = Some((began, Arc::clone(&refs)));
        Ok(refs)
    }

    /// Which commit a revision is, by refs as of `not_before` or later.
    pub async fn resolve(
        &self,
        access: &Access,
        revision: &str,
        tag_prefix: &str,
        not_before: Instant,
    ) -> Result<Resolution, StoreError> {
        // A whole commit id means itself: nobody is asked.
        if super::is_commit_id(revision) {
            return Ok(Resolution::Commit(revision.to_ascii_lowercase()));
        }
        Ok(self
            .refs(access, not_before)
            .await?
            .resolve(revision, tag_prefix, self.url.as_str())?)
    }

    /// Brings what a resolution means here and returns the full commit id. Concurrent callers share one fetch.
    pub async fn fetch(&self, access: &Access, resolution: &Resolution) -> Result<String, StoreError> {
        if let Some(commit) = self.find(resolution)?.filter(|c| self.is_known_whole(c)) {
            return Ok(commit);
        }
        let _one_at_a_time = self.fetching.lock().await;
        if let Some(commit) = self.find(resolution)?
            && self.is_whole(&commit).await
        {
            return Ok(commit);
        }
        self.counters.fetches.fetch_add(1, Ordering::Relaxed);
        match resolution {
            Resolution::Ref { name, .. } => {
                self.fetch_refspec(access, &[&format!("+{name}:refs/pintle/{name}")])
                    .await?;
            }
            Resolution::Commit(commit) => {
                // Most servers give any reachable commit by its id; the others give everything.
                if self.fetch_refspec(access, &[commit]).await.is_err() {
                    self.fetch_refspec(access, &["+refs/*:refs/pintle/refs/*"]).await?;
                }
            }
            Resolution::Abbreviated(_) => self.fetch_refspec(access, &["+refs/*:refs/pintle/refs/*"]).await?,
        }
        match (self.find(resolution)?, resolution) {
            (Some(commit), _) if self.is_whole(&commit).await => Ok(commit),
            (Some(commit), _) => Err(StoreError::Local {
                directory: self.directory.clone(),
                message: format!("commit {commit} is not whole although it was fetched"),
            }),
            // The ref moved between listing and fetching: what came is newer than what was asked for, and the listing is out of date.
            (None, Resolution::Ref { name, commit }) => {
                *self.refs.lock().await = None;
                Err(StoreError::Open(OpenCommit {
                    commit: commit.clone(),
                    message: format!("{name} was moved while it was fetched; it is resolved again"),
                }))
            }
            (None, Resolution::Commit(text) | Resolution::Abbreviated(text)) => {
                Err(StoreError::Revision(UnknownRevision::NoSuchRef {
                    revision: text.clone(),
                    url: self.url.to_string(),
                    hint: String::new(),
                }))
            }
        }
    }

    /// Opens a commit that was fetched.
    pub fn tree(&self, commit: &str) -> Result<GitTree, StoreError> {
        Ok(GitTree::open(Arc::clone(&self.repository), commit)?)
    }

    /// Author, date (seconds since 1970) and message of a commit that was fetched [F4.20].
    pub fn metadata(&self, commit: &str) -> Result<CommitMetadata, StoreError> {
        let failed = |message: String| OpenCommit {
            commit: commit.to_owned(),
            message,
        };
        let local = self.repository.to_thread_local();
        let id = gix::ObjectId::from_hex(commit.as_bytes()).map_err(|e| failed(e.to_string()))?;
        let found = local.find_commit(id).map_err(|e| failed(e.to_string()))?;
        let author = found.author().map_err(|e| failed(e.to_string()))?;
        let time = found.time().map_err(|e| failed(e.to_string()))?;
        Ok(CommitMetadata {
            author: format!("{} <{}>", author.name, author.email),
            seconds: time.seconds,
            message: String::from_utf8_lossy(found.message_raw_sloppy()).trim().to_owned(),
        })
    }

    /// The full id of what a resolution means, if its objects are here.
    fn find(&self, resolution: &Resolution) -> Result<Option<String>, StoreError> {
        let local = self.repository.to_thread_local();
        match resolution {
            Resolution::Ref { commit, .. } | Resolution::Commit(commit) => {
                let Ok(id) = gix::ObjectId::from_hex(commit.as_bytes()) else {
                    return Ok(None);
                };
                Ok(local.has_object(id).then(|| commit.clone()))
            }
            Resolution::Abbreviated(text) => match local.rev_parse_single(format!("{text}^{{commit}}").as_str()) {
                Ok(id) => Ok(Some(id.detach().to_hex().to_string())),
                // Not found, or more than one: fetching everything decides the first, and the second stays unknown.
                Err(_) => Ok(None),
            },
        }
    }

    fn is_known_whole(&self, commit: &str) -> bool {
        self.whole
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(commit)
    }

    /// Whether a commit is here with everything it needs. Asked while nothing is being fetched.
    async fn is_whole(&self, commit: &str) -> bool {
        if self.is_known_whole(commit) {
            return true;
        }
        // Git moves a ref once everything below it is here. Any other commit is walked as far as no ref vouches for it.
        let is_whole = self.is_tip(commit) || {
            let run = GitRun {
                directory: &self.directory,
                config: None,
                what: format!("looking whether all of {commit} is here"),
                bounds: FETCHING,
            };
            let walk = ["rev-list", "--objects", "--quiet", commit, "--not", "--all", "--"];
            run.output(&walk).await.is_ok()
        };
        if is_whole {
            let mut whole = self.whole.lock().unwrap_or_else(PoisonError::into_inner);
            if whole.len() >= MAX_WHOLE {
                whole.clear();
            }
            whole.insert(commit.to_owned());
        }
        is_whole
    }

    /// Whether a ref here stands at the commit.
    fn is_tip(&self, commit: &str) -> bool {
        let local = self.repository.to_thread_local();
        let Ok(references) = local.references() else {
            return false;
        };
        let Ok(mut all) = references.prefixed("refs/pintle/") else {
            return false;
        };
        all.any(|r| r.is_ok_and(|r| r.try_id().is_some_and(|id| id.to_hex() == *commit)))
    }

    async fn fetch_refspec(&self, access: &Access, refspecs: &[&str]) -> Result<(), StoreError> {
        let mut arguments = vec![
            "fetch",
            "--quiet",
            "--no-tags",
            "--force",
            "--no-write-fetch-head",
            "--",
            self.url.as_str(),
        ];
        arguments.extend(refspecs);
        self.run(access, format!("fetching {}", self.url), FETCHING, &arguments)
            .await
            .map(drop)
    }

    async fn run(
        &self,
        access: &Access,
        what: String,
        bounds: Bounds,
        arguments: &[&str],
    ) -> Result<Vec<u8>, StoreError> {
        let config = access.private_config(&self.url, &self.scratch)?;
        let path = config.as_ref().map(crate::credential::PrivateConfig::path);
        let run = GitRun {
            directory: &self.directory,
            config: path.as_deref(),
            what,
            bounds,
        };
        Ok(run.output(arguments).await?)
    }
}

/// Who made a commit, when, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitMetadata {
    /// `Name <mail>`.
    pub author: String,
    /// Seconds since 1970.
    pub seconds: i64,
    /// The whole message, trimmed.
    pub message: String,
}

/// Removes locks and half-written packs of a Git that was killed. Nothing else runs in the store yet.
fn sweep(directory: &Path) -> std::io::Result<()> {
    for sub in ["", "objects/pack", "refs/pintle", "refs/pintle/refs/heads"] {
        let Ok(entries) = std::fs::read_dir(directory.join(sub)) else {
            continue;
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.ends_with(".lock")
                || name.starts_with("tmp_pack_")
                || name.starts_with("tmp_idx_")
                || name.starts_with("tmp_rev_")
            {
                std::fs::remove_file(entry.path())?;
            }
        }
    }
    Ok(())
}
