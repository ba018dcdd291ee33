//! The command line: the grammar of `argocd`, word for word (`argocd-cli.md` 6.1), and our own daemons.

mod app;
mod app_source;
mod helm;
mod kustomize;
mod preview;
mod proj;
mod repo;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Command, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

pub(crate) use app::*;
pub(crate) use app_source::AppSourceArgs;
pub(crate) use helm::*;
pub(crate) use kustomize::*;
pub(crate) use preview::*;
pub(crate) use proj::*;
pub(crate) use repo::*;

/// GitOps continuous delivery for Kubernetes.
#[derive(Parser, Debug)]
#[command(name = "pintle", version, propagate_version = false, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub global: GlobalArgs,
    #[command(subcommand)]
    pub command: TopCommand,
}

/// Flags of every command [F6.2].
#[derive(Args, Debug, Clone, Default)]
pub(crate) struct GlobalArgs {
    /// Talk to the cluster of the kubeconfig directly, without an API server: what every command does in this version.
    #[arg(long, global = true, env = "PINTLE_CORE")]
    pub core: bool,
    /// Context of the kubeconfig.
    #[arg(long, global = true, value_name = "CONTEXT", help_heading = "Connection")]
    pub kube_context: Option<String>,
    /// What is logged to stderr: debug, info, warn, error.
    #[arg(
        long,
        global = true,
        default_value = "warn",
        env = "PINTLE_LOG",
        help_heading = "Connection"
    )]
    pub loglevel: String,
    #[command(flatten)]
    pub remote: RemoteArgs,
}

/// Flags about an API server: known, and refused where they would have to be acted on.
#[derive(Args, Debug, Clone, Default)]
#[command(next_help_heading = "API server (a later version)")]
pub(crate) struct RemoteArgs {
    #[arg(long, global = true, env = "ARGOCD_SERVER", hide = true)]
    pub server: Option<String>,
    #[arg(long, global = true, env = "ARGOCD_AUTH_TOKEN", hide = true, hide_env_values = true)]
    pub auth_token: Option<String>,
    #[arg(long, global = true, hide = true)]
    pub argocd_context: Option<String>,
    #[arg(long, global = true, hide = true)]
    pub config: Option<PathBuf>,
    #[arg(long, global = true, hide = true)]
    pub grpc_web: bool,
    #[arg(long, global = true, hide = true)]
    pub grpc_web_root_path: Option<String>,
    #[arg(long, global = true, hide = true)]
    pub insecure: bool,
    #[arg(long, global = true, hide = true)]
    pub plaintext: bool,
    #[arg(long, global = true, hide = true)]
    pub port_forward: bool,
    #[arg(long, global = true, hide = true)]
    pub port_forward_namespace: Option<String>,
    #[arg(long, short = 'H', global = true, hide = true)]
    pub header: Vec<String>,
    #[arg(long, global = true, hide = true)]
    pub http_retry_max: Option<u32>,
    #[arg(long, global = true, hide = true)]
    pub client_crt: Option<PathBuf>,
    #[arg(long, global = true, hide = true)]
    pub client_crt_key: Option<PathBuf>,
    #[arg(long, global = true, hide = true)]
    pub server_crt: Option<PathBuf>,
    #[arg(long, global = true, hide = true)]
    pub server_name: Option<String>,
    #[arg(long, global = true, hide = true)]
    pub controller_name: Option<String>,
    #[arg(long, global = true, hide = true)]
    pub redis_name: Option<String>,
    #[arg(long, global = true, hide = true)]
    pub redis_haproxy_name: Option<String>,
    #[arg(long, global = true, hide = true)]
    pub redis_compress: Option<String>,
    #[arg(long, global = true, hide = true)]
    pub repo_server_name: Option<String>,
    #[arg(long, global = true, hide = true)]
    pub prompts_enabled: Option<bool>,
    #[arg(long, global = true, hide = true)]
    pub logformat: Option<String>,
}

/// How the cluster is reached; `-n` is apart because some commands use that name for something else.
#[derive(Args, Debug, Clone, Default)]
pub(crate) struct KubeArgs {
    /// Path of a kubeconfig; else $KUBECONFIG, else ~/.kube/config.
    #[arg(long, value_name = "FILE", help_heading = "Connection")]
    pub kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig, as --kube-context.
    #[arg(long, value_name = "CONTEXT", help_heading = "Connection")]
    pub context: Option<String>,
}

/// Where the Applications live.
#[derive(Args, Debug, Clone, Default)]
pub(crate) struct NamespaceArgs {
    /// Namespace of the control plane.
    #[arg(
        short = 'n',
        long = "namespace",
        value_name = "NAMESPACE",
        env = "ARGOCD_NAMESPACE",
        help_heading = "Connection"
    )]
    pub control_namespace: Option<String>,
    #[command(flatten)]
    pub kube: KubeArgs,
}

