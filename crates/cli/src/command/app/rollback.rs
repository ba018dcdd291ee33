//! `app rollback`.

use std::process::ExitCode;

use pintle_server::api::RollbackRequest;

use super::app_ref;
use super::follow::{Until, final_status, follow};
use super::sync::verdict;
use crate::args::AppRollbackArgs;
use crate::exit::CliError;
use crate::wiring::Session;

pub(super) async fn run(session: &Session, args: AppRollbackArgs) -> Result<ExitCode, CliError> {
    let app = app_ref(&args.name, &args.namespace);
    let request = RollbackRequest {
        app: app.clone(),
        id: args.id,
        prune: args.prune,
        dry_run: false,
    };
    session.apps.rollback(request).await?;
    let until = Until {
        operation: true,
        ..Until::default()
    };
    let quiet = matches!(args.output.as_str(), "json" | "yaml");
    let Some(after) = follow(session, &app, until, &[], args.timeout, quiet).await? else {
        return Ok(ExitCode::SUCCESS);
    };
    final_status(session, &after, &args.output, true).await?;
    // What the newer revision added stays unless --prune is given; that is no failure of a rollback.
    Ok(verdict(&after, false, false).unwrap_or(ExitCode::SUCCESS))
}
