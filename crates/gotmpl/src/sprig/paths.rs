//! `base`, `dir`, `clean`, `ext`, `isAbs`, and the same by their `os…` names.

use super::args::Args;
use crate::function::Functions;
use crate::paths;
use crate::text::Str;
use crate::types::Type as T;
use crate::value::Value;

pub(super) fn register(f: &mut Functions) {
    type Convert = fn(&[u8]) -> Vec<u8>;
    let functions: [(&str, &str, Convert); 4] = [
        ("base", "osBase", |p| paths::base(p).to_vec()),
        ("dir", "osDir", paths::dir),
        ("clean", "osClean", paths::clean),
        ("ext", "osExt", |p| paths::ext(p).to_vec()),
    ];
    for (name, os_name, convert) in functions {
        for name in [name, os_name] {
            f.add(name, &[T::String], T::String, move |_, a| {
                Ok(Value::Str(Str::from_vec(convert(Args(a).bytes(0)))))
            });
        }
    }
    for name in ["isAbs", "osIsAbs"] {
        f.add(name, &[T::String], T::Bool, |_, a| {
            Ok(Value::Bool(Args(a).bytes(0).starts_with(b"/")))
        });
    }
}
