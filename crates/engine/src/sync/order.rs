//! The order of tasks: phase, wave, kind, name [F3.1, F3.2].

use pintle_model::application::SyncPhase;

use super::task::Task;

/// Kinds in the order they are applied; kinds not listed come after. Matched on the kind alone, whatever its group, as the peer does.
const KIND_ORDER: [&str; 35] = [
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
];

/// Rank of a kind; unlisted kinds share the last rank.
pub fn kind_rank(kind: &str) -> usize {
    KIND_ORDER.iter().position(|k| *k == kind).unwrap_or(KIND_ORDER.len())
}

/// Rank of a phase.
pub fn phase_rank(phase: &SyncPhase) -> u8 {
    match phase {
        SyncPhase::PreSync => 0,
        SyncPhase::PostSync => 2,
        SyncPhase::SyncFail => 3,
        SyncPhase::Sync | SyncPhase::Unset | SyncPhase::Other(_) => 1,
    }
}

/// Sorts by phase, wave, kind, name; objects equal in all four by group and namespace, so that the order is total.
pub fn sort(tasks: &mut [Task]) {
    tasks.sort_by(|a, b| {
        let rank = |t: &Task| (phase_rank(&t.phase), t.wave, kind_rank(&t.key.kind));
        rank(a)
            .cmp(&rank(b))
            .then_with(|| a.key.name.cmp(&b.key.name))
            .then_with(|| a.key.cmp(&b.key))
    });
}
