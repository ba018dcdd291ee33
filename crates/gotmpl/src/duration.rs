//! `time.Duration`: its text and its methods.

use crate::types::Type;
use crate::value::Value;

/// Returns `Duration.String()`: `1h2m3.5s`, `1.5ms`, `0s`.
pub fn text(nanos: i64) -> String {
    let total = nanos.unsigned_abs();
    let sign = if nanos < 0 { "-" } else { "" };
    if total == 0 {
        return "0s".to_owned();
    }
    let (unit, scale): (&str, u64) = match total {
        0..1_000 => ("ns", 1),
        1_000..1_000_000 => ("µs", 1_000),
        1_000_000..1_000_000_000 => ("ms", 1_000_000),
        _ => ("s", 1_000_000_000),
    };
    if scale < 1_000_000_000 {
        return format!("{sign}{}{unit}", with_fraction(total, scale));
    }
    let seconds = total / scale;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let rest = with_fraction(total % (60 * scale), scale);
    if hours > 0 {
        format!("{sign}{hours}h{minutes}m{rest}s")
    } else if minutes > 0 {
        format!("{sign}{minutes}m{rest}s")
    } else {
        format!("{sign}{rest}s")
    }
}

fn with_fraction(total: u64, scale: u64) -> String {
    let places = scale.ilog10() as usize;
    let fraction = format!("{:0places$}", total % scale);
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() || places == 0 {
        (total / scale).to_string()
    } else {
        format!("{}.{fraction}", total / scale)
    }
}

/// Returns what the method takes; `None` if durations have no such method.
pub fn method(name: &str) -> Option<&'static [Type]> {
    match name {
        "Hours" | "Minutes" | "Seconds" | "Milliseconds" | "Microseconds" | "Nanoseconds" | "String" | "Abs" => {
            Some(&[])
        }
        "Round" | "Truncate" => Some(&[Type::Duration]),
        _ => None,
    }
}

/// Calls a method; arguments are those [`method`] asks for.
pub fn call(nanos: i64, name: &str, args: &[Value]) -> Value {
    let in_units = |unit: i64| Value::Float((nanos / unit) as f64 + (nanos % unit) as f64 / unit as f64);
    let unit = args.first().and_then(Value::as_int).unwrap_or(0);
    match name {
        "Hours" => in_units(3_600_000_000_000),
        "Minutes" => in_units(60_000_000_000),
        "Seconds" => in_units(1_000_000_000),
        "Milliseconds" => Value::Int64(nanos / 1_000_000),
        "Microseconds" => Value::Int64(nanos / 1_000),
        "Nanoseconds" => Value::Int64(nanos),
        "Abs" => Value::Duration(nanos.checked_abs().unwrap_or(i64::MAX)),
        "Truncate" if unit > 0 => Value::Duration(nanos - nanos % unit),
        "Round" if unit > 0 => Value::Duration(round(nanos, unit)),
        "Truncate" | "Round" => Value::Duration(nanos),
        _ => Value::str(text(nanos)),
    }
}

/// Rounds half away from zero, and stays within `i64`.
fn round(nanos: i64, unit: i64) -> i64 {
    let rest = i128::from(nanos % unit);
    let (nanos, unit) = (i128::from(nanos), i128::from(unit));
    let down = nanos - rest;
    let rounded = if rest.abs() * 2 < unit {
        down
    } else {
        down + unit * nanos.signum()
    };
    i64::try_from(rounded).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX })
}
