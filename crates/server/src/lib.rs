//! The core API between commands and engine.
