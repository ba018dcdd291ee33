//! Deployments: ReplicaSets by template, rolled out within their bounds.
//!
//! ```text
//! template ─► revision: the ReplicaSet of this template (found again or new), its number
//!          ─► rolling: how far the new one may grow and the old ones must shrink now
//!          ─► status: counts, Available, Progressing with its deadline
//! ```

mod revision;
mod rolling;
mod scale;
mod status;

pub(super) use rolling::share;

use pintle_model::{Object, Value};

use super::driver::{Context, Queue, Reconcile, Wake};
use super::owner::{self, Orphans};
use super::replica_set::{is_active, replicas};
use super::selector::Selector;
use super::table::{DEPLOYMENTS, PODS, REPLICA_SETS};
use crate::error::ApiError;
use crate::resource::GroupResource;
use crate::store::{Event, EventKind, Name, Store};

/// The controller.
#[derive(Default)]
pub(super) struct Deployments {
    orphans: Orphans,
}

/// A Deployment with its ReplicaSets, changed here as they are changed in the store.
struct Rollout<'a> {
    cx: &'a Context<'a>,
    deployment: Object,
    /// The ReplicaSet of the current template.
    new: Option<Object>,
    /// All others, oldest first.
    old: Vec<Object>,
}

impl Reconcile for Deployments {
    fn name(&self) -> &'static str {
        "deployment-controller"
    }

    fn watches(&self) -> Vec<&'static GroupResource> {
        vec![&DEPLOYMENTS, &REPLICA_SETS, &PODS]
    }

    fn observe(&mut self, store: &Store, event: &Event, queue: &mut Queue) {
        if event.gr == *DEPLOYMENTS {
            queue.push(&event.key);
        } else if event.gr == *REPLICA_SETS {
            queue.push_owners(event, "apps", "Deployment");
            self.orphans.observe(store, event, &DEPLOYMENTS, queue);
        } else if event.kind == EventKind::Deleted {
            // Recreate waits for the last Pod to be gone.
            let set = owner::controller_of(&event.object).filter(|o| o.kind == "ReplicaSet");
            if let Some(set) = set.and_then(|o| store.get(&REPLICA_SETS, &event.key.0, o.name).ok()) {
                queue.push_owner(&set, "apps", "Deployment");
            }
        }
    }

    fn forget(&mut self) {
        self.orphans.forget();
    }

    fn reconcile(&mut self, cx: &Context<'_>, key: &Name) -> Result<Wake, ApiError> {
        let deployment = cx.store.get(&DEPLOYMENTS, &key.0, &key.1)?;
        let selector = Selector::of(&deployment);
        let sets = owner::claim(cx, &REPLICA_SETS, &deployment, &selector, &self.orphans)?;
        let mut rollout = Rollout::new(cx, deployment, sets);
        if rollout.deployment.deletion_timestamp().is_some() {
            return rollout.write_counts();
        }
        rollout.note_pause()?;
        if rollout.is_paused() || rollout.is_scaled() {
            rollout.renumber()?;
            rollout.scale()?;
            if rollout.is_paused() {
                rollout.clean_up()?;
            }
            return rollout.write_counts();
        }
        match rollout.deployment.value().str_at(&["spec", "strategy", "type"]) {
            Some("Recreate") => rollout.recreate()?,
            _ => rollout.roll()?,
        }
        rollout.write_status()
    }
}

impl<'a> Rollout<'a> {
    fn new(cx: &'a Context<'a>, deployment: Object, mut sets: Vec<Object>) -> Self {
        sets.sort_by(|a, b| (a.creation_timestamp(), a.name()).cmp(&(b.creation_timestamp(), b.name())));
        let template = deployment.value().at(&["spec", "template"]);
        let place = sets.iter().position(|s| revision::has_template(s, template));
        let new = place.map(|i| sets.remove(i));
        Self {
            cx,
            deployment,
            new,
            old: sets,
        }
    }

    fn is_paused(&self) -> bool {
        self.deployment.value().bool_at(&["spec", "paused"]).unwrap_or(false)
    }

