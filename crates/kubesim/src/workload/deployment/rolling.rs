//! How far a rolling update may go at this moment.

use pintle_model::{Object, Value};

use super::{Rollout, status_of};
use crate::error::ApiError;
use crate::workload::replica_set::replicas;

/// `maxSurge` and `maxUnavailable` as numbers of Pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    /// Pods there may be beyond those wanted.
    pub(super) surge: i64,
    /// Pods of those wanted that may be missing.
    pub(super) unavailable: i64,
}

impl Bounds {
    /// Zero for Recreate. Percents of the surge are rounded up, of the unavailable down; both zero would be a standstill, so one may then be
    /// unavailable.
    pub(super) fn of(deployment: &Object) -> Self {
        let strategy = deployment.value().at(&["spec", "strategy"]);
        if strategy.and_then(|s| s.str_at(&["type"])) == Some("Recreate") {
            return Self {
                surge: 0,
                unavailable: 0,
            };
        }
        let wanted = replicas(deployment);
        let part = |field: &str, rounds_up: bool| {
            let given = strategy.and_then(|s| s.at(&["rollingUpdate", field]));
            share(given.unwrap_or(&Value::str("25%")), wanted, rounds_up)
        };
        let surge = part("maxSurge", true);
        let unavailable = part("maxUnavailable", false).min(wanted);
        if surge == 0 && unavailable == 0 {
            return Self { surge, unavailable: 1 };
        }
        Self { surge, unavailable }
    }
}

/// A number or a percentage of `whole`; what is neither counts as zero.
pub(in crate::workload) fn share(given: &Value, whole: i64, rounds_up: bool) -> i64 {
    if let Some(number) = given.as_i64() {
        return number.max(0);
    }
    let percent = given.as_str().and_then(|s| s.strip_suffix('%'));
    let percent: i64 = percent.and_then(|p| p.parse().ok()).unwrap_or(0);
    let hundredths = whole.saturating_mul(percent.max(0));
    (if rounds_up {
        hundredths.saturating_add(99)
    } else {
        hundredths
    }) / 100
}

impl Rollout<'_> {
    /// The size of the new ReplicaSet, now of `current` Pods, that the surge allows.
    pub(super) fn size_of_new(&self, current: i64) -> i64 {
        let wanted = replicas(&self.deployment);
        if self.deployment.value().str_at(&["spec", "strategy", "type"]) == Some("Recreate") {
            return wanted;
        }
        let room = wanted + Bounds::of(&self.deployment).surge - self.asked();
        current + room.min(wanted - current).max(0)
    }

    /// Sizes the new ReplicaSet; whether that changed anything.
    pub(super) fn grow_new(&mut self) -> Result<bool, ApiError> {
        let Some(current) = self.new.as_ref().map(replicas) else {
            return Ok(false);
        };
        let wanted = replicas(&self.deployment);
        let size = if current > wanted {
            wanted
        } else {
            self.size_of_new(current)
        };
        self.set_new_replicas(size)
    }

    /// Shrinks the old ReplicaSets as far as enough Pods stay available; whether that changed anything. Pods that are not available anyway
    /// go first: they would block a rollout for ever.
    pub(super) fn shrink_old(&mut self) -> Result<bool, ApiError> {
        if self.old.iter().all(|s| replicas(s) == 0) {
            return Ok(false);
        }
        let least = replicas(&self.deployment) - Bounds::of(&self.deployment).unavailable;
        let new_missing = self
            .new
            .as_ref()
            .map_or(0, |s| replicas(s) - status_of(s, "availableReplicas"));
        // What is asked for but not there yet counts as there, so that a step is not taken twice before the Pods have followed.
        let mut room = self.asked() - least - new_missing;
        if room <= 0 {
            return Ok(false);
        }
        let mut shrunk = false;
        for i in 0..self.old.len() {
            let Some(set) = self.old.get(i) else { break };
            let (size, available) = (replicas(set), status_of(set, "availableReplicas"));
            let missing = (size - available).clamp(0, room);
            if missing > 0 {
                shrunk |= self.set_old_replicas(i, size - missing)?;
                room -= missing;
            }
        }
        let available: i64 = self.all().map(|s| status_of(s, "availableReplicas")).sum();
        let mut excess = available - least;
        for i in 0..self.old.len() {
            let Some(size) = self.old.get(i).map(replicas).filter(|_| excess > 0) else {
                break;
            };
            let down = size.min(excess);
            if down > 0 {
                shrunk |= self.set_old_replicas(i, size - down)?;
                excess -= down;
            }
        }
        Ok(shrunk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pintle_model::Gvk;

    #[test]
    fn bounds_are_numbers_or_percents() {
        let mut d = Object::bare(&Gvk::new("apps", "v1", "Deployment"), "default", "d");
        let mut check = |replicas: i64, surge: Value, unavailable: Value, expected: (i64, i64)| {
            d.value_mut().set_at(&["spec", "replicas"], replicas.into());
            let path = ["spec", "strategy", "rollingUpdate"];
            d.value_mut().set_at(&[&path[..], &["maxSurge"]].concat(), surge);
            d.value_mut()
                .set_at(&[&path[..], &["maxUnavailable"]].concat(), unavailable);
            let bounds = Bounds::of(&d);
            assert_eq!((bounds.surge, bounds.unavailable), expected);
        };
        check(3, "25%".into(), "25%".into(), (1, 0));
        check(10, "25%".into(), "25%".into(), (3, 2));
        check(3, 2.into(), 0.into(), (2, 0));
        check(3, 0.into(), 0.into(), (0, 1));
        check(2, 0.into(), 5.into(), (0, 2));
    }
}
