//! Deleting Applications, and single objects of theirs.

use pintle_cluster::ServedKind;
use pintle_engine::app::project::{self, ClusterNames, Scope};
use pintle_engine::effect::{Effect, Permitted, Propagation};
use pintle_engine::record;
use pintle_model::annotation;
use pintle_model::application::{Application, Destination};

use super::operation::CASCADE_FINALIZERS;
use crate::api::{DeleteRequest, ResourceDeleteRequest};
use crate::core::Core;
use crate::error::{ApiError, Code, written};

impl Core {
    pub(super) async fn delete_app(&self, request: DeleteRequest) -> Result<(), ApiError> {
        let finalizer = finalizer(&request)?;
        let marked = self
            .update_app(&request.app, |app| {
                let finalizers = &mut app.metadata.finalizers;
                finalizers.retain(|f| !CASCADE_FINALIZERS.contains(&f.as_str()));
                finalizers.extend(finalizer.map(str::to_owned));
                Ok(())
            })
            .await?;
        let object = marked.to_object();
        match self
            .write_record(record::delete(&object, Propagation::Background))
            .await
        {
            Ok(_) => {}
            // Gone already: that is what was asked for.
            Err(error) if error.code == Code::NotFound => {}
            Err(error) => return Err(error),
        }
        self.audit(&object, "ResourceDeleted", "deleted application").await;
        Ok(())
    }

    pub(super) async fn delete_live(&self, request: ResourceDeleteRequest) -> Result<(), ApiError> {
        let (_, app) = self.read_app(&request.app).await?;
        if !app.spec.destination.is_in_cluster() {
            return Err(ApiError::unsupported("deleting objects of other clusters"));
        }
        let tree = self.parts.live.tree(&app, &roots(&app)).await?;
        let Some(node) = tree.nodes.iter().find(|n| n.reference.key == request.key) else {
            return Err(ApiError::not_found(format!(
                "{} is not part of application {:?}",
                request.key, app.metadata.name
            ))
            .with_hint(format!(
                "`app resources {} --output tree` shows its parts",
                app.metadata.name
            )));
        };
        let kind = self.store().served(&request.key.group_kind()).await?;
        let Some(object) = self
            .store()
            .find(&kind, &request.key.namespace, &request.key.name)
            .await?
        else {
            return Ok(());
        };
        if object.uid() != &*node.reference.uid {
            return Err(ApiError::new(
                Code::Aborted,
                format!("{} was made anew meanwhile", request.key),
            ));
        }
        let propagation = match (request.orphan, request.force) {
            (true, _) => Propagation::Orphan,
            (false, true) => Propagation::Background,
            (false, false) => Propagation::Foreground,
        };
        let effect = Effect {
            gvk: kind.gvk.clone(),
            ..record::delete(&object, propagation)
        };
        let permitted = self.permit(&app, &kind, effect).await?;
        written(self.store().execute(permitted).await)?;
        let what = format!("deleted resource {}/{}", request.key.kind, request.key.name);
        self.audit(&app.to_object(), "ResourceDeleted", &what).await;
        Ok(())
    }

    async fn permit(
        &self,
        app: &Application,
        kind: &ServedKind,
        effect: Effect,
    ) -> Result<Permitted<Effect>, ApiError> {
        let project = self.project_of(app).await?;
        let scope = if kind.namespaced {
            Scope::Namespaced
        } else {
            Scope::Cluster
        };
        let here = ClusterNames {
            server: Destination::IN_CLUSTER_SERVER,
            name: Destination::IN_CLUSTER_NAME,
        };
        project::permit(effect, &project, here, Some(scope), None)
            .map_err(|denied| ApiError::new(Code::PermissionDenied, denied.to_string()))
    }
}

/// The finalizer that does what was asked, `None` for leaving everything [F5.18].
fn finalizer(request: &DeleteRequest) -> Result<Option<&'static str>, ApiError> {
    let policy = request.propagation_policy.to_lowercase();
    if !request.cascade {
        return if policy.is_empty() {
            Ok(None)
        } else {
            Err(ApiError::invalid(
                "cannot set propagation policy when cascading is disabled",
            ))
        };
    }
    match policy.as_str() {
        "" | "foreground" => Ok(Some(annotation::FINALIZER)),
        "background" => Ok(Some(annotation::FINALIZER_BACKGROUND)),
        other => Err(ApiError::invalid(format!("invalid propagation policy: {other}"))
            .with_hint("foreground or background; --cascade=false leaves everything")),
    }
}

/// The managed objects as last compared.
pub(super) fn roots(app: &Application) -> Vec<pintle_model::ResourceKey> {
    app.status.resources.iter().map(|r| r.key()).collect()
}
