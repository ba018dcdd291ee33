//! ReplicaSets: as many Pods as wanted.

use std::time::Duration;

use jiff::Timestamp;
use pintle_model::Object;

use super::condition;
use super::driver::{Context, Queue, Reconcile, Wake};
use super::owner::{self, Orphans};
use super::selector::Selector;
use super::table::{PODS, REPLICA_SETS};
use super::template;
use crate::clock::{later, parse_time};
use crate::error::ApiError;
use crate::resource::GroupResource;
use crate::store::{Event, Name, Store};

/// Pods created or deleted in one step at most, as kube-controller-manager's burst; the next step goes on.
const BURST: usize = 500;

/// The controller.
#[derive(Default)]
pub(super) struct ReplicaSets {
    orphans: Orphans,
}

impl Reconcile for ReplicaSets {
    fn name(&self) -> &'static str {
        "replicaset-controller"
    }

    fn watches(&self) -> Vec<&'static GroupResource> {
        vec![&REPLICA_SETS, &PODS]
    }

    fn observe(&mut self, store: &Store, event: &Event, queue: &mut Queue) {
        if event.gr == *REPLICA_SETS {
            queue.push(&event.key);
        } else {
            queue.push_owners(event, "apps", "ReplicaSet");
            self.orphans.observe(store, event, &REPLICA_SETS, queue);
        }
    }

    fn forget(&mut self) {
        self.orphans.forget();
    }

    fn reconcile(&mut self, cx: &Context<'_>, key: &Name) -> Result<Wake, ApiError> {
        let set = cx.store.get(&REPLICA_SETS, &key.0, &key.1)?;
        let pods = owner::claim(cx, &PODS, &set, &Selector::of(&set), &self.orphans)?;
        let mut active: Vec<Object> = pods.into_iter().filter(is_active).collect();
        if set.deletion_timestamp().is_none() {
            scale(cx, &set, &mut active)?;
        }
        let tally = Tally::of(&active, min_ready(&set), cx.now);
        let labelled = active.iter().filter(|p| has_template_labels(p, &set)).count();
        cx.modify(&REPLICA_SETS, &set, |s| {
            let generation = set.generation().unwrap_or(0);
            let value = s.value_mut();
            value.set_at(&["status", "observedGeneration"], generation.into());
            value.set_at(&["status", "replicas"], count(active.len()).into());
            for (field, n) in [
                ("fullyLabeledReplicas", count(labelled)),
                ("readyReplicas", tally.ready),
                ("availableReplicas", tally.available),
            ] {
                set_count(value, field, n);
            }
        })?;
        Ok(tally.wake)
    }
}

/// Creates or deletes Pods so that there are as many as wanted.
fn scale(cx: &Context<'_>, set: &Object, active: &mut Vec<Object>) -> Result<(), ApiError> {
    let wanted = usize::try_from(replicas(set)).unwrap_or(0);
    if active.len() < wanted {
        let empty = pintle_model::Value::map();
        let template = set.value().at(&["spec", "template"]).unwrap_or(&empty);
        for _ in 0..(wanted - active.len()).min(BURST) {
            let pod = cx.create(&PODS, template::pod(set, template, ""))?;
            cx.normal(set, "SuccessfulCreate", &format!("Created pod: {}", pod.name()));
            active.push(pod);
        }
    } else if active.len() > wanted {
        active.sort_by_cached_key(keep_rank);
        let excess = (active.len() - wanted).min(BURST);
        for pod in active.drain(..excess) {
            cx.delete(&PODS, &pod)?;
            cx.normal(set, "SuccessfulDelete", &format!("Deleted pod: {}", pod.name()));
        }
    }
    Ok(())
}

/// The order in which Pods go: not bound, not running, not ready, then the youngest.
fn keep_rank(pod: &Object) -> (bool, bool, bool, std::cmp::Reverse<String>, String) {
    let value = pod.value();
    (
        value.str_at(&["spec", "nodeName"]).is_some_and(|n| !n.is_empty()),
        value.str_at(&["status", "phase"]) == Some("Running"),
        condition::is_true(pod, "Ready"),
        std::cmp::Reverse(pod.creation_timestamp().to_owned()),
        pod.name().to_owned(),
    )
}

fn has_template_labels(pod: &Object, set: &Object) -> bool {
    let labels = set.value().at(&["spec", "template", "metadata", "labels"]);
    labels
        .and_then(pintle_model::Value::as_map)
        .is_none_or(|l| l.iter().all(|(k, v)| pod.label(k) == v.as_str()))
}

/// Neither finished nor being deleted.
pub(super) fn is_active(pod: &Object) -> bool {
    let phase = pod.value().str_at(&["status", "phase"]);
    pod.deletion_timestamp().is_none() && !matches!(phase, Some("Succeeded" | "Failed"))
}

/// `spec.replicas`, 1 where it is not given.
pub(super) fn replicas(workload: &Object) -> i64 {
    workload.value().i64_at(&["spec", "replicas"]).unwrap_or(1).max(0)
}

/// `spec.minReadySeconds`.
pub(super) fn min_ready(workload: &Object) -> Duration {
    let seconds = workload.value().i64_at(&["spec", "minReadySeconds"]).unwrap_or(0);
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

/// A count as a status holds it.
pub(super) fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Sets a count of the status, or leaves it out when it is zero, as Go's `omitempty` does.
pub(super) fn set_count(value: &mut pintle_model::Value, field: &str, n: i64) {
    if n == 0 {
        value.remove_at(&["status", field]);
    } else {
        value.set_at(&["status", field], n.into());
    }
}

/// How long until a Pod is available: zero when it is, `None` while it is not ready.
pub(super) fn until_available(pod: &Object, min_ready: Duration, now: Timestamp) -> Option<Duration> {
    if !condition::is_true(pod, "Ready") {
        return None;
    }
    let since = condition::find(pod, "Ready")
        .and_then(|c| c.str_at(&["lastTransitionTime"]))
        .and_then(parse_time)?;
    Some(Duration::try_from(later(since, min_ready).duration_since(now)).unwrap_or_default())
}

/// Ready and available Pods.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) ready: i64,
    pub(super) available: i64,
    /// When the next of the ready ones becomes available.
    pub(super) wake: Wake,
}

impl Tally {
    pub(super) fn of<'a>(pods: impl IntoIterator<Item = &'a Object>, min_ready: Duration, now: Timestamp) -> Self {
        let mut tally = Self::default();
        for left in pods.into_iter().filter_map(|p| until_available(p, min_ready, now)) {
            tally.ready += 1;
            if left.is_zero() {
                tally.available += 1;
            } else {
                let at = later(now, left);
                tally.wake = Some(tally.wake.map_or(at, |w| w.min(at)));
            }
        }
        tally
    }
}
