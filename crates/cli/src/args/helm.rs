//! `pintle helm …`: the grammar of Helm 4.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Args, Debug)]
#[command(args_override_self = true)]
pub(crate) struct HelmArgs {
    #[command(flatten)]
    pub global: HelmGlobalFlags,
    #[command(subcommand)]
    pub command: HelmCommand,
}

#[derive(Subcommand, Debug)]
pub(crate) enum HelmCommand {
    /// Render a chart locally and print the manifests.
    Template(Box<HelmTemplateArgs>),
    /// Show what a chart is made of.
    #[command(subcommand, visible_alias = "inspect")]
    Show(HelmShowCommand),
    /// Manage a chart's dependencies.
    #[command(subcommand, visible_aliases = ["dep", "dependencies"])]
    Dependency(HelmDependencyCommand),
    /// Examine charts for possible issues.
    Lint(Box<HelmLintArgs>),
}

/// Where a chart is, and how it is fetched.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Fetching the chart")]
pub(crate) struct ChartFlags {
    /// URL of the chart repository that CHART is the name of a chart in.
    #[arg(long, value_name = "URL")]
    pub repo: Option<String>,
    /// Version of the chart, exact or a range; the latest by default.
    #[arg(long, value_name = "VERSION")]
    pub version: Option<String>,
    /// Take versions before a release too, as `--version '>0.0.0-0'` does.
    #[arg(long)]
    pub devel: bool,
    #[command(flatten)]
    pub access: AccessFlags,
    /// Give user name and password to every host that the repository names.
    #[arg(long)]
    pub pass_credentials: bool,
    /// Check the signature of the package.
    #[arg(long, hide = true)]
    pub verify: bool,
    /// Public keys for `--verify`.
    #[arg(long, hide = true)]
    pub keyring: Option<PathBuf>,
}

/// What a repository or registry is reached with.
#[derive(Args, Debug, Default, Clone)]
pub(crate) struct AccessFlags {
    /// User name at the repository or registry.
    #[arg(long, value_name = "NAME")]
    pub username: Option<String>,
    /// Password at the repository or registry.
    #[arg(long, value_name = "PASSWORD")]
    pub password: Option<String>,
    /// Certificate of the client, PEM.
    #[arg(long, value_name = "FILE", requires = "key_file")]
    pub cert_file: Option<PathBuf>,
    /// Key of the client's certificate, PEM.
    #[arg(long, value_name = "FILE", requires = "cert_file")]
    pub key_file: Option<PathBuf>,
    /// Authorities the server's certificate is checked against, PEM.
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Do not check the server's certificate.
    #[arg(long)]
    pub insecure_skip_tls_verify: bool,
    /// Speak to registries without TLS.
    #[arg(long)]
    pub plain_http: bool,
}

