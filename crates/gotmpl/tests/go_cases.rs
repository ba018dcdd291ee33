//! Templates run by Go 1.26.8 (`go/cases.json`: template, missingkey option, output or error), run here.

#[path = "go/data.rs"]
mod data;

use pintle_gotmpl::{Engine, Executor, MissingKey, Options, TemplateSet};
use serde_json::Value as Json;

/// Runs one template as the recorder did and returns its output or error.
fn run(text: &str, missing_key: MissingKey) -> Result<Vec<u8>, String> {
    let mut set = TemplateSet::new("root", data::functions());
    set.parse("x.yaml", text).map_err(|error| error.message)?;
    let options = Options {
        missing_key,
        ..Options::default()
    };
    let never = || false;
    let mut executor = Executor::new(&set, options, &data::Fixed, &never, Box::new(()));
    match executor.execute("x.yaml", data::data()) {
        Ok(text) => Ok(text.as_bytes().to_vec()),
        Err(error) => Err(error.message),
    }
}

#[test]
fn answers_as_go_does() {
    let cases: Vec<Json> = serde_json::from_str(include_str!("go/cases.json")).unwrap();
    let mut differ = Vec::new();
    for case in &cases {
        let text = case["t"].as_str().unwrap();
        let option = match case["o"].as_str() {
            Some("default") => MissingKey::Invalid,
            Some("error") => MissingKey::Error,
            _ => MissingKey::Zero,
        };
        let expected = match (&case["out"], &case["hex"], &case["err"]) {
            (Json::String(out), ..) => Ok(out.as_bytes().to_vec()),
            (_, Json::String(hex), _) => Ok((0..hex.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
                .collect()),
            (.., error) => Err(error.as_str().unwrap().to_owned()),
        };
        let got = run(text, option);
        if got != expected {
            let show = |answer: &Result<Vec<u8>, String>| match answer {
                Ok(out) => format!("ok {:?}", String::from_utf8_lossy(out)),
                Err(error) => format!("error {error:?}"),
            };
            differ.push(format!("{text:?}\n   go {}\n here {}", show(&expected), show(&got)));
        }
    }
    println!("{} cases, {} differ", cases.len(), differ.len());
    assert!(
        differ.is_empty(),
        "{} of {} differ:\n{}",
        differ.len(),
        cases.len(),
        differ.join("\n")
    );
}
