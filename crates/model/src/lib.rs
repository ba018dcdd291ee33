//! Kubernetes objects, ids, custom resources and settings as values.
//!
//! ```text
//! JSON / YAML text -> Value -> Object -> (engine, merge, kubesim) -> to_json -> the API server
//!                        \-> Application, AppProject, Settings (typed, unknown fields kept)
//! ```
//!
//! Free of behaviour except parse, print and validate. Objects carry secrets, so [`Value`] and [`Object`] have neither `Debug`
//! nor `Serialize` (invariant I-26).

pub mod glob;
pub mod id;
pub mod object;
pub mod tree;
pub mod value;

pub use id::{GroupKind, Gvk, ResourceKey};
pub use object::{NotAnObject, Object, OwnerReference};
pub use value::{JsonError, Map, Value, to_json, to_json_string, write_json};
