//! Which credentials a repository gets, and how Git is told without an argument or environment variable holding them [F2.24, I-26].

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use pintle_model::settings::{RepositoryCredentials, RepositorySecret, RepositoryType};

use crate::url::{RepoUrl, Scheme, normalize};

/// Everything known about access to repositories, from Secrets and from `argocd-tls-certs-cm`. A value: replaced whole when a Secret changes.
#[derive(Default)]
pub struct CredentialBook {
    repositories: Vec<RepositorySecret>,
    prefixes: Vec<RepositorySecret>,
    /// The same two for chart repositories and registries.
    pub(crate) chart_repositories: Vec<RepositorySecret>,
    pub(crate) chart_prefixes: Vec<RepositorySecret>,
    /// Host name to PEM certificates that are trusted for it.
    pub(crate) authorities: std::sync::Arc<[(String, String)]>,
}

/// What one repository is reached with.
#[derive(Clone, Default)]
pub struct Access {
    credentials: RepositoryCredentials,
    insecure: bool,
    proxy: Option<pintle_model::Sensitive<String>>,
    authority_pem: Option<String>,
}

impl CredentialBook {
    /// Collects repository Secrets and certificate authorities by host. A Secret without a type serves Git and charts.
    pub fn new(secrets: impl IntoIterator<Item = RepositorySecret>, authorities: Vec<(String, String)>) -> Self {
        let secrets: Vec<RepositorySecret> = secrets.into_iter().collect();
        let of = |wanted: fn(&RepositoryType) -> bool| {
            let chosen = secrets.iter().filter(|s| wanted(&s.kind)).cloned();
            chosen.partition(RepositorySecret::is_prefix)
        };
        let (prefixes, repositories) = of(|kind| matches!(kind, RepositoryType::Git | RepositoryType::Unset));
        let (chart_prefixes, chart_repositories) = of(|kind| *kind != RepositoryType::Git);
        Self {
            repositories,
            prefixes,
            chart_repositories,
            chart_prefixes,
            authorities: authorities.into(),
        }
    }

    /// The URL of the chart repository whose Secret has this name; a dependency may be written `@name`.
    pub(crate) fn chart_repository_named(&self, name: &str) -> Option<String> {
        let mut named = self.chart_repositories.iter().filter(|s| s.name == name);
        named.next().map(|s| s.url.clone())
    }

    /// What to reach a repository with: its own Secret, credentials from there or else from the longest matching prefix. A Secret that belongs
    /// to a project serves only that project.
    pub fn access(&self, url: &RepoUrl, project: &str) -> Access {
        let normal = url.normalized();
        let serves = |s: &&RepositorySecret| s.project.is_empty() || s.project == project;
        let mut own: Vec<&RepositorySecret> = self
            .repositories
            .iter()
            .filter(serves)
            .filter(|s| normalize(&s.url) == normal)
            .collect();
        // A project's own Secret goes before a common one.
        own.sort_by_key(|s| s.project.is_empty());
        let own = own.first().copied();
        let prefix = self
            .prefixes
            .iter()
            .filter(serves)
            .filter(|s| is_prefix(&normalize(&s.url), &normal))
            .max_by_key(|s| normalize(&s.url).len());
        let credentials = match own {
            Some(s) if has_any(&s.credentials) => s.credentials.clone(),
            _ => prefix.map(|s| s.credentials.clone()).unwrap_or_default(),
        };
        let host = host_of(url.as_str());
        Access {
            credentials,
            insecure: own.is_some_and(|s| s.insecure),
            proxy: own.or(prefix).and_then(|s| s.proxy.clone()),
            authority_pem: self
                .authorities
                .iter()
                .find(|(h, _)| *h == host)
                .map(|(_, pem)| pem.clone()),
        }
    }
}

/// A prefix ends at a path boundary: `https://host/team` is none of `https://host/team-b/x`.
pub(crate) fn is_prefix(prefix: &str, url: &str) -> bool {
    url.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || prefix.ends_with('/'))
}

pub(crate) fn has_any(c: &RepositoryCredentials) -> bool {
    *c != RepositoryCredentials::default()
}

fn host_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    host.split(':').next().unwrap_or_default().to_ascii_lowercase()
}

