//! `pintle kubesim`: the embedded evaluation control plane alone.

use std::process::ExitCode;

use crate::args::KubesimArgs;
use crate::exit::CliError;

/// Runs until it is told to stop.
pub async fn run(args: KubesimArgs) -> Result<ExitCode, CliError> {
    let _ = args;
    Err(CliError::unsupported("`kubesim`"))
}
