//! The benchmark that `cargo xtask bench diff` builds and runs; with `pintle` as its first argument, the program it measures.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use pintle_tests::bench::{self, Result, diff};

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    if arguments.first().is_some_and(|word| word == "pintle") {
        return pintle::run(arguments);
    }
    let words: Vec<String> = arguments.iter().map(|a| a.to_string_lossy().into_owned()).collect();
    let outcome = diff::Options::parse(&words).map(|options| measure(&options));
    bench::ended(outcome, diff::USAGE)
}

fn measure(options: &diff::Options) -> Result<()> {
    Ok(write!(std::io::stdout(), "{}", diff::run(options)?)?)
}
