//! Text of values, as `fmt` prints them, for functions that go through it.

use crate::text::Str;
use crate::value::Value;

/// sprig's `strval`: strings and bytes as they are, anything else as `%v`.
pub(super) fn strval(value: &Value) -> Str {
    match value {
        Value::Str(text) => text.clone(),
        Value::Bytes(bytes) => Str::from_bytes(bytes),
        other => sprint(other),
    }
}

/// Bytes of a map or list that are printed; nobody means to have more of one in a manifest, and one that holds itself twice has no end.
const MAX_SHOWN: usize = 4 << 20;

/// `fmt.Sprintf("%v", value)`. Where that has no end it says so, as `fmt` words what it cannot print.
pub(super) fn sprint(value: &Value) -> Str {
    let mut out = Vec::new();
    match crate::fmt::printf(&mut out, b"%v", std::slice::from_ref(value), MAX_SHOWN) {
        Ok(()) => Str::from_vec(out),
        Err(error) => format!("%!v({error})").into(),
    }
}

/// `d.ddd` times ten to the exponent, without one.
pub(super) fn plain(digits: &str, exponent: i32) -> String {
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", digits),
    };
    let all: String = digits.chars().filter(|c| *c != '.').collect();
    let point = exponent + 1;
    if point <= 0 {
        let zeros = "0".repeat(usize::try_from(-point).unwrap_or_default());
        return format!("{sign}0.{zeros}{all}");
    }
    let point = usize::try_from(point).unwrap_or_default();
    match all.split_at_checked(point) {
        Some((whole, "")) => format!("{sign}{whole}"),
        Some((whole, fraction)) => format!("{sign}{whole}.{fraction}"),
        None => format!("{sign}{all}{}", "0".repeat(point - all.len())),
    }
}

/// `strconv.Quote`.
pub(super) fn quote(text: &[u8]) -> String {
    let mut out = Vec::with_capacity(text.len() + 2);
    crate::quote::quote(&mut out, text, false);
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::strval;
    use crate::value::{Map, Value};

    #[test]
    fn what_has_no_end_says_so_and_is_never_empty() {
        let map = Map::new();
        for name in ["a", "b"] {
            map.insert(name, Value::Map(map.clone()));
        }
        let shown = strval(&Value::Map(map.clone()));
        assert!(shown.to_str().starts_with("%!v(the "), "{}", shown.to_str());
        map.remove("a");
        map.remove("b");
    }
}
