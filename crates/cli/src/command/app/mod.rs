//! `app …`.

mod create;
mod delete;
mod delete_resource;
mod diff;
mod follow;
mod get;
mod history;
mod list;
mod logs;
mod manifests;
mod patch;
mod resources;
mod rollback;
mod select;
mod set;
mod source;
mod sync;
mod terminate_op;
mod wait;

use std::process::ExitCode;

use pintle_model::application::Application;
use pintle_server::api::{AppRef, ResourcesQuery};

use crate::args::{AppCommand, AppNamespace, GlobalArgs, KubeArgs};
use crate::exit::CliError;
use crate::output::{self, time};
use crate::wiring::{Session, connect};

pub(crate) async fn run(global: &GlobalArgs, command: AppCommand) -> Result<ExitCode, CliError> {
    let (kube, control) = place(&command);
    let session = connect(global, kube, control).await?;
    match command {
        AppCommand::List(args) => list::run(&session, args).await,
        AppCommand::Get(args) => get::run(&session, args).await,
        AppCommand::Create(args) => create::run(&session, *args).await,
        AppCommand::Set(args) => set::run(&session, *args).await,
        AppCommand::Diff(args) => diff::run(&session, args).await,
        AppCommand::Sync(args) => sync::run(&session, *args).await,
        AppCommand::Wait(args) => wait::run(&session, args).await,
        AppCommand::History(args) => history::run(&session, args).await,
        AppCommand::Rollback(args) => rollback::run(&session, args).await,
        AppCommand::Delete(args) => delete::run(&session, args).await,
        AppCommand::Manifests(args) => manifests::run(&session, args).await,
        AppCommand::Resources(args) => resources::run(&session, args).await,
        AppCommand::Logs(args) => logs::run(&session, args).await,
        AppCommand::TerminateOp(args) => terminate_op::run(&session, args).await,
        AppCommand::Patch(args) => patch::run(&session, args).await,
        AppCommand::DeleteResource(args) => delete_resource::run(&session, args).await,
    }
}

fn place(command: &AppCommand) -> (&KubeArgs, Option<&String>) {
    let namespace = match command {
        AppCommand::List(args) => &args.namespace,
        AppCommand::Get(args) => &args.namespace,
        AppCommand::Create(args) => &args.namespace,
        AppCommand::Set(args) => &args.namespace,
        AppCommand::Diff(args) => &args.namespace,
        AppCommand::Sync(args) => &args.namespace,
        AppCommand::Wait(args) => &args.namespace,
        AppCommand::History(args) => &args.namespace,
        AppCommand::Rollback(args) => &args.namespace,
        AppCommand::Delete(args) => &args.namespace,
        AppCommand::Manifests(args) => &args.namespace,
        AppCommand::Resources(args) => &args.namespace,
        AppCommand::TerminateOp(args) => &args.namespace,
        AppCommand::Patch(args) => &args.namespace,
        AppCommand::Logs(args) => return (&args.kube, args.control_namespace.as_ref()),
        AppCommand::DeleteResource(args) => return (&args.kube, args.control_namespace.as_ref()),
    };
    (&namespace.place.kube, namespace.place.control_namespace.as_ref())
}

/// The Application a name means: `namespace/name`, or `name` in `--app-namespace`, else in the control namespace.
fn app_ref(name: &str, namespace: &AppNamespace) -> AppRef {
    app_ref_in(name, namespace.app_namespace.as_ref())
}

fn app_ref_in(name: &str, app_namespace: Option<&String>) -> AppRef {
    match name.split_once('/') {
        Some((namespace, name)) => AppRef {
            name: name.into(),
            namespace: namespace.into(),
            project: String::new(),
        },
        None => AppRef {
            name: name.into(),
            namespace: app_namespace.cloned().unwrap_or_default(),
            project: String::new(),
        },
    }
}

fn ref_of(app: &Application) -> AppRef {
    AppRef {
        name: app.metadata.name.clone(),
        namespace: app.metadata.namespace.clone(),
        project: String::new(),
    }
}

/// The whole of an Application in one of the formats of `-o`. `header` stands before the table or tree.
async fn shown(session: &Session, app: &Application, format: &str, header: String) -> Result<String, CliError> {
    match format {
        "json" | "yaml" => Ok(output::structured(app.to_object().value(), format)),
        "tree" | "tree=detailed" => {
            let query = ResourcesQuery {
                app: ref_of(app),
                ..ResourcesQuery::default()
            };
            let tree = session.apps.resource_tree(query).await?;
            tell_unreadable(&tree.unreadable);
            let drawn = output::tree::tree(app, &tree, format == "tree=detailed", time::now());
            Ok(format!("{header}\n{drawn}"))
        }
        _ if app.status.resources.is_empty() => Ok(header),
        _ => Ok(format!("{header}\n{}", output::app::resources(app))),
    }
}

/// What a tree lacks is said, so that it is not taken for the whole.
fn tell_unreadable(unreadable: &[String]) {
    for why in unreadable {
        output::note(&format!("warning: the tree is not complete: {why}"));
    }
}
