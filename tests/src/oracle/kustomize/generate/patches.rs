//! Patches of both kinds, and what they are for.

use serde_json::{Map, Value, json};

use super::super::super::random::Random;
use super::objects::{self, KINDS, NAMES, NAMESPACES, scalar};
use super::yaml::{print, raw};

/// A selector of `patches[].target`, replacements and so on; regular expressions among it.
pub(super) fn target(random: &mut Random) -> Value {
    let mut target = Map::new();
    let (api_version, kind) = objects::kind(random);
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    if random.chance(70) {
        let kind = match random.below(10) {
            0 => "Deploy.*",
            1 => "Config|Deployment",
            2 => ".*",
            3 => "deployment",
            _ => kind,
        };
        target.insert("kind".into(), json!(kind));
    }
    if random.chance(15) {
        target.insert("group".into(), json!(group));
    }
    if random.chance(15) {
        target.insert("version".into(), json!(version));
    }
    if random.chance(40) {
        let name = match random.below(9) {
            0 => "a.*",
            1 => "a|b",
            2 => "^a$",
            3 => "pre-.*",
            4 => random.pick(&[
                "\\w+",
                "[[:alpha:]]",
                "(?i)APP",
                "\\Qapp\\E|b",
                "a{1,2}",
                "a{",
                "\\pL",
                "a)(b",
                "[^\\d]*",
                "(?P<n>a)",
                "a\\z",
                "(a",
            ]),
            _ => random.pick(&NAMES),
        };
        target.insert("name".into(), json!(name));
    }
    if random.chance(15) {
        let namespace = if random.chance(30) {
            "o.*"
        } else {
            random.pick(&NAMESPACES)
        };
        target.insert("namespace".into(), json!(namespace));
    }
    if random.chance(15) {
        let selector = random.pick(&[
            "app=a",
            "app",
            "!app",
            "app in (a,b)",
            "app!=a",
            "tier notin (a)",
            "app=a,tier=b",
            "app==a",
            "a b",
        ]);
        target.insert(
            random.pick(&["labelSelector", "annotationSelector"]).into(),
            json!(selector),
        );
    }
    Value::Object(target)
}

/// A strategic merge patch for an object.
pub(super) fn strategic(random: &mut Random, object: &Value) -> Value {
    let mut patch = json!({
        "apiVersion": object["apiVersion"], "kind": object["kind"], "metadata": { "name": object["metadata"]["name"] },
    });
    if let Some(namespace) = object["metadata"].get("namespace")
        && random.chance(85)
    {
        patch["metadata"]["namespace"] = namespace.clone();
    }
    match random.below(12) {
        0 => patch["$patch"] = json!("delete"),
        1 => patch["metadata"]["labels"] = objects::pairs(random),
        2 => patch["metadata"]["annotations"] = objects::pairs(random),
        3 => patch["metadata"]["labels"] = json!({ "app": null }),
        4 => patch["extra"] = json!({ "new": scalar(random) }),
        _ => {}
    }
    // A part of the object itself, changed: every depth and every list is met that way.
    for (key, value) in object.as_object().into_iter().flatten() {
        if matches!(key.as_str(), "apiVersion" | "kind" | "metadata") {
            continue;
        }
        if let Some(changed) = changed(random, value) {
            patch[key] = changed;
        }
    }
    patch
}

fn changed(random: &mut Random, value: &Value) -> Option<Value> {
    match value {
        Value::Object(map) => {
            let mut out = Map::new();
            for (key, value) in map {
                // Keys of list elements mostly stay, or nothing would match.
                let is_key = ["name", "containerPort", "port", "mountPath"].contains(&key.as_str());
                if is_key && random.chance(90) {
                    out.insert(key.clone(), value.clone());
                } else if random.chance(3) {
                    out.insert(key.clone(), Value::Null);
                } else if random.chance(50)
                    && let Some(value) = changed(random, value)
                {
                    out.insert(key.clone(), value);
                }
            }
            if random.chance(12) {
                out.insert(
                    random.pick(&["new", "image", "value", "replicas"]).into(),
                    scalar(random),
                );
            }
            if random.chance(5) {
                out.insert("$patch".into(), json!(random.pick(&["replace", "delete", "merge"])));
            }
            if random.chance(2) {
                out.insert("$retainKeys".into(), json!(["name", "type"]));
            }
            Some(Value::Object(out))
        }
        Value::Array(list) => {
            let mut out: Vec<Value> = Vec::new();
            for item in list {
                if random.chance(60) {
                    // An element that says nothing is none.
                    let item = changed(random, item);
                    out.extend(item.filter(|item| *item != json!({})));
                }
            }
            if random.chance(30) {
                let new = match list.first() {
                    Some(Value::Object(_)) => {
                        json!({ "name": random.pick(&["new", "main", "A", "http"]), "value": "added", "image": "new:1" })
                    }
                    _ => json!(random.pick(&["x", "z", "--a"])),
                };
                out.insert(random.below(out.len() + 1), new);
            }
            if random.chance(1) {
                let empty = if random.chance(50) { Value::Null } else { json!({}) };
                out.insert(random.below(out.len() + 1), empty);
            }
            if random.chance(6) {
                out.insert(
                    random.below(out.len() + 1),
                    json!({ "$patch": random.pick(&["replace", "delete", "merge"]), "name": "main" }),
                );
            } else if random.chance(4) {
                out.push(json!({ "$patch": "replace" }));
            }
            Some(Value::Array(out))
        }
        _ if random.chance(60) => Some(match random.below(5) {
            0 => Value::Null,
            1 => scalar(random),
            2 => json!({ "turned": "map" }),
            _ => json!(random.pick(&["patched", "p2"])),
        }),
        other => Some(other.clone()),
    }
}

