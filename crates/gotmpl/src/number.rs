//! Number and character literals of templates.

use crate::node::Literal;
use crate::quote::{Unit, quoted, unquote_char};

/// Reads a character constant with its quotes.
pub fn character(text: &str) -> Result<Literal, String> {
    let body = text.as_bytes().get(1..).unwrap_or_default();
    let (unit, rest) = unquote_char(body, b'\'').ok_or("invalid syntax")?;
    if rest != b"'" {
        return Err(format!("malformed character constant: {text}"));
    }
    let code = match unit {
        Unit::Byte(byte) => u32::from(byte),
        Unit::Char(c) => u32::from(c),
    };
    Ok(Literal {
        int: Some(i64::from(code)),
        uint: Some(u64::from(code)),
        float: Some(f64::from(code)),
        complex: false,
        text: text.to_owned(),
    })
}

/// Reads a complex constant. Only its being one is kept: values have no complex numbers.
pub fn complex(text: &str) -> Literal {
    Literal {
        complex: true,
        text: text.to_owned(),
        ..Literal::default()
    }
}

/// Reads a number as Go does: as every type it can be.
pub fn number(text: &str) -> Result<Literal, String> {
    if let Some(imaginary) = text.strip_suffix('i') {
        if parse_float(imaginary).is_some() {
            return Ok(complex(text));
        }
    }
    let mut literal = Literal {
        uint: parse_uint(text),
        int: parse_int(text),
        text: text.to_owned(),
        ..Literal::default()
    };
    if literal.int == Some(0) {
        literal.uint = Some(0);
    }
    if let Some(int) = literal.int {
        literal.float = Some(int as f64);
    } else if let Some(uint) = literal.uint {
        literal.float = Some(uint as f64);
    } else if let Some(float) = parse_float(text) {
        if !text.contains(['.', 'e', 'E', 'p', 'P']) {
            return Err(format!("integer overflow: {}", quoted(text)));
        }
        literal.float = Some(float);
        // 2⁶³ and 2⁶⁴ are the first floats that do not fit.
        if float.fract() == 0.0 {
            literal.int = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0)
                .contains(&float)
                .then_some(float as i64);
            literal.uint = (0.0..18_446_744_073_709_551_616.0)
                .contains(&float)
                .then_some(float as u64);
        }
    }
    if literal.float.is_none() {
        return Err(format!("illegal number syntax: {}", quoted(text)));
    }
    Ok(literal)
}

fn parse_uint(text: &str) -> Option<u64> {
    let (radix, digits) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, text.get(2..)?),
        [b'0', b'o' | b'O', ..] => (8, text.get(2..)?),
        [b'0', b'b' | b'B', ..] => (2, text.get(2..)?),
        [b'0', _, ..] => (8, text.get(1..)?),
        _ => (10, text),
    };
    if text.contains('_') && !underscores_ok(text) {
        return None;
    }
    let digits: String = digits.chars().filter(|c| *c != '_').collect();
    if digits.starts_with('+') {
        return None;
    }
    u64::from_str_radix(&digits, radix).ok()
}

fn parse_int(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let value = i128::from(parse_uint(digits)?);
    i64::try_from(if negative { -value } else { value }).ok()
}

/// Go's rule: underscores stand between digits, or between a base prefix and a digit.
fn underscores_ok(text: &str) -> bool {
    let text = text.trim_start_matches(['+', '-']).as_bytes();
    let prefixed = matches!(text, [b'0', b'x' | b'X' | b'o' | b'O' | b'b' | b'B', ..]);
    let hex = matches!(text, [b'0', b'x' | b'X', ..]);
    let rest = if prefixed {
        text.get(2..).unwrap_or_default()
    } else {
        text
    };
    // '0': a digit or the prefix came before; '_': an underscore; '!': neither.
    let mut before = if prefixed { b'0' } else { b'^' };
    for byte in rest {
        let digit = byte.is_ascii_digit() || (hex && byte.is_ascii_hexdigit());
        if digit {
            before = b'0';
        } else if *byte == b'_' {
            if before != b'0' {
                return false;
            }
            before = b'_';
        } else {
            if before == b'_' {
                return false;
            }
            before = b'!';
        }
    }
    before != b'_'
}

/// Reads a decimal or hexadecimal float; `None` where Go reports a syntax or range error.
pub fn parse_float(text: &str) -> Option<f64> {
    if text.contains('_') && !underscores_ok(text) {
        return None;
    }
    let clean: String = text.chars().filter(|c| *c != '_').collect();
    let unsigned = clean.trim_start_matches(['+', '-']);
    if unsigned.starts_with("0x") || unsigned.starts_with("0X") {
        return parse_hex_float(unsigned.get(2..)?).map(|value| if clean.starts_with('-') { -value } else { value });
    }
    if !unsigned.bytes().any(|byte| byte.is_ascii_digit()) || unsigned.starts_with(['e', 'E']) {
        return None;
    }
    clean.parse::<f64>().ok().filter(|value| value.is_finite())
}

fn parse_hex_float(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let mut exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut bits: u64 = 0;
    for (at, c) in whole.chars().chain(fraction.chars()).enumerate() {
        let digit = u64::from(c.to_digit(16)?);
        let after_point = at >= whole.len();
        if bits >> 52 == 0 {
            bits = bits << 4 | digit;
            exponent = exponent.checked_sub(if after_point { 4 } else { 0 })?;
        } else {
            // Past a float's precision; Go rounds, this truncates.
            exponent = exponent.checked_add(if after_point { 0 } else { 4 })?;
        }
    }
    let value = bits as f64 * f64::from(exponent).exp2();
    value.is_finite().then_some(value)
}
