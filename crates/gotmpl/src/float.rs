//! Floating-point text as Go's `strconv.FormatFloat` writes it.

use std::fmt::LowerExp;

/// The digits of a finite number: `0.d₁d₂… × 10^point`, without trailing or leading zeros (zero has none).
struct Decimal {
    digits: Vec<u8>,
    point: i32,
}

/// The width the number had: it decides what "shortest" means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// `float32`.
    Single,
    /// `float64`.
    Double,
}

/// Appends the number. `precision` `None` means the fewest digits that read back as the same number.
/// Formats: `b e E f g G x X`.
pub fn format_float(out: &mut Vec<u8>, value: f64, format: u8, precision: Option<usize>, width: Width) {
    if value.is_nan() {
        out.extend_from_slice(b"NaN");
        return;
    }
    if value.is_infinite() {
        out.extend_from_slice(if value < 0.0 { b"-Inf" } else { b"+Inf" });
        return;
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    let value = value.abs();
    match format {
        b'b' => binary(out, value, width),
        b'x' | b'X' => hexadecimal(out, value, precision, width, format),
        b'e' | b'E' => {
            let decimal = match precision {
                None => shortest(value, width),
                Some(places) => rounded(value, places),
            };
            let places = precision.unwrap_or(decimal.digits.len().saturating_sub(1));
            exponent_form(out, &decimal, places, format);
        }
        b'f' => {
            let places = match precision {
                None => {
                    let decimal = shortest(value, width);
                    usize::try_from(decimal.digits.len() as i32 - decimal.point).unwrap_or(0)
                }
                Some(places) => places,
            };
            if precision.is_none() {
                plain_form(out, &shortest(value, width), places);
            } else {
                let exact = places.min(EXACT_PLACES);
                out.extend_from_slice(format!("{value:.exact$}").as_bytes());
                if value.is_finite() {
                    out.resize(out.len() + (places - exact), b'0');
                }
            }
        }
        _ => general(out, value, format, precision, width),
    }
}

fn general(out: &mut Vec<u8>, value: f64, format: u8, precision: Option<usize>, width: Width) {
    let (decimal, precision, threshold) = match precision {
        None => (shortest(value, width), 6, 6),
        Some(precision) => {
            let precision = precision.max(1);
            let decimal = rounded(value, precision - 1);
            let count = decimal.digits.len();
            let mut threshold = precision;
            if threshold > count && count as i32 >= decimal.point {
                threshold = count;
            }
            (decimal, precision, threshold)
        }
    };
    let _ = precision;
    let exponent = if decimal.digits.is_empty() {
        0
    } else {
        decimal.point - 1
    };
    if exponent < -4
        || exponent
            >= i32::try_from(threshold)
                .unwrap_or(i32::MAX)
                .max(if value == 0.0 { 1 } else { 0 })
    {
        let places = decimal.digits.len().saturating_sub(1);
        exponent_form(out, &decimal, places, if format == b'G' { b'E' } else { b'e' });
    } else {
        let places = usize::try_from(decimal.digits.len() as i32 - decimal.point).unwrap_or(0);
        plain_form(out, &decimal, if decimal.digits.is_empty() { 0 } else { places });
    }
}

fn shortest(value: f64, width: Width) -> Decimal {
    let text = match width {
        Width::Single => shortest_scientific(value as f32),
        Width::Double => shortest_scientific(value),
    };
    from_scientific(&text)
}

/// Digits behind the point from where on two shortest forms can be equally near to a float of either width.
const TIES: usize = 5;

/// The shortest decimal form of a finite float that reads back as it, as `9.5e3`.
///
/// Where two are equally near, Go takes the one whose last digit is even, and the standard library the greater.
pub(crate) fn shortest_scientific<F: LowerExp>(value: F) -> String {
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

/// No float has more digits behind the point, written out in full: what follows are zeros. The standard library takes no more than 65,535.
const EXACT_PLACES: usize = 1100;

fn rounded(value: f64, places: usize) -> Decimal {
    let places = places.min(EXACT_PLACES);
    from_scientific(&format!("{value:.places$e}"))
}

fn from_scientific(text: &str) -> Decimal {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let mut digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
    while digits.last() == Some(&b'0') {
        digits.pop();
    }
    let point = if digits.is_empty() {
        0
    } else {
        exponent.parse::<i32>().unwrap_or(0) + 1
    };
    Decimal { digits, point }
}

fn exponent_form(out: &mut Vec<u8>, decimal: &Decimal, places: usize, letter: u8) {
    out.push(decimal.digits.first().copied().unwrap_or(b'0'));
    if places > 0 {
        out.push(b'.');
        for at in 1..=places {
            out.push(decimal.digits.get(at).copied().unwrap_or(b'0'));
        }
    }
    let exponent = if decimal.digits.is_empty() {
        0
    } else {
        decimal.point - 1
    };
    out.push(letter);
    out.push(if exponent < 0 { b'-' } else { b'+' });
    out.extend_from_slice(format!("{:02}", exponent.unsigned_abs()).as_bytes());
}

fn plain_form(out: &mut Vec<u8>, decimal: &Decimal, places: usize) {
    let digit = |at: i32| -> u8 {
        usize::try_from(at)
            .ok()
            .and_then(|at| decimal.digits.get(at))
            .copied()
            .unwrap_or(b'0')
    };
    if decimal.point > 0 {
        out.extend((0..decimal.point).map(digit));
    } else {
        out.push(b'0');
    }
    if places > 0 {
        out.push(b'.');
        out.extend((0..places as i32).map(|at| digit(decimal.point + at)));
    }
}

/// Splits into mantissa and binary exponent: `value = mantissa × 2^exponent`, with Go's bit widths.
fn parts(value: f64, width: Width) -> (u64, i32) {
    match width {
        Width::Double => {
            let bits = value.to_bits();
            let mantissa = bits & ((1 << 52) - 1);
            match (bits >> 52) & 0x7ff {
                0 => (mantissa, -1074),
                exponent => (mantissa | (1 << 52), exponent as i32 - 1075),
            }
        }
        Width::Single => {
            let bits = (value as f32).to_bits();
            let mantissa = u64::from(bits & ((1 << 23) - 1));
            match (bits >> 23) & 0xff {
                0 => (mantissa, -149),
                exponent => (mantissa | (1 << 23), exponent as i32 - 150),
            }
        }
    }
}

fn binary(out: &mut Vec<u8>, value: f64, width: Width) {
    let (mantissa, exponent) = parts(value, width);
    out.extend_from_slice(format!("{mantissa}p{exponent:+}").as_bytes());
}

fn hexadecimal(out: &mut Vec<u8>, value: f64, precision: Option<usize>, width: Width, format: u8) {
    let (mut mantissa, mut exponent) = parts(value, width);
    if mantissa == 0 {
        exponent = 0;
    } else {
        // The leading 1 goes to bit 60: fifteen hexadecimal digits follow it.
        let shift = mantissa.leading_zeros() as i32 - 3;
        mantissa <<= shift;
        exponent += 60 - shift;
    }
    if let Some(places) = precision.filter(|places| *places < 15) {
        let dropped = 60 - 4 * places as u32;
        let half = 1_u64 << (dropped - 1);
        let rest = mantissa & ((1 << dropped) - 1);
        mantissa >>= dropped;
        if rest > half || (rest == half && mantissa & 1 == 1) {
            mantissa += 1;
        }
        mantissa <<= dropped;
        if mantissa >> 61 != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let mut text = format!("0x{}", mantissa >> 60);
    let mut digits = format!("{:015x}", mantissa & ((1 << 60) - 1));
    match precision {
        None => digits.truncate(digits.trim_end_matches('0').len()),
        Some(places) => {
            digits.truncate(places);
            while digits.len() < places {
                digits.push('0');
            }
        }
    }
    if !digits.is_empty() {
        text.push('.');
        text.push_str(&digits);
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    text.push_str(&format!("p{sign}{:02}", exponent.unsigned_abs()));
    if format == b'X' {
        text.make_ascii_uppercase();
    }
    out.extend_from_slice(text.as_bytes());
}
