//! Kinds and ids of objects, as Kustomize compares them.

use std::fmt;

/// Group, version and kind; empty parts of a selector match anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Gvk {
    pub group: String,
    pub version: String,
    pub kind: String,
    /// A schema of the build says that the kind is cluster-scoped.
    pub said_cluster_scoped: bool,
}

/// The namespace that cluster-scoped objects count as being in.
pub(super) const NO_NAMESPACE: &str = "_non_namespaceable_";

impl Gvk {
    pub fn new(group: String, version: String, kind: String) -> Self {
        Self {
            group,
            version,
            kind,
            said_cluster_scoped: false,
        }
    }

    pub fn parse(api_version: &str, kind: &str) -> Self {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Self {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
            said_cluster_scoped: false,
        }
    }

    /// Whether `selector` names this kind, its empty parts naming every one.
    pub fn is_selected(&self, selector: &Self) -> bool {
        let part = |mine: &str, wanted: &str| wanted.is_empty() || mine == wanted;
        part(&self.group, &selector.group) && part(&self.version, &selector.version) && part(&self.kind, &selector.kind)
    }

    /// Whether this selector names a kind.
    pub fn selects(&self, api_version: &str, kind: &str) -> bool {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let part = |mine: &str, theirs: &str| mine.is_empty() || mine == theirs;
        part(&self.kind, kind) && part(&self.group, group) && part(&self.version, version)
    }

    /// Whether Kustomize knows the kind to be cluster-scoped. Unknown kinds count as namespaced.
    pub fn is_cluster_scoped(&self) -> bool {
        self.said_cluster_scoped || is_cluster_scoped(&self.group, &self.version, &self.kind)
    }

    /// Where the kind stands in the order of Kustomize's own tables: place by kind, then group, version, kind.
    pub fn sort_key(&self, order: &[(&str, i64)]) -> (i64, String) {
        let place = order
            .iter()
            .find(|(kind, _)| *kind == self.kind)
            .map_or(0, |(_, at)| *at);
        let or = |part: &str, none: &str| {
            if part.is_empty() {
                none.to_owned()
            } else {
                part.to_owned()
            }
        };
        let text = format!(
            "{}_{}_{}",
            or(&self.group, "~G"),
            or(&self.version, "~V"),
            or(&self.kind, "~K")
        );
        (place, text)
    }
}

/// As [`Gvk::is_cluster_scoped`], for what is built in.
pub(super) fn is_cluster_scoped(group: &str, version: &str, kind: &str) -> bool {
    CLUSTER_SCOPED
        .iter()
        .any(|(g, versions, kinds)| *g == group && kinds.contains(&kind) && versions.contains(&version))
}

/// Groups, versions and kinds that Kustomize v5.8 knows to be cluster-scoped.
const CLUSTER_SCOPED: &[(&str, &[&str], &[&str])] = &[
    (
        "",
        &["v1"],
        &[
            "ComponentStatus",
            "Namespace",
            "Node",
            "NodeProxyOptions",
            "PersistentVolume",
        ],
    ),
    (
        "admissionregistration.k8s.io",
        &["v1", "v1beta1"],
        &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"],
    ),
    (
        "apiextensions.k8s.io",
        &["v1", "v1beta1"],
        &["CustomResourceDefinition"],
    ),
    ("apiregistration.k8s.io", &["v1", "v1beta1"], &["APIService"]),
    (
        "certificates.k8s.io",
        &["v1", "v1beta1"],
        &["CertificateSigningRequest"],
    ),
    (
        "flowcontrol.apiserver.k8s.io",
        &["v1beta1"],
        &["FlowSchema", "PriorityLevelConfiguration"],
    ),
    ("networking.k8s.io", &["v1", "v1beta1"], &["IngressClass"]),
    ("node.k8s.io", &["v1", "v1beta1"], &["RuntimeClass"]),
    ("policy", &["v1beta1"], &["PodSecurityPolicy"]),
    (
        "rbac.authorization.k8s.io",
        &["v1", "v1beta1"],
        &["ClusterRole", "ClusterRoleBinding"],
    ),
    ("scheduling.k8s.io", &["v1", "v1beta1"], &["PriorityClass"]),
    (
        "storage.k8s.io",
        &["v1", "v1beta1"],
        &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"],
    ),
];

/// What tells objects of one build apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct ResId {
    pub gvk: Gvk,
    pub name: String,
    pub namespace: String,
}

impl ResId {
    /// The namespace the object counts as being in: none and `default` are one.
    pub fn effective_namespace(&self) -> &str {
        if self.gvk.is_cluster_scoped() {
            NO_NAMESPACE
        } else if self.namespace.is_empty() {
            "default"
        } else {
            &self.namespace
        }
    }

    /// Whether both ids are of one object, `default` and no namespace being one.
    pub fn same(&self, other: &Self) -> bool {
        self.name == other.name && self.gvk == other.gvk && self.effective_namespace() == other.effective_namespace()
    }
}

impl fmt::Display for ResId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or = |part: &'static str, text: &str| {
            if text.is_empty() {
                part.to_owned()
            } else {
                text.to_owned()
            }
        };
        write!(
            f,
            "{}.{}.{}/{}.{}",
            or("[noKind]", &self.gvk.kind),
            or("[noVer]", &self.gvk.version),
            or("[noGrp]", &self.gvk.group),
            or("[noName]", &self.name),
            or("[noNs]", &self.namespace)
        )
    }
}
