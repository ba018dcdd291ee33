//! What runs until it is told to stop.

pub(crate) mod kubesim;
pub(crate) mod serve;
