//! Emptiness, defaults and JSON.

use super::args::Args;
use super::json;
use crate::function::{FuncError, Functions};
use crate::types::{Kind, Type as T};
use crate::value::Value;

pub(super) fn register(f: &mut Functions) {
    f.add_variadic("default", &[T::Any, T::Any], T::Any, |_, a| {
        let given = a.get(1).filter(|v| !is_empty(v));
        Ok(given.unwrap_or(Args(a).value(0)).clone())
    });
    f.add("empty", &[T::Any], T::Bool, |_, a| {
        Ok(Value::Bool(is_empty(Args(a).value(0))))
    });
    f.add_variadic("coalesce", &[T::Any], T::Any, |_, a| {
        Ok(a.iter().find(|v| !is_empty(v)).cloned().unwrap_or_default())
    });
    f.add_variadic("all", &[T::Any], T::Bool, |_, a| {
        Ok(Value::Bool(!a.iter().any(is_empty)))
    });
    f.add_variadic("any", &[T::Any], T::Bool, |_, a| {
        Ok(Value::Bool(a.iter().any(|v| !is_empty(v))))
    });
    f.add("ternary", &[T::Any, T::Any, T::Bool], T::Any, |_, a| {
        Ok(Args(a).value(usize::from(!Args(a).value(2).truth())).clone())
    });
    f.add("fromJson", &[T::String], T::Any, |_, a| {
        Ok(json::from_json(Args(a).bytes(0))
            .map(|read| read.value)
            .unwrap_or_default())
    });
    f.add("mustFromJson", &[T::String], T::Any, |_, a| {
        match json::from_json(Args(a).bytes(0)).map_err(FuncError::new)? {
            json::Read {
                misfit: Some(misfit), ..
            } => Err(misfit.into()),
            read => Ok(read.value),
        }
    });
    for (name, style) in [
        ("Json", json::Style::Plain),
        ("PrettyJson", json::Style::Pretty),
        ("RawJson", json::Style::Raw),
    ] {
        f.add(&format!("mustTo{name}"), &[T::Any], T::String, move |call, a| {
            Ok(json::write(call, Args(a).value(0), style)?.into())
        });
        f.add(
            &format!("to{name}"),
            &[T::Any],
            T::String,
            move |call, a| match json::write(call, Args(a).value(0), style) {
                Ok(text) => Ok(text.into()),
                // Only the raw form tells.
                Err(json::Unwritable::Unsupported(_)) if !matches!(style, json::Style::Raw) => Ok("".into()),
                Err(error) => Err(error.into()),
            },
        );
    }
}

/// sprig's `empty`: nil, zero, false, or without elements. Structs never are.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Host(host) if host.kind() == Kind::Struct => false,
        other => !other.truth(),
    }
}
