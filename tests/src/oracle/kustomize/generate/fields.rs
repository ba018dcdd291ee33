//! Fields of a kustomization, one function each.

use serde_json::{Value, json};

use super::super::super::random::Random;
use super::Layer;
use super::objects::{NAMES, NAMESPACES, pairs};
use super::patches;
use super::rules::field_spec;
use super::yaml::{print, raw};

/// Names, namespace, labels, annotations, images and replicas: each with its own chance.
pub(super) fn common(random: &mut Random, layer: &mut Layer, percent: usize) {
    let fields: [fn(&mut Random, &mut Layer); 7] = [
        prefix,
        suffix,
        namespace,
        labels,
        common_labels,
        common_annotations,
        images,
    ];
    for field in fields {
        if random.chance(percent) {
            field(random, layer);
        }
    }
    // Refused where no object of that name has replicas, and then nothing else is seen.
    if random.chance(percent / 8) {
        replicas(random, layer);
    }
}

fn prefix(random: &mut Random, layer: &mut Layer) {
    layer.set("namePrefix", json!(random.pick(&["pre-", "x-", "p1-"])));
}

fn suffix(random: &mut Random, layer: &mut Layer) {
    layer.set("nameSuffix", json!(random.pick(&["-suf", "-s", "-2"])));
}

fn namespace(random: &mut Random, layer: &mut Layer) {
    layer.set("namespace", json!(random.pick(&NAMESPACES)));
}

fn labels(random: &mut Random, layer: &mut Layer) {
    let count = 1 + random.below(2);
    let list = (0..count).map(|_| {
        let mut label = json!({ "pairs": pairs(random) });
        for (flag, percent) in [("includeSelectors", 35), ("includeTemplates", 35)] {
            if random.chance(percent) {
                label[flag] = json!(random.chance(80));
            }
        }
        if random.chance(12) {
            label["fields"] = json!([field_spec(random, "metadata/labels")]);
        }
        label
    });
    let list = list.collect();
    layer.set("labels", Value::Array(list));
}

fn common_labels(random: &mut Random, layer: &mut Layer) {
    layer.set("commonLabels", pairs(random));
}

fn common_annotations(random: &mut Random, layer: &mut Layer) {
    layer.set("commonAnnotations", pairs(random));
}

fn images(random: &mut Random, layer: &mut Layer) {
    let count = 1 + random.below(2);
    let list = (0..count).map(|_| image(random)).collect();
    layer.set(
        if random.chance(6) { "imageTags" } else { "images" },
        Value::Array(list),
    );
}

/// An entry of `images`.
pub(super) fn image(random: &mut Random) -> Value {
    let mut image = json!({ "name": random.pick(&["nginx", "busybox", "x/busybox", "r.io:5000/x/nginx", "ngin.", "x", "(nginx)"]) });
    if random.chance(40) {
        image["newName"] = json!(random.pick(&["other", "q.io:1/nginx", "nginx"]));
    }
    if random.chance(55) {
        image["newTag"] = if random.chance(15) {
            raw("\"1\"")
        } else {
            json!(random.pick(&["v9", "9.9", "latest"]))
        };
    }
    if random.chance(15) {
        image["digest"] = json!("sha256:aa");
    }
    if random.chance(10) {
        image["tagSuffix"] = json!("-x");
    }
    image
}

fn replicas(random: &mut Random, layer: &mut Layer) {
    let name = random.pick(&NAMES);
    layer.set("replicas", json!([{ "name": name, "count": random.below(9) }]));
}

/// Patches in every field that takes them.
pub(super) fn patches(random: &mut Random, layer: &mut Layer, objects: &[Value]) {
    let mut list = Vec::new();
    for number in 0..=random.below(2) {
        let (entry, file) = patches::entry(random, objects, number);
        if let Some((path, text)) = file {
            layer.file(&path, text);
        }
        list.push(entry);
    }
    if random.chance(85) {
        layer.set("patches", Value::Array(list));
        return;
    }
    let object = &objects[random.below(objects.len())];
    if random.chance(50) {
        let text = print(&patches::strategic(random, object));
        if random.chance(50) {
            layer.file("smp.yaml", text);
            layer.set("patchesStrategicMerge", json!(["smp.yaml"]));
        } else {
            layer.set("patchesStrategicMerge", json!([text]));
        }
    } else {
        let mut target = json!({ "version": "v1", "kind": object["kind"], "name": object["metadata"]["name"] });
        if let Some((group, version)) = object["apiVersion"].as_str().and_then(|v| v.split_once('/')) {
            target["group"] = json!(group);
            target["version"] = json!(version);
        }
        if let Some(namespace) = object["metadata"].get("namespace") {
            target["namespace"] = namespace.clone();
        }
        let patch = print(&patches::json_patch(random, object));
        layer.set("patchesJson6902", json!([{ "target": target, "patch": patch }]));
    }
}
