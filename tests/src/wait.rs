//! Waiting on conditions of the world, with a deadline.

use std::{
    fmt, thread,
    time::{Duration, Instant},
};

/// The condition did not come true in time.
#[derive(Debug, thiserror::Error)]
#[error("{what} did not happen within {within:?}; last seen: {last_seen}")]
pub struct TimedOut {
    /// The condition, in words.
    pub what: String,
    /// The time it was given.
    pub within: Duration,
    /// What the last probe saw instead.
    pub last_seen: String,
}

/// Calls `probe` until it returns `Ok`, every 100 ms, for at most `within`.
///
/// `Err` holds what was seen instead, for the message. The probe runs at least once,
/// and once more than the deadline allows if it began before it.
pub fn wait_until<T, S: fmt::Display>(
    what: impl fmt::Display,
    within: Duration,
    mut probe: impl FnMut() -> Result<T, S>,
) -> Result<T, TimedOut> {
    let started = Instant::now();
    loop {
        match probe() {
            Ok(value) => return Ok(value),
            Err(seen) if started.elapsed() >= within => {
                return Err(TimedOut {
                    what: what.to_string(),
                    within,
                    last_seen: seen.to_string(),
                });
            }
            Err(_) => thread::sleep(Duration::from_millis(100)),
        }
    }
}
