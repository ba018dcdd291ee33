//! Where manifests come from and how they are rendered.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::unknown::{Unknown, is_default};

/// One source of manifests: a path in a Git repository, or a chart of a Helm or OCI repository.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["repoURL"]))]
pub struct Source {
    /// URL of the repository.
    #[serde(rename = "repoURL")]
    pub repo_url: String,
    /// Directory in the repository; empty for charts, `.` for the root.
    #[serde(skip_serializing_if = "is_default")]
    pub path: String,
    /// Branch, tag, commit, `HEAD` or semver range; empty means `HEAD` (Git) or the newest version (charts).
    #[serde(skip_serializing_if = "is_default")]
    pub target_revision: String,
    /// Options for Helm charts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub helm: Option<Helm>,
    /// Options for Kustomize directories.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kustomize: Option<Kustomize>,
    /// Options for directories of plain manifests and Jsonnet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<Directory>,
    /// Options for configuration management plugins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<Plugin>,
    /// Name of the chart in a Helm repository; empty for Git.
    #[serde(skip_serializing_if = "is_default")]
    pub chart: String,
    /// Name under which other sources' value files refer to this one (`$name/path`).
    #[serde(skip_serializing_if = "is_default")]
    pub r#ref: String,
    /// Name of the source, unique in its Application, for the command line.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Prefix that tags must have; it is cut off before a semver range in `target_revision` is matched [F1.17].
    #[serde(skip_serializing_if = "is_default")]
    pub tag_prefix: String,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

impl Source {
    /// Whether this source names a chart of a Helm or OCI repository.
    pub fn is_chart(&self) -> bool {
        !self.chart.is_empty()
    }

    /// Whether this source only lends its files to others and renders nothing itself.
    pub fn is_ref_only(&self) -> bool {
        !self.r#ref.is_empty() && self.path.is_empty() && self.chart.is_empty()
    }

