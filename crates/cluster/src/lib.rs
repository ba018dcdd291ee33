//! From effects to API calls: the one hand that touches Kubernetes API servers.
//!
//! ```text
//! kubeconfig / service account -> Cluster -> discovery -> KindTable
//!                                    |-> Watcher: list + watch per kind -> ClusterEvent -> engine's live index
//!                                    `-> Executor: Permitted<Effect> -> gate (lease, project) -> one request -> Outcome
//! ```
//!
//! Reading is open to everyone who holds a [`Cluster`]; only `execute` writes, and only what is `Permitted`, checked at the moment of the
//! write (I-5). Every call has a deadline and every body a bound that fails (I-3). No lock is held across a request (I-12). A kind, a
//! group or an object that cannot be read is reported and affects only itself (I-19); nothing unreadable is ever shown as absent.

mod backoff;
mod client;
mod clock;
mod clusters;
pub mod discovery;
mod error;
mod execute;
#[cfg(test)]
mod fake;
mod guard;
mod lease;
mod list;
mod path;
mod peer;
pub mod resources;
#[cfg(test)]
mod tests;
mod watch;
mod watch_stream;
mod watcher;

pub use client::{Cluster, ConnectError, KubeconfigSource};
pub use clusters::Clusters;
pub use discovery::{FailedGroup, KindTable, ServedKind};
pub use error::{ApiError, Verb};
pub use execute::{Executor, Seen};
pub use guard::{Leadership, LeaseGuard, ProjectVersionMap, ProjectVersions};
pub use lease::{Elector, LeaseConfig};
pub use list::{Listed, Scope, Trim, Unreadable};
pub use peer::{Peer, detect_peer};
pub use watch::ClusterEvent;
pub use watcher::Watcher;
