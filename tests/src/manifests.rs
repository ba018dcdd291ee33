//! What scenarios put into Git and into the cluster.

use serde_json::{Value, json};

/// A Deployment of two replicas that is Degraded when it does not progress for five seconds.
pub fn deployment(name: &str, image: &str) -> String {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {
            "replicas": 2, "progressDeadlineSeconds": 5, "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                // Quantities that the server does not write as we do: they must compare equal all the same.
                "spec": {"containers": [{"name": "web", "image": image, "resources": {"requests": {"cpu": "1000m"}}}]}
            }
        }
    })
    .to_string()
}

/// A Service in front of [`deployment`].
pub fn service(name: &str) -> String {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8080}]}
    })
    .to_string()
}

/// A ConfigMap with one key.
pub fn config_map(name: &str, value: &str) -> String {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"key": value}}).to_string()
}

/// A Job that ends by itself.
pub fn job(name: &str) -> String {
    json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name},
        "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "job", "image": "job:1"}]}}}
    })
    .to_string()
}

/// The manifest with an annotation, such as `argocd.argoproj.io/sync-wave`.
#[expect(clippy::expect_used, reason = "the manifest comes from this file")]
pub fn annotated(manifest: &str, name: &str, value: &str) -> String {
    let mut object: Value = serde_json::from_str(manifest).expect("made here");
    object["metadata"]["annotations"][name] = value.into();
    object.to_string()
}

/// The manifest in a wave.
pub fn wave(manifest: &str, wave: i32) -> String {
    annotated(manifest, "argocd.argoproj.io/sync-wave", &wave.to_string())
}

/// The manifest as a hook of a phase.
pub fn hook(manifest: &str, phase: &str) -> String {
    annotated(manifest, "argocd.argoproj.io/hook", phase)
}

/// A definition of the kind Widget in the group bad.example.com, to arrive late.
pub const WIDGETS: &str = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: widgets.bad.example.com
spec:
  group: bad.example.com
  names: {kind: Widget, listKind: WidgetList, plural: widgets, singular: widget}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}}
";
