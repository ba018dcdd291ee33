//! The loops that watch, decide, execute and report.
//!
//! ```text
//! cluster::Watcher ─┐                          ┌─> render jobs ──┐
//! refresh hints ────┼─> Event ─> Hub (one task) ┼─> execute jobs ─┼─> Event ─> …
//! timers (wake_at) ─┘     decides, never waits └─> status writes ┘
//! ```
//!
//! One task owns all state, so there are no locks to hold across I/O (I-12); whatever waits is a job that reports back as an [`Event`].
//! Nothing is decided before every watched kind has been listed once (I-13).

mod announcer;
mod app_state;
mod clock;
mod config;
mod controller;
mod event;
mod hub;
mod installation;
mod intake;
mod jobs;
mod query;
mod quiet;
mod turn;
mod writers;

pub use config::ControllerConfig;
pub use controller::{Controller, ControllerError};
pub use query::{ManagedResource, QueryError};
