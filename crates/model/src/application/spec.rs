//! What an Application should be.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::source::{Source, SourceHydrator};
use crate::unknown::{Unknown, is_default};

/// What to deploy, where to, and how.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["destination", "project"]))]
pub struct ApplicationSpec {
    /// The one source; ignored where `sources` has entries [F1.5].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// Where to deploy.
    pub destination: Destination,
    /// Project whose rules apply; empty means `default`.
    pub project: String,
    /// When and how to sync.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_policy: Option<SyncPolicy>,
    /// Differences that do not count.
    #[serde(skip_serializing_if = "is_default")]
    pub ignore_differences: Vec<IgnoreDifferences>,
    /// Notes for people.
    #[serde(skip_serializing_if = "is_default")]
    pub info: Vec<Info>,
    /// How many history entries are kept; absent means 10, 0 keeps none [F1.10].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision_history_limit: Option<i64>,
    /// Several sources, rendered together.
    #[serde(skip_serializing_if = "is_default")]
    pub sources: Vec<Source>,
    /// Renders into a branch that is synced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_hydrator: Option<SourceHydrator>,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// History entries kept where `revisionHistoryLimit` is absent [F1.10].
pub const DEFAULT_REVISION_HISTORY_LIMIT: usize = 10;

impl ApplicationSpec {
    /// The sources to render. `sources` wins over `source`; a hydrator's `syncSource` stands for both [F1.5].
    pub fn effective_sources(&self) -> Vec<Source> {
        if let Some(hydrator) = &self.source_hydrator {
            let SourceHydrator {
                dry_source,
                sync_source,
                ..
            } = hydrator;
            let repo_url = if sync_source.repo_url.is_empty() {
                &dry_source.repo_url
            } else {
                &sync_source.repo_url
            };
            return vec![Source {
                repo_url: repo_url.clone(),
                path: sync_source.path.clone(),
                target_revision: sync_source.target_branch.clone(),
                ..Source::default()
            }];
        }
        self.sources().to_vec()
    }

    /// The sources as written in `sources` or, where that has no entries, `source`. Empty where neither is given (a hydrator, or a mistake).
    pub fn sources(&self) -> &[Source] {
        if self.sources.is_empty() {
            self.source.as_slice()
        } else {
            &self.sources
        }
    }

    /// Whether `sources` is in use, so that status and history carry lists too.
    pub fn has_multiple_sources(&self) -> bool {
        self.source_hydrator.is_none() && !self.sources.is_empty()
    }

    /// The project's name, `default` where none is written.
    pub fn project_or_default(&self) -> &str {
        if self.project.is_empty() {
            "default"
        } else {
            &self.project
        }
    }

    /// How many history entries to keep; negative limits keep none.
    pub fn history_limit(&self) -> usize {
        self.revision_history_limit
            .map_or(DEFAULT_REVISION_HISTORY_LIMIT, |n| usize::try_from(n).unwrap_or(0))
    }

    /// The automated policy, if it is present and not switched off by `enabled: false` [F1.6].
    pub fn automated(&self) -> Option<&Automated> {
        self.sync_policy
            .as_ref()?
            .automated
            .as_ref()
            .filter(|a| a.enabled != Some(false))
    }
}

/// One cluster, by `server` or by `name`, and a namespace in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Destination {
    /// URL of the cluster's API server.
    #[serde(skip_serializing_if = "is_default")]
    pub server: String,
    /// Namespace for objects that name none.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    /// Name of the cluster as registered.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

impl Destination {
    /// Server URL of the cluster Pintle runs in [F1.19].
    pub const IN_CLUSTER_SERVER: &str = "https://kubernetes.default.svc";
    /// Name of the cluster Pintle runs in [F1.19].
    pub const IN_CLUSTER_NAME: &str = "in-cluster";

    /// Which cluster is meant, or why none is. Exactly one of `server` and `name` must be given [F1.5].
    pub fn cluster(&self) -> Result<ClusterRef<'_>, DestinationError> {
        match (self.server.as_str(), self.name.as_str()) {
            ("", "") => Err(DestinationError::Missing),
            ("", name) => Ok(ClusterRef::Name(name)),
            (server, "") => Ok(ClusterRef::Server(server.trim_end_matches('/'))),
            (server, name) => Err(DestinationError::Both {
                server: server.to_owned(),
                name: name.to_owned(),
            }),
        }
    }

