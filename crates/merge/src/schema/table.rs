//! The text form of a [`Schema`].
//!
//! One line per type, not indented: its name, `atomic` if structured merge treats it as one value, and its kinds as
//! `group/version/kind`. One line per field, indented by one space: its name, `*` if it is required, `=` if it is a Go value (absent
//! and zero are the same), its shape, and attributes.
//!
//! ```text
//! core.v1.PodSpec
//!  containers*= [.Container list=map:name patch=merge key=name
//!  hostNetwork= b
//!  nodeSelector= {s map=atomic
//! ```
//!
//! Shapes: `s` string, `i` int32, `l` int64, `f` float, `b` bool, `y` bytes, `q` quantity, `x` int or string, `t` time, `u` time
//! with microseconds, `a` anything, `[…` a list, `{…` a map, `.Name` a type of the same package, otherwise a type's name.
//! Attributes: `list=atomic|set|map:key,…`, `map=atomic|granular`, `patch=merge|replace|retainKeys|merge,retainKeys`, `key=field`, and
//! last `default=` with JSON up to the end of the line.

use std::collections::BTreeMap;

use pintle_model::Value;

use super::{Field, Kind, ListType, Patch, Schema, Shape, Type};

/// Why a table cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("schema table line {line}: {problem}")]
pub struct TableError {
    line: usize,
    problem: &'static str,
}

pub(super) fn parse(text: &str) -> Result<Schema, TableError> {
    let lines = || {
        text.lines()
            .enumerate()
            .filter(|(_, l)| !l.starts_with('#') && !l.trim().is_empty())
    };
    let mut names: Vec<&str> = lines()
        .filter(|(_, l)| !l.starts_with(' '))
        .filter_map(|(_, l)| l.split(' ').next())
        .collect();
    names.sort_unstable();
    let index: BTreeMap<&str, u32> = names.iter().enumerate().map(|(i, n)| (*n, i as u32)).collect();

    let mut types: Vec<Type> = names.iter().map(|_| Type::default()).collect();
    let mut kinds = BTreeMap::new();
    let mut current = None;
    for (number, line) in lines() {
        let at = |problem| TableError {
            line: number + 1,
            problem,
        };
        if let Some(line) = line.strip_prefix(' ') {
            let (here, package) = current.ok_or(at("a field before any type"))?;
            let field = field(line, package, &index).map_err(at)?;
            let own: &mut Type = types.get_mut(here as usize).ok_or(at("no such type"))?;
            own.fields.push(field);
        } else {
            let mut words = line.split(' ');
            let name = words.next().unwrap_or_default();
            let here = *index.get(name).ok_or(at("no such type"))?;
            let own: &mut Type = types.get_mut(here as usize).ok_or(at("no such type"))?;
            own.name = name.into();
            for word in words {
                if word == "atomic" {
                    own.atomic = true;
                } else {
                    kinds.insert(word.into(), here);
                }
            }
            current = Some((here, name.rsplit_once('.').map_or("", |(package, _)| package)));
        }
    }
    for own in &mut types {
        own.fields.sort_by(|a, b| a.name.cmp(&b.name));
    }
    Ok(Schema { types, kinds })
}

fn field(line: &str, package: &str, index: &BTreeMap<&str, u32>) -> Result<Field, &'static str> {
    let (line, default) = match line.split_once(" default=") {
        Some((line, json)) => (
            line,
            Some(Value::from_json(json.as_bytes()).map_err(|_| "default is not JSON")?),
        ),
        None => (line, None),
    };
    let mut words = line.split(' ');
    let name = words.next().unwrap_or_default();
    let (name, nilable) = name.strip_suffix('=').map_or((name, true), |n| (n, false));
    let (name, required) = name.strip_suffix('*').map_or((name, false), |n| (n, true));
    let shape = shape(words.next().ok_or("a field without a shape")?, package, index)?;
    let mut field = Field {
        name: name.into(),
        shape,
        required,
        nilable,
        atomic_map: false,
        list: None,
        patch: Patch::default(),
        default,
    };
    for word in words {
        let (attribute, value) = word.split_once('=').ok_or("an attribute without a value")?;
        match (attribute, value) {
            ("list", "atomic") => field.list = Some(ListType::Atomic),
            ("list", "set") => field.list = Some(ListType::Set),
            ("list", keys) => {
                let keys = keys.strip_prefix("map:").ok_or("unknown list type")?;
                field.list = Some(ListType::Map(keys.split(',').map(Into::into).collect()));
            }
            ("map", kind) => field.atomic_map = kind == "atomic",
            ("patch", strategies) => {
                for strategy in strategies.split(',') {
                    match strategy {
                        "merge" => field.patch.merge = true,
                        "replace" => field.patch.replace = true,
                        "retainKeys" => field.patch.retain_keys = true,
                        _ => return Err("unknown patch strategy"),
                    }
                }
            }
            ("key", key) => field.patch.key = Some(key.into()),
            _ => return Err("unknown attribute"),
        }
    }
    Ok(field)
}

fn shape(text: &str, package: &str, index: &BTreeMap<&str, u32>) -> Result<Shape, &'static str> {
    if let Some(items) = text.strip_prefix('[') {
        return Ok(Shape::List(Box::new(shape(items, package, index)?)));
    }
    if let Some(values) = text.strip_prefix('{') {
        return Ok(Shape::Map(Box::new(shape(values, package, index)?)));
    }
    let kind = match text {
        "s" => Kind::String,
        "i" => Kind::Int32,
        "l" => Kind::Int64,
        "f" => Kind::Float,
        "b" => Kind::Bool,
        "y" => Kind::Bytes,
        "q" => Kind::Quantity,
        "x" => Kind::IntOrString,
        "t" => Kind::Time,
        "u" => Kind::MicroTime,
        "a" => Kind::Any,
        _ => {
            let full = if text.starts_with('.') {
                format!("{package}{text}")
            } else {
                text.to_owned()
            };
            return index
                .get(full.as_str())
                .map(|i| Shape::Struct(*i))
                .ok_or("unknown type");
        }
    };
    Ok(Shape::Scalar(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_tables_are_refused_with_their_line() {
        let check = |text: &str| parse(text).err().map(|e| e.to_string()).unwrap_or_default();
        assert_eq!(check(" a s"), "schema table line 1: a field before any type");
        assert_eq!(check("# c\np.A\n a .B"), "schema table line 3: unknown type");
        assert_eq!(
            check("p.A\n a s patch=shuffle"),
            "schema table line 2: unknown patch strategy"
        );
        assert_eq!(check("p.A\n a [s list=map:k"), "");
    }
}
