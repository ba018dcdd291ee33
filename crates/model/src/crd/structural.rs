//! From JSON Schema as derived to what Kubernetes calls structural.

use serde_json::{Map, Value as Json};

/// Keywords of a structural schema that our types make use of. Everything else (`title`, `default`, `nullable`, …) is left out: the peer's schemas
/// have no defaults, and `null` is the API server's to drop.
const KEPT: &[&str] = &[
    "type",
    "format",
    "description",
    "properties",
    "required",
    "items",
    "additionalProperties",
    "x-kubernetes-int-or-string",
    "x-kubernetes-preserve-unknown-fields",
];

/// Returns the structural form of a schema whose subschemas are inline.
pub(super) fn structural(schema: Json) -> Json {
    let Json::Object(mut schema) = schema else {
        return schema;
    };
    let mut kept = Map::new();
    // `Option<T>` is `anyOf` of T and null; a description beside it is the field's and wins over the type's.
    for list in ["anyOf", "allOf", "oneOf"] {
        let Some(Json::Array(branches)) = schema.remove(list) else {
            continue;
        };
        if schema.contains_key("x-kubernetes-int-or-string") {
            kept.insert(list.to_owned(), branches.into());
            continue;
        }
        let mut branches: Vec<_> = branches.into_iter().filter(|branch| !is_null(branch)).collect();
        if let (Some(Json::Object(only)), true) = (branches.pop(), branches.is_empty()) {
            for (key, value) in only {
                schema.entry(key).or_insert(value);
            }
            return structural(schema.into());
        }
    }
    for (key, value) in schema {
        if !KEPT.contains(&key.as_str()) {
            continue;
        }
        let value = match (key.as_str(), value) {
            ("properties", Json::Object(fields)) => Json::Object(
                fields
                    .into_iter()
                    .map(|(name, field)| (name, structural(field)))
                    .collect(),
            ),
            ("items" | "additionalProperties", value) => structural(value),
            ("type", Json::Array(types)) => types.into_iter().find(|t| t != "null").unwrap_or_default(),
            ("description", Json::String(text)) => description(&text).into(),
            (_, value) => value,
        };
        kept.insert(key, value);
    }
    kept.into()
}

/// Takes the descriptions out of everything inside the fields of these names, wherever they are; the fields' own stay.
pub(super) fn describe_once(schema: &mut Json, names: &[&str]) {
    for_each_field(schema, &mut |name, field| {
        if names.contains(&name) {
            for_each_below(field, &mut |below| {
                if let Some(map) = below.as_object_mut() {
                    map.remove("description");
                }
            });
        } else {
            describe_once(field, names);
        }
    });
}

fn for_each_field(schema: &mut Json, visit: &mut impl FnMut(&str, &mut Json)) {
    if let Some(Json::Object(fields)) = schema.get_mut("properties") {
        fields.iter_mut().for_each(|(name, field)| visit(name, field));
    }
    for nested in ["items", "additionalProperties"] {
        if let Some(below) = schema.get_mut(nested) {
            for_each_field(below, visit);
        }
    }
}

fn for_each_below(schema: &mut Json, visit: &mut dyn FnMut(&mut Json)) {
    if let Some(Json::Object(fields)) = schema.get_mut("properties") {
        for field in fields.values_mut() {
            visit(field);
            for_each_below(field, visit);
        }
    }
    for nested in ["items", "additionalProperties"] {
        if let Some(below) = schema.get_mut(nested) {
            visit(below);
            for_each_below(below, visit);
        }
    }
}

fn is_null(schema: &Json) -> bool {
    schema.get("type").is_some_and(|t| t == "null")
        || schema.get("enum").is_some_and(|e| *e == serde_json::json!([null]))
}

/// A doc comment as a person reads it in `kubectl explain`: without the names of contract rows and without link brackets.
fn description(doc: &str) -> String {
    let mut text = String::with_capacity(doc.len());
    let mut rest = doc;
    while let Some(start) = rest.find(" [F") {
        let (before, row) = rest.split_at(start);
        text.push_str(before);
        match row.find(']') {
            Some(end) => rest = row.get(end + 1..).unwrap_or_default(),
            None => break,
        }
    }
    text.push_str(rest);
    text.replace("[`", "`").replace("`]", "`").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_their_content_and_defaults_are_gone() {
        let schema = serde_json::json!({
            "title": "T", "type": "object", "description": "What [`x`] is [F1.2].\nMore.",
            "properties": {
                "a": { "type": ["string", "null"], "default": "x" },
                "b": { "description": "mine", "anyOf": [{ "type": "object", "description": "yours", "title": "U" }, { "type": "null" }] },
                "title": { "type": "integer", "format": "int64" },
            },
        });
        let expected = serde_json::json!({
            "type": "object", "description": "What `x` is. More.",
            "properties": {
                "a": { "type": "string" },
                "b": { "description": "mine", "type": "object" },
                "title": { "type": "integer", "format": "int64" },
            },
        });
        assert_eq!(structural(schema), expected);
    }
}
