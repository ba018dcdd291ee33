//! Values to JSON text, as Go's `encoding/json` writes it.

use std::fmt::Write;

use crate::Yaml;
use crate::number::format_json_float;

/// Writes compact JSON as Go's `encoding/json.Marshal` does: keys sorted, `<`, `>` and `&` escaped, floats in Go's spelling.
///
/// This is what `sigs.k8s.io/yaml.YAMLToJSON` returns for the same document. Recurses over the value.
///
/// ```
/// let value = pintle_yaml::parse("{b: 1e3, a: <on>, y: 0777}")?;
/// assert_eq!(pintle_yaml::to_json_string(&value), r#"{"a":"\u003con\u003e","b":1000,"true":511}"#);
/// # Ok::<(), pintle_yaml::Error>(())
/// ```
pub fn to_json_string(value: &Yaml) -> String {
    let mut out = String::new();
    write_value(&mut out, value);
    out
}

fn write_value(out: &mut String, value: &Yaml) {
    match value {
        Yaml::Null => out.push_str("null"),
        Yaml::Bool(true) => out.push_str("true"),
        Yaml::Bool(false) => out.push_str("false"),
        Yaml::Int(int) => out.push_str(&int.to_string()),
        Yaml::Uint(uint) => out.push_str(&uint.to_string()),
        Yaml::Float(float) => out.push_str(&format_json_float(*float)),
        Yaml::String(text) => write_string(out, text),
        Yaml::Seq(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(out, item);
            }
            out.push(']');
        }
        Yaml::Map(entries) => {
            out.push('{');
            for (index, (key, value)) in entries.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_string(out, key);
                out.push(':');
                write_value(out, value);
            }
            out.push('}');
        }
    }
}

fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                // Writing into a String cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}
