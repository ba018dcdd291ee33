//! Measurements beside the real control plane and the real tools, which need Go: a command, never a test.

use crate::run::run;

/// Builds and runs a benchmark optimised: `render` is the one of rendering, `diff` the one of pull requests, anything else the one of the control plane. `arguments` are its own.
pub fn run_all(arguments: &[String]) -> Result<(), String> {
    let (program, arguments) = match arguments.split_first() {
        Some((first, rest)) if first == "render" => ("bench_render", rest),
        Some((first, rest)) if first == "diff" => ("bench_diff", rest),
        _ => ("bench", arguments),
    };
    let mut command = vec![
        "run",
        "--release",
        "--locked",
        "--package",
        "pintle-tests",
        "--bin",
        program,
        "--",
    ];
    command.extend(arguments.iter().map(String::as_str));
    run("cargo", &command)
}
