//! The ReplicaSet of a template: found again, numbered, created, and removed when it is too old.

use pintle_model::{Gvk, Object, Value};

use super::status::{Progress, has_deadline};
use super::{Rollout, status_of, template};
use crate::error::ApiError;
use crate::workload::owner::controller_reference;
use crate::workload::replica_set::replicas;
use crate::workload::table::{DEPLOYMENTS, REPLICA_SETS};
use crate::workload::template::hash;

/// The label that keeps the Pods of different templates apart.
pub(super) const HASH: &str = "pod-template-hash";
/// The number of a template in the history of its Deployment.
const REVISION: &str = "deployment.kubernetes.io/revision";
/// Earlier numbers of a template that was gone back to.
const REVISION_HISTORY: &str = "deployment.kubernetes.io/revision-history";
/// How many Pods the Deployment wanted when the ReplicaSet was last sized.
pub(super) const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
/// How many it would have allowed at most.
pub(super) const MOST: &str = "deployment.kubernetes.io/max-replicas";
/// Annotations that a ReplicaSet does not take over from its Deployment.
const OWN: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    REVISION_HISTORY,
    DESIRED,
    MOST,
    "deprecated.deployment.rollback.to",
];

/// Whether a ReplicaSet has this template, its own hash label aside.
pub(super) fn has_template(set: &Object, template: Option<&Value>) -> bool {
    let mut own = set
        .value()
        .at(&["spec", "template"])
        .cloned()
        .unwrap_or_else(Value::map);
    own.remove_at(&["metadata", "labels", HASH]);
    let mut wanted = template.cloned().unwrap_or_else(Value::map);
    wanted.remove_at(&["metadata", "labels", HASH]);
    for value in [&mut own, &mut wanted] {
        // `creationTimestamp: null` of older clients, and labels that were only the hash.
        value.remove_at(&["metadata", "creationTimestamp"]);
        if value.at(&["metadata", "labels"]).is_some_and(Value::is_empty) {
            value.remove_at(&["metadata", "labels"]);
        }
    }
    own == wanted
}

fn number(object: &Object) -> i64 {
    object.annotation(REVISION).and_then(|r| r.parse().ok()).unwrap_or(0)
}

impl Rollout<'_> {
    /// Finds or creates the ReplicaSet of the current template, and numbers it.
    pub(super) fn ensure_new(&mut self) -> Result<(), ApiError> {
        if self.new.is_none() {
            self.create_new()?;
        }
        self.renumber()
    }

    /// Makes the current template's number the highest, and shows it on the Deployment.
    pub(super) fn renumber(&mut self) -> Result<(), ApiError> {
        let Some(set) = &self.new else { return Ok(()) };
        let next = self.old.iter().map(number).max().unwrap_or(0) + 1;
        let deployment = &self.deployment;
        let set = self.cx.modify(&REPLICA_SETS, set, |s| {
            annotate(s, deployment, next);
            if let Some(seconds) = deployment.value().at(&["spec", "minReadySeconds"]).cloned()
                && !(seconds == Value::Int(0) && s.value().at(&["spec", "minReadySeconds"]).is_none())
            {
                s.value_mut().set_at(&["spec", "minReadySeconds"], seconds);
            }
        })?;
        let shown = number(&set).to_string();
        self.deployment = self.cx.modify(&DEPLOYMENTS, &self.deployment, |d| {
            d.set_annotation(REVISION, shown);
            if has_deadline(d) && Progress::of(d).is_none() {
                let message = format!("Found new replica set {:?}", set.name());
                Progress::new(true, "FoundNewReplicaSet", &message).put(d, self.cx.now);
            }
        })?;
        self.new = Some(set);
        Ok(())
    }

    fn create_new(&mut self) -> Result<(), ApiError> {
        let deployment = &self.deployment;
        let mut template = template(deployment);
        let hash = hash(&template);
        let name = format!("{}-{hash}", deployment.name());
        template.set_at(&["metadata", "labels", HASH], hash.as_str().into());
        let mut set = Object::bare(&Gvk::new("apps", "v1", "ReplicaSet"), deployment.namespace(), &name);
        let size = self.size_of_new(0);
        let value = set.value_mut();
        if let Some(labels) = template.at(&["metadata", "labels"]) {
            value.set_at(&["metadata", "labels"], labels.clone());
        }
        let owner = controller_reference(deployment);
        value.set_at(&["metadata", "ownerReferences"], vec![owner].into());
        let selector = deployment.value().at(&["spec", "selector"]).cloned();
        value.set_at(&["spec", "selector"], selector.unwrap_or_else(Value::map));
        value.set_at(&["spec", "selector", "matchLabels", HASH], hash.as_str().into());
        value.set_at(&["spec", "template"], template);
        value.set_at(&["spec", "replicas"], size.into());
        if let Some(seconds) = deployment
            .value()
            .i64_at(&["spec", "minReadySeconds"])
            .filter(|s| *s > 0)
        {
            value.set_at(&["spec", "minReadySeconds"], seconds.into());
        }
        value.set_at(&["status", "replicas"], 0.into());
        let next = self.old.iter().map(number).max().unwrap_or(0) + 1;
        annotate(&mut set, deployment, next);
        let (desired, most) = self.noted();
        set.set_annotation(DESIRED, desired.to_string());
        set.set_annotation(MOST, most.to_string());
        let set = self.cx.create(&REPLICA_SETS, set)?;
        if size > 0 {
            let message = format!("Scaled up replica set {name} from 0 to {size}");
            self.cx.normal(deployment, "ScalingReplicaSet", &message);
        }
        if has_deadline(deployment) {
            let message = format!("Created new replica set {name:?}");
            self.deployment = self.cx.modify(&DEPLOYMENTS, deployment, |d| {
                Progress::new(true, "NewReplicaSetCreated", &message).put(d, self.cx.now);
            })?;
        }
        self.new = Some(set);
        Ok(())
    }

    /// Removes the oldest empty ReplicaSets beyond `revisionHistoryLimit`.
    pub(super) fn clean_up(&mut self) -> Result<(), ApiError> {
        let limit = self
            .deployment
            .value()
            .i64_at(&["spec", "revisionHistoryLimit"])
            .unwrap_or(10);
        let limit = usize::try_from(limit).unwrap_or(0);
        let mut kept: Vec<Object> = std::mem::take(&mut self.old)
            .into_iter()
            .filter(|s| s.deletion_timestamp().is_none())
            .collect();
        kept.sort_by_key(number);
        let excess = kept.len().saturating_sub(limit);
        for set in kept.drain(..excess) {
            let unseen = status_of(&set, "observedGeneration") < set.generation().unwrap_or(0);
            if replicas(&set) == 0 && status_of(&set, "replicas") == 0 && !unseen {
                self.cx.delete(&REPLICA_SETS, &set)?;
            }
        }
        self.old = kept;
        Ok(())
    }
}

/// The Deployment's annotations and the number `next`, unless the ReplicaSet has a higher one.
fn annotate(set: &mut Object, deployment: &Object, next: i64) {
    for (key, value) in deployment.annotations().into_iter().flat_map(pintle_model::Map::iter) {
        if let Some(text) = value.as_str().filter(|_| !OWN.contains(&key)) {
            set.set_annotation(key, text);
        }
    }
    let current = number(set);
    if current >= next {
        return;
    }
    set.set_annotation(REVISION, next.to_string());
    if current > 0 {
        let history = match set.annotation(REVISION_HISTORY) {
            Some(before) if !before.is_empty() => format!("{before},{current}"),
            _ => current.to_string(),
        };
        set.set_annotation(REVISION_HISTORY, history);
    }
}
