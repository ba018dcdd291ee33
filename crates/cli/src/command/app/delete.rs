//! `app delete`.

use std::io::{BufRead as _, Write as _};
use std::process::ExitCode;

use pintle_server::api::DeleteRequest;

use super::follow::{Until, follow};
use super::select::applications;
use crate::args::AppDeleteArgs;
use crate::exit::CliError;
use crate::output::print;
use crate::wiring::Session;

pub(super) async fn run(session: &Session, args: AppDeleteArgs) -> Result<ExitCode, CliError> {
    let apps = applications(session, &args.names, args.selector.as_ref(), &[], &args.namespace).await?;
    let cascade = args.cascade.unwrap_or(true);
    for app in apps {
        // Asked about something that is there.
        session.apps.get(app.clone(), None).await?;
        let what = if cascade {
            "and all its resources"
        } else {
            "and leave its resources"
        };
        if !args.yes
            && !confirmed(&format!(
                "Are you sure you want to delete '{}' {what}? [y/n] ",
                app.name
            ))?
        {
            print(&format!("The command to delete '{}' was cancelled.\n", app.name))?;
            continue;
        }
        let request = DeleteRequest {
            app: app.clone(),
            cascade,
            propagation_policy: args.propagation_policy.clone().unwrap_or_default(),
        };
        session.apps.delete(request).await?;
        if args.wait {
            let until = Until {
                delete: true,
                ..Until::default()
            };
            follow(session, &app, until, &[], 0, false).await?;
        }
        print(&format!("application '{}' deleted\n", app.name))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Asks a person; anything but yes means no, and nobody there is wrong usage.
pub(super) fn confirmed(question: &str) -> Result<bool, CliError> {
    let mut out = std::io::stdout().lock();
    out.write_all(question.as_bytes())?;
    out.flush()?;
    let mut answer = String::new();
    if std::io::stdin().lock().read_line(&mut answer)? == 0 {
        return Err(CliError::usage("nobody answers; -y answers yes"));
    }
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
