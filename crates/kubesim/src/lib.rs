//! The embedded evaluation control plane: a Kubernetes API in memory, with simulated workloads.
//!
//! ```text
//! kubectl, kube::Client ──► api (paths, verbs, defaults, validation, patches, tables)
//!                                │
//!                                ▼
//!                 store (objects, resourceVersion, history) ◄── controllers (gc, namespaces, CRDs, workloads)
//!                                                                   ▲ stepped by simulate on a clock
//! ```
//!
//! In memory only. The store does no IO; [`clock::Clock`] is the one source of time, and a test may drive it by hand.

pub mod clock;
pub mod crd;
pub mod error;
pub mod logs;
pub mod resource;
pub mod simulate;
pub mod store;
pub mod workload;

pub use clock::Clock;
pub use error::ApiError;
pub use logs::{LogLine, PodLogs};
pub use resource::{GroupResource, Resource, Resources};
pub use simulate::{Controller, Simulation};
pub use store::{DeleteOptions, Deletion, Event, EventKind, Propagation, Store};
