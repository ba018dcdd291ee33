//! Bytes inside other values, as Go prints `[]byte`; expressions that are compiled once.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use pintle_gotmpl::regexp::Regexp;
use pintle_gotmpl::{Value, fmt};

fn printed(format: &str, value: &Value) -> String {
    let mut out = Vec::new();
    fmt::printf(&mut out, format.as_bytes(), std::slice::from_ref(value), 1 << 20).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn numbers_whatever_the_flags() {
    let value = Value::list(vec![Value::bytes(b"\x00a\xff"), Value::Int(-7)]);
    // Go 1.26: fmt.Printf(format, []any{[]byte("\x00a\xff"), -7}).
    for (format, expected) in [
        ("%v", "[[0 97 255] -7]"),
        ("%d", "[[0 97 255] -7]"),
        ("%+d", "[[+0 +97 +255] -7]"),
        ("%4d", "[[   0   97  255]   -7]"),
        ("%.3d", "[[000 097 255] -007]"),
    ] {
        assert_eq!(printed(format, &value), expected, "{format}");
    }
}

#[test]
fn numbers_of_any_length() {
    for number in [0, 7, 10, -1, i64::MAX, i64::MIN] {
        assert_eq!(printed("%d", &Value::Int(number)), number.to_string());
    }
}

#[test]
fn a_limit_ends_long_lists_of_bytes() {
    let value = Value::list(vec![Value::bytes(&vec![200_u8; 100_000])]);
    let mut out = Vec::new();
    assert!(fmt::print_value(&mut out, &value, 1000).is_err());
    assert!(out.len() < 2000, "{}", out.len());
}

#[test]
fn small_expressions_are_compiled_once() {
    let first = Regexp::shared("^[a-z]+$").unwrap();
    assert!(Arc::ptr_eq(&first, &Regexp::shared("^[a-z]+$").unwrap()));
    assert!(first.is_match("abc") && !first.is_match("Abc"));
    let large = r"(?:\pL{9}x){10}";
    assert!(!Arc::ptr_eq(
        &Regexp::shared(large).unwrap(),
        &Regexp::shared(large).unwrap()
    ));
    assert_eq!(
        Regexp::shared("a(").unwrap_err().to_string(),
        Regexp::compile("a(").unwrap_err().to_string()
    );
}
