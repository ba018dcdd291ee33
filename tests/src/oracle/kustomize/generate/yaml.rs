//! Values as YAML text, a field or an entry a line, so that lines can be taken away.

use serde_json::{Map, Value};

/// Marks a text that is printed as it stands: `raw("0x1F")`.
const RAW: char = '\u{1}';

/// A scalar in a spelling of its own.
pub(super) fn raw(text: &str) -> Value {
    Value::String(format!("{RAW}{text}"))
}

/// Whether a value is a text, and none of those of [`raw`].
pub(super) fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.starts_with(RAW))
}

/// Prints a value.
pub(super) fn print(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(map) => fields(&mut out, map, 0),
        Value::Array(list) => items(&mut out, list, 0),
        other => {
            out += &scalar(other, 0);
            out.push('\n');
        }
    }
    out
}

fn fields(out: &mut String, map: &Map<String, Value>, indent: usize) {
    for (key, value) in map {
        *out += &" ".repeat(indent);
        field(out, key, value, indent);
    }
}

fn field(out: &mut String, key: &str, value: &Value, indent: usize) {
    let plain =
        !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "$-_./".contains(c)) && !is_special(key);
    if plain {
        *out += key;
    } else {
        *out += &Value::String(key.to_owned()).to_string();
    }
    out.push(':');
    match value {
        Value::Object(map) if !map.is_empty() => {
            out.push('\n');
            fields(out, map, indent + 2);
        }
        Value::Array(list) if !list.is_empty() => {
            out.push('\n');
            items(out, list, indent);
        }
        other => {
            out.push(' ');
            *out += &scalar(other, indent + 2);
            out.push('\n');
        }
    }
}

fn items(out: &mut String, list: &[Value], indent: usize) {
    for item in list {
        *out += &" ".repeat(indent);
        *out += "- ";
        match item {
            Value::Object(map) if !map.is_empty() => {
                for (at, (key, value)) in map.iter().enumerate() {
                    if at > 0 {
                        *out += &" ".repeat(indent + 2);
                    }
                    field(out, key, value, indent + 2);
                }
            }
            Value::Array(inner) if !inner.is_empty() => {
                *out = out.trim_end_matches(' ').to_owned();
                out.push('\n');
                items(out, inner, indent + 2);
            }
            other => {
                *out += &scalar(other, indent + 2);
                out.push('\n');
            }
        }
    }
}

fn is_special(text: &str) -> bool {
    matches!(
        text.to_ascii_lowercase().as_str(),
        "y" | "n" | "yes" | "no" | "on" | "off" | "true" | "false" | "null" | "~"
    ) || text.starts_with(|c: char| c.is_ascii_digit() || ".-".contains(c))
}

fn scalar(value: &Value, indent: usize) -> String {
    match value {
        Value::String(text) => match text.strip_prefix(RAW) {
            Some(raw) => raw.to_owned(),
            None if text.contains('\n') && text.ends_with('\n') && !text.starts_with([' ', '\n']) => {
                let pad = " ".repeat(indent);
                let lines: Vec<String> = text.lines().map(|line| format!("\n{pad}{line}")).collect();
                format!("|{}", lines.concat())
            }
            None => {
                let plain = !text.is_empty()
                    && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:".contains(c))
                    && !is_special(text)
                    && !text.ends_with(':');
                if plain { text.clone() } else { value.to_string() }
            }
        },
        other => other.to_string(),
    }
}
