//! `app set`.

use std::process::ExitCode;

use super::app_ref;
use super::source::apply_flags;
use crate::args::AppSetArgs;
use crate::exit::CliError;
use crate::wiring::Session;

pub(super) async fn run(session: &Session, args: AppSetArgs) -> Result<ExitCode, CliError> {
    let app = app_ref(&args.name, &args.namespace);
    let mut spec = session.apps.get(app.clone(), None).await?.spec;
    let before = spec.clone();
    apply_flags(&mut spec, &args.source, args.source_position)?;
    if spec == before {
        return Err(CliError::usage(
            "please set at least one option to update, to a value it does not have already",
        ));
    }
    session
        .apps
        .update_spec(app, spec, args.source.validate != Some(false))
        .await?;
    Ok(ExitCode::SUCCESS)
}
