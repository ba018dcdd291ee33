//! Values against a structural schema: types, required, enum, bounds, allOf/anyOf/oneOf/not. Patterns, formats and CEL rules are not
//! evaluated: what passes here may still be refused by a real API server, never the other way round.

use pintle_model::{Value, to_json_string};

use super::{EMBEDDED, INT_OR_STRING, PRESERVE, flag};
use crate::error::Cause;

/// Checks a whole object.
pub fn check(object: &Value, schema: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    value(object, schema, "", &mut causes);
    causes
}

fn value(here: &Value, schema: &Value, path: &str, causes: &mut Vec<Cause>) {
    if here.is_null() {
        if !flag(schema, "nullable") && schema.get("type").is_some() {
            let wanted = schema.str_at(&["type"]).unwrap_or("object");
            causes.push(type_error(here, path, wanted));
        }
        return;
    }
    if !type_fits(here, schema) {
        let wanted = if flag(schema, INT_OR_STRING) {
            "integer,string"
        } else {
            schema.str_at(&["type"]).unwrap_or("object")
        };
        causes.push(type_error(here, path, wanted));
        return;
    }
    let allowed = schema.list_at(&["enum"]);
    if !allowed.is_empty() && !allowed.contains(here) {
        let texts: Vec<String> = allowed
            .iter()
            .map(|a| a.as_str().map_or_else(|| to_json_string(a), str::to_owned))
            .collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        causes.push(Cause::unsupported(path, to_json_string(here), &texts));
    }
    match here {
        Value::Map(map) => object(here, map.len(), schema, path, causes),
        Value::List(items) => {
            size(items.len(), schema, ("minItems", "maxItems"), "items", path, causes);
            if let Some(of) = schema.get("items") {
                for (i, item) in items.iter().enumerate() {
                    value(item, of, &format!("{path}[{i}]"), causes);
                }
            }
        }
        Value::Str(text) => size(
            text.chars().count(),
            schema,
            ("minLength", "maxLength"),
            "chars long",
            path,
            causes,
        ),
        Value::Int(_) | Value::Float(_) => number(here, schema, path, causes),
        Value::Null | Value::Bool(_) => {}
    }
    combine(here, schema, path, causes);
}

fn object(here: &Value, len: usize, schema: &Value, path: &str, causes: &mut Vec<Cause>) {
    for required in schema.list_at(&["required"]).iter().filter_map(Value::as_str) {
        if here.get(required).is_none() {
            causes.push(Cause::required(join(path, required), ""));
        }
    }
    if flag(schema, EMBEDDED) {
        for required in ["apiVersion", "kind"] {
            if here.str_at(&[required]).is_none_or(str::is_empty) {
                causes.push(Cause::required(join(path, required), "must not be empty"));
            }
        }
    }
    size(
        len,
        schema,
        ("minProperties", "maxProperties"),
        "properties",
        path,
        causes,
    );
    let properties = schema.get("properties");
    let additional = schema.get("additionalProperties").filter(|a| a.as_map().is_some());
    for (key, item) in here.as_map().into_iter().flat_map(|m| m.iter()) {
        if let Some(of) = properties.and_then(|p| p.get(key)).or(additional) {
            value(item, of, &join(path, key), causes);
        }
    }
}

fn type_fits(here: &Value, schema: &Value) -> bool {
    if flag(schema, INT_OR_STRING) {
        return matches!(here, Value::Str(_)) || here.as_i64().is_some();
    }
    match schema.str_at(&["type"]) {
        Some("object") => matches!(here, Value::Map(_)),
        Some("array") => matches!(here, Value::List(_)),
        Some("string") => matches!(here, Value::Str(_)),
        Some("boolean") => matches!(here, Value::Bool(_)),
        Some("integer") => here.as_i64().is_some(),
        Some("number") => here.as_f64().is_some(),
        _ => true,
    }
}

fn type_error(here: &Value, path: &str, wanted: &str) -> Cause {
    let found = format!("{:?}", here.type_name());
    Cause::wrong_type(
        path,
        &found,
        &format!("{path} in body must be of type {wanted}: {found}"),
    )
}

fn number(here: &Value, schema: &Value, path: &str, causes: &mut Vec<Cause>) {
    let Some(found) = here.as_f64() else { return };
    let shown = to_json_string(here);
    if let Some(min) = schema.get("minimum").and_then(Value::as_f64) {
        let exclusive = flag(schema, "exclusiveMinimum");
        if found < min || (exclusive && found <= min) {
            let word = if exclusive {
                "greater than"
            } else {
                "greater than or equal to"
            };
            causes.push(Cause::invalid(
                path,
                &shown,
                &format!("{path} in body should be {word} {min}"),
            ));
        }
    }
    if let Some(max) = schema.get("maximum").and_then(Value::as_f64) {
        let exclusive = flag(schema, "exclusiveMaximum");
        if found > max || (exclusive && found >= max) {
            let word = if exclusive {
                "less than"
            } else {
                "less than or equal to"
            };
            causes.push(Cause::invalid(
                path,
                &shown,
                &format!("{path} in body should be {word} {max}"),
            ));
        }
    }
}

fn size(found: usize, schema: &Value, bounds: (&str, &str), unit: &str, path: &str, causes: &mut Vec<Cause>) {
    let bound = |name: &str| schema.i64_at(&[name]).and_then(|n| usize::try_from(n).ok());
    if let Some(min) = bound(bounds.0).filter(|min| found < *min) {
        causes.push(Cause::invalid(
            path,
            found,
            &format!("{path} in body should have at least {min} {unit}"),
        ));
    }
    if let Some(max) = bound(bounds.1).filter(|max| found > *max) {
        causes.push(Cause {
            reason: "FieldValueTooLong",
            message: format!("Too long: may not be more than {max} {unit}"),
            field: path.to_owned(),
        });
    }
}

fn combine(here: &Value, schema: &Value, path: &str, causes: &mut Vec<Cause>) {
    let fits = |of: &Value| {
        let mut found = Vec::new();
        value(here, of, path, &mut found);
        found.is_empty()
    };
    // `x-kubernetes-int-or-string` comes with an anyOf of the two types, which the type check has seen to.
    if flag(schema, INT_OR_STRING) || (flag(schema, PRESERVE) && schema.get("type").is_none()) {
        return;
    }
    for of in schema.list_at(&["allOf"]) {
        value(here, of, path, causes);
    }
    let shown = || "\"\"".to_owned();
    let any = schema.list_at(&["anyOf"]);
    if !any.is_empty() && !any.iter().any(fits) {
        causes.push(Cause::invalid(
            path,
            shown(),
            &format!("{path:?} must validate at least one schema (anyOf)"),
        ));
    }
    let one = schema.list_at(&["oneOf"]);
    if !one.is_empty() && one.iter().filter(|of| fits(of)).count() != 1 {
        causes.push(Cause::invalid(
            path,
            shown(),
            &format!("{path:?} must validate one and only one schema (oneOf)"),
        ));
    }
    if schema.get("not").is_some_and(fits) {
        causes.push(Cause::invalid(
            path,
            shown(),
            &format!("{path:?} must not validate the schema (not)"),
        ));
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}
