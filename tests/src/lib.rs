//! What Pintle's acceptance scenarios stand on.
//!
//! ```text
//! Tools::locate_or_build()   go builds etcd, kube-apiserver, … once, from pinned modules
//!        │  Unavailable → require_or_step_aside: said aloud, a failure in CI
//!        ▼
//! ControlPlane::start(dir)   certificates → etcd → apiserver → controller-manager, scheduler, kwok
//!        │
//!        ▼
//! kubeconfig, kubectl, client certificate; Drop (or the watchdog) ends every process
//!
//! World (scenarios: tests/acceptance.rs, charts.rs, overlays.rs, monorepo.rs, bad_days.rs, bad_sources.rs, killed.rs)
//!   git    repositories over HTTP, pushed to by the scenario
//!   api    the user's own client
//!   pintle the controller, in a runtime of its own so that it can be killed
//!   plane  kubesim behind a wire that can be recorded and cut, or the real control plane
//! checkout               Git repositories on this machine
//! thirds                 a repository of applications, a third each plain, Helm and Kustomize
//! ChartServer, Registry   where charts come from besides Git: nginx and the real distribution registry
//! web_server::Server      answers as it is told, also wrongly
//! ```
//!
//! Invariants: everything listens on loopback only; every wait has a deadline; no
//! child outlives the test process, however that ends.

#![allow(
    clippy::disallowed_methods,
    reason = "a test harness is a door: it reads the environment, runs programs and waits by the wall clock"
)]

pub mod background;
pub mod bench;
pub mod chain;
pub mod chart_files;
pub mod chart_server;
pub mod checkout;
pub mod controlplane;
pub mod go_tools;
pub mod hostile;
pub mod manifests;
pub mod oracle;
mod planes;
pub mod process;
pub mod registry;
pub mod step_aside;
pub mod thirds;
pub mod wait;
pub mod web_server;
pub mod world;

pub use controlplane::{ControlPlane, StartError, Tools, ToolsError, Unavailable};
pub use step_aside::require_or_step_aside;
pub use wait::{TimedOut, wait_until};
pub use world::World;
