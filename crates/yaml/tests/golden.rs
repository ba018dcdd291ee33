//! The peer's answers, recorded: `sigs.k8s.io/yaml` v1.6.0 with `go.yaml.in/yaml/v2` v2.4.2 (see `testdata/README.md`).

#![allow(clippy::unwrap_used, clippy::panic)]

use pintle_yaml::{Yaml, parse, to_json_string, to_string};

struct Case {
    name: String,
    input: String,
    output: String,
    error: Option<String>,
}

fn cases(text: &str) -> Vec<Case> {
    let cases: Vec<serde_json::Value> = serde_json::from_str(text).unwrap();
    let field =
        |case: &serde_json::Value, name: &str| case.get(name).and_then(|value| value.as_str()).map(str::to_owned);
    cases
        .iter()
        .map(|case| Case {
            name: field(case, "name").unwrap(),
            input: field(case, "input").unwrap(),
            output: field(case, "output").unwrap_or_default(),
            error: field(case, "error"),
        })
        .collect()
}

/// Where we differ on purpose: the peer forgets a key that is an empty collection and drops the rest of the document.
const DELIBERATE: &[(&str, &str)] = &[
    ("[]: x", "yaml: invalid map key"),
    ("{}: x", "yaml: invalid map key"),
    ("a: {{}: b}", "yaml: invalid map key"),
];

fn report(differences: &[String], total: usize) {
    assert!(
        differences.is_empty(),
        "{} of {total} cases differ:\n{}",
        differences.len(),
        differences.join("\n")
    );
}

/// The peer's error, without the parts of the document that it quotes and we do not.
fn without_contents(error: &str) -> String {
    if let Some((message, _)) = error.split_once(", key: ")
        && message.starts_with("unsupported map key")
    {
        return message.to_owned();
    }
    if error.starts_with("yaml: invalid map key: ") {
        return "yaml: invalid map key".to_owned();
    }
    match error.split('`').collect::<Vec<_>>().as_slice() {
        [before, quoted, after] if quoted.len() > 10 => format!("{before}`{}...`{after}", quoted.get(..7).unwrap()),
        _ => error.to_owned(),
    }
}

/// JSON, spelled one way: Go escapes U+FFFD where it stands for bytes that are no UTF-8, and it alone.
fn without_escaped_replacement(json: &str) -> String {
    json.replace("\\ufffd", "\u{fffd}")
}

#[test]
fn decodes_as_the_peer() {
    let cases = cases(include_str!("../testdata/decode.json"));
    let mut differences = Vec::new();
    for case in &cases {
        let ours = parse(&case.input);
        let (expected, got) = match (&case.error, &ours) {
            (None, Ok(value)) => (without_escaped_replacement(&case.output), to_json_string(value)),
            (None, Err(error)) => (case.output.clone(), format!("error: {error}")),
            (Some(error), Err(ours)) => (without_contents(error), ours.to_string()),
            (Some(error), Ok(value)) => (format!("error: {error}"), to_json_string(value)),
        };
        let deliberate = DELIBERATE.iter().find(|(input, _)| *input == case.input);
        let got = if deliberate.is_some() {
            got.trim_start_matches("error: ").to_owned()
        } else {
            got
        };
        let expected = deliberate.map_or(expected, |(_, ours)| (*ours).to_owned());
        if expected != got {
            let input: String = case.input.chars().take(120).collect();
            differences.push(format!(
                "{}: {input:?}\n  peer {expected:.200}\n  ours {got:.200}",
                case.name
            ));
        }
    }
    report(&differences, cases.len());
}

fn value_of(json: &serde_json::Value) -> Yaml {
    match json {
        serde_json::Value::Null => Yaml::Null,
        serde_json::Value::Bool(bool) => Yaml::Bool(*bool),
        serde_json::Value::Number(number) => number
            .as_i64()
            .map(Yaml::Int)
            .or_else(|| number.as_u64().map(Yaml::Uint))
            .or_else(|| number.as_f64().map(Yaml::Float))
            .unwrap(),
        serde_json::Value::String(text) => Yaml::String(text.clone()),
        serde_json::Value::Array(items) => Yaml::Seq(items.iter().map(value_of).collect()),
        serde_json::Value::Object(entries) => Yaml::Map(
            entries
                .iter()
                .map(|(key, value)| (key.clone(), value_of(value)))
                .collect(),
        ),
    }
}

#[test]
fn encodes_as_the_peer() {
    let cases = cases(include_str!("../testdata/encode.json"));
    let mut differences = Vec::new();
    for case in &cases {
        let value = value_of(&serde_json::from_str(&case.input).unwrap());
        let got = to_string(&value);
        let expected = case.error.clone().unwrap_or_else(|| case.output.clone());
        if expected != got {
            differences.push(format!("{}:\n  peer {expected:?}\n  ours {got:?}", case.name));
        }
        match parse(&got) {
            // Go writes the negative zero as 0, too.
            Ok(_) if case.input == r#"{"a":-0}"# => {}
            Ok(back) if to_json_string(&back) == to_json_string(&value) => {}
            Ok(_) => differences.push(format!("{}: does not read back:\n{got}", case.name)),
            Err(error) => differences.push(format!("{}: does not read back: {error}\n{got}", case.name)),
        }
    }
    report(&differences, cases.len());
}
