//! What a chart repository or registry is reached with [F2.24].

use std::sync::Arc;

use pintle_model::Sensitive;
use pintle_model::settings::{RepositoryCredentials, RepositorySecret, RepositoryType};
use reqwest::Url;
use reqwest::header::HeaderValue;
use sha2::{Digest as _, Sha256};

use crate::credential::{CredentialBook, has_any, is_prefix};
use crate::http::{HttpError, Reach};

/// What one chart repository is reached with: credentials from its own Secret, or else from the longest matching prefix.
#[derive(Clone)]
pub struct ChartAccess {
    credentials: RepositoryCredentials,
    /// Whether a Secret says that the URL is a registry.
    oci: bool,
    plain_http: bool,
    reach: Arc<Reach>,
    /// Tells accesses apart in memory; made of secrets, so it never leaves the process.
    fingerprint: [u8; 32],
    project: String,
}

impl CredentialBook {
    /// What to reach a chart repository or registry with. `url` may lack a scheme, as registries in Secrets do. A Secret that belongs to a
    /// project serves only that project.
    pub fn chart_access(&self, url: &str, project: &str) -> ChartAccess {
        let normal = normalize(url);
        let serves =
            |s: &&RepositorySecret| s.kind != RepositoryType::Git && (s.project.is_empty() || s.project == project);
        let own = self
            .chart_repositories
            .iter()
            .filter(serves)
            .filter(|s| normalize(&s.url) == normal)
            // A project's own Secret goes before a common one.
            .min_by_key(|s| s.project.is_empty());
        let prefix = self
            .chart_prefixes
            .iter()
            .filter(serves)
            .filter(|s| is_prefix(&normalize(&s.url), &normal))
            .max_by_key(|s| normalize(&s.url).len());
        let with_credentials = own.filter(|s| has_any(&s.credentials)).or(prefix);
        let credentials = with_credentials.map(|s| s.credentials.clone()).unwrap_or_default();
        let either = own.or(prefix);
        let says = |flag: fn(&RepositorySecret) -> bool| own.is_some_and(flag) || prefix.is_some_and(flag);
        let identity = match (&credentials.tls_client_cert_data, &credentials.tls_client_cert_key) {
            (Some(chain), Some(key)) => Some((chain.clone(), key.clone())),
            _ => None,
        };
        let reach = Reach {
            insecure: own.is_some_and(|s| s.insecure),
            proxy: either.and_then(|s| s.proxy.clone()),
            no_proxy: either.map(|s| s.no_proxy.clone()).unwrap_or_default(),
            identity,
            authorities: self.authorities.clone(),
        };
        ChartAccess {
            oci: says(|s| s.enable_oci || s.kind == RepositoryType::Oci),
            plain_http: says(|s| s.insecure_oci_force_http),
            fingerprint: fingerprint(&credentials, &reach),
            project: with_credentials.map(|s| s.project.clone()).unwrap_or_default(),
            credentials,
            reach: Arc::new(reach),
        }
    }
}

impl ChartAccess {
    /// Whether a Secret says that the URL is an OCI registry.
    pub fn is_oci(&self) -> bool {
        self.oci
    }

    /// Whether the registry is spoken to without TLS (`insecureOCIForceHttp`).
    pub fn is_plain_http(&self) -> bool {
        self.plain_http
    }

    /// The kind of credentials that cannot be used for charts yet, if that is what there is.
    pub(crate) fn unsupported(&self) -> Option<&'static str> {
        let c = &self.credentials;
        if c.password.is_some() || c.bearer_token.is_some() {
            None
        } else if c.gcp_service_account_key.is_some() {
            Some("a Google service account")
        } else if c.use_azure_workload_identity || c.azure_client_secret.is_some() {
            Some("an Azure identity")
        } else {
            None
        }
    }

    pub(crate) fn reach(&self) -> &Arc<Reach> {
        &self.reach
    }

    pub(crate) fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    /// The project whose credentials these are; empty for common ones and none.
    pub(crate) fn project(&self) -> &str {
        &self.project
    }

    pub(crate) fn forces_basic(&self) -> bool {
        self.credentials.force_http_basic_auth
    }

    /// `Basic …`, if there is a user name or password.
    pub(crate) fn basic(&self) -> Result<Option<HeaderValue>, HttpError> {
        use base64::Engine as _;
        let c = &self.credentials;
        if c.username.is_empty() && c.password.is_none() {
            return Ok(None);
        }
        let password = c.password.as_ref().map_or("", |p| p.expose().as_str());
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{}:{password}", c.username));
        secret_header(&format!("Basic {pair}"), "username and password").map(Some)
    }

    /// `Bearer …`, if there is a token.
    pub(crate) fn bearer(&self) -> Result<Option<HeaderValue>, HttpError> {
        match &self.credentials.bearer_token {
            Some(token) => bearer_header(token.expose()).map(Some),
            None => Ok(None),
        }
    }
}

/// A token as a header that is not shown in logs.
pub(crate) fn bearer_header(token: &str) -> Result<HeaderValue, HttpError> {
    secret_header(&format!("Bearer {token}"), "bearer token")
}

fn secret_header(text: &str, field: &'static str) -> Result<HeaderValue, HttpError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| HttpError::Material {
        field,
        message: "it holds characters that no HTTP header has".into(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// The spelling by which Secrets and Applications are compared: no `oci://`, host in lower case, no user, no `/` at the end.
pub(crate) fn normalize(url: &str) -> String {
    let url = url.trim().trim_end_matches('/');
    let url = strip_oci(url).unwrap_or(url);
    if url.contains("://") {
        return crate::url::normalize(url);
    }
    match url.split_once('/') {
        Some((host, path)) => format!("{}/{path}", host.to_ascii_lowercase()),
        None => url.to_ascii_lowercase(),
    }
}

/// What follows `oci://`, in any case of letters.
pub(crate) fn strip_oci(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    scheme.eq_ignore_ascii_case("oci").then_some(rest)
}

fn fingerprint(c: &RepositoryCredentials, reach: &Reach) -> [u8; 32] {
    let mut digest = Sha256::new();
    let mut add = |text: &str| {
        digest.update(text.len().to_le_bytes());
        digest.update(text);
    };
    let secret = |s: &Option<Sensitive<String>>| s.as_ref().map(|s| s.expose().clone()).unwrap_or_default();
    add(&c.username);
    for part in [
        &c.password,
        &c.bearer_token,
        &c.tls_client_cert_data,
        &c.tls_client_cert_key,
        &reach.proxy,
    ] {
        add(&secret(part));
    }
    add(&reach.no_proxy);
    add(if reach.insecure { "insecure" } else { "" });
    for (host, pem) in reach.authorities.iter() {
        add(host);
        add(pem);
    }
    digest.finalize().into()
}

/// Whether two URLs are one origin: scheme, host and port.
pub(crate) fn same_origin(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme() && a.host() == b.host() && a.port_or_known_default() == b.port_or_known_default()
}
