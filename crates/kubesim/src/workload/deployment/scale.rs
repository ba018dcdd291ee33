//! Scaling outside of a rollout step: a changed `spec.replicas`, also in the middle of a rollout and while paused.

use pintle_model::Object;

use super::revision::{DESIRED, MOST};
use super::{Rollout, status_of};
use crate::error::ApiError;
use crate::workload::replica_set::replicas;

impl Rollout<'_> {
    /// Whether the wanted number differs from the one the ReplicaSets were last sized for.
    pub(super) fn is_scaled(&self) -> bool {
        let wanted = replicas(&self.deployment);
        self.all()
            .filter(|s| replicas(s) > 0)
            .filter_map(|s| s.annotation(DESIRED)?.parse::<i64>().ok())
            .any(|desired| desired != wanted)
    }

    /// Brings the ReplicaSets to the wanted number; in the middle of a rollout all grow or shrink in proportion, so that a bad new template
    /// does not get all the new Pods.
    pub(super) fn scale(&mut self) -> Result<(), ApiError> {
        let wanted = replicas(&self.deployment);
        let active = self.all().filter(|s| replicas(s) > 0).count();
        if active <= 1 {
            return self.scale_single(wanted);
        }
        if self.is_saturated(wanted) {
            for i in 0..self.old.len() {
                self.set_old_replicas(i, 0)?;
            }
            return Ok(());
        }
        if self.deployment.value().str_at(&["spec", "strategy", "type"]) == Some("Recreate") {
            return Ok(());
        }
        self.scale_all(wanted)
    }

    /// The one active ReplicaSet, or the newest when all are empty.
    fn scale_single(&mut self, wanted: i64) -> Result<(), ApiError> {
        let active = self.old.iter().position(|s| replicas(s) > 0);
        match active {
            Some(i) => self.set_old_replicas(i, wanted)?,
            None if self.new.is_some() => self.set_new_replicas(wanted)?,
            None => match self.old.len().checked_sub(1) {
                Some(last) => self.set_old_replicas(last, wanted)?,
                None => false,
            },
        };
        Ok(())
    }

    fn is_saturated(&self, wanted: i64) -> bool {
        self.new.as_ref().is_some_and(|s| {
            replicas(s) == wanted
                && s.annotation(DESIRED).and_then(|d| d.parse().ok()) == Some(wanted)
                && status_of(s, "availableReplicas") == wanted
        })
    }

    fn scale_all(&mut self, wanted: i64) -> Result<(), ApiError> {
        let allowed = if wanted > 0 { self.noted().1 } else { 0 };
        let change = allowed - self.asked();
        // Index of an old one, or `None` for the new one; the largest first, and among equals the newest when growing.
        let mut order: Vec<(Option<usize>, i64)> = self
            .old
            .iter()
            .enumerate()
            .map(|(i, s)| (Some(i), replicas(s)))
            .chain(self.new.iter().map(|s| (None, replicas(s))))
            .filter(|(_, size)| *size > 0)
            .collect();
        if change > 0 {
            order.reverse();
        }
        order.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
        let mut left = change;
        let mut sizes: Vec<(Option<usize>, i64)> = Vec::with_capacity(order.len());
        for (place, size) in order {
            let set = place.map_or(self.new.as_ref(), |i| self.old.get(i));
            let part = set.map_or(0, |s| proportion(s, size, allowed));
            let part = if change > 0 {
                part.clamp(0, left.max(0))
            } else {
                part.clamp(left.min(0), 0)
            };
            left -= part;
            sizes.push((place, size + part));
        }
        if let Some((_, size)) = sizes.first_mut() {
            *size = (*size + left).max(0);
        }
        for (place, size) in sizes {
            match place {
                Some(i) => self.set_old_replicas(i, size)?,
                None => self.set_new_replicas(size)?,
            };
        }
        Ok(())
    }
}

/// What a ReplicaSet of `size` gains (or loses) when the Deployment's most goes from the noted one to `allowed`, rounded to the nearest.
fn proportion(set: &Object, size: i64, allowed: i64) -> i64 {
    if allowed == 0 {
        return -size;
    }
    let before: i64 = set.annotation(MOST).and_then(|m| m.parse().ok()).unwrap_or(0);
    if before <= 0 {
        return 0;
    }
    (2 * size * allowed + before) / (2 * before) - size
}
