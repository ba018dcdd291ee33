//! The core API over the demo's cluster and repositories: the same services as the commands use, in this process.

use std::sync::Arc;

use pintle_cluster::Cluster;
use pintle_engine::track::Tracking;
use pintle_model::Application;
use pintle_repo::Repositories;
use pintle_server::api::{Answer, ApplicationService, ManifestSource, RenderedManifests, RepoAccess, Repository};
use pintle_server::cluster_store::ClusterStore;
use pintle_server::store::Store;
use pintle_server::{ApiError, ClusterLiveState, Code, Core, CoreConfig, Parts};
use tokio::time::Instant;

use super::manifests::CONTROL_NAMESPACE;

/// Who asks, in operations and events.
const USERNAME: &str = "demo";

/// Joins cluster and repositories to the Application service.
pub fn core_api(cluster: &Cluster, repositories: &Repositories) -> Arc<dyn ApplicationService> {
    let store: Arc<dyn Store> = Arc::new(ClusterStore::new(cluster.clone()));
    let tracking = Tracking::default();
    let repositories = Arc::new(Sources(repositories.clone()));
    let parts = Parts {
        live: Arc::new(ClusterLiveState::new(Arc::clone(&store), tracking.clone())),
        store,
        manifests: Arc::clone(&repositories) as Arc<dyn ManifestSource>,
        repositories,
    };
    let config = CoreConfig {
        control_namespace: CONTROL_NAMESPACE.to_owned(),
        username: USERNAME.to_owned(),
        tracking,
    };
    Arc::new(Core::new(parts, config))
}

/// Renders what Applications say, out of the repositories the controller uses too.
struct Sources(Repositories);

impl Sources {
    async fn render(&self, app: &Application, revisions: &[String]) -> Result<RenderedManifests, ApiError> {
        let mut all = RenderedManifests::default();
        let project = app.spec.project_or_default();
        for (i, source) in app.spec.effective_sources().iter().enumerate() {
            let revision = revisions.get(i).map(String::as_str).filter(|r| !r.is_empty());
            let rendered = self.0.render(source, revision, project, Instant::now()).await;
            let rendered = rendered.map_err(|e| ApiError::new(Code::FailedPrecondition, e.to_string()))?;
            if !rendered.rendered.is_complete() {
                let all: Vec<String> = rendered.rendered.diagnostics.iter().map(ToString::to_string).collect();
                return Err(ApiError::precondition(all.join("; ")));
            }
            all.objects
                .extend(rendered.rendered.objects.iter().map(|o| o.object.clone()));
            all.revisions.push(rendered.revision);
        }
        Ok(all)
    }
}

impl ManifestSource for Sources {
    fn manifests<'a>(&'a self, app: &'a Application, revisions: &'a [String]) -> Answer<'a, RenderedManifests> {
        Box::pin(self.render(app, revisions))
    }
}

impl RepoAccess for Sources {
    fn check<'a>(&'a self, repository: &'a Repository) -> Answer<'a, ()> {
        Box::pin(async move {
            let answered = self.0.check(&repository.repo, &repository.project).await;
            answered.map_err(|e| ApiError::new(Code::Unavailable, e.to_string()))
        })
    }
}
