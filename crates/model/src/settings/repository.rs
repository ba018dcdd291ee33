//! Repository and repository-credential Secrets [F2.24].

use super::secret::{SecretData, SecretError, SecretType};
use crate::object::Object;
use crate::open_enum::open_enum;
use crate::sensitive::Sensitive;

open_enum! {
    /// What kind of repository a URL is; unset means Git.
    RepositoryType {
        /// A Git repository.
        Git = "git",
        /// A Helm repository.
        Helm = "helm",
        /// An OCI registry.
        Oci = "oci",
    }
}

/// A Secret of type `repository` or `repo-creds` (or one of their `-write` forms).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositorySecret {
    /// Namespace of the Secret.
    pub secret_namespace: String,
    /// Name of the Secret.
    pub secret_name: String,
    /// Version of the Secret it was read from.
    pub resource_version: String,
    /// Whether it is one repository or a prefix of many.
    pub secret_type: SecretType,
    /// URL of the repository, or the prefix of URLs.
    pub url: String,
    /// Name, for people and for Helm dependencies.
    pub name: String,
    /// Project it belongs to; empty means all.
    pub project: String,
    /// What kind of repository it is.
    pub kind: RepositoryType,
    /// How to prove who we are.
    pub credentials: RepositoryCredentials,
    /// Whether server certificates and SSH host keys are not checked (`insecure`, `insecureIgnoreHostKey`).
    pub insecure: bool,
    /// Whether large files are fetched.
    pub enable_lfs: bool,
    /// Whether a Helm repository is an OCI registry.
    pub enable_oci: bool,
    /// Whether the registry is spoken to without TLS.
    pub insecure_oci_force_http: bool,
    /// URL of a proxy. Sensitive: it may hold a password.
    pub proxy: Option<Sensitive<String>>,
    /// Hosts that are reached without the proxy.
    pub no_proxy: String,
    /// How many commits are fetched; `None` and 0 mean all.
    pub depth: Option<i64>,
    /// Whether webhooks do not warm the manifest cache.
    pub webhook_manifest_cache_warm_disabled: bool,
}

/// How to prove who we are to a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepositoryCredentials {
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
    /// Whether the password is sent without being asked for.
    pub force_http_basic_auth: bool,
    /// GitHub App private key, PEM.
    pub github_app_private_key: Option<Sensitive<String>>,
    /// GitHub App id.
    pub github_app_id: Option<i64>,
    /// GitHub App installation id.
    pub github_app_installation_id: Option<i64>,
    /// GitHub Enterprise API URL.
    pub github_app_enterprise_base_url: String,
    /// Google service account key, JSON.
    pub gcp_service_account_key: Option<Sensitive<String>>,
    /// Whether Azure workload identity is used.
    pub use_azure_workload_identity: bool,
    /// Azure service principal: client id.
    pub azure_client_id: String,
    /// Azure service principal: secret.
    pub azure_client_secret: Option<Sensitive<String>>,
    /// Azure service principal: tenant id.
    pub azure_tenant_id: String,
    /// Azure Active Directory endpoint.
    pub azure_active_directory_endpoint: String,
}

impl RepositorySecret {
    /// Reads a Secret by its label. `Ok(None)` where it is none of the repository types; an error where a key cannot be read, naming it.
    pub fn from_secret(secret: &Object) -> Result<Option<Self>, SecretError> {
        let secret_type = SecretType::of(secret);
        let is_prefix = match secret_type {
            SecretType::Repository | SecretType::RepositoryWrite => false,
            SecretType::RepoCreds | SecretType::RepoWriteCreds => true,
            _ => return Ok(None),
        };
        let data = SecretData(secret);
        let url = data.text("url")?;
        if url.is_empty() {
            return Err(data.error("url", "is missing"));
        }
        Ok(Some(Self {
            secret_namespace: secret.namespace().into(),
            secret_name: secret.name().into(),
            resource_version: secret.resource_version().into(),
            secret_type,
            url,
            name: data.text("name")?,
            project: data.text("project")?,
            kind: data.text("type")?.as_str().into(),
            credentials: credentials(&data, is_prefix)?,
            insecure: data.bool("insecure")? || data.bool("insecureIgnoreHostKey")?,
            enable_lfs: data.bool("enableLfs")?,
            enable_oci: data.bool("enableOCI")?,
            insecure_oci_force_http: data.bool("insecureOCIForceHttp")?,
            proxy: data.sensitive("proxy")?,
            no_proxy: data.text("noProxy")?,
            depth: data.integer("depth")?,
            webhook_manifest_cache_warm_disabled: data.bool("webhookManifestCacheWarmDisabled")?,
        }))
    }

    /// Whether this is a prefix of URLs rather than one repository.
    pub fn is_prefix(&self) -> bool {
        matches!(self.secret_type, SecretType::RepoCreds | SecretType::RepoWriteCreds)
    }
}

fn credentials(data: &SecretData<'_>, is_prefix: bool) -> Result<RepositoryCredentials, SecretError> {
    // The two Secrets spell these two keys differently [F2.24]; the other spelling is taken where the right one is missing.
    let azure = |part: &str| -> Result<String, SecretError> {
        let (upper, lower) = (
            format!("azureServicePrincipal{part}ID"),
            format!("azureServicePrincipal{part}Id"),
        );
        let (first, second) = if is_prefix { (upper, lower) } else { (lower, upper) };
        let text = data.text(&first)?;
        if text.is_empty() { data.text(&second) } else { Ok(text) }
    };
    Ok(RepositoryCredentials {
        username: data.text("username")?,
        password: data.sensitive("password")?,
        bearer_token: data.sensitive("bearerToken")?,
        ssh_private_key: data.sensitive("sshPrivateKey")?,
        tls_client_cert_data: data.sensitive("tlsClientCertData")?,
        tls_client_cert_key: data.sensitive("tlsClientCertKey")?,
        force_http_basic_auth: data.bool("forceHttpBasicAuth")?,
        github_app_private_key: data.sensitive("githubAppPrivateKey")?,
        github_app_id: data.integer("githubAppID")?,
        github_app_installation_id: data.integer("githubAppInstallationID")?,
        github_app_enterprise_base_url: data.text("githubAppEnterpriseBaseUrl")?,
        gcp_service_account_key: data.sensitive("gcpServiceAccountKey")?,
        use_azure_workload_identity: data.bool("useAzureWorkloadIdentity")?,
        azure_client_id: azure("Client")?,
        azure_client_secret: data.sensitive("azureServicePrincipalClientSecret")?,
        azure_tenant_id: azure("Tenant")?,
        azure_active_directory_endpoint: data.text("azureActiveDirectoryEndpoint")?,
    })
}
