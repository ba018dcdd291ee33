//! The `scale` subresource: one number of a workload, in the shape of `autoscaling/v1` Scale.

use pintle_model::{Object, Value};

use super::patch::{self, PatchKind};
use super::write::{Answer, Context, Written};
use crate::api::path::Target;
use crate::error::{ApiError, Cause};
use crate::resource::Resource;

/// Where a kind keeps its replicas.
struct Paths {
    spec: Vec<String>,
    status: Vec<String>,
    selector: Option<Vec<String>>,
}

/// GET.
pub fn get(store: &crate::store::Store, target: &Target) -> Result<Value, ApiError> {
    let object = store.get(target.gr(), target.ns(), target.name())?;
    Ok(show(&object, &paths(target)?))
}

/// PUT.
pub fn update(context: &Context<'_>, body: &Value) -> Result<Written, ApiError> {
    write(context, body)
}

/// PATCH.
pub fn patch(context: &Context<'_>, kind: PatchKind, body: &Value) -> Result<Written, ApiError> {
    let current = get(context.store, context.target)?;
    let gvk = pintle_model::Gvk::new("autoscaling", "v1", "Scale");
    let mut patched = patch::apply(kind, &current, body, &gvk, &context.target.resource)?;
    // The version read above is no precondition; only one that the patch itself names is.
    if patched.at(&["metadata", "resourceVersion"]) == current.at(&["metadata", "resourceVersion"]) {
        patched.remove_at(&["metadata", "resourceVersion"]);
    }
    write(context, &patched)
}

fn write(context: &Context<'_>, scale: &Value) -> Result<Written, ApiError> {
    let target = context.target;
    let paths = paths(target)?;
    let replicas = match scale.at(&["spec", "replicas"]) {
        None | Some(Value::Null) => 0,
        Some(value) => value
            .as_i64()
            .ok_or_else(|| ApiError::bad_request("spec.replicas: expected an integer"))?,
    };
    if replicas < 0 {
        let cause = Cause::invalid("spec.replicas", replicas, "must be greater than or equal to 0");
        return Err(ApiError::invalid("autoscaling", "Scale", target.name(), vec![cause]));
    }
    let mut object = context.store.get(target.gr(), target.ns(), target.name())?;
    match scale.str_at(&["metadata", "resourceVersion"]).filter(|v| !v.is_empty()) {
        Some(version) => object
            .value_mut()
            .set_at(&["metadata", "resourceVersion"], version.into()),
        None => {
            object.value_mut().remove_at(&["metadata", "resourceVersion"]);
        }
    }
    object.value_mut().set_at(&strs(&paths.spec), replicas.into());
    let options = crate::store::WriteOptions {
        dry_run: context.query.dry_run()?,
    };
    let stored = context.store.update_with(target.gr(), object, options)?;
    Ok(Written {
        code: 200,
        answer: Answer::Value(show(&stored, &paths)),
        warnings: Vec::new(),
    })
}

fn show(object: &Object, paths: &Paths) -> Value {
    let mut scale = Value::map();
    scale.set_at(&["kind"], "Scale".into());
    scale.set_at(&["apiVersion"], "autoscaling/v1".into());
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if let Some(value) = object.value().at(&["metadata", field]) {
            scale.set_at(&["metadata", field], value.clone());
        }
    }
    let number = |path: &[String]| object.value().i64_at(&strs(path)).unwrap_or(0);
    scale.set_at(&["spec", "replicas"], number(&paths.spec).into());
    scale.set_at(&["status", "replicas"], number(&paths.status).into());
    let selector = paths.selector.as_deref().and_then(|p| object.value().at(&strs(p)));
    let selector = match selector {
        Some(Value::Str(text)) => text.to_string(),
        Some(selector) => selector_text(selector),
        None => String::new(),
    };
    if !selector.is_empty() {
        scale.set_at(&["status", "selector"], selector.into());
    }
    scale
}

/// A label selector value as text.
pub fn selector_text(selector: &Value) -> String {
    let labels = selector.get("matchLabels").and_then(Value::as_map);
    let mut terms: Vec<String> = labels
        .into_iter()
        .flat_map(|m| m.iter())
        .map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or_default()))
        .collect();
    for expression in selector.list_at(&["matchExpressions"]) {
        let key = expression.str_at(&["key"]).unwrap_or_default();
        let values: Vec<&str> = expression
            .list_at(&["values"])
            .iter()
            .filter_map(Value::as_str)
            .collect();
        terms.push(match expression.str_at(&["operator"]) {
            Some("In") => format!("{key} in ({})", values.join(",")),
            Some("NotIn") => format!("{key} notin ({})", values.join(",")),
            Some("Exists") => key.to_owned(),
            _ => format!("!{key}"),
        });
    }
    terms.join(",")
}

fn paths(target: &Target) -> Result<Paths, ApiError> {
    let resource: &Resource = &target.resource;
    let split = |text: &str| {
        text.split('.')
            .filter(|p| !p.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let Some(custom) = &resource.custom else {
        // A ReplicationController's selector is a plain map, but nothing here scales one by its selector.
        return Ok(Paths {
            spec: split("spec.replicas"),
            status: split("status.replicas"),
            selector: Some(split("spec.selector")),
        });
    };
    let scale = custom
        .versions
        .get(&*target.version)
        .and_then(|v| v.scale.as_ref())
        .ok_or_else(ApiError::no_such_path)?;
    Ok(Paths {
        spec: split(scale.str_at(&["specReplicasPath"]).unwrap_or(".spec.replicas")),
        status: split(scale.str_at(&["statusReplicasPath"]).unwrap_or(".status.replicas")),
        selector: scale.str_at(&["labelSelectorPath"]).map(split),
    })
}

fn strs(path: &[String]) -> Vec<&str> {
    path.iter().map(String::as_str).collect()
}
