//! `app sync`.

use std::process::ExitCode;

use pintle_model::application::{
    Application, Backoff, Info, ResultCode, RetryStrategy, SyncStatusCode, SyncStrategy, SyncStrategyApply,
    SyncStrategyHook,
};
use pintle_server::api::{AppRef, SyncRequest};

use super::create::pairs;
use super::diff::differences;
use super::follow::{Until, final_status, follow};
use super::select::{Selected, applications, resources, revisions, sync_resources};
use crate::args::AppSyncArgs;
use crate::command::app::delete::confirmed;
use crate::exit::{CliError, USAGE};
use crate::output::{note, print};
use crate::wiring::Session;

pub(super) async fn run(session: &Session, args: AppSyncArgs) -> Result<ExitCode, CliError> {
    for (flag, given) in [
        ("--local", args.local.is_some()),
        ("--local-repo-root", args.local_repo_root.is_some()),
        ("--label", !args.label.is_empty()),
        ("--source-names", !args.source_names.is_empty()),
    ] {
        if given {
            return Err(CliError::unsupported(flag));
        }
    }
    let selected = resources(&args.resource)?;
    let apps = applications(
        session,
        &args.names,
        args.selector.as_ref(),
        &args.project,
        &args.namespace,
    )
    .await?;
    let mut code = ExitCode::SUCCESS;
    for app in apps {
        if let Some(failed) = sync_one(session, &args, app, &selected).await? {
            code = failed;
        }
    }
    Ok(code)
}

/// Syncs one Application; the exit code where it did not end well.
async fn sync_one(
    session: &Session,
    args: &AppSyncArgs,
    app: AppRef,
    selected: &[Selected],
) -> Result<Option<ExitCode>, CliError> {
    let before = session.apps.get(app.clone(), None).await?;
    let request = request(args, app.clone(), &before, selected)?;
    if args.preview_changes {
        let wanted = revisions(&before, args.revision.as_ref(), &args.revisions, &args.source_positions)?;
        let (text, differs) = differences(session, app.clone(), wanted).await?;
        print(&text)?;
        if !differs {
            note("====== No Differences found ======");
        } else if !args.assume_yes && !confirmed("Do you want to continue? [y/n] ")? {
            return Ok(Some(ExitCode::SUCCESS));
        }
    }
    session.apps.sync(request).await?;
    if args.is_async {
        return Ok(None);
    }
    let until = Until {
        operation: true,
        ..Until::default()
    };
    let quiet = matches!(args.output.as_str(), "json" | "yaml");
    let Some(after) = follow(session, &app, until, selected, args.timeout, quiet).await? else {
        return Ok(None);
    };
    final_status(session, &after, &args.output, true).await?;
    Ok(verdict(&after, args.dry_run, selected.is_empty()))
}

/// Exit code 1 where the operation did not succeed, or a full sync left what should be pruned [F6.4].
pub(super) fn verdict(app: &Application, dry_run: bool, is_full: bool) -> Option<ExitCode> {
    let state = app.status.operation_state.as_ref()?;
    if dry_run {
        return None;
    }
    if !state.phase.is_successful() {
        note(&format!("error: Operation has completed with phase: {}", state.phase));
        return Some(ExitCode::from(USAGE));
    }
    if is_full && app.status.sync.status != SyncStatusCode::Synced {
        let results = state.sync_result.iter().flat_map(|r| &r.resources);
        let left = results.filter(|r| r.status == ResultCode::PruneSkipped).count();
        if left > 0 {
            note(&format!("error: {left} resources require pruning"));
            note("hint: --prune deletes them");
            return Some(ExitCode::from(USAGE));
        }
    }
    None
}

fn request(
    args: &AppSyncArgs,
    app: AppRef,
    state: &Application,
    selected: &[Selected],
) -> Result<SyncRequest, CliError> {
    let mut options = Vec::new();
    for (option, given) in [
        ("Replace=true", args.replace),
        ("ServerSideApply=true", args.server_side),
        ("ApplyOutOfSyncOnly=true", args.apply_out_of_sync_only),
    ] {
        if given {
            options.push(option.to_owned());
        }
    }
    let force = args.force;
    let strategy = match args.strategy.as_deref() {
        Some("apply") => SyncStrategy {
            apply: Some(SyncStrategyApply {
                force,
                ..SyncStrategyApply::default()
            }),
            ..SyncStrategy::default()
        },
        _ => SyncStrategy {
            hook: Some(SyncStrategyHook {
                force,
                ..SyncStrategyHook::default()
            }),
            ..SyncStrategy::default()
        },
    };
    let retry = args.retry_limit.filter(|limit| *limit != 0).map(|limit| RetryStrategy {
        limit,
        backoff: Some(Backoff {
            duration: args.retry_backoff_duration.clone(),
            factor: Some(args.retry_backoff_factor),
            max_duration: args.retry_backoff_max_duration.clone(),
            ..Backoff::default()
        }),
        refresh: args.retry_refresh,
        ..RetryStrategy::default()
    });
    // Checked here so that wrong flags are wrong usage; the service checks what it is sent.
    revisions(state, args.revision.as_ref(), &args.revisions, &args.source_positions)?;
    let info = |(name, value)| Info {
        name,
        value,
        ..Info::default()
    };
    Ok(SyncRequest {
        app,
        revision: args.revision.clone().unwrap_or_default(),
        revisions: args.revisions.clone(),
        source_positions: args.source_positions.clone(),
        prune: args.prune,
        dry_run: args.dry_run,
        strategy: Some(strategy),
        resources: sync_resources(state, selected)?,
        manifests: Vec::new(),
        sync_options: Some(options).filter(|o| !o.is_empty()),
        retry,
        infos: pairs("--info", &args.info)?.into_iter().map(info).collect(),
    })
}
