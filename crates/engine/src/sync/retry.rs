//! When a failed operation is tried again, and when a running one has run too long [F3.29, F3.30, F3.33].

use std::time::Duration;

use jiff::Timestamp;
use pintle_model::application::{OperationPhase, RetryStrategy};
use pintle_model::duration::{DurationError, GoDuration};

/// Wait before the first retry unless set.
pub const DEFAULT_DURATION: Duration = Duration::from_secs(5);
/// Factor between waits unless set.
pub const DEFAULT_FACTOR: i64 = 2;
/// Longest wait unless set.
pub const DEFAULT_MAX_DURATION: Duration = Duration::from_secs(180);

/// What follows the end of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The operation has ended; its message.
    Ended {
        /// The message to show.
        message: String,
    },
    /// The operation stays `Running` and its `syncResult` is dropped.
    At {
        /// When the next attempt begins.
        at: Timestamp,
        /// The new `retryCount`.
        retry_count: i64,
        /// The message to show meanwhile.
        message: String,
    },
}

/// Why a retry strategy cannot be followed; the operation then ends without a retry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the field {field} of the retry backoff is wrong: {source}")]
pub struct BadBackoff {
    /// `duration` or `maxDuration`.
    pub field: &'static str,
    /// What is wrong with it.
    pub source: DurationError,
}

/// The wait before retry number `retry_count + 1`: `duration·factor^retry_count`, at most `maxDuration`.
pub fn backoff(strategy: &RetryStrategy, retry_count: i64) -> Result<Duration, BadBackoff> {
    let default = Default::default();
    let given = strategy.backoff.as_ref().unwrap_or(&default);
    let read = |field: &'static str, text: &str, default: Duration| {
        if text.is_empty() {
            return Ok(default);
        }
        GoDuration::parse_lenient(text)
            .map(GoDuration::to_std)
            .map_err(|source| BadBackoff { field, source })
    };
    let first = read("duration", &given.duration, DEFAULT_DURATION)?;
    let longest = read("maxDuration", &given.max_duration, DEFAULT_MAX_DURATION)?;
    Ok(grow(
        first,
        given.factor.unwrap_or(DEFAULT_FACTOR),
        retry_count,
        longest,
    ))
}

/// `first·factor^steps`, at most `longest`. A factor below 1 counts as 1.
fn grow(first: Duration, factor: i64, steps: i64, longest: Duration) -> Duration {
    let factor = u32::try_from(factor.max(1)).unwrap_or(u32::MAX);
    let mut wait = first;
    // Ends early once nothing grows any more, so that huge counts cost nothing.
    for _ in 0..steps.max(0) {
        if wait >= longest || factor == 1 || wait.is_zero() {
            break;
        }
        wait = wait.saturating_mul(factor);
    }
    wait.min(longest)
}

/// Decides what follows an attempt that has ended. A terminated operation is not tried again, nor one that succeeded.
///
/// `clock` writes an instant as a person reads the time of day (`3:04PM`), in the zone of whoever runs the controller.
pub fn after_attempt(
    strategy: &RetryStrategy,
    phase: &OperationPhase,
    message: &str,
    ended: Attempt,
    clock: impl Fn(Timestamp) -> String,
) -> Retry {
    let Attempt {
        retry_count,
        finished_at,
        was_terminated,
    } = ended;
    let done = |message: String| Retry::Ended { message };
    let counted = || {
        if retry_count > 0 {
            format!("{message} (retried {retry_count} times).")
        } else {
            message.to_owned()
        }
    };
    let limited = strategy.limit >= 0 && retry_count >= strategy.limit;
    if !phase.is_failed() || was_terminated || limited {
        // Whoever sees a success need not know how often it was tried; the peer says it only of failures.
        return done(if phase.is_failed() && !was_terminated {
            counted()
        } else {
            message.to_owned()
        });
    }
    match backoff(strategy, retry_count) {
        Err(why) => done(format!("{message} (not retried: {why})")),
        Ok(wait) => {
            let at = finished_at.checked_add(wait).unwrap_or(Timestamp::MAX);
            let next = retry_count.saturating_add(1);
            let message = format!("{message}. Retrying attempt #{next} at {}.", clock(at));
            Retry::At {
                at,
                retry_count: next,
                message,
            }
        }
    }
}

/// An attempt that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// How many retries there were before; 0 for the first attempt.
    pub retry_count: i64,
    /// When it ended.
    pub finished_at: Timestamp,
    /// Whether it was terminated.
    pub was_terminated: bool,
}

/// The message while a retry begins.
pub fn retrying_message(retry_count: i64, refresh: bool) -> String {
    let latest = if refresh { " with latest revisions" } else { "" };
    format!("Retrying operation{latest}. Attempt #{retry_count}")
}

