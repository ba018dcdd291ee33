//! The embedded evaluation control plane.
