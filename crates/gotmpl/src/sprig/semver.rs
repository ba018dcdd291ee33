//! `semver`, `semverCompare`, and the version they give.

use std::any::Any;
use std::rc::Rc;

use super::args::Args;
use crate::function::{Call, FuncError, Functions};
use crate::host::{Host, Signature};
use crate::semver::{Constraints, Version};
use crate::types::Number;
use crate::types::{NumberKind, Type as T};
use crate::value::Value;

const POINTER: T = T::Host("*semver.Version");

/// A `*semver.Version` in a template.
#[derive(Clone, Debug)]
pub struct VersionHost(pub Version);

impl Host for VersionHost {
    fn type_name(&self) -> &str {
        "*semver.Version"
    }

    fn text(&self) -> Option<String> {
        Some(self.0.to_string())
    }

    fn json_text(&self) -> Option<String> {
        Some(self.0.to_string())
    }

    /// Only what does not ask for its text sees them: `%d`.
    fn fields(&self) -> Vec<(&'static str, Value)> {
        let number = |n: u64| Value::Number(Number::unsigned(NumberKind::Uint64, n));
        vec![
            ("major", number(self.0.major())),
            ("minor", number(self.0.minor())),
            ("patch", number(self.0.patch())),
            ("pre", self.0.prerelease().into()),
            ("metadata", self.0.metadata().into()),
            ("original", self.0.original().into()),
        ]
    }

    /// None of its fields is exported.
    fn deep_copied(&self) -> Option<Rc<dyn Host>> {
        Some(Rc::new(Self(Version::default())))
    }

    fn method(&self, name: &str) -> Option<Signature> {
        let params: &'static [T] = match name {
            "Major" | "Minor" | "Patch" | "Prerelease" | "Metadata" | "Original" | "String" | "IncMajor"
            | "IncMinor" | "IncPatch" => &[],
            "SetPrerelease" | "SetMetadata" => &[T::String],
            "Compare" | "Equal" | "LessThan" | "LessThanEqual" | "GreaterThan" | "GreaterThanEqual" => &[POINTER],
            _ => return None,
        };
        Some(Signature {
            params,
            variadic: false,
        })
    }

    fn call(&self, _: &mut Call<'_>, name: &str, a: &[Value]) -> Result<Value, FuncError> {
        let v = &self.0;
        let number = |n: u64| Value::Number(Number::unsigned(NumberKind::Uint64, n));
        let order = || match Args(a).value(0) {
            Value::Host(host) => host.as_any().downcast_ref::<Self>().map(|o| v.compare(&o.0)),
            _ => None,
        };
        let order = || order().ok_or_else(|| FuncError::new(super::NIL_DEREFERENCE));
        let version = |v: Version| Value::host(Self(v));
        let overflow = |part: &str| FuncError::new(format!("{part} version increment would overflow uint64"));
        let failed = |e: crate::semver::Error| FuncError::new(e.to_string());
        Ok(match name {
            "Major" => number(v.major()),
            "Minor" => number(v.minor()),
            "Patch" => number(v.patch()),
            "Prerelease" => v.prerelease().into(),
            "Metadata" => v.metadata().into(),
            "Original" => v.original().into(),
            "String" => v.to_string().into(),
            "IncMajor" if v.major() == u64::MAX => return Err(overflow("major")),
            "IncMinor" if v.minor() == u64::MAX => return Err(overflow("minor")),
            "IncPatch" if v.patch() == u64::MAX && v.prerelease().is_empty() => return Err(overflow("patch")),
            "IncMajor" => version(v.inc_major()),
            "IncMinor" => version(v.inc_minor()),
            "IncPatch" => version(v.inc_patch()),
            "SetPrerelease" => version(v.set_prerelease(&Args(a).text(0)).map_err(failed)?),
            "SetMetadata" => version(v.set_metadata(&Args(a).text(0)).map_err(failed)?),
            "Compare" => Value::Int(order()? as i64),
            "Equal" => Value::Bool(order()?.is_eq()),
            "LessThan" => Value::Bool(order()?.is_lt()),
            "LessThanEqual" => Value::Bool(order()?.is_le()),
            "GreaterThan" => Value::Bool(order()?.is_gt()),
            "GreaterThanEqual" => Value::Bool(order()?.is_ge()),
            _ => return Err(FuncError::new(format!("semver.Version has no method {name}"))),
        })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

pub(super) fn register(f: &mut Functions) {
    let failed = |e: crate::semver::Error| FuncError::new(e.to_string());
    f.add("semver", &[T::String], POINTER, move |_, a| {
        Ok(Value::host(VersionHost(
            Version::parse(&Args(a).text(0)).map_err(failed)?,
        )))
    });
    f.add("semverCompare", &[T::String, T::String], T::Bool, move |_, a| {
        let constraints = Constraints::parse(&Args(a).text(0)).map_err(failed)?;
        let version = Version::parse(&Args(a).text(1)).map_err(failed)?;
        Ok(Value::Bool(constraints.check(&version)))
    });
}
