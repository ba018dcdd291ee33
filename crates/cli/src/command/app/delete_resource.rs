//! `app delete-resource`.

use std::process::ExitCode;

use pintle_server::api::{AppRef, ResourceDeleteRequest, ResourceNode, ResourcesQuery};

use super::app_ref_in;
use crate::args::AppDeleteResourceArgs;
use crate::exit::CliError;
use crate::output::print;
use crate::wiring::Session;

pub(super) async fn run(session: &Session, args: AppDeleteResourceArgs) -> Result<ExitCode, CliError> {
    let app = AppRef {
        project: args.project.clone().unwrap_or_default(),
        ..app_ref_in(&args.name, args.app_namespace.as_ref())
    };
    let query = ResourcesQuery {
        app: app.clone(),
        ..ResourcesQuery::default()
    };
    let tree = session.apps.resource_tree(query).await?;
    let found: Vec<&ResourceNode> = tree.nodes.iter().filter(|n| is_meant(n, &args)).collect();
    match found.as_slice() {
        [] => return Err(CliError::error("No matching resource found").with_hint("`app resources NAME` lists them")),
        [_, _, ..] if !args.all => {
            return Err(CliError::error(
                "Multiple resources match inputs. Use the --all flag to delete multiple resources",
            ));
        }
        _ => {}
    }
    for node in found {
        let key = node.reference.key.clone();
        let name = key.name.to_string();
        let request = ResourceDeleteRequest {
            app: app.clone(),
            key,
            version: node.reference.version.to_string(),
            force: args.force,
            orphan: args.orphan,
        };
        session.apps.delete_resource(request).await?;
        print(&format!("Resource '{name}' deleted\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn is_meant(node: &ResourceNode, args: &AppDeleteResourceArgs) -> bool {
    let key = &node.reference.key;
    let part = |wanted: &Option<String>, is: &str| wanted.as_ref().is_none_or(|w| w == is);
    *key.kind == *args.kind
        && part(&args.group, &key.group)
        && part(&args.namespace, &key.namespace)
        && part(&args.resource_name, &key.name)
}
