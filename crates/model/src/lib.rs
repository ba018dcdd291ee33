//! Kubernetes objects, ids, custom resources and settings as values.
//!
//! ```text
//! JSON / YAML text -> Value -> Object -> (engine, merge, kubesim) -> to_json -> the API server
//!                        \-> Application, AppProject, Settings (typed, unknown fields kept)
//! ```
//!
//! Free of behaviour except parse, print and validate. Objects carry secrets, so [`Value`] and [`Object`] have neither `Debug`
//! nor `Serialize` (invariant I-26).

pub mod annotation;
pub mod application;
pub mod crd;
pub mod duration;
pub mod glob;
pub mod id;
pub mod masked;
pub mod metadata;
pub mod object;
mod open_enum;
pub mod project;
pub mod revision;
pub mod sensitive;
pub mod settings;
pub mod sync_option;
pub mod time;
pub mod tree;
pub mod typed;
pub mod unknown;
pub mod value;
pub mod yaml;

pub use application::Application;
pub use duration::GoDuration;
pub use id::{GroupKind, Gvk, ResourceKey};
pub use masked::Masked;
pub use metadata::{ObjectMeta, OwnerRef};
pub use object::{NotAnObject, Object, OwnerReference};
pub use project::AppProject;
pub use sensitive::Sensitive;
pub use settings::Settings;
pub use sync_option::SyncOptions;
pub use time::Time;
pub use typed::DecodeError;
pub use unknown::Unknown;
pub use value::{JsonError, Map, Value, to_json, to_json_string, write_json};
pub use yaml::{YamlObject, YamlObjectError, yaml_objects};
