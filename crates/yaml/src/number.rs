//! Numbers in Go's spelling.

/// The shortest decimal digits of a finite float and the decimal exponent of the first one.
struct Digits {
    negative: bool,
    digits: String,
    exponent: i32,
}

impl Digits {
    /// Takes apart Rust's `{:e}` form, which has the shortest digits that read back, as Go's `-1` precision has.
    fn of(scientific: &str) -> Digits {
        let (negative, rest) = match scientific.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, scientific),
        };
        let (mantissa, exponent) = rest.split_once('e').unwrap_or((rest, "0"));
        let digits = mantissa.chars().filter(char::is_ascii_digit).collect();
        Digits {
            negative,
            digits,
            exponent: exponent.parse().unwrap_or(0),
        }
    }

    /// `d.dde±dd`, the exponent with at least two digits, as `strconv.FormatFloat(x, 'e', -1, _)`.
    fn scientific(&self) -> String {
        let mut out = String::with_capacity(self.digits.len() + 8);
        if self.negative {
            out.push('-');
        }
        let (first, rest) = self.digits.split_at(1);
        out.push_str(first);
        if !rest.is_empty() {
            out.push('.');
            out.push_str(rest);
        }
        out.push('e');
        out.push(if self.exponent < 0 { '-' } else { '+' });
        let exponent = self.exponent.unsigned_abs();
        if exponent < 10 {
            out.push('0');
        }
        out.push_str(&exponent.to_string());
        out
    }

    /// Plain digits without an exponent, as `strconv.FormatFloat(x, 'f', -1, _)`.
    fn plain(&self) -> String {
        let mut out = String::with_capacity(self.digits.len() + 24);
        if self.negative {
            out.push('-');
        }
        let point = self.exponent + 1;
        if point <= 0 {
            out.push_str("0.");
            out.extend(std::iter::repeat_n('0', point.unsigned_abs() as usize));
            out.push_str(&self.digits);
            return out;
        }
        let point = point as usize;
        if point >= self.digits.len() {
            out.push_str(&self.digits);
            out.extend(std::iter::repeat_n('0', point - self.digits.len()));
        } else {
            let (whole, fraction) = self.digits.split_at(point);
            out.push_str(whole);
            out.push('.');
            out.push_str(fraction);
        }
        out
    }

    /// Scientific below 1e-4 and from 1e6 on, as `strconv.FormatFloat(x, 'g', -1, _)`.
    fn general(&self) -> String {
        if self.exponent < -4 || self.exponent >= 6 {
            self.scientific()
        } else {
            self.plain()
        }
    }
}

/// Writes a finite float as Go's `encoding/json` does: no exponent from 1e-6 up to 1e21.
///
/// Not finite numbers have no JSON form; they come out as `null`, and [`parse`](crate::parse) never returns one.
pub fn format_json_float(value: f64) -> String {
    if !value.is_finite() {
        return "null".to_owned();
    }
    let digits = Digits::of(&format!("{value:e}"));
    if value == 0.0 || (-6..21).contains(&digits.exponent) {
        return digits.plain();
    }
    // encoding/json shortens e-09 to e-9 and leaves e+21 alone.
    match digits.scientific().split_once("e-0") {
        Some((mantissa, exponent)) => format!("{mantissa}e-{exponent}"),
        None => digits.scientific(),
    }
}

/// Writes a float as go-yaml's encoder does: `1e+06`, `.inf`.
pub(crate) fn format_yaml_float(value: f64) -> String {
    special(value).map_or_else(|| Digits::of(&format!("{value:e}")).general(), str::to_owned)
}

/// Writes a float that is a mapping key as `sigs.k8s.io/yaml` does, which rounds it to single precision.
pub(crate) fn format_key_float(value: f64) -> String {
    let single = value as f32;
    special(f64::from(single)).map_or_else(|| Digits::of(&format!("{single:e}")).general(), str::to_owned)
}

fn special(value: f64) -> Option<&'static str> {
    if value.is_nan() {
        Some(".nan")
    } else if value == f64::INFINITY {
        Some(".inf")
    } else if value == f64::NEG_INFINITY {
        Some("-.inf")
    } else {
        None
    }
}
