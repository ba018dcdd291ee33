//! What one Application should do next: live index, tracking, health, comparison, sync plan. Values in, values out.
//!
//! ```text
//! watch events -> live::Index ─┐
//! rendered objects ────────────┼─> app::compare -> app::decide -> Decision (what, why, wake_at)
//! AppProject, Settings ────────┘                     └─> sync::step -> effects ─> cluster::execute -> outcomes ─┐
//!                                                             ^────────────────────────────────────────────────┘
//! ```
//!
//! Nothing here knows a runtime, a client or a clock.

pub mod app;
pub mod complete;
pub mod effect;
pub mod health;
pub mod kinds;
pub mod live;
pub mod record;
pub mod sync;
pub mod track;
mod twin;
pub mod view;

pub use effect::{
    Action, ApplyMode, ClusterId, Effect, Failure, FailureKind, Grant, Outcome, Permitted, Propagation, Skipped,
};
