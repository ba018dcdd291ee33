//! The benchmark that `cargo xtask bench render` builds and runs.

use std::io::Write as _;
use std::process::ExitCode;

use pintle_tests::bench::{self, Result, render};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match render::child(&words) {
        Some(outcome) => Ok(outcome),
        None => render::Options::parse(&arguments).map(|options| measure(&options)),
    };
    bench::ended(outcome, render::USAGE)
}

fn measure(options: &render::Options) -> Result<()> {
    Ok(write!(std::io::stdout(), "{}", render::run(options)?)?)
}
