//! `pintle app …`.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use super::app_source::AppSourceArgs;
use super::{KubeArgs, NamespaceArgs};

#[derive(Subcommand, Debug)]
pub(crate) enum AppCommand {
    /// List applications.
    List(AppListArgs),
    /// Show one application.
    Get(AppGetArgs),
    /// Create an application.
    Create(Box<AppCreateArgs>),
    /// Change fields of an application.
    Set(Box<AppSetArgs>),
    /// Show what a sync would change; exits with 1 where anything differs.
    Diff(AppDiffArgs),
    /// Sync applications to their source.
    Sync(Box<AppSyncArgs>),
    /// Wait until applications are as wanted.
    Wait(AppWaitArgs),
    /// Show what was deployed when.
    History(AppHistoryArgs),
    /// Go back to an earlier deployment.
    Rollback(AppRollbackArgs),
    /// Delete applications.
    Delete(AppDeleteArgs),
    /// Print the manifests the source renders to.
    Manifests(AppManifestsArgs),
    /// List the live objects of an application.
    Resources(AppResourcesArgs),
    /// Print logs of an application's pods.
    Logs(AppLogsArgs),
    /// Stop the running operation.
    TerminateOp(AppTerminateArgs),
    /// Patch an application.
    Patch(AppPatchArgs),
    /// Delete one live object of an application.
    DeleteResource(AppDeleteResourceArgs),
}

/// Where an application lives, if not in the control namespace.
#[derive(Args, Debug, Clone, Default)]
pub(crate) struct AppNamespace {
    /// Namespace of the application.
    #[arg(short = 'N', long, value_name = "NAMESPACE")]
    pub app_namespace: Option<String>,
    #[command(flatten)]
    pub place: NamespaceArgs,
}

