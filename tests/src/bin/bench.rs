//! The benchmark that `cargo xtask bench` builds and runs; with `controller` as its first argument, the controller it measures.

use std::io::Write as _;
use std::process::ExitCode;

use pintle_tests::bench::{self, Options};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["controller", kubeconfig, directory] => {
            // Only what is wrong: writing more would be measured too.
            let level = tracing_subscriber::EnvFilter::new("warn");
            tracing_subscriber::fmt()
                .with_env_filter(level)
                .with_writer(std::io::stderr)
                .init();
            Ok(bench::run_controller(kubeconfig.into(), directory.into()).await)
        }
        _ => match Options::parse(&arguments) {
            Ok(options) => Ok(measure(&options).await),
            Err(message) => Err(message),
        },
    };
    bench::ended(outcome, bench::USAGE)
}

async fn measure(options: &Options) -> bench::Result<()> {
    let markdown = bench::run(options).await?;
    Ok(write!(std::io::stdout(), "{markdown}")?)
}
