//! Creating and changing Applications.

use pintle_engine::app::project::{ClusterNames, check_spec};
use pintle_engine::record;
use pintle_model::application::{Application, ApplicationSpec, ClusterRef, Destination};

use crate::api::{AppRef, PatchRequest};
use crate::core::Core;
use crate::error::{ApiError, Code};

impl Core {
    pub(super) async fn create_app(
        &self,
        mut app: Application,
        upsert: bool,
        validate: bool,
    ) -> Result<Application, ApiError> {
        if app.metadata.name.is_empty() && app.metadata.generate_name.is_empty() {
            return Err(ApiError::invalid("metadata.name is required").with_hint("`app create NAME …`"));
        }
        let namespace = self.namespace(&app.metadata.namespace).to_owned();
        app.metadata.namespace = namespace;
        if app.spec.project.is_empty() {
            app.spec.project = "default".into();
        }
        let reference = reference(&app);
        let existing = if app.metadata.name.is_empty() {
            None
        } else {
            match self.read_app(&reference).await {
                Ok((_, existing)) => Some(existing),
                Err(error) if error.code == Code::NotFound => None,
                Err(error) => return Err(error),
            }
        };
        if let Some(existing) = existing {
            if same_intent(&existing, &app) {
                return Ok(existing);
            }
            if !upsert {
                return Err(ApiError::invalid(
                    "existing application spec is different, use upsert flag to force update",
                )
                .with_hint("`--upsert` replaces it; `app set` changes single fields"));
            }
            return self.replace_app(app, validate).await;
        }
        self.validate(&app, validate).await?;
        // Only what a person may ask for: state is the controller's.
        app.status = Default::default();
        app.metadata.resource_version.clear();
        app.metadata.uid.clear();
        let stored = self.write_record(record::create(app.to_object())).await?;
        let stored =
            stored.ok_or_else(|| ApiError::new(Code::Internal, "the server answered a create without the object"))?;
        self.audit(&stored, "ResourceCreated", "created application").await;
        Ok(Application::from_object(&stored)?)
    }

    pub(super) async fn replace_app(&self, wanted: Application, validate: bool) -> Result<Application, ApiError> {
        self.validate(&wanted, validate).await?;
        let updated = self
            .update_app(&reference(&wanted), |app| take_over(app, &wanted))
            .await?;
        self.audit(&updated.to_object(), "ResourceUpdated", "updated application")
            .await;
        Ok(updated)
    }

    pub(super) async fn replace_spec(
        &self,
        app: AppRef,
        spec: ApplicationSpec,
        validate: bool,
    ) -> Result<ApplicationSpec, ApiError> {
        let (_, mut wanted) = self.read_app(&app).await?;
        wanted.spec = spec;
        self.validate(&wanted, validate).await?;
        let updated = self
            .update_app(&app, |app| {
                app.spec = wanted.spec.clone();
                Ok(())
            })
            .await?;
        self.audit(&updated.to_object(), "ResourceUpdated", "updated application spec")
            .await;
        Ok(updated.spec)
    }

    pub(super) async fn patch_app(&self, request: PatchRequest) -> Result<Application, ApiError> {
        let patched = |app: &Application| -> Result<Application, ApiError> {
            let object = record::patch(&app.to_object(), &request.patch, request.patch_type)
                .map_err(|e| ApiError::invalid(format!("application {:?}: {e}", request.app.name)))?;
            Application::from_object(&object).map_err(|e| ApiError::invalid(format!("the patched application: {e}")))
        };
        let (_, before) = self.read_app(&request.app).await?;
        self.validate(&patched(&before)?, true).await?;
        let updated = self
            .update_app(&request.app, |app| {
                let wanted = patched(app)?;
                take_over(app, &wanted)
            })
            .await?;
        self.audit(&updated.to_object(), "ResourceUpdated", "patched application")
            .await;
        Ok(updated)
    }

    /// Refuses what could never be acted on. The destination and the project always count; whether the source renders only with
    /// `validate` [F5.16].
    async fn validate(&self, app: &Application, validate: bool) -> Result<(), ApiError> {
        if !validate {
            return Ok(());
        }
        let refused = |problems: String| {
            ApiError::invalid(format!(
                "application spec for {} is invalid: {problems}",
                app.metadata.name
            ))
        };
        let destination = &app.spec.destination;
        let cluster = match destination.cluster() {
            Ok(ClusterRef::Server(server)) => ClusterNames { server, name: "" },
            Ok(ClusterRef::Name(name)) => ClusterNames { server: "", name },
            Err(e) => {
                return Err(refused(format!("InvalidSpecError: {e}")).with_hint(
                    "say where to deploy: --dest-server https://kubernetes.default.svc --dest-namespace NAMESPACE",
                ));
            }
        };
        // Projects may name our own cluster either way.
        let cluster = if destination.is_in_cluster() {
            ClusterNames {
                server: Destination::IN_CLUSTER_SERVER,
                name: Destination::IN_CLUSTER_NAME,
            }
        } else {
            cluster
        };
        let project = match self.project_of(app).await {
            Ok(project) => project,
            Err(error) if error.code == Code::NotFound => {
                let name = app.spec.project_or_default();
                return Err(refused(format!(
                    "InvalidSpecError: application references project {name} which does not exist"
                ))
                .with_hint(format!("`proj list` shows the projects; `proj create {name}` makes it")));
            }
            Err(error) => return Err(error),
        };
        let problems = check_spec(app, &project, cluster, &self.config.control_namespace);
        if !problems.is_empty() {
            let said: Vec<String> = problems.iter().map(|p| format!("InvalidSpecError: {p}")).collect();
            return Err(refused(said.join(";")));
        }
        match self.parts.manifests.manifests(app, &[]).await {
            Ok(_) => Ok(()),
            // A repository that does not answer now may answer later, but nothing is known of the source: as at the peer, it is refused.
            Err(error) => {
                let path = app
                    .spec
                    .effective_sources()
                    .first()
                    .map(|s| s.path.clone())
                    .unwrap_or_default();
                let hint = error
                    .hint
                    .unwrap_or_else(|| "--validate=false creates it all the same".into());
                Err(refused(format!(
                    "InvalidSpecError: Unable to generate manifests in {path}: {}",
                    error.message
                ))
                .with_hint(hint))
            }
        }
    }
}

fn reference(app: &Application) -> AppRef {
    AppRef {
        name: app.metadata.name.clone(),
        namespace: app.metadata.namespace.clone(),
        project: String::new(),
    }
}

/// Whether both ask for the same [F5.16].
fn same_intent(a: &Application, b: &Application) -> bool {
    a.spec == b.spec
        && a.metadata.labels == b.metadata.labels
        && a.metadata.annotations == b.metadata.annotations
        && a.metadata.finalizers == b.metadata.finalizers
}

/// Takes over what a person may change; operation and status stay [F5.16].
fn take_over(app: &mut Application, wanted: &Application) -> Result<(), ApiError> {
    let version = &wanted.metadata.resource_version;
    if !version.is_empty() && *version != app.metadata.resource_version && app.spec != wanted.spec {
        // The person looked at an older state; only the fields they see are written, so the newest operation and status survive.
        tracing::debug!(name = app.metadata.name, "updating from an older version");
    }
    app.spec = wanted.spec.clone();
    app.metadata.labels = wanted.metadata.labels.clone();
    app.metadata.annotations = wanted.metadata.annotations.clone();
    app.metadata.finalizers = wanted.metadata.finalizers.clone();
    Ok(())
}
