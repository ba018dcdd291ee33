//! What a build reads from elsewhere: bases, files and charts, fetched as those of Applications are, without credentials.

use std::collections::BTreeMap;
use std::sync::Arc;

use pintle_model::tree::{FixedTree, MountedTree, Reader, TreePath};
use pintle_render::kustomize::{Fetch, Remote};
use pintle_render::{Answer, Need};
use pintle_repo::{Ask, Repositories};
use tempfile::TempDir;

use super::failed;
use crate::exit::CliError;
use crate::local_repositories::with_causes;

/// What was asked for, and what came of it.
pub(super) type Answers = BTreeMap<Need, Answer>;

/// Fetches; opened by the first thing that is to be fetched. Its directory goes with this process.
#[derive(Default)]
pub(super) struct Remotes {
    opened: Option<(TempDir, Repositories, Ask)>,
}

impl Remotes {
    fn open(&mut self) -> Result<&(TempDir, Repositories, Ask), CliError> {
        let opened = match self.opened.take() {
            Some(opened) => opened,
            None => {
                let directory = TempDir::with_prefix("pintle-remotes-")
                    .map_err(|e| CliError::error(format!("no directory for what is fetched: {e}")))?;
                let repositories = Repositories::new(directory.path().join("repositories"));
                (directory, repositories, Ask::plain(Vec::new()))
            }
        };
        Ok(self.opened.insert(opened))
    }

    /// Fetches what a build asks for.
    pub(super) async fn fetch(&mut self, need: &Need, tree: &mut MountedTree) -> Result<Answer, CliError> {
        let (_, repositories, ask) = self.open()?;
        repositories
            .answer(ask, need, tree)
            .await
            .map_err(|e| failed(with_causes(&e)))
    }

    /// Fetches the kustomization that is built itself: its tree, its directory there, and what was asked for.
    pub(super) async fn root(&mut self, fetch: Fetch) -> Result<(MountedTree, TreePath, Answers), CliError> {
        let url = fetch.url.clone();
        let need = Need::from(fetch);
        let mut tree = MountedTree::new(Arc::new(FixedTree::new([])));
        let answers = Answers::from([(need.clone(), self.fetch(&need, &mut tree).await?)]);
        let mut remotes = pintle_render::remotes(&Reader::new(&tree), &answers).map_err(failed)?;
        match remotes.remove(&url) {
            Some(Remote::Base { path, .. }) => Ok((tree, path, answers)),
            Some(Remote::Refused(why)) => Err(failed(format!("{url}: {why}"))),
            Some(Remote::File(_)) | None => Err(failed(format!("{url} is a file, and no directory of a repository"))),
        }
    }
}
