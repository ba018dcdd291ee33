//! OpenAPI: enough for clients to find out what the server can do, and the schemas of custom resources.
//!
//! Built-in kinds are there with their paths and an open schema: `kubectl apply` knows their merge keys itself and leaves validation to
//! the server, which does it.

use std::collections::BTreeSet;

use pintle_model::{Map, Value};

use crate::resource::{Resource, Resources};

fn object(fields: Vec<(&str, Value)>) -> Value {
    fields.into_iter().collect::<Map>().into()
}

/// `/openapi/v3`: the documents there are.
pub fn index(resources: &Resources) -> Value {
    let mut paths = BTreeSet::new();
    for resource in resources.iter() {
        for version in &resource.versions {
            paths.insert(prefix(&resource.gr.group, version));
        }
    }
    let entries = paths.into_iter().map(|p| {
        let url = object(vec![("serverRelativeURL", format!("/openapi/v3/{p}").into())]);
        (p, url)
    });
    object(vec![("paths", entries.collect::<Map>().into())])
}

fn prefix(group: &str, version: &str) -> String {
    if group.is_empty() {
        format!("api/{version}")
    } else {
        format!("apis/{group}/{version}")
    }
}

/// The document of one group and version; `None` if nothing of it is served.
pub fn group_version(resources: &Resources, group: &str, version: &str) -> Option<Value> {
    let served: Vec<_> = resources
        .iter()
        .filter(|r| &*r.gr.group == group && r.serves(version))
        .collect();
    if served.is_empty() {
        return None;
    }
    let (mut paths, mut schemas) = (Value::map(), Value::map());
    for resource in served {
        let scope = if resource.namespaced {
            "namespaces/{namespace}/"
        } else {
            ""
        };
        let collection = format!("/{}/{scope}{}", prefix(group, version), resource.gr.resource);
        let name = schema_name(resource, version);
        let reference = object(vec![("$ref", format!("#/components/schemas/{name}").into())]);
        paths.set_at(
            &[&collection],
            object(vec![("post", operation("post", resource, version, &reference))]),
        );
        if !resource.review {
            let one =
                ["get", "put", "patch", "delete"].map(|verb| (verb, operation(verb, resource, version, &reference)));
            paths.set_at(&[&format!("{collection}/{{name}}")], object(one.into_iter().collect()));
        }
        let mut schema = resource
            .custom
            .as_ref()
            .and_then(|c| c.versions.get(version))
            .map_or_else(|| object(vec![("type", "object".into())]), |v| v.schema.clone());
        schema.set_at(
            &["x-kubernetes-group-version-kind"],
            Value::list(vec![gvk(resource, version)]),
        );
        schemas.set_at(&[&name], schema);
    }
    Some(object(vec![
        ("openapi", "3.0.0".into()),
        (
            "info",
            object(vec![
                ("title", "Kubernetes".into()),
                ("version", "v1.36.1+pintle-sim".into()),
            ]),
        ),
        ("paths", paths),
        ("components", object(vec![("schemas", schemas)])),
    ]))
}

/// `/openapi/v2`: no definitions; clients that know v3 do not read it.
pub fn v2() -> Value {
    object(vec![
        ("swagger", "2.0".into()),
        (
            "info",
            object(vec![
                ("title", "Kubernetes".into()),
                ("version", "v1.36.1+pintle-sim".into()),
            ]),
        ),
        ("paths", Value::map()),
        ("definitions", Value::map()),
    ])
}

fn gvk(resource: &Resource, version: &str) -> Value {
    object(vec![
        ("group", Value::Str(resource.gr.group.clone())),
        ("kind", Value::Str(resource.kind.clone())),
        ("version", version.into()),
    ])
}

fn schema_name(resource: &Resource, version: &str) -> String {
    let group = if resource.gr.group.is_empty() {
        "core"
    } else {
        &*resource.gr.group
    };
    let reversed: Vec<&str> = group.split('.').rev().collect();
    format!("{}.{version}.{}", reversed.join("."), resource.kind)
}

/// One operation; kubectl looks for the parameters it wants to use.
fn operation(verb: &str, resource: &Resource, version: &str, schema: &Value) -> Value {
    let mut operation = Value::map();
    let action = if verb == "get" { "get" } else { verb };
    operation.set_at(&["x-kubernetes-action"], action.into());
    operation.set_at(&["x-kubernetes-group-version-kind"], gvk(resource, version));
    let names: &[&str] = match verb {
        "get" => &["pretty"],
        "delete" => &["dryRun", "gracePeriodSeconds", "propagationPolicy"],
        _ => &["dryRun", "fieldManager", "fieldValidation"],
    };
    let parameter = |name: &&str| {
        let kind = object(vec![(
            "type",
            if *name == "gracePeriodSeconds" {
                "integer"
            } else {
                "string"
            }
            .into(),
        )]);
        object(vec![("name", (*name).into()), ("in", "query".into()), ("schema", kind)])
    };
    operation.set_at(&["parameters"], Value::list(names.iter().map(parameter).collect()));
    // No strategic patch is listed: clients that know the built-in types merge by those.
    let media: &[&str] = match verb {
        "patch" => &["application/json-patch+json", "application/merge-patch+json"],
        "post" | "put" => &["application/json"],
        _ => &[],
    };
    for media in media {
        operation.set_at(&["requestBody", "content", media, "schema"], schema.clone());
    }
    operation.set_at(&["responses", "200", "description"], "OK".into());
    operation.set_at(
        &["responses", "200", "content", "application/json", "schema"],
        schema.clone(),
    );
    operation
}
