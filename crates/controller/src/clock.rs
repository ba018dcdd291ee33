//! The one place of this crate that reads the wall clock.

use jiff::Timestamp;

#[allow(
    clippy::disallowed_methods,
    reason = "the shell's one reading of the clock; every decision takes `now`"
)]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
