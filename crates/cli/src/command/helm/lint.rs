//! `pintle helm lint`.

use std::process::ExitCode;

use crate::args::HelmLintArgs;
use crate::exit::CliError;

pub(super) async fn run(_: HelmLintArgs) -> Result<ExitCode, CliError> {
    Err(CliError::unsupported("helm lint"))
}
