//! What an Application's objects are, should be and would become.

use std::collections::{BTreeMap, BTreeSet};

use pintle_engine::app::preview::preview;
use pintle_model::annotation::{HELM_HOOK, HOOK};
use pintle_model::application::Application;
use pintle_model::{Masked, Object, ResourceKey};

use super::delete::roots;
use crate::api::{AppRef, ApplicationTree, Manifests, ResourceDiff, ResourcesQuery};
use crate::core::Core;
use crate::error::{ApiError, Code};

impl Core {
    pub(super) async fn rendered(&self, app: AppRef, revisions: Vec<String>) -> Result<Manifests, ApiError> {
        let (_, app) = self.read_app(&app).await?;
        let rendered = self.parts.manifests.manifests(&app, &revisions).await?;
        let objects = self.marked(&app, rendered.objects).await?;
        Ok(Manifests {
            manifests: objects.iter().map(|object| Masked::new(object, &[])).collect(),
            revisions: rendered.revisions,
        })
    }

    pub(super) async fn diffs(&self, query: ResourcesQuery) -> Result<Vec<ResourceDiff>, ApiError> {
        let (_, app) = self.read_app(&query.app).await?;
        let revisions = if query.revisions.is_empty() {
            compared(&app)
        } else {
            query.revisions.clone()
        };
        let rendered = self.parts.manifests.manifests(&app, &revisions).await?;
        let targets: BTreeMap<ResourceKey, Object> = self
            .marked(&app, rendered.objects)
            .await?
            .into_iter()
            .map(|o| (o.key(), o))
            .collect();
        let keys: BTreeSet<ResourceKey> = targets
            .keys()
            .cloned()
            .chain(roots(&app))
            .filter(|key| query.selects(key))
            .collect();
        let keys: Vec<ResourceKey> = keys.into_iter().collect();
        let live = self.parts.live.objects(&app, &keys).await?;
        let live: BTreeMap<ResourceKey, Object> = live.into_iter().map(|o| (o.key(), o)).collect();
        let ignore = &app.spec.ignore_differences;
        Ok(keys
            .into_iter()
            .map(|key| {
                let (target, live) = (targets.get(&key), live.get(&key));
                let preview = preview(target, live, &key, ignore);
                let (normalized_live, predicted_live) = masked_pair(preview.live.as_ref(), preview.predicted.as_ref());
                let (live_shown, target_shown) = masked_pair(live, target);
                ResourceDiff {
                    hook: [target, live].into_iter().flatten().any(is_hook),
                    target: target_shown,
                    live: live_shown,
                    normalized_live,
                    predicted_live,
                    modified: preview.modified,
                    key,
                }
            })
            .collect())
    }

    pub(super) async fn tree(&self, query: ResourcesQuery) -> Result<ApplicationTree, ApiError> {
        let (_, app) = self.read_app(&query.app).await?;
        let mut tree = self.parts.live.tree(&app, &roots(&app)).await?;
        tree.nodes.retain(|node| query.selects(&node.reference.key));
        Ok(tree)
    }

    /// Rendered objects as they will be in the cluster: placed, and with the Application's mark.
    async fn marked(&self, app: &Application, objects: Vec<Object>) -> Result<Vec<Object>, ApiError> {
        let instance = self.instance(app);
        let mut placed = self.parts.live.place(app, objects).await?;
        for object in &mut placed {
            self.config
                .tracking
                .set(object, &instance, &app.spec.destination.namespace)
                .map_err(|e| ApiError::new(Code::FailedPrecondition, format!("{}: {e}", object.key())))?;
        }
        Ok(placed)
    }
}

/// The revisions the Application was compared at last; empty where it never was.
fn compared(app: &Application) -> Vec<String> {
    let sync = &app.status.sync;
    match (sync.revisions.is_empty(), sync.revision.is_empty()) {
        (false, _) => sync.revisions.clone(),
        (true, false) => vec![sync.revision.clone()],
        (true, true) => Vec::new(),
    }
}

fn masked_pair(first: Option<&Object>, second: Option<&Object>) -> (Option<Masked>, Option<Masked>) {
    match (first, second) {
        (Some(first), Some(second)) => {
            let (first, second) = Masked::pair(first, second, &[]);
            (Some(first), Some(second))
        }
        (first, second) => (first.map(|o| Masked::new(o, &[])), second.map(|o| Masked::new(o, &[]))),
    }
}

/// Whether the object is a hook: it is applied at its time and not compared.
fn is_hook(object: &Object) -> bool {
    let ours = object.annotation(HOOK).is_some_and(|v| !v.is_empty());
    ours || (object
        .annotation(HELM_HOOK)
        .is_some_and(|v| !v.is_empty() && v != "crd-install"))
}
