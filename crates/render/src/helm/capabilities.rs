//! What a chart is told about the cluster and about Helm.

use super::error::HelmError;

/// The version of Helm whose behaviour this is, as templates see it.
pub const HELM_VERSION: &str = "v4.2.4";
/// The version of Go that Helm release is built with.
pub(crate) const GO_VERSION: &str = "go1.26.8";
/// The version of the Kubernetes client in it.
pub(crate) const KUBE_CLIENT_VERSION: &str = "v1.36";

/// `.Capabilities`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Capabilities {
    /// The cluster's version.
    pub kube_version: KubeVersion,
    /// Group versions and kinds there are, in the order they are printed.
    pub api_versions: Vec<String>,
}

/// `.Capabilities.KubeVersion`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KubeVersion {
    /// As given, with a `v` in front.
    pub version: String,
    /// Only numbers, with a `v` in front: what constraints are checked against, and what is printed.
    pub normalized: String,
    /// Major version.
    pub major: String,
    /// Minor version.
    pub minor: String,
}

impl Default for Capabilities {
    /// What `helm template` assumes where no cluster is asked.
    fn default() -> Self {
        Self {
            kube_version: KubeVersion {
                version: "v1.36.0".into(),
                normalized: "v1.36.0".into(),
                major: "1".into(),
                minor: "36".into(),
            },
            api_versions: DEFAULT_API_VERSIONS.iter().map(|&v| v.to_owned()).collect(),
        }
    }
}

/// Begins a group version whose kinds nobody knows now.
pub(crate) const UNREADABLE: char = '?';

impl Capabilities {
    /// What a cluster serves: its version, `group/version` and `group/version/Kind` of everything, and the group versions whose kinds could
    /// not be read. A template that asks for a kind of these fails instead of being told that there is none.
    pub fn of_cluster(
        version: &str,
        served: impl IntoIterator<Item = String>,
        unreadable: impl IntoIterator<Item = String>,
    ) -> Result<Self, HelmError> {
        let mut capabilities = Self {
            kube_version: KubeVersion::parse(version)?,
            ..Self::default()
        };
        let known: std::collections::BTreeSet<String> = served.into_iter().collect();
        let unreadable: Vec<String> = unreadable.into_iter().collect();
        capabilities.api_versions.extend(known);
        capabilities
            .api_versions
            .extend(unreadable.iter().flat_map(|v| [v.clone(), format!("{UNREADABLE}{v}")]));
        let mut seen = std::collections::BTreeSet::new();
        capabilities.api_versions.retain(|v| seen.insert(v.clone()));
        Ok(capabilities)
    }
}

impl KubeVersion {
    /// Reads a version as Kubernetes writes them: two numbers or more, with or without `v`, anything behind them.
    pub fn parse(text: &str) -> Result<Self, HelmError> {
        let failed = |reason: String| HelmError::Option(format!("invalid kube version '{text}': {reason}"));
        let numbers = text.trim_start();
        let numbers = numbers.strip_prefix('v').unwrap_or(numbers);
        let mut parts: Vec<&str> = Vec::new();
        let mut rest = numbers;
        loop {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (part, after) = rest.split_at(digits);
            if part.is_empty() {
                break;
            }
            parts.push(part);
            match after.strip_prefix('.') {
                Some(next) => rest = next,
                None => break,
            }
        }
        let (Some(major), Some(minor)) = (parts.first(), parts.get(1)) else {
            return Err(failed(if parts.is_empty() {
                format!("could not parse {text:?} as version")
            } else {
                format!("illegal version string {text:?}")
            }));
        };
        for part in &parts {
            if part.len() > 1 && part.starts_with('0') {
                return Err(failed(format!(
                    "illegal zero-prefixed version component {part:?} in {text:?}"
                )));
            }
            if part.parse::<u64>().is_err() {
                return Err(failed(format!(
                    "illegal non-numeric version component {part:?} in {text:?}: strconv.ParseUint: parsing {part:?}: value out of range"
                )));
            }
        }
        Ok(Self {
            version: if text.starts_with('v') {
                text.to_owned()
            } else {
                format!("v{text}")
            },
            normalized: format!("v{}", parts.join(".")),
            major: (*major).to_owned(),
            minor: (*minor).to_owned(),
        })
    }
}

/// Every group version that Helm's Kubernetes client (0.36) knows, in its order.
const DEFAULT_API_VERSIONS: &[&str] = &[
    "v1",
    "admissionregistration.k8s.io/v1",
    "admissionregistration.k8s.io/v1alpha1",
    "admissionregistration.k8s.io/v1beta1",
    "internal.apiserver.k8s.io/v1alpha1",
    "apps/v1",
    "apps/v1beta1",
    "apps/v1beta2",
    "authentication.k8s.io/v1",
    "authentication.k8s.io/v1alpha1",
    "authentication.k8s.io/v1beta1",
    "authorization.k8s.io/v1",
    "authorization.k8s.io/v1beta1",
    "autoscaling/v1",
    "autoscaling/v2",
    "batch/v1",
    "batch/v1beta1",
    "certificates.k8s.io/v1",
    "certificates.k8s.io/v1beta1",
    "certificates.k8s.io/v1alpha1",
    "coordination.k8s.io/v1alpha2",
    "coordination.k8s.io/v1beta1",
    "coordination.k8s.io/v1",
    "discovery.k8s.io/v1",
    "discovery.k8s.io/v1beta1",
    "events.k8s.io/v1",
    "events.k8s.io/v1beta1",
    "extensions/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1",
    "flowcontrol.apiserver.k8s.io/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1beta2",
    "flowcontrol.apiserver.k8s.io/v1beta3",
    "networking.k8s.io/v1",
    "networking.k8s.io/v1beta1",
    "node.k8s.io/v1",
    "node.k8s.io/v1alpha1",
    "node.k8s.io/v1beta1",
    "policy/v1",
    "policy/v1beta1",
    "rbac.authorization.k8s.io/v1",
    "rbac.authorization.k8s.io/v1beta1",
    "rbac.authorization.k8s.io/v1alpha1",
    "resource.k8s.io/v1",
    "resource.k8s.io/v1beta2",
    "resource.k8s.io/v1beta1",
    "resource.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1alpha2",
    "scheduling.k8s.io/v1beta1",
    "scheduling.k8s.io/v1",
    "storage.k8s.io/v1beta1",
    "storage.k8s.io/v1",
    "storage.k8s.io/v1alpha1",
    "storagemigration.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_as_clusters_report_them() {
        let version = KubeVersion::parse("1.33.4-gke.1245000").expect("a version");
        assert_eq!(
            [&*version.version, &version.normalized, &version.major, &version.minor],
            ["v1.33.4-gke.1245000", "v1.33.4", "1", "33"]
        );
        assert_eq!(
            KubeVersion::parse("x").map_err(|e| e.to_string()),
            Err("invalid kube version 'x': could not parse \"x\" as version".into())
        );
        assert!(KubeVersion::parse("1").is_err() && KubeVersion::parse("1.033").is_err());
    }
}
