//! The seam between commands (or the wire) and the core: the contract's RPCs over model types (`argocd-api.md` 5.2, 5.7).
//!
//! Requests have the contract's fields under their own names; `app_namespace` and `project` of a request are an [`AppRef`]. What has no
//! counterpart in the contract says so.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use pintle_engine::record::PatchType;
use pintle_model::annotation::Refresh;
use pintle_model::application::{
    Application, ApplicationSpec, HealthStatus, Info, RetryStrategy, SyncResource, SyncStrategy,
};
use pintle_model::project::AppProject;
use pintle_model::{Masked, Object, ResourceKey, Sensitive, Time};

use crate::error::ApiError;

/// What every call answers with.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, ApiError>>;

/// Names one Application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppRef {
    /// Its name.
    pub name: String,
    /// Its namespace; empty means the control namespace.
    pub namespace: String,
    /// The project it must be in; empty means any.
    pub project: String,
}

impl AppRef {
    /// In the control namespace.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }
}

/// Which Applications a list or a watch is about; empty fields select everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApplicationQuery {
    /// Name.
    pub name: String,
    /// Projects.
    pub projects: Vec<String>,
    /// Label selector, as kubectl takes it.
    pub selector: String,
    /// Repository URL of one of its sources.
    pub repo: String,
    /// Namespace; empty means the control namespace.
    pub app_namespace: String,
}

/// How fresh one Application must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshRequest {
    /// Compare again, or render again too.
    pub kind: Refresh,
    /// How long to wait for the controller; the contract's server waits for its client instead.
    pub wait: Duration,
}

/// What to sync, and how (`ApplicationSyncRequest`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SyncRequest {
    /// Which Application.
    pub app: AppRef,
    /// Revision; empty means the spec's target.
    pub revision: String,
    /// Revisions of an Application with several sources, for the sources at `source_positions`.
    pub revisions: Vec<String>,
    /// Positions of `revisions`, from 1.
    pub source_positions: Vec<i64>,
    /// Delete what left the source.
    pub prune: bool,
    /// Write nothing.
    pub dry_run: bool,
    /// How objects are applied; absent means with hooks.
    pub strategy: Option<SyncStrategy>,
    /// Only these; empty means all.
    pub resources: Vec<SyncResource>,
    /// Manifests instead of the source's.
    pub manifests: Vec<String>,
    /// Options instead of the spec's; absent means the spec's.
    pub sync_options: Option<Vec<String>>,
    /// How a failure is tried again; absent means as the spec says.
    pub retry: Option<RetryStrategy>,
    /// Notes for people.
    pub infos: Vec<Info>,
}

/// Which deployment to go back to (`ApplicationRollbackRequest`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RollbackRequest {
    /// Which Application.
    pub app: AppRef,
    /// Id in its history; absent means the one before the last (the contract's id 0 is a real id here).
    pub id: Option<i64>,
    /// Delete what that deployment did not have.
    pub prune: bool,
    /// Write nothing.
    pub dry_run: bool,
}

/// How to delete an Application (`ApplicationDeleteRequest`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteRequest {
    /// Which Application.
    pub app: AppRef,
    /// Whether what it deployed goes too.
    pub cascade: bool,
    /// `foreground` or `background`, in any case; empty means foreground.
    pub propagation_policy: String,
}

/// A person's patch (`ApplicationPatchRequest`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchRequest {
    /// Which Application.
    pub app: AppRef,
    /// The patch.
    pub patch: String,
    /// Its format.
    pub patch_type: PatchType,
}

/// Which objects of an Application (`ResourcesQuery`); empty fields select everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourcesQuery {
    /// Which Application.
    pub app: AppRef,
    /// Group, kind, namespace and name; empty parts match all.
    pub group: String,
    /// Kind.
    pub kind: String,
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Compare with these revisions instead of the last compared ones. Not in the contract, whose client merges two calls.
    pub revisions: Vec<String>,
}

impl ResourcesQuery {
    /// Whether an object is meant.
    pub fn selects(&self, key: &ResourceKey) -> bool {
        let part = |wanted: &str, is: &str| wanted.is_empty() || wanted == is;
        part(&self.group, &key.group)
            && part(&self.kind, &key.kind)
            && part(&self.namespace, &key.namespace)
            && part(&self.name, &key.name)
    }
}

