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

/// `fmt.Sprintf("%v", value)`.
pub(super) fn sprint(value: &Value) -> Str {
    let mut out = Vec::new();
    write_value(&mut out, value, 0);
    Str::from_vec(out)
}

/// Values nested deeper print as `...`: nothing a chart holds comes near.
const MAX_DEPTH: usize = 500;

fn write_value(out: &mut Vec<u8>, value: &Value, depth: usize) {
    if depth > MAX_DEPTH {
        out.extend_from_slice(b"...");
        return;
    }
    let mut list = |items: &mut dyn Iterator<Item = Value>| {
        out.push(b'[');
        for (i, item) in items.enumerate() {
            if i > 0 {
                out.push(b' ');
            }
            write_value(out, &item, depth + 1);
        }
        out.push(b']');
    };
    match value {
        Value::List(items) => list(&mut items.iter().cloned()),
        Value::Bytes(bytes) => list(&mut bytes.iter().map(|b| Value::Int(i64::from(*b)))),
        Value::Map(map) => {
            out.extend_from_slice(b"map[");
            for (i, (key, value)) in map.entries().into_iter().enumerate() {
                if i > 0 {
                    out.push(b' ');
                }
                out.extend_from_slice(key.as_bytes());
                out.push(b':');
                write_value(out, &value, depth + 1);
            }
            out.push(b']');
        }
        Value::Host(host) => match (host.text(), host.underlying()) {
            (Some(text), _) => out.extend_from_slice(text.as_bytes()),
            (None, Some(under)) => write_value(out, &under, depth + 1),
            (None, None) => {
                out.push(b'{');
                for (i, (_, field)) in host.fields().into_iter().enumerate() {
                    if i > 0 {
                        out.push(b' ');
                    }
                    write_value(out, &field, depth + 1);
                }
                out.push(b'}');
            }
        },
        Value::Str(text) => out.extend_from_slice(text.as_bytes()),
        Value::Nil => out.extend_from_slice(b"<nil>"),
        Value::Bool(b) => out.extend_from_slice(b.to_string().as_bytes()),
        Value::Int(n) | Value::Int64(n) => out.extend_from_slice(n.to_string().as_bytes()),
        Value::Float(f) => out.extend_from_slice(float_g(&format!("{f:e}"), *f, 21).as_bytes()),
        Value::Number(number) => {
            let text = match number.as_f32() {
                Some(f) => float_g(&format!("{f:e}"), f64::from(f), 21),
                None if number.kind.kind().is_uint() => number.bits.to_string(),
                None => (number.bits as i64).to_string(),
            };
            out.extend_from_slice(text.as_bytes());
        }
        Value::Duration(nanos) => out.extend_from_slice(crate::gotime::format_duration(*nanos).as_bytes()),
    }
}

/// Shortest digits with an exponent below 1e-4 and from `1e<limit>` on. `scientific` is Rust's `{:e}` of the number.
fn float_g(scientific: &str, value: f64, limit: i32) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let (digits, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if value != 0.0 && !(-4..limit).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.unsigned_abs());
    }
    plain(digits, exponent)
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
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' | '\\' => out.extend(['\\', c]),
                '\x07' => out.push_str("\\a"),
                '\x08' => out.push_str("\\b"),
                '\x0c' => out.push_str("\\f"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\x0b' => out.push_str("\\v"),
                c if is_print(c) => out.push(c),
                c if c < ' ' || c == '\x7f' => out.push_str(&format!("\\x{:02x}", u32::from(c))),
                c if u32::from(c) < 0x10000 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
                c => out.push_str(&format!("\\U{:08x}", u32::from(c))),
            }
        }
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out.push('"');
    out
}

/// What Go calls printable: what Rust's escape leaves alone, combining marks, and no space but the ASCII one.
fn is_print(c: char) -> bool {
    if c == ' ' {
        return true;
    }
    let escaped = c.escape_debug();
    (escaped.len() == 1 || matches!(c, '\'') || is_combining(c)) && !c.is_whitespace()
}

fn is_combining(c: char) -> bool {
    // Grapheme extenders are escaped by Rust and printed by Go.
    matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}')
}
