//! `app diff`.

use std::process::ExitCode;

use pintle_model::application::Application;
use pintle_server::api::{AppRef, ResourcesQuery};

use super::app_ref;
use super::get::refresh;
use super::select::revisions;
use crate::args::AppDiffArgs;
use crate::exit::CliError;
use crate::output::diff::{header, unified};
use crate::output::print;
use crate::wiring::Session;

/// Missing arguments [F6.4].
const MISSING_ARGUMENTS: u8 = 2;

pub(super) async fn run(session: &Session, args: AppDiffArgs) -> Result<ExitCode, CliError> {
    let Some(name) = &args.name else {
        return Err(CliError {
            exit: MISSING_ARGUMENTS,
            ..CliError::error("the name of the application is missing")
        });
    };
    for (flag, given) in [
        ("--local", args.local.is_some()),
        ("--local-include", !args.local_include.is_empty()),
        ("--local-repo-root", args.local_repo_root.is_some()),
        ("--server-side-diff", args.server_side_diff == Some(true)),
        ("--server-side-generate", args.server_side_generate),
        ("--source-names", !args.source_names.is_empty()),
    ] {
        if given {
            return Err(CliError::unsupported(flag));
        }
    }
    let app = app_ref(name, &args.namespace);
    let state = session
        .apps
        .get(app.clone(), refresh(args.refresh, args.hard_refresh, 0))
        .await?;
    let wanted = revisions(&state, args.revision.as_ref(), &args.revisions, &args.source_positions)?;
    if wanted.is_empty() {
        is_compared(&state)?;
    }
    let (text, differs) = differences(session, app, wanted).await?;
    print(&text)?;
    let fails = differs && args.exit_code != Some(false);
    Ok(if fails {
        ExitCode::from(args.diff_exit_code)
    } else {
        ExitCode::SUCCESS
    })
}

/// What Git holds now has been compared. If not, what a diff would show is an older commit.
fn is_compared(app: &Application) -> Result<(), CliError> {
    match app.status.conditions.iter().find(|c| c.kind.forbids_sync()) {
        None => Ok(()),
        Some(condition) => {
            let what = format!(
                "{} cannot be compared with Git: {}: {}",
                app.metadata.name, condition.kind, condition.message
            );
            Err(CliError::error(what)
                .with_hint("mend that and refresh; --revision COMMIT compares with a commit that was good"))
        }
    }
}

/// The diff of every object that a sync would change, and whether there is any.
pub(super) async fn differences(
    session: &Session,
    app: AppRef,
    revisions: Vec<String>,
) -> Result<(String, bool), CliError> {
    let query = ResourcesQuery {
        app,
        revisions,
        ..ResourcesQuery::default()
    };
    let mut text = String::new();
    let mut differs = false;
    for item in session.apps.managed_resources(query).await? {
        if item.hook || !item.modified {
            continue;
        }
        differs = true;
        text.push_str(&header(&item.key));
        let changed = unified(item.normalized_live.as_ref(), item.predicted_live.as_ref());
        // Only for Secrets: what differs is hidden on both sides.
        text.push_str(if changed.is_empty() {
            "(differs in values that are not shown)\n"
        } else {
            &changed
        });
    }
    Ok((text, differs))
}
