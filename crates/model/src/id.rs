//! What names a thing in a cluster: group, version, kind, namespace, name, UID.

use std::fmt;
use std::sync::Arc;

/// API group and kind, the identity that survives a change of version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupKind {
    /// API group; empty for the core group.
    pub group: Arc<str>,
    /// Kind in CamelCase.
    pub kind: Arc<str>,
}

impl GroupKind {
    /// Returns the pair.
    pub fn new(group: impl Into<Arc<str>>, kind: impl Into<Arc<str>>) -> Self {
        Self {
            group: group.into(),
            kind: kind.into(),
        }
    }

    /// Whether this is exactly that group and kind.
    pub fn is(&self, group: &str, kind: &str) -> bool {
        &*self.group == group && &*self.kind == kind
    }
}

impl fmt::Display for GroupKind {
    /// `Deployment.apps`, or `Service` for the core group: as kubectl and Go's `GroupKind.String` write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.group.is_empty() {
            f.write_str(&self.kind)
        } else {
            write!(f, "{}.{}", self.kind, self.group)
        }
    }
}

/// API group, version and kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gvk {
    /// API group; empty for the core group.
    pub group: Arc<str>,
    /// API version within the group, for example `v1`.
    pub version: Arc<str>,
    /// Kind in CamelCase.
    pub kind: Arc<str>,
}

impl Gvk {
    /// Returns the triple.
    pub fn new(group: impl Into<Arc<str>>, version: impl Into<Arc<str>>, kind: impl Into<Arc<str>>) -> Self {
        Self {
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
        }
    }

    /// Splits `apps/v1` or `v1` and joins it with a kind.
    pub fn from_api_version(api_version: &str, kind: &str) -> Self {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Self::new(group, version, kind)
    }

    /// `apps/v1`, or `v1` for the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_string()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// The group and kind without the version.
    pub fn group_kind(&self) -> GroupKind {
        GroupKind {
            group: Arc::clone(&self.group),
            kind: Arc::clone(&self.kind),
        }
    }
}

impl fmt::Display for Gvk {
    /// `apps/v1, Kind=Deployment`, and `/v1, Kind=Pod` for the core group: as Go's `GroupVersionKind.String` writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}, Kind={}", self.group, self.version, self.kind)
    }
}

/// The identity of an object in one cluster: group, kind, namespace, name. Orders by those, in that order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceKey {
    /// API group; empty for the core group.
    pub group: Arc<str>,
    /// Kind in CamelCase.
    pub kind: Arc<str>,
    /// Namespace; empty for cluster-scoped objects.
    pub namespace: Arc<str>,
    /// Name.
    pub name: Arc<str>,
}

impl ResourceKey {
    /// Returns the key.
    pub fn new(
        group: impl Into<Arc<str>>,
        kind: impl Into<Arc<str>>,
        namespace: impl Into<Arc<str>>,
        name: impl Into<Arc<str>>,
    ) -> Self {
        Self {
            group: group.into(),
            kind: kind.into(),
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// The group and kind.
    pub fn group_kind(&self) -> GroupKind {
        GroupKind {
            group: Arc::clone(&self.group),
            kind: Arc::clone(&self.kind),
        }
    }
}

impl fmt::Display for ResourceKey {
    /// `group/kind/namespace/name`, empty parts kept: as the peer prints resource keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}", self.group, self.kind, self.namespace, self.name)
    }
}
