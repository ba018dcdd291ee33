//! Measurements on the real control plane, which needs Go: a command, never a test.

use crate::run::run;

/// Builds and runs the benchmark optimised; `arguments` are its own.
pub fn run_all(arguments: &[String]) -> Result<(), String> {
    let mut command = vec![
        "run",
        "--release",
        "--locked",
        "--package",
        "pintle-tests",
        "--bin",
        "bench",
        "--",
    ];
    command.extend(arguments.iter().map(String::as_str));
    run("cargo", &command)
}
