//! What the reader of lines answers is what the composer answers.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use super::*;
use crate::compose::compose;
use crate::to_json_string;

/// What stands on a line behind its indentation.
const PIECES: [&str; 74] = [
    "a:",
    "b:",
    "a: 1",
    "kind: Pod",
    "on: yes",
    "\"q\": x",
    "'s' : y",
    "'s': 'it''s'",
    "n:  null",
    "~: 1",
    "null: x",
    "1: 2",
    ".inf: 3",
    "x: .inf",
    "x: -.INF",
    "x: 1e999",
    "big: 18446744073709551615",
    "18446744073709551615: a",
    "<<: {}",
    "- ",
    "-",
    "- a",
    "- a: 1",
    "- - b",
    "-   c: d",
    "- \"x\"",
    "- 'y': z",
    "-1",
    "- |",
    "k: |",
    "k: |-",
    "k: |+",
    "k: >",
    "k: >-",
    "k: |2",
    "text more",
    "more # gone",
    "more#kept",
    "a: b: c",
    "end:  # said",
    "# comment",
    "",
    "",
    " ",
    "  x",
    "\ttab",
    "t: \"a\\tb\\\"\"",
    "t: \"open",
    "f: []",
    "f: {}",
    "f: [a, \"b\", 'c', 1, ]",
    "f: {a: 1, \"b\": [x], c: }",
    "f: [a: b]",
    "f: {a}",
    "g: &x y",
    "g: *x",
    "g: !!str 1",
    "---",
    "...",
    "long words é: ü",
    "k: 'one",
    "two''s'",
    "k: \"a \\\"b",
    "c\\n \"",
    "\\",
    "k: \"x\\",
    "  'own line'",
    "{}",
    "[",
    "]",
    "k: [a,",
    "b, # c",
    "k: {a: b,",
    "}",
];

fn next(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    usize::try_from(*state >> 33).expect("31 bits")
}

/// What both readers make of a text; `false` if the line reader leaves it to the other.
fn alike(text: &str, limits: &Limits) -> bool {
    let theirs = compose(text, limits);
    // Fewer values may be wanted, and a fault among the others counts all the same.
    let head = Parts::Only(&[("kind", Parts::All), ("a", Parts::Only(&[]))]);
    if read(text, limits, head).is_some() {
        assert!(theirs.is_ok(), "{text:?} is read in part, and should be an error");
    }
    let Some(own) = read(text, limits, Parts::All) else {
        return false;
    };
    match theirs {
        Ok(theirs) => assert_eq!(to_json_string(&own), to_json_string(&theirs), "{text:?}"),
        Err(error) => panic!("{text:?} is read, and should be an error: {error}"),
    }
    true
}

#[test]
fn lines_in_any_order_are_read_as_the_composer_reads_them() {
    let mut state = 20_261_121;
    let mut read = 0;
    for _ in 0..200_000 {
        let mut text = String::new();
        let mut indent = 0_usize;
        for _ in 0..1 + next(&mut state) % 7 {
            indent = match next(&mut state) % 6 {
                0 | 1 => indent,
                2 | 3 => indent + 2,
                4 => indent.saturating_sub(2),
                _ => next(&mut state) % 6,
            };
            (0..indent).for_each(|_| text.push(' '));
            text.push_str(PIECES.get(next(&mut state) % PIECES.len()).expect("in range"));
            if !next(&mut state).is_multiple_of(20) {
                text.push('\n');
            }
        }
        read += usize::from(alike(&text, &Limits::default()));
    }
    assert!(
        read > 10_000,
        "only {read} texts were of this style: the test says little"
    );
}

#[test]
fn the_usual_manifest_is_of_this_style() {
    for text in [
        "---\n# Source: x\napiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  labels: {app: p}\nspec:\n  containers:\n  - name: c\n    args: [\"-c\", 'x']\n    image: \"a/b:1\" # pinned\n",
        "data:\n  a: |\n\n    one\n      two\n\n    three\n\n  b: >-\n    folded\n    text\n\n      kept\n    end\n",
        "description: many words\n  that go on\n\n  and on\nnext: 1\n",
        "a:\n- b\n- - c\n  - d: e\n    f:\n    - g\n-   h: i\n    j: k\n",
        "caf: \"é\"\nd: naïve\n",
    ] {
        assert!(alike(text, &Limits::default()), "{text:?}");
    }
}

#[test]
fn limits_are_the_composer_s() {
    let limits = Limits {
        max_depth: 2,
        max_nodes: 7,
        ..Limits::default()
    };
    assert!(alike("a:\n  b: c\n", &limits));
    for text in ["a:\n  b:\n    c: d\n", "a: [1, 2, 3, 4, 5]\n", "a: {b: {c: d}}\n"] {
        assert!(!alike(text, &limits), "{text:?}");
    }
}
