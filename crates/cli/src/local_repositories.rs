//! Repositories as the command line reads them: by this process itself, with the credentials of the control namespace.

use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pintle_cluster::Scope;
use pintle_engine::effect::{INSTALLATION_KEY, INSTALLATION_SECRET};
use pintle_engine::track::instance_name;
use pintle_model::annotation::LABEL_SECRET_TYPE;
use pintle_model::application::{Application, Source};
use pintle_model::settings::{RepositoryCredentials, RepositorySecret, RepositoryType, SecretType};
use pintle_model::{GroupKind, Sensitive};
use pintle_render::AppIdentity;
use pintle_render::helm::Capabilities;
use pintle_repo::{Ask, CredentialBook, Repositories};
use pintle_server::api::{Answer, ManifestSource, RenderedManifests, RepoAccess, Repository};
use pintle_server::store::Store;
use pintle_server::{ApiError, Code};
use tempfile::TempDir;
use tokio::sync::OnceCell;

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
        let ask = self.ask(app, revisions).await?;
        let mut all = RenderedManifests::default();
        for (source, answer) in ask.sources.iter().zip(repositories.render(&ask).await) {
            let render = answer.map_err(|e| failed(source, &e))?;
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

    /// What the controller would ask for this application.
    async fn ask(&self, app: &Application, revisions: &[String]) -> Result<Ask, ApiError> {
        let kinds = self.store.kinds().await?;
        let (served, unreadable) = kinds.api_versions();
        let capabilities = Capabilities::of_cluster(&kinds.version, served, unreadable)
            .map_err(|e| ApiError::new(Code::Internal, e.to_string()))?;
        let kind = self.store.served(&GroupKind::new("", "Secret")).await?;
        // Without the secret a chart that draws random values says so itself.
        let secret = self.store.find(&kind, &self.namespace, INSTALLATION_SECRET).await?;
        let secret = secret
            .as_ref()
            .and_then(|s| s.value().str_at(&["data", INSTALLATION_KEY]))
            .and_then(|text| STANDARD.decode(text).ok());
        let sources = app.spec.effective_sources();
        let revision = |i: usize| revisions.get(i).filter(|r| !r.is_empty()).cloned();
        let metadata = &app.metadata;
        Ok(Ask {
            revisions: (0..sources.len()).map(revision).collect(),
            app: AppIdentity {
                name: metadata.name.clone(),
                instance: instance_name(&metadata.namespace, &metadata.name, &self.namespace),
                namespace: app.spec.destination.namespace.clone(),
                uid: metadata.uid.clone(),
            },
            project: app.spec.project_or_default().to_owned(),
            capabilities: Arc::new(capabilities),
            secret: secret.map(|bytes| Arc::new(Sensitive::new(bytes))),
            ..Ask::plain(sources)
        })
    }
}

fn failed(source: &Source, error: &pintle_repo::RepoError) -> ApiError {
    let code = if error.is_retryable() {
        Code::Unavailable
    } else {
        Code::FailedPrecondition
    };
    ApiError::new(code, explain(source, error))
}

/// Why a source cannot be rendered, with every cause and the repository it is about.
pub(crate) fn explain(source: &Source, error: &pintle_repo::RepoError) -> String {
    let mut message = with_causes(error);
    if !message.contains(&source.repo_url) {
        message = format!("{}: {message}", source.repo_url);
    }
    message
}

/// Why something cannot be had, with every cause.
pub(crate) fn with_causes(error: &pintle_repo::RepoError) -> String {
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let said = inner.to_string();
        if !message.contains(&said) {
            message.push_str(&format!(": {said}"));
        }
        cause = inner.source();
    }
    message
}

impl ManifestSource for LocalRepositories {
    fn manifests<'a>(&'a self, app: &'a Application, revisions: &'a [String]) -> Answer<'a, RenderedManifests> {
        Box::pin(self.render(app, revisions))
    }
}

impl RepoAccess for LocalRepositories {
    fn check<'a>(&'a self, repository: &'a Repository) -> Answer<'a, ()> {
        Box::pin(async move {
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
            let (url, project) = (&repository.repo, &repository.project);
            let answered = match repository.kind.as_str() {
                "" | "git" => repositories.check(url, project).await,
                _ => repositories.check_charts(url, project).await,
            };
            answered.map_err(|e| failed(&source, &e))
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
