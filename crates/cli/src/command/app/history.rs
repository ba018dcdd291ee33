//! `app history`.

use std::process::ExitCode;

use super::app_ref;
use crate::args::AppHistoryArgs;
use crate::exit::CliError;
use crate::output::{self, print};
use crate::wiring::Session;

pub(super) async fn run(session: &Session, args: AppHistoryArgs) -> Result<ExitCode, CliError> {
    let app = session.apps.get(app_ref(&args.name, &args.namespace), None).await?;
    print(&match args.output.as_str() {
        "id" => app.status.history.iter().map(|h| format!("{}\n", h.id)).collect(),
        _ => output::app::history(&app),
    })?;
    Ok(ExitCode::SUCCESS)
}
