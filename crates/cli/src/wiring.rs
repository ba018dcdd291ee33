//! Joins the core API with the cluster of the kubeconfig and the repositories it names: what `--core` means.

use std::path::PathBuf;
use std::sync::Arc;

use pintle_cluster::{Cluster, KubeconfigSource, Scope};
use pintle_engine::effect::ClusterId;
use pintle_engine::track::Tracking;
use pintle_model::GroupKind;
use pintle_model::annotation::LABEL_SECRET_TYPE;
use pintle_model::application::{Application, Source};
use pintle_model::settings::{RepositoryCredentials, RepositorySecret, RepositoryType, SecretType};
use pintle_repo::{CredentialBook, Repositories};
use pintle_server::api::{
    Answer, ApplicationService, ManifestSource, ProjectService, RenderedManifests, RepoAccess, Repository,
    RepositoryService,
};
use pintle_server::cluster_store::ClusterStore;
use pintle_server::store::Store;
use pintle_server::{ApiError, ClusterLiveState, Code, Core, CoreConfig, Parts};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::args::{GlobalArgs, KubeArgs, NamespaceArgs};
use crate::exit::CliError;

/// Where the control plane lives unless -n says otherwise.
const DEFAULT_NAMESPACE: &str = "argocd";

/// What a command works with.
pub(crate) struct Session {
    pub apps: Arc<dyn ApplicationService>,
    pub projects: Arc<dyn ProjectService>,
    pub repositories: Arc<dyn RepositoryService>,
    pub namespace: String,
}

/// Opens the cluster of the kubeconfig. Nothing is sent yet.
pub(crate) async fn connect(
    global: &GlobalArgs,
    kube: &KubeArgs,
    namespace: Option<&String>,
) -> Result<Session, CliError> {
    let remote = &global.remote;
    if !global.core && (remote.server.is_some() || remote.port_forward || remote.argocd_context.is_some()) {
        return Err(CliError::unsupported("talking to an API server").with_hint(
            "--core talks to the cluster of the kubeconfig directly; unset ARGOCD_SERVER to make that the default",
        ));
    }
    let source = KubeconfigSource {
        path: kube.kubeconfig.clone(),
        context: global.kube_context.clone().or_else(|| kube.context.clone()),
    };
    let opened = Cluster::from_kubeconfig(ClusterId::in_cluster(), source.clone(), "cli").await;
    let cluster = match opened {
        Ok(cluster) => cluster,
        // In a Pod there is an account and no kubeconfig.
        Err(error) if source == KubeconfigSource::default() => {
            Cluster::in_cluster("cli").map_err(|_| no_cluster(&error))?
        }
        Err(error) => return Err(no_cluster(&error)),
    };
    let namespace = namespace.cloned().unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned());
    Ok(session(cluster, namespace))
}

/// The cluster of the kubeconfig, or the one this process runs in, and the control namespace: for daemons.
pub(crate) async fn open(args: &NamespaceArgs, component: &str) -> Result<(Cluster, String), CliError> {
    let source = KubeconfigSource {
        path: args.kube.kubeconfig.clone(),
        context: args.kube.context.clone(),
    };
    let cluster = match Cluster::from_kubeconfig(ClusterId::in_cluster(), source.clone(), component).await {
        Ok(cluster) => cluster,
        Err(error) if source == KubeconfigSource::default() => {
            Cluster::in_cluster(component).map_err(|_| no_cluster(&error))?
        }
        Err(error) => return Err(no_cluster(&error)),
    };
    Ok((
        cluster,
        args.control_namespace
            .clone()
            .unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned()),
    ))
}

fn no_cluster(error: &pintle_cluster::ConnectError) -> CliError {
    CliError::error(error.to_string()).with_hint(
        "set KUBECONFIG or give --kubeconfig; `pintle demo` starts a cluster to try things on and prints its kubeconfig",
    )
}

/// The core API over one cluster, reading it live.
pub(crate) fn session(cluster: Cluster, namespace: String) -> Session {
    let store: Arc<dyn Store> = Arc::new(ClusterStore::new(cluster));
    let tracking = Tracking::default();
    let repositories = Arc::new(LocalRepositories::new(Arc::clone(&store), namespace.clone()));
    let parts = Parts {
        store: Arc::clone(&store),
        live: Arc::new(ClusterLiveState::new(store, tracking.clone())),
        manifests: Arc::<LocalRepositories>::clone(&repositories),
        repositories,
    };
    let config = CoreConfig {
        control_namespace: namespace.clone(),
        username: username(),
        tracking,
    };
    let core = Arc::new(Core::new(parts, config));
    Session {
        apps: Arc::<Core>::clone(&core),
        projects: Arc::<Core>::clone(&core),
        repositories: core,
        namespace,
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "the login name, for operations and events; the door of the command line"
)]
fn username() -> String {
    std::env::var("USER").unwrap_or_default()
}

/// Repositories read by this process itself, with the credentials of the control namespace.
pub(crate) struct LocalRepositories {
    store: Arc<dyn Store>,
    namespace: String,
    opened: OnceCell<(TempDir, Repositories)>,
}

impl LocalRepositories {
    pub(crate) fn new(store: Arc<dyn Store>, namespace: String) -> Self {
        Self {
            store,
            namespace,
            opened: OnceCell::new(),
        }
    }

