//! The applications and their objects, as data.

use serde_json::{Value, json};

use super::stage::TARGET;
use crate::thirds;

/// Kinds an application consists of, in the order in which a plain client creates them.
pub(super) const KINDS: [(&str, &str, &str); 4] = [
    ("", "ServiceAccount", "/api/v1/namespaces/bench/serviceaccounts"),
    ("", "ConfigMap", "/api/v1/namespaces/bench/configmaps"),
    ("", "Service", "/api/v1/namespaces/bench/services"),
    ("apps", "Deployment", "/apis/apps/v1/namespaces/bench/deployments"),
];

/// Name of the `index`th application, and of each of its objects.
pub(super) fn name(index: usize) -> String {
    thirds::name(index)
}

/// The objects of one application, in the order of [`KINDS`]. `note` is in the ConfigMap.
pub(super) fn objects(index: usize, note: &str) -> [Value; 4] {
    let name = name(index);
    let labels = json!({"app": name});
    let meta = json!({"name": name, "namespace": TARGET, "labels": labels});
    [
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta}),
        json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": meta,
            "data": {"note": note, "settings": "level=info\ncolour=blue\n".repeat(8)},
        }),
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": meta,
            "spec": {"selector": labels, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]},
        }),
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta,
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {
                        "serviceAccountName": name,
                        "containers": [{
                            "name": "main", "image": "registry.example/app:1.0",
                            "ports": [{"name": "http", "containerPort": 8080}],
                            "envFrom": [{"configMapRef": {"name": name}}],
                            "resources": {"requests": {"cpu": "1m", "memory": "1Mi"}},
                        }],
                    },
                },
            },
        }),
    ]
}
