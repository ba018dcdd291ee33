//! `pintle render` and `pintle diff`: what Applications render to, without a cluster.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `pintle render`.
#[derive(Args, Debug)]
pub(crate) struct RenderArgs {
    /// Files with Applications; folders, which are searched; a folder that is a chart or a kustomization is rendered for the Applications in it.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Read this commit of the repository a PATH is in instead of its files as they stand.
    #[arg(long, value_name = "REV")]
    pub revision: Option<String>,
    /// Render the Applications that an Application renders, too.
    #[arg(long)]
    pub children: bool,
    /// yaml or json.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: RenderFormat,
    #[command(flatten)]
    pub preview: PreviewArgs,
}

/// `pintle diff`.
#[derive(Args, Debug)]
pub(crate) struct DiffArgs {
    /// Folder in which Applications are looked for; the whole repository by default.
    #[arg(value_name = "PATH")]
    pub path: Option<PathBuf>,
    /// The state before: a branch, tag or commit of this repository.
    #[arg(long, value_name = "REV")]
    pub base: String,
    /// The state after.
    #[arg(long, value_name = "REV")]
    pub head: String,
    /// Compare with the commit where --head parted from --base, as `git diff base...head` does.
    #[arg(long)]
    pub merge_base: bool,
    /// text, json, or markdown for a comment of at most 65,000 characters.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: DiffFormat,
    /// When to colour the text.
    #[arg(long, value_enum, default_value_t)]
    pub color: Color,
    #[command(flatten)]
    pub preview: PreviewArgs,
}

/// What both render with.
#[derive(Args, Debug, Clone)]
pub(crate) struct PreviewArgs {
    /// Read a repository from a checkout or bare repository on this machine. The one a PATH is in stands for the URLs of its remotes already.
    #[arg(long = "repo", value_name = "URL=DIR")]
    pub repositories: Vec<String>,
    /// A `targetRevision` that means what is rendered or compared, besides HEAD and the branches it is on.
    #[arg(long = "branch", value_name = "NAME")]
    pub branches: Vec<String>,
    /// Fetch nothing: a source that is not on this machine is an error of its Application.
    #[arg(long)]
    pub offline: bool,
    /// Neither take nor leave renders in the cache (`$XDG_CACHE_HOME/pintle/renders`, by default `~/.cache/pintle/renders`): render everything.
    #[arg(long)]
    pub no_cache: bool,
    /// Namespace of the control plane, for Applications that name none.
    #[arg(
        short = 'n',
        long = "namespace",
        value_name = "NAMESPACE",
        env = "ARGOCD_NAMESPACE",
        default_value = "argocd"
    )]
    pub control_namespace: String,
    /// Version of Kubernetes that charts see.
    #[arg(long, value_name = "VERSION")]
    pub kube_version: Option<String>,
    /// API versions that charts see beside the built-in ones.
    #[arg(long, value_name = "VERSION", value_delimiter = ',')]
    pub api_versions: Vec<String>,
    /// The setting `kustomize.buildOptions`.
    #[arg(long, value_name = "OPTIONS", default_value = "", allow_hyphen_values = true)]
    pub kustomize_build_options: String,
}

#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum RenderFormat {
    /// Manifests, with a comment before those of each Application.
    #[default]
    Yaml,
    /// One list of Applications, each with its objects.
    Json,
}

#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum DiffFormat {
    /// For a terminal.
    #[default]
    Text,
    /// For programs.
    Json,
    /// For a comment on a pull request.
    Markdown,
}

#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}
