//! How long to wait before trying again.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

/// Exponential waits with jitter: doubles from `first` to at most `cap`, so a server that is down sees a bounded trickle.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    first: Duration,
    cap: Duration,
    failures: u32,
}

impl Backoff {
    /// Starts at `first`; never waits longer than `cap` plus a fifth.
    pub(crate) fn new(first: Duration, cap: Duration) -> Self {
        Self {
            first,
            cap,
            failures: 0,
        }
    }

    /// Counts one more failure and answers how long to wait, spread by ±20 % so that tasks that failed together come back apart.
    pub(crate) fn next(&mut self) -> Duration {
        let doubled = self
            .first
            .saturating_mul(1_u32.checked_shl(self.failures.min(16)).unwrap_or(u32::MAX));
        self.failures = self.failures.saturating_add(1);
        spread(doubled.min(self.cap), 0.2)
    }

    /// Forgets the failures.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// How many failures came one after another.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }
}

/// `base` made up to `fraction` shorter or longer.
pub(crate) fn spread(base: Duration, fraction: f64) -> Duration {
    base.mul_f64(1.0 + fraction * (2.0 * unit_random() - 1.0))
}

/// A value between `low` and `high`.
pub(crate) fn between(low: Duration, high: Duration) -> Duration {
    low + high.saturating_sub(low).mul_f64(unit_random())
}

/// A number in [0, 1). The standard library seeds each hasher at random, which is all the randomness that spreading load needs.
fn unit_random() -> f64 {
    let bits = RandomState::new().build_hasher().finish() >> 11;
    bits as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_cap() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(30));
        let waits: Vec<f64> = (0..40).map(|_| backoff.next().as_secs_f64()).collect();
        for (wait, nominal) in waits.iter().zip([1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]) {
            assert!((nominal * 0.8..=nominal * 1.2).contains(wait), "{wait} for {nominal}");
        }
        assert!(waits.iter().all(|w| *w <= 36.0));
        backoff.reset();
        assert!(backoff.next().as_secs_f64() <= 1.2);
    }
}
