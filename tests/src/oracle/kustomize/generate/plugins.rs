//! Built-in transformers, generators and validators with configurations of their own.

use serde_json::{Value, json};

use super::super::super::random::Random;
use super::Layer;
use super::fields::image;
use super::generators::generator;
use super::objects::{NAMES, NAMESPACES};
use super::patches;
use super::replacements::replacement;
use super::rules::field_spec;
use super::yaml::print;

/// Transformers, generators and validators of built-in kinds.
pub(super) fn plugins(random: &mut Random, layer: &mut Layer, objects: &[Value]) {
    let mut list = Vec::new();
    for number in 0..=random.below(1) {
        let plugin = transformer(random, objects);
        let text = print(&plugin);
        if random.chance(50) {
            let path = format!("transformer{number}.yaml");
            layer.file(&path, text);
            list.push(json!(path));
        } else {
            list.push(json!(text));
        }
    }
    let field = if random.chance(80) {
        "transformers"
    } else {
        "validators"
    };
    layer.set(field, Value::Array(list));
    if random.chance(30) {
        let field = random.pick(&["configMapGenerator", "secretGenerator"]);
        let kind = if field == "configMapGenerator" {
            "ConfigMapGenerator"
        } else {
            "SecretGenerator"
        };
        let Value::Object(mut generator) = generator(random, layer, field, 7, 20) else {
            return;
        };
        let name = generator.remove("name").unwrap_or_default();
        let mut metadata = json!({ "name": name });
        if let Some(namespace) = generator.remove("namespace") {
            metadata["namespace"] = namespace;
        }
        let mut config = json!({ "apiVersion": "builtin", "kind": kind, "metadata": metadata });
        for (key, value) in generator {
            config[key] = value;
        }
        layer.set("generators", json!([print(&config)]));
    }
}

fn transformer(random: &mut Random, objects: &[Value]) -> Value {
    let object = &objects[random.below(objects.len())];
    let specs = |random: &mut Random, paths: &[&'static str]| {
        let list: Vec<Value> = (0..=random.below(1))
            .map(|_| {
                let path = random.pick(paths);
                field_spec(random, path)
            })
            .collect();
        json!(list)
    };
    let (kind, mut fields) = match random.below(15) {
        13 => ("HashTransformer", json!({})),
        14 => {
            let targets: Vec<Value> = (0..=random.below(1))
                .map(|_| {
                    let mut target = json!({ "fieldPath": random.pick(&[
                        "metadata/namespace", "spec/image", "spec/any", "spec/new/x", "spec/list/0", "spec/list/[name=a]/value",
                        "spec/template/spec/containers/[name=main]/image", "data/k", "metadata/annotations/x.io\\/k", "spec/new/[name=b]/v",
                    ]) });
                    if random.chance(50) {
                        target["selector"] = json!({ "kind": object["kind"] });
                    }
                    if random.chance(40) {
                        target["filePathPosition"] = json!(random.pick(&[0, 1, 2, 9]));
                    }
                    target
                })
                .collect();
            let mut fields = json!({ "targets": targets });
            if random.chance(80) {
                fields["value"] = json!(random.pick(&["added", " x ", "a/b", "5"]));
            }
            ("ValueAddTransformer", fields)
        }
        0 => (
            "NamespaceTransformer",
            json!({ "fieldSpecs": specs(random, &["metadata/namespace", "metadata/name", "subjects", "spec/any"]) }),
        ),
        1 => (
            "PrefixTransformer",
            json!({ "prefix": "t-", "fieldSpecs": specs(random, &["metadata/name", "spec/image"]) }),
        ),
        2 => (
            "SuffixTransformer",
            json!({ "suffix": "-t", "fieldSpecs": specs(random, &["metadata/name", "spec/any"]) }),
        ),
        3 => (
            "LabelTransformer",
            json!({ "labels": { "t": "l" }, "fieldSpecs": specs(random, &["metadata/labels", "spec/selector", "spec/new/x"]) }),
        ),
        4 => (
            "AnnotationsTransformer",
            json!({ "annotations": { "t": "a" }, "fieldSpecs": specs(random, &["metadata/annotations", "spec/x"]) }),
        ),
        5 => (
            "ImageTagTransformer",
            json!({ "imageTag": image(random), "fieldSpecs": specs(random, &["spec/image", "spec/template/spec/containers[]/image", "spec/template/spec/containers/image"]) }),
        ),
        6 => (
            "ReplicaCountTransformer",
            json!({ "replica": { "name": random.pick(&NAMES), "count": 5 }, "fieldSpecs": specs(random, &["spec/replicas", "spec/new/replicas"]) }),
        ),
        7 => (
            "ReplacementTransformer",
            json!({ "replacements": [replacement(random, objects)] }),
        ),
        8 => (
            "PatchTransformer",
            json!({ "patch": print(&patches::strategic(random, object)) }),
        ),
        9 => (
            "PatchTransformer",
            json!({ "patch": print(&patches::json_patch(random, object)), "target": patches::exact(random, object) }),
        ),
        10 => (
            "PatchJson6902Transformer",
            json!({ "jsonOp": print(&patches::json_patch(random, object)),
            "target": { "kind": object["kind"], "name": object["metadata"]["name"], "version": "v1", "group": "apps" } }),
        ),
        11 => (
            "PatchStrategicMergeTransformer",
            json!({ "patches": print(&patches::strategic(random, object)) }),
        ),
        _ => (
            "PrefixSuffixTransformer",
            json!({ "prefix": "q-", "suffix": "-q", "fieldSpecs": specs(random, &["metadata/name"]) }),
        ),
    };
    let mut metadata = json!({ "name": "notes" });
    if kind == "NamespaceTransformer" {
        metadata["namespace"] = json!(random.pick(&NAMESPACES));
        if random.chance(30) {
            fields["unsetOnly"] = json!(true);
        }
        if random.chance(40) {
            fields["setRoleBindingSubjects"] = json!(random.pick(&["none", "allServiceAccounts", "defaultOnly", "x"]));
        }
    }
    if random.chance(15) {
        fields.as_object_mut().map(|f| f.remove("fieldSpecs"));
    }
    let mut config = json!({ "apiVersion": "builtin", "kind": kind, "metadata": metadata });
    for (key, value) in fields.as_object().into_iter().flatten() {
        config[key] = value.clone();
    }
    config
}