/// Values over those of the chart.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Values")]
pub(crate) struct ValueFlags {
    /// File of values; may be given several times, the last wins; `-` is standard input.
    #[arg(short = 'f', long = "values", value_name = "FILE", value_delimiter = ',')]
    pub values: Vec<String>,
    /// Values as `key=value,…`.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Values that stay strings, as `key=value,…`.
    #[arg(long = "set-string", value_name = "KEY=VALUE")]
    pub set_string: Vec<String>,
    /// Values as JSON, as `key=json,…` or one JSON object.
    #[arg(long = "set-json", value_name = "KEY=JSON")]
    pub set_json: Vec<String>,
    /// Values that are the content of files, as `key=path,…`; `-` is standard input.
    #[arg(long = "set-file", value_name = "KEY=PATH")]
    pub set_file: Vec<String>,
    /// A value taken as it is, as `key=value`.
    #[arg(long = "set-literal", value_name = "KEY=VALUE")]
    pub set_literal: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct HelmTemplateArgs {
    /// Name of the release, where a chart follows; else the chart.
    #[arg(value_name = "NAME_OR_CHART")]
    pub first: String,
    /// Directory or packed archive of the chart, `oci://…`, or its name in `--repo`.
    #[arg(value_name = "CHART")]
    pub second: Option<String>,
    /// Template of the release's name.
    #[arg(long, value_name = "TEMPLATE")]
    pub name_template: Option<String>,
    /// Make up the release's name; no name may be given then.
    #[arg(short = 'g', long)]
    pub generate_name: bool,
    /// Namespace of the release; else that of the kubeconfig's context, else `default`.
    #[arg(short, long, env = "HELM_NAMESPACE")]
    pub namespace: Option<String>,
    #[command(flatten)]
    pub values: ValueFlags,
    #[command(flatten)]
    pub chart: ChartFlags,
    /// Fetch dependencies that `charts/` lacks before rendering.
    #[arg(long)]
    pub dependency_update: bool,
    /// Print the chart's CRDs too.
    #[arg(long)]
    pub include_crds: bool,
    /// Leave CRDs out; they are left out unless asked for.
    #[arg(long)]
    pub skip_crds: bool,
    /// Leave test hooks out.
    #[arg(long)]
    pub skip_tests: bool,
    /// Leave hooks out.
    #[arg(long)]
    pub no_hooks: bool,
    /// Print only what these templates give.
    #[arg(short = 's', long = "show-only", value_name = "TEMPLATE")]
    pub show_only: Vec<String>,
    /// Version of Kubernetes in `.Capabilities.KubeVersion`.
    #[arg(long, value_name = "VERSION")]
    pub kube_version: Option<String>,
    /// More API versions in `.Capabilities.APIVersions`.
    #[arg(short = 'a', long = "api-versions", value_name = "VERSION", value_delimiter = ',')]
    pub api_versions: Vec<String>,
    /// Set `.Release.IsUpgrade` instead of `.Release.IsInstall`.
    #[arg(long)]
    pub is_upgrade: bool,
    /// Do not check values against values.schema.json.
    #[arg(long)]
    pub skip_schema_validation: bool,
    /// Write the manifests into files below this directory instead of printing them.
    #[arg(long, value_name = "DIRECTORY")]
    pub output_dir: Option<PathBuf>,
    /// Put the release's name into the path below `--output-dir`.
    #[arg(long)]
    pub release_name: bool,
    #[command(flatten)]
    pub idle: IdleFlags,
}

/// Flags of `helm template` that change nothing in what it prints without a cluster: taken, so that scripts need no change.
#[derive(Args, Debug, Default)]
pub(crate) struct IdleFlags {
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "client", value_parser = ["client", "none", "unset", "true"])]
    pub dry_run: Option<String>,
    #[arg(long, hide = true)]
    pub create_namespace: bool,
    #[arg(long, hide = true)]
    pub replace: bool,
    #[arg(long, hide = true)]
    pub disable_openapi_validation: bool,
    #[arg(long, hide = true)]
    pub hide_notes: bool,
    #[arg(long, hide = true)]
    pub render_subchart_notes: bool,
    #[arg(long, hide = true)]
    pub take_ownership: bool,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "watcher")]
    pub wait: Option<String>,
    #[arg(long, hide = true)]
    pub wait_for_jobs: bool,
    #[arg(long, hide = true)]
    pub timeout: Option<String>,
    #[arg(long, hide = true)]
    pub description: Option<String>,
    #[arg(long, hide = true, alias = "atomic")]
    pub rollback_on_failure: bool,
    #[arg(short = 'l', long, hide = true)]
    pub labels: Vec<String>,
    #[arg(long, hide = true, alias = "force-replace")]
    pub force: bool,
    #[arg(long, hide = true)]
    pub force_conflicts: bool,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub server_side: Option<String>,
    #[arg(long, hide = true)]
    pub enable_dns: bool,
    /// Refused: no program is started.
    #[arg(long, hide = true)]
    pub post_renderer: Option<String>,
    #[arg(long, hide = true, allow_hyphen_values = true)]
    pub post_renderer_args: Vec<String>,
}

