//! `app get`.

use std::process::ExitCode;
use std::time::Duration;

use pintle_model::annotation::Refresh;
use pintle_model::application::Application;
use pintle_server::api::RefreshRequest;

use super::{app_ref, shown};
use crate::args::AppGetArgs;
use crate::exit::CliError;
use crate::output::table::table;
use crate::output::{self, print, time};
use crate::wiring::Session;

/// How long a refresh may take unless `--timeout` says otherwise: a fetch and a render take seconds.
const REFRESH_WAIT: Duration = Duration::from_secs(60);

pub(super) async fn run(session: &Session, args: AppGetArgs) -> Result<ExitCode, CliError> {
    let refresh = refresh(args.refresh, args.hard_refresh, args.timeout);
    let app = session.apps.get(app_ref(&args.name, &args.namespace), refresh).await?;
    let mut header = output::app::summary(&app);
    header.push_str(&output::app::conditions(&app));
    if args.show_operation
        && let Some(state) = &app.status.operation_state
    {
        header.push('\n');
        header.push_str(&output::app::operation(state, time::now()));
    }
    if args.show_params {
        header.push('\n');
        header.push_str(&parameters(&app, &args)?);
    }
    print(&shown(session, &app, &args.output, header).await?)?;
    Ok(ExitCode::SUCCESS)
}

/// What the two flags ask for.
pub(super) fn refresh(normal: bool, hard: bool, timeout_seconds: u64) -> Option<RefreshRequest> {
    let kind = match (hard, normal) {
        (true, _) => Refresh::Hard,
        (false, true) => Refresh::Normal,
        (false, false) => return None,
    };
    let wait = if timeout_seconds == 0 {
        REFRESH_WAIT
    } else {
        Duration::from_secs(timeout_seconds)
    };
    Some(RefreshRequest { kind, wait })
}

/// `NAME VALUE` of a source's parameters [F6.7].
fn parameters(app: &Application, args: &AppGetArgs) -> Result<String, CliError> {
    let sources = app.spec.effective_sources();
    let source = match (&args.source_name, args.source_position) {
        (Some(name), _) => sources.iter().find(|s| s.name == *name),
        (None, Some(position)) => usize::try_from(position)
            .ok()
            .and_then(|p| p.checked_sub(1))
            .and_then(|p| sources.get(p)),
        (None, None) => sources.first(),
    };
    let source = source.ok_or_else(|| CliError::usage("there is no such source"))?;
    let helm = source
        .helm
        .iter()
        .flat_map(|h| &h.parameters)
        .map(|p| [p.name.clone(), p.value.clone()]);
    let images = source
        .kustomize
        .iter()
        .flat_map(|k| &k.images)
        .map(|i| ["image".to_owned(), i.clone()]);
    Ok(table(&["NAME", "VALUE"], helm.chain(images)))
}
