//! Time for the whole simulation: the wall clock, or one that a test moves by hand.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::time::Instant;

/// Where the store, the controllers and the workloads read the time. Clones share one clock.
#[derive(Clone)]
pub struct Clock(Arc<Inner>);

enum Inner {
    /// Wall time at the start plus tokio's time since, so that a paused runtime pauses the simulation too.
    Real { origin: Timestamp, started: Instant },
    /// Stands still until [`Clock::advance`].
    Manual {
        now: Mutex<Timestamp>,
        moved: watch::Sender<()>,
    },
}

impl Clock {
    /// A clock that starts at the wall time and runs with tokio's.
    // The simulated control plane is a shell: this is its one place that reads the wall clock.
    #[allow(clippy::disallowed_methods)]
    pub fn real() -> Self {
        Self(Arc::new(Inner::Real {
            origin: Timestamp::now(),
            started: Instant::now(),
        }))
    }

    /// A clock that starts at `now` and runs with tokio's: with a paused runtime the whole simulation is repeatable.
    pub fn tokio(now: Timestamp) -> Self {
        Self(Arc::new(Inner::Real {
            origin: now,
            started: Instant::now(),
        }))
    }

    /// A clock that stands at `now` until [`Clock::advance`].
    pub fn manual(now: Timestamp) -> Self {
        Self(Arc::new(Inner::Manual {
            now: Mutex::new(now),
            moved: watch::Sender::new(()),
        }))
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        match &*self.0 {
            Inner::Real { origin, started } => later(*origin, started.elapsed()),
            Inner::Manual { now, .. } => *now.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// The time as Kubernetes writes it: whole seconds, RFC 3339, `Z`.
    pub fn now_text(&self) -> String {
        rfc3339(self.now())
    }

    /// Moves a manual clock forward and wakes who sleeps on it; a real clock runs by itself and ignores this.
    pub fn advance(&self, by: Duration) {
        if let Inner::Manual { now, moved } = &*self.0 {
            let mut now = now.lock().unwrap_or_else(PoisonError::into_inner);
            *now = later(*now, by);
            drop(now);
            moved.send_replace(());
        }
    }

    /// Waits until the clock has reached `at`.
    pub async fn sleep_until(&self, at: Timestamp) {
        match &*self.0 {
            Inner::Real { .. } => loop {
                let left = at.duration_since(self.now());
                match Duration::try_from(left) {
                    Ok(left) if !left.is_zero() => tokio::time::sleep(left).await,
                    _ => return,
                }
            },
            Inner::Manual { moved, .. } => {
                let mut moved = moved.subscribe();
                while self.now() < at {
                    if moved.changed().await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    /// Waits for `time` to pass on this clock.
    pub async fn sleep(&self, time: Duration) {
        self.sleep_until(later(self.now(), time)).await;
    }
}

/// `at` plus `by`; stays at the last representable time rather than overflow.
pub fn later(at: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by)
        .ok()
        .and_then(|by| at.checked_add(by).ok())
        .unwrap_or(Timestamp::MAX)
}

/// The time as Kubernetes writes `metav1.Time`: whole seconds, RFC 3339, `Z`.
pub fn rfc3339(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The time as Kubernetes writes `metav1.MicroTime`.
pub fn rfc3339_micro(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

/// Reads what [`rfc3339`] and [`rfc3339_micro`] write; `None` for anything that is not RFC 3339.
pub fn parse_time(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}
