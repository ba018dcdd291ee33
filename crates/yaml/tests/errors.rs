//! Where errors are, and what they are called.

#![allow(clippy::unwrap_used)]

use pintle_yaml::{ErrorKind, parse};

fn check(text: &str, kind: ErrorKind, line: usize, column: usize, printed: &str) {
    let error = parse(text).err().unwrap();
    assert_eq!(
        (error.kind, error.line, error.column),
        (kind, line, column),
        "{text:?}: {error}"
    );
    assert_eq!(error.to_string(), printed, "{text:?}");
}

#[test]
fn the_line_is_the_real_one_whatever_go_prints() {
    let no_value = "mapping values are not allowed in this context";
    check("a: b: c", ErrorKind::Syntax, 1, 5, &format!("yaml: {no_value}"));
    check(
        "é: 1\nb: c: d",
        ErrorKind::Syntax,
        2,
        5,
        &format!("yaml: line 2: {no_value}"),
    );
    // go-yaml counts the parser's lines from zero.
    check(
        "a: 1\nb: 2\n]",
        ErrorKind::Syntax,
        3,
        1,
        "yaml: line 2: did not find expected key",
    );
    check(
        "a: 1\nb: [1\nc: 2\n",
        ErrorKind::Syntax,
        3,
        2,
        "yaml: line 2: did not find expected ',' or ']'",
    );
    check(
        "a:\n- b\n- !!int c",
        ErrorKind::Decode,
        3,
        3,
        "yaml: cannot decode !!str `c` as a !!int",
    );
    check(
        "a:\n- *b",
        ErrorKind::Syntax,
        2,
        3,
        "yaml: unknown anchor 'b' referenced",
    );
    check(
        "a:\n  ~: b",
        ErrorKind::Json,
        2,
        3,
        "unsupported map key of type: %!s(<nil>)",
    );
    check("a: -.inf", ErrorKind::Json, 0, 0, "json: unsupported value: -Inf");
    check(
        "a: 1\n\u{7}",
        ErrorKind::Syntax,
        1,
        1,
        "yaml: control characters are not allowed",
    );
}
