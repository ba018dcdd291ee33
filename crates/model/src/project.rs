//! The AppProject: what its Applications may do.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::application::{Destination, GROUP, VERSION};
use crate::id::Gvk;
use crate::metadata::ObjectMeta;
use crate::object::Object;
use crate::open_enum::open_enum;
use crate::typed::{self, DecodeError};
use crate::unknown::{Unknown, is_default};

/// An `argoproj.io/v1alpha1` AppProject. Fields it has no name for are kept at every level and written back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["metadata", "spec"]))]
pub struct AppProject {
    /// Name, namespace, labels, annotations, finalizers.
    pub metadata: ObjectMeta,
    /// What its Applications may do.
    pub spec: AppProjectSpec,
    /// Tokens that were given out.
    #[serde(skip_serializing_if = "is_default")]
    pub status: AppProjectStatus,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

impl AppProject {
    /// Kind.
    pub const KIND: &str = "AppProject";
    /// Name of the project of Applications that name none.
    pub const DEFAULT: &str = "default";

    /// Group, version and kind.
    pub fn gvk() -> Gvk {
        Gvk::new(GROUP, VERSION, Self::KIND)
    }

    /// Reads an AppProject; `null` stands for a field's zero value, except for the two namespace lists, where it means absent. Fails where a
    /// field has another type than it must, naming it.
    pub fn from_object(object: &Object) -> Result<Self, DecodeError> {
        typed::decode(object, GROUP, Self::KIND)
    }

    /// Returns the object this is written as.
    pub fn to_object(&self) -> Object {
        typed::encode_object(self, &Self::gvk())
    }

