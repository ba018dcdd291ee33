//! The benchmark that `cargo xtask bench render` builds and runs.

use std::io::Write as _;
use std::process::ExitCode;

use pintle_tests::bench::{Result, render};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match render::child(&words) {
        Some(outcome) => outcome,
        None => match render::Options::parse(&arguments) {
            Ok(options) => measure(&options),
            Err(message) => {
                eprintln!("bench: {message}\n{}", render::USAGE);
                return ExitCode::from(2);
            }
        },
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("FAILED: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(options: &render::Options) -> Result<()> {
    Ok(write!(std::io::stdout(), "{}", render::run(options)?)?)
}
