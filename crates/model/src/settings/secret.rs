//! Secrets that hold settings [F2.22].

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::annotation::LABEL_SECRET_TYPE;
use crate::object::Object;
use crate::open_enum::open_enum;
use crate::sensitive::Sensitive;
use crate::value::Value;

open_enum! {
    /// What a Secret of ours is: the label `argocd.argoproj.io/secret-type` [F2.22].
    SecretType {
        /// A cluster to deploy to.
        Cluster = "cluster",
        /// A repository to read.
        Repository = "repository",
        /// Credentials for repositories whose URLs begin alike.
        RepoCreds = "repo-creds",
        /// A repository that hydration writes to.
        RepositoryWrite = "repository-write",
        /// Credentials for repositories that hydration writes to.
        RepoWriteCreds = "repo-write-creds",
        /// A token for ApplicationSet generators.
        ScmCreds = "scm-creds",
    }
}

impl SecretType {
    /// What `secret` is; `Unset` where it has no such label.
    pub fn of(secret: &Object) -> Self {
        secret.label(LABEL_SECRET_TYPE).map_or(Self::Unset, Self::from)
    }
}

/// Why a Secret cannot be used. Never holds what the Secret does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Secret {namespace}/{name}: {key}: {message}")]
pub struct SecretError {
    /// Namespace of the Secret.
    pub namespace: String,
    /// Name of the Secret.
    pub name: String,
    /// The key in it.
    pub key: String,
    /// What is wrong.
    pub message: &'static str,
}

/// A Secret's keys, decoded one by one.
pub(super) struct SecretData<'a>(pub(super) &'a Object);

impl SecretData<'_> {
    /// The bytes under `key`; `stringData` wins over `data`, as on the API server.
    pub(super) fn bytes(&self, key: &str) -> Result<Option<Vec<u8>>, SecretError> {
        if let Some(text) = self.0.value().str_at(&["stringData", key]) {
            return Ok(Some(text.as_bytes().to_vec()));
        }
        match self.0.value().at(&["data", key]) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Str(text)) => BASE64_STANDARD
                .decode(text.as_bytes())
                .map(Some)
                .map_err(|_| self.error(key, "is not base64")),
            Some(_) => Err(self.error(key, "is not a string")),
        }
    }

    /// The text under `key`; absent and empty alike are the empty text.
    pub(super) fn text(&self, key: &str) -> Result<String, SecretError> {
        let Some(bytes) = self.bytes(key)? else {
            return Ok(String::new());
        };
        String::from_utf8(bytes).map_err(|_| self.error(key, "is not UTF-8"))
    }

    /// The secret text under `key`, `None` where absent or empty.
    pub(super) fn sensitive(&self, key: &str) -> Result<Option<Sensitive<String>>, SecretError> {
        Ok(Some(self.text(key)?)
            .filter(|text| !text.is_empty())
            .map(Sensitive::new))
    }

    /// The boolean under `key`, false where absent or empty.
    pub(super) fn bool(&self, key: &str) -> Result<bool, SecretError> {
        match self.text(key)?.as_str() {
            "" => Ok(false),
            text => super::document::parse_bool(text).map_err(|_| self.error(key, "is neither true nor false")),
        }
    }

    /// The whole number under `key`, `None` where absent or empty.
    pub(super) fn integer(&self, key: &str) -> Result<Option<i64>, SecretError> {
        match self.text(key)?.as_str() {
            "" => Ok(None),
            text => text
                .parse()
                .map(Some)
                .map_err(|_| self.error(key, "is no whole number")),
        }
    }

    pub(super) fn error(&self, key: &str, message: &'static str) -> SecretError {
        SecretError {
            namespace: self.0.namespace().into(),
            name: self.0.name().into(),
            key: key.into(),
            message,
        }
    }
}