    /// Opened by the first command that reads a repository; its directory goes with this process.
    async fn open(&self) -> Result<&Repositories, ApiError> {
        let opened = self.opened.get_or_try_init(|| async {
            let directory = TempDir::with_prefix("pintle-repositories-")
                .map_err(|e| ApiError::new(Code::Internal, format!("no directory for repositories: {e}")))?;
            let repositories = Repositories::new(PathBuf::from(directory.path()));
            repositories.set_credentials(CredentialBook::new(self.secrets().await?, Vec::new()));
            Ok::<_, ApiError>((directory, repositories))
        });
        Ok(&opened.await?.1)
    }

    async fn secrets(&self) -> Result<Vec<RepositorySecret>, ApiError> {
        let kind = self.store.served(&GroupKind::new("", "Secret")).await?;
        let scope =
            Scope::namespace(&self.namespace).with_labels(format!("{LABEL_SECRET_TYPE} in (repository,repo-creds)"));
        let listed = self.store.list(&kind, &scope).await?;
        // A Secret that cannot be read is one repository without credentials; that repository says so itself.
        Ok(listed
            .objects
            .iter()
            .filter_map(|o| RepositorySecret::from_secret(o).ok().flatten())
            .collect())
    }

    async fn render(&self, app: &Application, revisions: &[String]) -> Result<RenderedManifests, ApiError> {
        let repositories = self.open().await?;
        let project = app.spec.project_or_default();
        let mut all = RenderedManifests::default();
        for (index, source) in app.spec.effective_sources().iter().enumerate() {
            let revision = revisions.get(index).map(String::as_str).filter(|r| !r.is_empty());
            if source.is_ref_only() {
                all.revisions
                    .push(revision.unwrap_or(source.revision_or_head()).to_owned());
                continue;
            }
            let render = repositories
                .render(source, revision, project, Instant::now())
                .await
                .map_err(|e| failed(source, &e))?;
            if !render.rendered.is_complete() {
                let said: Vec<String> = render.rendered.diagnostics.iter().map(ToString::to_string).collect();
                return Err(ApiError::precondition(said.join("; ")));
            }
            all.objects
                .extend(render.rendered.objects.iter().map(|o| o.object.clone()));
            all.revisions.push(render.revision);
        }
        Ok(all)
    }
}

fn failed(source: &Source, error: &pintle_repo::RepoError) -> ApiError {
    let code = if error.is_retryable() {
        Code::Unavailable
    } else {
        Code::FailedPrecondition
    };
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let said = inner.to_string();
        if !message.contains(&said) {
            message.push_str(&format!(": {said}"));
        }
        cause = inner.source();
    }
    if !message.contains(&source.repo_url) {
        message = format!("{}: {message}", source.repo_url);
    }
    ApiError::new(code, message)
}

impl ManifestSource for LocalRepositories {
    fn manifests<'a>(&'a self, app: &'a Application, revisions: &'a [String]) -> Answer<'a, RenderedManifests> {
        Box::pin(self.render(app, revisions))
    }
}

impl RepoAccess for LocalRepositories {
    fn check<'a>(&'a self, repository: &'a Repository) -> Answer<'a, ()> {
        Box::pin(async move {
            if !matches!(repository.kind.as_str(), "" | "git") {
                return Err(ApiError::unsupported(format_args!(
                    "a repository of type {:?}",
                    repository.kind
                )));
            }
            // With what was just entered, and the stored prefixes for what was not.
            let mut secrets = self.secrets().await?;
            secrets.retain(|s| s.is_prefix() || s.url != repository.repo);
            secrets.push(secret(repository));
            let directory = TempDir::with_prefix("pintle-check-")
                .map_err(|e| ApiError::new(Code::Internal, format!("no directory for repositories: {e}")))?;
            let repositories = Repositories::new(PathBuf::from(directory.path()));
            repositories.set_credentials(CredentialBook::new(secrets, Vec::new()));
            let source = Source {
                repo_url: repository.repo.clone(),
                ..Source::default()
            };
            repositories
                .check(&repository.repo, &repository.project)
                .await
                .map_err(|e| failed(&source, &e))
        })
    }
}

fn secret(repository: &Repository) -> RepositorySecret {
    RepositorySecret {
        secret_namespace: String::new(),
        secret_name: String::new(),
        resource_version: String::new(),
        secret_type: SecretType::Repository,
        url: repository.repo.clone(),
        name: repository.name.clone(),
        project: repository.project.clone(),
        kind: RepositoryType::from(repository.kind.as_str()),
        credentials: RepositoryCredentials {
            username: repository.username.clone(),
            password: repository.password.clone(),
            bearer_token: repository.bearer_token.clone(),
            ssh_private_key: repository.ssh_private_key.clone(),
            tls_client_cert_data: repository.tls_client_cert_data.clone(),
            tls_client_cert_key: repository.tls_client_cert_key.clone(),
            force_http_basic_auth: repository.force_http_basic_auth,
            ..RepositoryCredentials::default()
        },
        insecure: repository.insecure,
        enable_lfs: repository.enable_lfs,
        enable_oci: repository.enable_oci,
        insecure_oci_force_http: false,
        proxy: repository.proxy.clone(),
        no_proxy: repository.no_proxy.clone(),
        depth: Some(repository.depth),
        webhook_manifest_cache_warm_disabled: false,
    }
}
