//! Replacements and variables.

use serde_json::{Map, Value, json};

use super::super::super::random::Random;
use super::Layer;
use super::patches::target;
use super::paths::{field_path, odd_path, path_in};
use super::yaml::print;

fn field_options(random: &mut Random) -> Value {
    let mut options = Map::new();
    if random.chance(55) {
        options.insert("delimiter".into(), json!(random.pick(&[":", "/", ".", "-", "@"])));
    }
    if random.chance(55) {
        options.insert("index".into(), json!(random.pick(&[0, 1, 2, -1, 9])));
    }
    if random.chance(40) {
        options.insert("create".into(), json!(random.chance(80)));
    }
    if random.chance(6) {
        options.insert("encoding".into(), json!(random.pick(&["base64", "hex"])));
    }
    Value::Object(options)
}

fn one(random: &mut Random, object: &Value) -> Value {
    if random.chance(8) {
        return target(random);
    }
    let mut select = json!({ "kind": object["kind"] });
    if random.chance(75) {
        select["name"] = object["metadata"]["name"].clone();
    }
    if let Some(namespace) = object["metadata"].get("namespace")
        && random.chance(25)
    {
        select["namespace"] = namespace.clone();
    }
    if random.chance(10) {
        let version = object["apiVersion"].as_str().unwrap_or_default();
        let (group, version) = version.split_once('/').unwrap_or(("", version));
        select["group"] = json!(group);
        select["version"] = json!(version);
    }
    select
}

/// Replacements, inline or in files.
pub(super) fn replacements(random: &mut Random, layer: &mut Layer, objects: &[Value]) {
    let count = 1 + random.below(2);
    let mut list = Vec::new();
    for number in 0..count {
        let replacement = replacement(random, objects);
        if random.chance(20) {
            let path = format!("replacement{number}.yaml");
            let both = random.chance(30);
            let content = if both {
                json!([replacement, replacement])
            } else {
                replacement
            };
            layer.file(&path, print(&content));
            list.push(json!({ "path": path }));
        } else {
            list.push(replacement);
        }
    }
    layer.set("replacements", Value::Array(list));
}

pub(super) fn replacement(random: &mut Random, objects: &[Value]) -> Value {
    let mut replacement = Map::new();
    let value = random.chance(12);
    if value {
        replacement.insert(
            "sourceValue".into(),
            json!(random.pick(&["given", "a:b", "other-value", "given", "5", "true", "~", "012"])),
        );
    }
    if !value || random.chance(5) {
        let object = &objects[random.below(objects.len())];
        let mut source = one(random, object);
        for field in ["labelSelector", "annotationSelector"] {
            if random.chance(90) {
                source.as_object_mut().map(|s| s.remove(field));
            }
        }
        if random.chance(85) {
            let path = if random.chance(70) {
                path_in(random, object).replace("*", "0")
            } else {
                field_path(random).to_owned()
            };
            source["fieldPath"] = json!(odd_path(random, path, '.'));
        }
        if random.chance(20) {
            source["options"] = field_options(random);
        }
        replacement.insert("source".into(), source);
    }
    let targets = 1 + random.below(2);
    let targets = (0..targets).map(|_| {
        let object = &objects[random.below(objects.len())];
        let mut target = json!({ "select": one(random, object) });
        if random.chance(20) {
            let rejected = &objects[random.below(objects.len())];
            target["reject"] = json!([one(random, rejected)]);
        }
        if random.chance(90) {
            let path = if random.chance(70) {
                path_in(random, object)
            } else {
                field_path(random).to_owned()
            };
            // Another kind is another object: nothing more is learnt from those.
            let is_head = matches!(
                path.as_str(),
                "kind" | "apiVersion" | "metadata" | "metadata.annotations"
            );
            if !is_head || random.chance(10) {
                target["fieldPaths"] = json!([odd_path(random, path, '.')]);
            }
        }
        if random.chance(40) {
            target["options"] = field_options(random);
        }
        target
    });
    let targets = targets.collect();
    replacement.insert("targets".into(), Value::Array(targets));
    Value::Object(replacement)
}

/// Variables.
pub(super) fn vars(random: &mut Random, layer: &mut Layer, objects: &[Value]) {
    let names: &[&str] = if random.chance(60) { &["VAR"] } else { &["VAR", "OTHER"] };
    let vars = names.iter().map(|name| {
        let object = &objects[random.below(objects.len())];
        let mut reference =
            json!({ "apiVersion": object["apiVersion"], "kind": object["kind"], "name": object["metadata"]["name"] });
        if let Some(namespace) = object["metadata"].get("namespace")
            && random.chance(40)
        {
            reference["namespace"] = namespace.clone();
        }
        let mut var = json!({ "name": name, "objref": reference });
        if random.chance(60) {
            let path = random.pick(&[
                "metadata.name",
                "metadata.namespace",
                "spec.replicas",
                "data.k",
                "spec.template.spec.containers[0].image",
                "metadata.labels.app",
                "spec.any",
                "spec.list[0]",
                "spec.deep.er.value",
                "spec",
                "spec.ports[0].port",
                "kind",
                "spec.template.spec.containers[0].env[0].value",
            ]);
            var["fieldref"] = json!({ "fieldPath": path });
        }
        var
    });
    let vars = vars.collect();
    layer.set("vars", Value::Array(vars));
}