/// A JSON patch whose paths mostly lead somewhere in the object.
pub(super) fn json_patch(random: &mut Random, object: &Value) -> Value {
    let count = 1 + random.below(3);
    Value::Array((0..count).map(|_| operation(random, object)).collect())
}

fn operation(random: &mut Random, object: &Value) -> Value {
    let path = pointer(random, object);
    let op = random.pick(&["add", "add", "replace", "replace", "remove", "test", "copy", "move"]);
    let mut operation = json!({ "op": op, "path": path });
    match op {
        "add" | "replace" | "test" => {
            operation["value"] = match random.below(6) {
                0 => scalar(random),
                1 => json!({ "name": "x", "image": "y:1" }),
                2 => json!(["x", 1, null, true]),
                3 => Value::Null,
                _ => json!(random.pick(&["text", "a", "1", "true"])),
            };
        }
        "copy" | "move" => {
            // Kustomize's own notes in the annotations would be copied too.
            let from = pointer(random, object);
            operation["from"] = json!(from.replace("/metadata/annotations", "/metadata/labels"));
        }
        _ => {}
    }
    operation
}

fn pointer(random: &mut Random, object: &Value) -> String {
    let mut out = String::new();
    let mut here = object;
    for depth in 0..12 {
        if depth > 1 && random.chance(20) {
            break;
        }
        match here {
            Value::Object(map) if !map.is_empty() => {
                let Some((key, value)) = map.iter().nth(random.below(map.len())) else {
                    break;
                };
                out += "/";
                out += &key.replace('~', "~0").replace('/', "~1");
                here = value;
            }
            Value::Array(list) if !list.is_empty() => {
                let at = random.below(list.len());
                out += &format!("/{at}");
                here = &list[at];
            }
            _ => break,
        }
    }
    match random.below(12) {
        0 => out += "/-",
        1 => out += "/new",
        2 => out += "/0",
        3 => out += "/new/deeper",
        4 => out += "/99",
        _ => {}
    }
    // Without its kind it is no object, and in annotations nothing but text has a place.
    let is_head = matches!(out.as_str(), "/kind" | "/apiVersion" | "" | "/metadata");
    if (is_head || out.starts_with("/metadata/annotations/")) && random.chance(90) {
        "/spec".clone_into(&mut out);
    }
    out
}

/// An entry of `patches`, and the file it may need.
pub(super) fn entry(random: &mut Random, objects: &[Value], number: usize) -> (Value, Option<(String, String)>) {
    let object = &objects[random.below(objects.len())];
    let mut entry = Map::new();
    let is_json = random.chance(35);
    let mut text = match is_json {
        true => {
            entry.insert("target".into(), exact(random, object));
            let patch = json_patch(random, object);
            if random.chance(30) {
                patch_as_json(&patch)
            } else {
                print(&patch)
            }
        }
        false => {
            let mut patch = strategic(random, object);
            if random.chance(25) {
                entry.insert(
                    "target".into(),
                    if random.chance(50) {
                        exact(random, object)
                    } else {
                        target(random)
                    },
                );
                if random.chance(30) {
                    patch["metadata"]["name"] = json!("other");
                }
                if random.chance(20) {
                    patch["kind"] = json!("Other");
                }
            }
            let mut text = print(&patch);
            if random.chance(6) {
                text += "---\n";
                let second = random.below(objects.len());
                text += &print(&strategic(random, &objects[second]));
            }
            text
        }
    };
    if random.chance(12) {
        let mut options = Map::new();
        for option in ["allowNameChange", "allowKindChange"] {
            if random.chance(60) {
                options.insert(option.into(), json!(random.chance(80)));
            }
        }
        entry.insert("options".into(), Value::Object(options));
    }
    if random.chance(2) {
        text = random
            .pick(&["", "# nothing\n", "{}\n", "[]\n", "text\n", "a: [\n", "null\n"])
            .to_owned();
    }
    if random.chance(50) {
        let path = format!("patch{number}.yaml");
        entry.insert("path".into(), json!(path));
        (Value::Object(entry), Some((path, text)))
    } else {
        entry.insert(
            "patch".into(),
            if text.ends_with('\n') {
                json!(text)
            } else {
                raw(&json!(text).to_string())
            },
        );
        (Value::Object(entry), None)
    }
}

/// JSON instead of YAML. Spellings that only YAML has become text.
fn patch_as_json(patch: &Value) -> String {
    patch.to_string().replace("\\u0001", "")
}

/// What selects an object: itself, or loosely.
pub(super) fn exact(random: &mut Random, object: &Value) -> Value {
    if random.chance(15) {
        return target(random);
    }
    let mut target = json!({ "kind": object["kind"], "name": object["metadata"]["name"] });
    if random.chance(20) {
        target.as_object_mut().map(|t| t.remove("name"));
    }
    target
}

/// An apiVersion taken apart.
pub(super) fn group_version(random: &mut Random) -> (&'static str, &'static str, &'static str) {
    let (api_version, kind) = random.pick(&KINDS);
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    (group, version, kind)
}
