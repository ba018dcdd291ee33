//! Resource quantities in the one form kube-apiserver writes back.

/// A quantity as mantissa and scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Quantity {
    /// The number is `mantissa × 10^exponent`.
    mantissa: i128,
    exponent: i32,
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// `500m`, `1k`.
    Decimal,
    /// `1Ki`.
    Binary,
    /// `1e3`.
    Exponent,
}

const DECIMAL: &[(&str, i32)] = &[
    ("n", -9),
    ("u", -6),
    ("m", -3),
    ("", 0),
    ("k", 3),
    ("M", 6),
    ("G", 9),
    ("T", 12),
    ("P", 15),
    ("E", 18),
];
const BINARY: &[(&str, u32)] = &[("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];

/// Returns the canonical text of a quantity, `None` if it is not one.
pub fn canonical(text: &str) -> Option<String> {
    Some(print(parse(text)?))
}

/// The number of a quantity in thousandths, rounded up: enough for CPU; `None` if it is not a quantity or too large.
pub fn millis(text: &str) -> Option<i128> {
    let q = parse(text)?;
    scale(q.mantissa, q.exponent + 3)
}

/// `mantissa × 10^exponent` as an integer, rounded away from zero.
fn scale(mantissa: i128, exponent: i32) -> Option<i128> {
    let power = 10_i128.checked_pow(exponent.unsigned_abs())?;
    if exponent >= 0 {
        return mantissa.checked_mul(power);
    }
    let (whole, rest) = (mantissa / power, mantissa % power);
    Some(whole + rest.signum())
}

fn parse(text: &str) -> Option<Quantity> {
    let (negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let end = rest
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(rest.len());
    let (number, suffix) = rest.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    // 27 digits are beyond what Kubernetes keeps and far inside i128 with the largest suffix.
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') || whole.len() + fraction.len() > 27 {
        return None;
    }
    let mut mantissa: i128 = format!("{whole}{fraction}").parse().ok()?;
    if negative {
        mantissa = -mantissa;
    }
    let mut exponent = -i32::try_from(fraction.len()).ok()?;
    let format = if let Some((_, power)) = DECIMAL.iter().find(|(s, _)| *s == suffix) {
        exponent += power;
        Format::Decimal
    } else if let Some((_, shift)) = BINARY.iter().find(|(s, _)| *s == suffix) {
        mantissa = mantissa.checked_mul(1_i128.checked_shl(*shift)?)?;
        Format::Binary
    } else {
        let power: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
        // The exponents a quantity can keep.
        exponent += (-30..=30).contains(&power).then_some(power)?;
        Format::Exponent
    };
    Some(Quantity {
        mantissa,
        exponent,
        format,
    })
}

fn print(q: Quantity) -> String {
    // Nothing below a billionth is kept; it is rounded away from zero.
    let (mut mantissa, mut exponent) = match q.exponent {
        e if e < -9 => (scale(q.mantissa, e + 9).unwrap_or(0), -9),
        e => (q.mantissa, e),
    };
    if mantissa == 0 {
        return "0".to_owned();
    }
    if q.format == Format::Binary
        && let Some(whole) = whole(mantissa, exponent)
        && whole.unsigned_abs() >= 1024
    {
        let (mut number, mut suffix) = (whole, "");
        for (name, _) in BINARY {
            if number % 1024 != 0 {
                break;
            }
            number /= 1024;
            suffix = name;
        }
        return format!("{number}{suffix}");
    }
    while mantissa % 10 == 0 {
        mantissa /= 10;
        exponent += 1;
    }
    // Down to the next suffix, at most the largest one.
    while exponent.rem_euclid(3) != 0 || exponent > 18 {
        let Some(more) = mantissa.checked_mul(10) else { break };
        mantissa = more;
        exponent -= 1;
    }
    if q.format == Format::Exponent {
        return if exponent == 0 {
            mantissa.to_string()
        } else {
            format!("{mantissa}e{exponent}")
        };
    }
    let suffix = DECIMAL.iter().find(|(_, e)| *e == exponent).map_or("", |(s, _)| *s);
    format!("{mantissa}{suffix}")
}

/// The number, if it has no fraction.
fn whole(mantissa: i128, exponent: i32) -> Option<i128> {
    let power = 10_i128.checked_pow(exponent.unsigned_abs())?;
    if exponent >= 0 {
        return mantissa.checked_mul(power);
    }
    (mantissa % power == 0).then(|| mantissa / power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_written_as_kube_apiserver_writes_them() {
        // Checked against apimachinery's documentation of Quantity and its tests.
        for (text, expected) in [
            ("100m", "100m"),
            ("0.5", "500m"),
            ("1000m", "1"),
            ("1500m", "1500m"),
            ("1.5", "1500m"),
            ("1000", "1k"),
            ("1024", "1024"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("0.5Ki", "512"),
            ("512Mi", "512Mi"),
            ("1e3", "1e3"),
            ("12e5", "1200e3"),
            ("0", "0"),
            ("0.1n", "1n"),
            ("-1.50k", "-1500"),
            ("100M", "100M"),
            ("1E", "1E"),
        ] {
            assert_eq!(canonical(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["", "a", "1.2.3", "1x", "--1", "1e", "."] {
            assert_eq!(canonical(text), None, "{text}");
        }
        assert_eq!(millis("0.5"), Some(500));
    }
}
