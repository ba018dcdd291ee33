//! Repositories that answer from this machine instead of from where their URLs lead.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use pintle_model::tree::Tree;

use super::{RepoError, Repositories};
use crate::git::LocalRepository;

/// What of an [`super::Ask`] is answered on this machine, and whether the rest may be asked for elsewhere.
#[derive(Clone, Default)]
pub struct Near {
    /// Repositories on this machine.
    pub repositories: Vec<NearRepository>,
    /// Nothing is fetched: what is not here is an error.
    pub offline: bool,
}

/// One repository on this machine and the URLs it stands for.
#[derive(Clone)]
pub struct NearRepository {
    /// The repository.
    pub repository: Arc<LocalRepository>,
    /// Its [`crate::url::place`]s.
    pub places: BTreeSet<String>,
    /// The commit that stands for some revisions; the others are resolved in the repository.
    pub stand: Option<Stand>,
}

/// A commit that revisions mean, whatever the refs of the repository say.
#[derive(Clone)]
pub struct Stand {
    /// The commit whose files are read.
    pub commit: String,
    /// The commit that is shown and told to charts.
    pub revision: String,
    /// Names of branches that mean it.
    pub branches: BTreeSet<String>,
    /// The branch that `HEAD` means, where that is known to be another; else `HEAD` means this commit.
    pub head: Option<String>,
}

impl Stand {
    /// Whether a `targetRevision` means this commit.
    pub fn is_meant(&self, revision: &str) -> bool {
        let name = revision.strip_prefix("refs/heads/").unwrap_or(revision);
        is_head(revision) && self.head.is_none() || self.branches.contains(name)
    }
}

fn is_head(revision: &str) -> bool {
    matches!(revision, "" | "HEAD")
}

impl Near {
    /// The repository that stands for a URL.
    pub fn repository(&self, url: &str) -> Option<&NearRepository> {
        let place = crate::url::place(url);
        self.repositories.iter().find(|r| r.places.contains(&place))
    }

    /// What is not here may not be fetched, or may.
    pub(super) fn may_fetch(&self, what: &str) -> Result<(), RepoError> {
        if self.offline {
            return Err(RepoError::Offline { what: what.to_owned() });
        }
        Ok(())
    }
}

/// A commit that was found here.
pub(super) struct Found {
    pub tree: Arc<dyn Tree>,
    pub place: String,
    pub revision: String,
    pub content: String,
}

impl Repositories {
    /// What a revision means in a repository on this machine.
    pub(super) async fn near(
        &self,
        near: &NearRepository,
        revision: &str,
        tag_prefix: &str,
    ) -> Result<Found, RepoError> {
        let place = place_of(near.repository.directory());
        let (revision, content) = match near.stand.as_ref().filter(|stand| stand.is_meant(revision)) {
            Some(stand) => (stand.revision.clone(), stand.commit.clone()),
            None => {
                let head = near.stand.as_ref().and_then(|stand| stand.head.as_deref());
                let revision = head.filter(|_| is_head(revision)).unwrap_or(revision);
                let commit = near.repository.resolve(revision, tag_prefix).map_err(Arc::new)?;
                (commit.clone(), commit)
            }
        };
        let tree = match self.known_tree(&place, &content) {
            Some(tree) => tree,
            None => self.keep_tree(&place, &content, near.repository.tree(&content).map_err(Arc::new)?),
        };
        Ok(Found {
            tree,
            place,
            revision,
            content,
        })
    }
}

/// Tells it apart from every URL.
fn place_of(directory: &Path) -> String {
    format!("here {}", directory.display())
}
