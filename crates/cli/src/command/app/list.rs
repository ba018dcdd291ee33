//! `app list`.

use std::process::ExitCode;

use pintle_model::Value;
use pintle_model::application::Application;
use pintle_server::api::ApplicationQuery;

use crate::args::AppListArgs;
use crate::exit::CliError;
use crate::output::{self, print};
use crate::wiring::Session;

pub(super) async fn run(session: &Session, args: AppListArgs) -> Result<ExitCode, CliError> {
    let query = ApplicationQuery {
        projects: args.project.clone(),
        selector: args.selector.clone().unwrap_or_default(),
        repo: args.repo.clone().unwrap_or_default(),
        app_namespace: args.namespace.app_namespace.clone().unwrap_or_default(),
        ..ApplicationQuery::default()
    };
    let mut apps = session.apps.list(query).await?;
    apps.retain(|app| is_wanted(app, &args));
    if apps.is_empty() && args.output.is_empty() {
        output::note(&format!("no applications in namespace {:?}", session.namespace));
    }
    print(&match args.output.as_str() {
        "name" => apps
            .iter()
            .map(|app| format!("{}\n", output::app::qualified(app)))
            .collect(),
        "json" | "yaml" => {
            let items: Vec<Value> = apps.iter().map(|app| app.to_object().into_value()).collect();
            output::structured(&items.into(), &args.output)
        }
        format => output::app::list(&apps, format == "wide"),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn is_wanted(app: &Application, args: &AppListArgs) -> bool {
    let destination = &app.spec.destination;
    let cluster = args
        .cluster
        .as_ref()
        .is_none_or(|c| *c == destination.server || *c == destination.name);
    let path = |p: &String| app.spec.effective_sources().iter().any(|s| s.path == *p);
    cluster && args.path.as_ref().is_none_or(path)
}
