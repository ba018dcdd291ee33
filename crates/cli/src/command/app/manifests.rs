//! `app manifests`.

use std::process::ExitCode;

use pintle_server::api::ResourcesQuery;

use super::app_ref;
use super::select::revisions;
use crate::args::AppManifestsArgs;
use crate::exit::CliError;
use crate::output::{self, print};
use crate::wiring::Session;

pub(super) async fn run(session: &Session, args: AppManifestsArgs) -> Result<ExitCode, CliError> {
    for (flag, given) in [
        ("--local", args.local.is_some()),
        ("--local-repo-root", args.local_repo_root.is_some()),
        ("--source-names", !args.source_names.is_empty()),
    ] {
        if given {
            return Err(CliError::unsupported(flag));
        }
    }
    let app = app_ref(&args.name, &args.namespace);
    let state = session.apps.get(app.clone(), None).await?;
    let documents: Vec<String> = if args.source == "live" {
        let query = ResourcesQuery {
            app,
            ..ResourcesQuery::default()
        };
        let items = session.apps.managed_resources(query).await?;
        items
            .iter()
            .filter(|i| !i.hook)
            .filter_map(|i| i.live.as_ref())
            .map(|o| output::yaml(o.value()))
            .collect()
    } else {
        let wanted = revisions(&state, args.revision.as_ref(), &args.revisions, &args.source_positions)?;
        let rendered = session.apps.manifests(app, wanted).await?;
        rendered.manifests.iter().map(|o| output::yaml(o.value())).collect()
    };
    print(&documents.iter().map(|d| format!("---\n{d}")).collect::<String>())?;
    Ok(ExitCode::SUCCESS)
}
