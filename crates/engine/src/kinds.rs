//! What a cluster serves: the kinds of its discovery, as one snapshot.

use std::collections::BTreeMap;
use std::sync::Arc;

use pintle_model::{GroupKind, Gvk};

/// Whether objects of a kind are in namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Each object has a namespace.
    Namespaced,
    /// No object has a namespace.
    Cluster,
}

/// One served kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedKind {
    /// Whether its objects are in namespaces.
    pub scope: Scope,
    /// The preferred version, in which it is watched.
    pub version: Arc<str>,
    /// All served versions.
    pub versions: Vec<Arc<str>>,
    /// The resource's name in URLs, for example `deployments`.
    pub plural: Arc<str>,
    /// The verbs of the preferred version.
    pub verbs: Vec<Arc<str>>,
}

impl ServedKind {
    /// Whether it has a verb, for example `patch`.
    pub fn can(&self, verb: &str) -> bool {
        self.verbs.iter().any(|v| &**v == verb)
    }

    /// Whether it can be kept in the index.
    pub fn is_watchable(&self) -> bool {
        self.can("list") && self.can("watch")
    }
}

/// One kind at one version, as discovery lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedVersion {
    /// Group, version and kind.
    pub gvk: Gvk,
    /// Whether its objects are in namespaces.
    pub scope: Scope,
    /// The resource's name in URLs.
    pub plural: Arc<str>,
    /// What can be done with it.
    pub verbs: Vec<Arc<str>>,
    /// Whether the kind is watched in this version.
    pub preferred: bool,
}

/// Whether a kind is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Served<'a> {
    /// It is.
    Yes(&'a ServedKind),
    /// It is not: discovery of its group succeeded without it.
    No,
    /// Discovery of its group failed, so nobody knows.
    Unknown {
        /// The server's words.
        reason: &'a str,
    },
}

/// A discovery snapshot. Groups whose discovery failed are kept as failures: an aggregated API server that is down serves neither
/// something nor nothing.
#[derive(Clone, Debug, Default)]
pub struct KindTable {
    kinds: BTreeMap<GroupKind, ServedKind>,
    failed_groups: BTreeMap<Arc<str>, Arc<str>>,
    discovered: bool,
}

impl KindTable {
    /// Returns a snapshot of what was discovered, with the groups that could not be.
    pub fn new(
        kinds: impl IntoIterator<Item = (GroupKind, ServedKind)>,
        failed_groups: impl IntoIterator<Item = (Arc<str>, Arc<str>)>,
    ) -> Self {
        Self {
            kinds: kinds.into_iter().collect(),
            failed_groups: failed_groups.into_iter().collect(),
            discovered: true,
        }
    }

    /// Returns a snapshot from discovery's entries, one per kind and version. Scope, name and verbs are those of the preferred version, or of
    /// the first where none is marked.
    pub fn from_versions(
        versions: impl IntoIterator<Item = ServedVersion>,
        failed_groups: impl IntoIterator<Item = (Arc<str>, Arc<str>)>,
    ) -> Self {
        let mut table = Self::new([], failed_groups);
        for ServedVersion {
            gvk,
            scope,
            plural,
            verbs,
            preferred,
        } in versions
        {
            let new = ServedKind {
                scope,
                version: Arc::clone(&gvk.version),
                versions: Vec::new(),
                plural,
                verbs,
            };
            let entry = table.kinds.entry(gvk.group_kind()).or_insert_with(|| new.clone());
            if preferred {
                *entry = ServedKind {
                    versions: std::mem::take(&mut entry.versions),
                    ..new
                };
            }
            entry.versions.push(gvk.version);
        }
        table
    }

    /// Whether and how a kind is served. The default table, before any discovery, knows of nothing.
    pub fn served(&self, kind: &GroupKind) -> Served<'_> {
        match (self.kinds.get(kind), self.failed_groups.get(&kind.group)) {
            (Some(served), _) => Served::Yes(served),
            (None, Some(reason)) => Served::Unknown { reason },
            (None, None) if !self.discovered => Served::Unknown {
                reason: "the cluster has not been discovered yet",
            },
            (None, None) => Served::No,
        }
    }

    /// The scope of a kind, if it is served.
    pub fn scope(&self, kind: &GroupKind) -> Option<Scope> {
        self.kinds.get(kind).map(|served| served.scope)
    }

    /// All served kinds, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&GroupKind, &ServedKind)> {
        self.kinds.iter()
    }

    /// The groups that could not be discovered, with the reason.
    pub fn failed_groups(&self) -> impl Iterator<Item = (&str, &str)> {
        self.failed_groups.iter().map(|(group, reason)| (&**group, &**reason))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preferred_version_speaks_for_its_kind() {
        let version = |version: &str, verb: &str, preferred| ServedVersion {
            gvk: Gvk::new("example.com", version, "Widget"),
            scope: Scope::Cluster,
            plural: "widgets".into(),
            verbs: vec![verb.into()],
            preferred,
        };
        let table = KindTable::from_versions(
            [
                version("v1beta1", "get", false),
                version("v1", "list", true),
                version("v1alpha1", "get", false),
            ],
            [],
        );
        let Served::Yes(kind) = table.served(&GroupKind::new("example.com", "Widget")) else {
            panic!("not served")
        };
        assert_eq!(
            (&*kind.version, kind.can("list"), kind.is_watchable()),
            ("v1", true, false)
        );
        assert_eq!(
            kind.versions.iter().map(|v| &**v).collect::<Vec<_>>(),
            ["v1beta1", "v1", "v1alpha1"]
        );
        assert_eq!(table.scope(&GroupKind::new("", "Widget")), None);
    }
}
