//! Differences to the reference programs, which need Go: a command, and for a bounded time a test.

use crate::run::run;

/// Builds and runs the fuzzer; `arguments` are its own.
pub fn run_all(arguments: &[String]) -> Result<(), String> {
    // Kustomize has a program of its own, which knows what it is about.
    let (program, arguments) = match arguments.split_first() {
        Some((first, rest)) if first == "kustomize" => ("fuzz_kustomize", rest),
        _ => ("fuzz", arguments),
    };
    let mut command = vec!["run", "--locked", "--package", "pintle-tests", "--bin", program, "--"];
    command.extend(arguments.iter().map(String::as_str));
    run("cargo", &command)
}
