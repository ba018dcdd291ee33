//! Counts and conditions of a Deployment.

use std::time::Duration;

use jiff::Timestamp;
use pintle_model::{Object, Value};

use super::{Rollout, rolling, status_of};
use crate::clock::{later, parse_time, rfc3339};
use crate::error::ApiError;
use crate::workload::condition;
use crate::workload::driver::Wake;
use crate::workload::replica_set::{replicas, set_count};
use crate::workload::table::DEPLOYMENTS;

/// Whether `progressDeadlineSeconds` (600 where it is not given) is meant: the largest int32 stands for never.
pub(super) fn has_deadline(deployment: &Object) -> bool {
    deadline(deployment).is_some()
}

fn deadline(deployment: &Object) -> Option<Duration> {
    let seconds = deployment
        .value()
        .i64_at(&["spec", "progressDeadlineSeconds"])
        .unwrap_or(600);
    let seconds = u64::try_from(seconds).ok()?;
    (seconds != 2_147_483_647).then(|| Duration::from_secs(seconds))
}

/// The `Progressing` condition to be.
pub(super) struct Progress(Value);

impl Progress {
    pub(super) fn new(is_true: bool, reason: &str, message: &str) -> Self {
        Self(condition::new("Progressing", is_true, reason, message))
    }

    pub(super) fn of(deployment: &Object) -> Option<&Value> {
        condition::find(deployment, "Progressing")
    }

    /// Puts it unless status and reason are there already.
    pub(super) fn put(self, deployment: &mut Object, now: Timestamp) {
        put(deployment, self.0, now, false);
    }

    /// Puts it with the time of this update: the deadline counts from here.
    fn renew(self, deployment: &mut Object, now: Timestamp) {
        put(deployment, self.0, now, true);
    }
}

fn put(deployment: &mut Object, mut new: Value, now: Timestamp, always: bool) {
    let kind = new.str_at(&["type"]).unwrap_or_default().to_owned();
    let known = condition::find(deployment, &kind);
    let is_same = |field: &str| known.and_then(|k| k.str_at(&[field])) == new.str_at(&[field]);
    if !always && known.is_some() && is_same("status") && is_same("reason") {
        return;
    }
    let now = rfc3339(now);
    new.set_at(&["lastUpdateTime"], now.as_str().into());
    let mut conditions = deployment.value().list_at(&["status", "conditions"]).to_vec();
    condition::put(&mut conditions, new, &now);
    deployment
        .value_mut()
        .set_at(&["status", "conditions"], conditions.into());
}

/// The counts of a status.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Counts {
    replicas: i64,
    updated: i64,
    ready: i64,
    available: i64,
    unavailable: i64,
}

impl Counts {
    fn now(rollout: &Rollout<'_>) -> Self {
        let sum = |field: &str| rollout.all().map(|s| status_of(s, field)).sum::<i64>();
        let available = sum("availableReplicas");
        Self {
            replicas: sum("replicas"),
            updated: rollout.new.as_ref().map_or(0, |s| status_of(s, "replicas")),
            ready: sum("readyReplicas"),
            available,
            unavailable: (rollout.asked() - available).max(0),
        }
    }

    fn written(deployment: &Object) -> Self {
        let of = |field: &str| status_of(deployment, field);
        Self {
            replicas: of("replicas"),
            updated: of("updatedReplicas"),
            ready: of("readyReplicas"),
            available: of("availableReplicas"),
            unavailable: of("unavailableReplicas"),
        }
    }

    fn write(self, deployment: &mut Object) {
        let generation = deployment.generation().unwrap_or(0);
        let value = deployment.value_mut();
        value.set_at(&["status", "observedGeneration"], generation.into());
        for (field, n) in [
            ("replicas", self.replicas),
            ("updatedReplicas", self.updated),
            ("readyReplicas", self.ready),
            ("availableReplicas", self.available),
            ("unavailableReplicas", self.unavailable),
        ] {
            set_count(value, field, n);
        }
    }

    /// Whether more is done than `before`.
    fn is_ahead_of(self, before: Self) -> bool {
        self.updated > before.updated
            || self.replicas - self.updated < before.replicas - before.updated
            || self.ready > before.ready
            || self.available > before.available
    }
}

