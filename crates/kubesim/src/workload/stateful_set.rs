//! StatefulSets: Pods with a number, a name and volumes of their own, one after the other.

use std::collections::BTreeMap;

use pintle_model::{Gvk, Object, Value};

use super::condition;
use super::driver::{Context, Queue, Reconcile, Wake};
use super::history::{History, REVISION_HASH};
use super::owner::{self, Orphans};
use super::replica_set::{Tally, count, min_ready, replicas, set_count, until_available};
use super::selector::Selector;
use super::table::{PODS, PVCS, STATEFUL_SETS};
use super::template;
use crate::error::ApiError;
use crate::resource::GroupResource;
use crate::store::{Event, Name, Store};

/// The controller.
#[derive(Default)]
pub(super) struct StatefulSets {
    orphans: Orphans,
}

impl Reconcile for StatefulSets {
    fn name(&self) -> &'static str {
        "statefulset-controller"
    }

    fn watches(&self) -> Vec<&'static GroupResource> {
        vec![&STATEFUL_SETS, &PODS]
    }

    fn observe(&mut self, store: &Store, event: &Event, queue: &mut Queue) {
        if event.gr == *STATEFUL_SETS {
            queue.push(&event.key);
        } else {
            queue.push_owners(event, "apps", "StatefulSet");
            self.orphans.observe(store, event, &STATEFUL_SETS, queue);
        }
    }

    fn forget(&mut self) {
        self.orphans.forget();
    }

    fn reconcile(&mut self, cx: &Context<'_>, key: &Name) -> Result<Wake, ApiError> {
        let set = cx.store.get(&STATEFUL_SETS, &key.0, &key.1)?;
        if set.deletion_timestamp().is_some() {
            return Ok(None);
        }
        let pods = owner::claim(cx, &PODS, &set, &Selector::of(&set), &self.orphans)?;
        let history = History::of(cx, &set)?;
        let revisions = Revisions::of(&set, &history);
        let mut turn = Turn {
            cx,
            set: &set,
            history: &history,
            revisions,
            pods: pods.into_iter().filter_map(|p| Some((ordinal(&set, &p)?, p))).collect(),
            wake: None,
        };
        let done = turn.act();
        turn.write_status()?;
        done?;
        Ok(turn.wake)
    }
}

/// `status.currentRevision` and `status.updateRevision`.
struct Revisions {
    current: String,
    update: String,
}

impl Revisions {
    fn of(set: &Object, history: &History) -> Self {
        let update = history.current().map_or("", Object::name).to_owned();
        let current = set
            .value()
            .str_at(&["status", "currentRevision"])
            .filter(|c| !c.is_empty());
        Self {
            current: current.unwrap_or(&update).to_owned(),
            update,
        }
    }
}

/// One look at one StatefulSet.
struct Turn<'a> {
    cx: &'a Context<'a>,
    set: &'a Object,
    history: &'a History,
    revisions: Revisions,
    pods: BTreeMap<i64, Object>,
    wake: Wake,
}