    /// The revision to resolve, `HEAD` where none is written. Not for charts, where none means the newest version.
    pub fn revision_or_head(&self) -> &str {
        if self.target_revision.is_empty() {
            "HEAD"
        } else {
            &self.target_revision
        }
    }
}

/// Options for Helm charts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Helm {
    /// Value files, relative to the chart; `$ref/path` reads from another source. Globs are allowed.
    #[serde(skip_serializing_if = "is_default")]
    pub value_files: Vec<String>,
    /// `--set` and `--set-string`.
    #[serde(skip_serializing_if = "is_default")]
    pub parameters: Vec<HelmParameter>,
    /// Release name; empty means the Application's name.
    #[serde(skip_serializing_if = "is_default")]
    pub release_name: String,
    /// Values as YAML text.
    #[serde(skip_serializing_if = "is_default")]
    pub values: String,
    /// `--set-file`.
    #[serde(skip_serializing_if = "is_default")]
    pub file_parameters: Vec<HelmFileParameter>,
    /// Helm version the peer once chose by; accepted and ignored.
    #[serde(skip_serializing_if = "is_default")]
    pub version: String,
    /// Whether credentials go to hosts other than the repository's too.
    #[serde(skip_serializing_if = "is_default")]
    pub pass_credentials: bool,
    /// Whether value files that do not exist are passed over.
    #[serde(skip_serializing_if = "is_default")]
    pub ignore_missing_value_files: bool,
    /// Whether the chart's `crds/` directory is left out.
    #[serde(skip_serializing_if = "is_default")]
    pub skip_crds: bool,
    /// Values as a YAML object; wins over `values`. Kept as it is, `null`s included.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::crd::any_object")]
    pub values_object: Option<serde_json::Value>,
    /// Namespace to render with; empty means the destination's.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    /// Kubernetes version charts see; empty means the cluster's.
    #[serde(skip_serializing_if = "is_default")]
    pub kube_version: String,
    /// API versions charts see; empty means the cluster's.
    #[serde(skip_serializing_if = "is_default")]
    pub api_versions: Vec<String>,
    /// Whether test hooks are left out.
    #[serde(skip_serializing_if = "is_default")]
    pub skip_tests: bool,
    /// Whether `values.schema.json` is not enforced.
    #[serde(skip_serializing_if = "is_default")]
    pub skip_schema_validation: bool,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// One `--set`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct HelmParameter {
    /// Path of the value.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// The value.
    #[serde(skip_serializing_if = "is_default")]
    pub value: String,
    /// Whether the value stays a string whatever it looks like (`--set-string`).
    #[serde(skip_serializing_if = "is_default")]
    pub force_string: bool,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// One `--set-file`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct HelmFileParameter {
    /// Path of the value.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// File that holds the value.
    #[serde(skip_serializing_if = "is_default")]
    pub path: String,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// Options for Kustomize directories.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Kustomize {
    /// Prefix of all names.
    #[serde(skip_serializing_if = "is_default")]
    pub name_prefix: String,
    /// Suffix of all names.
    #[serde(skip_serializing_if = "is_default")]
    pub name_suffix: String,
    /// Image overrides: `[old=]new[:tag|@digest]`.
    #[serde(skip_serializing_if = "is_default")]
    pub images: Vec<String>,
    /// Labels put on every object.
    #[serde(skip_serializing_if = "is_default")]
    pub common_labels: BTreeMap<String, String>,
    /// Version of Kustomize to use, by its name in the settings.
    #[serde(skip_serializing_if = "is_default")]
    pub version: String,
    /// Annotations put on every object.
    #[serde(skip_serializing_if = "is_default")]
    pub common_annotations: BTreeMap<String, String>,
    /// Whether `common_labels` win over labels that are there.
    #[serde(skip_serializing_if = "is_default")]
    pub force_common_labels: bool,
    /// Whether `common_annotations` win over annotations that are there.
    #[serde(skip_serializing_if = "is_default")]
    pub force_common_annotations: bool,
    /// Namespace put on every object.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    /// Whether `$ARGOCD_APP_…` in values of `common_annotations` are replaced.
    #[serde(skip_serializing_if = "is_default")]
    pub common_annotations_envsubst: bool,
    /// Replica counts by name.
    #[serde(skip_serializing_if = "is_default")]
    pub replicas: Vec<KustomizeReplica>,
    /// Patches.
    #[serde(skip_serializing_if = "is_default")]
    pub patches: Vec<KustomizePatch>,
    /// Components to add.
    #[serde(skip_serializing_if = "is_default")]
    pub components: Vec<String>,
    /// Whether components that do not exist are passed over.
    #[serde(skip_serializing_if = "is_default")]
    pub ignore_missing_components: bool,
    /// Whether `common_labels` stay out of selectors.
    #[serde(skip_serializing_if = "is_default")]
    pub label_without_selector: bool,
    /// Kubernetes version generators see.
    #[serde(skip_serializing_if = "is_default")]
    pub kube_version: String,
    /// API versions generators see.
    #[serde(skip_serializing_if = "is_default")]
    pub api_versions: Vec<String>,
    /// Whether `common_labels` go into pod templates too when they stay out of selectors.
    #[serde(skip_serializing_if = "is_default")]
    pub label_include_templates: bool,
    /// No field of Argo CD, but found in repositories. It is kept, so that a condition can say what to write instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::crd::anything")]
    pub overlays: Option<serde_json::Value>,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// One replica override.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["name", "count"]))]
pub struct KustomizeReplica {
    /// Name of the workload.
    pub name: String,
    /// Number of replicas.
    pub count: IntOrString,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// One patch, strategic or JSON, inline or in a file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct KustomizePatch {
    /// File that holds the patch.
    #[serde(skip_serializing_if = "is_default")]
    pub path: String,
    /// The patch itself.
    #[serde(skip_serializing_if = "is_default")]
    pub patch: String,
    /// What to patch; absent means what the patch itself names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<KustomizeTarget>,
    /// `allowNameChange`, `allowKindChange`.
    #[serde(skip_serializing_if = "is_default")]
    pub options: BTreeMap<String, bool>,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// Which objects a patch is for; every field given must match.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct KustomizeTarget {
    /// API group, a regular expression.
    #[serde(skip_serializing_if = "is_default")]
    pub group: String,
    /// API version, a regular expression.
    #[serde(skip_serializing_if = "is_default")]
    pub version: String,
    /// Kind, a regular expression.
    #[serde(skip_serializing_if = "is_default")]
    pub kind: String,
    /// Name, a regular expression.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Namespace, a regular expression.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    /// Annotation selector.
    #[serde(skip_serializing_if = "is_default")]
    pub annotation_selector: String,
    /// Label selector.
    #[serde(skip_serializing_if = "is_default")]
    pub label_selector: String,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// Options for directories of plain manifests and Jsonnet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Directory {
    /// Whether subdirectories are read too.
    #[serde(skip_serializing_if = "is_default")]
    pub recurse: bool,
    /// Options for Jsonnet files.
    #[serde(skip_serializing_if = "is_default")]
    pub jsonnet: Jsonnet,
    /// Glob of files to leave out; wins over `include`.
    #[serde(skip_serializing_if = "is_default")]
    pub exclude: String,
    /// Glob of files to read; empty means all.
    #[serde(skip_serializing_if = "is_default")]
    pub include: String,
    /// Whether files without a `.yaml`, `.yml`, `.json` or `.jsonnet` ending are read too [F1.17].
    #[serde(skip_serializing_if = "is_default")]
    pub disable_extension_filter: bool,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// Options for Jsonnet files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Jsonnet {
    /// External variables.
    #[serde(skip_serializing_if = "is_default")]
    pub ext_vars: Vec<JsonnetVar>,
    /// Top-level arguments.
    #[serde(skip_serializing_if = "is_default")]
    pub tlas: Vec<JsonnetVar>,
    /// Library directories.
    #[serde(skip_serializing_if = "is_default")]
    pub libs: Vec<String>,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// One variable for Jsonnet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["name", "value"]))]
pub struct JsonnetVar {
    /// Name.
    pub name: String,
    /// Value.
    pub value: String,
    /// Whether the value is Jsonnet code instead of a string.
    #[serde(skip_serializing_if = "is_default")]
    pub code: bool,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// Options for configuration management plugins.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Plugin {
    /// Name of the plugin; empty means the one that claims the directory.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Environment of the plugin.
    #[serde(skip_serializing_if = "is_default")]
    pub env: Vec<EnvEntry>,
    /// Parameters of the plugin.
    #[serde(skip_serializing_if = "is_default")]
    pub parameters: Vec<PluginParameter>,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// One environment variable.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["name", "value"]))]
pub struct EnvEntry {
    /// Name.
    pub name: String,
    /// Value.
    pub value: String,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// One parameter of a plugin: a string, a map or an array. Absent and empty differ [F1.34].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct PluginParameter {
    /// Name.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// String value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub string: Option<String>,
    /// Map value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map: Option<BTreeMap<String, String>>,
    /// Array value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub array: Option<Vec<String>>,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// A number or a string, as Kubernetes' `IntOrString`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum IntOrString {
    /// A number.
    Int(i64),
    /// A string, for example a percentage.
    String(String),
}

impl Default for IntOrString {
    fn default() -> Self {
        Self::Int(0)
    }
}

impl fmt::Display for IntOrString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(i) => write!(f, "{i}"),
            Self::String(s) => f.write_str(s),
        }
    }
}

