//! The embedded evaluation control plane: a Kubernetes API in memory, with simulated workloads.
//!
//! ```text
//! kubectl, kube::Client ──► api (paths, verbs, patches, tables) ──► admit (types, rules) + defaults
//!                                                                        │
//!                                                                        ▼
//!                  store (objects, resourceVersion, history) ◄── controllers (gc, namespaces, CRDs, workloads)
//!                                                                    ▲ stepped by simulate on a clock
//! ```
//!
//! In memory only. The store does no IO; [`clock::Clock`] is the one source of time, and a test may drive it by hand. Absent on purpose:
//! authorization (whoever has the token may do everything), admission webhooks, server-side apply (415), protobuf answers.

mod admit;
pub mod api;
pub mod clock;
pub mod controller;
mod convert;
pub mod crd;
pub mod defaults;
pub mod error;
pub mod fault;
pub mod logs;
pub mod quantity;
pub mod resource;
pub mod serve;
mod sim;
pub mod simulate;
pub mod store;
pub mod workload;

pub use api::{ApiService, Body, ConnectionLost};
pub use clock::Clock;
pub use error::ApiError;
pub use fault::{Fault, Faults, LoggedWrite, Write, WriteGate, WriteVerb};
pub use logs::{LogLine, PodLogs};
pub use resource::{GroupResource, Resource, Resources};
pub use serve::Server;
pub use sim::KubeSim;
pub use simulate::{Controller, Simulation};
pub use store::{DeleteOptions, Deletion, Event, EventKind, Propagation, Store};