/// Why credentials cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// A kind of credentials that is not spoken yet.
    #[error(
        "the credentials of {url} are {what}, which this version does not support; use a user name with a password or token"
    )]
    NotYet {
        /// Repository.
        url: String,
        /// What they are.
        what: &'static str,
    },
    /// A value that would change the meaning of the private configuration file.
    #[error("the {field} of the credentials of {url} holds characters that cannot be passed to git")]
    Characters {
        /// Repository.
        url: String,
        /// Which one.
        field: &'static str,
    },
    /// The private file could not be written.
    #[error("cannot write the private git configuration below {directory:?}: {source}")]
    Write {
        /// Where.
        directory: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// A private directory with Git's configuration for one run; gone when dropped.
pub struct PrivateConfig {
    directory: tempfile::TempDir,
}

impl PrivateConfig {
    /// The configuration file.
    pub fn path(&self) -> PathBuf {
        self.directory.path().join("config")
    }
}

impl Access {
    /// Whether nothing is needed to reach the repository.
    pub fn is_anonymous(&self) -> bool {
        !has_any(&self.credentials) && !self.insecure && self.proxy.is_none() && self.authority_pem.is_none()
    }

    /// Writes what Git needs into a private directory below `scratch`; `None` if it needs nothing.
    ///
    /// User name and password go through `git credential-store`, which gives them to the repository's own host only, so that a redirect to another
    /// host does not take them along. A bearer token is a header, so redirects are not followed with it.
    pub fn private_config(&self, url: &RepoUrl, scratch: &Path) -> Result<Option<PrivateConfig>, AccessError> {
        if self.is_anonymous() || url.scheme() == Scheme::File {
            return Ok(None);
        }
        let c = &self.credentials;
        self.refuse_unsupported(url)?;
        let write = |source| AccessError::Write {
            directory: scratch.to_owned(),
            source,
        };
        let directory = tempfile::Builder::new()
            .prefix("git-")
            .tempdir_in(scratch)
            .map_err(write)?;
        let file = |name: &str, content: &str| -> Result<String, AccessError> {
            let path = directory.path().join(name);
            write_private(&path, content).map_err(write)?;
            Ok(path.to_string_lossy().into_owned())
        };
        let mut config = String::from("[http]\n");
        if self.insecure {
            config.push_str("\tsslVerify = false\n");
        }
        if let Some(pem) = &self.authority_pem {
            let _ = writeln!(config, "\tsslCAInfo = {}", quote(&file("ca.pem", pem)?));
        }
        if let (Some(cert), Some(key)) = (&c.tls_client_cert_data, &c.tls_client_cert_key) {
            let _ = writeln!(config, "\tsslCert = {}", quote(&file("client.pem", cert.expose())?));
            let _ = writeln!(config, "\tsslKey = {}", quote(&file("client.key", key.expose())?));
        }
        if let Some(proxy) = &self.proxy {
            let _ = writeln!(config, "\tproxy = {}", quote(plain(url, "proxy", proxy.expose())?));
        }
        if let Some(token) = &c.bearer_token {
            let token = plain(url, "bearerToken", token.expose())?;
            let _ = writeln!(
                config,
                "\tfollowRedirects = false\n\textraHeader = {}",
                quote(&format!("Authorization: Bearer {token}"))
            );
        }
        if let Some(password) = &c.password {
            let store = file("credentials", &store_line(url, &c.username, password.expose()))?;
            let _ = writeln!(
                config,
                "[credential]\n\thelper = {}",
                quote(&format!("store --file='{store}'"))
            );
        }
        file("config", &config)?;
        Ok(Some(PrivateConfig { directory }))
    }

    fn refuse_unsupported(&self, url: &RepoUrl) -> Result<(), AccessError> {
        let c = &self.credentials;
        let what = if c.github_app_private_key.is_some() {
            "a GitHub App"
        } else if c.gcp_service_account_key.is_some() {
            "a Google service account"
        } else if c.use_azure_workload_identity || c.azure_client_secret.is_some() {
            "an Azure identity"
        } else if c.ssh_private_key.is_some() && c.password.is_none() && c.bearer_token.is_none() {
            "an SSH key"
        } else {
            return Ok(());
        };
        Err(AccessError::NotYet {
            url: url.to_string(),
            what,
        })
    }
}

/// `https://user:password@host/`, percent-encoded, as `git credential-store` keeps it.
fn store_line(url: &RepoUrl, username: &str, password: &str) -> String {
    let (scheme, rest) = url.as_str().split_once("://").unwrap_or(("https", url.as_str()));
    let authority = rest.split('/').next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    // Any user name does for token services; Git needs one to ask for the password at all.
    let username = if username.is_empty() { "git" } else { username };
    format!("{scheme}://{}:{}@{host}\n", percent(username), percent(password))
}

fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Refuses what would end the line or the string in Git's configuration.
fn plain<'a>(url: &RepoUrl, field: &'static str, text: &'a str) -> Result<&'a str, AccessError> {
    if text.chars().any(char::is_control) {
        Err(AccessError::Characters {
            url: url.to_string(),
            field,
        })
    } else {
        Ok(text)
    }
}

/// A string for Git's configuration file.
fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn write_private(path: &Path, content: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content.as_bytes())
}

