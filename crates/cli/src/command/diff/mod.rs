//! `diff`: placeholder
use crate::args::DiffArgs;
use crate::exit::CliError;
use std::process::ExitCode;
pub(crate) async fn run(_args: DiffArgs) -> Result<ExitCode, CliError> {
    Err(CliError::unsupported("diff"))
}
