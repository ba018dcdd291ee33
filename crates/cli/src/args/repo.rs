//! `pintle repo …`.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use super::{KubeArgs, NamespaceArgs};

#[derive(Subcommand, Debug)]
pub(crate) enum RepoCommand {
    /// Add a repository, after trying it.
    Add(Box<RepoAddArgs>),
    /// List repositories, and whether they answer.
    List(RepoListArgs),
    /// Show one repository.
    Get(RepoGetArgs),
    /// Remove repositories.
    Rm(RepoRmArgs),
}

#[derive(Args, Debug)]
pub(crate) struct RepoAddArgs {
    /// URL.
    pub url: String,
    /// Namespace of the control plane.
    #[arg(
        short = 'n',
        long = "namespace",
        env = "ARGOCD_NAMESPACE",
        help_heading = "Connection"
    )]
    pub control_namespace: Option<String>,
    #[command(flatten)]
    pub kube: KubeArgs,
    /// git, helm or oci.
    #[arg(long = "type", default_value = "git", value_parser = PossibleValuesParser::new(["git", "helm", "oci"]))]
    pub kind: String,
    /// Name; needed for Helm repositories.
    #[arg(long)]
    pub name: Option<String>,
    /// Project it belongs to.
    #[arg(long)]
    pub project: Option<String>,
    /// User name.
    #[arg(long)]
    pub username: Option<String>,
    /// Password; it shows in the list of processes, so prefer the environment.
    #[arg(long, env = "PINTLE_REPO_PASSWORD", hide_env_values = true)]
    pub password: Option<String>,
    /// Bearer token.
    #[arg(long, env = "PINTLE_REPO_BEARER_TOKEN", hide_env_values = true)]
    pub bearer_token: Option<String>,
    /// File with an SSH private key.
    #[arg(long)]
    pub ssh_private_key_path: Option<PathBuf>,
    /// File with a TLS client certificate.
    #[arg(long)]
    pub tls_client_cert_path: Option<PathBuf>,
    /// File with the key of the TLS client certificate.
    #[arg(long)]
    pub tls_client_cert_key_path: Option<PathBuf>,
    /// Do not check the server's certificate.
    #[arg(long)]
    pub insecure_skip_server_verification: bool,
    /// Do not check the server's SSH host key; deprecated.
    #[arg(long)]
    pub insecure_ignore_host_key: bool,
    /// Fetch large files.
    #[arg(long)]
    pub enable_lfs: bool,
    /// A Helm repository that is an OCI registry.
    #[arg(long)]
    pub enable_oci: bool,
    /// Send the password without being asked for it.
    #[arg(long)]
    pub force_http_basic_auth: bool,
    /// URL of a proxy.
    #[arg(long)]
    pub proxy: Option<String>,
    /// Hosts that are reached without the proxy.
    #[arg(long)]
    pub no_proxy: Option<String>,
    /// Commits to fetch; 0 means all.
    #[arg(long, default_value_t = 0)]
    pub depth: i64,
    /// Replace a repository that is there and different.
    #[arg(long)]
    pub upsert: bool,
    #[command(flatten)]
    pub later: RepoLaterArgs,
}

/// Known, and refused in this version.
#[derive(Args, Debug, Clone, Default)]
pub(crate) struct RepoLaterArgs {
    #[arg(long, hide = true)]
    pub github_app_id: Option<i64>,
    #[arg(long, hide = true)]
    pub github_app_installation_id: Option<i64>,
    #[arg(long, hide = true)]
    pub github_app_private_key_path: Option<PathBuf>,
    #[arg(long, hide = true)]
    pub github_app_enterprise_base_url: Option<String>,
    #[arg(long, hide = true)]
    pub gcp_service_account_key_path: Option<PathBuf>,
    #[arg(long, hide = true)]
    pub use_azure_workload_identity: bool,
    #[arg(long, hide = true)]
    pub azure_service_principal_client_id: Option<String>,
    #[arg(long, hide = true)]
    pub azure_service_principal_client_secret: Option<String>,
    #[arg(long, hide = true)]
    pub azure_service_principal_tenant_id: Option<String>,
    #[arg(long, hide = true)]
    pub azure_active_directory_endpoint: Option<String>,
    #[arg(long, hide = true)]
    pub insecure_oci_force_http: bool,
    #[arg(long, hide = true)]
    pub webhook_manifest_cache_warm_disabled: bool,
}

#[derive(Args, Debug)]
pub(crate) struct RepoListArgs {
    #[command(flatten)]
    pub place: NamespaceArgs,
    /// wide, url, json or yaml.
    #[arg(short, long, default_value = "wide", value_parser = PossibleValuesParser::new(["wide", "url", "json", "yaml"]))]
    pub output: String,
    /// hard tries every repository now, which is what this version always does.
    #[arg(long)]
    pub refresh: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct RepoGetArgs {
    /// URL.
    pub url: String,
    #[command(flatten)]
    pub place: NamespaceArgs,
    /// wide, url, json or yaml.
    #[arg(short, long, default_value = "wide", value_parser = PossibleValuesParser::new(["wide", "url", "json", "yaml"]))]
    pub output: String,
    /// Project it belongs to.
    #[arg(long)]
    pub project: Option<String>,
    #[arg(long, hide = true)]
    pub refresh: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct RepoRmArgs {
    /// URLs.
    #[arg(required = true)]
    pub urls: Vec<String>,
    #[command(flatten)]
    pub place: NamespaceArgs,
    /// Project they belong to.
    #[arg(long)]
    pub project: Option<String>,
}
