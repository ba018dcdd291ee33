//! Which kinds are looked at [F2.7, F2.8].

use serde::Deserialize;

/// One entry of `resource.exclusions` or `resource.inclusions`. An empty list matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct FilteredResource {
    /// API groups, globs.
    pub api_groups: Vec<String>,
    /// Kinds, exact or `*`.
    pub kinds: Vec<String>,
    /// Clusters' server URLs, globs.
    pub clusters: Vec<String>,
}

/// Which kinds are looked at: not what is excluded and, if there are inclusions, only what is included. Some kinds are never looked at: events,
/// metrics and leases change all the time and belong to nobody's source. The matching is in the engine's live index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceFilter {
    /// `resource.exclusions`.
    pub exclusions: Vec<FilteredResource>,
    /// `resource.inclusions`.
    pub inclusions: Vec<FilteredResource>,
}

/// The `resource.exclusions` an installation begins with, for the `argocd-cm` it ships [F2.8].
pub const SHIPPED_EXCLUSIONS: &str = "\
- apiGroups: ['', discovery.k8s.io]
  kinds: [Endpoints, EndpointSlice]
- apiGroups: [coordination.k8s.io]
  kinds: [Lease]
- apiGroups: [authentication.k8s.io, authorization.k8s.io]
  kinds: [SelfSubjectReview, TokenReview, LocalSubjectAccessReview, SelfSubjectAccessReview, SelfSubjectRulesReview, SubjectAccessReview]
- apiGroups: [certificates.k8s.io]
  kinds: [CertificateSigningRequest]
- apiGroups: [cert-manager.io]
  kinds: [CertificateRequest]
- apiGroups: [cilium.io]
  kinds: [CiliumIdentity, CiliumEndpoint, CiliumEndpointSlice]
- apiGroups: [kyverno.io, reports.kyverno.io, wgpolicyk8s.io]
  kinds: [PolicyReport, ClusterPolicyReport, EphemeralReport, ClusterEphemeralReport, AdmissionReport, ClusterAdmissionReport,
    BackgroundScanReport, ClusterBackgroundScanReport, UpdateRequest]
";
