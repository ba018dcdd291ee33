//! From a file tree and a source spec to objects and diagnostics.
