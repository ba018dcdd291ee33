//! What the API serves: resources, their names and traits.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use pintle_model::Gvk;

use crate::crd::CustomKind;

/// Group and plural resource name: the key of a table in the store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupResource {
    /// API group; empty for the core group.
    pub group: Arc<str>,
    /// Plural lower-case name, for example `deployments`.
    pub resource: Arc<str>,
}

impl GroupResource {
    /// Returns the pair.
    pub fn new(group: impl Into<Arc<str>>, resource: impl Into<Arc<str>>) -> Self {
        Self {
            group: group.into(),
            resource: resource.into(),
        }
    }

    /// Whether this is exactly that group and resource.
    pub fn is(&self, group: &str, resource: &str) -> bool {
        &*self.group == group && &*self.resource == resource
    }
}

impl fmt::Display for GroupResource {
    /// `deployments.apps`, or `pods` for the core group: as Go's `GroupResource.String`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.group.is_empty() {
            f.write_str(&self.resource)
        } else {
            write!(f, "{}.{}", self.resource, self.group)
        }
    }
}

/// One kind the API serves.
#[derive(Clone)]
pub struct Resource {
    /// Group and plural name.
    pub gr: GroupResource,
    /// Served versions, preferred first; every one serves the same stored objects.
    pub versions: Vec<Arc<str>>,
    /// The version objects are stored in.
    pub storage_version: Arc<str>,
    /// Kind in CamelCase.
    pub kind: Arc<str>,
    /// Kind of a list, for example `DeploymentList`.
    pub list_kind: Arc<str>,
    /// Singular lower-case name.
    pub singular: Arc<str>,
    /// Short names, for example `deploy`.
    pub short_names: Vec<Arc<str>>,
    /// Categories, for example `all`.
    pub categories: Vec<Arc<str>>,
    /// Whether objects live in namespaces.
    pub namespaced: bool,
    /// Whether `status` is a subresource of its own.
    pub has_status: bool,
    /// Whether there is a `scale` subresource.
    pub has_scale: bool,
    /// Whether `metadata.generation` counts changes of everything but metadata and status.
    pub has_generation: bool,
    /// Whether objects can only be created and are never stored (access reviews).
    pub review: bool,
    /// The definition behind a custom resource.
    pub custom: Option<Arc<CustomKind>>,
}

impl Resource {
    /// `group/version` objects are stored in.
    pub fn storage_gvk(&self) -> Gvk {
        Gvk {
            group: Arc::clone(&self.gr.group),
            version: Arc::clone(&self.storage_version),
            kind: Arc::clone(&self.kind),
        }
    }

    /// Whether `version` is served.
    pub fn serves(&self, version: &str) -> bool {
        self.versions.iter().any(|v| &**v == version)
    }
}

/// All resources the API serves at a moment.
#[derive(Clone, Default)]
pub struct Resources(BTreeMap<GroupResource, Arc<Resource>>);

impl Resources {
    /// The built-in resources.
    pub fn built_in() -> Self {
        Self(table().into_iter().map(|r| (r.gr.clone(), Arc::new(r))).collect())
    }

    /// One resource.
    pub fn get(&self, gr: &GroupResource) -> Option<&Arc<Resource>> {
        self.0.get(gr)
    }

    /// The resource of a group and kind.
    pub fn by_kind(&self, group: &str, kind: &str) -> Option<&Arc<Resource>> {
        self.0.values().find(|r| &*r.gr.group == group && &*r.kind == kind)
    }

    /// All, ordered by group and name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Resource>> {
        self.0.values()
    }

    /// Adds or replaces a resource.
    pub fn insert(&mut self, resource: Resource) {
        self.0.insert(resource.gr.clone(), Arc::new(resource));
    }

    /// Takes a resource out.
    pub fn remove(&mut self, gr: &GroupResource) -> Option<Arc<Resource>> {
        self.0.remove(gr)
    }
}

/// Traits in the table below.
mod flag {
    pub const NAMESPACED: u8 = 1;
    pub const STATUS: u8 = 2;
    pub const SCALE: u8 = 4;
    pub const GENERATION: u8 = 8;
    pub const REVIEW: u8 = 16;
}

/// One line of the table: group, versions (preferred and stored first), plural, kind, short names, categories, flags.
type Line = (
    &'static str,
    &'static [&'static str],
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    u8,
);

