//! A person's hand at the Kubernetes API: what the demo creates and spoils as `kubectl` would, past Pintle.

use http::{Method, Request, header};
use pintle_cluster::{Cluster, ServedKind};
use pintle_model::{GroupKind, Object, Value, to_json};

/// Named in managedFields and logs, so that nobody takes these writes for Pintle's.
const FIELD_MANAGER: &str = "demo-hand";

/// Why the hand could not do it.
#[derive(Debug, thiserror::Error)]
pub enum HandError {
    /// The kind is not served.
    #[error(transparent)]
    Kind(#[from] pintle_cluster::ApiError),
    /// The request could not be made.
    #[error("cannot ask for {path}")]
    Request {
        /// The path.
        path: String,
        /// Why.
        #[source]
        source: http::Error,
    },
    /// The API refused.
    #[error("{method} {path}: {message}")]
    Refused {
        /// What was asked.
        method: Method,
        /// Of what.
        path: String,
        /// The answer.
        message: String,
    },
}

/// A client with every right, beside Pintle's own.
pub struct Hand {
    client: kube::Client,
    cluster: Cluster,
}

impl Hand {
    /// `client` writes; `cluster`, the same API server, knows what it serves.
    pub fn new(client: kube::Client, cluster: Cluster) -> Self {
        Self { client, cluster }
    }

    /// As `kubectl create`.
    pub async fn create(&self, object: &Object) -> Result<(), HandError> {
        let kind = self.cluster.served(&object.gvk()).await?;
        let path = collection(&kind, object.namespace());
        self.send(Method::POST, path, "application/json", to_json(object.value()))
            .await
    }

    /// As `kubectl patch --type=merge`.
    pub async fn merge(&self, kind: &GroupKind, namespace: &str, name: &str, patch: &Value) -> Result<(), HandError> {
        let kind = self.cluster.served_kind(kind).await?;
        let path = format!("{}/{name}", collection(&kind, namespace));
        self.send(Method::PATCH, path, "application/merge-patch+json", to_json(patch))
            .await
    }

    async fn send(&self, method: Method, path: String, content: &str, body: Vec<u8>) -> Result<(), HandError> {
        let request = Request::builder()
            .method(method.clone())
            .uri(format!("{path}?fieldManager={FIELD_MANAGER}"))
            .header(header::CONTENT_TYPE, content)
            .header(header::ACCEPT, "application/json")
            .body(body);
        let request = request.map_err(|source| HandError::Request {
            path: path.clone(),
            source,
        })?;
        match self.client.request_text(request).await {
            Ok(_) => Ok(()),
            Err(e) => Err(HandError::Refused {
                method,
                path,
                message: e.to_string(),
            }),
        }
    }
}

/// The path of a kind's collection.
fn collection(kind: &ServedKind, namespace: &str) -> String {
    let (group, version) = (&kind.gvk.group, &kind.gvk.version);
    let root = if group.is_empty() {
        format!("/api/{version}")
    } else {
        format!("/apis/{group}/{version}")
    };
    if kind.namespaced {
        format!("{root}/namespaces/{namespace}/{}", kind.plural)
    } else {
        format!("{root}/{}", kind.plural)
    }
}
