//! Cluster Secrets [F2.23].

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::secret::{SecretData, SecretError, SecretType};
use crate::annotation::{REFRESH, SKIP_RECONCILE, is_true};
use crate::object::Object;
use crate::sensitive::Sensitive;
use crate::time::Time;
use crate::value::Value;

/// A Secret of type `cluster`: a cluster Applications may deploy to.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterSecret {
    /// Namespace of the Secret.
    pub secret_namespace: String,
    /// Name of the Secret.
    pub secret_name: String,
    /// Version of the Secret it was read from.
    pub resource_version: String,
    /// URL of the API server, without a trailing slash.
    pub server: String,
    /// Name; the URL where none is given.
    pub name: String,
    /// Namespaces to look at; empty means all.
    pub namespaces: Vec<String>,
    /// Whether cluster-scoped objects are looked at though `namespaces` is not empty.
    pub cluster_resources: bool,
    /// Project it belongs to; empty means all.
    pub project: String,
    /// Shard that looks after it.
    pub shard: Option<i64>,
    /// How to connect.
    pub config: ClusterConfig,
    /// When its cache was last asked to be thrown away (annotation `argocd.argoproj.io/refresh`).
    pub refresh_requested_at: Option<Time>,
    /// Whether nothing in it is reconciled [F3.36].
    pub skip_reconcile: bool,
}

/// How to connect to a cluster.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClusterConfig {
    /// User name, for basic authentication.
    pub username: String,
    /// Password, for basic authentication.
    pub password: Option<Sensitive<String>>,
    /// Bearer token.
    pub bearer_token: Option<Sensitive<String>>,
    /// TLS.
    pub tls: ClusterTls,
    /// AWS IAM authentication.
    pub aws: Option<AwsAuth>,
    /// A program that gives credentials.
    pub exec: Option<ExecAuth>,
    /// Whether responses are not compressed.
    pub disable_compression: bool,
    /// URL of a proxy. Sensitive: it may hold a password.
    pub proxy_url: Option<Sensitive<String>>,
}

/// How a cluster's TLS is done; contents are PEM.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClusterTls {
    /// Whether the server's certificate is not checked.
    pub insecure: bool,
    /// Name to check the certificate for, where it is not the URL's.
    pub server_name: String,
    /// Client certificate.
    pub cert_data: Option<Sensitive<Vec<u8>>>,
    /// Client key.
    pub key_data: Option<Sensitive<Vec<u8>>>,
    /// Authorities to trust; public, but kept with the others.
    pub ca_data: Option<Sensitive<Vec<u8>>>,
}

/// AWS IAM authentication.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AwsAuth {
    /// Name of the EKS cluster.
    pub cluster_name: String,
    /// Role to take.
    pub role_arn: String,
    /// Profile to use.
    pub profile: String,
}

/// A program that gives credentials, as in a kubeconfig.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExecAuth {
    /// The program.
    pub command: String,
    /// Its arguments. Sensitive: they may hold passwords.
    pub args: Sensitive<Vec<String>>,
    /// Its environment, added to ours.
    pub env: Sensitive<BTreeMap<String, String>>,
    /// Version of the protocol.
    pub api_version: String,
    /// What to tell people where the program is missing.
    pub install_hint: String,
    /// Whether the program is told about the cluster.
    pub provide_cluster_info: bool,
}

impl ClusterSecret {
    /// Reads a Secret by its label. `Ok(None)` where it is no cluster; an error where a key cannot be read, naming it.
    pub fn from_secret(secret: &Object) -> Result<Option<Self>, SecretError> {
        if SecretType::of(secret) != SecretType::Cluster {
            return Ok(None);
        }
        let data = SecretData(secret);
        let server = data.text("server")?.trim_end_matches('/').to_owned();
        if server.is_empty() {
            return Err(data.error("server", "is missing"));
        }
        let name = data.text("name")?;
        let namespaces = data.text("namespaces")?;
        Ok(Some(Self {
            secret_namespace: secret.namespace().into(),
            secret_name: secret.name().into(),
            resource_version: secret.resource_version().into(),
            name: if name.is_empty() { server.clone() } else { name },
            server,
            namespaces: namespaces
                .split(',')
                .map(str::trim)
                .filter(|n| !n.is_empty())
                .map(str::to_owned)
                .collect(),
            // As in the peer, only the exact text `true` counts.
            cluster_resources: data.text("clusterResources")? == "true",
            project: data.text("project")?,
            shard: data.integer("shard")?,
            config: config(&data)?,
            refresh_requested_at: secret.annotation(REFRESH).and_then(|text| text.parse().ok()),
            skip_reconcile: secret.annotation(SKIP_RECONCILE).is_some_and(is_true),
        }))
    }
}

