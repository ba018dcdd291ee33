//! The control namespace's own documents: settings, credentials, projects, Applications.

use std::collections::BTreeMap;

use pintle_cluster::Scope;
use pintle_model::settings::{CONFIG_NAME, PARAMS_NAME, RepositorySecret, Settings};
use pintle_model::{GroupKind, Object};
use pintle_repo::CredentialBook;

use crate::config::ControllerConfig;
use crate::controller::ControllerError;

/// Name of the ConfigMap with certificate authorities by host [F2.21].
const TLS_CERTS_NAME: &str = "argocd-tls-certs-cm";

/// Reads the two settings documents; absent ones mean the defaults.
pub(crate) async fn read_settings(config: &ControllerConfig) -> Result<Settings, ControllerError> {
    let kind = config.cluster.served_kind(&GroupKind::new("", "ConfigMap")).await?;
    let listed = config
        .cluster
        .list(&kind, &Scope::namespace(config.control_namespace.as_str()))
        .await?;
    let find = |name: &str| listed.objects.iter().find(|o| o.name() == name);
    Settings::parse(find(CONFIG_NAME), find(PARAMS_NAME), 0).map_err(|e| ControllerError::Settings {
        namespace: config.control_namespace.clone(),
        message: e.to_string(),
    })
}

/// Repository Secrets and certificate authorities, as last seen.
#[derive(Default)]
pub(crate) struct Credentials {
    secrets: BTreeMap<String, RepositorySecret>,
    authorities: Vec<(String, String)>,
}

impl Credentials {
    /// Takes a Secret over; answers whether anything about repositories changed.
    pub fn secret(&mut self, secret: &Object) -> bool {
        match RepositorySecret::from_secret(secret) {
            Ok(Some(new)) => {
                let old = self.secrets.insert(secret.name().to_owned(), new.clone());
                old.as_ref() != Some(&new)
            }
            Ok(None) => self.secrets.remove(secret.name()).is_some(),
            Err(e) => {
                // What it said before is no longer true either.
                tracing::warn!(secret = secret.name(), error = %e, "a repository Secret cannot be read; it is not used");
                self.secrets.remove(secret.name()).is_some()
            }
        }
    }

    /// Forgets a Secret.
    pub fn remove(&mut self, name: &str) -> bool {
        self.secrets.remove(name).is_some()
    }

    /// Forgets every Secret that is not among `names`.
    pub fn keep(&mut self, names: &std::collections::BTreeSet<&str>) -> bool {
        let before = self.secrets.len();
        self.secrets.retain(|name, _| names.contains(name.as_str()));
        self.secrets.len() != before
    }

    /// Takes the certificate authorities over.
    pub fn authorities(&mut self, config_map: &Object) -> bool {
        let data = config_map.value().get("data").and_then(|d| d.as_map());
        let new: Vec<(String, String)> = data
            .into_iter()
            .flat_map(|d| d.iter())
            .filter_map(|(host, pem)| Some((host.to_ascii_lowercase(), pem.as_str()?.to_owned())))
            .collect();
        let changed = new != self.authorities;
        self.authorities = new;
        changed
    }

    /// Everything as one value.
    pub fn book(&self) -> CredentialBook {
        CredentialBook::new(self.secrets.values().cloned(), self.authorities.clone())
    }
}

/// Whether a ConfigMap holds certificate authorities.
pub(crate) fn is_authorities(object: &Object) -> bool {
    object.name() == TLS_CERTS_NAME
}

/// Whether a ConfigMap is one of the settings documents.
pub(crate) fn is_settings(object: &Object) -> bool {
    matches!(object.name(), CONFIG_NAME | PARAMS_NAME)
}
