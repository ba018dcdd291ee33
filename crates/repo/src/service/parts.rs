//! What sources and needs are in the end: trees and files, with the revision each stands for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use pintle_model::tree::{FixedTree, MountedTree, Tree, TreePath};
use pintle_render::archive::{ArchiveLimits, unpack_layer};
use pintle_render::kustomize::{Fetch, GitBase};
use pintle_render::{Answer, Need};

use super::near::Found;
use super::{Ask, RepoError, Repositories};
use crate::chart::{ChartArchive, ChartRef};
use crate::url::{RepoUrl, Scheme};

/// Unpacked archives kept; a chart with its dependencies has a MB or two at most. Past that they are unpacked again.
const MAX_ARCHIVES: usize = 128;

/// A tree, what it is a version of, and which.
pub(super) struct Part {
    pub tree: Arc<dyn Tree>,
    /// Tells renders of different places apart.
    pub place: String,
    /// Commit, version or digest, as it is shown.
    pub revision: String,
    /// What the files are a function of: the commit, or the archive's digest, for a version may be published anew.
    pub content: String,
    /// The application's directory in it.
    pub path: TreePath,
}

/// Archives unpacked, by digest.
#[derive(Default)]
pub(super) struct Archives {
    trees: Mutex<HashMap<String, Arc<FixedTree>>>,
}

impl Archives {
    async fn tree(
        &self,
        what: &str,
        archive: ChartArchive,
        limits: ArchiveLimits,
    ) -> Result<Arc<FixedTree>, RepoError> {
        let lock = || self.trees.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&archive.digest) {
            return Ok(Arc::clone(known));
        }
        let digest = archive.digest.clone();
        let work = move || unpack_layer(&archive.bytes, &limits).map(|unpacked| Arc::new(unpacked.tree()));
        let unpacked = tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| RepoError::Stopped)?;
        let tree = unpacked.map_err(|reason| RepoError::Archive {
            what: what.to_owned(),
            reason,
        })?;
        let mut trees = lock();
        if trees.len() >= MAX_ARCHIVES {
            trees.clear();
        }
        trees.insert(digest, Arc::clone(&tree));
        Ok(tree)
    }
}

impl Repositories {
    /// The files of a source at its revision.
    pub(super) async fn part(&self, ask: &Ask, index: usize) -> Result<Part, RepoError> {
        let Some(source) = ask.sources.get(index) else {
            return Err(RepoError::Stopped);
        };
        let path = TreePath::new(&source.path).map_err(|reason| RepoError::Path {
            path: source.path.clone(),
            reason,
        })?;
        let is_artifact = crate::chart::access::strip_oci(&source.repo_url).is_some();
        if source.is_chart() || is_artifact {
            let of = ChartRef {
                repo_url: source.repo_url.clone(),
                chart: source.chart.clone(),
                project: ask.project.clone(),
                pass_credentials: source.helm.as_ref().is_some_and(|h| h.pass_credentials),
            };
            let (revision, archive) = self.archive(ask, &of, ask.revision(index)).await?;
            let what = format!("{} {} {revision}", of.repo_url, of.chart);
            let limits = ask.settings.chart_limits.archive;
            let content = archive.digest.clone();
            let tree: Arc<dyn Tree> = self.shared.archives.tree(&what, archive, limits).await?;
            return Ok(Part {
                path: if source.is_chart() { base(&tree)? } else { path },
                tree,
                place: format!("{} {}", source.repo_url, source.chart),
                revision,
                content,
            });
        }
        let revision = match ask.revision(index) {
            "" => "HEAD",
            revision => revision,
        };
        let Found {
            tree,
            place,
            revision,
            content,
        } = self
            .git_tree(ask, &source.repo_url, revision, &source.tag_prefix)
            .await?;
        Ok(Part {
            tree,
            place,
            revision,
            content,
            path,
        })
    }

    async fn git_tree(&self, ask: &Ask, url: &str, revision: &str, tag_prefix: &str) -> Result<Found, RepoError> {
        if let Some(near) = ask.near.repository(url) {
            return self.near(near, revision, tag_prefix).await;
        }
        let url = RepoUrl::parse(url)?;
        // A repository that a path names is here already.
        if url.scheme() != Scheme::File {
            ask.near.may_fetch(&format!("repository {url}"))?;
        }
        let access = self.book().access(&url, &ask.project);
        let store = self.store(&url).await?;
        let resolution = store.resolve(&access, revision, tag_prefix, ask.not_before).await?;
        let commit = store.fetch(&access, &resolution).await?;
        let tree = self.tree(&url, &store, &commit)?;
        Ok(Found {
            tree,
            place: url.normalized(),
            content: commit.clone(),
            revision: commit,
        })
    }

