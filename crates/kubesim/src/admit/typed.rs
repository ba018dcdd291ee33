//! Built-in kinds against their Go types: what encoding/json would make of them.

use pintle_merge::{Kind, Schema, TypeRef};
use pintle_model::Value;

use crate::clock::parse_time;
use crate::quantity;

/// Drops nulls, unknown fields and zero values that Go does not write, writes quantities canonically, and refuses wrong types. Returns the
/// paths of the unknown fields.
pub(super) fn decode(value: &mut Value, of: TypeRef<'_>) -> Result<Vec<String>, String> {
    let mut unknown = Vec::new();
    structure(value, of, "", &mut unknown, true)?;
    Ok(unknown)
}

/// As [`decode`], for the metadata of kinds whose Go types are not known.
pub(super) fn metadata(object: &mut Value) -> Result<(), String> {
    let Some(of) = Schema::builtin().type_named("meta.v1.ObjectMeta") else {
        return Ok(());
    };
    let Some(meta) = object.at_mut(&["metadata"]) else {
        return Ok(());
    };
    structure(meta, of, "metadata", &mut Vec::new(), false)
}

fn structure(
    value: &mut Value,
    of: TypeRef<'_>,
    path: &str,
    unknown: &mut Vec<String>,
    root: bool,
) -> Result<(), String> {
    let found = value.type_name();
    let Some(map) = value.as_map_mut() else {
        return Err(wrong(found, path, of.name().unwrap_or("struct")));
    };
    let mut failed = None;
    map.retain(|key, item| {
        if failed.is_some() || (root && matches!(key, "apiVersion" | "kind")) {
            return true;
        }
        let here = join(path, key);
        let Some(field) = of.field(key) else {
            unknown.push(here);
            return false;
        };
        if item.is_null() {
            return false;
        }
        if let Err(e) = decode_at(item, field, &here, unknown) {
            failed = Some(e);
            return true;
        }
        field.is_nilable() || field.is_required() || !is_zero(item, field.kind())
    });
    failed.map_or(Ok(()), Err)
}

fn decode_at(value: &mut Value, of: TypeRef<'_>, path: &str, unknown: &mut Vec<String>) -> Result<(), String> {
    let found = value.type_name();
    match of.kind() {
        Kind::Any => Ok(()),
        // Types that marshal themselves (JSON, JSONSchemaPropsOrBool) are written as structs without fields.
        Kind::Struct if of.fields().next().is_none() => Ok(()),
        Kind::Struct => structure(value, of, path, unknown, false),
        Kind::List => {
            let Some(items) = of.items() else { return Ok(()) };
            let list = value.as_list_mut().ok_or_else(|| wrong(found, path, "slice"))?;
            for (i, item) in list.iter_mut().enumerate() {
                if !item.is_null() {
                    decode_at(item, items, &format!("{path}[{i}]"), unknown)?;
                }
            }
            Ok(())
        }
        Kind::Map => {
            let Some(items) = of.items() else { return Ok(()) };
            let map = value.as_map_mut().ok_or_else(|| wrong(found, path, "map"))?;
            for (key, item) in map.iter_mut() {
                if item.is_null() && items.kind() == Kind::String {
                    // Go reads null into a string as the empty one.
                    *item = "".into();
                } else if !item.is_null() {
                    decode_at(item, items, &join(path, key), unknown)?;
                }
            }
            Ok(())
        }
        Kind::String | Kind::Bytes => value.as_str().map(drop).ok_or_else(|| wrong(found, path, "string")),
        Kind::Bool => value.as_bool().map(drop).ok_or_else(|| wrong(found, path, "bool")),
        Kind::Int32 => {
            let fits = matches!(value, Value::Int(i) if i32::try_from(*i).is_ok());
            fits.then_some(()).ok_or_else(|| wrong(found, path, "int32"))
        }
        Kind::Int64 => matches!(value, Value::Int(_))
            .then_some(())
            .ok_or_else(|| wrong(found, path, "int64")),
        Kind::Float => value.as_f64().map(drop).ok_or_else(|| wrong(found, path, "float64")),
        Kind::IntOrString => {
            let fits = matches!(value, Value::Str(_) | Value::Int(_));
            fits.then_some(())
                .ok_or_else(|| wrong(found, path, "intstr.IntOrString"))
        }
        Kind::Quantity => {
            let text = match value {
                Value::Str(s) => s.to_string(),
                Value::Int(i) => i.to_string(),
                Value::Float(f) => f.to_string(),
                _ => return Err(wrong(found, path, "resource.Quantity")),
            };
            let canonical = quantity::canonical(&text).ok_or_else(|| {
                "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'".to_owned()
            })?;
            *value = canonical.into();
            Ok(())
        }
        Kind::Time | Kind::MicroTime => {
            let text = value.as_str().ok_or_else(|| wrong(found, path, "time"))?;
            if parse_time(text).is_none() {
                return Err(format!("parsing time {text:?} at {path}: not RFC 3339"));
            }
            Ok(())
        }
    }
}

/// Whether Go's `omitempty` leaves it out; structs are always written.
fn is_zero(value: &Value, kind: Kind) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(b) => !b,
        Value::Int(i) => *i == 0 && kind != Kind::IntOrString,
        Value::Float(f) => *f == 0.0,
        Value::Str(s) => s.is_empty() && !matches!(kind, Kind::Quantity | Kind::IntOrString),
        Value::List(l) => l.is_empty(),
        Value::Map(m) => m.is_empty() && kind == Kind::Map,
    }
}

fn wrong(found: &str, path: &str, wanted: &str) -> String {
    format!("json: cannot unmarshal {found} into Go struct field {path} of type {wanted}")
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

#[cfg(test)]
mod tests {
    use pintle_model::{Gvk, to_json_string};

    use super::*;

    fn run(text: &str) -> Result<(String, Vec<String>), String> {
        let of = Schema::builtin()
            .type_of(&Gvk::new("apps", "v1", "Deployment"))
            .expect("known");
        let mut value = Value::from_json(text.as_bytes()).expect("JSON");
        let unknown = decode(&mut value, of)?;
        Ok((to_json_string(&value), unknown))
    }

    #[test]
    fn nulls_and_zero_values_go_and_quantities_are_canonical() {
        let text = r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"creationTimestamp":null,"labels":{},"name":"a"},
            "spec":{"paused":false,"replicas":0,"foo":1,"template":{"spec":{"containers":[{"name":"c","command":[],
            "resources":{"limits":{"cpu":"1000m","memory":"1024Mi"}},"securityContext":{}}]}}}}"#;
        let (json, unknown) = run(text).expect("decodes");
        assert_eq!(
            json,
            r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"},"spec":{"replicas":0,"template":{"spec":{"containers":[{"name":"c","resources":{"limits":{"cpu":"1","memory":"1Gi"}},"securityContext":{}}]}}}}"#
        );
        assert_eq!(unknown, ["spec.foo"]);
    }

    #[test]
    fn wrong_types_are_refused() {
        let error =
            run(r#"{"apiVersion":"apps/v1","kind":"Deployment","spec":{"replicas":"3"}}"#).expect_err("refused");
        assert_eq!(
            error,
            "json: cannot unmarshal string into Go struct field spec.replicas of type int32"
        );
    }
}