impl JsonSchema for IntOrString {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "IntOrString".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "anyOf": [{ "type": "integer" }, { "type": "string" }],
            "x-kubernetes-int-or-string": true
        })
    }
}

/// Renders one branch into another, which is then synced [F1.16].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["drySource", "syncSource"]))]
pub struct SourceHydrator {
    /// What to render.
    pub dry_source: DrySource,
    /// Branch and path that are synced to the cluster.
    pub sync_source: SyncSource,
    /// Branch the rendered manifests are pushed to first; absent means `sync_source`'s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hydrate_to: Option<HydrateTo>,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// What a hydrator renders.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["repoURL", "targetRevision", "path"]))]
pub struct DrySource {
    /// URL of the Git repository.
    #[serde(rename = "repoURL")]
    pub repo_url: String,
    /// Revision to render.
    pub target_revision: String,
    /// Directory in the repository.
    pub path: String,
    /// Options for Helm charts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub helm: Option<Helm>,
    /// Options for Kustomize directories.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kustomize: Option<Kustomize>,
    /// Options for directories of plain manifests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<Directory>,
    /// Options for plugins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<Plugin>,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// Where hydrated manifests are synced from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["targetBranch", "path"]))]
pub struct SyncSource {
    /// Branch.
    pub target_branch: String,
    /// Directory on that branch.
    pub path: String,
    /// Repository; empty means the dry source's.
    #[serde(rename = "repoURL", skip_serializing_if = "is_default")]
    pub repo_url: String,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// Where hydrated manifests are pushed first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["targetBranch"]))]
pub struct HydrateTo {
    /// Branch.
    pub target_branch: String,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}
