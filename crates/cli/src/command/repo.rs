//! `repo add`, `repo list`, `repo get`, `repo rm`.

use std::path::Path;
use std::process::ExitCode;

use pintle_model::{Sensitive, Value};
use pintle_server::api::Repository;

use super::file;
use crate::args::{GlobalArgs, RepoAddArgs, RepoCommand};
use crate::exit::CliError;
use crate::output::table::table;
use crate::output::{self, note, print};
use crate::wiring::connect;

/// Columns of `repo list` [F6.11].
const COLUMNS: [&str; 10] = [
    "TYPE", "NAME", "REPO", "INSECURE", "OCI", "LFS", "CREDS", "STATUS", "MESSAGE", "PROJECT",
];

pub(crate) async fn run(global: &GlobalArgs, command: RepoCommand) -> Result<ExitCode, CliError> {
    let (kube, namespace) = match &command {
        RepoCommand::Add(args) => (&args.kube, args.control_namespace.as_ref()),
        RepoCommand::List(args) => (&args.place.kube, args.place.control_namespace.as_ref()),
        RepoCommand::Get(args) => (&args.place.kube, args.place.control_namespace.as_ref()),
        RepoCommand::Rm(args) => (&args.place.kube, args.place.control_namespace.as_ref()),
    };
    let session = connect(global, kube, namespace).await?;
    let repositories = &*session.repositories;
    match command {
        RepoCommand::Add(args) => {
            let added = repositories.create(repository(&args)?, args.upsert).await?;
            print(&format!("Repository '{}' added\n", added.repo))?;
        }
        RepoCommand::List(args) => {
            let list = repositories.list(true).await?;
            print(&shown(&list, &args.output))?;
        }
        RepoCommand::Get(args) => {
            let list = repositories.list(true).await?;
            let mut same: Vec<Repository> = list
                .into_iter()
                .filter(|r| r.repo == args.url && args.project.as_ref().is_none_or(|p| *p == r.project))
                .collect();
            same.truncate(1);
            if same.is_empty() {
                return Err(CliError::error(format!("repository {:?} is not configured", args.url))
                    .with_hint("`repo list` shows the repositories"));
            }
            print(&shown(&same, &args.output))?;
        }
        RepoCommand::Rm(args) => {
            for url in args.urls {
                repositories
                    .delete(url.clone(), args.project.clone().unwrap_or_default())
                    .await?;
                print(&format!("Repository '{url}' removed\n"))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(list: &[Repository], format: &str) -> String {
    match format {
        "url" => list.iter().map(|r| format!("{}\n", r.repo)).collect(),
        "wide" => table(&COLUMNS, list.iter().map(row)),
        format => {
            let items: Vec<Value> = list.iter().map(value).collect();
            output::structured(&items.into(), format)
        }
    }
}

fn row(repository: &Repository) -> Vec<String> {
    let creds = if repository.inherited_creds {
        "inherited".to_owned()
    } else {
        repository.has_credentials().to_string()
    };
    vec![
        kind(repository).to_owned(),
        repository.name.clone(),
        repository.repo.clone(),
        repository.insecure.to_string(),
        repository.enable_oci.to_string(),
        repository.enable_lfs.to_string(),
        creds,
        repository.connection.as_str().to_owned(),
        repository.connection.message().to_owned(),
        repository.project.clone(),
    ]
}

fn kind(repository: &Repository) -> &str {
    if repository.kind.is_empty() {
        "git"
    } else {
        &repository.kind
    }
}

/// As the API shows a repository: no secrets [F5.20].
fn value(repository: &Repository) -> Value {
    let mut value = Value::map();
    value.set_at(&["repo"], repository.repo.as_str().into());
    value.set_at(&["type"], kind(repository).into());
    value.set_at(&["connectionState", "status"], repository.connection.as_str().into());
    value.set_at(&["connectionState", "message"], repository.connection.message().into());
    for (key, text) in [
        ("name", &repository.name),
        ("project", &repository.project),
        ("username", &repository.username),
    ] {
        if !text.is_empty() {
            value.set_at(&[key], text.as_str().into());
        }
    }
    for (key, on) in [
        ("insecure", repository.insecure),
        ("enableLfs", repository.enable_lfs),
        ("enableOCI", repository.enable_oci),
        ("inheritedCreds", repository.inherited_creds),
    ] {
        if on {
            value.set_at(&[key], true.into());
        }
    }
    value
}

fn repository(args: &RepoAddArgs) -> Result<Repository, CliError> {
    let later = &args.later;
    let is_later = later.github_app_id.is_some()
        || later.github_app_installation_id.is_some()
        || later.github_app_private_key_path.is_some()
        || later.github_app_enterprise_base_url.is_some()
        || later.gcp_service_account_key_path.is_some()
        || later.use_azure_workload_identity
        || later.azure_service_principal_client_id.is_some()
        || later.azure_service_principal_client_secret.is_some()
        || later.azure_service_principal_tenant_id.is_some()
        || later.azure_active_directory_endpoint.is_some()
        || later.insecure_oci_force_http
        || later.webhook_manifest_cache_warm_disabled;
    if is_later {
        return Err(CliError::unsupported(
            "access by GitHub App, Google or Azure accounts, and --webhook-… options,",
        ));
    }
    if args.kind != "git" || args.enable_oci {
        return Err(CliError::unsupported(format!("a repository of type {:?}", args.kind)));
    }
    if args.insecure_ignore_host_key {
        note("Flag --insecure-ignore-host-key is deprecated, please use --insecure-skip-server-verification");
    }
    let key = |path: &Option<std::path::PathBuf>| path.as_deref().map(secret_file).transpose();
    let secret = |text: &Option<String>| text.clone().filter(|t| !t.is_empty()).map(Sensitive::new);
    Ok(Repository {
        repo: args.url.clone(),
        kind: args.kind.clone(),
        name: args.name.clone().unwrap_or_default(),
        project: args.project.clone().unwrap_or_default(),
        username: args.username.clone().unwrap_or_default(),
        password: secret(&args.password),
        bearer_token: secret(&args.bearer_token),
        ssh_private_key: key(&args.ssh_private_key_path)?,
        tls_client_cert_data: key(&args.tls_client_cert_path)?,
        tls_client_cert_key: key(&args.tls_client_cert_key_path)?,
        insecure: args.insecure_skip_server_verification || args.insecure_ignore_host_key,
        enable_lfs: args.enable_lfs,
        enable_oci: args.enable_oci,
        force_http_basic_auth: args.force_http_basic_auth,
        proxy: secret(&args.proxy),
        no_proxy: args.no_proxy.clone().unwrap_or_default(),
        depth: args.depth,
        ..Repository::default()
    })
}

fn secret_file(path: &Path) -> Result<Sensitive<String>, CliError> {
    file::text(&path.to_string_lossy()).map(Sensitive::new)
}
