//! Decisions about one Application.

pub mod autosync;
pub mod change;
pub mod cluster;
pub mod compare;
pub mod condition;
pub mod fail_closed;
pub mod history;
pub mod operation;
pub mod preview;
pub mod project;
pub mod recorded;
pub mod status;
pub mod targets;
