//! How things look: tables, trees, diffs, times, JSON and YAML. Everything here returns text; only [`print`] writes.

pub(crate) mod app;
pub(crate) mod change;
pub(crate) mod diff;
pub(crate) mod project;
pub(crate) mod table;
pub(crate) mod time;
pub(crate) mod tree;

use std::io::Write as _;

use pintle_model::{Value, to_json_string};
use pintle_yaml::Yaml;

use crate::exit::CliError;

/// Writes to stdout.
pub(crate) fn print(text: &str) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// Writes an aside to stderr, where it does not get between piped output.
pub(crate) fn note(text: &str) {
    // Where stderr is closed there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// JSON as Go's `MarshalIndent` writes it, two blanks deep, with a line end.
pub(crate) fn json(value: &Value) -> String {
    let compact = to_json_string(value);
    let mut text = String::with_capacity(compact.len() * 2);
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    let mut chars = compact.chars().peekable();
    let indent = |text: &mut String, depth: usize| {
        text.push('\n');
        text.push_str(&"  ".repeat(depth));
    };
    while let Some(c) = chars.next() {
        if in_string {
            text.push(c);
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        match c {
            '"' => {
                in_string = true;
                text.push(c);
            }
            '{' | '[' => {
                text.push(c);
                match chars.next_if(|n| matches!(n, '}' | ']')) {
                    Some(close) => text.push(close),
                    None => {
                        depth += 1;
                        indent(&mut text, depth);
                    }
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                indent(&mut text, depth);
                text.push(c);
            }
            ',' => {
                text.push(c);
                indent(&mut text, depth);
            }
            ':' => text.push_str(": "),
            other => text.push(other),
        }
    }
    text.push('\n');
    text
}

/// YAML as `sigs.k8s.io/yaml` writes it.
pub(crate) fn yaml(value: &Value) -> String {
    pintle_yaml::to_string(&Yaml::from(value))
}

/// Either, by the word of `-o`.
pub(crate) fn structured(value: &Value, format: &str) -> String {
    if format == "json" { json(value) } else { yaml(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_indented_as_go_does() {
        let value = Value::from_json(br#"{"a":[1,{"b":"x:\",{"}],"c":{},"d":[]}"#)
            .ok()
            .unwrap();
        assert_eq!(
            json(&value),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"x:\\\",{\"\n    }\n  ],\n  \"c\": {},\n  \"d\": []\n}\n"
        );
    }
}
