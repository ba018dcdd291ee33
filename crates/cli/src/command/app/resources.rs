//! `app resources`.

use std::process::ExitCode;

use pintle_server::api::{AppRef, ApplicationTree, ResourcesQuery};

use super::{app_ref, tell_unreadable};
use crate::args::AppResourcesArgs;
use crate::exit::CliError;
use crate::output::table::table;
use crate::output::{self, print, time};
use crate::wiring::Session;

pub(super) async fn run(session: &Session, args: AppResourcesArgs) -> Result<ExitCode, CliError> {
    let app = AppRef {
        project: args.project.clone().unwrap_or_default(),
        ..app_ref(&args.name, &args.namespace)
    };
    if args.orphaned {
        return Err(CliError::unsupported("--orphaned"));
    }
    let query = ResourcesQuery {
        app: app.clone(),
        ..ResourcesQuery::default()
    };
    let tree = session.apps.resource_tree(query).await?;
    tell_unreadable(&tree.unreadable);
    let text = match args.output.as_str() {
        "tree" | "tree=detailed" => {
            let state = session.apps.get(app, None).await?;
            output::tree::tree(&state, &tree, args.output == "tree=detailed", time::now())
        }
        _ => list(&tree),
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn list(tree: &ApplicationTree) -> String {
    let managed = tree.nodes.iter().map(|n| (n, "No"));
    let orphaned = tree.orphaned_nodes.iter().map(|n| (n, "Yes"));
    let rows = managed.chain(orphaned).map(|(node, orphaned)| {
        let key = &node.reference.key;
        [&*key.group, &*key.kind, &*key.namespace, &*key.name, orphaned].map(str::to_owned)
    });
    table(&["GROUP", "KIND", "NAMESPACE", "NAME", "ORPHANED"], rows)
}
