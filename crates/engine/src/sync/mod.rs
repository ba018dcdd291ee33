//! One sync operation as one pure state machine.
//!
//! ```text
//! SyncOp (immutable) ─┐                     ┌─> effects ─> execute ─> outcomes ─┐
//! live view ──────────┼─> plan -> step ─────┼─> results (the only persisted     │
//! results, memory ────┘    ^                │   progress: syncResult.resources) │
//!                          │                └─> waiting_on, wake_at             │
//!                          └────────────────────────────────────────────────────┘
//! ```
//!
//! The process may end between any two effects: [`step()`] resumes from the results and the live view alone. What it keeps besides
//! ([`Memory`]) only saves work. Invariants: no effect of a later wave while an earlier one is not applied and healthy; no prune without a
//! tracked object and a complete view of its kind (I-1, I-6); no DELETE without UID (I-16); a hook runs once per operation attempt, known by
//! the stamp it carries (I-9, I-11); every step that is not final says what it waits for.

mod absorb;
mod cleanup;
pub mod delete;
mod dependency;
mod effects;
mod failure;
mod first_pass;
pub mod hook;
mod observe;
pub mod op;
pub mod options;
pub mod order;
pub mod plan;
mod progress;
mod prune;
pub mod retry;
mod stages;
pub mod step;
pub mod task;
mod terminate;
pub mod view;
pub mod waiting;
pub mod wave;

#[cfg(test)]
mod tests;

pub use delete::{DeleteOp, DeleteStep, delete_step};
pub use op::{SyncOp, Terminate};
pub use step::{Step, step};
pub use task::{Task, TaskId, Verb};
pub use view::{ClusterView, Incomplete, Live, Memory, Served, SyncView};
pub use waiting::WaitingOn;
