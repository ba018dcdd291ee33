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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::IndexRules;
    use pintle_model::Object;

    #[test]
    fn top_level_objects_nobody_claims() {
        let mut index = LiveIndex::new(IndexRules::default());
        let tracked = |app: &str, name: &str| {
            format!(r#""annotations":{{"argocd.argoproj.io/tracking-id":"{app}:/ConfigMap:ns/{name}"}}"#)
        };
        let owned = r#""ownerReferences":[{"apiVersion":"v1","kind":"X","name":"x","uid":"gone"}]"#;
        for (kind, namespace, name, extra) in [
            ("ConfigMap", "ns", "loose", r#""labels":{}"#),
            ("ConfigMap", "ns", "ours", &*tracked("shop", "ours")),
            ("ConfigMap", "ns", "left-behind", &*tracked("deleted", "left-behind")),
            ("ConfigMap", "ns", "kube-root-ca.crt", r#""labels":{}"#),
            ("ConfigMap", "ns", "child", owned),
            ("ConfigMap", "other", "loose", r#""labels":{}"#),
            ("ServiceAccount", "ns", "default", r#""labels":{}"#),
            ("Service", "ns", "kubernetes", r#""labels":{}"#),
            ("PersistentVolumeClaim", "ns", "data-db-0", r#""labels":{}"#),
        ] {
            let json = format!(
                r#"{{"apiVersion":"v1","kind":"{kind}","metadata":{{"name":"{name}","namespace":"{namespace}","uid":"{kind}{namespace}{name}",{extra}}}}}"#
            );
            index.apply(Object::from_json(json.as_bytes()).unwrap());
        }
        let found = orphans(&index, "ns", |app| app == "shop", |key| &*key.name == "ignored");
        let names: Vec<String> = found
            .iter()
            .map(|e| format!("{}/{}", e.key().kind, e.key().name))
            .collect();
        assert_eq!(
            names,
            [
                "ConfigMap/left-behind",
                "ConfigMap/loose",
                "PersistentVolumeClaim/data-db-0",
                "Service/kubernetes"
            ]
        );
        assert!(orphans(&index, "ns", |_| true, |_| true).is_empty());
        assert_eq!(warning(4), "Application has 4 orphaned resources");
    }
}
