//! The functions Helm adds to those of sprig.

use std::borrow::Cow;
use std::collections::HashMap;

use ahash::RandomState;
use memchr::memmem;
use pintle_gotmpl::{Call, FuncError, Functions, LIST_ANY, MAP_ANY, Str, TextError, Type, Value, sprig};
use pintle_yaml::Yaml;

use super::convert::{NoData, from_data, to_data};
use super::engine::{WARN_END, WARN_START};
use super::metadata::{convert_error, unmarshal_error};
use super::octets;
use super::pretty::pretty;
use super::toml;

/// What Go prints for what is missing.
const NO_VALUE: &[u8] = b"<no value>";
/// Includes of one name inside one another.
const MAX_INCLUDES: u32 = 1000;

/// What the functions of one render share.
pub(crate) struct State {
    /// How many includes of each name are running.
    includes: HashMap<Str, u32, RandomState>,
    /// What a chart's author refuses passes, as when Helm lints.
    lint: bool,
}

impl State {
    /// Nothing is running yet.
    pub(crate) fn new(lint: bool) -> Self {
        Self {
            includes: HashMap::default(),
            lint,
        }
    }
}

/// Whether the chart is examined rather than rendered.
fn is_lint(call: &mut Call<'_>) -> bool {
    call.state::<State>().is_some_and(|state| state.lint)
}

/// All functions a chart's templates may call.
pub(crate) fn functions() -> Functions {
    let mut all = Functions::new();
    sprig::register(&mut all);
    all.remove("env");
    all.remove("expandenv");
    templates(&mut all);
    data(&mut all);
    toml(&mut all);
    all
}

fn templates(all: &mut Functions) {
    all.add("include", &[Type::String, Type::Any], Type::String, |call, args| {
        let (name, dot) = (text(args, 0), value(args, 1));
        include(call, &name, dot)
    });
    all.add("tpl", &[Type::String, Type::Any], Type::String, |call, args| {
        let (template, dot) = (text(args, 0), value(args, 1));
        tpl(call, &template, dot)
    });
    all.add("required", &[Type::String, Type::Any], Type::Any, |call, args| {
        let (warning, found) = (text(args, 0), value(args, 1));
        let empty = match &found {
            Value::Nil => true,
            Value::Str(text) => text.is_empty(),
            _ => false,
        };
        match empty {
            true if is_lint(call) => Ok(Value::str("")),
            true => Err(warn(&warning)),
            false => Ok(found),
        }
    });
    all.add("fail", &[Type::String], Type::String, |call, args| {
        if is_lint(call) {
            return Ok(Value::str(""));
        }
        Err(warn(&text(args, 0)))
    });
    let four = [Type::String; 4];
    // Where nothing of the cluster is visible: empty, as Helm without one.
    all.add("lookup", &four, Type::Map(&MAP_ANY), |call, args| {
        let found = call.engine().ambient().outside("lookup", args)?;
        Ok(found.unwrap_or_else(|| Value::Map(pintle_gotmpl::Map::new())))
    });
    all.add("getHostByName", &[Type::String], Type::String, |_, _| {
        Ok(Value::str(""))
    });
}

fn data(all: &mut Functions) {
    all.add("toYaml", &[Type::Any], Type::String, |call, args| {
        written(call, args, to_yaml, false)
    });
    all.add("mustToYaml", &[Type::Any], Type::String, |call, args| {
        written(call, args, to_yaml, true)
    });
    all.add("toYamlPretty", &[Type::Any], Type::String, |call, args| {
        Ok(Value::str(trimmed(pretty(call, &value(args, 0))?)))
    });
    all.add(
        "toJson",
        &[Type::Any],
        Type::String,
        |call, args| match sprig::to_json(call, &value(args, 0)) {
            Ok(text) => Ok(Value::Str(text)),
            Err(sprig::Unwritable::Unsupported(_)) => Ok(Value::str("")),
            Err(error) => Err(error.into()),
        },
    );
    all.add("mustToJson", &[Type::Any], Type::String, |call, args| {
        Ok(Value::Str(sprig::to_json(call, &value(args, 0))?))
    });
    all.add("fromYaml", &[Type::String], Type::Map(&MAP_ANY), |call, args| {
        let read = read_yaml(call, &text(args, 0))?;
        Ok(as_map(read).unwrap_or_else(error_map))
    });
    all.add("fromYamlArray", &[Type::String], Type::List(&LIST_ANY), |call, args| {
        let read = read_yaml(call, &text(args, 0))?;
        Ok(as_list(read).unwrap_or_else(error_list))
    });
    all.add("fromJson", &[Type::String], Type::Map(&MAP_ANY), |call, args| {
        Ok(match read_json(call, &text(args, 0))? {
            Ok(sprig::Read {
                value: Value::Map(map),
                misfit,
            }) => {
                if let Some(message) = misfit {
                    map.insert("Error", Value::str(message));
                }
                Value::Map(map)
            }
            Ok(sprig::Read {
                value: Value::Nil,
                misfit: None,
            }) => Value::Map(pintle_gotmpl::Map::nil(&MAP_ANY)),
            Ok(other) => error_map(mismatch(&other, "map[string]interface {}")),
            Err(message) => error_map(message),
        })
    });
    all.add("fromJsonArray", &[Type::String], Type::List(&LIST_ANY), |call, args| {
        Ok(match read_json(call, &text(args, 0))? {
            Ok(sprig::Read {
                value: list @ Value::List(_),
                misfit: None,
            }) => list,
            Ok(sprig::Read {
                value: Value::List(_),
                misfit: Some(message),
            }) => error_list(message),
            Ok(sprig::Read {
                value: Value::Nil,
                misfit: None,
            }) => Value::List(pintle_gotmpl::List::nil(&LIST_ANY)),
            Ok(other) => error_list(mismatch(&other, "[]interface {}")),
            Err(message) => error_list(message),
        })
    });
}