    /// The project `default` as it is made where there is none: every repository, destination and cluster resource is allowed [F1.20].
    pub fn allow_all(namespace: &str) -> Self {
        let any = || "*".to_owned();
        Self {
            metadata: ObjectMeta {
                name: Self::DEFAULT.into(),
                namespace: namespace.into(),
                ..ObjectMeta::default()
            },
            spec: AppProjectSpec {
                source_repos: vec![any()],
                destinations: vec![Destination {
                    server: any(),
                    namespace: any(),
                    ..Destination::default()
                }],
                cluster_resource_whitelist: vec![ClusterResource {
                    group: any(),
                    kind: any(),
                    ..ClusterResource::default()
                }],
                ..AppProjectSpec::default()
            },
            ..Self::default()
        }
    }
}

/// What the Applications of a project may do [F1.22].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct AppProjectSpec {
    /// Repositories they may use: globs, `!` denies.
    #[serde(skip_serializing_if = "is_default")]
    pub source_repos: Vec<String>,
    /// Where they may deploy: globs in every field, `!` denies.
    #[serde(skip_serializing_if = "is_default")]
    pub destinations: Vec<Destination>,
    /// For people.
    #[serde(skip_serializing_if = "is_default")]
    pub description: String,
    /// Who may do what in this project.
    #[serde(skip_serializing_if = "is_default")]
    pub roles: Vec<ProjectRole>,
    /// Cluster-scoped kinds they may deploy; none where empty.
    #[serde(skip_serializing_if = "is_default")]
    pub cluster_resource_whitelist: Vec<ClusterResource>,
    /// Namespaced kinds they may not deploy; wins over the whitelist.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace_resource_blacklist: Vec<ResourceKind>,
    /// Watch for objects that no Application manages; absent means not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orphaned_resources: Option<OrphanedResources>,
    /// When syncs are allowed or denied.
    #[serde(skip_serializing_if = "is_default")]
    pub sync_windows: Vec<SyncWindow>,
    /// Namespaced kinds they may deploy; absent means all, empty means none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace_resource_whitelist: Option<Vec<ResourceKind>>,
    /// Keys that commits must be signed with; deprecated for `source_integrity`.
    #[serde(skip_serializing_if = "is_default")]
    pub signature_keys: Vec<SignatureKey>,
    /// Cluster-scoped kinds they may not deploy; wins over the whitelist.
    #[serde(skip_serializing_if = "is_default")]
    pub cluster_resource_blacklist: Vec<ClusterResource>,
    /// Namespaces besides the control plane's that Applications of this project may live in: globs or `/regex/`.
    #[serde(skip_serializing_if = "is_default")]
    pub source_namespaces: Vec<String>,
    /// Whether only clusters that belong to this project may be used.
    #[serde(skip_serializing_if = "is_default")]
    pub permit_only_project_scoped_clusters: bool,
    /// Accounts to act as in a destination, where impersonation is on.
    #[serde(skip_serializing_if = "is_default")]
    pub destination_service_accounts: Vec<DestinationServiceAccount>,
    /// How commits must be signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_integrity: Option<SourceIntegrity>,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// A group and a kind, both globs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["group", "kind"]))]
pub struct ResourceKind {
    /// API group.
    pub group: String,
    /// Kind.
    pub kind: String,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// A group, a kind and perhaps a name of cluster-scoped objects, all globs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["group", "kind"]))]
pub struct ClusterResource {
    /// API group.
    pub group: String,
    /// Kind.
    pub kind: String,
    /// Name; empty means every one.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// Who may do what in a project [F1.21].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["name"]))]
pub struct ProjectRole {
    /// Name.
    pub name: String,
    /// For people.
    #[serde(skip_serializing_if = "is_default")]
    pub description: String,
    /// Policy lines, `p, proj:<project>:<role>, applications, get, <project>/*, allow`.
    #[serde(skip_serializing_if = "is_default")]
    pub policies: Vec<String>,
    /// Tokens that carry this role.
    #[serde(skip_serializing_if = "is_default")]
    pub jwt_tokens: Vec<JwtToken>,
    /// Groups of the identity provider that have this role.
    #[serde(skip_serializing_if = "is_default")]
    pub groups: Vec<String>,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// One token that was given out; the token itself is not stored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["iat"]))]
pub struct JwtToken {
    /// When, in seconds since 1970.
    pub iat: i64,
    /// Until when, in seconds since 1970; 0 means without end.
    #[serde(skip_serializing_if = "is_default")]
    pub exp: i64,
    /// Id.
    #[serde(skip_serializing_if = "is_default")]
    pub id: String,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// Watch for objects in the project's namespaces that no Application manages.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct OrphanedResources {
    /// Whether Applications get a condition; absent means false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warn: Option<bool>,
    /// Objects that do not count.
    #[serde(skip_serializing_if = "is_default")]
    pub ignore: Vec<OrphanedResourceKey>,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// Objects that do not count as orphaned; globs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct OrphanedResourceKey {
    /// API group.
    #[serde(skip_serializing_if = "is_default")]
    pub group: String,
    /// Kind; empty means every one.
    #[serde(skip_serializing_if = "is_default")]
    pub kind: String,
    /// Name; empty means every one.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// A time when syncs are allowed or denied [F1.24].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SyncWindow {
    /// `allow` or `deny`.
    #[serde(skip_serializing_if = "is_default")]
    pub kind: String,
    /// When it begins: five-field cron.
    #[serde(skip_serializing_if = "is_default")]
    pub schedule: String,
    /// How long it lasts: a Go duration.
    #[serde(skip_serializing_if = "is_default")]
    pub duration: String,
    /// Names of Applications it is for; globs.
    #[serde(skip_serializing_if = "is_default")]
    pub applications: Vec<String>,
    /// Destination namespaces it is for; globs.
    #[serde(skip_serializing_if = "is_default")]
    pub namespaces: Vec<String>,
    /// Destination clusters it is for; globs.
    #[serde(skip_serializing_if = "is_default")]
    pub clusters: Vec<String>,
    /// Whether a person may sync though the window denies.
    #[serde(skip_serializing_if = "is_default")]
    pub manual_sync: bool,
    /// Time zone of `schedule`; empty means UTC.
    #[serde(skip_serializing_if = "is_default")]
    pub time_zone: String,
    /// Whether all of the lists must match, instead of one.
    #[serde(skip_serializing_if = "is_default")]
    pub and_operator: bool,
    /// For people.
    #[serde(skip_serializing_if = "is_default")]
    pub description: String,
    /// Whether a sync that began in time may go on past the end.
    #[serde(skip_serializing_if = "is_default")]
    pub sync_overrun: bool,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// A key that commits must be signed with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["keyID"]))]
pub struct SignatureKey {
    /// Id of the GnuPG key.
    #[serde(rename = "keyID")]
    pub key_id: String,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// The account to act as in a destination; globs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["server", "defaultServiceAccount"]))]
pub struct DestinationServiceAccount {
    /// URL of the cluster.
    pub server: String,
    /// Namespace.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    /// Account, `name` or `namespace:name`.
    pub default_service_account: String,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// How sources must be signed [F1.23].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SourceIntegrity {
    /// Rules for Git repositories.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub git: Option<GitIntegrity>,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// Rules for Git repositories; two that match one repository are a mistake that fails every check.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["policies"]))]
pub struct GitIntegrity {
    /// The rules.
    pub policies: Vec<GitIntegrityPolicy>,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// One rule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["repos"]))]
pub struct GitIntegrityPolicy {
    /// Repositories it is for.
    pub repos: Vec<GitIntegrityRepo>,
    /// What their commits must be signed with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpg: Option<GpgIntegrity>,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// Repositories a rule is for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["url"]))]
pub struct GitIntegrityRepo {
    /// URL; a glob, `!` excludes.
    pub url: String,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// What commits must be signed with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["mode", "keys"]))]
pub struct GpgIntegrity {
    /// How much is checked.
    pub mode: GpgMode,
    /// Ids of allowed keys.
    pub keys: Vec<String>,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

open_enum! {
    /// How much of the history must be signed [F1.23].
    GpgMode {
        /// Nothing.
        None = "none",
        /// The commit that is synced.
        Head = "head",
        /// Every commit since the last one that was checked.
        Strict = "strict",
    }
}

/// Tokens that were given out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct AppProjectStatus {
    /// Tokens by role.
    #[serde(skip_serializing_if = "is_default")]
    pub jwt_tokens_by_role: BTreeMap<String, JwtTokens>,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// The tokens of one role.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct JwtTokens {
    /// The tokens.
    #[serde(skip_serializing_if = "is_default")]
    pub items: Vec<JwtToken>,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}
