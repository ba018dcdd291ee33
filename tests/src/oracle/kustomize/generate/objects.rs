//! Kubernetes objects that name one another.

use serde_json::{Map, Value, json};

use super::super::super::random::Random;
use super::yaml::raw;

/// Few names, so that objects meet.
pub(super) const NAMES: [&str; 4] = ["a", "b", "app", "app-b"];
pub(super) const NAMESPACES: [&str; 5] = ["one", "two", "default", "three", "one-b"];
pub(super) const IMAGES: [&str; 8] = [
    "nginx",
    "nginx:1.2",
    "r.io:5000/x/nginx:v1",
    "r.io:5000/x/nginx",
    "nginx@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "nginx:1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "busybox:{{ tag }}",
    "x/busybox",
];
pub(super) const KINDS: [(&str, &str); 24] = [
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("batch/v1", "Job"),
    ("batch/v1", "CronJob"),
    ("v1", "Pod"),
    ("v1", "Service"),
    ("v1", "ConfigMap"),
    ("v1", "Secret"),
    ("v1", "ServiceAccount"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "Namespace"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole"),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
    ("networking.k8s.io/v1", "Ingress"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("policy/v1", "PodDisruptionBudget"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
    ("example.com/v1", "Thing"),
    ("example.com/v1alpha1", "Widget"),
];
/// Workloads are most of what is patched.
const COMMON: [usize; 12] = [0, 0, 0, 1, 4, 5, 6, 6, 7, 7, 8, 22];

/// A kind, its apiVersion first.
pub(super) fn kind(random: &mut Random) -> (&'static str, &'static str) {
    if random.chance(65) {
        KINDS[random.pick(&COMMON)]
    } else {
        random.pick(&KINDS)
    }
}

/// An object of a random kind.
pub(super) fn object(random: &mut Random) -> Value {
    let kind = kind(random);
    of_kind(random, kind)
}

/// An object of a kind.
pub(super) fn of_kind(random: &mut Random, (api_version, kind): (&str, &str)) -> Value {
    let name = random.pick(&NAMES);
    let mut object = Map::new();
    object.insert("apiVersion".into(), json!(api_version));
    object.insert("kind".into(), json!(kind));
    object.insert("metadata".into(), metadata(random, name));
    for (key, value) in body(random, kind) {
        object.insert(key, value);
    }
    Value::Object(object)
}

fn metadata(random: &mut Random, name: &str) -> Value {
    let mut metadata = json!({ "name": name });
    if random.chance(35) {
        metadata["namespace"] = json!(random.pick(&NAMESPACES));
    }
    // What is a name to some readers and a number or nothing to others.
    if random.chance(2) {
        let field = random.pick(&["name", "name", "namespace"]);
        metadata[field] = raw(random.pick(&["53", "\"53\"", "true", "'1e3'", "yes", "012", "~", "''", "1.0"]));
    }
    for field in ["labels", "annotations"] {
        if random.chance(30) {
            metadata[field] = pairs(random);
        }
    }
    if random.chance(3) {
        metadata["annotations"] = json!({ "config.kubernetes.io/local-config": random.pick(&["true", "false"]) });
    }
    metadata
}

/// Labels or annotations.
pub(super) fn pairs(random: &mut Random) -> Value {
    let mut map = Map::new();
    for _ in 0..=random.below(2) {
        let key = if random.chance(1) {
            random.pick(&["1", "true", "yes", "~"])
        } else {
            random.pick(&["app", "tier", "x.io/k", "l"])
        };
        let value = match random.below(12) {
            0 => raw("yes"),
            1 => raw("1"),
            2 => raw("\"1\""),
            3 => raw("''"),
            _ => json!(random.pick(&["a", "b", "front", "true"])),
        };
        map.insert(key.into(), value);
    }
    Value::Object(map)
}

fn labels(random: &mut Random) -> Value {
    json!({ random.pick(&["app", "tier"]): random.pick(&["a", "b", "front"]) })
}

/// A scalar in any spelling.
pub(super) fn scalar(random: &mut Random) -> Value {
    raw(random.pick(&[
        "1",
        "0",
        "-7",
        "0x1F",
        "012",
        "0o14",
        "1e3",
        "1.0",
        "1.50",
        ".5",
        "12e03",
        "1_000",
        "+1",
        "yes",
        "on",
        "No",
        "y",
        "~",
        "null",
        "''",
        "\"1\"",
        "'true'",
        "true",
        "True",
        "FALSE",
        "2020-01-02",
        "2001-12-14t21:59:43.10-05:00",
        "!!str 12",
        "plain text",
        "\"a\\nb\"",
        "'it''s'",
        "\"tab\\tx\"",
        "\"\\u00e9\"",
        "é",
        "{}",
        "[]",
        "a:b",
        "\"#x\"",
        "0b11",
        "1:30",
        ".inf",
        "9223372036854775808",
        "123456789012345678901234567890",
        "-0",
        "1.",
        "x # comment",
        "'- a'",
        "\" lead\"",
        "\"trail \"",
        "\"line one\\nline two\\n\"",
        "\"a: b\"",
        "'@at'",
        "'*star'",
        "'%p'",
        "\"\\\\\"",
        "=",
        "{a: , b: 1}",
        "{a: ~}",
        "[a, ~, ]",
        "[[], {b: }]",
        "!!int \"5\"",
        "!!float 3",
        "!!str",
        "!custom 5",
        "!!binary aGk=",
        "|\n      block\n      text",
        ">-\n      folded\n      text",
    ]))
}

fn env(random: &mut Random) -> Value {
    let name = random.pick(&["A", "B", "LONG_NAME", "C"]);
    match random.below(6) {
        0 => json!({ "name": name, "valueFrom": { "configMapKeyRef": { "name": random.pick(&NAMES), "key": "k" } } }),
        1 => json!({ "name": name, "valueFrom": { "secretKeyRef": { "name": random.pick(&NAMES), "key": "k" } } }),
        2 => json!({ "name": name, "value": scalar(random) }),
        3 => {
            json!({ "name": name, "value": random.pick(&["$(VAR)", "x-$(VAR)-$(OTHER)", "$$(VAR)", "$(", "$(VAR", "$VAR"]) })
        }
        _ => json!({ "name": name, "value": random.pick(&["v", "http://a.b:80/c", "a.b.c"]) }),
    }
}

fn list(random: &mut Random, most: usize, mut make: impl FnMut(&mut Random) -> Value) -> Value {
    let mut one = |random: &mut Random| if random.chance(1) { Value::Null } else { make(random) };
    Value::Array((0..=random.below(most)).map(|_| one(random)).collect())
}

/// A container.
pub(super) fn container(random: &mut Random, name: &str) -> Value {
    let mut container = json!({ "name": name, "image": random.pick(&IMAGES) });
    if random.chance(40) {
        container["env"] = list(random, 3, env);
    }
    if random.chance(15) {
        let source = random.pick(&["configMapRef", "secretRef"]);
        container["envFrom"] = json!([{ source: { "name": random.pick(&NAMES) } }]);
    }
    if random.chance(30) {
        container["ports"] = list(random, 2, |random| {
            let mut port = json!({ "containerPort": random.pick(&[80, 8080, 53]) });
            if random.chance(40) {
                port["protocol"] = json!(random.pick(&["TCP", "UDP"]));
            }
            if random.chance(40) {
                port["name"] = json!(random.pick(&["http", "dns"]));
            }
            port
        });
    }
    if random.chance(25) {
        container["args"] = list(random, 3, |random| match random.below(4) {
            0 => scalar(random),
            _ => json!(random.pick(&["--a", "--b=c", "$(VAR)", "-x"])),
        });
    }
    if random.chance(20) {
        container["volumeMounts"] = list(
            random,
            2,
            |random| json!({ "mountPath": random.pick(&["/a", "/b"]), "name": random.pick(&NAMES) }),
        );
    }
    if random.chance(15) {
        container["resources"] = json!({ "limits": { "cpu": scalar(random), "memory": "1Gi" } });
    }
    container
}

fn volume(random: &mut Random) -> Value {
    let name = random.pick(&NAMES);
    match random.below(6) {
        0 => json!({ "name": name, "emptyDir": {} }),
        1 => json!({ "name": name, "secret": { "secretName": random.pick(&NAMES) } }),
        2 => json!({ "name": name, "persistentVolumeClaim": { "claimName": random.pick(&NAMES) } }),
        3 => json!({ "name": name, "projected": { "sources": [
            { "configMap": { "name": random.pick(&NAMES) } }, { "secret": { "name": random.pick(&NAMES) } }
        ] } }),
        _ => json!({ "name": name, "configMap": { "name": random.pick(&NAMES) } }),
    }
}

fn pod_spec(random: &mut Random) -> Value {
    let names = ["main", "side", "third"];
    let count = 1 + random.below(3);
    let containers: Vec<Value> = names.iter().take(count).map(|name| container(random, name)).collect();
    let mut spec = json!({ "containers": containers });
    if random.chance(15) {
        spec["initContainers"] = json!([container(random, "init")]);
    }
    if random.chance(35) {
        spec["volumes"] = list(random, 2, volume);
    }
    if random.chance(20) {
        spec["serviceAccountName"] = json!(random.pick(&NAMES));
    }
    if random.chance(10) {
        spec["imagePullSecrets"] = json!([{ "name": random.pick(&NAMES) }]);
    }
    if random.chance(10) {
        spec["tolerations"] = json!([{ "key": "k", "operator": "Exists" }, { "key": "l", "effect": "NoSchedule" }]);
    }
    if random.chance(8) {
        spec["affinity"] = json!({ "podAntiAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": [
            { "labelSelector": { "matchLabels": labels(random) }, "topologyKey": "zone" } ] } });
    }
    if random.chance(8) {
        spec["topologySpreadConstraints"] = json!([{ "maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": { "matchLabels": labels(random) } }]);
    }
    if random.chance(8) {
        spec["nodeSelector"] = pairs(random);
    }
    spec
}

fn template(random: &mut Random) -> Value {
    let mut template = json!({ "metadata": { "labels": labels(random) }, "spec": pod_spec(random) });
    if random.chance(25) {
        template["metadata"]["annotations"] = pairs(random);
    }
    if random.chance(5) {
        template.as_object_mut().map(|t| t.remove("metadata"));
    }
    template
}

fn subjects(random: &mut Random) -> Value {
    list(random, 2, |random| {
        let mut subject = json!({
            "kind": random.pick(&["ServiceAccount", "ServiceAccount", "User", "Group"]),
            "name": random.pick(&["a", "b", "default", "app"]),
        });
        if random.chance(50) {
            subject["namespace"] = json!(random.pick(&NAMESPACES));
        }
        subject
    })
}

fn body(random: &mut Random, kind: &str) -> Vec<(String, Value)> {
    let spec = |value: Value| vec![("spec".to_owned(), value)];
    match kind {
        "Deployment" | "DaemonSet" | "StatefulSet" => {
            let mut value = json!({ "template": template(random) });
            if random.chance(85) {
                value["selector"] = json!({ "matchLabels": labels(random) });
            }
            if random.chance(50) && kind != "DaemonSet" {
                value["replicas"] = json!(random.below(4));
            }
            if kind == "Deployment" && random.chance(20) {
                value["strategy"] = json!({ "type": "RollingUpdate", "rollingUpdate": { "maxSurge": 1 } });
            }
            if kind == "StatefulSet" {
                value["serviceName"] = json!(random.pick(&NAMES));
                if random.chance(30) {
                    value["volumeClaimTemplates"] =
                        json!([{ "metadata": { "name": "data" }, "spec": { "accessModes": ["ReadWriteOnce"] } }]);
                }
            }
            spec(value)
        }
        "Job" => spec(json!({ "template": template(random) })),
        "CronJob" => {
            spec(json!({ "schedule": "* * * * *", "jobTemplate": { "spec": { "template": template(random) } } }))
        }
        "Pod" => spec(pod_spec(random)),
        "Service" => {
            let ports = list(random, 2, |random| {
                let mut port = json!({ "port": random.pick(&[80, 443, 53]) });
                if random.chance(50) {
                    port["targetPort"] = if random.chance(50) { json!("http") } else { json!(8080) };
                }
                if random.chance(30) {
                    port["protocol"] = json!(random.pick(&["TCP", "UDP"]));
                }
                port
            });
            let mut value = json!({ "ports": ports });
            if random.chance(70) {
                value["selector"] = labels(random);
            }
            spec(value)
        }
        "ConfigMap" => {
            let mut data = Map::new();
            for key in ["k", "file.txt", "n"] {
                if random.chance(60) {
                    data.insert(key.into(), scalar(random));
                }
            }
            let mut out = vec![("data".to_owned(), Value::Object(data))];
            if random.chance(10) {
                out.push(("immutable".into(), json!(true)));
            }
            out
        }
        "Secret" => vec![
            ("type".into(), json!("Opaque")),
            (
                random.pick(&["data", "stringData"]).to_owned(),
                json!({ "k": "aGVsbG8=", "j": random.pick(&["", "eA=="]) }),
            ),
        ],
        "PersistentVolumeClaim" => spec(
            json!({ "accessModes": ["ReadWriteOnce"], "volumeName": random.pick(&NAMES),
            "resources": { "requests": { "storage": "1Gi" } } }),
        ),
        "Role" | "ClusterRole" => {
            let mut rule = json!({ "apiGroups": [""], "resources": ["configmaps", "secrets"], "verbs": ["get"] });
            if random.chance(60) {
                rule["resourceNames"] = list(random, 2, |random| json!(random.pick(&NAMES)));
            }
            vec![("rules".into(), json!([rule]))]
        }
        "RoleBinding" | "ClusterRoleBinding" => {
            let role = random.pick(&["Role", "ClusterRole"]);
            vec![
                (
                    "roleRef".into(),
                    json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": role, "name": random.pick(&NAMES) }),
                ),
                ("subjects".into(), subjects(random)),
            ]
        }
        "Ingress" => spec(json!({
            "ingressClassName": random.pick(&NAMES),
            "tls": [{ "hosts": ["h.io"], "secretName": random.pick(&NAMES) }],
            "rules": [{ "host": "h.io", "http": { "paths": [
                { "path": "/", "pathType": "Prefix", "backend": { "service": { "name": random.pick(&NAMES), "port": { "number": 80 } } } } ] } }]
        })),
        "NetworkPolicy" => spec(json!({
            "podSelector": { "matchLabels": labels(random) },
            "ingress": [{ "from": [{ "podSelector": { "matchLabels": labels(random) } }] }]
        })),
        "HorizontalPodAutoscaler" => spec(json!({
            "scaleTargetRef": { "apiVersion": "apps/v1", "kind": random.pick(&["Deployment", "StatefulSet"]), "name": random.pick(&NAMES) },
            "maxReplicas": 3
        })),
        "PodDisruptionBudget" => spec(json!({ "minAvailable": 1, "selector": { "matchLabels": labels(random) } })),
        "CustomResourceDefinition" => spec(json!({
            "group": "example.com", "scope": random.pick(&["Namespaced", "Cluster"]),
            "names": { "kind": "Thing", "plural": "things" }, "versions": [{ "name": "v1", "served": true, "storage": true }],
            "conversion": { "strategy": "Webhook", "webhook": { "clientConfig": { "service": { "name": random.pick(&NAMES), "namespace": "one" } } } }
        })),
        "ValidatingWebhookConfiguration" => vec![(
            "webhooks".into(),
            json!([{ "name": "w.io", "clientConfig": { "service": { "name": random.pick(&NAMES), "namespace": random.pick(&NAMESPACES) } } }]),
        )],
        "ServiceAccount" => match random.chance(40) {
            true => vec![("secrets".into(), json!([{ "name": random.pick(&NAMES) }]))],
            false => Vec::new(),
        },
        "Namespace" => Vec::new(),
        _ => spec(thing(random)),
    }
}

/// What a custom resource says: anything.
fn thing(random: &mut Random) -> Value {
    json!({
        "image": random.pick(&IMAGES),
        "configRef": { "name": random.pick(&NAMES), "kind": "ConfigMap" },
        "replicas": random.below(5),
        "list": list(random, 3, |random| match random.below(3) {
            0 => scalar(random),
            1 => json!({ "name": random.pick(&NAMES), "value": scalar(random) }),
            _ => json!(random.pick(&["x", "y", "$(VAR)"])),
        }),
        "template": { "metadata": { "labels": labels(random) } },
        "any": scalar(random),
        "deep": { "er": { "value": random.pick(&["v", "a/b", "one.two"]) } },
    })
}