/// Flags of every command of Helm that change nothing here: nothing is asked of a cluster, and no configuration of Helm's is read.
#[derive(Args, Debug, Default)]
pub(crate) struct HelmGlobalFlags {
    #[arg(long, hide = true, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub debug: Option<bool>,
    #[arg(long = "color", alias = "colour", hide = true, global = true)]
    pub colour: Option<String>,
    /// Where the namespace comes from that no flag names.
    #[arg(long, hide = true, global = true)]
    pub kubeconfig: Option<PathBuf>,
    #[arg(long, hide = true, global = true)]
    pub registry_config: Option<PathBuf>,
    #[arg(long, hide = true, global = true)]
    pub repository_config: Option<PathBuf>,
    #[arg(long, hide = true, global = true)]
    pub repository_cache: Option<PathBuf>,
    #[arg(long, hide = true, global = true)]
    pub content_cache: Option<PathBuf>,
    #[arg(long, hide = true, global = true)]
    pub burst_limit: Option<i64>,
    #[arg(long, hide = true, global = true)]
    pub qps: Option<f32>,
    #[arg(long, hide = true, global = true)]
    pub kube_apiserver: Option<String>,
    #[arg(long, hide = true, global = true)]
    pub kube_as_group: Vec<String>,
    #[arg(long, hide = true, global = true)]
    pub kube_as_user: Option<String>,
    #[arg(long, hide = true, global = true)]
    pub kube_ca_file: Option<PathBuf>,
    #[arg(long, hide = true, global = true)]
    pub kube_insecure_skip_tls_verify: bool,
    #[arg(long, hide = true, global = true)]
    pub kube_tls_server_name: Option<String>,
    #[arg(long, hide = true, global = true)]
    pub kube_token: Option<String>,
}

#[derive(Subcommand, Debug)]
pub(crate) enum HelmShowCommand {
    /// Everything below, one after the other.
    All(HelmShowArgs),
    /// `Chart.yaml`.
    Chart(HelmShowArgs),
    /// `values.yaml`.
    Values(HelmShowArgs),
    /// `README.md`.
    Readme(HelmShowArgs),
    /// The files of `crds/`, those of dependencies too.
    Crds(HelmShowArgs),
}

#[derive(Args, Debug)]
pub(crate) struct HelmShowArgs {
    /// Directory or packed archive of the chart, `oci://…`, or its name in `--repo`.
    #[arg(value_name = "CHART")]
    pub name: String,
    #[command(flatten)]
    pub chart: ChartFlags,
}

#[derive(Subcommand, Debug)]
pub(crate) enum HelmDependencyCommand {
    /// List what a chart depends on, and whether it is there.
    #[command(visible_alias = "ls")]
    List(HelmDependencyListArgs),
    /// Fill charts/ with the versions that Chart.lock names.
    Build(HelmDependencyArgs),
    /// Fill charts/ with the latest versions that Chart.yaml allows, and write Chart.lock.
    #[command(visible_alias = "up")]
    Update(HelmDependencyArgs),
}

#[derive(Args, Debug)]
pub(crate) struct HelmDependencyListArgs {
    /// Directory or packed archive of the chart.
    #[arg(value_name = "CHART", default_value = ".")]
    pub chart: String,
    /// Longest cell of the table.
    #[arg(long, default_value_t = 80, value_name = "CHARACTERS")]
    pub max_col_width: usize,
}

#[derive(Args, Debug)]
pub(crate) struct HelmDependencyArgs {
    /// Directory of the chart.
    #[arg(value_name = "CHART", default_value = ".")]
    pub chart: String,
    #[command(flatten)]
    pub access: AccessFlags,
    /// Taken and without effect: there is no cache of indexes to refresh.
    #[arg(long, hide = true)]
    pub skip_refresh: bool,
    /// Check the signatures of the packages.
    #[arg(long, hide = true)]
    pub verify: bool,
    /// Public keys for `--verify`.
    #[arg(long, hide = true)]
    pub keyring: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct HelmLintArgs {
    /// Directories or packed archives of charts.
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<String>,
    /// Namespace of the release that templates see; else that of the kubeconfig's context, else `default`.
    #[arg(short, long, env = "HELM_NAMESPACE")]
    pub namespace: Option<String>,
    #[command(flatten)]
    pub values: ValueFlags,
    /// Fail on warnings.
    #[arg(long)]
    pub strict: bool,
    /// Examine the charts of charts/ too.
    #[arg(long)]
    pub with_subcharts: bool,
    /// Say only what is a warning or an error.
    #[arg(long)]
    pub quiet: bool,
    /// Do not check values against values.schema.json.
    #[arg(long)]
    pub skip_schema_validation: bool,
    /// Version of Kubernetes for capabilities and deprecations.
    #[arg(long, value_name = "VERSION")]
    pub kube_version: Option<String>,
}
