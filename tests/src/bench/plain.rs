//! A client that does what it is told and knows nothing: what the floor is measured with.

use std::path::Path;

use http::Request;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::Value;

use super::Result;

/// One connection pool as the control plane's admin.
#[derive(Clone)]
pub(super) struct Plain(kube::Client);

impl Plain {
    pub(super) async fn connect(kubeconfig: &Path) -> Result<Self> {
        let file = Kubeconfig::read_from(kubeconfig)?;
        let config = kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await?;
        Ok(Self(kube::Client::try_from(config)?))
    }

    /// Creates an object in a collection such as `/api/v1/namespaces/bench/configmaps`.
    pub(super) async fn create(&self, collection: &str, object: &Value) -> Result<()> {
        let request = Request::post(collection).header("content-type", "application/json");
        self.0.request_text(request.body(serde_json::to_vec(object)?)?).await?;
        Ok(())
    }

    pub(super) async fn merge_patch(&self, path: &str, patch: &Value) -> Result<()> {
        let request = Request::patch(path).header("content-type", "application/merge-patch+json");
        self.0.request_text(request.body(serde_json::to_vec(patch)?)?).await?;
        Ok(())
    }

    pub(super) async fn get(&self, path: &str) -> Result<String> {
        Ok(self.0.request_text(Request::get(path).body(Vec::new())?).await?)
    }
}
