//! How Kubernetes objects are compared and combined.
//!
//! ```text
//! desired, live, last applied -> three_way  -> Merged { predicted, patch }      (apply)
//!                             -> compare    -> ObjectDiff { modified, paths }   (sync status)
//!                 original, patch -> strategic | json_merge | json_patch -> modified
//! ```
//!
//! Pure: no clock, no IO. Errors name fields and never repeat values, which may be secret.

pub mod json_merge;
pub mod json_patch;
pub mod schema;
pub mod strategic;

#[cfg(test)]
mod test;

pub use schema::{Kind, ListType, Schema, TypeRef};
