//! Repositories on this machine, and which URLs and revisions they stand for.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pintle_repo::git::LocalRepository;
use pintle_repo::url::place;
use pintle_repo::{Near, NearRepository, Stand};

use crate::args::PreviewArgs;
use crate::exit::{CliError, PREVIEW_USAGE};

/// A repository on this machine with the URLs that mean it.
#[derive(Clone)]
pub(crate) struct Here {
    pub repository: Arc<LocalRepository>,
    pub places: BTreeSet<String>,
}

impl Here {
    /// The repository that a path is in; its remotes' URLs mean it.
    pub fn around(path: &Path) -> Result<Self, CliError> {
        let repository = LocalRepository::open(path).map_err(|e| CliError::error(e.to_string()))?;
        let own = format!("file://{}", repository.directory().display());
        let urls = repository.remotes().into_iter().map(|(_, url)| url);
        let places = urls.chain([own]).map(|url| place(&url)).collect();
        Ok(Self {
            repository: Arc::new(repository),
            places,
        })
    }

    /// A URL for a source that is to read this repository.
    pub fn url(&self) -> String {
        format!("file://{}", self.repository.directory().display())
    }

    /// The same with a commit standing for revisions.
    pub fn near(&self, stand: Option<Stand>) -> NearRepository {
        NearRepository {
            repository: Arc::clone(&self.repository),
            places: self.places.clone(),
            stand,
        }
    }

    /// Where a path of this machine is in the repository; it need not be there now.
    pub fn inside(&self, path: &Path) -> Result<String, CliError> {
        let root = self.repository.directory();
        let full = real(path).map_err(|e| CliError::error(format!("{}: {e}", path.display())))?;
        let inside = full.strip_prefix(root).map_err(|_| {
            CliError::error(format!(
                "{} is not in the repository {}",
                path.display(),
                root.display()
            ))
        })?;
        let text = inside.to_str();
        let text = text.ok_or_else(|| CliError::error(format!("{}: the path is not UTF-8", path.display())))?;
        Ok(text.to_owned())
    }
}

/// A path with every link on the way to what exists of it followed.
fn real(path: &Path) -> std::io::Result<PathBuf> {
    let mut rest = Vec::new();
    let absolute = std::path::absolute(path)?;
    let mut there = absolute.as_path();
    loop {
        match there.canonicalize() {
            Ok(found) => return Ok(rest.iter().rev().fold(found, |path, name| path.join(name))),
            Err(e) => {
                let (Some(parent), Some(name)) = (there.parent(), there.file_name()) else {
                    return Err(e);
                };
                rest.push(name.to_owned());
                there = parent;
            }
        }
    }
}

/// What `--repo` maps. A directory that is one of `own` adds a URL to it instead: there is one state of it to look at.
pub(crate) fn mapped(args: &PreviewArgs, own: &mut [Here]) -> Result<Vec<Here>, CliError> {
    let mut mapped: Vec<Here> = Vec::new();
    for text in &args.repositories {
        let usage = |why: &str| CliError {
            exit: PREVIEW_USAGE,
            ..CliError::usage(format!("--repo {text:?}: {why}"))
        };
        // A URL may hold a `=`; a directory is more likely not to.
        let (url, directory) = text.rsplit_once('=').ok_or_else(|| usage("expected URL=DIR"))?;
        if url.is_empty() || directory.is_empty() {
            return Err(usage("expected URL=DIR"));
        }
        let repository = LocalRepository::open(Path::new(directory))
            .map_err(|e| CliError::error(format!("--repo {text:?}: {e}")))?;
        let same = |here: &&mut Here| here.repository.directory() == repository.directory();
        match own.iter_mut().chain(&mut mapped).find(same) {
            Some(here) => {
                here.places.insert(place(url));
            }
            None => mapped.push(Here {
                repository: Arc::new(repository),
                places: [place(url)].into(),
            }),
        }
    }
    Ok(mapped)
}

/// A mapped repository as it is checked out: its commit stands for HEAD and for the branch it is on.
pub(crate) fn as_checked_out(here: &Here) -> Result<NearRepository, CliError> {
    let repository = &here.repository;
    let commit = repository.commit("HEAD").map_err(|e| CliError::error(e.to_string()))?;
    Ok(here.near(Some(Stand {
        revision: commit.clone(),
        commit,
        branches: repository.branches("HEAD"),
        head: None,
    })))
}

/// What is here for a render: later repositories answer only for URLs that earlier ones do not.
pub(crate) fn near(repositories: Vec<NearRepository>, args: &PreviewArgs) -> Arc<Near> {
    Arc::new(Near {
        repositories,
        offline: args.offline,
    })
}
