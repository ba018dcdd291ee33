//! `pintle demo`: the whole of Pintle in one process and one directory.

pub mod git_server;

use std::process::ExitCode;

use crate::args::DemoArgs;
use crate::exit::CliError;

/// Runs until it is told to stop, or until the story ends.
pub(crate) async fn run(args: DemoArgs) -> Result<ExitCode, CliError> {
    let _ = args;
    Err(CliError::unsupported("`demo`"))
}
