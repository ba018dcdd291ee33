//! The functions of sprig v3.3.0, as Helm 4 registers them: without `env` and `expandenv`.
//!
//! Kinds, error texts and what is mutable are Go's. Where Go's map order is random (`keys`, `values`), ours is sorted.
//! `getHostByName` answers "": nothing here reaches a network. Randomness and time come from the call's Ambient.

#![allow(
    clippy::type_complexity,
    reason = "functions of one shape are registered from tables of names and bodies"
)]

mod args;
mod cast;
mod crypto;
mod dates;
mod decimal;
mod defaults;
mod dicts;
mod encoding;
mod json;
mod keyed;
mod lists;
mod math;
mod merge;
mod paths;
mod random;
mod reflect;
mod regex;
mod semver;
mod show;
mod strings;
mod url;
mod x509;

pub use dates::TimeHost;
pub use json::{Read, Unwritable, from_json, to_json};
pub use keyed::{KeyedAmbient, RandomAmbient};
pub use semver::VersionHost;
pub use x509::CertificateHost;

use crate::function::Functions;

/// Adds every function of sprig to the registry, replacing those of the same names.
pub fn register(functions: &mut Functions) {
    strings::register(functions);
    lists::register(functions);
    dicts::register(functions);
    math::register(functions);
    dates::register(functions);
    defaults::register(functions);
    reflect::register(functions);
    encoding::register(functions);
    paths::register(functions);
    regex::register(functions);
    semver::register(functions);
    url::register(functions);
    random::register(functions);
    crypto::register(functions);
}

/// Go's text of the panic of using a nil interface or pointer.
const NIL_DEREFERENCE: &str = "runtime error: invalid memory address or nil pointer dereference";
