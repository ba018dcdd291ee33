//! What ties a child to its owner: owner references, and the owners that Kubernetes leaves out [F3.58].

use std::sync::Arc;

use pintle_model::{Object, ResourceKey, Value};

use super::intern::Interner;

/// A child seeks links; an entry whose offers include one of them is its owner.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Link {
    /// The owner with this UID.
    Uid(Arc<str>),
    /// The owner with this key (no UID is known).
    Key(ResourceKey),
    /// The StatefulSet one of whose claim templates makes claims of this namespace and name before the ordinal.
    Claim { namespace: Arc<str>, stem: Arc<str> },
}

/// The owners an object names or implies, in order, without repeats.
pub(super) fn seeks(object: &Object, interner: &mut Interner) -> Vec<Link> {
    let mut links: Vec<Link> = object
        .owner_references()
        .map(|owner| Link::Uid(owner.uid.into()))
        .collect();
    let namespace = object.namespace();
    match (object.group(), object.kind()) {
        ("", "Endpoints") if links.is_empty() => {
            links.push(Link::Key(interner.key("", "Service", namespace, object.name())));
        }
        ("", "Secret") => links.extend(token_owner(object).map(Link::Uid)),
        ("", "PersistentVolumeClaim") => {
            let stem = object.name().trim_end_matches(|c: char| c.is_ascii_digit());
            if let Some(stem) = stem.strip_suffix('-').filter(|_| stem.len() < object.name().len()) {
                links.push(Link::Claim {
                    namespace: interner.get(namespace),
                    stem: interner.get(stem),
                });
            }
        }
        ("operators.coreos.com", "ClusterServiceVersion") => {
            if let Some(name) = object.annotation("olm.operatorGroup").filter(|name| !name.is_empty()) {
                links.push(Link::Key(interner.key(
                    "operators.coreos.com",
                    "OperatorGroup",
                    namespace,
                    name,
                )));
            }
        }
        _ => {}
    }
    links.sort();
    links.dedup();
    links
}

/// The links an object offers besides its UID and key: the claims of a StatefulSet.
pub(super) fn claims(object: &Object, interner: &mut Interner) -> Vec<Link> {
    if !matches!(object.group(), "apps" | "extensions") || object.kind() != "StatefulSet" {
        return Vec::new();
    }
    let namespace = interner.get(object.namespace());
    object
        .value()
        .list_at(&["spec", "volumeClaimTemplates"])
        .iter()
        .filter_map(|template| template.str_at(&["metadata", "name"]))
        .map(|template| Link::Claim {
            namespace: Arc::clone(&namespace),
            stem: interner.get(&format!("{template}-{}", object.name())),
        })
        .collect()
}

/// The UID of the ServiceAccount a token Secret was made for.
fn token_owner(object: &Object) -> Option<Arc<str>> {
    let kind = object.value().get("type").and_then(Value::as_str)?;
    let named = object
        .annotation("kubernetes.io/service-account.name")
        .is_some_and(|name| !name.is_empty());
    let uid = object
        .annotation("kubernetes.io/service-account.uid")
        .filter(|uid| !uid.is_empty())?;
    (kind == "kubernetes.io/service-account-token" && named).then(|| uid.into())
}