/// When an operation times out, counted from its start whatever retries it made; `None` without a limit (0) [F3.30].
pub fn times_out_at(started_at: Timestamp, timeout: Duration) -> Option<Timestamp> {
    if timeout.is_zero() {
        None
    } else {
        started_at.checked_add(timeout).ok()
    }
}

/// `controller.self.heal.backoff.*` and `controller.self.heal.timeout.seconds` [F3.33].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelfHealBackoff {
    /// Wait before the second attempt.
    pub first: Duration,
    /// Factor between waits.
    pub factor: i64,
    /// Longest wait.
    pub longest: Duration,
}

impl Default for SelfHealBackoff {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(2),
            factor: 3,
            longest: Duration::from_secs(300),
        }
    }
}

impl SelfHealBackoff {
    /// When self-heal may try again after `attempts` attempts at one revision, the last of which ended at `finished_at`; the first goes at once.
    pub fn next_at(self, attempts: i64, finished_at: Timestamp) -> Timestamp {
        if attempts <= 0 {
            return finished_at;
        }
        let wait = grow(self.first, self.factor, attempts - 1, self.longest);
        finished_at.checked_add(wait).unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use pintle_model::application::Backoff;

    use super::*;

    fn strategy(limit: i64, duration: &str, factor: Option<i64>, max: &str) -> RetryStrategy {
        let backoff = Backoff {
            duration: duration.into(),
            factor,
            max_duration: max.into(),
            ..Backoff::default()
        };
        RetryStrategy {
            limit,
            backoff: Some(backoff),
            ..RetryStrategy::default()
        }
    }

    fn waits(strategy: &RetryStrategy) -> Vec<u64> {
        [0, 1, 2, 10, i64::MAX]
            .iter()
            .map(|n| backoff(strategy, *n).unwrap().as_secs())
            .collect()
    }

    #[test]
    fn waits_grow_up_to_the_longest() {
        assert_eq!(waits(&RetryStrategy::default()), [5, 10, 20, 180, 180]);
        assert_eq!(waits(&strategy(1, "10", Some(3), "1m30s")), [10, 30, 90, 90, 90]);
        assert_eq!(waits(&strategy(1, "1m", Some(1), "")), [60; 5]);
        assert_eq!(waits(&strategy(1, "0s", Some(-7), "")), [0; 5]);
        assert_eq!(waits(&strategy(1, "10m", None, "5m")), [300; 5]);
        let wrong = backoff(&strategy(1, "soon", None, ""), 0).unwrap_err();
        assert_eq!(wrong.field, "duration");
    }

    fn follow(limit: i64, phase: OperationPhase, retry_count: i64, was_terminated: bool) -> String {
        let ended = Attempt {
            retry_count,
            finished_at: Timestamp::UNIX_EPOCH,
            was_terminated,
        };
        let clock = |at: Timestamp| at.strftime("%-I:%M%p").to_string();
        match after_attempt(&strategy(limit, "", None, ""), &phase, "boom", ended, clock) {
            Retry::Ended { message } => message,
            Retry::At {
                at,
                retry_count,
                message,
            } => format!("{at} {retry_count}: {message}"),
        }
    }

    #[test]
    fn what_follows_an_attempt() {
        use OperationPhase::{Error, Failed, Succeeded};
        assert_eq!(follow(0, Failed, 0, false), "boom");
        assert_eq!(
            follow(2, Failed, 0, false),
            "1970-01-01T00:00:05Z 1: boom. Retrying attempt #1 at 12:00AM."
        );
        assert_eq!(
            follow(2, Error, 1, false),
            "1970-01-01T00:00:10Z 2: boom. Retrying attempt #2 at 12:00AM."
        );
        assert_eq!(follow(2, Failed, 2, false), "boom (retried 2 times).");
        assert_eq!(
            follow(-1, Failed, 99, false),
            "1970-01-01T00:03:00Z 100: boom. Retrying attempt #100 at 12:03AM."
        );
        assert_eq!(follow(2, Failed, 1, true), "boom");
        assert_eq!(follow(2, Succeeded, 1, false), "boom");
        assert_eq!(retrying_message(3, false), "Retrying operation. Attempt #3");
        assert_eq!(
            retrying_message(3, true),
            "Retrying operation with latest revisions. Attempt #3"
        );
    }

    #[test]
    fn timeouts_and_self_heal() {
        assert_eq!(times_out_at(Timestamp::UNIX_EPOCH, Duration::ZERO), None);
        let at = times_out_at(Timestamp::UNIX_EPOCH, Duration::from_secs(60)).unwrap();
        assert_eq!(at.as_second(), 60);
        let heal = SelfHealBackoff::default();
        let waits: Vec<i64> = [0, 1, 2, 3, 9]
            .iter()
            .map(|n| heal.next_at(*n, Timestamp::UNIX_EPOCH).as_second())
            .collect();
        assert_eq!(waits, [0, 2, 6, 18, 300]);
    }
}
