//! The core API between commands and engine: the contract's services over model types, with gRPC codes.
//!
//! ```text
//! cli (in process), later the wire ─> api::{ApplicationService, ProjectService, RepositoryService, SettingsService}
//!                                          │ implemented by Core, one file per service in service/
//!                                          ├─ Store: reads and permitted writes of one cluster (cluster_store: pintle-cluster)
//!                                          ├─ LiveState: live objects and trees (live: reads the cluster when asked)
//!                                          └─ ManifestSource, RepoAccess: what only the repository side knows (the caller's)
//! ```
//!
//! The server never decides what a sync does: it writes what people ask for into the Applications, and the controller acts on it.
//! Secrets are masked where they enter ([`api::ResourceDiff`]), not in each caller.

pub mod api;
pub mod cluster_store;
mod core;
mod error;
mod live;
mod query;
mod service;
pub mod store;

pub use core::{Core, CoreConfig, Parts};
pub use error::{ApiError, Code};
pub use live::ClusterLiveState;
