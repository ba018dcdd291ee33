//! Two controllers on one set of resources undo each other's work: looking for the other one before starting.

use std::fmt;

use pintle_engine::effect::FailureKind;
use pintle_model::{Gvk, Object};

use crate::client::Cluster;
use crate::error::ApiError;
use crate::list::Scope;

/// What the peer calls its application controller, as name and as `app.kubernetes.io/name`.
const PEER: &str = "argocd-application-controller";
/// The kinds it is installed as: one StatefulSet, or a Deployment with dynamic distribution of clusters.
const WORKLOADS: [&str; 2] = ["StatefulSet", "Deployment"];

/// A controller of the peer that is meant to run on the same resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// `StatefulSet` or `Deployment`.
    pub kind: String,
    /// Namespace of the workload.
    pub namespace: String,
    /// Name of the workload.
    pub name: String,
    /// How many replicas it is meant to have; more than none.
    pub replicas: i64,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            namespace,
            name,
            replicas,
        } = self;
        let kind_arg = kind.to_lowercase();
        write!(
            f,
            "{kind} {name} in namespace {namespace} runs Argo CD's application controller ({replicas} replicas) on the same resources; \
             scale it down first: kubectl -n {namespace} scale {kind_arg} {name} --replicas=0"
        )
    }
}

/// Looks in a namespace for the peer's controller with replicas to run. Workloads whose image is Pintle's own count as ours.
///
/// An error means that nobody knows; starting all the same is the caller's decision.
pub async fn detect_peer(cluster: &Cluster, namespace: &str) -> Result<Option<Peer>, ApiError> {
    for name in WORKLOADS {
        let kind = match cluster.served(&Gvk::new("apps", "v1", name)).await {
            Ok(kind) => kind,
            // A server without the kind runs none of them.
            Err(error) if error.kind == FailureKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let listed = cluster.list(&kind, &Scope::namespace(namespace)).await?;
        let found = listed.objects.iter().find(|o| is_peer(o));
        if let Some(o) = found {
            return Ok(Some(Peer {
                kind: name.to_owned(),
                namespace: o.namespace().to_owned(),
                name: o.name().to_owned(),
                replicas: replicas(o),
            }));
        }
    }
    Ok(None)
}

fn is_peer(workload: &Object) -> bool {
    let is_named = workload.name() == PEER || workload.label("app.kubernetes.io/name") == Some(PEER);
    is_named && replicas(workload) > 0 && !is_ours(workload)
}

fn replicas(workload: &Object) -> i64 {
    // Absent means one.
    workload.value().i64_at(&["spec", "replicas"]).unwrap_or(1)
}

/// Whether the workload runs Pintle under the peer's name: every container's image is called `pintle`, whatever its registry and tag.
fn is_ours(workload: &Object) -> bool {
    let containers = workload.value().list_at(&["spec", "template", "spec", "containers"]);
    !containers.is_empty()
        && containers.iter().all(|c| {
            let image = c.str_at(&["image"]).unwrap_or_default();
            let name = image.rsplit('/').next().unwrap_or_default();
            name.split([':', '@']).next() == Some("pintle")
        })
}
