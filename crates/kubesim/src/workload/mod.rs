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
mod cron_job;
mod daemon_set;
mod deployment;
mod driver;
mod history;
mod hpa;
mod ingress;
mod job;
mod log;
mod node;
mod owner;
mod pod;
mod pvc;
mod recorder;
mod replica_set;
mod schedule;
mod selector;
mod service;
mod stateful_set;
mod table;
mod template;
mod timing;

#[cfg(test)]
mod test;

use std::sync::Arc;

use driver::Driver;
use recorder::Recorder;
use timing::Jitter;

use crate::logs::PodLogs;
use crate::simulate::Controller;

/// All workload controllers of one simulation. `seed` decides how the times of single objects spread: equal seeds give equal runs.
pub fn controllers(seed: u64) -> Vec<Box<dyn Controller>> {
    let recorder = Arc::new(Recorder::default());
    let jitter = Jitter::new(seed);
    vec![
        Driver::boxed(deployment::Deployments::default(), &recorder, jitter),
        Driver::boxed(replica_set::ReplicaSets::default(), &recorder, jitter),
        Driver::boxed(stateful_set::StatefulSets::default(), &recorder, jitter),
        Driver::boxed(daemon_set::DaemonSets::default(), &recorder, jitter),
        Driver::boxed(cron_job::CronJobs, &recorder, jitter),
        Driver::boxed(job::Jobs::default(), &recorder, jitter),
        Driver::boxed(job::JobPods, &recorder, jitter),
        Driver::boxed(pvc::Claims::default(), &recorder, jitter),
        Driver::boxed(pod::Pods::default(), &recorder, jitter),
        Driver::boxed(service::Services::default(), &recorder, jitter),
        Driver::boxed(ingress::Ingresses::default(), &recorder, jitter),
        Driver::boxed(hpa::Autoscalers, &recorder, jitter),
    ]
}

/// What the containers of simulated Pods print.
pub fn logs() -> Arc<dyn PodLogs> {
    Arc::new(log::Lines)
}