fn toml(all: &mut Functions) {
    all.add("toToml", &[Type::Any], Type::String, |call, args| {
        match toml::write(call, &value(args, 0)) {
            Ok(text) => Ok(Value::str(text)),
            // What is wrong is what the function gives.
            Err(toml::Unwritable::Toml(message)) => Ok(Value::str(message)),
            Err(toml::Unwritable::Fatal(error)) => Err(error),
        }
    });
    all.add(
        "mustToToml",
        &[Type::Any],
        Type::String,
        |call, args| match toml::write(call, &value(args, 0)) {
            Ok(text) => Ok(Value::str(text)),
            Err(toml::Unwritable::Toml(message)) => Err(message.into()),
            Err(toml::Unwritable::Fatal(error)) => Err(error),
        },
    );
    all.add("fromToml", &[Type::String], Type::Map(&MAP_ANY), |call, args| {
        let text = text(args, 0);
        call.charge_bytes(text.len() as u64)?;
        Ok(toml::read(text.as_bytes()).unwrap_or_else(error_map))
    });
}

fn include(call: &mut Call<'_>, name: &Str, dot: Value) -> Result<Value, FuncError> {
    if let Some(state) = call.state::<State>() {
        let running = state.includes.entry(name.clone()).or_default();
        if *running > MAX_INCLUDES {
            return Err(FuncError::new(format!(
                "rendering template has a nested reference name: {}: unable to execute template",
                name.to_str()
            )));
        }
        *running += 1;
    }
    let result = call.engine().execute(&name.to_str(), dot);
    if let Some(running) = call.state::<State>().and_then(|s| s.includes.get_mut(name)) {
        *running -= 1;
    }
    Ok(Value::Str(result?))
}

fn tpl(call: &mut Call<'_>, template: &Str, dot: Value) -> Result<Value, FuncError> {
    let place = call.site().template.to_string();
    match call.engine().execute_text(&place, template, dot) {
        Ok(text) if memmem::find(text.as_bytes(), NO_VALUE).is_none() => Ok(Value::Str(text)),
        Ok(text) => Ok(Value::Str(Str::from_vec(without_no_value(text.as_bytes().to_vec())))),
        Err(TextError::Parse(error)) => {
            let quoted = pintle_gotmpl::quoted(&template.to_str());
            Err(FuncError::from(error).context(&format!("cannot parse template {quoted}: ")))
        }
        Err(TextError::Exec(error)) => {
            let quoted = pintle_gotmpl::quoted(&template.to_str());
            Err(FuncError::from(error).context(&format!("error during tpl function execution for {quoted}: ")))
        }
    }
}

/// A text without Go's mark for what is missing.
pub(crate) fn without_no_value(bytes: Vec<u8>) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut from = 0;
    for at in memmem::find_iter(&bytes, NO_VALUE) {
        kept.extend_from_slice(bytes.get(from..at).unwrap_or_default());
        from = at + NO_VALUE.len();
    }
    if from == 0 {
        return bytes;
    }
    kept.extend_from_slice(bytes.get(from..).unwrap_or_default());
    kept
}