/// One managed object as it should be, as it is, and as applying would make it (`ResourceDiff`). Secrets are masked.
#[derive(Clone)]
pub struct ResourceDiff {
    /// Group, kind, namespace, name.
    pub key: ResourceKey,
    /// As the source says; `None` where the source does not have it.
    pub target: Option<Masked>,
    /// As it is; `None` where it is not there.
    pub live: Option<Masked>,
    /// As it is, without what no comparison is about.
    pub normalized_live: Option<Masked>,
    /// As applying would make it, in the same form.
    pub predicted_live: Option<Masked>,
    /// Whether applying would change anything; for Secrets it is told before they are masked.
    pub modified: bool,
    /// Whether it is a hook.
    pub hook: bool,
}

/// Names one live object (`ResourceRef`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceRef {
    /// Group, kind, namespace, name.
    pub key: ResourceKey,
    /// API version.
    pub version: Arc<str>,
    /// UID.
    pub uid: Arc<str>,
}

/// One live object in a tree (`ResourceNode`).
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceNode {
    /// Which.
    pub reference: ResourceRef,
    /// Its owners in the tree.
    pub parents: Vec<ResourceRef>,
    /// What a tree shows of it: name and value.
    pub info: Vec<(Arc<str>, Arc<str>)>,
    /// Images it runs.
    pub images: Vec<Arc<str>>,
    /// Health, where its kind has one.
    pub health: Option<HealthStatus>,
    /// When it was made.
    pub created_at: Option<Time>,
    /// resourceVersion.
    pub resource_version: Arc<str>,
}

/// The live objects of an Application (`ApplicationTree`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ApplicationTree {
    /// Managed objects and what came of them, in order of their keys.
    pub nodes: Vec<ResourceNode>,
    /// Objects of its namespace that nobody manages, where the project looks for them.
    pub orphaned_nodes: Vec<ResourceNode>,
    /// Kinds that could not be read, with the reason: what they would add is missing here. Not in the contract.
    pub unreadable: Vec<String>,
}

/// Rendered manifests (`ManifestResponse`), Secrets masked.
#[derive(Clone)]
pub struct Manifests {
    /// The objects.
    pub manifests: Vec<Masked>,
    /// The commits they were rendered at, one for each source; empty where the source did not say.
    pub revisions: Vec<String>,
}

/// Which logs (`ApplicationPodLogsQuery`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodLogsQuery {
    /// Which Application.
    pub app: AppRef,
    /// Only objects of that group …
    pub group: String,
    /// … that kind …
    pub kind: String,
    /// … in that namespace …
    pub namespace: String,
    /// … of that name, and the Pods below them.
    pub resource_name: String,
    /// Only that Pod.
    pub pod_name: String,
    /// Container; empty means the Pod's only or default one.
    pub container: String,
    /// Go on as lines are written.
    pub follow: bool,
    /// The containers' previous runs.
    pub previous: bool,
    /// So many lines from the end of each.
    pub tail_lines: Option<u64>,
    /// Lines newer than so many seconds.
    pub since_seconds: Option<u64>,
    /// Lines up to this moment (RFC 3339).
    pub until_time: Option<jiff::Timestamp>,
    /// Lines that contain this; a leading `!` means those that do not.
    pub filter: String,
    /// Whether the filter tells capitals from small letters.
    pub match_case: bool,
}

/// One line of a log (`LogEntry`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// The line.
    pub content: String,
    /// When it was written; absent where the container runtime did not say.
    pub time: Option<jiff::Timestamp>,
    /// Which Pod.
    pub pod_name: String,
}

/// What happened to an Application in a watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchKind {
    /// It is there: at the beginning, or new.
    Added,
    /// It changed.
    Modified,
    /// It is gone.
    Deleted,
}

impl WatchKind {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Modified => "MODIFIED",
            Self::Deleted => "DELETED",
        }
    }
}

/// One event about an object, as Kubernetes keeps them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceEvent {
    /// `Normal` or `Warning`.
    pub kind: String,
    /// One word.
    pub reason: String,
    /// In words.
    pub message: String,
    /// When it was seen last.
    pub last_seen: Option<Time>,
    /// How often.
    pub count: i64,
}

/// Which object's events (`ApplicationResourceEventsQuery`); without a name, the Application's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventsQuery {
    /// Which Application.
    pub app: AppRef,
    /// Namespace of the object.
    pub resource_namespace: String,
    /// Name of the object; empty means the Application itself.
    pub resource_name: String,
    /// UID of the object; empty means any.
    pub resource_uid: String,
}

