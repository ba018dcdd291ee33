//! Which kinds are watched at all: the always-on exclusions and the lists of the settings [F2.7, F2.8].

use std::sync::Arc;

use pintle_model::glob::Glob;
use pintle_model::settings::ResourceFilter;

/// Kinds that are never managed, never part of a tree, and change all the time: group and kind; an empty kind means the whole group.
const ALWAYS_EXCLUDED: [(&str, &str); 4] = [
    ("events.k8s.io", ""),
    ("metrics.k8s.io", ""),
    ("", "Event"),
    ("coordination.k8s.io", "Lease"),
];

/// One entry of `resource.exclusions` or `resource.inclusions`; an empty list matches everything.
#[derive(Clone, Debug, Default)]
pub struct KindPattern {
    groups: Option<Vec<Glob>>,
    kinds: Vec<Arc<str>>,
    clusters: Option<Vec<Glob>>,
}

impl KindPattern {
    /// Compiles an entry. Groups and clusters (API server URLs) are globs; kinds are exact names or `*`. Globs that do not compile
    /// match nothing, as at the peer, and come back as sentences for a warning.
    pub fn new(
        groups: &[impl AsRef<str>],
        kinds: &[impl AsRef<str>],
        clusters: &[impl AsRef<str>],
    ) -> (Self, Vec<String>) {
        let mut warnings = Vec::new();
        let mut compile = |patterns: &[&str]| {
            let mut globs = Vec::with_capacity(patterns.len());
            for pattern in patterns {
                match Glob::new(pattern) {
                    Ok(glob) => globs.push(glob),
                    Err(e) => warnings.push(format!("pattern {pattern:?} is ignored: {e}")),
                }
            }
            (!patterns.is_empty()).then_some(globs)
        };
        let groups = compile(&groups.iter().map(AsRef::as_ref).collect::<Vec<_>>());
        let clusters = compile(&clusters.iter().map(AsRef::as_ref).collect::<Vec<_>>());
        let kinds = kinds.iter().map(|k| k.as_ref().into()).collect();
        (
            Self {
                groups,
                kinds,
                clusters,
            },
            warnings,
        )
    }

    fn matches_cluster(&self, cluster: &str) -> bool {
        self.clusters
            .as_ref()
            .is_none_or(|globs| globs.iter().any(|g| g.is_match(cluster)))
    }

    fn matches(&self, group: &str, kind: &str, cluster: &str) -> bool {
        self.groups
            .as_ref()
            .is_none_or(|globs| globs.iter().any(|g| g.is_match(group)))
            && (self.kinds.is_empty() || self.kinds.iter().any(|k| &**k == "*" || &**k == kind))
            && self.matches_cluster(cluster)
    }
}

/// The filter of all clusters. The default has only the always-on exclusions.
#[derive(Clone, Debug, Default)]
pub struct KindFilter {
    /// `resource.exclusions`.
    pub exclusions: Vec<KindPattern>,
    /// `resource.inclusions`.
    pub inclusions: Vec<KindPattern>,
}

impl KindFilter {
    /// Compiles the lists of the settings; sentences about globs that do not compile come along.
    pub fn from_settings(lists: &ResourceFilter) -> (Self, Vec<String>) {
        let mut warnings = Vec::new();
        let mut compile = |list: &[pintle_model::settings::FilteredResource]| {
            let patterns = list.iter().map(|entry| {
                let (pattern, mut more) = KindPattern::new(&entry.api_groups, &entry.kinds, &entry.clusters);
                warnings.append(&mut more);
                pattern
            });
            patterns.collect()
        };
        let filter = Self {
            exclusions: compile(&lists.exclusions),
            inclusions: compile(&lists.inclusions),
        };
        (filter, warnings)
    }

    /// Whether a kind of a cluster is neither watched nor managed. Exclusions win; where any inclusion names the cluster, what is
    /// not included is excluded.
    pub fn is_excluded(&self, group: &str, kind: &str, cluster: &str) -> bool {
        if ALWAYS_EXCLUDED
            .iter()
            .any(|(g, k)| *g == group && (k.is_empty() || *k == kind))
        {
            return true;
        }
        if self.exclusions.iter().any(|p| p.matches(group, kind, cluster)) {
            return true;
        }
        !self.inclusions.iter().any(|p| p.matches(group, kind, cluster))
            && self.inclusions.iter().any(|p| p.matches_cluster(cluster))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "https://kubernetes.default.svc";

    fn pattern(groups: &[&str], kinds: &[&str], clusters: &[&str]) -> KindPattern {
        KindPattern::new(groups, kinds, clusters).0
    }

    /// Excluded ones of `group/Kind` words.
    fn check(filter: &KindFilter, kinds: &str, expected: &str) {
        let excluded: Vec<&str> = kinds
            .split_whitespace()
            .filter(|k| {
                k.split_once('/')
                    .is_some_and(|(group, kind)| filter.is_excluded(group, kind, HERE))
            })
            .collect();
        assert_eq!(excluded.join(" "), expected);
    }

    #[test]
    fn some_kinds_are_always_excluded() {
        check(
            &KindFilter::default(),
            "/Event events.k8s.io/Event metrics.k8s.io/PodMetrics coordination.k8s.io/Lease coordination.k8s.io/LeaseCandidate /Pod /Node",
            "/Event events.k8s.io/Event metrics.k8s.io/PodMetrics coordination.k8s.io/Lease",
        );
    }

    #[test]
    fn exclusions_are_globs_on_groups_and_names_of_kinds() {
        let filter = KindFilter {
            exclusions: vec![
                pattern(&["*.cilium.io"], &["CiliumIdentity"], &[]),
                pattern(&["kyverno.io"], &["*"], &[]),
                pattern(&[""], &["Secr*"], &[]),
                pattern(&["apps"], &[], &["https://other*"]),
            ],
            inclusions: Vec::new(),
        };
        check(
            &filter,
            "x.cilium.io/CiliumIdentity x.cilium.io/Other kyverno.io/Report /Secret apps/Deployment",
            "x.cilium.io/CiliumIdentity kyverno.io/Report",
        );
    }

    #[test]
    fn inclusions_leave_the_rest_out_and_lose_against_exclusions() {
        let mut filter = KindFilter {
            exclusions: Vec::new(),
            inclusions: vec![pattern(&["apps", ""], &[], &[])],
        };
        check(&filter, "apps/Deployment /Pod batch/Job", "batch/Job");
        filter.exclusions.push(pattern(&[""], &["Pod"], &[]));
        check(&filter, "apps/Deployment /Pod batch/Job", "/Pod batch/Job");
        filter = KindFilter {
            exclusions: Vec::new(),
            inclusions: vec![pattern(&["apps"], &[], &["https://other"])],
        };
        check(&filter, "apps/Deployment batch/Job", "");
    }

    #[test]
    fn broken_globs_match_nothing_and_are_reported() {
        let (pattern, warnings) = KindPattern::new(&["[a"], &[] as &[&str], &[] as &[&str]);
        assert!(!pattern.matches("[a", "X", HERE));
        assert_eq!(
            warnings,
            ["pattern \"[a\" is ignored: a '[' is not closed or holds nothing"]
        );
    }
}
