//! The loops that watch, decide, execute and report.
