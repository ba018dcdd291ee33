//! What tells Kustomize of fields it does not know: rules, CRDs and schemas.

use serde_json::{Map, Value, json};

use super::super::super::random::Random;
use super::Layer;
use super::patches;
use super::paths::odd_path;
use super::yaml::print;

/// A field spec of any kind.
pub(super) fn field_spec(random: &mut Random, path: &str) -> Value {
    let mut spec = json!({ "path": odd_path(random, path.to_owned(), '/') });
    let (group, version, kind) = patches::group_version(random);
    if random.chance(55) {
        spec["kind"] = json!(kind);
    }
    if random.chance(15) {
        spec["group"] = json!(group);
    }
    if random.chance(15) {
        spec["version"] = json!(version);
    }
    if random.chance(50) {
        spec["create"] = json!(random.chance(80));
    }
    spec
}

/// A file of `configurations`.
pub(super) fn configurations(random: &mut Random, layer: &mut Layer) {
    let mut config = Map::new();
    let paths = |random: &mut Random| {
        random.pick(&[
            "spec/image",
            "spec/any",
            "spec/new/field",
            "spec/list[]/value",
            "spec/list/value",
            "metadata/name",
            "metadata/labels",
            "spec/deep/er/value",
            "spec/template/metadata/labels",
            "data",
            "spec/replicas",
            "metadata/namespace",
            "spec/configRef/name",
            "spec/list[]",
            "spec/new[]/x",
            "spec/template/spec/containers/env/value",
            "subjects/namespace",
        ])
    };
    for section in [
        "namePrefix",
        "nameSuffix",
        "namespace",
        "commonLabels",
        "templateLabels",
        "labels",
        "commonAnnotations",
        "varReference",
        "images",
        "replicas",
    ] {
        if random.chance(25) {
            let list: Vec<Value> = (0..=random.below(1))
                .map(|_| {
                    let path = paths(random);
                    field_spec(random, path)
                })
                .collect();
            config.insert(section.into(), json!(list));
        }
    }
    if random.chance(50) {
        let (_, _, kind) = patches::group_version(random);
        let specs: Vec<Value> = (0..=random.below(1))
            .map(|_| {
                let path = random.pick(&[
                    "spec/configRef/name",
                    "spec/configRef",
                    "spec/list/name",
                    "spec/deep/er/value",
                    "data/k",
                    "spec/image",
                ]);
                field_spec(random, path)
            })
            .collect();
        config.insert(
            "nameReference".into(),
            json!([{ "kind": random.pick(&["ConfigMap", "Secret", "Thing", kind]), "fieldSpecs": specs }]),
        );
    }
    if random.chance(3) {
        config.insert("unknown".into(), json!([]));
    }
    layer.file("config.yaml", print(&Value::Object(config)));
    layer.set("configurations", json!(["config.yaml"]));
}

/// Definitions of custom kinds, with extensions on some of their fields.
pub(super) fn crds(random: &mut Random, layer: &mut Layer) {
    let mut spec = Map::new();
    for field in ["configRef", "image", "any", "template", "deep"] {
        let extension = match random.below(6) {
            0 => json!({ "x-kubernetes-annotation": "" }),
            1 => json!({ "x-kubernetes-label-selector": "" }),
            2 => json!({ "x-kubernetes-identity": "" }),
            3 | 4 => {
                json!({ "x-kubernetes-object-ref-api-version": "v1", "x-kubernetes-object-ref-kind": random.pick(&["ConfigMap", "Secret", "Thing"]),
                "x-kubernetes-object-ref-name-key": random.pick(&["name", "er"]) })
            }
            _ => json!({ "type": "string" }),
        };
        spec.insert(field.into(), extension);
    }
    if random.chance(30) {
        spec.insert(
            "configRef".into(),
            json!({ "x-kubernetes-object-ref-api-version": "v1", "x-kubernetes-object-ref-kind": "ConfigMap" }),
        );
    }
    let mut kind =
        json!({ "kind": { "type": "string" }, "apiVersion": { "type": "string" }, "metadata": { "type": "object" } });
    kind["spec"] = json!({ "$ref": "example.com/v1.Spec" });
    if random.chance(10) {
        kind.as_object_mut().map(|k| k.remove("metadata"));
    }
    let definitions = json!({
        "example.com/v1.Thing": { "Schema": { "properties": kind } },
        "example.com/v1.Spec": { "Schema": { "properties": spec } },
    });
    let text = if random.chance(50) {
        definitions.to_string()
    } else {
        print(&definitions)
    };
    layer.file("crds.json", text);
    layer.set("crds", json!(["crds.json"]));
    if random.chance(20) {
        layer.set(
            "openapi",
            json!({ "version": random.pick(&["v1.21.2", "v1.21.2", "v1.20.4"]) }),
        );
    }
}

/// A schema for custom kinds: lists that merge by element, and kinds that belong to no namespace.
pub(super) fn openapi(random: &mut Random, layer: &mut Layer) {
    let list = json!({
        "type": "array",
        "items": { "$ref": "#/definitions/com.example.v1.Item" },
        "x-kubernetes-patch-strategy": random.pick(&["merge", "merge", "merge,retainKeys", "replace"]),
        "x-kubernetes-patch-merge-key": random.pick(&["name", "name", "value"]),
    });
    let spec = json!({ "properties": {
        "list": list,
        "template": { "$ref": "#/definitions/io.k8s.api.core.v1.PodTemplateSpec" },
        "deep": { "additionalProperties": { "type": "object" } },
    } });
    let inline = random.chance(50);
    let properties = match inline {
        true => json!({ "spec": spec }),
        false => json!({ "spec": { "$ref": "#/definitions/com.example.v1.Spec" } }),
    };
    let kind = random.pick(&[
        ("example.com", "v1", "Thing"),
        ("example.com", "v1", "Thing"),
        ("apps", "v1", "Deployment"),
    ]);
    let gvk = json!({ "group": kind.0, "version": kind.1, "kind": kind.2 });
    let mut document = json!({ "definitions": {
        "com.example.v1.Thing": { "properties": properties, "x-kubernetes-group-version-kind": [gvk] },
        "com.example.v1.Item": { "properties": { "name": { "type": "string" } } },
        "com.example.v1.Spec": spec,
    } });
    if random.chance(40) {
        let path = if random.chance(70) {
            "/apis/g/v/things"
        } else {
            "/apis/g/v/namespaces/{namespace}/things"
        };
        document["paths"] = json!({ path: { "get": { "x-kubernetes-group-version-kind": gvk, "responses": {} } } });
    }
    let text = if random.chance(50) {
        document.to_string()
    } else {
        print(&document)
    };
    layer.file("schema.json", text);
    let mut openapi = json!({ "path": "schema.json" });
    if random.chance(4) {
        openapi["version"] = json!("v1.21.2");
    }
    layer.set("openapi", openapi);
}
