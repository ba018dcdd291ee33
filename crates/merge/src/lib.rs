//! How Kubernetes objects are compared and combined.
//!
//! ```text
//! desired, live, last applied -> three_way  -> Merged { predicted, patch }      (apply)
//!                             -> compare    -> ObjectDiff { modified, paths }   (sync status)
//!                 original, patch -> strategic | json_merge | json_patch -> modified
//! ```
//!
//! Pure: no clock, no IO. Errors name fields and never repeat values, which may be secret.

pub mod compare;
mod defaulting;
pub mod diff;
pub mod json_merge;
pub mod json_patch;
pub mod normalize;
pub mod quantity;
pub mod schema;
pub mod strategic;
pub mod three_way;

#[cfg(test)]
mod test;

pub use compare::{CompareRules, ObjectDiff, compare};
pub use quantity::Quantity;
pub use schema::{Kind, ListType, Schema, TypeRef};
pub use three_way::{LAST_APPLIED, MergeError, Merged, PatchKind, last_applied, three_way, with_last_applied};