/// Which live object to delete, and how (`ApplicationResourceDeleteRequest`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceDeleteRequest {
    /// Which Application.
    pub app: AppRef,
    /// The object.
    pub key: ResourceKey,
    /// Its API version.
    pub version: String,
    /// Without waiting for what it owns.
    pub force: bool,
    /// Leaving what it owns.
    pub orphan: bool,
}

/// Applications.
pub trait ApplicationService: Send + Sync {
    /// Applications in order of namespace and name.
    fn list(&self, query: ApplicationQuery) -> Answer<'_, Vec<Application>>;
    /// One Application; with `refresh`, after the controller has looked at it again [F5.14].
    fn get(&self, app: AppRef, refresh: Option<RefreshRequest>) -> Answer<'_, Application>;
    /// Creates; an equal one is answered as it is, another one only replaced with `upsert` [F5.16].
    fn create(&self, app: Application, upsert: bool, validate: bool) -> Answer<'_, Application>;
    /// Takes over spec, labels, annotations and finalizers.
    fn update(&self, app: Application, validate: bool) -> Answer<'_, Application>;
    /// Takes over the spec.
    fn update_spec(&self, app: AppRef, spec: ApplicationSpec, validate: bool) -> Answer<'_, ApplicationSpec>;
    /// Applies a person's patch to spec, labels, annotations and finalizers.
    fn patch(&self, request: PatchRequest) -> Answer<'_, Application>;
    /// Deletes, with or without what was deployed [F5.18].
    fn delete(&self, request: DeleteRequest) -> Answer<'_, ()>;
    /// Starts a sync [F1.4].
    fn sync(&self, request: SyncRequest) -> Answer<'_, Application>;
    /// Starts a sync to an earlier deployment; refused while automated sync is on.
    fn rollback(&self, request: RollbackRequest) -> Answer<'_, Application>;
    /// Asks the controller to stop the running operation.
    fn terminate_operation(&self, app: AppRef) -> Answer<'_, ()>;
    /// What each managed object is, should be and would become.
    fn managed_resources(&self, query: ResourcesQuery) -> Answer<'_, Vec<ResourceDiff>>;
    /// The live objects of an Application.
    fn resource_tree(&self, query: ResourcesQuery) -> Answer<'_, ApplicationTree>;
    /// What the source renders to; `revisions` empty means the spec's targets.
    fn manifests(&self, app: AppRef, revisions: Vec<String>) -> Answer<'_, Manifests>;
    /// Logs of the Application's Pods, merged in order of time where they are not followed.
    fn pod_logs(&self, query: PodLogsQuery) -> Answer<'_, BoxStream<'static, Result<LogEntry, ApiError>>>;
    /// The selected Applications as they are, then each change [F5.15]. Errors pass by themselves; the stream goes on.
    fn watch(
        &self,
        query: ApplicationQuery,
    ) -> Answer<'_, BoxStream<'static, Result<(WatchKind, Application), ApiError>>>;
    /// Events, oldest first.
    fn list_resource_events(&self, query: EventsQuery) -> Answer<'_, Vec<ResourceEvent>>;
    /// Deletes one live object of an Application.
    fn delete_resource(&self, request: ResourceDeleteRequest) -> Answer<'_, ()>;
}

/// Projects.
pub trait ProjectService: Send + Sync {
    /// Projects in order of their names.
    fn list(&self) -> Answer<'_, Vec<AppProject>>;
    /// One project.
    fn get(&self, name: String) -> Answer<'_, AppProject>;
    /// Creates; an equal one is answered as it is, another one only replaced with `upsert`.
    fn create(&self, project: AppProject, upsert: bool) -> Answer<'_, AppProject>;
    /// Takes over the spec; `metadata.resourceVersion`, where given, must be the present one.
    fn update(&self, project: AppProject) -> Answer<'_, AppProject>;
    /// Deletes; refused while Applications use it, and for `default`.
    fn delete(&self, name: String) -> Answer<'_, ()>;
}

