//! Durations as Go writes them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A length of time in nanoseconds, negative ones included, read and printed as Go's `time.Duration` is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GoDuration(i64);

/// Why a text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a duration: {why}; write it like 90s, 5m or 1h30m")]
pub struct DurationError {
    text: String,
    why: &'static str,
}

const NANOS_PER_SECOND: i64 = 1_000_000_000;

impl GoDuration {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Returns so many nanoseconds.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Returns so many seconds, as many as fit.
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds.saturating_mul(NANOS_PER_SECOND))
    }

    /// Nanoseconds.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// As std's duration; negative ones are zero.
    pub fn to_std(self) -> Duration {
        Duration::from_nanos(u64::try_from(self.0).unwrap_or(0))
    }

    /// Reads what retry backoffs and the reconciliation settings may hold: whole seconds without a unit, a Go duration, or whole days
    /// (`7d`).
    pub fn parse_lenient(text: &str) -> Result<Self, DurationError> {
        if let Ok(seconds) = text.parse() {
            return Ok(Self::from_secs(seconds));
        }
        match text.strip_suffix('d').map(str::parse::<i64>) {
            Some(Ok(days)) => Ok(Self::from_secs(days.saturating_mul(86_400))),
            _ => text.parse(),
        }
    }
}

impl From<Duration> for GoDuration {
    fn from(duration: Duration) -> Self {
        Self(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
    }
}

impl FromStr for GoDuration {
    type Err = DurationError;

    /// Reads a signed sequence of decimal numbers, each with a unit of `h`, `m`, `s`, `ms`, `us`, `µs` or `ns`; `0` needs none.
    fn from_str(text: &str) -> Result<Self, DurationError> {
        let fail = |why| DurationError {
            text: text.to_owned(),
            why,
        };
        let (negative, mut rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        if rest == "0" {
            return Ok(Self::ZERO);
        }
        if rest.is_empty() {
            return Err(fail("nothing is written"));
        }
        let mut total: i128 = 0;
        while !rest.is_empty() {
            let number_len = rest
                .find(|c: char| !c.is_ascii_digit() && c != '.')
                .unwrap_or(rest.len());
            let (number, after) = rest.split_at(number_len);
            let unit_len = after
                .find(|c: char| c.is_ascii_digit() || c == '.')
                .unwrap_or(after.len());
            let (unit, after) = after.split_at(unit_len);
            if number.is_empty() {
                return Err(fail("a number is missing"));
            }
            let scale: i128 = match unit {
                "ns" => 1,
                "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
                "ms" => 1_000_000,
                "s" => i128::from(NANOS_PER_SECOND),
                "m" => 60 * i128::from(NANOS_PER_SECOND),
                "h" => 3_600 * i128::from(NANOS_PER_SECOND),
                "" => return Err(fail("a unit is missing")),
                _ => return Err(fail("a unit is unknown")),
            };
            total += scaled(number, scale).ok_or_else(|| fail("a number is malformed or too large"))?;
            if total > i128::from(i64::MAX) + i128::from(negative) {
                return Err(fail("it is too long"));
            }
            rest = after;
        }
        i64::try_from(if negative { -total } else { total })
            .map(Self)
            .map_err(|_| fail("it is too long"))
    }
}

/// A decimal number times `scale`, fractions of a nanosecond cut off.
fn scaled(number: &str, scale: i128) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if fraction.contains('.') || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let whole: i128 = if whole.is_empty() {
        0
    } else {
        whole.parse::<i64>().ok()?.into()
    };
    // 18 digits are finer than a nanosecond of an hour.
    let digits = fraction.get(..fraction.len().min(18))?;
    let fraction: i128 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
    let divisor = 10_i128.checked_pow(u32::try_from(digits.len()).ok()?)?;
    whole
        .checked_mul(scale)?
        .checked_add(fraction.checked_mul(scale)? / divisor)
}

impl fmt::Display for GoDuration {
    /// `1h30m0s`, `1.5s`, `100ms`, `0s`: as Go's `Duration.String`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.unsigned_abs();
        if nanos == 0 {
            return f.write_str("0s");
        }
        if self.0 < 0 {
            f.write_str("-")?;
        }
        match nanos {
            1..1_000 => write!(f, "{nanos}ns"),
            1_000..1_000_000 => write!(f, "{}\u{b5}s", decimal(nanos, 1_000)),
            1_000_000..1_000_000_000 => write!(f, "{}ms", decimal(nanos, 1_000_000)),
            _ => {
                let minutes = nanos / 60_000_000_000;
                if minutes >= 60 {
                    write!(f, "{}h", minutes / 60)?;
                }
                if minutes > 0 {
                    write!(f, "{}m", minutes % 60)?;
                }
                write!(f, "{}s", decimal(nanos % 60_000_000_000, 1_000_000_000))
            }
        }
    }
}

/// `nanos / unit` with the fraction's trailing zeros left out; `unit` is a power of ten.
fn decimal(nanos: u64, unit: u64) -> String {
    let (whole, fraction) = (nanos / unit, nanos % unit);
    if fraction == 0 {
        return whole.to_string();
    }
    let width = unit.ilog10() as usize;
    format!("{whole}.{}", format!("{fraction:0width$}").trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_what_go_prints() {
        for (text, expected) in [
            ("0", "0s"),
            ("5s", "5s"),
            ("3m", "3m0s"),
            ("1h30m", "1h30m0s"),
            ("24h", "24h0m0s"),
            ("1.5h", "1h30m0s"),
            ("-1.5h", "-1h30m0s"),
            ("+90s", "1m30s"),
            ("1500ms", "1.5s"),
            ("100ms", "100ms"),
            ("1.0001ms", "1.0001ms"),
            ("2us", "2µs"),
            ("2µs", "2µs"),
            ("2μs3ns", "2.003µs"),
            ("7ns", "7ns"),
            (".5s", "500ms"),
            ("1.s", "1s"),
            ("100000h", "100000h0m0s"),
            ("-2562047h47m16.854775808s", "-2562047h47m16.854775808s"),
        ] {
            let parsed: GoDuration = text.parse().expect(text);
            assert_eq!(parsed.to_string(), expected, "{text}");
            assert_eq!(expected.parse(), Ok(parsed), "{expected}");
        }
    }

    #[test]
    fn refuses_what_go_refuses() {
        for text in [
            "",
            "-",
            "3",
            "3x",
            "s",
            "1.2.3s",
            ".s",
            "1 s",
            "3d",
            "2562047h47m16.854775808s",
            "99999999999999999999s",
            "1e3s",
            "١s",
        ] {
            assert!(text.parse::<GoDuration>().is_err(), "{text}");
        }
        assert_eq!(
            "3x".parse::<GoDuration>().expect_err("unknown unit").to_string(),
            r#""3x" is not a duration: a unit is unknown; write it like 90s, 5m or 1h30m"#
        );
    }

    #[test]
    fn lenient_takes_seconds_and_days() {
        assert_eq!(GoDuration::parse_lenient("180"), Ok(GoDuration::from_secs(180)));
        assert_eq!(GoDuration::parse_lenient("2d"), Ok(GoDuration::from_secs(172_800)));
        assert_eq!(GoDuration::parse_lenient("2m"), Ok(GoDuration::from_secs(120)));
        assert!(GoDuration::parse_lenient("soon").is_err());
    }
}
