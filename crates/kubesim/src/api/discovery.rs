//! What is served: the aggregated documents that new clients read, and the older ones.

use std::collections::BTreeMap;

use pintle_model::{Map, Value};

use crate::resource::{Resource, Resources};

/// The content type of the aggregated documents.
pub const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

const VERBS: [&str; 8] = [
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
];

/// Whether an `Accept` header asks for aggregated discovery.
pub fn wants_aggregated(accept: Option<&str>) -> bool {
    accept.unwrap_or_default().split(',').any(|item| {
        let has = |part: &str| item.split(';').any(|p| p.trim() == part);
        has("g=apidiscovery.k8s.io") && has("v=v2") && has("as=APIGroupDiscoveryList")
    })
}

fn object(fields: Vec<(&str, Value)>) -> Value {
    fields.into_iter().collect::<Map>().into()
}

fn strings<S: AsRef<str>>(items: impl IntoIterator<Item = S>) -> Value {
    Value::list(items.into_iter().map(|s| s.as_ref().into()).collect())
}

fn verbs(resource: &Resource) -> Value {
    if resource.review {
        strings(["create"])
    } else {
        strings(VERBS)
    }
}

/// Subresources: name, response group, version and kind, verbs.
fn subresources(resource: &Resource, version: &str) -> Vec<(&'static str, (String, String, String), Value)> {
    let own = || {
        (
            resource.gr.group.to_string(),
            version.to_owned(),
            resource.kind.to_string(),
        )
    };
    let mut all = Vec::new();
    if resource.has_scale {
        let scale = ("autoscaling".to_owned(), "v1".to_owned(), "Scale".to_owned());
        all.push(("scale", scale, strings(["get", "patch", "update"])));
    }
    if resource.has_status {
        all.push(("status", own(), strings(["get", "patch", "update"])));
    }
    if resource.gr.is("", "pods") {
        all.push(("log", own(), strings(["get"])));
    }
    if resource.gr.is("", "namespaces") {
        all.push(("finalize", own(), strings(["update"])));
    }
    all
}

/// Resources by group and version, groups and versions in their order of preference.
fn groups(resources: &Resources, core: bool) -> BTreeMap<String, Vec<(String, Vec<&Resource>)>> {
    let mut groups: BTreeMap<String, Vec<(String, Vec<&Resource>)>> = BTreeMap::new();
    for resource in resources.iter().filter(|r| r.gr.group.is_empty() == core) {
        let versions = groups.entry(resource.gr.group.to_string()).or_default();
        for version in &resource.versions {
            match versions.iter_mut().find(|(v, _)| **v == **version) {
                Some((_, list)) => list.push(resource),
                None => versions.push((version.to_string(), vec![resource])),
            }
        }
    }
    groups
}

/// The aggregated document of `/api` (`core`) or `/apis`.
pub fn aggregated(resources: &Resources, core: bool) -> Value {
    let items = groups(resources, core).into_iter().map(|(group, versions)| {
        let versions = versions.into_iter().map(|(version, list)| {
            let resources = list.into_iter().map(|r| aggregated_resource(r, &version)).collect();
            object(vec![
                ("version", version.as_str().into()),
                ("freshness", "Current".into()),
                ("resources", Value::list(resources)),
            ])
        });
        let mut metadata = Value::map();
        if !group.is_empty() {
            metadata.set_at(&["name"], group.into());
        }
        object(vec![
            ("metadata", metadata),
            ("versions", Value::list(versions.collect())),
        ])
    });
    object(vec![
        ("kind", "APIGroupDiscoveryList".into()),
        ("apiVersion", "apidiscovery.k8s.io/v2".into()),
        ("metadata", Value::map()),
        ("items", Value::list(items.collect())),
    ])
}

fn aggregated_resource(resource: &Resource, version: &str) -> Value {
    let kind = |(group, version, kind): (String, String, String)| {
        object(vec![
            ("group", group.into()),
            ("version", version.into()),
            ("kind", kind.into()),
        ])
    };
    let own = (
        resource.gr.group.to_string(),
        version.to_owned(),
        resource.kind.to_string(),
    );
    let mut entry = object(vec![
        ("resource", Value::Str(resource.gr.resource.clone())),
        ("responseKind", kind(own)),
        (
            "scope",
            if resource.namespaced { "Namespaced" } else { "Cluster" }.into(),
        ),
        ("singularResource", Value::Str(resource.singular.clone())),
        ("verbs", verbs(resource)),
    ]);
    if !resource.short_names.is_empty() {
        entry.set_at(&["shortNames"], strings(&resource.short_names));
    }
    if !resource.categories.is_empty() {
        entry.set_at(&["categories"], strings(&resource.categories));
    }
    let subs = subresources(resource, version)
        .into_iter()
        .map(|(name, response, verbs)| {
            object(vec![
                ("subresource", name.into()),
                ("responseKind", kind(response)),
                ("verbs", verbs),
            ])
        });
    let subs: Vec<Value> = subs.collect();
    if !subs.is_empty() {
        entry.set_at(&["subresources"], Value::list(subs));
    }
    entry
}

