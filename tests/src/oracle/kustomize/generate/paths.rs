//! Paths of fields, of which some lead nowhere.

use serde_json::Value;

use super::super::super::random::Random;

/// A field path of replacements and variables, mostly of something that is there.
pub(super) fn field_path(random: &mut Random) -> &'static str {
    random.pick(&[
        "metadata.name",
        "metadata.name",
        "metadata.namespace",
        "metadata.labels.app",
        "metadata.annotations.[x.io/k]",
        "metadata.annotations.x\\.io/k",
        "spec.replicas",
        "spec.template.spec.containers.0.image",
        "spec.template.spec.containers.[name=main].image",
        "spec.template.spec.containers.*.image",
        "spec.template.spec.containers.[name=main].env.[name=A].value",
        "spec.template.spec.containers.*.env.[name=A].value",
        "data.k",
        "data.[file.txt]",
        "spec.image",
        "spec.deep.er.value",
        "spec.list",
        "spec.list.0",
        "spec.list.-",
        "spec.any",
        "spec.template.metadata.labels",
        "spec",
        "kind",
        "apiVersion",
        "spec.ports.0.port",
        "spec.selector.app",
        "spec.template.spec.containers.[image=nginx].name",
        "spec.new.field",
        "metadata",
        "spec.containers.0.image",
        "data",
        "metadata.labels",
        "spec.list.*.value",
        "spec.list.[name=a].value",
        "spec.template.spec.containers.[name=new].image",
    ])
}

/// A path of something that an object has.
pub(super) fn path_in(random: &mut Random, object: &Value) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut here = object;
    for depth in 0..12 {
        if depth > 1 && random.chance(12) {
            break;
        }
        match here {
            Value::Object(map) if !map.is_empty() => {
                let Some((key, value)) = map.iter().nth(random.below(map.len())) else {
                    break;
                };
                parts.push(if key.contains(['.', '/']) {
                    format!("[{key}]")
                } else {
                    key.clone()
                });
                here = value;
            }
            Value::Array(list) if !list.is_empty() => {
                let at = random.below(list.len());
                here = &list[at];
                let name = here.get("name").and_then(Value::as_str);
                parts.push(match (random.below(4), name) {
                    (0, _) => "*".to_owned(),
                    (1, _) | (_, None) => at.to_string(),
                    (_, Some(name)) => format!("[name={name}]"),
                });
            }
            _ => break,
        }
    }
    parts.join(".")
}

/// A path, now and then with a part too many, or one that is none.
pub(super) fn odd_path(random: &mut Random, path: String, separator: char) -> String {
    if !random.chance(5) {
        return path;
    }
    let mut parts: Vec<&str> = path.split(separator).collect();
    let at = random.below(parts.len());
    let odd = random.pick(&[
        "",
        " ",
        "0",
        "-",
        "*",
        "[a=b]",
        "[name=^main$]",
        "[name=.]",
        "[=a]",
        "[=^a$]",
        "-1",
        "00",
        "[]",
        "x[]",
        "\\",
    ]);
    let padded = format!(" {} ", parts[at]);
    match random.below(4) {
        0 => parts[at] = odd,
        1 => parts[at] = &padded,
        2 => parts.push(odd),
        _ => parts.insert(at, odd),
    }
    parts.join(&separator.to_string())
}
