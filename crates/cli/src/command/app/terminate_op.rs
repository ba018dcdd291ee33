//! `app terminate-op`.

use std::process::ExitCode;

use super::app_ref;
use crate::args::AppTerminateArgs;
use crate::exit::CliError;
use crate::output::print;
use crate::wiring::Session;

pub(super) async fn run(session: &Session, args: AppTerminateArgs) -> Result<ExitCode, CliError> {
    let app = app_ref(&args.name, &args.namespace);
    session.apps.terminate_operation(app.clone()).await?;
    print(&format!("Application '{}' operation terminating\n", app.name))?;
    Ok(ExitCode::SUCCESS)
}