#[derive(Args, Debug)]
pub(crate) struct AppListArgs {
    #[command(flatten)]
    pub namespace: AppNamespace,
    /// wide, name, json or yaml.
    #[arg(short, long, default_value = "", hide_default_value = true, value_parser = PossibleValuesParser::new(["", "wide", "name", "json", "yaml"]))]
    pub output: String,
    /// Label selector.
    #[arg(short = 'l', long)]
    pub selector: Option<String>,
    /// Only of these projects.
    #[arg(short, long)]
    pub project: Vec<String>,
    /// Only with this repository.
    #[arg(short, long)]
    pub repo: Option<String>,
    /// Only with this path.
    #[arg(short = 'P', long)]
    pub path: Option<String>,
    /// Only on this cluster, by name or URL.
    #[arg(short, long)]
    pub cluster: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct AppGetArgs {
    /// Name, or namespace/name.
    pub name: String,
    #[command(flatten)]
    pub namespace: AppNamespace,
    /// wide, json, yaml, tree or tree=detailed.
    #[arg(short, long, default_value = "wide", value_parser = PossibleValuesParser::new(["wide", "json", "yaml", "tree", "tree=detailed"]))]
    pub output: String,
    /// Have it compared again first.
    #[arg(long)]
    pub refresh: bool,
    /// Have it rendered and compared again first.
    #[arg(long)]
    pub hard_refresh: bool,
    /// Show the last operation too.
    #[arg(long)]
    pub show_operation: bool,
    /// Show parameters of the source too.
    #[arg(long)]
    pub show_params: bool,
    /// Name of the source to show parameters of.
    #[arg(long)]
    pub source_name: Option<String>,
    /// Position of the source to show parameters of, from 1.
    #[arg(long)]
    pub source_position: Option<i64>,
    /// Seconds to wait for a refresh; 0 means 60.
    #[arg(long, default_value_t = 0)]
    pub timeout: u64,
}

#[derive(Args, Debug)]
pub(crate) struct AppCreateArgs {
    /// Name.
    pub app_name: Option<String>,
    /// Name, as the other way of saying it.
    #[arg(long)]
    pub name: Option<String>,
    #[command(flatten)]
    pub namespace: AppNamespace,
    #[command(flatten)]
    pub source: AppSourceArgs,
    /// File with the Application, `-` for standard input.
    #[arg(short, long)]
    pub file: Option<String>,
    /// Label, key=value.
    #[arg(short, long)]
    pub label: Vec<String>,
    /// Annotation, key=value.
    #[arg(long)]
    pub annotations: Vec<String>,
    /// Delete what it deployed when it is deleted.
    #[arg(long)]
    pub set_finalizer: bool,
    /// Replace an application that is there and different.
    #[arg(long)]
    pub upsert: bool,
}

#[derive(Args, Debug)]
pub(crate) struct AppSetArgs {
    /// Name, or namespace/name.
    pub name: String,
    #[command(flatten)]
    pub namespace: AppNamespace,
    #[command(flatten)]
    pub source: AppSourceArgs,
    /// Position of the source to change, from 1.
    #[arg(long)]
    pub source_position: Option<i64>,
}

#[derive(Args, Debug)]
pub(crate) struct AppDiffArgs {
    /// Name, or namespace/name.
    pub name: Option<String>,
    #[command(flatten)]
    pub namespace: AppNamespace,
    /// Compare with this revision.
    #[arg(long)]
    pub revision: Option<String>,
    /// Revisions of several sources, with --source-positions.
    #[arg(long)]
    pub revisions: Vec<String>,
    #[arg(long, value_delimiter = ',')]
    pub source_positions: Vec<i64>,
    #[arg(long, hide = true)]
    pub source_names: Vec<String>,
    /// Have it compared again first.
    #[arg(long)]
    pub refresh: bool,
    /// Have it rendered and compared again first.
    #[arg(long)]
    pub hard_refresh: bool,
    /// Exit with --diff-exit-code where anything differs.
    #[arg(long)]
    pub exit_code: Option<bool>,
    /// Exit code where anything differs.
    #[arg(long, default_value_t = 1)]
    pub diff_exit_code: u8,
    #[arg(long, hide = true)]
    pub local: Option<String>,
    #[arg(long, hide = true)]
    pub local_include: Vec<String>,
    #[arg(long, hide = true)]
    pub local_repo_root: Option<String>,
    #[arg(long, hide = true)]
    pub server_side_diff: Option<bool>,
    #[arg(long, hide = true)]
    pub server_side_diff_concurrency: Option<i64>,
    #[arg(long, hide = true)]
    pub server_side_diff_max_batch_kb: Option<i64>,
    #[arg(long, hide = true)]
    pub server_side_generate: bool,
    #[arg(long, hide = true)]
    pub ignore_normalizer_jq_execution_timeout: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct AppSyncArgs {
    /// Names, or namespace/name.
    pub names: Vec<String>,
    #[command(flatten)]
    pub namespace: AppNamespace,
    /// Applications with these labels.
    #[arg(short = 'l', long)]
    pub selector: Option<String>,
    /// Applications of these projects.
    #[arg(long)]
    pub project: Vec<String>,
    /// Revision to sync to.
    #[arg(long)]
    pub revision: Option<String>,
    /// Revisions of several sources, with --source-positions.
    #[arg(long)]
    pub revisions: Vec<String>,
    #[arg(long, value_delimiter = ',')]
    pub source_positions: Vec<i64>,
    #[arg(long, hide = true)]
    pub source_names: Vec<String>,
    /// Delete what left the source.
    #[arg(long)]
    pub prune: bool,
    /// Check without writing.
    #[arg(long)]
    pub dry_run: bool,
    /// Delete and make anew what cannot be changed.
    #[arg(long)]
    pub force: bool,
    /// Replace objects instead of applying.
    #[arg(long)]
    pub replace: bool,
    /// Apply server-side.
    #[arg(long)]
    pub server_side: bool,
    /// Leave alone what is in sync already.
    #[arg(long)]
    pub apply_out_of_sync_only: bool,
    /// Only this object, GROUP:KIND:NAME or GROUP:KIND:NAMESPACE/NAME; `!` in front leaves it out.
    #[arg(long)]
    pub resource: Vec<String>,
    /// Only objects with this label.
    #[arg(long, hide = true)]
    pub label: Vec<String>,
    /// apply or hook.
    #[arg(long, value_parser = PossibleValuesParser::new(["", "apply", "hook"]))]
    pub strategy: Option<String>,
    /// Note for people, name=value.
    #[arg(long)]
    pub info: Vec<String>,
    /// Do not wait for the sync to end.
    #[arg(long = "async")]
    pub is_async: bool,
    /// Seconds to wait; 0 means without end.
    #[arg(long, default_value_t = 0)]
    pub timeout: u64,
    /// How often a failure is tried again; negative means without end.
    #[arg(long, allow_negative_numbers = true)]
    pub retry_limit: Option<i64>,
    #[arg(long, default_value = "5s")]
    pub retry_backoff_duration: String,
    #[arg(long, default_value = "3m0s")]
    pub retry_backoff_max_duration: String,
    #[arg(long, default_value_t = 2)]
    pub retry_backoff_factor: i64,
    #[arg(long)]
    pub retry_refresh: bool,
    /// wide, json, yaml, tree or tree=detailed.
    #[arg(short, long, default_value = "wide", value_parser = PossibleValuesParser::new(["wide", "json", "yaml", "tree", "tree=detailed"]))]
    pub output: String,
    /// Show the diff and ask before syncing.
    #[arg(long)]
    pub preview_changes: bool,
    /// Do not ask.
    #[arg(long = "assumeYes", alias = "assume-yes")]
    pub assume_yes: bool,
    #[arg(long, hide = true)]
    pub local: Option<String>,
    #[arg(long, hide = true)]
    pub local_repo_root: Option<String>,
    #[arg(long, hide = true)]
    pub ignore_normalizer_jq_execution_timeout: Option<String>,
    #[arg(long, hide = true)]
    pub server_side_diff_concurrency: Option<i64>,
    #[arg(long, hide = true)]
    pub server_side_diff_max_batch_kb: Option<i64>,
}

#[derive(Args, Debug)]
pub(crate) struct AppWaitArgs {
    /// Names, or namespace/name.
    pub names: Vec<String>,
    #[command(flatten)]
    pub namespace: AppNamespace,
    /// Applications with these labels.
    #[arg(short = 'l', long)]
    pub selector: Option<String>,
    /// Until it is in sync.
    #[arg(long)]
    pub sync: bool,
    /// Until it is healthy.
    #[arg(long)]
    pub health: bool,
    /// Until it is suspended.
    #[arg(long)]
    pub suspended: bool,
    /// Until it is degraded.
    #[arg(long)]
    pub degraded: bool,
    /// Until no operation is going on.
    #[arg(long)]
    pub operation: bool,
    /// Until it is gone.
    #[arg(long)]
    pub delete: bool,
    #[arg(long, hide = true)]
    pub hydrated: bool,
    /// Only this object, GROUP:KIND:NAME or GROUP:KIND:NAMESPACE/NAME.
    #[arg(long)]
    pub resource: Vec<String>,
    /// Seconds to wait; 0 means without end.
    #[arg(long, default_value_t = 0)]
    pub timeout: u64,
    /// wide, json, yaml, tree or tree=detailed.
    #[arg(short, long, default_value = "wide", value_parser = PossibleValuesParser::new(["wide", "json", "yaml", "tree", "tree=detailed"]))]
    pub output: String,
}

#[derive(Args, Debug)]
pub(crate) struct AppHistoryArgs {
    /// Name, or namespace/name.
    pub name: String,
    #[command(flatten)]
    pub namespace: AppNamespace,
    /// wide or id.
    #[arg(short, long, default_value = "wide", value_parser = PossibleValuesParser::new(["wide", "id"]))]
    pub output: String,
}

#[derive(Args, Debug)]
pub(crate) struct AppRollbackArgs {
    /// Name, or namespace/name.
    pub name: String,
    /// Id in the history; the deployment before the last one if not given.
    #[arg(allow_negative_numbers = true)]
    pub id: Option<i64>,
    #[command(flatten)]
    pub namespace: AppNamespace,
    /// Delete what that deployment did not have.
    #[arg(long)]
    pub prune: bool,
    /// Seconds to wait; 0 means without end.
    #[arg(long, default_value_t = 0)]
    pub timeout: u64,
    /// wide, json, yaml, tree or tree=detailed.
    #[arg(short, long, default_value = "wide", value_parser = PossibleValuesParser::new(["wide", "json", "yaml", "tree", "tree=detailed"]))]
    pub output: String,
}

#[derive(Args, Debug)]
pub(crate) struct AppDeleteArgs {
    /// Names, or namespace/name.
    pub names: Vec<String>,
    #[command(flatten)]
    pub namespace: AppNamespace,
    /// Applications with these labels.
    #[arg(short = 'l', long)]
    pub selector: Option<String>,
    /// Delete what it deployed too; --cascade=false leaves it.
    #[arg(long)]
    pub cascade: Option<bool>,
    /// foreground or background.
    #[arg(short, long)]
    pub propagation_policy: Option<String>,
    /// Do not ask.
    #[arg(short, long)]
    pub yes: bool,
    /// Wait until it is gone.
    #[arg(long)]
    pub wait: bool,
}

#[derive(Args, Debug)]
pub(crate) struct AppManifestsArgs {
    /// Name, or namespace/name.
    pub name: String,
    #[command(flatten)]
    pub namespace: AppNamespace,
    /// git (what the source renders to) or live (what is in the cluster).
    #[arg(long, default_value = "git", value_parser = PossibleValuesParser::new(["git", "live"]))]
    pub source: String,
    /// Render this revision.
    #[arg(long)]
    pub revision: Option<String>,
    /// Revisions of several sources, with --source-positions.
    #[arg(long)]
    pub revisions: Vec<String>,
    #[arg(long, value_delimiter = ',')]
    pub source_positions: Vec<i64>,
    #[arg(long, hide = true)]
    pub source_names: Vec<String>,
    #[arg(long, hide = true)]
    pub local: Option<String>,
    #[arg(long, hide = true)]
    pub local_repo_root: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct AppResourcesArgs {
    /// Name, or namespace/name.
    pub name: String,
    #[command(flatten)]
    pub namespace: AppNamespace,
    /// Only objects that nobody manages.
    #[arg(long)]
    pub orphaned: bool,
    /// tree or tree=detailed.
    #[arg(short, long, default_value = "", hide_default_value = true, value_parser = PossibleValuesParser::new(["", "wide", "tree", "tree=detailed"]))]
    pub output: String,
    /// Project the application must be in.
    #[arg(long)]
    pub project: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct AppLogsArgs {
    /// Name, or namespace/name.
    pub app_name: String,
    /// Namespace of the application.
    #[arg(short = 'N', long)]
    pub app_namespace: Option<String>,
    #[command(flatten)]
    pub kube: KubeArgs,
    /// Namespace of the control plane.
    #[arg(short = 'n', long, env = "ARGOCD_NAMESPACE", help_heading = "Connection")]
    pub control_namespace: Option<String>,
    /// Group of the object.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub group: String,
    /// Kind of the object.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub kind: String,
    /// Namespace of the object.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub namespace: String,
    /// Name of the object.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub name: String,
    /// Container.
    #[arg(short, long, default_value = "", hide_default_value = true)]
    pub container: String,
    /// Go on as lines are written.
    #[arg(short, long)]
    pub follow: bool,
    /// The containers' previous runs.
    #[arg(short, long)]
    pub previous: bool,
    /// Only so many lines from the end; 0 means all.
    #[arg(long, default_value_t = 0)]
    pub tail: u64,
    /// Only lines newer than so many seconds; 0 means all.
    #[arg(long, default_value_t = 0)]
    pub since_seconds: u64,
    /// Only lines up to this time (RFC 3339).
    #[arg(long)]
    pub until_time: Option<String>,
    /// Only lines that contain this; `!` in front: that do not.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub filter: String,
    /// Tell capitals from small letters in the filter.
    #[arg(short, long)]
    pub match_case: bool,
}

#[derive(Args, Debug)]
pub(crate) struct AppTerminateArgs {
    /// Name, or namespace/name.
    pub name: String,
    #[command(flatten)]
    pub namespace: AppNamespace,
}

#[derive(Args, Debug)]
pub(crate) struct AppPatchArgs {
    /// Name, or namespace/name.
    pub name: String,
    #[command(flatten)]
    pub namespace: AppNamespace,
    /// The patch.
    #[arg(long)]
    pub patch: String,
    /// json or merge.
    #[arg(long = "type", default_value = "json", value_parser = PossibleValuesParser::new(["json", "merge"]))]
    pub patch_type: String,
}

#[derive(Args, Debug)]
pub(crate) struct AppDeleteResourceArgs {
    /// Name, or namespace/name.
    pub name: String,
    /// Namespace of the application.
    #[arg(short = 'N', long)]
    pub app_namespace: Option<String>,
    #[command(flatten)]
    pub kube: KubeArgs,
    /// Namespace of the control plane.
    #[arg(short = 'n', long, env = "ARGOCD_NAMESPACE", help_heading = "Connection")]
    pub control_namespace: Option<String>,
    /// Kind of the object.
    #[arg(long)]
    pub kind: String,
    /// Group of the object.
    #[arg(long)]
    pub group: Option<String>,
    /// Namespace of the object.
    #[arg(long)]
    pub namespace: Option<String>,
    /// Name of the object.
    #[arg(long)]
    pub resource_name: Option<String>,
    /// All that match, not just one.
    #[arg(long)]
    pub all: bool,
    /// Without waiting for what it owns.
    #[arg(long)]
    pub force: bool,
    /// Leave what it owns.
    #[arg(long)]
    pub orphan: bool,
    /// Project the application must be in.
    #[arg(long)]
    pub project: Option<String>,
}
