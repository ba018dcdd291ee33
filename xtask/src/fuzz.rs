//! Differences to the reference programs, which need Go: a command, and for a bounded time a test.

use crate::run::run;

/// Builds and runs the fuzzer; `arguments` are its own.
pub fn run_all(arguments: &[String]) -> Result<(), String> {
    let mut command = vec!["run", "--locked", "--package", "pintle-tests", "--bin", "fuzz", "--"];
    command.extend(arguments.iter().map(String::as_str));
    run("cargo", &command)
}
