//! What must not count as a difference.
//!
//! ```text
//! canonical   before patches are made: one spelling per value (quantities, base64, stringData), nulls dropped
//! settled     before results are compared: zero values that the server may drop, defaults that it fills in
//! ```
//!
//! The two are apart because a patch must still see `hostNetwork: false`: it turns off what somebody turned on.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pintle_model::{Map, Object, Value, to_json_string};

use crate::defaulting;
use crate::quantity::Quantity;
use crate::schema::{Kind, Schema, TypeRef};
use crate::three_way::LAST_APPLIED;

/// What the server alone sets in metadata.
const SERVER_METADATA: &[&str] = &[
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// Returns the object with one spelling per value: quantities, base64 and Secret `stringData` canonical, nulls dropped, server-set
/// metadata and the last applied configuration removed. Values that cannot be read stay as they are.
pub fn canonical(object: &Object, of: Option<TypeRef<'_>>) -> Object {
    let mut object = object.clone();
    strip_metadata(object.value_mut());
    match (object.group(), object.kind()) {
        ("", "Secret") => secret_data(object.value_mut()),
        ("", "Endpoints") => sort_subsets(object.value_mut()),
        _ => {}
    }
    if let Some(new) = rewrite_object(object.value(), of, Stage::Canonical) {
        *object.value_mut() = new;
    }
    object
}

/// Returns a canonical object without the zero values that its type cannot tell from absent ones, and with the defaults that the
/// server fills in where patches replace.
pub fn settled(object: &Value, of: Option<TypeRef<'_>>) -> Value {
    rewrite_object(object, of, Stage::Settled).unwrap_or_else(|| object.clone())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Canonical,
    Settled,
}

fn rewrite_object(object: &Value, of: Option<TypeRef<'_>>, stage: Stage) -> Option<Value> {
    if let Some(of) = of {
        return rewrite(object, of, stage);
    }
    // Of a custom kind only the metadata is known.
    let metadata = Schema::builtin().type_named("meta.v1.ObjectMeta")?;
    let new = rewrite(object.get("metadata")?, metadata, stage)?;
    let mut object = object.clone();
    object.set_at(&["metadata"], new);
    Some(object)
}

/// Rewrites a value; `None` if it stays as it is, so that what is shared stays shared.
fn rewrite(value: &Value, of: TypeRef<'_>, stage: Stage) -> Option<Value> {
    match (value, of.kind()) {
        (Value::Map(map), Kind::Struct) => rewrite_struct(map, of, stage),
        (Value::Map(map), Kind::Map) => {
            let mut new: Option<Map> = None;
            for (key, item) in map.iter() {
                if let Some(item) = of.items().and_then(|of| rewrite(item, of, stage)) {
                    new.get_or_insert_with(|| Map::clone(map)).insert(key, item);
                }
            }
            new.map(Value::from)
        }
        (Value::List(items), Kind::List) => {
            let mut new: Option<Vec<Value>> = None;
            for (i, item) in items.iter().enumerate() {
                if let Some(item) = of.items().and_then(|of| rewrite(item, of, stage))
                    && let Some(slot) = new.get_or_insert_with(|| Vec::clone(items)).get_mut(i)
                {
                    *slot = item;
                }
            }
            new.map(Value::from)
        }
        // Types that are a schema or something else in CustomResourceDefinitions.
        (Value::List(items), Kind::Struct) => {
            let inner = schema_props(of)?;
            let new: Vec<Value> = items
                .iter()
                .map(|i| rewrite(i, inner, stage).unwrap_or_else(|| i.clone()))
                .collect();
            (new != **items).then(|| new.into())
        }
        _ if stage == Stage::Canonical => scalar(value, of.kind()),
        _ => None,
    }
}

fn rewrite_struct(map: &Arc<Map>, of: TypeRef<'_>, stage: Stage) -> Option<Value> {
    let of = schema_props(of).unwrap_or(of);
    let mut new: Option<Map> = None;
    for (key, item) in map.iter() {
        let Some(field) = of.field(key) else { continue };
        let changed = rewrite(item, field, stage);
        let now = changed.as_ref().unwrap_or(item);
        let untold = stage == Stage::Settled && !field.is_nilable() && is_zero(now, field.kind());
        if field.kind() != Kind::Any && (now.is_null() || untold) {
            new.get_or_insert_with(|| Map::clone(map)).remove(key);
        } else if let Some(changed) = changed {
            new.get_or_insert_with(|| Map::clone(map)).insert(key, changed);
        }
    }
    if stage == Stage::Settled {
        let mut completed = new.clone().unwrap_or_else(|| Map::clone(map));
        if defaulting::complete(&mut completed, of) {
            new = Some(completed);
        }
    }
    new.map(Value::from)
}

/// The type of schemas, if `of` is one of the unions that hold schemas.
fn schema_props(of: TypeRef<'_>) -> Option<TypeRef<'_>> {
    match of.name()? {
        "apiextensions.v1.JSONSchemaPropsOrArray" | "apiextensions.v1.JSONSchemaPropsOrBool" => {
            of.schema().type_named("apiextensions.v1.JSONSchemaProps")
        }
        _ => None,
    }
}

/// The canonical spelling of a scalar, if it is another one.
fn scalar(value: &Value, kind: Kind) -> Option<Value> {
    let new = match kind {
        Kind::Quantity => {
            let text = match value {
                Value::Str(s) => s.to_string(),
                Value::Int(_) | Value::Float(_) => to_json_string(value),
                _ => return None,
            };
            Value::from(Quantity::parse(&text).ok()?.to_string())
        }
        Kind::Int32 | Kind::Int64 | Kind::IntOrString if matches!(value, Value::Float(_)) => value.as_i64()?.into(),
        // The server's decoder skips line breaks.
        Kind::Bytes => value
            .as_str()
            .filter(|s| s.contains(['\r', '\n']))?
            .replace(['\r', '\n'], "")
            .into(),
        _ => return None,
    };
    (new != *value).then_some(new)
}

/// Whether a value is what Go gives a field that is not set.
fn is_zero(value: &Value, kind: Kind) -> bool {
    match value {
        Value::Bool(b) => !b,
        Value::Int(i) => *i == 0,
        Value::Float(f) => *f == 0.0,
        Value::Str(s) => s.is_empty() || (kind == Kind::Quantity && &**s == "0"),
        _ => value.is_empty(),
    }
}

fn strip_metadata(object: &mut Value) {
    let present = |object: &Value, field: &str| object.at(&["metadata", field]).is_some();
    for field in SERVER_METADATA
        .iter()
        .filter(|f| present(object, f))
        .copied()
        .collect::<Vec<_>>()
    {
        object.remove_at(&["metadata", field]);
    }
    object.remove_at(&["metadata", "annotations", LAST_APPLIED]);
}

/// `stringData` is how a Secret's data may be written, and never how it is read.
fn secret_data(secret: &mut Value) {
    let Some(Value::Map(texts)) = secret.remove_at(&["stringData"]) else {
        return;
    };
    for (key, text) in texts.iter() {
        if let Some(text) = text.as_str() {
            secret.set_at(&["data", key], STANDARD.encode(text).into());
        }
    }
}

/// The endpoints controller keeps no order.
fn sort_subsets(endpoints: &mut Value) {
    let Some(subsets) = endpoints.at_mut(&["subsets"]).and_then(Value::as_list_mut) else {
        return;
    };
    for subset in subsets.iter_mut() {
        for field in ["addresses", "notReadyAddresses", "ports"] {
            if let Some(items) = subset.at_mut(&[field]).and_then(Value::as_list_mut) {
                items.sort_by_cached_key(to_json_string);
            }
        }
    }
    subsets.sort_by_cached_key(to_json_string);
}
