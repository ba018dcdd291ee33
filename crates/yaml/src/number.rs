//! Numbers in Go's spelling.

use std::fmt::LowerExp;

/// Digits behind the point from where on two shortest forms can be equally near to a float of either width.
const TIES: usize = 5;

/// The shortest decimal form of a finite float that reads back as it, as `9.5e3`.
///
/// Where two are equally near, Go takes the one whose last digit is even, and the standard library the greater.
pub fn shortest_scientific<F: LowerExp>(value: F) -> String {
    let text = format!("{value:e}");
    let places = text
        .split_once('.')
        .map_or(0, |(_, rest)| rest.bytes().take_while(u8::is_ascii_digit).count());
    if places < TIES {
        return text;
    }
    // The nearest form of so many digits is one of the shortest, and ties go to even here.
    format!("{value:.places$e}")
}

/// The shortest decimal digits of a finite float and the decimal exponent of the first one.
struct Digits {
    negative: bool,
    digits: String,
    exponent: i32,
}

impl Digits {
    fn of<F: LowerExp>(value: F) -> Digits {
        let scientific = shortest_scientific(value);
        let (negative, rest) = match scientific.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, &*scientific),
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
    let digits = Digits::of(value);
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
    special(value).map_or_else(|| Digits::of(value).general(), str::to_owned)
}

/// Writes a float that is a mapping key as `sigs.k8s.io/yaml` does, which rounds it to single precision.
pub(crate) fn format_key_float(value: f64) -> String {
    let single = value as f32;
    special(f64::from(single)).map_or_else(|| Digits::of(single).general(), str::to_owned)
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

#[cfg(test)]
mod tests {
    use super::shortest_scientific;

    #[test]
    fn of_two_shortest_forms_the_even_one_is_taken() {
        // An eighth of it is 900719925474099.25: both ….2 and ….3 read back as it, and are equally near.
        assert_eq!(
            shortest_scientific(7_205_759_403_792_794.0_f64 / 8.0),
            "9.007199254740992e14"
        );
        assert_eq!(
            shortest_scientific(7_205_759_403_792_798.0_f64 / 8.0),
            "9.007199254740998e14"
        );
        assert_eq!(shortest_scientific(-0.1_f64), "-1e-1");
        assert_eq!(shortest_scientific(5e-324_f64), "5e-324");
        assert_eq!(shortest_scientific(0.1_f32), "1e-1");
        assert_eq!(shortest_scientific(16_777_216_f32), "1.6777216e7");
    }
}