impl Turn<'_> {
    fn is_parallel(&self) -> bool {
        self.set.value().str_at(&["spec", "podManagementPolicy"]) == Some("Parallel")
    }

    fn first(&self) -> i64 {
        self.set.value().i64_at(&["spec", "ordinals", "start"]).unwrap_or(0)
    }

    /// Creates, deletes or replaces Pods: one at a time, unless the policy is `Parallel`.
    fn act(&mut self) -> Result<(), ApiError> {
        let wanted = self.first()..self.first() + replicas(self.set);
        for n in wanted.clone() {
            if !self.fill(n)? && !self.is_parallel() {
                return Ok(());
            }
        }
        let excess: Vec<i64> = self
            .pods
            .keys()
            .rev()
            .copied()
            .filter(|n| !wanted.contains(n))
            .collect();
        for n in &excess {
            if let Some(pod) = self.pods.get(n).filter(|p| p.deletion_timestamp().is_none()) {
                self.remove(pod)?;
            }
            if !self.is_parallel() {
                return Ok(());
            }
        }
        if !excess.is_empty() {
            return Ok(());
        }
        self.update(wanted)
    }

    /// Sees to it that Pod `n` is there; whether it is also available, so that the next may come.
    fn fill(&mut self, n: i64) -> Result<bool, ApiError> {
        let Some(pod) = self.pods.get(&n) else {
            let pod = self.create(n)?;
            self.pods.insert(n, pod);
            return Ok(false);
        };
        let phase = pod.value().str_at(&["status", "phase"]);
        if pod.deletion_timestamp().is_none() && matches!(phase, Some("Succeeded" | "Failed")) {
            let message = format!(
                "StatefulSet {}/{} is recreating failed Pod {}",
                pod.namespace(),
                self.set.name(),
                pod.name()
            );
            self.cx.warning(self.set, "RecreatingFailedPod", &message);
            self.remove(pod)?;
            return Ok(false);
        }
        let left = until_available(pod, min_ready(self.set), self.cx.now);
        if let Some(left) = left.filter(|l| !l.is_zero()) {
            let at = crate::clock::later(self.cx.now, left);
            self.wake = Some(self.wake.map_or(at, |w| w.min(at)));
        }
        Ok(pod.deletion_timestamp().is_none() && left.is_some_and(|l| l.is_zero()))
    }

    /// Replaces the highest Pod of an older template, once all above the partition are well.
    fn update(&mut self, wanted: std::ops::Range<i64>) -> Result<(), ApiError> {
        let strategy = self.set.value().at(&["spec", "updateStrategy"]);
        if strategy.and_then(|s| s.str_at(&["type"])) == Some("OnDelete") {
            return Ok(());
        }
        let partition = strategy
            .and_then(|s| s.i64_at(&["rollingUpdate", "partition"]))
            .unwrap_or(0);
        for n in wanted.rev().take_while(|n| *n >= partition) {
            let Some(pod) = self.pods.get(&n) else { return Ok(()) };
            if pod.deletion_timestamp().is_some() {
                return Ok(());
            }
            if pod.label(REVISION_HASH) != Some(&self.revisions.update) {
                return self.remove(pod);
            }
            if !condition::is_true(pod, "Ready") {
                return Ok(());
            }
        }
        Ok(())
    }

    fn remove(&self, pod: &Object) -> Result<(), ApiError> {
        self.cx.delete(&PODS, pod)?;
        let message = format!(
            "delete Pod {} in StatefulSet {} successful",
            pod.name(),
            self.set.name()
        );
        self.cx.normal(self.set, "SuccessfulDelete", &message);
        Ok(())
    }

    fn create(&self, n: i64) -> Result<Object, ApiError> {
        let set = self.set;
        let partition = set
            .value()
            .i64_at(&["spec", "updateStrategy", "rollingUpdate", "partition"]);
        // Below the partition a Pod comes back as it was.
        let old = (n < partition.unwrap_or(0))
            .then(|| self.history.template(&self.revisions.current))
            .flatten();
        let revision = if old.is_some() {
            &self.revisions.current
        } else {
            &self.revisions.update
        };
        let given = set.value().at(&["spec", "template"]);
        let template = old.or_else(|| given.cloned()).unwrap_or_else(Value::map);
        let name = format!("{}-{n}", set.name());
        self.claim_volumes(&name)?;
        let mut pod = template::pod(set, &template, &name);
        pod.value_mut()
            .set_at(&["metadata", "generateName"], format!("{}-", set.name()).into());
        pod.set_label(REVISION_HASH, revision.as_str());
        pod.set_label("statefulset.kubernetes.io/pod-name", name.as_str());
        pod.set_label("apps.kubernetes.io/pod-index", n.to_string());
        let value = pod.value_mut();
        value.set_at(&["spec", "hostname"], name.as_str().into());
        if let Some(service) = set.value().str_at(&["spec", "serviceName"]).filter(|s| !s.is_empty()) {
            value.set_at(&["spec", "subdomain"], service.into());
        }
        let mut volumes = value.list_at(&["spec", "volumes"]).to_vec();
        for claim in claim_templates(set) {
            let volume_name = claim.str_at(&["metadata", "name"]).unwrap_or_default();
            volumes.retain(|v| v.str_at(&["name"]) != Some(volume_name));
            let mut volume = Value::map();
            volume.set_at(&["name"], volume_name.into());
            let claim_name = format!("{volume_name}-{name}");
            volume.set_at(&["persistentVolumeClaim", "claimName"], claim_name.into());
            volumes.push(volume);
        }
        if !volumes.is_empty() {
            value.set_at(&["spec", "volumes"], volumes.into());
        }
        let pod = self.cx.create(&PODS, pod)?;
        let message = format!("create Pod {name} in StatefulSet {} successful", set.name());
        self.cx.normal(set, "SuccessfulCreate", &message);
        Ok(pod)
    }

    /// Makes the claims of a Pod that are not there; they stay when the Pod goes.
    fn claim_volumes(&self, pod: &str) -> Result<(), ApiError> {
        let set = self.set;
        for template in claim_templates(set) {
            let name = format!("{}-{pod}", template.str_at(&["metadata", "name"]).unwrap_or_default());
            if self.cx.store.get(&PVCS, set.namespace(), &name).is_ok() {
                continue;
            }
            let gvk = Gvk::new("", "v1", "PersistentVolumeClaim");
            let mut claim = Object::bare(&gvk, set.namespace(), &name);
            for field in ["labels", "annotations"] {
                if let Some(given) = template.at(&["metadata", field]) {
                    claim.value_mut().set_at(&["metadata", field], given.clone());
                }
            }
            for (key, text) in Selector::of(set).pairs() {
                claim.set_label(key, text.as_str());
            }
            let spec = template.get("spec").cloned().unwrap_or_else(Value::map);
            claim.value_mut().set_at(&["spec"], spec);
            claim.value_mut().set_at(&["status", "phase"], "Pending".into());
            self.cx.create(&PVCS, claim)?;
            let message = format!("create Claim {name} Pod {pod} in StatefulSet {} success", set.name());
            self.cx.normal(set, "SuccessfulCreate", &message);
        }
        Ok(())
    }

    fn write_status(&mut self) -> Result<(), ApiError> {
        let (set, wanted) = (self.set, replicas(self.set));
        let pods = || self.pods.values();
        let tally = Tally::of(
            pods().filter(|p| p.deletion_timestamp().is_none()),
            min_ready(set),
            self.cx.now,
        );
        let of = |revision: &str| {
            let mine = pods().filter(|p| p.deletion_timestamp().is_none() && p.label(REVISION_HASH) == Some(revision));
            count(mine.count())
        };
        let updated = of(&self.revisions.update);
        let total = count(self.pods.len());
        let is_done = updated == wanted && total == wanted && tally.ready == wanted;
        let rolls = set.value().str_at(&["spec", "updateStrategy", "type"]) != Some("OnDelete");
        if is_done && rolls {
            self.revisions.current.clone_from(&self.revisions.update);
        }
        let current = of(&self.revisions.current);
        let revisions = &self.revisions;
        self.cx.modify(&STATEFUL_SETS, set, |s| {
            let value = s.value_mut();
            let generation = set.generation().unwrap_or(0);
            value.set_at(&["status", "observedGeneration"], generation.into());
            value.set_at(&["status", "replicas"], total.into());
            value.set_at(&["status", "availableReplicas"], tally.available.into());
            value.set_at(&["status", "collisionCount"], 0.into());
            value.set_at(&["status", "currentRevision"], revisions.current.as_str().into());
            value.set_at(&["status", "updateRevision"], revisions.update.as_str().into());
            set_count(value, "readyReplicas", tally.ready);
            set_count(value, "currentReplicas", current);
            set_count(value, "updatedReplicas", updated);
        })?;
        if let Some(at) = tally.wake {
            self.wake = Some(self.wake.map_or(at, |w| w.min(at)));
        }
        self.history.clean_up(self.cx, set, |r| {
            r.name() == revisions.current || self.pods.values().any(|p| p.label(REVISION_HASH) == Some(r.name()))
        })
    }
}

fn claim_templates(set: &Object) -> &[Value] {
    set.value().list_at(&["spec", "volumeClaimTemplates"])
}

/// The number in a Pod's name.
fn ordinal(set: &Object, pod: &Object) -> Option<i64> {
    let rest = pod.name().strip_prefix(set.name())?.strip_prefix('-')?;
    rest.parse().ok()
}