fn config(data: &SecretData<'_>) -> Result<ClusterConfig, SecretError> {
    let Some(text) = data.bytes("config")?.filter(|text| !text.is_empty()) else {
        return Ok(ClusterConfig::default());
    };
    // The parser's error names a place, never the text.
    let root = Value::from_json(&text).map_err(|_| data.error("config", "is not JSON"))?;
    if root.as_map().is_none() && !root.is_null() {
        return Err(data.error("config", "is not a JSON object"));
    }
    let config = Json {
        data,
        value: &root,
        path: "config",
    };
    let tls = config.child("tlsClientConfig", "config.tlsClientConfig")?;
    let aws = config.child("awsAuthConfig", "config.awsAuthConfig")?;
    let exec = config.child("execProviderConfig", "config.execProviderConfig")?;
    Ok(ClusterConfig {
        username: config.text("username")?,
        password: config.secret("password")?,
        bearer_token: config.secret("bearerToken")?,
        tls: match tls {
            None => ClusterTls::default(),
            Some(tls) => ClusterTls {
                insecure: tls.bool("insecure")?,
                server_name: tls.text("serverName")?,
                cert_data: tls.base64("certData")?,
                key_data: tls.base64("keyData")?,
                ca_data: tls.base64("caData")?,
            },
        },
        aws: match aws {
            None => None,
            Some(aws) => Some(AwsAuth {
                cluster_name: aws.text("clusterName")?,
                role_arn: aws.text("roleARN")?,
                profile: aws.text("profile")?,
            }),
        },
        exec: match exec {
            None => None,
            Some(exec) => Some(ExecAuth {
                command: exec.text("command")?,
                args: exec.texts("args")?.into(),
                env: exec.text_map("env")?.into(),
                api_version: exec.text("apiVersion")?,
                install_hint: exec.text("installHint")?,
                provide_cluster_info: exec.bool("provideClusterInfo")?,
            }),
        },
        disable_compression: config.bool("disableCompression")?,
        proxy_url: config.secret("proxyUrl")?,
    })
}

/// One JSON object inside a Secret, read without ever quoting it.
struct Json<'a> {
    data: &'a SecretData<'a>,
    value: &'a Value,
    path: &'static str,
}

impl<'a> Json<'a> {
    fn get(&self, field: &str) -> Option<&'a Value> {
        self.value.get(field).filter(|value| !value.is_null())
    }

    fn wrong(&self, field: &str, message: &'static str) -> SecretError {
        self.data.error(&format!("{}.{field}", self.path), message)
    }

    fn child(&self, field: &str, path: &'static str) -> Result<Option<Self>, SecretError> {
        match self.get(field) {
            None => Ok(None),
            Some(value) if value.as_map().is_some() => Ok(Some(Self {
                data: self.data,
                value,
                path,
            })),
            Some(_) => Err(self.wrong(field, "is not a JSON object")),
        }
    }

    fn text(&self, field: &str) -> Result<String, SecretError> {
        match self.get(field) {
            None => Ok(String::new()),
            Some(value) => value
                .as_str()
                .map(str::to_owned)
                .ok_or_else(|| self.wrong(field, "is not a string")),
        }
    }

    fn secret(&self, field: &str) -> Result<Option<Sensitive<String>>, SecretError> {
        Ok(Some(self.text(field)?)
            .filter(|text| !text.is_empty())
            .map(Sensitive::new))
    }

    fn base64(&self, field: &str) -> Result<Option<Sensitive<Vec<u8>>>, SecretError> {
        let text = self.text(field)?;
        if text.is_empty() {
            return Ok(None);
        }
        BASE64_STANDARD
            .decode(text)
            .map(|bytes| Some(bytes.into()))
            .map_err(|_| self.wrong(field, "is not base64"))
    }

    fn bool(&self, field: &str) -> Result<bool, SecretError> {
        match self.get(field) {
            None => Ok(false),
            Some(value) => value.as_bool().ok_or_else(|| self.wrong(field, "is not a boolean")),
        }
    }

    fn texts(&self, field: &str) -> Result<Vec<String>, SecretError> {
        let wrong = || self.wrong(field, "is not a list of strings");
        let Some(value) = self.get(field) else {
            return Ok(Vec::new());
        };
        value
            .as_list()
            .ok_or_else(wrong)?
            .iter()
            .map(|v| v.as_str().map(str::to_owned).ok_or_else(wrong))
            .collect()
    }

    fn text_map(&self, field: &str) -> Result<BTreeMap<String, String>, SecretError> {
        let wrong = || self.wrong(field, "is not a map of strings");
        let Some(value) = self.get(field) else {
            return Ok(BTreeMap::new());
        };
        let map = value.as_map().ok_or_else(wrong)?;
        map.iter()
            .map(|(k, v)| Some((k.to_owned(), v.as_str()?.to_owned())))
            .collect::<Option<_>>()
            .ok_or_else(wrong)
    }
}