/// A repository as people enter it and see it (`Repository`). Lists never carry secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repository {
    /// URL.
    pub repo: String,
    /// `git`, `helm` or `oci`; empty means `git`.
    pub kind: String,
    /// Name.
    pub name: String,
    /// Project it belongs to; empty means all.
    pub project: String,
    /// User name.
    pub username: String,
    /// Password.
    pub password: Option<Sensitive<String>>,
    /// Bearer token.
    pub bearer_token: Option<Sensitive<String>>,
    /// SSH private key, PEM.
    pub ssh_private_key: Option<Sensitive<String>>,
    /// TLS client certificate, PEM.
    pub tls_client_cert_data: Option<Sensitive<String>>,
    /// TLS client key, PEM.
    pub tls_client_cert_key: Option<Sensitive<String>>,
    /// Do not check server certificates and host keys.
    pub insecure: bool,
    /// Fetch large files.
    pub enable_lfs: bool,
    /// A Helm repository that is an OCI registry.
    pub enable_oci: bool,
    /// Send the password without being asked for it.
    pub force_http_basic_auth: bool,
    /// URL of a proxy.
    pub proxy: Option<Sensitive<String>>,
    /// Hosts that are reached without the proxy.
    pub no_proxy: String,
    /// Commits fetched; 0 means all.
    pub depth: i64,
    /// Whether credentials come from a prefix (`repo-creds`).
    pub inherited_creds: bool,
    /// Whether it could be reached.
    pub connection: ConnectionState,
}

impl Repository {
    /// Whether it has credentials of its own.
    pub fn has_credentials(&self) -> bool {
        !self.username.is_empty()
            || [
                &self.password,
                &self.bearer_token,
                &self.ssh_private_key,
                &self.tls_client_cert_data,
            ]
            .iter()
            .any(|secret| secret.is_some())
    }
}

/// Whether something could be reached (`ConnectionState`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ConnectionState {
    /// Not tried.
    #[default]
    Unknown,
    /// It answers.
    Successful,
    /// It does not; the reason.
    Failed(String),
}

impl ConnectionState {
    /// The word on the wire.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Unknown => "Unknown",
            Self::Successful => "Successful",
            Self::Failed(_) => "Failed",
        }
    }

    /// The reason it failed; empty otherwise.
    pub fn message(&self) -> &str {
        if let Self::Failed(why) = self { why } else { "" }
    }
}

/// Repositories.
pub trait RepositoryService: Send + Sync {
    /// Every configured repository, with its connection tried now where `check` is asked for; in order of URL and project.
    fn list(&self, check: bool) -> Answer<'_, Vec<Repository>>;
    /// Stores a repository after it could be reached; an equal one is answered as it is, another one only replaced with `upsert`.
    fn create(&self, repository: Repository, upsert: bool) -> Answer<'_, Repository>;
    /// Forgets a repository; `project` empty means the one of no project, or the only one.
    fn delete(&self, repo: String, project: String) -> Answer<'_, ()>;
}

/// What concerns the installation as a whole (`Settings`, the part this version has).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstallationSettings {
    /// Where Applications and settings live.
    pub controller_namespace: String,
    /// Key of the label that names the Application on its objects.
    pub app_label_key: String,
    /// `annotation`, `label` or `annotation+label`.
    pub tracking_method: String,
    /// Base URL of the UI; empty where there is none.
    pub url: String,
}

/// Settings.
pub trait SettingsService: Send + Sync {
    /// The settings as they are now.
    fn get(&self) -> Answer<'_, InstallationSettings>;
}

/// Renders an Application's manifests: what only the repository side can.
pub trait ManifestSource: Send + Sync {
    /// The objects that `revisions` (one for each source; empty, or an empty one, means the spec's target) render to, before any mark is
    /// put on them. An error where any source is not complete: part of a render is none.
    fn manifests<'a>(&'a self, app: &'a Application, revisions: &'a [String]) -> Answer<'a, RenderedManifests>;
}

/// What a [`ManifestSource`] answers.
#[derive(Clone, Default)]
pub struct RenderedManifests {
    /// The objects.
    pub objects: Vec<Object>,
    /// The commits, one for each source.
    pub revisions: Vec<String>,
}

/// Tries a repository: what only the repository side can.
pub trait RepoAccess: Send + Sync {
    /// Whether it answers, with these credentials.
    fn check<'a>(&'a self, repository: &'a Repository) -> Answer<'a, ()>;
}

/// Live objects of an Application's destination: from the controller's index where it runs in this process, else read when asked.
pub trait LiveState: Send + Sync {
    /// The live objects of these keys, where they exist.
    fn objects<'a>(&'a self, app: &'a Application, keys: &'a [ResourceKey]) -> Answer<'a, Vec<Object>>;
    /// The tree below these keys.
    fn tree<'a>(&'a self, app: &'a Application, roots: &'a [ResourceKey]) -> Answer<'a, ApplicationTree>;
    /// Completes rendered objects as they will be in the cluster: the destination's namespace where their kind has one.
    fn place<'a>(&'a self, app: &'a Application, objects: Vec<Object>) -> Answer<'a, Vec<Object>>;
}
