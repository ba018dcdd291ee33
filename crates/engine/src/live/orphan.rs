//! Objects in an application's namespace that nobody manages [F3.51].

use pintle_model::ResourceKey;

use super::entry::Entry;
use super::index::LiveIndex;

/// The top-level objects of `namespace` that belong to no application, in order of their keys, but for what Kubernetes itself puts
/// into every namespace. `is_known_app` tells whether an application of that instance name still exists: a mark of one that
/// does not claims nothing. `ignored` is the project's list.
pub fn orphans<'a>(
    index: &'a LiveIndex,
    namespace: &str,
    is_known_app: impl Fn(&str) -> bool,
    ignored: impl Fn(&ResourceKey) -> bool,
) -> Vec<&'a Entry> {
    if namespace.is_empty() {
        return Vec::new();
    }
    index
        .iter()
        .filter(|entry| *entry.key().namespace == *namespace && !entry.has_owners())
        .filter(|entry| index.owners_of(entry).next().is_none())
        .filter(|entry| !entry.app().is_some_and(|app| is_known_app(app)))
        .filter(|entry| !is_everywhere(entry.key()) && !ignored(entry.key()))
        .collect()
}

/// The warning's text for a number of orphans, children included.
pub fn warning(count: usize) -> String {
    format!("Application has {count} orphaned resources")
}

fn is_everywhere(key: &ResourceKey) -> bool {
    if !key.group.is_empty() {
        return false;
    }
    matches!(
        (&*key.kind, &*key.namespace, &*key.name),
        ("Service", "default", "kubernetes") | ("ServiceAccount", _, "default") | ("ConfigMap", _, "kube-root-ca.crt")
    )
}
