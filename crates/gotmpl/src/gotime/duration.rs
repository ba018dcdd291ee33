//! `time.Duration`: nanoseconds, printed as `1h2m3.5s`.

const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Prints nanoseconds as Go does: `0s`, `1.5µs`, `2h0m0s`.
pub fn format_duration(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let n = nanos.unsigned_abs();
    if n == 0 {
        return "0s".to_owned();
    }
    if n < 1_000_000_000 {
        let (digits, unit) = match n {
            0..1_000 => (0, "ns"),
            1_000..1_000_000 => (3, "µs"),
            _ => (6, "ms"),
        };
        return format!("{sign}{}{unit}", decimal(n, digits));
    }
    let seconds = decimal(n % 60_000_000_000, 9);
    let minutes = n / 60_000_000_000;
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{sign}{seconds}s"),
        (0, m) => format!("{sign}{m}m{seconds}s"),
        (h, m) => format!("{sign}{h}h{m}m{seconds}s"),
    }
}

/// The number with so many decimal places, trailing zeros dropped.
fn decimal(n: u64, places: usize) -> String {
    let scale = 10_u64.pow(u32::try_from(places).unwrap_or_default());
    let whole = n / scale;
    let fraction = format!("{:0places$}", n % scale);
    let fraction = fraction.trim_end_matches('0');
    if places == 0 || fraction.is_empty() {
        whole.to_string()
    } else {
        format!("{whole}.{fraction}")
    }
}

/// Reads `-1.5h`, `300ms`, `2h45m`.
///
/// # Errors
/// Go's: `time: invalid duration "x"`, `time: missing unit in duration "3"`, `time: unknown unit "d" in duration "1d"`.
pub fn parse_duration(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {}", super::layout::quote(text));
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let limit = 1_u64 << 63;
    let mut total = 0_u64;
    while !rest.is_empty() {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let (whole, after) = rest.split_at_checked(digits(rest)).ok_or_else(invalid)?;
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => after.split_at_checked(digits(after)).ok_or_else(invalid)?,
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let end = after
            .find(|c: char| c == '.' || c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(end).ok_or_else(invalid)?;
        if unit.is_empty() {
            return Err(format!("time: missing unit in duration {}", super::layout::quote(text)));
        }
        let (_, nanos) = UNITS.into_iter().find(|(name, _)| *name == unit).ok_or_else(|| {
            let quote = super::layout::quote;
            format!("time: unknown unit {} in duration {}", quote(unit), quote(text))
        })?;
        let whole: u64 = if whole.is_empty() {
            0
        } else {
            whole.parse().map_err(|_| invalid())?
        };
        let mut value = whole.checked_mul(nanos).filter(|v| *v <= limit).ok_or_else(invalid)?;
        // Digits beyond what 63 bits hold do not count.
        let (mut numerator, mut scale) = (0_u64, 1_f64);
        for digit in fraction.bytes() {
            let Some(next) = numerator
                .checked_mul(10)
                .and_then(|n| n.checked_add(u64::from(digit - b'0')))
            else {
                break;
            };
            if next > limit {
                break;
            }
            (numerator, scale) = (next, scale * 10.0);
        }
        if numerator > 0 {
            value += (numerator as f64 * (nanos as f64 / scale)) as u64;
        }
        total = total.checked_add(value).filter(|t| *t <= limit).ok_or_else(invalid)?;
        rest = after;
    }
    if negative {
        return Ok((total as i64).wrapping_neg());
    }
    i64::try_from(total).map_err(|_| invalid())
}

/// Rounds to the nearest multiple, halves away from zero; a multiple of zero or less changes nothing.
pub fn round_duration(nanos: i64, multiple: i64) -> i64 {
    if multiple <= 0 {
        return nanos;
    }
    let rest = nanos % multiple;
    let truncated = nanos - rest;
    if rest.unsigned_abs() < multiple.unsigned_abs() - rest.unsigned_abs() {
        return truncated;
    }
    if nanos < 0 {
        truncated.saturating_sub(multiple)
    } else {
        truncated.saturating_add(multiple)
    }
}
