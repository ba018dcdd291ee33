//! Projects.

use pintle_cluster::Scope;
use pintle_engine::effect::Propagation;
use pintle_engine::record;
use pintle_model::Object;
use pintle_model::application::{Application, GROUP};
use pintle_model::project::AppProject;

use crate::api::{Answer, ProjectService};
use crate::core::Core;
use crate::error::{ApiError, Code};

impl ProjectService for Core {
    fn list(&self) -> Answer<'_, Vec<AppProject>> {
        Box::pin(self.list_projects())
    }

    fn get(&self, name: String) -> Answer<'_, AppProject> {
        Box::pin(async move { Ok(self.read_project(&name).await?.1) })
    }

    fn create(&self, project: AppProject, upsert: bool) -> Answer<'_, AppProject> {
        Box::pin(self.create_project(project, upsert))
    }

    fn update(&self, project: AppProject) -> Answer<'_, AppProject> {
        Box::pin(self.update_project(project))
    }

    fn delete(&self, name: String) -> Answer<'_, ()> {
        Box::pin(self.delete_project(name))
    }
}

impl Core {
    async fn list_projects(&self) -> Result<Vec<AppProject>, ApiError> {
        let kind = self.kind(GROUP, AppProject::KIND).await?;
        let scope = Scope::namespace(&self.config.control_namespace);
        let listed = self.store().list(&kind, &scope).await?;
        let mut projects: Vec<AppProject> = listed.objects.iter().filter_map(readable).collect();
        projects.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
        Ok(projects)
    }

    async fn create_project(&self, mut project: AppProject, upsert: bool) -> Result<AppProject, ApiError> {
        if project.metadata.name.is_empty() {
            return Err(ApiError::invalid("metadata.name is required").with_hint("`proj create NAME …`"));
        }
        self.config
            .control_namespace
            .clone_into(&mut project.metadata.namespace);
        match self.read_project(&project.metadata.name).await {
            Ok((_, existing)) if existing.spec == project.spec => Ok(existing),
            Ok(_) if upsert => {
                project.metadata.resource_version.clear();
                self.update_project(project).await
            }
            Ok(_) => Err(ApiError::invalid(
                "existing project spec is different, use upsert flag to force update",
            )),
            Err(error) if error.code == Code::NotFound => {
                project.metadata.resource_version.clear();
                project.metadata.uid.clear();
                let stored = self.write_record(record::create(project.to_object())).await?;
                let stored = stored
                    .ok_or_else(|| ApiError::new(Code::Internal, "the server answered a create without the object"))?;
                self.audit(&stored, "ResourceCreated", "created project").await;
                Ok(AppProject::from_object(&stored)?)
            }
            Err(error) => Err(error),
        }
    }

    async fn update_project(&self, wanted: AppProject) -> Result<AppProject, ApiError> {
        let (_, before) = self.read_project(&wanted.metadata.name).await?;
        let version = &wanted.metadata.resource_version;
        if !version.is_empty() && *version != before.metadata.resource_version {
            return Err(ApiError::new(
                Code::Aborted,
                format!("project {:?} was changed by others meanwhile", wanted.metadata.name),
            )
            .with_hint("read it again and make the change again"));
        }
        let mut after = before.clone();
        after.spec = wanted.spec;
        after.metadata.labels = wanted.metadata.labels;
        after.metadata.annotations = wanted.metadata.annotations;
        let Some(effect) = record::update(&before.to_object(), &after.to_object()) else {
            return Ok(before);
        };
        let stored = self.write_record(effect).await?.unwrap_or_else(|| after.to_object());
        self.audit(&stored, "ResourceUpdated", "updated project").await;
        Ok(AppProject::from_object(&stored)?)
    }

    async fn delete_project(&self, name: String) -> Result<(), ApiError> {
        if name == AppProject::DEFAULT {
            return Err(ApiError::invalid("name 'default' is reserved and cannot be deleted"));
        }
        let (object, _) = self.read_project(&name).await?;
        let kind = self.kind(GROUP, Application::KIND).await?;
        let listed = self.store().list(&kind, &Scope::default()).await?;
        // An Application that cannot be read may be one of this project's: then nobody knows, and nothing is deleted (I-1).
        if let Some(unreadable) = listed.unreadable.first() {
            return Err(ApiError::new(
                Code::FailedPrecondition,
                format!(
                    "application {:?} cannot be read, so it may use the project: {}",
                    unreadable.name, unreadable.message
                ),
            ));
        }
        let uses = |object: &&Object| object.value().str_at(&["spec", "project"]).unwrap_or("default") == name;
        let users = listed.objects.iter().filter(uses).count();
        if users > 0 {
            return Err(
                ApiError::invalid(format!("project is referenced by {users} applications"))
                    .with_hint(format!("`app list -p {name}` shows them")),
            );
        }
        self.write_record(record::delete(&object, Propagation::Background))
            .await?;
        self.audit(&object, "ResourceDeleted", "deleted project").await;
        Ok(())
    }
}

fn readable(object: &Object) -> Option<AppProject> {
    AppProject::from_object(object)
        .inspect_err(|error| tracing::warn!(name = object.name(), %error, "unreadable project"))
        .ok()
}