fn warn(message: &Str) -> FuncError {
    FuncError::new(format!("{WARN_START}{}{WARN_END}", message.to_str()))
}

fn text(args: &[Value], index: usize) -> Str {
    args.get(index).and_then(Value::as_text).cloned().unwrap_or_default()
}

fn value(args: &[Value], index: usize) -> Value {
    args.get(index).cloned().unwrap_or_default()
}

/// Writes a value in some form. Where it has none the answer is empty, or an error where one is wanted.
fn written(
    call: &mut Call<'_>,
    args: &[Value],
    write: impl Fn(&Yaml) -> Result<String, String>,
    must: bool,
) -> Result<Value, FuncError> {
    let yaml = match to_data(call, &value(args, 0)) {
        Ok(yaml) => yaml,
        Err(NoData::Unsupported(_)) if !must => return Ok(Value::str("")),
        Err(other) => return Err(other.into()),
    };
    match write(&yaml) {
        Ok(text) => produced(call, text),
        Err(_) if !must => Ok(Value::str("")),
        Err(message) => Err(message.into()),
    }
}

fn produced(call: &mut Call<'_>, text: String) -> Result<Value, FuncError> {
    call.charge_bytes(text.len() as u64)?;
    Ok(Value::str(text))
}

fn to_yaml(yaml: &Yaml) -> Result<String, String> {
    if has_long_key(yaml) {
        return Err("yaml: did not find expected ',' or '}'".into());
    }
    Ok(trimmed(pintle_yaml::to_string(yaml)))
}

/// Helm writes JSON and reads that as YAML, where a key and its quotes have 1024 characters at most.
fn has_long_key(yaml: &Yaml) -> bool {
    const LONGEST: usize = 1024;
    match yaml {
        Yaml::Seq(items) => items.iter().any(has_long_key),
        Yaml::Map(entries) => entries.iter().any(|(key, value)| {
            let may_be = key.len() * 6 + 2 > LONGEST;
            let is_long = may_be && {
                let text = pintle_yaml::to_json_string(&Yaml::String(key.clone()));
                text.chars().count() > LONGEST
            };
            is_long || has_long_key(value)
        }),
        _ => false,
    }
}

fn trimmed(mut text: String) -> String {
    if text.ends_with('\n') {
        text.pop();
    }
    text
}

fn read_yaml(call: &mut Call<'_>, text: &Str) -> Result<Result<Yaml, String>, FuncError> {
    call.charge_bytes(text.len() as u64)?;
    let text = match text.as_str() {
        Some(text) => Cow::Borrowed(text),
        None => octets::marked(text.as_bytes()),
    };
    Ok(pintle_yaml::parse(&text).map_err(|e| octets::words(&text, convert_error(&e))))
}

fn read_json(call: &mut Call<'_>, text: &Str) -> Result<Result<sprig::Read, String>, FuncError> {
    call.charge_bytes(text.len() as u64)?;
    Ok(sprig::from_json(text.as_bytes()))
}

fn as_map(read: Result<Yaml, String>) -> Result<Value, String> {
    match read? {
        Yaml::Null => Ok(Value::Map(pintle_gotmpl::Map::new())),
        map @ Yaml::Map(_) => Ok(from_data(map)),
        other => Err(unmarshal_error(&mismatch_words(
            &from_data(other),
            "map[string]interface {}",
        ))),
    }
}

fn as_list(read: Result<Yaml, String>) -> Result<Value, String> {
    match read? {
        Yaml::Null => Ok(Value::list(Vec::new())),
        list @ Yaml::Seq(_) => Ok(from_data(list)),
        other => Err(unmarshal_error(&mismatch_words(&from_data(other), "[]interface {}"))),
    }
}

fn mismatch(found: &sprig::Read, wanted: &str) -> String {
    // A number too large is nil here, and still a number.
    let number = Value::Float(0.0);
    let is_number = matches!(found.value, Value::Nil) && found.misfit.is_some();
    let found = if is_number { &number } else { &found.value };
    format!("json: {}", mismatch_words(found, wanted))
}

fn mismatch_words(found: &Value, wanted: &str) -> String {
    let kind = match found {
        Value::Nil => "null",
        Value::Bool(_) => "bool",
        Value::Str(_) => "string",
        Value::List(_) => "array",
        Value::Map(_) => "object",
        _ => "number",
    };
    format!("cannot unmarshal {kind} into Go value of type {wanted}")
}

fn error_map(message: String) -> Value {
    Value::map([("Error", Value::str(message))])
}

fn error_list(message: String) -> Value {
    Value::list(vec![Value::str(message)])
}
