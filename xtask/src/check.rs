//! Formatting, lints, tidy, licences and bans.

use crate::run::{has, run};
use crate::tidy;

/// Runs every check that is not a test.
pub fn run_all() -> Result<(), String> {
    run("cargo", &["fmt", "--all", "--check"])?;
    tidy::run()?;
    run(
        "cargo",
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ],
    )?;
    deny()
}

/// Licences, bans and sources. Advisories need a network and an up-to-date database, so they are a maintainer's command
/// (`cargo deny check advisories`) and not part of the tests.
fn deny() -> Result<(), String> {
    if has("cargo", &["deny", "--version"]) {
        return run("cargo", &["deny", "--offline", "check", "bans", "licenses", "sources"]);
    }
    // The bans that change behaviour are checked by tidy out of Cargo.lock and `cargo metadata`, so a missing cargo-deny hides no wrong
    // feature; licences and sources are the part that is stepped aside from.
    eprintln!(
        "xtask: stepped aside: cargo deny: not installed (`cargo install --locked cargo-deny`); tidy checked bans and licences itself"
    );
    Ok(())
}
