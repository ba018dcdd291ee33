//! Everything: check, then every test.

use crate::check;
use crate::packages;
use crate::run::run;

/// Runs `check` and then every test of the workspace. Extra arguments go to `cargo test`.
pub fn run_all(extra: &[String]) -> Result<(), String> {
    packages::install();
    check::run_all()?;
    // One invocation, so that features unify once and nothing is built twice. `--no-fail-fast` shows every failure of a run.
    let mut args = vec!["test", "--workspace", "--locked", "--no-fail-fast"];
    args.extend(extra.iter().map(String::as_str));
    run("cargo", &args)
}
