//! Streams of documents.

#![allow(clippy::unwrap_used)]

use pintle_yaml::{parse_all, split_documents, to_json_string};

/// Each document as `line: json` or `line: error`.
fn check(text: &str, expected: &[&str]) {
    let got: Vec<String> = parse_all(text)
        .iter()
        .map(|document| match &document.result {
            Ok(value) => format!("{}: {}", document.line, to_json_string(value)),
            Err(error) => format!("{}: {error}", document.line),
        })
        .collect();
    assert_eq!(got, expected, "{text:?}");
}

#[test]
fn separators() {
    check("", &[]);
    check("---\n---\n", &[]);
    check("a: 1", &["1: {\"a\":1}"]);
    check("a: 1\n---\nb: 2\n", &["1: {\"a\":1}", "3: {\"b\":2}"]);
    check("---\na: 1\n---\n---\nb: 2\n---\n", &["2: {\"a\":1}", "5: {\"b\":2}"]);
    check("--- # first\na: 1\n---   \nb: 2", &["2: {\"a\":1}", "4: {\"b\":2}"]);
    check("a: 1\r\n---\r\nb: 2\r\n", &["1: {\"a\":1}", "3: {\"b\":2}"]);
    check("\u{feff}---\na: 1\n---\nb: 2\n", &["1: {\"a\":1}", "4: {\"b\":2}"]);
    check("# only this\n---\na: 1\n", &["1: null", "3: {\"a\":1}"]);
    check("a: |\n  x\n  ---\n  y\n", &["1: {\"a\":\"x\\n---\\ny\\n\"}"]);
    check("a: 1\n...\nb: 2\n---\nc: 3", &["1: {\"a\":1}", "5: {\"c\":3}"]);
}

#[test]
fn one_bad_document_leaves_the_others() {
    check(
        "a: 1\n---\nb: c: d\n---\ne: [\n---\nf: 2\n",
        &[
            "1: {\"a\":1}",
            "3: yaml: mapping values are not allowed in this context",
            "5: yaml: line 1: did not find expected node content",
            "7: {\"f\":2}",
        ],
    );
}

#[test]
fn a_separator_that_kubernetes_refuses_costs_its_document() {
    check(
        "a: 1\n--- !tag\nb: 2\n---\nc: 3\n",
        &[
            "1: {\"a\":1}",
            "3: yaml: invalid Yaml document separator: !tag",
            "5: {\"c\":3}",
        ],
    );
    check("-----BEGIN", &["2: yaml: invalid Yaml document separator: --BEGIN"]);
}

#[test]
fn ranges_are_the_text_of_the_document() {
    let text = "é: 1\n---\nb: 2\n--- # c\nc: 3";
    let pieces: Vec<&str> = split_documents(text)
        .into_iter()
        .map(|range| text.get(range).unwrap())
        .collect();
    assert_eq!(pieces, ["é: 1\n", "b: 2\n", "c: 3"]);
    for (document, range) in parse_all(text).iter().zip(split_documents(text)) {
        assert_eq!(document.range, range);
    }
}
