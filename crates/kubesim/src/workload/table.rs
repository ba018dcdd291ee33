//! The tables of the store that workloads read and write.

use std::sync::LazyLock;

use crate::resource::GroupResource;

macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident = $group:literal / $resource:literal;)*) => {
        $($(#[$doc])* pub(super) static $name: LazyLock<GroupResource> =
            LazyLock::new(|| GroupResource::new($group, $resource));)*
    };
}

tables! {
    CONTROLLER_REVISIONS = "apps" / "controllerrevisions";
    CRON_JOBS = "batch" / "cronjobs";
    DAEMON_SETS = "apps" / "daemonsets";
    DEPLOYMENTS = "apps" / "deployments";
    ENDPOINTS = "" / "endpoints";
    ENDPOINT_SLICES = "discovery.k8s.io" / "endpointslices";
    EVENTS = "" / "events";
    HPAS = "autoscaling" / "horizontalpodautoscalers";
    INGRESSES = "networking.k8s.io" / "ingresses";
    JOBS = "batch" / "jobs";
    NAMESPACES = "" / "namespaces";
    NODES = "" / "nodes";
    PODS = "" / "pods";
    PVCS = "" / "persistentvolumeclaims";
    PVS = "" / "persistentvolumes";
    REPLICA_SETS = "apps" / "replicasets";
    SERVICES = "" / "services";
    STATEFUL_SETS = "apps" / "statefulsets";
}
