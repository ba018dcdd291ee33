//! A repository on this machine, as whoever works in it has it: a checkout or a bare repository. It is read and never written.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gix::ThreadSafeRepository;

use super::refs::{Refs, Resolution, UnknownRevision};
use super::tree::{GitTree, OpenCommit};

/// Why a repository on this machine cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// There is none.
    #[error("{directory:?} is in no Git repository: {message}")]
    NoRepository {
        /// Where was looked.
        directory: PathBuf,
        /// What the library said.
        message: String,
    },
    /// A revision as a person types it means nothing.
    #[error("{revision:?} is no commit of {directory:?}: {message}")]
    Revision {
        /// The revision.
        revision: String,
        /// The repository.
        directory: PathBuf,
        /// What the library said.
        message: String,
    },
    /// The `targetRevision` of a source means nothing.
    #[error(transparent)]
    Target(#[from] UnknownRevision),
    /// A commit is not there, as in a clone that is not whole.
    #[error(transparent)]
    Open(#[from] OpenCommit),
    /// Something else cannot be read.
    #[error("{directory:?} cannot be read: {message}")]
    Read {
        /// The repository.
        directory: PathBuf,
        /// Why.
        message: String,
    },
    /// The files of the work tree cannot be gathered.
    #[error(transparent)]
    Git(#[from] crate::process::GitError),
}

/// A repository on this machine.
pub struct LocalRepository {
    directory: PathBuf,
    /// Refs, configuration, index.
    repository: Arc<ThreadSafeRepository>,
    /// Objects: its own, or a store that has more than these.
    objects: Arc<ThreadSafeRepository>,
}

impl LocalRepository {
    /// Opens the repository that `path` is in or is: a checkout, a linked work tree or a bare repository. No configuration but its own is read.
    pub fn open(path: &Path) -> Result<Self, LocalError> {
        let none = |message: String| LocalError::NoRepository {
            directory: path.to_owned(),
            message,
        };
        let real = path.canonicalize().map_err(|e| none(e.to_string()))?;
        let start = if real.is_dir() {
            &real
        } else {
            real.parent().unwrap_or(&real)
        };
        let isolated = gix::open::Options::isolated;
        let trust = gix::sec::trust::Mapping {
            full: isolated(),
            reduced: isolated(),
        };
        let repository =
            ThreadSafeRepository::discover_opts(start, Default::default(), trust).map_err(|e| none(e.to_string()))?;
        let directory = repository.work_dir().unwrap_or_else(|| repository.path()).to_owned();
        let directory = directory.canonicalize().map_err(|e| none(e.to_string()))?;
        let repository = Arc::new(repository);
        Ok(Self {
            directory,
            objects: Arc::clone(&repository),
            repository,
        })
    }

    /// Root of the checkout, or the bare repository.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Root of the checkout; `None` for a bare repository.
    pub fn work_dir(&self) -> Option<&Path> {
        self.repository.work_dir().map(|_| self.directory.as_path())
    }

    /// Name and URL of every remote.
    pub fn remotes(&self) -> Vec<(String, String)> {
        let local = self.repository.to_thread_local();
        let config = local.config_snapshot();
        let mut found = Vec::new();
        for section in config.plumbing().sections_by_name("remote").into_iter().flatten() {
            if let (Some(name), Some(url)) = (section.header().subsection_name(), section.value("url")) {
                found.push((name.to_string(), url.to_string()));
            }
        }
        found
    }

    /// The commit that a revision means to whoever works here: `HEAD~1`, `origin/main`, a tag, the beginning of an id.
    pub fn commit(&self, revision: &str) -> Result<String, LocalError> {
        let local = self.repository.to_thread_local();
        let found = local.rev_parse_single(format!("{revision}^{{commit}}").as_str());
        // The library tells of its own steps, which say nothing to whoever typed this.
        let unknown = |_| {
            let why = match revision {
                "" => "it is empty",
                _ => "nothing has that name here, or the history of this clone ends before it",
            };
            self.no_revision(revision, &why)
        };
        let id = found.map_err(unknown)?;
        Ok(id.detach().to_hex().to_string())
    }

    /// The commit where two histories parted.
    pub fn merge_base(&self, one: &str, two: &str) -> Result<String, LocalError> {
        let local = self.repository.to_thread_local();
        let id = |text: &str| gix::ObjectId::from_hex(text.as_bytes()).map_err(|e| self.no_revision(text, &e));
        let base = local.merge_base(id(one)?, id(two)?);
        let unknown = |why: String| self.failed(format!("where {one} and {two} parted is not known: {why}"));
        let base = base.map_err(|e| unknown(e.to_string()))?;
        let base = base.ok_or_else(|| unknown("they have no commit in common".into()))?;
        Ok(base.detach().to_hex().to_string())
    }

    /// Names of the branches that a revision names or stands at: `main` for `main`, `origin/main`, and for `HEAD` where that is checked out.
    pub fn branches(&self, revision: &str) -> BTreeSet<String> {
        let local = self.repository.to_thread_local();
        let name = match revision {
            "HEAD" | "@" => local.head_name().ok().flatten().map(|name| name.as_bstr().to_string()),
            _ => {
                let found = local.try_find_reference(revision).ok().flatten();
                found.map(|found| found.name().as_bstr().to_string())
            }
        };
        name.and_then(|name| branch(&self.remotes(), &name))
            .into_iter()
            .collect()
    }

    /// Names of the branches that stand at a commit.
    pub fn branches_at(&self, commit: &str) -> BTreeSet<String> {
        let (remotes, refs) = (self.remotes(), self.all_refs().unwrap_or_default());
        let there = refs.iter().filter(|(_, id)| id == commit);
        there.filter_map(|(name, _)| branch(&remotes, name)).collect()
    }

    /// Names of the default branches of the remotes, as far as this clone knows them.
    pub fn known_default_branches(&self) -> BTreeSet<String> {
        let local = self.repository.to_thread_local();
        let remotes = self.remotes();
        let mut names = BTreeSet::new();
        for (remote, _) in &remotes {
            let name = format!("refs/remotes/{remote}/HEAD");
            if let Ok(Some(found)) = local.try_find_reference(name.as_str())
                && let gix::refs::TargetRef::Symbolic(target) = found.target()
            {
                names.extend(branch(&remotes, &target.as_bstr().to_string()));
            }
        }
        names
    }

    /// The same; where this clone knows none, as in CI, the one of `main` and `master` that there is.
    pub fn default_branches(&self) -> BTreeSet<String> {
        let mut names = self.known_default_branches();
        if names.is_empty() {
            let remotes = self.remotes();
            let all = self.all_refs().unwrap_or_default();
            names.extend(all.iter().filter_map(|(name, _)| branch(&remotes, name)));
            names.retain(|name| matches!(name.as_str(), "main" | "master"));
            if names.len() > 1 {
                names.clear();
            }
        }
        names
    }

    /// The commit that the `targetRevision` of a source means, as its remote would answer: branches of remotes go before those that were made
    /// here.
    pub fn resolve(&self, revision: &str, tag_prefix: &str) -> Result<String, LocalError> {
        let mut refs: Vec<(String, String)> = Vec::new();
        let mut of_remotes = Vec::new();
        let remotes = self.remotes();
        for (name, id) in self.all_refs()? {
            match remote_branch(&remotes, &name) {
                Some("HEAD") => {}
                Some(branch) => of_remotes.push((format!("refs/heads/{branch}"), id)),
                None => refs.push((name, id)),
            }
        }
        refs.extend(of_remotes);
        if let Ok(head) = self.commit("HEAD") {
            refs.push(("HEAD".into(), head));
        }
        let refs = Refs::of(refs);
        match refs.resolve(revision, tag_prefix, &self.directory.display().to_string())? {
            Resolution::Ref { commit, .. } | Resolution::Commit(commit) => Ok(commit),
            Resolution::Abbreviated(text) => self.commit(&text),
        }
    }

    /// Opens a commit.
    pub fn tree(&self, commit: &str) -> Result<GitTree, LocalError> {
        Ok(GitTree::open(Arc::clone(&self.objects), commit)?)
    }

    /// Where objects, index and exclusions are.
    pub(super) fn repository(&self) -> &ThreadSafeRepository {
        &self.repository
    }

    /// Every ref with the commit it stands at; what is no commit in the end is left out.
    fn all_refs(&self) -> Result<Vec<(String, String)>, LocalError> {
        let local = self.repository.to_thread_local();
        let references = local.references().map_err(|e| self.failed(e.to_string()))?;
        let all = references.all().map_err(|e| self.failed(e.to_string()))?;
        let mut found = Vec::new();
        for reference in all {
            let mut reference = reference.map_err(|e| self.failed(e.to_string()))?;
            let name = reference.name().as_bstr().to_string();
            if let Ok(id) = reference.peel_to_id() {
                found.push((name, id.detach().to_hex().to_string()));
            }
        }
        Ok(found)
    }

    fn no_revision(&self, revision: &str, error: &dyn std::fmt::Display) -> LocalError {
        LocalError::Revision {
            revision: revision.to_owned(),
            directory: self.directory.clone(),
            message: error.to_string(),
        }
    }

    pub(super) fn failed(&self, message: String) -> LocalError {
        LocalError::Read {
            directory: self.directory.clone(),
            message,
        }
    }

    /// The same repository with more objects than it has itself.
    pub(super) fn over(&self, objects: ThreadSafeRepository) -> Self {
        Self {
            directory: self.directory.clone(),
            repository: Arc::clone(&self.repository),
            objects: Arc::new(objects),
        }
    }
}

/// The branch that a full name of a ref is of, here or at one of the remotes.
fn branch(remotes: &[(String, String)], name: &str) -> Option<String> {
    let short = name
        .strip_prefix("refs/heads/")
        .or_else(|| remote_branch(remotes, name));
    short.filter(|s| *s != "HEAD").map(str::to_owned)
}

fn remote_branch<'n>(remotes: &[(String, String)], name: &'n str) -> Option<&'n str> {
    let rest = name.strip_prefix("refs/remotes/")?;
    // A remote's name may hold a `/` itself.
    let of_remote = |(remote, _): &(String, String)| rest.strip_prefix(remote.as_str())?.strip_prefix('/');
    remotes.iter().find_map(of_remote)
}
