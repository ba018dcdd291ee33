//! F2: documents of YAML.

use pintle_yaml::{Limits, Yaml, parse, parse_all, parse_node, split_documents, to_json_string, to_string};

use super::mutate::mutated;
use crate::oracle::random::Random;

const SEEDS: &[&str] = &[
    "a: 1\nb: [x, {c: d}]\n",
    "base: &b {x: 1}\nother:\n  <<: *b\n  y: 2\n",
    "---\nkind: A\n---\nkind: B\n...\n---\n# only\n",
    "text: |2-\n    one\n   two\nfold: >+\n  a\n\n  b\n\n",
    "\"quoted \\u00e9 \\x41\": 'it''s'\n? complex\n: value\n",
    "!!binary aGVsbG8=: 1\nt: !!str 1\nn: ~\nd: 2024-01-02\n",
    "- - - 1\n    - 2\n- {a: [1, 2], b: {c: {}}}\n",
    "a: &x [*x]\n",
    "l: [&a a, *a, &b [*a, *a], &c [*b, *b], &d [*c, *c]]\n",
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\ndata: {k: \"v\"}\n",
    "a: 0x1F\nb: 0b1\nc: 1e400\nd: .inf\ne: 18446744073709551615\nf: 1_000\ng: 1:30\n",
];

const WORDS: &[&str] = &[
    "- ",
    "[",
    "]",
    "{",
    "}",
    ": ",
    "? ",
    "&a ",
    "*a",
    "<<: ",
    "!!",
    "|",
    ">",
    "\n",
    "  ",
    "---\n",
    "...\n",
    "'",
    "\"",
    "#",
    "%YAML 1.1\n",
    "\t",
    ",",
    "\u{feff}",
    "\u{85}",
    "\u{2028}",
    "~",
    "!!binary ",
    "a: ",
    "- - ",
    "{a: ",
];

pub(super) fn run(random: &mut Random) -> Result<(), String> {
    let seed = random.pick(SEEDS);
    let text = mutated(random, seed, WORDS);
    // Errors print, and name a line that is there.
    let lines = text
        .chars()
        .filter(|c| matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}'))
        .count()
        + 2;
    for document in parse_all(&text) {
        if let Err(error) = &document.result
            && error.to_string().is_empty()
        {
            return Err("an error without words".to_owned());
        }
    }
    for range in split_documents(&text) {
        if text.get(range.clone()).is_none() {
            return Err(format!("a document at {range:?}, which is no part of the text"));
        }
    }
    let _ = parse_node(&text, &Limits::default());
    match parse(&text) {
        Err(error) => {
            if error.line > lines {
                return Err(format!("an error in line {} of {lines}", error.line));
            }
        }
        Ok(value) => again(&value)?,
    }
    Ok(())
}

/// What is written reads as what it was.
fn again(value: &Yaml) -> Result<(), String> {
    let written = to_string(value);
    match parse(&written) {
        Ok(read) if to_json_string(&read) == to_json_string(&without_negative_zero(value)) => Ok(()),
        Ok(_) => Err("written and read again it is another value".to_owned()),
        Err(error) => Err(format!("what was written does not read: {error}")),
    }
}

/// A zero with a sign is written without it, as Go does.
fn without_negative_zero(value: &Yaml) -> Yaml {
    match value {
        Yaml::Float(0.0) => Yaml::Int(0),
        Yaml::Seq(items) => Yaml::Seq(items.iter().map(without_negative_zero).collect()),
        Yaml::Map(fields) => {
            let fields = fields.iter();
            Yaml::Map(
                fields
                    .map(|(key, value)| (key.clone(), without_negative_zero(value)))
                    .collect(),
            )
        }
        other => other.clone(),
    }
}