    fn all(&self) -> impl Iterator<Item = &Object> {
        self.old.iter().chain(&self.new)
    }

    /// Pods that the ReplicaSets are asked for.
    fn asked(&self) -> i64 {
        self.all().map(replicas).sum()
    }

    /// One change after the other: the new ReplicaSet first, the old ones when it need not grow.
    fn roll(&mut self) -> Result<(), ApiError> {
        self.ensure_new()?;
        if !self.grow_new()? && !self.shrink_old()? && self.is_complete() {
            self.clean_up()?;
        }
        Ok(())
    }

    /// All old Pods go before the first new one comes.
    fn recreate(&mut self) -> Result<(), ApiError> {
        self.renumber()?;
        let mut shrunk = false;
        for i in 0..self.old.len() {
            shrunk |= self.set_old_replicas(i, 0)?;
        }
        if shrunk || self.old.iter().any(|s| self.has_pods(s)) {
            return Ok(());
        }
        self.ensure_new()?;
        let wanted = replicas(&self.deployment);
        self.set_new_replicas(wanted)?;
        if self.is_complete() {
            self.clean_up()?;
        }
        Ok(())
    }

    fn has_pods(&self, set: &Object) -> bool {
        let pods = owner::controlled(self.cx.store, &PODS, set);
        pods.iter().any(|p| is_active(p) || p.deletion_timestamp().is_some())
    }

    /// Whether everything wanted is there, new and available.
    fn is_complete(&self) -> bool {
        let status = |field: &str| self.deployment.value().i64_at(&["status", field]).unwrap_or(0);
        let wanted = replicas(&self.deployment);
        ["updatedReplicas", "replicas", "availableReplicas"]
            .iter()
            .all(|f| status(f) == wanted)
            && status("observedGeneration") >= self.deployment.generation().unwrap_or(0)
    }

    fn set_new_replicas(&mut self, wanted: i64) -> Result<bool, ApiError> {
        let Some(set) = self.new.clone() else {
            return Ok(false);
        };
        let (set, changed) = self.resize(&set, wanted)?;
        self.new = Some(set);
        Ok(changed)
    }

    fn set_old_replicas(&mut self, index: usize, wanted: i64) -> Result<bool, ApiError> {
        let Some(set) = self.old.get(index).cloned() else {
            return Ok(false);
        };
        let (set, changed) = self.resize(&set, wanted)?;
        if let Some(place) = self.old.get_mut(index) {
            *place = set;
        }
        Ok(changed)
    }

    /// Asks a ReplicaSet for `wanted` Pods and notes on it what the Deployment as a whole wants; whether the number changed.
    fn resize(&self, set: &Object, wanted: i64) -> Result<(Object, bool), ApiError> {
        let now = replicas(set);
        let (desired, most) = self.noted();
        let after = self.cx.modify(&REPLICA_SETS, set, |s| {
            if now != wanted {
                s.value_mut().set_at(&["spec", "replicas"], wanted.into());
            }
            s.set_annotation(revision::DESIRED, desired.to_string());
            s.set_annotation(revision::MOST, most.to_string());
        })?;
        if now != wanted {
            let way = if wanted > now { "up" } else { "down" };
            let message = format!("Scaled {way} replica set {} from {now} to {wanted}", set.name());
            self.cx.normal(&self.deployment, "ScalingReplicaSet", &message);
        }
        Ok((after, now != wanted))
    }

    /// What a ReplicaSet has noted on it: Pods wanted, and most at any time.
    fn noted(&self) -> (i64, i64) {
        let wanted = replicas(&self.deployment);
        (
            wanted,
            wanted.saturating_add(rolling::Bounds::of(&self.deployment).surge),
        )
    }
}

/// A number of a ReplicaSet's status.
fn status_of(set: &Object, field: &str) -> i64 {
    set.value().i64_at(&["status", field]).unwrap_or(0)
}

/// `spec.template`.
fn template(deployment: &Object) -> Value {
    let given = deployment.value().at(&["spec", "template"]);
    given.cloned().unwrap_or_else(Value::map)
}
