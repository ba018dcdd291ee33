//! The one place of this crate that reads the wall clock.

use jiff::Timestamp;

/// The wall clock, for times that are written into records (leases, events). Deadlines and waits use the runtime's clock instead.
#[allow(
    clippy::disallowed_methods,
    reason = "the shell's one reading of the clock; everything else takes `now`"
)]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