    /// Whether this is the cluster Pintle runs in, under its fixed URL or name.
    pub fn is_in_cluster(&self) -> bool {
        matches!(
            self.cluster(),
            Ok(ClusterRef::Server(Self::IN_CLUSTER_SERVER) | ClusterRef::Name(Self::IN_CLUSTER_NAME))
        )
    }
}

/// How a destination names its cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClusterRef<'a> {
    /// By API server URL, without a trailing slash.
    Server(&'a str),
    /// By registered name.
    Name(&'a str),
}

/// Why a destination names no cluster.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DestinationError {
    /// Neither `server` nor `name` is given.
    #[error("Destination server missing from app spec")]
    Missing,
    /// Both are given.
    #[error("application destination can't have both name and server defined: {name} {server}")]
    Both {
        /// What `server` says.
        server: String,
        /// What `name` says.
        name: String,
    },
}

/// Differences that do not count, for the objects it selects [F1.9].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["kind"]))]
pub struct IgnoreDifferences {
    /// API group, a glob.
    #[serde(skip_serializing_if = "is_default")]
    pub group: String,
    /// Kind, a glob.
    pub kind: String,
    /// Name; empty means every one.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Namespace; empty means every one.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    /// Fields to ignore, as JSON pointers.
    #[serde(skip_serializing_if = "is_default")]
    pub json_pointers: Vec<String>,
    /// Fields to ignore, as jq paths.
    #[serde(skip_serializing_if = "is_default")]
    pub jq_path_expressions: Vec<String>,
    /// Ignore what these field managers own.
    #[serde(skip_serializing_if = "is_default")]
    pub managed_fields_managers: Vec<String>,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// One note for people: a name and a text or URL.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["name", "value"]))]
pub struct Info {
    /// Name.
    pub name: String,
    /// Text or URL.
    pub value: String,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// When and how an Application is synced.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SyncPolicy {
    /// Sync by itself; absent means a person does it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automated: Option<Automated>,
    /// Options as `Name=value`; see [`crate::sync_option`].
    #[serde(skip_serializing_if = "is_default")]
    pub sync_options: Vec<String>,
    /// How failed syncs are tried again; absent means not, or, for automated syncs, five times [F1.7].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetryStrategy>,
    /// Metadata of the namespace that `CreateNamespace=true` makes [F1.8].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_namespace_metadata: Option<ManagedNamespaceMetadata>,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// Automated sync [F1.6]. Every setting is optional, absent means false; `enabled` absent means true.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Automated {
    /// Whether objects that left the source are deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prune: Option<bool>,
    /// Whether changes made in the cluster are reverted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_heal: Option<bool>,
    /// Whether an empty render may prune everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_empty: Option<bool>,
    /// `false` switches automated sync off and keeps the other settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

impl Automated {
    /// Whether objects that left the source are deleted.
    pub fn prunes(&self) -> bool {
        self.prune == Some(true)
    }

    /// Whether changes made in the cluster are reverted.
    pub fn self_heals(&self) -> bool {
        self.self_heal == Some(true)
    }

    /// Whether an empty render may prune everything.
    pub fn allows_empty(&self) -> bool {
        self.allow_empty == Some(true)
    }
}

/// How a failed operation is tried again [F1.7].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct RetryStrategy {
    /// How many times; negative means without end.
    #[serde(skip_serializing_if = "is_default")]
    pub limit: i64,
    /// How long between tries; absent means the defaults.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff: Option<Backoff>,
    /// Whether a retry uses the newest revision instead of the one it started with.
    #[serde(skip_serializing_if = "is_default")]
    pub refresh: bool,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// Waiting time between tries, growing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Backoff {
    /// First wait, a Go duration or whole seconds; empty means 5s.
    #[serde(skip_serializing_if = "is_default")]
    pub duration: String,
    /// By what each wait is multiplied for the next; absent means 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub factor: Option<i64>,
    /// Longest wait, written like `duration`; empty means 3m.
    #[serde(skip_serializing_if = "is_default")]
    pub max_duration: String,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}

/// Labels and annotations of a namespace that a sync makes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ManagedNamespaceMetadata {
    /// Labels.
    #[serde(skip_serializing_if = "is_default")]
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    #[serde(skip_serializing_if = "is_default")]
    pub annotations: BTreeMap<String, String>,
    /// Every other field.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: Unknown,
}
