//! The user's own client: what a person does with `kubectl`, on either plane.

use http::{Method, Request};
use pintle_model::{to_json_string, yaml_objects};
use serde_json::Value;

/// Kinds that scenarios use: apiVersion, kind, plural, whether namespaced.
const KINDS: &[(&str, &str, &str, bool)] = &[
    ("v1", "Namespace", "namespaces", false),
    ("v1", "ConfigMap", "configmaps", true),
    ("v1", "Secret", "secrets", true),
    ("v1", "Service", "services", true),
    ("v1", "Pod", "pods", true),
    ("apps/v1", "Deployment", "deployments", true),
    ("batch/v1", "Job", "jobs", true),
    ("argoproj.io/v1alpha1", "Application", "applications", true),
    ("argoproj.io/v1alpha1", "AppProject", "appprojects", true),
    (
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        false,
    ),
    ("bad.example.com/v1", "Widget", "widgets", true),
];

/// What the user's client calls itself.
pub const USER: &str = "acceptance-user";

/// A client with all rights.
#[derive(Clone)]
pub struct Api {
    client: kube::Client,
}

impl Api {
    /// Wraps a client.
    pub fn new(client: kube::Client) -> Self {
        Self { client }
    }

    /// Reads an object; `None` if it is not there, or its kind is not.
    pub async fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<Value> {
        match self
            .send(Method::GET, &path(kind, namespace, name), "", Vec::new())
            .await
        {
            Ok(object) => Some(object),
            Err(kube::Error::Api(status)) if status.code == 404 => None,
            Err(error) => panic!("get {kind} {namespace}/{name}: {error}"),
        }
    }

    /// Lists a namespace's objects of a kind; none if the kind is not there.
    pub async fn list(&self, kind: &str, namespace: &str) -> Vec<Value> {
        match self.send(Method::GET, &path(kind, namespace, ""), "", Vec::new()).await {
            Ok(mut list) => match list["items"].take() {
                Value::Array(items) => items,
                _ => Vec::new(),
            },
            Err(kube::Error::Api(status)) if status.code == 404 => Vec::new(),
            Err(error) => panic!("list {kind} in {namespace}: {error}"),
        }
    }

    /// Creates every object of a YAML stream. An object that is there already stays as it is.
    pub async fn create(&self, yaml: &str) -> Result<(), kube::Error> {
        for object in yaml_objects(yaml) {
            let object = object.result.expect("a scenario's own YAML is sound");
            let path = path(object.kind(), object.namespace(), "");
            let body = to_json_string(object.value()).into_bytes();
            match self.send(Method::POST, &path, "application/json", body).await {
                Err(kube::Error::Api(status)) if status.reason == "AlreadyExists" => {}
                other => drop(other?),
            }
        }
        Ok(())
    }

    /// Changes an object by a JSON merge patch.
    pub async fn patch(&self, kind: &str, namespace: &str, name: &str, patch: &Value) {
        let path = path(kind, namespace, name);
        let body = patch.to_string().into_bytes();
        let done = self
            .send(Method::PATCH, &path, "application/merge-patch+json", body)
            .await;
        done.unwrap_or_else(|e| panic!("patch {kind} {namespace}/{name}: {e}"));
    }

    /// Deletes an object, in the background.
    pub async fn delete(&self, kind: &str, namespace: &str, name: &str) {
        let path = path(kind, namespace, name);
        let options = br#"{"propagationPolicy":"Background"}"#.to_vec();
        let done = self.send(Method::DELETE, &path, "application/json", options).await;
        done.unwrap_or_else(|e| panic!("delete {kind} {namespace}/{name}: {e}"));
    }

    async fn send(&self, method: Method, path: &str, content: &str, body: Vec<u8>) -> Result<Value, kube::Error> {
        let mut request = Request::builder().method(method).uri(path).header("user-agent", USER);
        if !content.is_empty() {
            request = request.header("content-type", content);
        }
        let request = request.body(body).expect("a path of ours is a URI");
        self.client.request(request).await
    }
}

fn path(kind: &str, namespace: &str, name: &str) -> String {
    let known = KINDS.iter().find(|k| k.1 == kind);
    let (version, _, plural, namespaced) = known.unwrap_or_else(|| panic!("no scenario uses {kind} yet"));
    let prefix = if version.contains('/') { "apis" } else { "api" };
    let within = if *namespaced {
        format!("/namespaces/{namespace}")
    } else {
        String::new()
    };
    let of = if name.is_empty() {
        String::new()
    } else {
        format!("/{name}")
    };
    format!("/{prefix}/{version}{within}/{plural}{of}")
}
