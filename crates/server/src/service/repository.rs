//! Repositories: Secrets of the control namespace [F2.24].

use futures_util::stream::{self, StreamExt as _};
use pintle_cluster::Scope;
use pintle_engine::effect::{Action, Effect, Permitted, Propagation};
use pintle_engine::record;
use pintle_model::annotation::{LABEL_SECRET_TYPE, MANAGED_BY, MANAGED_BY_VALUE};
use pintle_model::settings::RepositorySecret;
use pintle_model::{Gvk, Object, Sensitive};

use crate::api::{Answer, ConnectionState, Repository, RepositoryService};
use crate::core::Core;
use crate::error::{ApiError, Code, written};
use crate::query::same_repository;

/// Repositories tried at once: each try is a process and a connection.
const PARALLEL_CHECKS: usize = 8;

impl RepositoryService for Core {
    fn list(&self, check: bool) -> Answer<'_, Vec<Repository>> {
        Box::pin(self.list_repositories(check))
    }

    fn create(&self, repository: Repository, upsert: bool) -> Answer<'_, Repository> {
        Box::pin(self.create_repository(repository, upsert))
    }

    fn delete(&self, repo: String, project: String) -> Answer<'_, ()> {
        Box::pin(self.delete_repository(repo, project))
    }
}

impl Core {
    async fn repository_secrets(&self) -> Result<Vec<(Object, Repository)>, ApiError> {
        let kind = self.kind("", "Secret").await?;
        let scope = Scope::namespace(&self.config.control_namespace)
            .with_labels(format!("{LABEL_SECRET_TYPE} in (repository,repo-creds)"));
        let listed = self.store().list(&kind, &scope).await?;
        let mut prefixes: Vec<RepositorySecret> = Vec::new();
        let mut found = Vec::new();
        for object in listed.objects {
            match RepositorySecret::from_secret(&object) {
                Ok(Some(secret)) if secret.is_prefix() => prefixes.push(secret),
                Ok(Some(secret)) => found.push((object, shown(secret))),
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "unreadable repository Secret"),
            }
        }
        for (_, repository) in &mut found {
            let covers = |p: &RepositorySecret| repository.repo.starts_with(p.url.as_str());
            repository.inherited_creds = !repository.has_credentials() && prefixes.iter().any(covers);
        }
        found.sort_by(|(_, a), (_, b)| (&a.repo, &a.project).cmp(&(&b.repo, &b.project)));
        Ok(found)
    }

    async fn list_repositories(&self, check: bool) -> Result<Vec<Repository>, ApiError> {
        let secrets = self.repository_secrets().await?;
        let checked = stream::iter(secrets.into_iter().map(|(_, mut repository)| async move {
            if check {
                repository.connection = self.connection(&repository).await;
            }
            without_secrets(repository)
        }));
        Ok(checked.buffered(PARALLEL_CHECKS).collect().await)
    }

    async fn connection(&self, repository: &Repository) -> ConnectionState {
        match self.parts.repositories.check(repository).await {
            Ok(()) => ConnectionState::Successful,
            Err(error) => ConnectionState::Failed(error.message),
        }
    }

    async fn create_repository(&self, repository: Repository, upsert: bool) -> Result<Repository, ApiError> {
        if repository.repo.is_empty() {
            return Err(ApiError::invalid("the URL of the repository is required"));
        }
        let existing = self
            .repository_secrets()
            .await?
            .into_iter()
            .find(|(_, r)| same_repository(&r.repo, &repository.repo) && r.project == repository.project);
        if let Some((_, existing)) = &existing {
            if same_settings(existing, &repository) {
                return Ok(without_secrets(existing.clone()));
            }
            if !upsert {
                return Err(ApiError::invalid(
                    "existing repository spec is different; use upsert flag to force update",
                )
                .with_hint("--upsert replaces it"));
            }
        }
        self.parts
            .repositories
            .check(&repository)
            .await
            .map_err(|error| ApiError {
                message: format!("error testing repository connectivity: {}", error.message),
                ..error
            })?;
        let secret = self.secret_of(&repository);
        let (effect, live) = match &existing {
            None => (record::create(secret), None),
            Some((live, _)) => {
                let replaced = replaced(live, &secret);
                let action = Action::Replace {
                    object: replaced,
                    force: false,
                };
                (
                    Effect {
                        action,
                        ..record::delete(live, Propagation::Background)
                    },
                    Some(live),
                )
            }
        };
        self.write_secret(effect, live).await?;
        Ok(without_secrets(Repository {
            connection: ConnectionState::Successful,
            ..repository
        }))
    }

    async fn delete_repository(&self, repo: String, project: String) -> Result<(), ApiError> {
        let all = self.repository_secrets().await?;
        let same: Vec<&(Object, Repository)> = all.iter().filter(|(_, r)| same_repository(&r.repo, &repo)).collect();
        let exact = same.iter().find(|(_, r)| r.project == project);
        let chosen = match (exact, same.as_slice()) {
            (Some(exact), _) => *exact,
            (None, [only]) if project.is_empty() => *only,
            (None, []) => {
                return Err(ApiError::not_found(format!("repository {repo:?} is not configured"))
                    .with_hint("`repo list` shows the repositories"));
            }
            (None, several) => {
                let projects: Vec<&str> = several.iter().map(|(_, r)| r.project.as_str()).collect();
                return Err(ApiError::not_found(format!(
                    "repository {repo:?} is not configured for project {project:?}"
                ))
                .with_hint(format!("it is for: {}; --project names one", projects.join(", "))));
            }
        };
        self.write_secret(record::delete(&chosen.0, Propagation::Background), Some(&chosen.0))
            .await
    }

    async fn write_secret(&self, effect: Effect, live: Option<&Object>) -> Result<(), ApiError> {
        let permitted = Permitted::repository_secret(effect, &self.config.control_namespace, live)
            .map_err(|e| ApiError::new(Code::Internal, format!("{} is not a repository Secret", e.key())))?;
        written(self.store().execute(permitted).await).map(|_| ())
    }

    fn secret_of(&self, repository: &Repository) -> Object {
        let name = format!("repo-{}", fnv32a(&[&repository.repo, &repository.project]));
        let mut object = Object::bare(&Gvk::new("", "v1", "Secret"), &self.config.control_namespace, &name);
        object.set_label(LABEL_SECRET_TYPE, "repository");
        object.set_annotation(MANAGED_BY, MANAGED_BY_VALUE);
        let text = |secret: &Option<Sensitive<String>>| secret.as_ref().map(|s| s.expose().clone()).unwrap_or_default();
        let flag = |on: bool| if on { "true".to_owned() } else { String::new() };
        let depth = if repository.depth == 0 {
            String::new()
        } else {
            repository.depth.to_string()
        };
        let kind = if repository.kind.is_empty() {
            "git"
        } else {
            &repository.kind
        };
        for (key, value) in [
            ("url", repository.repo.clone()),
            ("type", kind.to_owned()),
            ("name", repository.name.clone()),
            ("project", repository.project.clone()),
            ("username", repository.username.clone()),
            ("password", text(&repository.password)),
            ("bearerToken", text(&repository.bearer_token)),
            ("sshPrivateKey", text(&repository.ssh_private_key)),
            ("tlsClientCertData", text(&repository.tls_client_cert_data)),
            ("tlsClientCertKey", text(&repository.tls_client_cert_key)),
            ("insecure", flag(repository.insecure)),
            ("enableLfs", flag(repository.enable_lfs)),
            ("enableOCI", flag(repository.enable_oci)),
            ("forceHttpBasicAuth", flag(repository.force_http_basic_auth)),
            ("proxy", text(&repository.proxy)),
            ("noProxy", repository.no_proxy.clone()),
            ("depth", depth),
        ] {
            if !value.is_empty() {
                use base64::Engine as _;
                let encoded = base64::prelude::BASE64_STANDARD.encode(value);
                object.value_mut().set_at(&["data", key], encoded.into());
            }
        }
        object
    }
}

