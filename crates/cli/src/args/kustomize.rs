//! `pintle kustomize …`: the grammar of Kustomize 5.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Subcommand, Debug)]
pub(crate) enum KustomizeCommand {
    /// Build a kustomization and print the objects.
    Build(Box<KustomizeBuildArgs>),
    /// Change the kustomization of this directory.
    #[command(subcommand)]
    Edit(EditCommand),
}

#[derive(Args, Debug)]
pub(crate) struct KustomizeBuildArgs {
    /// Directory of the kustomization, or the URL of one in a repository: `https://host/org/repo//path?ref=v1`.
    #[arg(value_name = "DIR", default_value = ".")]
    pub directory: String,
    /// Whether files may stand outside the directory of their kustomization.
    #[arg(long, value_enum, default_value_t, ignore_case = true)]
    pub load_restrictor: LoadRestrictor,
    /// Order of the output where the kustomization has no `sortOptions`.
    #[arg(long, value_enum, default_value_t)]
    pub reorder: Reorder,
    /// File for the output, or a directory that is there, for one file for each object.
    #[arg(short, long, value_name = "PATH")]
    pub output: Option<PathBuf>,
    /// Add the label app.kubernetes.io/managed-by to every object; `buildMetadata: [managedByLabel]` does it too.
    #[arg(long)]
    pub enable_managedby_label: bool,
    /// Render the charts of `helmCharts`.
    #[arg(long)]
    pub enable_helm: bool,
    /// Version of Kubernetes that charts see.
    #[arg(long, value_name = "VERSION")]
    pub helm_kube_version: Option<String>,
    /// API versions that charts see beside the built-in ones.
    #[arg(long, value_name = "VERSION", value_delimiter = ',')]
    pub helm_api_versions: Vec<String>,
    /// Accepted for scripts: charts are rendered in this process.
    #[arg(long, value_name = "COMMAND", hide = true)]
    pub helm_command: Option<String>,
    /// Variables for functions, of which none runs; accepted for scripts.
    #[arg(short, long, value_name = "NAME=VALUE", hide = true)]
    pub env: Vec<String>,
    #[arg(long, hide = true)]
    pub enable_alpha_plugins: bool,
    #[arg(long, hide = true)]
    pub enable_exec: bool,
    #[arg(long, hide = true)]
    pub enable_star: bool,
    #[arg(long, hide = true)]
    pub network: bool,
    #[arg(long, value_name = "MOUNT", hide = true)]
    pub mount: Vec<String>,
    #[arg(long, hide = true)]
    pub as_current_user: bool,
    /// Accepted for scripts, as the two that follow: no program is started that could be debugged or networked.
    #[arg(long, hide = true)]
    pub helm_debug: bool,
    #[arg(long, value_name = "NETWORK", hide = true)]
    pub network_name: Option<String>,
    #[arg(long, hide = true)]
    pub stack_trace: bool,
}

#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LoadRestrictor {
    /// Files stand in or below the directory of their kustomization.
    #[default]
    #[value(name = "LoadRestrictionsRootOnly", alias = "rootOnly")]
    RootOnly,
    /// Files stand anywhere.
    #[value(name = "LoadRestrictionsNone", alias = "none")]
    None,
}

#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Reorder {
    /// Namespaces first, webhooks last.
    #[default]
    Legacy,
    /// As they were read.
    None,
}

#[derive(Subcommand, Debug)]
pub(crate) enum EditCommand {
    /// Set a field.
    #[command(subcommand)]
    Set(SetCommand),
    /// Add to a field.
    #[command(subcommand)]
    Add(AddCommand),
    /// Remove from a field.
    #[command(subcommand)]
    Remove(RemoveCommand),
}

#[derive(Subcommand, Debug)]
pub(crate) enum SetCommand {
    /// Set the prefix of names.
    Nameprefix {
        /// The prefix.
        value: String,
    },
    /// Set the suffix of names.
    Namesuffix {
        /// The suffix.
        value: String,
    },
    /// Set the namespace.
    Namespace {
        /// The namespace.
        value: String,
    },
    /// Set images: `old=new:tag`, `image:tag`, `image@digest`; `*` keeps what is there.
    Image {
        #[arg(required = true, value_name = "IMAGE")]
        images: Vec<String>,
    },
    /// Set replica counts.
    Replicas {
        #[arg(required = true, value_name = "NAME=COUNT")]
        replicas: Vec<String>,
    },
    /// Set labels that go into selectors too.
    Label {
        #[arg(required = true, value_name = "KEY:VALUE")]
        pairs: Vec<String>,
    },
    /// Set annotations.
    Annotation {
        #[arg(required = true, value_name = "KEY:VALUE")]
        pairs: Vec<String>,
    },
}

#[derive(Subcommand, Debug)]
pub(crate) enum AddCommand {
    /// Add files or directories, or globs of them.
    Resource {
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<String>,
    },
    /// Add components.
    Component {
        #[arg(required = true, value_name = "DIR")]
        paths: Vec<String>,
    },
    /// Add labels.
    Label {
        #[arg(required = true, value_name = "KEY:VALUE")]
        pairs: Vec<String>,
        /// Overwrite what is there.
        #[arg(short, long)]
        force: bool,
        /// Keep them out of selectors.
        #[arg(long)]
        without_selector: bool,
        /// Put them into templates too; only without selectors.
        #[arg(long)]
        include_templates: bool,
    },
    /// Add annotations.
    Annotation {
        #[arg(required = true, value_name = "KEY:VALUE")]
        pairs: Vec<String>,
        /// Overwrite what is there.
        #[arg(short, long)]
        force: bool,
    },
}

#[derive(Subcommand, Debug)]
pub(crate) enum RemoveCommand {
    /// Remove entries of `resources`, or all that a pattern matches.
    Resource {
        #[arg(required = true, value_name = "PATTERN")]
        patterns: Vec<String>,
    },
}