impl Rollout<'_> {
    /// Shows that the deadline does not run while paused.
    pub(super) fn note_pause(&mut self) -> Result<(), ApiError> {
        if !has_deadline(&self.deployment) {
            return Ok(());
        }
        let reason = Progress::of(&self.deployment).and_then(|c| c.str_at(&["reason"]));
        if reason == Some("ProgressDeadlineExceeded") {
            return Ok(());
        }
        let is_noted = reason == Some("DeploymentPaused");
        let (reason, message) = match (self.is_paused(), is_noted) {
            (true, false) => ("DeploymentPaused", "Deployment is paused"),
            (false, true) => ("DeploymentResumed", "Deployment is resumed"),
            _ => return Ok(()),
        };
        let now = self.cx.now;
        self.deployment = self.cx.modify(&DEPLOYMENTS, &self.deployment, |d| {
            let mut progress = Progress::new(false, reason, message);
            progress.0.set_at(&["status"], "Unknown".into());
            progress.put(d, now);
        })?;
        Ok(())
    }

    /// Counts and `Available` only: a Deployment that is paused, scaled or going away.
    pub(super) fn write_counts(&mut self) -> Result<Wake, ApiError> {
        let counts = Counts::now(self);
        self.write(counts, |_| {})?;
        Ok(None)
    }

    /// The whole status; when the deadline is due.
    pub(super) fn write_status(&mut self) -> Result<Wake, ApiError> {
        let counts = Counts::now(self);
        let before = Counts::written(&self.deployment);
        let now = self.cx.now;
        let Some(deadline) = deadline(&self.deployment) else {
            return self.write(counts, remove_progress).map(|()| None);
        };
        let known = Progress::of(&self.deployment);
        let reason = known.and_then(|c| c.str_at(&["reason"]));
        let was_complete = counts.replicas == counts.updated && reason == Some("NewReplicaSetAvailable");
        if was_complete {
            return self.write(counts, |_| {}).map(|()| None);
        }
        let wanted = replicas(&self.deployment);
        let subject = match &self.new {
            Some(set) => format!("ReplicaSet {:?}", set.name()),
            None => format!("Deployment {:?}", self.deployment.name()),
        };
        if counts.updated == wanted && counts.replicas == wanted && counts.available == wanted {
            let message = format!("{subject} has successfully progressed.");
            let progress = Progress::new(true, "NewReplicaSetAvailable", &message);
            return self.write(counts, |d| progress.put(d, now)).map(|()| None);
        }
        if counts.is_ahead_of(before) {
            let progress = Progress::new(true, "ReplicaSetUpdated", &format!("{subject} is progressing."));
            self.write(counts, |d| progress.renew(d, now))?;
            return Ok(Some(later(now, deadline)));
        }
        let since = known.and_then(|c| c.str_at(&["lastUpdateTime"])).and_then(parse_time);
        let end = since.map(|s| later(s, deadline));
        // A complete Deployment has no deadline until something new begins.
        let end = end.filter(|_| reason != Some("NewReplicaSetAvailable"));
        if end.is_some_and(|end| end <= now) {
            let message = format!("{subject} has timed out progressing.");
            let progress = Progress::new(false, "ProgressDeadlineExceeded", &message);
            return self.write(counts, |d| progress.put(d, now)).map(|()| None);
        }
        self.write(counts, |_| {})?;
        Ok(end)
    }

    fn write(&mut self, counts: Counts, progress: impl FnOnce(&mut Object)) -> Result<(), ApiError> {
        let least = replicas(&self.deployment) - rolling::Bounds::of(&self.deployment).unavailable;
        let now = self.cx.now;
        self.deployment = self.cx.modify(&DEPLOYMENTS, &self.deployment, |d| {
            counts.write(d);
            let available = if counts.available >= least {
                let message = "Deployment has minimum availability.";
                condition::new("Available", true, "MinimumReplicasAvailable", message)
            } else {
                let message = "Deployment does not have minimum availability.";
                condition::new("Available", false, "MinimumReplicasUnavailable", message)
            };
            put(d, available, now, false);
            progress(d);
        })?;
        Ok(())
    }
}

fn remove_progress(deployment: &mut Object) {
    let mut conditions = deployment.value().list_at(&["status", "conditions"]).to_vec();
    conditions.retain(|c| c.str_at(&["type"]) != Some("Progressing"));
    deployment
        .value_mut()
        .set_at(&["status", "conditions"], conditions.into());
}
