//! The controllers that every control plane has: garbage collection, namespaces, custom resource definitions.

mod definitions;
mod garbage;
mod namespaces;

#[cfg(test)]
mod tests;

pub use definitions::Definitions;
pub use garbage::GarbageCollector;
pub use namespaces::Namespaces;
