//! What shapes the output, and `kustomize edit`.

use serde_json::{Map, Value, json};

use super::super::super::random::Random;
use super::Layer;
use super::objects::{NAMES, NAMESPACES};
use super::patches;
use super::yaml::print;

/// Order of the output and notes in it.
pub(super) fn output(random: &mut Random, layer: &mut Layer) {
    if random.chance(60) {
        let mut sort = Map::new();
        sort.insert(
            "order".into(),
            json!(random.pick(&["legacy", "fifo", "legacy", "other"])),
        );
        if random.chance(50) {
            sort.insert(
                "legacySortOptions".into(),
                json!({ "orderFirst": [random.pick(&["Deployment", "Service"]), "ConfigMap"], "orderLast": [random.pick(&["Namespace", "Pod"])] }),
            );
        }
        layer.set("sortOptions", Value::Object(sort));
    }
    if random.chance(70) {
        let all = ["originAnnotations", "transformerAnnotations", "managedByLabel"];
        let list: Vec<&str> = all.into_iter().filter(|_| random.chance(55)).collect();
        if !list.is_empty() {
            layer.set("buildMetadata", json!(list));
        }
    }
}

/// Edits as an Application brings them, in the peer's order.
pub(super) fn edits(random: &mut Random, objects: &[Value]) -> (Vec<Vec<String>>, Vec<Value>) {
    let mut edits: Vec<Vec<String>> = Vec::new();
    let mut add = |words: &[&str]| edits.push(words.iter().map(|w| (*w).to_owned()).collect());
    if random.chance(35) {
        add(&["set", "nameprefix", "--", random.pick(&["e-", "-e", "x"])]);
    }
    if random.chance(25) {
        add(&["set", "namesuffix", "--", "-e"]);
    }
    if random.chance(45) {
        let all = [
            "nginx:e",
            "nginx=x/y",
            "nginx=x:*",
            "busybox=*:e",
            "r.io:5000/x/nginx:e",
            "nginx@sha256:e",
            "nginx",
            "x=y:1@sha256:b",
            "*=*",
            "nginx=*@*",
        ];
        let list: Vec<&str> = (0..=random.below(2)).map(|_| random.pick(&all)).collect();
        add(&[&["set", "image"], list.as_slice()].concat());
    }
    if random.chance(25) {
        let count = format!("{}={}", random.pick(&NAMES), random.below(9));
        add(&["set", "replicas", &count]);
    }
    if random.chance(45) {
        let mut words = vec!["add", "label"];
        for flag in ["--force", "--without-selector", "--include-templates"] {
            if random.chance(40) {
                words.push(flag);
            }
        }
        words.push(random.pick(&["app:e", "tier:e", "l:\"q\"", "new:", "x.io/k:a:b"]));
        if random.chance(30) {
            words.push("second:s");
        }
        add(&words);
    }
    if random.chance(35) {
        let mut words = vec!["add", "annotation"];
        if random.chance(40) {
            words.push("--force");
        }
        words.push(random.pick(&["app:e", "x.io/k:e:f", "note:\"q\"", "l:true"]));
        add(&words);
    }
    if random.chance(35) {
        add(&["set", "namespace", "--", random.pick(&NAMESPACES)]);
    }
    let mut patches = Vec::new();
    if random.chance(35) {
        // Paths stay out: the files would have to be there. Spellings that only YAML has, too.
        let object = &objects[random.below(objects.len())];
        let patch = match random.chance(50) {
            true => json!({ "patch": print(&patches::strategic(random, object)) }),
            false => {
                json!({ "patch": print(&patches::json_patch(random, object)), "target": { "kind": object["kind"] } })
            }
        };
        patches.push(patch);
    }
    (edits, patches)
}
