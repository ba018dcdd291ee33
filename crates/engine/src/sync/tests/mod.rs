//! Sync operations on a small simulated cluster.

mod crash;
mod deletion;
mod failing;
mod hooks;
mod ordering;
mod pruning;
mod reference;
mod scenario;
mod world;

mod lint;
