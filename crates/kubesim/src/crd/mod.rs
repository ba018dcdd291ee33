//! Custom resources: what a CustomResourceDefinition says, ready for use.

pub(crate) mod default;
pub(crate) mod definition;
pub(crate) mod prune;
pub(crate) mod validate;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use pintle_model::{Object, Value};

use crate::resource::{GroupResource, Resource};

/// One custom kind, as its definition describes it.
pub struct CustomKind {
    /// The served versions.
    pub versions: BTreeMap<Arc<str>, CustomVersion>,
    /// Dotted paths that field selectors may name.
    pub selectable: Vec<String>,
}

/// One version of a custom kind.
pub struct CustomVersion {
    /// `schema.openAPIV3Schema`.
    pub schema: Value,
    /// `additionalPrinterColumns`.
    pub columns: Value,
    /// `subresources.scale`, if there is one.
    pub scale: Option<Value>,
}

/// The resource a definition describes; `None` if it lacks what admission requires.
pub fn resource_of(definition: &Object) -> Option<Resource> {
    let spec = definition.value().get("spec")?;
    let group = spec.str_at(&["group"])?;
    let names = spec.get("names")?;
    let (plural, kind) = (names.str_at(&["plural"])?, names.str_at(&["kind"])?);
    let versions = spec.list_at(&["versions"]);
    let mut served: Vec<&str> = versions
        .iter()
        .filter(|v| v.bool_at(&["served"]) == Some(true))
        .filter_map(|v| v.str_at(&["name"]))
        .collect();
    served.sort_by_key(|v| std::cmp::Reverse(version_rank(v)));
    let storage = versions.iter().find(|v| v.bool_at(&["storage"]) == Some(true))?;
    let texts = |list: &str| {
        names
            .list_at(&[list])
            .iter()
            .filter_map(|v| v.as_str().map(Arc::from))
            .collect()
    };
    let has = |sub: &str| versions.iter().any(|v| v.at(&["subresources", sub]).is_some());
    let custom = CustomKind {
        versions: versions
            .iter()
            .filter_map(|v| {
                let version = CustomVersion {
                    schema: v.at(&["schema", "openAPIV3Schema"])?.clone(),
                    columns: v.get("additionalPrinterColumns").cloned().unwrap_or(Value::Null),
                    scale: v.at(&["subresources", "scale"]).cloned(),
                };
                Some((v.str_at(&["name"])?.into(), version))
            })
            .collect(),
        selectable: versions
            .iter()
            .flat_map(|v| v.list_at(&["selectableFields"]))
            .filter_map(|f| Some(f.str_at(&["jsonPath"])?.trim_start_matches('.').to_owned()))
            .collect(),
    };
    Some(Resource {
        gr: GroupResource::new(group, plural),
        versions: served.into_iter().map(Arc::from).collect(),
        storage_version: storage.str_at(&["name"])?.into(),
        kind: kind.into(),
        list_kind: names
            .str_at(&["listKind"])
            .map_or_else(|| format!("{kind}List").into(), Arc::from),
        singular: names
            .str_at(&["singular"])
            .map_or_else(|| kind.to_lowercase().into(), Arc::from),
        short_names: texts("shortNames"),
        categories: texts("categories"),
        namespaced: spec.str_at(&["scope"]) == Some("Namespaced"),
        has_status: has("status"),
        has_scale: has("scale"),
        has_generation: true,
        review: false,
        custom: Some(Arc::new(custom)),
    })
}

/// Orders versions as Kubernetes prefers them: v2 over v1 over v1beta1 over v1alpha1 over anything else.
fn version_rank(version: &str) -> (u8, u32, u32) {
    let Some(rest) = version.strip_prefix('v') else {
        return (0, 0, 0);
    };
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (major, tail) = rest.split_at(digits);
    let Ok(major) = major.parse() else { return (0, 0, 0) };
    match tail {
        "" => (3, major, 0),
        _ => {
            let stage = |name: &str| tail.strip_prefix(name).and_then(|n| n.parse().ok());
            match (stage("beta"), stage("alpha")) {
                (Some(n), _) => (2, major, n),
                (None, Some(n)) => (1, major, n),
                (None, None) => (0, 0, 0),
            }
        }
    }
}

fn flag(schema: &Value, name: &str) -> bool {
    schema.bool_at(&[name]).unwrap_or(false)
}

const PRESERVE: &str = "x-kubernetes-preserve-unknown-fields";
const EMBEDDED: &str = "x-kubernetes-embedded-resource";
const INT_OR_STRING: &str = "x-kubernetes-int-or-string";
