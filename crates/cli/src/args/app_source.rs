//! `{APPSRC}`: the flags that describe an application's source and policy (`argocd-cli.md` 6.1).

use clap::Args;

#[derive(Args, Debug, Clone, Default)]
#[command(next_help_heading = "Source and policy")]
pub(crate) struct AppSourceArgs {
    /// URL of the repository.
    #[arg(long)]
    pub repo: Option<String>,
    /// Directory in the repository.
    #[arg(long)]
    pub path: Option<String>,
    /// Branch, tag, commit or version range.
    #[arg(long)]
    pub revision: Option<String>,
    /// Name of the source.
    #[arg(long)]
    pub source_name: Option<String>,
    /// Name under which other sources' value files refer to this one.
    #[arg(long = "ref")]
    pub reference: Option<String>,
    /// Prefix that tags must have before a version range is matched.
    #[arg(long)]
    pub tag_prefix: Option<String>,
    /// Project.
    #[arg(long)]
    pub project: Option<String>,
    /// API server URL of the destination.
    #[arg(long)]
    pub dest_server: Option<String>,
    /// Name of the destination cluster.
    #[arg(long)]
    pub dest_name: Option<String>,
    /// Namespace of the destination.
    #[arg(long)]
    pub dest_namespace: Option<String>,
    /// none (manual), auto or automated.
    #[arg(long)]
    pub sync_policy: Option<String>,
    /// Delete what left the source, in automated syncs.
    #[arg(long)]
    pub auto_prune: Option<bool>,
    /// Revert changes made in the cluster.
    #[arg(long)]
    pub self_heal: Option<bool>,
    /// Let an empty source prune everything.
    #[arg(long)]
    pub allow_empty: Option<bool>,
    /// Option of syncs, `Name=value`; `!Name=value` removes one.
    #[arg(long)]
    pub sync_option: Vec<String>,
    /// How often a failed sync is tried again; negative means without end.
    #[arg(long, allow_negative_numbers = true)]
    pub sync_retry_limit: Option<i64>,
    #[arg(long)]
    pub sync_retry_backoff_duration: Option<String>,
    #[arg(long)]
    pub sync_retry_backoff_max_duration: Option<String>,
    #[arg(long)]
    pub sync_retry_backoff_factor: Option<i64>,
    #[arg(long)]
    pub sync_retry_refresh: Option<bool>,
    /// History entries kept.
    #[arg(long)]
    pub revision_history_limit: Option<i64>,
    /// Check that the source renders; --validate=false does not.
    #[arg(long)]
    pub validate: Option<bool>,
    /// Read subdirectories too.
    #[arg(long, help_heading = "Directories")]
    pub directory_recurse: Option<bool>,
    #[arg(long, help_heading = "Directories")]
    pub directory_include: Option<String>,
    #[arg(long, help_heading = "Directories")]
    pub directory_exclude: Option<String>,
    #[arg(long, help_heading = "Directories")]
    pub directory_disable_extension_filter: Option<bool>,
    #[arg(long, help_heading = "Directories")]
    pub jsonnet_ext_var_str: Vec<String>,
    #[arg(long, help_heading = "Directories")]
    pub jsonnet_ext_var_code: Vec<String>,
    #[arg(long, help_heading = "Directories")]
    pub jsonnet_tla_str: Vec<String>,
    #[arg(long, help_heading = "Directories")]
    pub jsonnet_tla_code: Vec<String>,
    #[arg(long, help_heading = "Directories")]
    pub jsonnet_libs: Vec<String>,
    /// Chart of a Helm repository.
    #[arg(long, help_heading = "Helm")]
    pub helm_chart: Option<String>,
    /// Value files.
    #[arg(long, help_heading = "Helm")]
    pub values: Vec<String>,
    /// File whose content becomes the values.
    #[arg(long, help_heading = "Helm")]
    pub values_literal_file: Option<String>,
    /// Parameter, `name=value`.
    #[arg(long, short = 'p', help_heading = "Helm")]
    pub parameter: Vec<String>,
    #[arg(long, help_heading = "Helm")]
    pub helm_set: Vec<String>,
    #[arg(long, help_heading = "Helm")]
    pub helm_set_string: Vec<String>,
    #[arg(long, help_heading = "Helm")]
    pub helm_set_file: Vec<String>,
    #[arg(long, help_heading = "Helm")]
    pub release_name: Option<String>,
    #[arg(long, help_heading = "Helm")]
    pub helm_version: Option<String>,
    #[arg(long, help_heading = "Helm")]
    pub helm_namespace: Option<String>,
    #[arg(long, help_heading = "Helm")]
    pub helm_kube_version: Option<String>,
    #[arg(long, help_heading = "Helm")]
    pub helm_api_versions: Vec<String>,
    #[arg(long, help_heading = "Helm")]
    pub helm_pass_credentials: Option<bool>,
    #[arg(long, help_heading = "Helm")]
    pub helm_skip_crds: Option<bool>,
    #[arg(long, help_heading = "Helm")]
    pub helm_skip_schema_validation: Option<bool>,
    #[arg(long, help_heading = "Helm")]
    pub helm_skip_tests: Option<bool>,
    #[arg(long, help_heading = "Helm")]
    pub ignore_missing_value_files: Option<bool>,
    #[arg(long, help_heading = "Kustomize")]
    pub nameprefix: Option<String>,
    #[arg(long, help_heading = "Kustomize")]
    pub namesuffix: Option<String>,
    #[arg(long, help_heading = "Kustomize")]
    pub kustomize_version: Option<String>,
    #[arg(long, help_heading = "Kustomize")]
    pub kustomize_image: Vec<String>,
    #[arg(long, help_heading = "Kustomize")]
    pub kustomize_replica: Vec<String>,
    #[arg(long, help_heading = "Kustomize")]
    pub kustomize_namespace: Option<String>,
    #[arg(long, help_heading = "Kustomize")]
    pub kustomize_common_label: Vec<String>,
    #[arg(long, help_heading = "Kustomize")]
    pub kustomize_common_annotation: Vec<String>,
    #[arg(long, help_heading = "Kustomize")]
    pub kustomize_force_common_label: Option<bool>,
    #[arg(long, help_heading = "Kustomize")]
    pub kustomize_force_common_annotation: Option<bool>,
    #[arg(long, help_heading = "Kustomize")]
    pub kustomize_label_without_selector: Option<bool>,
    #[arg(long, help_heading = "Kustomize")]
    pub kustomize_label_include_templates: Option<bool>,
    #[arg(long, help_heading = "Kustomize")]
    pub kustomize_kube_version: Option<String>,
    #[arg(long, help_heading = "Kustomize")]
    pub kustomize_api_versions: Vec<String>,
    #[arg(long, help_heading = "Kustomize")]
    pub ignore_missing_components: Option<bool>,
    #[arg(long, help_heading = "Plugins")]
    pub config_management_plugin: Option<String>,
    #[arg(long, help_heading = "Plugins")]
    pub plugin_env: Vec<String>,
    /// Environment of the ksonnet of old; known and refused.
    #[arg(long, hide = true)]
    pub env: Option<String>,
    #[arg(long, hide = true)]
    pub dry_source_repo: Option<String>,
    #[arg(long, hide = true)]
    pub dry_source_revision: Option<String>,
    #[arg(long, hide = true)]
    pub dry_source_path: Option<String>,
    #[arg(long, hide = true)]
    pub sync_source_branch: Option<String>,
    #[arg(long, hide = true)]
    pub sync_source_path: Option<String>,
    #[arg(long, hide = true)]
    pub hydrate_to_branch: Option<String>,
}
