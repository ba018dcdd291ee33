//! The settings documents: `argocd-cm`, `argocd-cmd-params-cm`, and the Secrets of repositories and clusters.
//!
//! Parsed once into values; everyone else receives `&Settings` (or a Secret's value) and never reads a document.

mod cluster;
mod config;
mod document;
mod filter;
mod limits;
mod repository;
mod secret;

pub use cluster::{AwsAuth, ClusterConfig, ClusterSecret, ClusterTls, ExecAuth};
pub use config::{
    CompareOptions, ControllerSettings, IgnoreStatus, RenderLimits, RenderingSettings, RespectRbac, SelfHeal, Settings,
    TrackingMethod,
};
pub use document::{CONFIG_NAME, NotActedOn, PARAMS_NAME, SettingsError, SettingsProblem};
pub use filter::{FilteredResource, ResourceFilter, SHIPPED_EXCLUSIONS};
pub use repository::{RepositoryCredentials, RepositorySecret, RepositoryType};
pub use secret::{SecretError, SecretType};