/// The Secret as it is, holding what is wanted now.
fn replaced(live: &Object, wanted: &Object) -> Object {
    let mut object = live.clone();
    let data = wanted
        .value()
        .get("data")
        .cloned()
        .unwrap_or_else(pintle_model::Value::map);
    object.value_mut().set_at(&["data"], data);
    object.set_label(LABEL_SECRET_TYPE, "repository");
    object
}

/// FNV-1a of 32 bits, decimal: how the peer names these Secrets.
fn fnv32a(parts: &[&str]) -> u32 {
    parts
        .iter()
        .flat_map(|p| p.bytes())
        .fold(0x811c_9dc5, |hash: u32, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        })
}

fn shown(secret: RepositorySecret) -> Repository {
    let c = secret.credentials;
    Repository {
        repo: secret.url,
        kind: secret.kind.as_str().to_owned(),
        name: secret.name,
        project: secret.project,
        username: c.username,
        password: c.password,
        bearer_token: c.bearer_token,
        ssh_private_key: c.ssh_private_key,
        tls_client_cert_data: c.tls_client_cert_data,
        tls_client_cert_key: c.tls_client_cert_key,
        insecure: secret.insecure,
        enable_lfs: secret.enable_lfs,
        enable_oci: secret.enable_oci,
        force_http_basic_auth: c.force_http_basic_auth,
        proxy: secret.proxy,
        no_proxy: secret.no_proxy,
        depth: secret.depth.unwrap_or(0),
        inherited_creds: false,
        connection: ConnectionState::Unknown,
    }
}

/// Whether both configure the same; an unset type means Git.
fn same_settings(a: &Repository, b: &Repository) -> bool {
    let plain = |r: &Repository| Repository {
        repo: String::new(),
        kind: if r.kind.is_empty() {
            "git".into()
        } else {
            r.kind.clone()
        },
        inherited_creds: false,
        connection: ConnectionState::Unknown,
        ..r.clone()
    };
    plain(a) == plain(b)
}

/// Answers never carry secrets; that there are some is told by the user name and by `CREDS` [F5.20].
fn without_secrets(repository: Repository) -> Repository {
    // An empty secret says that there is one.
    let hidden = |secret: Option<Sensitive<String>>| secret.map(|_| Sensitive::new(String::new()));
    Repository {
        password: hidden(repository.password),
        bearer_token: hidden(repository.bearer_token),
        ssh_private_key: hidden(repository.ssh_private_key),
        tls_client_cert_data: hidden(repository.tls_client_cert_data),
        tls_client_cert_key: hidden(repository.tls_client_cert_key),
        proxy: hidden(repository.proxy),
        ..repository
    }
}

#[cfg(test)]
mod tests {
    use super::fnv32a;

    #[test]
    fn names_are_those_of_the_peer() {
        // FNV-1a's published vectors.
        assert_eq!(fnv32a(&[""]), 0x811c_9dc5);
        assert_eq!(fnv32a(&["a"]), 0xe40c_292c);
        assert_eq!(fnv32a(&["foo", "bar"]), 0xbf9c_f968);
    }
}
