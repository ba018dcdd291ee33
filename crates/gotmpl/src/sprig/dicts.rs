//! Dictionaries. `set`, `unset` and `merge*` change the one they are given, for everybody who holds it.

use super::args::Args;
use super::merge::{deep_copy, merge};
use super::show::strval;
use crate::function::{FuncError, Functions};
use crate::text::Str;
use crate::types::{LIST_ANY, LIST_STRING, MAP_ANY, Type as T};
use crate::value::{Map, Value};

const MAP: T = T::Map(&MAP_ANY);

pub(super) fn register(f: &mut Functions) {
    f.add_variadic("dict", &[T::Any], MAP, |_, a| {
        let entries = a.chunks(2).map(|pair| match pair {
            [key, value] => (strval(key), value.clone()),
            other => (other.first().map(strval).unwrap_or_default(), "".into()),
        });
        Ok(Value::map(entries))
    });
    f.add("get", &[MAP, T::String], T::Any, |_, a| {
        Ok(Args(a)
            .map(0)
            .and_then(|m| m.get(Args(a).bytes(1)))
            .unwrap_or_else(|| "".into()))
    });
    f.add("set", &[MAP, T::String, T::Any], MAP, |_, a| {
        let map = Args(a)
            .map(0)
            .filter(|map| !map.is_nil())
            .ok_or("assignment to entry in nil map")?;
        map.insert(Args(a).str(1), Args(a).value(2).clone());
        Ok(Value::Map(map.clone()))
    });
    f.add("unset", &[MAP, T::String], MAP, |_, a| {
        if let Some(map) = Args(a).map(0) {
            map.remove(Args(a).bytes(1));
        }
        Ok(Args(a).value(0).clone())
    });
    f.add("hasKey", &[MAP, T::String], T::Bool, |_, a| {
        Ok(Value::Bool(
            Args(a).map(0).is_some_and(|m| m.contains(Args(a).bytes(1))),
        ))
    });
    f.add_variadic("pluck", &[T::String, MAP], T::List(&LIST_ANY), |_, a| {
        let key = Args(a).bytes(0);
        Ok(Value::list(
            Args(a).rest(1).iter().filter_map(|m| m.as_map()?.get(key)).collect(),
        ))
    });
    f.add_variadic("keys", &[MAP], T::List(&LIST_STRING), |_, a| {
        Ok(Value::strings(a.iter().filter_map(Value::as_map).flat_map(Map::keys)))
    });
    f.add("values", &[MAP], T::List(&LIST_ANY), |_, a| {
        let entries = Args(a).map(0).map(Map::entries).unwrap_or_default();
        Ok(Value::list(entries.into_iter().map(|(_, value)| value).collect()))
    });
    f.add_variadic("pick", &[MAP, T::String], MAP, |_, a| {
        let out = Map::new();
        for key in Args(a).rest(1).iter().filter_map(Value::as_text) {
            if let Some(value) = Args(a).map(0).and_then(|m| m.get(key.as_bytes())) {
                out.insert(key.clone(), value);
            }
        }
        Ok(Value::Map(out))
    });
    f.add_variadic("omit", &[MAP, T::String], MAP, |_, a| {
        let omit: std::collections::HashSet<&[u8]> = Args(a)
            .rest(1)
            .iter()
            .filter_map(Value::as_text)
            .map(Str::as_bytes)
            .collect();
        let entries = Args(a).map(0).map(Map::entries).unwrap_or_default();
        Ok(Value::map(
            entries.into_iter().filter(|(key, _)| !omit.contains(key.as_bytes())),
        ))
    });
    for (name, overwrite) in [
        ("merge", false),
        ("mustMerge", false),
        ("mergeOverwrite", true),
        ("mustMergeOverwrite", true),
    ] {
        f.add_variadic(name, &[MAP, MAP], T::Any, move |call, a| {
            // A nil destination stays nil; what is merged into it goes into a map of its own, which the call returns.
            let mut target = Args(a).map(0).cloned().unwrap_or_else(|| Map::nil(&MAP_ANY));
            for source in Args(a).rest(1).iter().filter_map(Value::as_map) {
                if target.is_nil() && !source.is_nil() {
                    target = Map::of(target.ty());
                }
                merge(call, &target, source, overwrite, 0)?;
            }
            Ok(Value::Map(target))
        });
    }
    for name in ["deepCopy", "mustDeepCopy"] {
        f.add(name, &[T::Any], T::Any, |call, a| match Args(a).value(0) {
            Value::Nil => Err("reflect: call of reflect.Value.Type on zero Value".into()),
            value => deep_copy(call, value, 0),
        });
    }
    f.add_variadic("dig", &[T::Any], T::Any, |_, a| dig(a));
}

fn dig(a: &[Value]) -> Result<Value, FuncError> {
    let [keys @ .., default, dict] = a else {
        return Err("dig needs at least three arguments".into());
    };
    if keys.is_empty() {
        return Err("dig needs at least three arguments".into());
    }
    let not = |value: &Value, wanted: &str| {
        let name = if matches!(value, Value::Nil) {
            "nil"
        } else {
            value.type_name()
        };
        FuncError::new(format!("interface conversion: interface {{}} is {name}, not {wanted}"))
    };
    let as_map = |value: &Value| match value {
        Value::Map(map) if map.ty().name == MAP_ANY.name => Ok(map.clone()),
        other => Err(not(other, MAP_ANY.name)),
    };
    let mut map = as_map(dict)?;
    let mut names = Vec::with_capacity(keys.len());
    for key in keys {
        names.push(key.as_text().ok_or_else(|| not(key, "string"))?);
    }
    let last = names.len() - 1;
    for (at, name) in names.into_iter().enumerate() {
        match map.get(name.as_bytes()) {
            None => return Ok(default.clone()),
            Some(value) if at == last => return Ok(value),
            Some(value) => map = as_map(&value)?,
        }
    }
    Ok(default.clone())
}
