//! Templates run by the real sprig v3.3.0 under Go 1.26.8 (`sprig/answers.json`), run here.

use std::sync::Arc;

use pintle_gotmpl::sprig::{KeyedAmbient, register};
use pintle_gotmpl::{Engine, Executor, Functions, Now, Options, TemplateSet, Value};
use serde_json::Value as Json;

const NOW: Now = Now {
    seconds: 1_763_735_000,
    nanos: 0,
    offset_seconds: 0,
};

fn run_as(text: &str, ambient: &KeyedAmbient) -> (String, Option<String>) {
    let mut functions = Functions::new();
    register(&mut functions);
    let mut set = TemplateSet::new("t", Arc::new(functions));
    if let Err(error) = set.parse("t", text) {
        return (String::new(), Some(error.message));
    }
    let never = || false;
    let mut executor = Executor::new(&set, Options::default(), ambient, &never, Box::new(()));
    match executor.execute("t", Value::Map(pintle_gotmpl::Map::new())) {
        Ok(out) => (out.to_str().into_owned(), None),
        Err(error) => (String::new(), Some(error.message)),
    }
}

fn run(text: &str) -> (String, Option<String>) {
    run_as(text, &KeyedAmbient::new(NOW, b"secret", "uid"))
}

#[test]
fn answers_as_sprig_does() {
    let cases: Vec<Json> = serde_json::from_str(include_str!("sprig/answers.json")).unwrap();
    let mut differ = Vec::new();
    for case in &cases {
        let text = case["t"].as_str().unwrap();
        let (out, error) = run(text);
        let same = match case["err"].as_str() {
            Some(expected) => error.as_deref() == Some(expected),
            None => error.is_none() && Some(out.as_str()) == case["out"].as_str(),
        };
        if !same {
            differ.push(format!(
                "{text}\n   go {} {}\n here {out:?} {error:?}",
                case["out"], case["err"]
            ));
        }
    }
    assert!(
        differ.is_empty(),
        "{} of {} differ:\n{}",
        differ.len(),
        cases.len(),
        differ.join("\n")
    );
}

#[test]
fn keyed_randomness_is_repeatable_and_differs_by_place_and_application() {
    let text = "{{ randAlphaNum 20 }} {{ randAlphaNum 20 }}{{ range until 2 }} {{ randAlphaNum 20 }}{{ end }}";
    let (first, _) = run(text);
    assert_eq!(first, run(text).0);
    let words: std::collections::HashSet<&str> = first.split(' ').collect();
    assert_eq!(words.len(), 4, "every place and run draws its own: {first}");
    let other = run_as(text, &KeyedAmbient::new(NOW, b"secret", "other")).0;
    assert_ne!(first, other);
    assert_ne!(first, run_as(text, &KeyedAmbient::new(NOW, b"elsewhere", "uid")).0);
}

#[test]
fn keyed_certificates_change_once_in_two_thirds_of_their_life() {
    let text = r#"{{ (genSelfSignedCertWithKey "a" nil (list "a.b") 30 (genPrivateKey "ecdsa")).Cert }}"#;
    let at = |day: i64| {
        let now = Now {
            seconds: NOW.seconds + day * 86_400,
            ..NOW
        };
        let (cert, error) = run_as(text, &KeyedAmbient::new(now, b"secret", "uid"));
        assert_eq!(error, None);
        cert
    };
    let certs: Vec<String> = (0..40).map(at).collect();
    assert_eq!(certs[0], at(0));
    let changes = certs.windows(2).filter(|w| w[0] != w[1]).count();
    assert!(
        (1..=2).contains(&changes),
        "{changes} changes in 40 days of a 30 day certificate"
    );
    let distinct: std::collections::HashSet<&String> = certs.iter().collect();
    assert_eq!(distinct.len(), changes + 1);
}