fn table() -> Vec<Resource> {
    use flag::{GENERATION as G, NAMESPACED as N, REVIEW, SCALE, STATUS as S};
    const ALL: &[&str] = &["all"];
    const EXT: &[&str] = &["api-extensions"];
    let lines: &[Line] = &[
        ("", &["v1"], "configmaps", "ConfigMap", &["cm"], &[], N),
        ("", &["v1"], "componentstatuses", "ComponentStatus", &["cs"], &[], 0),
        ("", &["v1"], "endpoints", "Endpoints", &["ep"], &[], N),
        ("", &["v1"], "limitranges", "LimitRange", &["limits"], &[], N),
        ("", &["v1"], "namespaces", "Namespace", &["ns"], &[], S),
        ("", &["v1"], "nodes", "Node", &["no"], &[], S),
        (
            "",
            &["v1"],
            "persistentvolumeclaims",
            "PersistentVolumeClaim",
            &["pvc"],
            &[],
            N | S,
        ),
        ("", &["v1"], "persistentvolumes", "PersistentVolume", &["pv"], &[], S),
        ("", &["v1"], "pods", "Pod", &["po"], ALL, N | S | G),
        ("", &["v1"], "podtemplates", "PodTemplate", &[], &[], N | G),
        (
            "",
            &["v1"],
            "replicationcontrollers",
            "ReplicationController",
            &["rc"],
            ALL,
            N | S | SCALE | G,
        ),
        ("", &["v1"], "resourcequotas", "ResourceQuota", &["quota"], &[], N | S),
        ("", &["v1"], "secrets", "Secret", &[], &[], N),
        ("", &["v1"], "serviceaccounts", "ServiceAccount", &["sa"], &[], N),
        ("", &["v1"], "services", "Service", &["svc"], ALL, N | S),
        // Events are one store served under two groups; see `convert`.
        ("", &["v1"], "events", "Event", &["ev"], &[], N),
        ("events.k8s.io", &["v1"], "events", "Event", &["ev"], &[], N),
        (
            "admissionregistration.k8s.io",
            &["v1"],
            "mutatingwebhookconfigurations",
            "MutatingWebhookConfiguration",
            &[],
            EXT,
            G,
        ),
        (
            "admissionregistration.k8s.io",
            &["v1"],
            "validatingwebhookconfigurations",
            "ValidatingWebhookConfiguration",
            &[],
            EXT,
            G,
        ),
        (
            "admissionregistration.k8s.io",
            &["v1"],
            "validatingadmissionpolicies",
            "ValidatingAdmissionPolicy",
            &[],
            EXT,
            S | G,
        ),
        (
            "admissionregistration.k8s.io",
            &["v1"],
            "validatingadmissionpolicybindings",
            "ValidatingAdmissionPolicyBinding",
            &[],
            EXT,
            G,
        ),
        (
            "apiextensions.k8s.io",
            &["v1"],
            "customresourcedefinitions",
            "CustomResourceDefinition",
            &["crd", "crds"],
            EXT,
            S | G,
        ),
        (
            "apiregistration.k8s.io",
            &["v1"],
            "apiservices",
            "APIService",
            &[],
            EXT,
            S,
        ),
        (
            "apps",
            &["v1"],
            "controllerrevisions",
            "ControllerRevision",
            &[],
            &[],
            N,
        ),
        ("apps", &["v1"], "daemonsets", "DaemonSet", &["ds"], ALL, N | S | G),
        (
            "apps",
            &["v1"],
            "deployments",
            "Deployment",
            &["deploy"],
            ALL,
            N | S | SCALE | G,
        ),
        (
            "apps",
            &["v1"],
            "replicasets",
            "ReplicaSet",
            &["rs"],
            ALL,
            N | S | SCALE | G,
        ),
        (
            "apps",
            &["v1"],
            "statefulsets",
            "StatefulSet",
            &["sts"],
            ALL,
            N | S | SCALE | G,
        ),
        (
            "authentication.k8s.io",
            &["v1"],
            "selfsubjectreviews",
            "SelfSubjectReview",
            &[],
            &[],
            REVIEW,
        ),
        (
            "authorization.k8s.io",
            &["v1"],
            "localsubjectaccessreviews",
            "LocalSubjectAccessReview",
            &[],
            &[],
            N | REVIEW,
        ),
        (
            "authorization.k8s.io",
            &["v1"],
            "selfsubjectaccessreviews",
            "SelfSubjectAccessReview",
            &[],
            &[],
            REVIEW,
        ),
        (
            "authorization.k8s.io",
            &["v1"],
            "selfsubjectrulesreviews",
            "SelfSubjectRulesReview",
            &[],
            &[],
            REVIEW,
        ),
        (
            "authorization.k8s.io",
            &["v1"],
            "subjectaccessreviews",
            "SubjectAccessReview",
            &[],
            &[],
            REVIEW,
        ),
        (
            "autoscaling",
            &["v2", "v1"],
            "horizontalpodautoscalers",
            "HorizontalPodAutoscaler",
            &["hpa"],
            ALL,
            N | S,
        ),
        ("batch", &["v1"], "cronjobs", "CronJob", &["cj"], ALL, N | S | G),
        ("batch", &["v1"], "jobs", "Job", &[], ALL, N | S | G),
        ("coordination.k8s.io", &["v1"], "leases", "Lease", &[], &[], N),
        (
            "discovery.k8s.io",
            &["v1"],
            "endpointslices",
            "EndpointSlice",
            &[],
            &[],
            N | G,
        ),
        (
            "networking.k8s.io",
            &["v1"],
            "ingressclasses",
            "IngressClass",
            &[],
            &[],
            G,
        ),
        (
            "networking.k8s.io",
            &["v1"],
            "ingresses",
            "Ingress",
            &["ing"],
            &[],
            N | S | G,
        ),
        (
            "networking.k8s.io",
            &["v1"],
            "networkpolicies",
            "NetworkPolicy",
            &["netpol"],
            &[],
            N | G,
        ),
        (
            "policy",
            &["v1"],
            "poddisruptionbudgets",
            "PodDisruptionBudget",
            &["pdb"],
            &[],
            N | S | G,
        ),
        (
            "rbac.authorization.k8s.io",
            &["v1"],
            "clusterrolebindings",
            "ClusterRoleBinding",
            &[],
            &[],
            0,
        ),
        (
            "rbac.authorization.k8s.io",
            &["v1"],
            "clusterroles",
            "ClusterRole",
            &[],
            &[],
            0,
        ),
        (
            "rbac.authorization.k8s.io",
            &["v1"],
            "rolebindings",
            "RoleBinding",
            &[],
            &[],
            N,
        ),
        ("rbac.authorization.k8s.io", &["v1"], "roles", "Role", &[], &[], N),
        (
            "scheduling.k8s.io",
            &["v1"],
            "priorityclasses",
            "PriorityClass",
            &["pc"],
            &[],
            G,
        ),
        ("storage.k8s.io", &["v1"], "csidrivers", "CSIDriver", &[], &[], 0),
        ("storage.k8s.io", &["v1"], "csinodes", "CSINode", &[], &[], 0),
        (
            "storage.k8s.io",
            &["v1"],
            "csistoragecapacities",
            "CSIStorageCapacity",
            &[],
            &[],
            N,
        ),
        (
            "storage.k8s.io",
            &["v1"],
            "storageclasses",
            "StorageClass",
            &["sc"],
            &[],
            0,
        ),
        (
            "storage.k8s.io",
            &["v1"],
            "volumeattachments",
            "VolumeAttachment",
            &[],
            &[],
            S,
        ),
    ];
    lines.iter().map(from_line).collect()
}

fn from_line(&(group, versions, plural, kind, short_names, categories, flags): &Line) -> Resource {
    let has = |f: u8| flags & f != 0;
    Resource {
        gr: GroupResource::new(group, plural),
        versions: versions.iter().map(|v| Arc::from(*v)).collect(),
        storage_version: versions.first().map_or_else(|| "v1".into(), |v| Arc::from(*v)),
        kind: kind.into(),
        list_kind: format!("{kind}List").into(),
        singular: kind.to_lowercase().into(),
        short_names: short_names.iter().map(|s| Arc::from(*s)).collect(),
        categories: categories.iter().map(|s| Arc::from(*s)).collect(),
        namespaced: has(flag::NAMESPACED),
        has_status: has(flag::STATUS),
        has_scale: has(flag::SCALE),
        has_generation: has(flag::GENERATION),
        review: has(flag::REVIEW),
        custom: None,
    }
}
