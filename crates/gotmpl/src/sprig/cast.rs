//! spf13/cast v1.7.0: what a number of any spelling is. What cannot be read is zero.

use crate::types::NumberKind;
use crate::value::Value;

/// `cast.ToInt64`, also `cast.ToInt` where `int` has 64 bits.
pub(super) fn to_int64(value: &Value) -> i64 {
    match value {
        Value::Int(n) | Value::Int64(n) => *n,
        Value::Float(f) => truncate(*f),
        Value::Number(number) => match number.as_f32() {
            Some(f) => truncate(f64::from(f)),
            None => number.bits as i64,
        },
        Value::Bool(b) => i64::from(*b),
        Value::Str(text) => text
            .as_str()
            .and_then(|t| parse_int(trim_zero_decimal(t)))
            .unwrap_or_default(),
        // Named types are not numbers to the library, but for weekdays and months.
        Value::Host(host) if matches!(host.type_name(), "time.Weekday" | "time.Month") => {
            host.underlying().and_then(|v| v.as_int()).unwrap_or_default()
        }
        _ => 0,
    }
}

/// `cast.ToFloat64`.
pub(super) fn to_float64(value: &Value) -> f64 {
    match value {
        Value::Int(n) | Value::Int64(n) => *n as f64,
        Value::Float(f) => *f,
        Value::Number(number) => match number.as_f32() {
            Some(f) => f64::from(f),
            None if is_unsigned(number.kind) => number.bits as f64,
            None => number.bits as i64 as f64,
        },
        Value::Bool(b) => f64::from(u8::from(*b)),
        Value::Str(text) => text.as_str().and_then(parse_float).unwrap_or_default(),
        Value::Host(host) if matches!(host.type_name(), "time.Weekday" | "time.Month") => {
            host.underlying().and_then(|v| v.as_int()).unwrap_or_default() as f64
        }
        _ => 0.0,
    }
}

fn is_unsigned(kind: NumberKind) -> bool {
    kind.kind().is_uint()
}

/// Go's conversion on amd64: what does not fit becomes the least integer.
pub(super) fn truncate(f: f64) -> i64 {
    if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&f) {
        f as i64
    } else {
        i64::MIN
    }
}

/// Drops `.000`; `10` stays as it is.
fn trim_zero_decimal(text: &str) -> &str {
    let trimmed = text.trim_end_matches('0');
    match trimmed.strip_suffix('.') {
        Some(whole) if trimmed.len() < text.len() => whole,
        _ => text,
    }
}

/// `strconv.ParseInt(text, 0, 64)`: `0x`, `0o`, `0b` and a leading zero choose the base, `_` may stand between digits.
pub(super) fn parse_int(text: &str) -> Option<i64> {
    let (negative, body) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let lower = body.to_ascii_lowercase();
    let (radix, digits) = if let Some(digits) = lower.strip_prefix("0x") {
        (16, digits)
    } else if let Some(digits) = lower.strip_prefix("0o") {
        (8, digits)
    } else if let Some(digits) = lower.strip_prefix("0b") {
        (2, digits)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, lower.get(1..)?)
    } else {
        (10, lower.as_str())
    };
    // An underscore needs a digit, or the base's prefix, before it and a digit after it.
    let after_prefix = digits.strip_prefix('_').filter(|_| radix != 10).unwrap_or(digits);
    let clean: String = after_prefix.split('_').collect();
    let misplaced = after_prefix.split('_').any(str::is_empty);
    if misplaced || clean.starts_with(['+', '-']) {
        return None;
    }
    let magnitude = u64::from_str_radix(&clean, radix).ok()?;
    if negative {
        0_i64.checked_sub_unsigned(magnitude)
    } else {
        i64::try_from(magnitude).ok()
    }
}

fn parse_float(text: &str) -> Option<f64> {
    if text.contains(['_', 'x', 'X']) {
        return crate::number::parse_float(text);
    }
    let value: f64 = text.parse().ok()?;
    // Go reports what overflows; words for infinity are values.
    if value.is_infinite() && text.bytes().any(|b| b.is_ascii_digit()) {
        None
    } else {
        Some(value)
    }
}
