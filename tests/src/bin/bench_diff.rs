//! The benchmark that `cargo xtask bench diff` builds and runs; with `pintle` as its first argument, the program it measures.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use pintle_tests::bench::{Result, diff};

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    if arguments.first().is_some_and(|word| word == "pintle") {
        return pintle::run(arguments);
    }
    let words: Vec<String> = arguments.iter().map(|a| a.to_string_lossy().into_owned()).collect();
    let outcome = match diff::Options::parse(&words) {
        Ok(options) => measure(&options),
        Err(message) => {
            eprintln!("bench: {message}\n{}", diff::USAGE);
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("FAILED: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(options: &diff::Options) -> Result<()> {
    Ok(write!(std::io::stdout(), "{}", diff::run(options)?)?)
}
