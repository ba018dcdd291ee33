//! Sync operations on a small simulated cluster.

mod ordering;
mod reference;
mod scenario;
mod world;

mod lint;
