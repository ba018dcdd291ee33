//! `pintle serve`: every component against the current kubeconfig.

use std::process::ExitCode;

use crate::args::ServeArgs;
use crate::exit::CliError;

/// Runs until it is told to stop.
pub async fn run(args: ServeArgs) -> Result<ExitCode, CliError> {
    let _ = args;
    Err(CliError::unsupported("`serve`"))
}
