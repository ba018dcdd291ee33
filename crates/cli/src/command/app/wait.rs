//! `app wait`.

use std::process::ExitCode;

use super::follow::{Until, final_status, follow};
use super::select::{applications, resources};
use crate::args::AppWaitArgs;
use crate::exit::CliError;
use crate::output::print;
use crate::wiring::Session;

pub(super) async fn run(session: &Session, args: AppWaitArgs) -> Result<ExitCode, CliError> {
    if args.hydrated {
        return Err(CliError::unsupported("--hydrated"));
    }
    let selected = resources(&args.resource)?;
    let until = until(&args);
    let quiet = matches!(args.output.as_str(), "json" | "yaml");
    for app in applications(session, &args.names, args.selector.as_ref(), &[], &args.namespace).await? {
        match follow(session, &app, until, &selected, args.timeout, quiet).await? {
            Some(state) => final_status(session, &state, &args.output, until.operation).await?,
            None => print(&format!("application '{}' deleted\n", app.name))?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Without any flag: in sync, healthy, and no operation.
fn until(args: &AppWaitArgs) -> Until {
    let given = Until {
        sync: args.sync,
        health: args.health,
        suspended: args.suspended,
        degraded: args.degraded,
        operation: args.operation,
        delete: args.delete,
    };
    if given == Until::default() {
        Until {
            sync: true,
            health: true,
            operation: true,
            ..given
        }
    } else {
        given
    }
}
