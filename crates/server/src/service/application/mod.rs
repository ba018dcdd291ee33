//! Applications: one file for each thing that is done with them.

mod delete;
mod logs;
mod operation;
mod read;
mod resources;
mod write;

use futures_util::stream::BoxStream;
use pintle_model::application::{Application, ApplicationSpec};

use crate::api::{
    Answer, AppRef, ApplicationQuery, ApplicationService, ApplicationTree, DeleteRequest, EventsQuery, LogEntry,
    Manifests, PatchRequest, PodLogsQuery, RefreshRequest, ResourceDeleteRequest, ResourceDiff, ResourceEvent,
    ResourcesQuery, RollbackRequest, SyncRequest, WatchKind,
};
use crate::core::Core;
use crate::error::ApiError;

impl ApplicationService for Core {
    fn list(&self, query: ApplicationQuery) -> Answer<'_, Vec<Application>> {
        Box::pin(self.list_apps(query))
    }

    fn get(&self, app: AppRef, refresh: Option<RefreshRequest>) -> Answer<'_, Application> {
        Box::pin(self.get_app(app, refresh))
    }

    fn create(&self, app: Application, upsert: bool, validate: bool) -> Answer<'_, Application> {
        Box::pin(self.create_app(app, upsert, validate))
    }

    fn update(&self, app: Application, validate: bool) -> Answer<'_, Application> {
        Box::pin(self.replace_app(app, validate))
    }

    fn update_spec(&self, app: AppRef, spec: ApplicationSpec, validate: bool) -> Answer<'_, ApplicationSpec> {
        Box::pin(self.replace_spec(app, spec, validate))
    }

    fn patch(&self, request: PatchRequest) -> Answer<'_, Application> {
        Box::pin(self.patch_app(request))
    }

    fn delete(&self, request: DeleteRequest) -> Answer<'_, ()> {
        Box::pin(self.delete_app(request))
    }

    fn sync(&self, request: SyncRequest) -> Answer<'_, Application> {
        Box::pin(self.start_sync(request))
    }

    fn rollback(&self, request: RollbackRequest) -> Answer<'_, Application> {
        Box::pin(self.start_rollback(request))
    }

    fn terminate_operation(&self, app: AppRef) -> Answer<'_, ()> {
        Box::pin(self.terminate(app))
    }

    fn managed_resources(&self, query: ResourcesQuery) -> Answer<'_, Vec<ResourceDiff>> {
        Box::pin(self.diffs(query))
    }

    fn resource_tree(&self, query: ResourcesQuery) -> Answer<'_, ApplicationTree> {
        Box::pin(self.tree(query))
    }

    fn manifests(&self, app: AppRef, revisions: Vec<String>) -> Answer<'_, Manifests> {
        Box::pin(self.rendered(app, revisions))
    }

    fn pod_logs(&self, query: PodLogsQuery) -> Answer<'_, BoxStream<'static, Result<LogEntry, ApiError>>> {
        Box::pin(self.logs(query))
    }

    fn watch(
        &self,
        query: ApplicationQuery,
    ) -> Answer<'_, BoxStream<'static, Result<(WatchKind, Application), ApiError>>> {
        Box::pin(self.watch_apps(query))
    }

    fn list_resource_events(&self, query: EventsQuery) -> Answer<'_, Vec<ResourceEvent>> {
        Box::pin(self.events(query))
    }

    fn delete_resource(&self, request: ResourceDeleteRequest) -> Answer<'_, ()> {
        Box::pin(self.delete_live(request))
    }
}
