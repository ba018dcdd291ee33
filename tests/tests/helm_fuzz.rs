//! A minute of generated charts, rendered by Helm and by us: every difference is a failure. `cargo xtask fuzz helm` runs longer.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::time::Duration;

use pintle_tests::{
    oracle::{Fuzz, Helm, Reference as _, fuzz},
    require_or_step_aside,
};

/// Named in the failure by the cases' ids, so that `cargo xtask fuzz helm --seed` makes them again.
const SEED: u64 = 20_261_121;

#[test]
fn a_minute_without_a_difference() {
    let Some(mut helm) = require_or_step_aside("helm_fuzz", Helm::locate_or_build()) else {
        return;
    };
    let limits = Fuzz {
        seed: SEED,
        within: Duration::from_secs(60),
        cases: u64::MAX,
        findings: 5,
    };
    let (tallies, findings) = fuzz(&mut helm, limits).expect("Helm answers");
    assert!(findings.is_empty(), "seed {SEED}: {findings:#?}");
    // Four cases a second on the slowest machine still reach every category; a run that compared less says nothing.
    let compared: u64 = tallies.values().map(|tally| tally.compared).sum();
    assert!(compared >= 240, "only {compared} cases compared");
}