/// `/api` for older clients.
pub fn core_versions() -> Value {
    object(vec![
        ("kind", "APIVersions".into()),
        ("versions", strings(["v1"])),
        ("serverAddressByClientCIDRs", Value::list(Vec::new())),
    ])
}

/// `/apis` for older clients.
pub fn group_list(resources: &Resources) -> Value {
    let all = groups(resources, false)
        .into_iter()
        .map(|(group, versions)| group_entry(&group, &versions));
    object(vec![
        ("kind", "APIGroupList".into()),
        ("apiVersion", "v1".into()),
        ("groups", Value::list(all.collect())),
    ])
}

/// `/apis/{group}`; `None` if nothing of it is served.
pub fn group(resources: &Resources, group: &str) -> Option<Value> {
    let all = groups(resources, false);
    let mut entry = group_entry(group, all.get(group)?);
    entry.set_at(&["kind"], "APIGroup".into());
    entry.set_at(&["apiVersion"], "v1".into());
    Some(entry)
}

fn group_entry(group: &str, versions: &[(String, Vec<&Resource>)]) -> Value {
    let version = |v: &str| {
        object(vec![
            ("groupVersion", format!("{group}/{v}").into()),
            ("version", v.into()),
        ])
    };
    let preferred = versions.first().map_or(Value::Null, |(v, _)| version(v));
    let all = versions.iter().map(|(v, _)| version(v)).collect();
    object(vec![
        ("name", group.into()),
        ("versions", Value::list(all)),
        ("preferredVersion", preferred),
    ])
}

/// `/api/v1` and `/apis/{group}/{version}`; `None` if nothing of it is served.
pub fn resource_list(resources: &Resources, group: &str, version: &str) -> Option<Value> {
    let mut entries = Vec::new();
    for resource in resources.iter().filter(|r| &*r.gr.group == group && r.serves(version)) {
        let mut entry = object(vec![
            ("name", Value::Str(resource.gr.resource.clone())),
            ("singularName", Value::Str(resource.singular.clone())),
            ("namespaced", resource.namespaced.into()),
            ("kind", Value::Str(resource.kind.clone())),
            ("verbs", verbs(resource)),
        ]);
        if !resource.short_names.is_empty() {
            entry.set_at(&["shortNames"], strings(&resource.short_names));
        }
        if !resource.categories.is_empty() {
            entry.set_at(&["categories"], strings(&resource.categories));
        }
        entries.push(entry);
        for (name, (sub_group, sub_version, kind), verbs) in subresources(resource, version) {
            let mut entry = object(vec![
                ("name", format!("{}/{name}", resource.gr.resource).into()),
                ("singularName", "".into()),
                ("namespaced", resource.namespaced.into()),
                ("kind", kind.into()),
                ("verbs", verbs),
            ]);
            if sub_group != group {
                entry.set_at(&["group"], sub_group.into());
                entry.set_at(&["version"], sub_version.into());
            }
            entries.push(entry);
        }
    }
    if entries.is_empty() {
        return None;
    }
    let group_version = if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    };
    Some(object(vec![
        ("kind", "APIResourceList".into()),
        ("apiVersion", "v1".into()),
        ("groupVersion", group_version.into()),
        ("resources", Value::list(entries)),
    ]))
}

/// `/version`.
pub fn version() -> Value {
    object(vec![
        ("major", "1".into()),
        ("minor", "36".into()),
        ("gitVersion", "v1.36.1+pintle-sim".into()),
        ("gitCommit", "".into()),
        ("gitTreeState", "clean".into()),
        ("buildDate", "2026-01-01T00:00:00Z".into()),
        ("goVersion", "".into()),
        ("compiler", "rustc".into()),
        ("platform", "linux/amd64".into()),
    ])
}
