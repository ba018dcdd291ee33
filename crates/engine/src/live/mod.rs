//! What is in one cluster, as far as applications need to know.

pub mod exclusion;
