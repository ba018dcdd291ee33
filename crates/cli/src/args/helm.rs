//! `pintle helm …`: the grammar of Helm 4, for charts on this machine.

use clap::{Args, Subcommand};

#[derive(Subcommand, Debug)]
pub(crate) enum HelmCommand {
    /// Render a chart locally and print the manifests.
    Template(Box<HelmTemplateArgs>),
}

#[derive(Args, Debug)]
pub(crate) struct HelmTemplateArgs {
    /// Name of the release, where a chart follows; else the chart.
    #[arg(value_name = "NAME_OR_CHART")]
    pub first: String,
    /// Directory or packed archive of the chart.
    #[arg(value_name = "CHART")]
    pub second: Option<String>,
    /// Namespace of the release.
    #[arg(short, long, default_value = "default")]
    pub namespace: String,
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
    /// Values that are the content of files, as `key=path,…`.
    #[arg(long = "set-file", value_name = "KEY=PATH")]
    pub set_file: Vec<String>,
    /// A value taken as it is, as `key=value`.
    #[arg(long = "set-literal", value_name = "KEY=VALUE")]
    pub set_literal: Vec<String>,
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
}