#[derive(Subcommand, Debug)]
pub(crate) enum TopCommand {
    /// Applications: create, look at, sync, roll back.
    #[command(subcommand)]
    App(Box<AppCommand>),
    /// Projects: what applications may do.
    #[command(subcommand)]
    Proj(ProjCommand),
    /// Repositories that applications read from.
    #[command(subcommand)]
    Repo(RepoCommand),
    /// Charts on this machine, in the grammar of Helm 4.
    Helm(Box<HelmArgs>),
    /// Kustomizations on this machine, in the grammar of Kustomize 5.
    #[command(subcommand)]
    Kustomize(KustomizeCommand),
    /// Render Applications from checkouts on this machine; no cluster is asked.
    Render(Box<RenderArgs>),
    /// What a change in Git would do to every Application of a repository; no cluster is asked.
    Diff(Box<DiffArgs>),
    /// Try everything on this machine: an embedded cluster, a Git server and a controller.
    Demo(DemoArgs),
    /// Run every component against the cluster of the kubeconfig.
    Serve(ServeArgs),
    /// Run the embedded evaluation control plane alone.
    Kubesim(KubesimArgs),
    /// Print the version.
    Version(VersionArgs),
}

/// `pintle demo`.
#[derive(Args, Debug, Clone)]
pub(crate) struct DemoArgs {
    /// Play the whole story by itself; exit code 0 only if every step was really seen.
    #[arg(long)]
    pub story: bool,
    /// Plain lines: no colours, no waiting for Enter between the steps of the story.
    #[arg(long)]
    pub headless: bool,
    /// Directory for the demo's files, empty or not there yet; it stays. A temporary one by default, which goes.
    #[arg(long, alias = "dir", value_name = "DIR")]
    pub directory: Option<PathBuf>,
    /// Port of the Kubernetes API on 127.0.0.1; another one is taken if it is in use.
    #[arg(long, alias = "api-port", default_value_t = 16443)]
    pub port: u16,
    /// Port of the Git server on 127.0.0.1; another one is taken if it is in use.
    #[arg(long, default_value_t = 16080)]
    pub git_port: u16,
}

/// `pintle serve`.
#[derive(Args, Debug, Clone)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub namespace: NamespaceArgs,
    /// Directory for repositories and for renders that outlive a restart; a new temporary one by default, which outlives nothing.
    #[arg(long, value_name = "DIR")]
    pub directory: Option<PathBuf>,
}

/// `pintle kubesim`.
#[derive(Args, Debug, Clone)]
pub(crate) struct KubesimArgs {
    /// Port to listen on, loopback only; 0 takes a free one.
    #[arg(long, default_value_t = 6443)]
    pub port: u16,
    /// Where to write the kubeconfig; printed if not given.
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
}

/// `pintle version`.
#[derive(Args, Debug, Clone)]
pub(crate) struct VersionArgs {
    /// Only this program's version, without asking a server.
    #[arg(long)]
    pub client: bool,
    /// Only the number.
    #[arg(long)]
    pub short: bool,
    /// wide, json or yaml.
    #[arg(short, long, default_value = "wide", value_parser = PossibleValuesParser::new(["wide", "json", "yaml", "short"]))]
    pub output: String,
}

/// Formats of one thing.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Wide,
    /// JSON.
    Json,
    /// YAML.
    Yaml,
}

/// Reads a command line.
pub(crate) fn parse(argv: Vec<OsString>) -> Result<Cli, clap::Error> {
    let name = argv
        .first()
        .map(std::path::Path::new)
        .and_then(|p| p.file_stem())
        .is_some_and(|n| n == "argocd");
    let command = grammar().bin_name(if name { "argocd" } else { "pintle" });
    Cli::from_arg_matches(&command.try_get_matches_from(argv)?)
}

/// The exit code of a command line that makes no sense: our own `render` and `diff` say 2, as `diff` itself does, for 1 means changes there.
pub(crate) fn usage_code(argv: Vec<OsString>) -> u8 {
    let grammar = grammar();
    // Some mistakes hide the command from the parser: then it is the first word that is one.
    let is_command = |word: &&OsString| grammar.find_subcommand(word).is_some();
    let word = argv.iter().skip(1).find(is_command).and_then(|word| word.to_str());
    let parsed = grammar.clone().ignore_errors(true).try_get_matches_from(&argv);
    let named = parsed.ok().and_then(|m| m.subcommand_name().map(str::to_owned));
    match named.as_deref().or(word) {
        Some("render" | "diff") => crate::exit::PREVIEW_USAGE,
        _ => crate::exit::USAGE,
    }
}

/// The grammar, with booleans as Go's flag package reads them: `--prune`, `--prune=true`, `--prune=false`, never `--prune true`.
fn grammar() -> Command {
    go_booleans(Cli::command())
}

fn go_booleans(command: Command) -> Command {
    let command = command.mut_args(|arg| {
        if arg.get_action().takes_values() && arg.get_value_parser().type_id() != std::any::TypeId::of::<bool>() {
            return arg;
        }
        match arg.get_action() {
            clap::ArgAction::SetTrue => as_go(arg).default_value("false"),
            clap::ArgAction::Set => as_go(arg),
            _ => arg,
        }
    });
    command.mut_subcommands(go_booleans)
}

fn as_go(arg: clap::Arg) -> clap::Arg {
    arg.action(clap::ArgAction::Set)
        .value_parser(clap::builder::BoolishValueParser::new())
        .num_args(0..=1)
        .require_equals(true)
        .default_missing_value("true")
        .hide_default_value(true)
        .hide_possible_values(true)
}

#[cfg(test)]
mod tests;