#[cfg(test)]
mod tests {
    use pintle_model::{Object, Sensitive};

    use super::*;

    fn secret(secret_type: &str, fields: &str) -> RepositorySecret {
        let json = format!(
            r#"{{"apiVersion":"v1","kind":"Secret","metadata":{{"name":"s","labels":{{"argocd.argoproj.io/secret-type":"{secret_type}"}}}},"stringData":{{{fields}}}}}"#
        );
        RepositorySecret::from_secret(&Object::from_json(json.as_bytes()).ok().unwrap())
            .unwrap()
            .unwrap()
    }

    fn user(book: &CredentialBook, url: &str, project: &str) -> String {
        book.access(&RepoUrl::parse(url).unwrap(), project).credentials.username
    }

    #[test]
    fn own_secret_then_longest_prefix_and_projects_keep_to_themselves() {
        let book = CredentialBook::new(
            [
                secret("repository", r#""url":"https://h/team/app.git","username":"own""#),
                secret("repository", r#""url":"https://h/team/bare""#),
                secret("repository", r#""url":"https://h/shared","username":"p","project":"a""#),
                secret("repo-creds", r#""url":"https://h","username":"host""#),
                secret("repo-creds", r#""url":"https://h/team","username":"team""#),
            ],
            vec![],
        );
        assert_eq!(user(&book, "https://H/team/app", "x"), "own");
        assert_eq!(user(&book, "https://h/team/bare", "x"), "team");
        assert_eq!(user(&book, "https://h/team-b/x", "x"), "host");
        assert_eq!(user(&book, "https://h/shared", "a"), "p");
        assert_eq!(user(&book, "https://h/shared", "b"), "host");
        assert_eq!(user(&book, "https://other/x", "b"), "");
    }

    #[test]
    fn secrets_go_into_private_files_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let scratch = tempfile::tempdir().unwrap();
        let access = Access {
            credentials: RepositoryCredentials {
                username: "me".into(),
                password: Some(Sensitive::new("p@ss\"w\\ord\n/%".into())),
                ..RepositoryCredentials::default()
            },
            ..Access::default()
        };
        let url = RepoUrl::parse("https://h:8443/x").unwrap();
        let config = access.private_config(&url, scratch.path()).unwrap().unwrap();
        let store = config.path().with_file_name("credentials");
        assert_eq!(
            std::fs::read_to_string(&store).unwrap(),
            "https://me:p%40ss%22w%5Cord%0A%2F%25@h:8443\n"
        );
        assert_eq!(std::fs::metadata(&store).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!std::fs::read_to_string(config.path()).unwrap().contains("p@ss"));
        drop(config);
        assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_line_break_cannot_add_configuration() {
        let scratch = tempfile::tempdir().unwrap();
        let access = Access {
            credentials: RepositoryCredentials {
                bearer_token: Some(Sensitive::new("x\n[core]\n\tsshCommand = evil".into())),
                ..RepositoryCredentials::default()
            },
            ..Access::default()
        };
        let url = RepoUrl::parse("https://h/x").unwrap();
        assert!(matches!(
            access.private_config(&url, scratch.path()),
            Err(AccessError::Characters {
                field: "bearerToken",
                ..
            })
        ));
    }
}
