//! Structural pruning: fields the schema does not name are dropped.

use pintle_model::Value;

use super::{EMBEDDED, PRESERVE, flag};

/// Drops what the schema does not name, and nulls it does not allow; returns the paths of the dropped fields.
pub fn prune(object: &mut Value, schema: &Value) -> Vec<String> {
    let mut dropped = Vec::new();
    // The root is an embedded resource by nature.
    map(object, schema, "", true, &mut dropped);
    dropped
}

fn value(here: &mut Value, schema: &Value, path: &str, dropped: &mut Vec<String>) {
    match here {
        Value::Map(_) => map(here, schema, path, flag(schema, EMBEDDED), dropped),
        Value::List(_) => {
            let Some(items) = schema.get("items") else { return };
            for (i, item) in here.as_list_mut().into_iter().flatten().enumerate() {
                value(item, items, &format!("{path}[{i}]"), dropped);
            }
        }
        _ => {}
    }
}

fn map(here: &mut Value, schema: &Value, path: &str, embedded: bool, dropped: &mut Vec<String>) {
    let Some(map) = here.as_map_mut() else { return };
    let properties = schema.get("properties");
    let additional = schema.get("additionalProperties");
    let preserve = flag(schema, PRESERVE);
    map.retain(|key, item| {
        if embedded && matches!(key, "apiVersion" | "kind" | "metadata") {
            return true;
        }
        let at = if path.is_empty() {
            key.to_owned()
        } else {
            format!("{path}.{key}")
        };
        if let Some(property) = properties.and_then(|p| p.get(key)) {
            if item.is_null() && !flag(property, "nullable") && !flag(property, PRESERVE) {
                return false;
            }
            value(item, property, &at, dropped);
            return true;
        }
        match additional {
            Some(Value::Bool(true)) => true,
            Some(schema) if schema.as_map().is_some() => {
                value(item, schema, &at, dropped);
                true
            }
            _ if preserve => true,
            _ => {
                dropped.push(at);
                false
            }
        }
    });
}