    async fn archive(&self, ask: &Ask, of: &ChartRef, revision: &str) -> Result<(String, ChartArchive), RepoError> {
        ask.near
            .may_fetch(format!("chart {} of {}", of.chart, of.repo_url).trim())?;
        let charts = &self.shared.charts;
        let resolved = charts.resolve(of, revision, ask.not_before).await?;
        let archive = charts.fetch(of, &resolved).await?;
        Ok((resolved.version, archive))
    }

    /// Fetches something a render asked for, and mounts it. What is not allowed or can never be had is an answer.
    ///
    /// # Errors
    ///
    /// What may be had later: a server that does not answer, or answers that it is busy.
    pub async fn answer(&self, ask: &Ask, need: &Need, tree: &mut MountedTree) -> Result<Answer, RepoError> {
        let name = need.name();
        let fetched = match need {
            Need::File { url } => self.file(ask, url).await.map(|bytes| tree.mount_file(&name, bytes)),
            Need::Chart {
                repository,
                name: chart,
                version,
            } => self
                .dependency(ask, repository, chart, version)
                .await
                .map(|archive| tree.mount_file(&name, archive.bytes)),
            Need::Remote(fetch) => {
                if let Some(refused) = not_permitted(ask, fetch) {
                    return Ok(Answer::Refused(refused));
                }
                self.remote(ask, fetch, &name, tree).await
            }
        };
        match fetched {
            Ok(()) => Ok(Answer::Mounted),
            Err(e) if e.is_retryable() => Err(RepoError::Need {
                what: name,
                reason: Box::new(e),
            }),
            Err(e) => Ok(Answer::Refused(e.to_string())),
        }
    }

    /// The archive of a chart that another depends on.
    async fn dependency(
        &self,
        ask: &Ask,
        repository: &str,
        chart: &str,
        version: &str,
    ) -> Result<ChartArchive, RepoError> {
        let of = ChartRef {
            repo_url: self.named_repository(repository)?,
            chart: chart.to_owned(),
            project: ask.project.clone(),
            pass_credentials: false,
        };
        let (_, archive) = self.archive(ask, &of, version).await?;
        Ok(archive)
    }

    /// A remote file, or else a base in another repository.
    async fn remote(&self, ask: &Ask, fetch: &Fetch, name: &str, tree: &mut MountedTree) -> Result<(), RepoError> {
        let Some(GitBase {
            repository, revision, ..
        }) = fetch.git.as_ref()
        else {
            return self
                .file(ask, &fetch.url)
                .await
                .map(|bytes| tree.mount_file(name, bytes));
        };
        // As Kustomize: what a server gives as a file is one, all else is cloned. Text that only a repository can mean is not asked for first.
        let is_repository = ["?ref=", "?version=", ".git", "_git/"]
            .iter()
            .any(|m| fetch.url.contains(m));
        if fetch.http
            && !is_repository
            && let Ok(bytes) = self.file(ask, &fetch.url).await
        {
            tree.mount_file(name, bytes);
            return Ok(());
        }
        let revision = if revision.is_empty() { "HEAD" } else { revision };
        let base = self.git_tree(ask, repository, revision, "").await?;
        tree.mount(name, base.tree);
        Ok(())
    }

    async fn file(&self, ask: &Ask, url: &str) -> Result<Arc<[u8]>, RepoError> {
        ask.near.may_fetch(url)?;
        let limit = ask.settings.chart_limits.archive.file_bytes;
        Ok(self.shared.charts.file(url, limit, ask.not_before).await?)
    }

    /// The URL of a repository that `@name` or `alias:name` stands for.
    fn named_repository(&self, text: &str) -> Result<String, RepoError> {
        let Some(name) = text.strip_prefix('@').or_else(|| text.strip_prefix("alias:")) else {
            return Ok(text.to_owned());
        };
        let known = self.book().chart_repository_named(name);
        known.ok_or_else(|| RepoError::NoRepository { name: name.to_owned() })
    }
}

/// The one directory that a chart's archive holds.
fn base(tree: &Arc<dyn Tree>) -> Result<TreePath, RepoError> {
    let entries = tree.list(&TreePath::root())?.unwrap_or_default();
    let mut directories = entries
        .iter()
        .filter(|(_, e)| e.kind == pintle_model::tree::EntryKind::Dir);
    // Several, or none: the renderer says that the chart is missing.
    Ok(match (directories.next(), directories.next()) {
        (Some((name, _)), None) => TreePath::root().child(name),
        _ => TreePath::root(),
    })
}

/// Why a project may not read a remote base or file.
fn not_permitted(ask: &Ask, fetch: &Fetch) -> Option<String> {
    let url = fetch.git.as_ref().map_or(&fetch.url, |g| &g.repository);
    (!(ask.permits)(url)).then(|| {
        format!(
            "project {:?} does not permit {url}; add it to the project's sourceRepos",
            ask.project
        )
    })
}
