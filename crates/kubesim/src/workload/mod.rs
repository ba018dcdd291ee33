//! Simulated workloads: what kube-controller-manager, kube-scheduler and the kubelets do, as far as users, `kubectl` and health checks see.
//!
//! ```text
//! Deployment ─► ReplicaSet ─► Pod ─► (scheduled, started, ready) ─► EndpointSlice of the Services that select it
//! StatefulSet, DaemonSet, Job, CronJob ─► Pod          PersistentVolumeClaim ─► PersistentVolume
//! ```
//!
//! Every controller works from the store as it is ([`driver`]): an event only says where to look. A settled store is not written to. Images
//! fail on purpose by their tag ([`pod`]`::behaviour`). Garbage collection and namespaces are not here.

mod condition;
mod deployment;
mod driver;
mod node;
mod owner;
mod pod;
mod recorder;
mod replica_set;
mod selector;
mod table;
mod template;
mod timing;

#[cfg(test)]
mod test;

use std::sync::Arc;

use driver::Driver;
use recorder::Recorder;
use timing::Jitter;

use crate::simulate::Controller;

/// All workload controllers of one simulation. `seed` decides how the times of single objects spread: equal seeds give equal runs.
pub fn controllers(seed: u64) -> Vec<Box<dyn Controller>> {
    let recorder = Arc::new(Recorder::default());
    let jitter = Jitter::new(seed);
    vec![
        Driver::boxed(deployment::Deployments::default(), &recorder, jitter),
        Driver::boxed(replica_set::ReplicaSets::default(), &recorder, jitter),
        Driver::boxed(pod::Pods::default(), &recorder, jitter),
    ]
}
