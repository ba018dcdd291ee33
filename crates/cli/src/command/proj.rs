//! `proj list`, `proj get`, `proj create`, `proj delete`.

use std::process::ExitCode;

use pintle_model::Value;
use pintle_model::application::Destination;
use pintle_model::project::{
    AppProject, ClusterResource, DestinationServiceAccount, OrphanedResources, ResourceKind, SignatureKey,
};

use super::file;
use crate::args::{Format, GlobalArgs, ProjCommand, ProjCreateArgs};
use crate::exit::CliError;
use crate::output::{self, print};
use crate::wiring::connect;

pub(crate) async fn run(global: &GlobalArgs, command: ProjCommand) -> Result<ExitCode, CliError> {
    let place = match &command {
        ProjCommand::List(args) => &args.place,
        ProjCommand::Get(args) => &args.place,
        ProjCommand::Create(args) => &args.place,
        ProjCommand::Delete(args) => &args.place,
    };
    let session = connect(global, &place.kube, place.control_namespace.as_ref()).await?;
    let projects = &*session.projects;
    match command {
        ProjCommand::List(args) => {
            let list = projects.list().await?;
            print(&match args.output.as_str() {
                "name" => list.iter().map(|p| format!("{}\n", p.metadata.name)).collect(),
                "wide" => output::project::list(&list),
                format => {
                    let items: Vec<Value> = list.iter().map(|p| p.to_object().into_value()).collect();
                    output::structured(&items.into(), format)
                }
            })?;
        }
        ProjCommand::Get(args) => {
            let project = projects.get(args.name).await?;
            print(&match args.output {
                Format::Wide => output::project::summary(&project),
                Format::Json => output::json(project.to_object().value()),
                Format::Yaml => output::yaml(project.to_object().value()),
            })?;
        }
        ProjCommand::Create(args) => {
            let project = project(&args)?;
            projects.create(project, args.upsert).await?;
        }
        ProjCommand::Delete(args) => {
            projects.delete(args.name).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The project that the flags, or the file, describe. Flags are laid over the file.
fn project(args: &ProjCreateArgs) -> Result<AppProject, CliError> {
    let mut project = match &args.file {
        Some(path) => {
            let object = file::object(path)?;
            AppProject::from_object(&object).map_err(|e| CliError::error(format!("{path}: {e}")))?
        }
        None => AppProject::default(),
    };
    if let Some(name) = &args.name {
        if !project.metadata.name.is_empty() && project.metadata.name != *name {
            return Err(CliError::usage(format!(
                "the file is about project {:?}, not {name:?}",
                project.metadata.name
            )));
        }
        project.metadata.name.clone_from(name);
    }
    if project.metadata.name.is_empty() {
        return Err(CliError::usage("the name of the project is missing").with_hint("`proj create NAME …`"));
    }
    let spec = &mut project.spec;
    if let Some(description) = &args.description {
        spec.description.clone_from(description);
    }
    spec.source_repos.extend(args.src.iter().cloned());
    for dest in &args.dest {
        let (server, namespace) = dest
            .split_once(',')
            .ok_or_else(|| CliError::usage(format!("--dest {dest:?} should be SERVER,NAMESPACE")))?;
        // A URL or a pattern is a server; anything else is a registered name.
        let is_server = server.contains("://") || server.contains('*');
        spec.destinations.push(Destination {
            server: if is_server { server.into() } else { String::new() },
            name: if is_server { String::new() } else { server.into() },
            namespace: namespace.into(),
            ..Destination::default()
        });
    }
    spec.cluster_resource_whitelist
        .extend(cluster_kinds("--allow-cluster-resource", &args.allow_cluster_resource)?);
    spec.cluster_resource_blacklist
        .extend(cluster_kinds("--deny-cluster-resource", &args.deny_cluster_resource)?);
    spec.namespace_resource_blacklist
        .extend(kinds("--deny-namespaced-resource", &args.deny_namespaced_resource)?);
    if !args.allow_namespaced_resource.is_empty() {
        let allowed = kinds("--allow-namespaced-resource", &args.allow_namespaced_resource)?;
        spec.namespace_resource_whitelist
            .get_or_insert_default()
            .extend(allowed);
    }
    spec.source_namespaces.extend(args.source_namespaces.iter().cloned());
    let key = |id: &String| SignatureKey {
        key_id: id.clone(),
        ..SignatureKey::default()
    };
    spec.signature_keys.extend(args.signature_keys.iter().map(key));
    for account in &args.dest_service_accounts {
        let parts: Vec<&str> = account.split(',').collect();
        let [server, namespace, name] = parts.as_slice() else {
            return Err(CliError::usage(format!(
                "--dest-service-accounts {account:?} should be SERVER,NAMESPACE,ACCOUNT"
            )));
        };
        spec.destination_service_accounts.push(DestinationServiceAccount {
            server: (*server).into(),
            namespace: (*namespace).into(),
            default_service_account: (*name).into(),
            ..DestinationServiceAccount::default()
        });
    }
    if args.orphaned_resources == Some(true) || args.orphaned_resources_warn.is_some() {
        spec.orphaned_resources = Some(OrphanedResources {
            warn: args.orphaned_resources_warn,
            ..OrphanedResources::default()
        });
    }
    Ok(project)
}

fn kinds(flag: &str, texts: &[String]) -> Result<Vec<ResourceKind>, CliError> {
    texts
        .iter()
        .map(|text| match text.split_once('/') {
            Some((group, kind)) if !kind.is_empty() && !kind.contains('/') => Ok(ResourceKind {
                group: group.into(),
                kind: kind.into(),
                ..ResourceKind::default()
            }),
            _ => Err(CliError::usage(format!(
                "{flag} {text:?} should be GROUP/KIND; the core group is empty: /Pod"
            ))),
        })
        .collect()
}

fn cluster_kinds(flag: &str, texts: &[String]) -> Result<Vec<ClusterResource>, CliError> {
    texts
        .iter()
        .map(|text| {
            let mut parts = text.splitn(3, '/');
            match (parts.next(), parts.next(), parts.next()) {
                (Some(group), Some(kind), name) if !kind.is_empty() => Ok(ClusterResource {
                    group: group.into(),
                    kind: kind.into(),
                    name: name.unwrap_or_default().into(),
                    ..ClusterResource::default()
                }),
                _ => Err(CliError::usage(format!(
                    "{flag} {text:?} should be GROUP/KIND or GROUP/KIND/NAME"
                ))),
            }
        })
        .collect()
}
