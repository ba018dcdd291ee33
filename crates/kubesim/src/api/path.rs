//! Which thing a path names.

use std::sync::Arc;

use super::query::decode;
use crate::resource::{GroupResource, Resource, Resources};

/// What a request is about.
pub enum Route {
    /// `/healthz`, `/livez`, `/readyz` and their parts.
    Health,
    /// `/version`.
    Version,
    /// `/api`.
    Core,
    /// `/apis`.
    Groups,
    /// `/apis/{group}`.
    Group(String),
    /// `/api/v1` and `/apis/{group}/{version}`.
    GroupVersion(String, String),
    /// `/openapi/v2`.
    OpenApiV2,
    /// `/openapi/v3`.
    OpenApiV3,
    /// `/openapi/v3/api/v1` and `/openapi/v3/apis/{group}/{version}`.
    OpenApiV3Group(String, String),
    /// A resource, one object of it, or a subresource.
    Resource(Target),
    /// Nothing of ours.
    Unknown,
}

/// A resource path.
#[derive(Clone)]
pub struct Target {
    /// The resource.
    pub resource: Arc<Resource>,
    /// The version asked for.
    pub version: Arc<str>,
    /// The namespace; `None` means all (or a cluster-scoped resource).
    pub namespace: Option<String>,
    /// The object; `None` means the collection.
    pub name: Option<String>,
    /// The subresource.
    pub subresource: Option<String>,
}

impl Target {
    /// The namespace of one object; empty for cluster-scoped resources.
    pub fn ns(&self) -> &str {
        self.namespace.as_deref().unwrap_or_default()
    }

    /// The name; empty for a collection.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    /// The table.
    pub fn gr(&self) -> &GroupResource {
        &self.resource.gr
    }
}

/// Reads a path (without query).
pub fn route(path: &str, resources: &Resources) -> Route {
    let parts: Vec<String> = path
        .split('/')
        .filter(|p| !p.is_empty())
        .map(|p| decode(p, false))
        .collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match parts.as_slice() {
        ["healthz" | "livez" | "readyz", ..] => Route::Health,
        ["version"] => Route::Version,
        ["api"] => Route::Core,
        ["apis"] => Route::Groups,
        ["openapi", "v2"] => Route::OpenApiV2,
        ["openapi", "v3"] => Route::OpenApiV3,
        ["openapi", "v3", "api", version] => Route::OpenApiV3Group(String::new(), (*version).into()),
        ["openapi", "v3", "apis", group, version] => Route::OpenApiV3Group((*group).into(), (*version).into()),
        ["api", version] => Route::GroupVersion(String::new(), (*version).into()),
        ["apis", group] => Route::Group((*group).into()),
        ["apis", group, version] => Route::GroupVersion((*group).into(), (*version).into()),
        ["api", version, rest @ ..] => resource("", version, rest, resources),
        ["apis", group, version, rest @ ..] => resource(group, version, rest, resources),
        _ => Route::Unknown,
    }
}

fn resource(group: &str, version: &str, rest: &[&str], resources: &Resources) -> Route {
    let (namespace, rest) = match rest {
        // A namespace is itself an object, with subresources of its own.
        ["namespaces"] | ["namespaces", _] | ["namespaces", _, "status" | "finalize"] if group.is_empty() => {
            (None, rest)
        }
        ["namespaces", namespace, rest @ ..] => (Some(*namespace), rest),
        rest => (None, rest),
    };
    let (plural, name, subresource) = match rest {
        [plural] => (*plural, None, None),
        [plural, name] => (*plural, Some(*name), None),
        [plural, name, subresource] => (*plural, Some(*name), Some(*subresource)),
        _ => return Route::Unknown,
    };
    let Some(resource) = resources.get(&GroupResource::new(group, plural)) else {
        return Route::Unknown;
    };
    // One object of a namespaced resource needs its namespace, and a cluster-scoped one has none.
    let scope_fits = if resource.namespaced {
        name.is_none() || namespace.is_some()
    } else {
        namespace.is_none()
    };
    if !resource.serves(version) || !scope_fits {
        return Route::Unknown;
    }
    Route::Resource(Target {
        resource: Arc::clone(resource),
        version: version.into(),
        namespace: namespace.map(str::to_owned),
        name: name.map(str::to_owned),
        subresource: subresource.map(str::to_owned),
    })
}
