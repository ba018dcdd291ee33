//! What an Application asks of the repositories, and what it is given.

use std::collections::BTreeMap;
use std::sync::Arc;

use pintle_model::Sensitive;
use pintle_model::application::Source;
use pintle_render::helm::{Capabilities, Now};
use pintle_render::{AppIdentity, RenderSettings, Rendered};
use tokio::time::Instant;

use super::Near;

/// Which URLs a project may read from.
pub type Permits = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// All sources of an Application, to be resolved, fetched and rendered.
#[derive(Clone)]
pub struct Ask {
    /// The sources, in order; some may refer to others.
    pub sources: Vec<Source>,
    /// A revision per source that counts instead of the source's own.
    pub revisions: Vec<Option<String>>,
    /// The Application.
    pub app: AppIdentity,
    /// On whose behalf; chooses credentials.
    pub project: String,
    /// What the project may read besides the sources themselves: remote bases and files.
    pub permits: Permits,
    /// What the destination cluster serves.
    pub capabilities: Arc<Capabilities>,
    /// Settings of the installation.
    pub settings: Arc<RenderSettings>,
    /// Secret of the installation for what charts draw at random.
    pub secret: Option<Arc<Sensitive<Vec<u8>>>>,
    /// The time that charts see; `None` for that of their render.
    pub now: Option<Now>,
    /// Refs and lists of versions are as of then or later.
    pub not_before: Instant,
    /// Repositories that are on this machine.
    pub near: Arc<Near>,
}

impl Ask {
    /// Asks for sources alone, on behalf of nobody in particular: no name, no cluster, everything permitted.
    pub fn plain(sources: Vec<Source>) -> Self {
        Self {
            revisions: vec![None; sources.len()],
            sources,
            app: AppIdentity::default(),
            project: "default".into(),
            permits: Arc::new(|_| true),
            capabilities: Arc::default(),
            settings: Arc::default(),
            secret: None,
            now: None,
            not_before: Instant::now(),
            near: Arc::default(),
        }
    }

    /// The revision to resolve of a source; empty where neither the ask nor the source names one.
    pub(super) fn revision(&self, index: usize) -> &str {
        let own = self.sources.get(index).map_or("", |s| s.target_revision.as_str());
        self.revisions.get(index).and_then(Option::as_deref).unwrap_or(own)
    }

    /// The build environment of a source [F4.12].
    pub(super) fn environment(&self, source: &Source, revision: &str) -> BTreeMap<&'static str, String> {
        let short = |length: usize| revision.get(..length).unwrap_or(revision).to_owned();
        BTreeMap::from([
            ("ARGOCD_APP_NAME", self.app.instance.clone()),
            ("ARGOCD_APP_NAMESPACE", self.app.namespace.clone()),
            ("ARGOCD_APP_PROJECT_NAME", self.project.clone()),
            ("ARGOCD_APP_REVISION", revision.to_owned()),
            ("ARGOCD_APP_REVISION_SHORT", short(7)),
            ("ARGOCD_APP_REVISION_SHORT_8", short(8)),
            ("ARGOCD_APP_SOURCE_PATH", source.path.clone()),
            ("ARGOCD_APP_SOURCE_REPO_URL", source.repo_url.clone()),
            ("ARGOCD_APP_SOURCE_TARGET_REVISION", source.target_revision.clone()),
        ])
    }
}

/// One source, rendered.
#[derive(Clone)]
pub struct SourceRender {
    /// The commit, chart version or digest that was rendered.
    pub revision: String,
    /// Objects and diagnostics. The same `Arc` as before if nothing that was read has changed.
    pub rendered: Arc<Rendered>,
    /// Whether it was known before: nothing was rendered.
    pub is_known: bool,
}
