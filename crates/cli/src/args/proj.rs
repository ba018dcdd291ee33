//! `pintle proj …`.

use clap::{Args, Subcommand};

use super::{Format, NamespaceArgs};

#[derive(Subcommand, Debug)]
pub(crate) enum ProjCommand {
    /// List projects.
    List(ProjListArgs),
    /// Show one project.
    Get(ProjGetArgs),
    /// Create a project.
    Create(Box<ProjCreateArgs>),
    /// Delete a project that no application uses.
    Delete(ProjDeleteArgs),
}

#[derive(Args, Debug)]
pub(crate) struct ProjListArgs {
    #[command(flatten)]
    pub place: NamespaceArgs,
    /// wide, name, json or yaml.
    #[arg(short, long, default_value = "wide", value_parser = clap::builder::PossibleValuesParser::new(["wide", "name", "json", "yaml"]))]
    pub output: String,
}

#[derive(Args, Debug)]
pub(crate) struct ProjGetArgs {
    /// Name.
    pub name: String,
    #[command(flatten)]
    pub place: NamespaceArgs,
    /// wide, json or yaml.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Format,
}

#[derive(Args, Debug)]
pub(crate) struct ProjCreateArgs {
    /// Name.
    pub name: Option<String>,
    #[command(flatten)]
    pub place: NamespaceArgs,
    /// For people.
    #[arg(long)]
    pub description: Option<String>,
    /// Where applications may deploy: SERVER,NAMESPACE.
    #[arg(short, long)]
    pub dest: Vec<String>,
    /// Repository that applications may use.
    #[arg(short, long)]
    pub src: Vec<String>,
    /// Cluster-scoped kind that applications may deploy: GROUP/KIND[/NAME].
    #[arg(long)]
    pub allow_cluster_resource: Vec<String>,
    /// Cluster-scoped kind that they may not: GROUP/KIND[/NAME].
    #[arg(long)]
    pub deny_cluster_resource: Vec<String>,
    /// Namespaced kind that they may deploy: GROUP/KIND.
    #[arg(long)]
    pub allow_namespaced_resource: Vec<String>,
    /// Namespaced kind that they may not: GROUP/KIND.
    #[arg(long)]
    pub deny_namespaced_resource: Vec<String>,
    /// Namespace that applications may live in.
    #[arg(long)]
    pub source_namespaces: Vec<String>,
    /// Key that commits must be signed with.
    #[arg(long)]
    pub signature_keys: Vec<String>,
    /// Account to act as: SERVER,NAMESPACE,ACCOUNT.
    #[arg(long)]
    pub dest_service_accounts: Vec<String>,
    /// Look for objects that no application manages.
    #[arg(long)]
    pub orphaned_resources: Option<bool>,
    /// Say it in a condition where there are some.
    #[arg(long)]
    pub orphaned_resources_warn: Option<bool>,
    /// File with the AppProject, `-` for standard input.
    #[arg(short, long)]
    pub file: Option<String>,
    /// Replace a project that is there and different.
    #[arg(long)]
    pub upsert: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ProjDeleteArgs {
    /// Name.
    pub name: String,
    #[command(flatten)]
    pub place: NamespaceArgs,
}
