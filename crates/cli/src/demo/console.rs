//! What a person asks of Pintle in the demo, through the core API that the commands use.

use std::sync::Arc;

use pintle_model::application::HealthStatusCode;
use pintle_server::ApiError;
use pintle_server::api::{
    AppRef, ApplicationService, DeleteRequest, ResourceDiff, ResourcesQuery, RollbackRequest, SyncRequest,
};

use crate::output::diff;

/// The Application service, asked as the commands ask it.
#[derive(Clone)]
pub struct Console {
    applications: Arc<dyn ApplicationService>,
}

impl Console {
    /// Asks this service.
    pub fn new(applications: Arc<dyn ApplicationService>) -> Self {
        Self { applications }
    }

    /// As `pintle app sync NAME --prune --async`.
    pub async fn sync(&self, name: &str) -> Result<(), ApiError> {
        let request = SyncRequest {
            app: AppRef::named(name),
            prune: true,
            ..SyncRequest::default()
        };
        self.applications.sync(request).await.map(drop)
    }

    /// As `pintle app rollback NAME ID`.
    pub async fn roll_back(&self, name: &str, id: i64) -> Result<(), ApiError> {
        let request = RollbackRequest {
            app: AppRef::named(name),
            id: Some(id),
            prune: false,
            dry_run: false,
        };
        self.applications.rollback(request).await.map(drop)
    }

    /// As `pintle app delete NAME --yes`.
    pub async fn delete(&self, name: &str) -> Result<(), ApiError> {
        let request = DeleteRequest {
            app: AppRef::named(name),
            cascade: true,
            propagation_policy: String::new(),
        };
        self.applications.delete(request).await
    }

    /// As `pintle app diff NAME`: what a sync would change, as a unified diff of YAML; empty if nothing.
    pub async fn diff(&self, name: &str) -> Result<String, ApiError> {
        let differences = self.applications.managed_resources(of(name)).await?;
        Ok(differences.iter().filter(|d| d.modified).map(difference).collect())
    }

    /// Why an Application is Degraded: each object of its tree that is, and what it says.
    pub async fn degraded(&self, name: &str) -> Result<Vec<String>, ApiError> {
        let tree = self.applications.resource_tree(of(name)).await?;
        let degraded = tree.nodes.iter().filter_map(|node| {
            let health = node
                .health
                .as_ref()
                .filter(|h| h.status == HealthStatusCode::Degraded)?;
            let key = &node.reference.key;
            Some(format!("{} {}: {}", key.kind, key.name, health.message))
        });
        Ok(degraded.collect())
    }
}

fn of(name: &str) -> ResourcesQuery {
    ResourcesQuery {
        app: AppRef::named(name),
        ..ResourcesQuery::default()
    }
}

/// One object as `pintle app diff` shows it.
fn difference(one: &ResourceDiff) -> String {
    let changed = diff::unified(one.normalized_live.as_ref(), one.predicted_live.as_ref());
    format!("{}{changed}", diff::header(&one.key))
}
