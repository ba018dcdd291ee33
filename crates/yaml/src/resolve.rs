//! What a scalar means: go-yaml v2's `resolve`, which is YAML 1.1 with exceptions.

use crate::Yaml;

const TAG_PREFIX: &str = "tag:yaml.org,2002:";

/// The type go-yaml gives a scalar.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Bool,
    Int,
    Float,
    Timestamp,
    String,
}

impl Kind {
    fn tag(self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Bool => "bool",
            Kind::Int => "int",
            Kind::Float => "float",
            Kind::Timestamp => "timestamp",
            Kind::String => "str",
        }
    }
}

/// What a scalar without a tag resolves to; a timestamp is text to `sigs.k8s.io/yaml`.
///
/// `None` in the value means "the text itself", so that the common case moves the string and copies nothing.
pub(crate) fn resolve_plain(text: &str) -> (Kind, Option<Yaml>) {
    resolve(text, true)
}

/// Resolves a scalar that carries an explicit tag; `Err` is go-yaml's message.
pub(crate) fn resolve_tagged(tag: &str, text: String) -> Result<Yaml, String> {
    let Some(short) = tag.strip_prefix(TAG_PREFIX) else {
        // An unknown tag is dropped and the text kept, whatever it looks like.
        return Ok(Yaml::String(text));
    };
    let wanted = match short {
        "str" => return Ok(Yaml::String(text)),
        "binary" => return decode_binary(&text),
        "bool" => Kind::Bool,
        "int" => Kind::Int,
        "float" => Kind::Float,
        "null" => Kind::Null,
        "timestamp" => Kind::Timestamp,
        _ => return Ok(Yaml::String(text)),
    };
    let (kind, value) = resolve(&text, wanted == Kind::Timestamp);
    if kind == wanted {
        return Ok(value.unwrap_or(Yaml::String(text)));
    }
    match (wanted, kind, value) {
        (Kind::Float, Kind::Int, Some(Yaml::Int(int))) => Ok(Yaml::Float(int as f64)),
        _ => Err(format!(
            "cannot decode !!{} `{}` as a !!{}",
            kind.tag(),
            shorten(&text),
            wanted.tag()
        )),
    }
}

/// go-yaml quotes the whole scalar here; we keep what its other messages keep, seven bytes, because the scalar may be a secret.
pub(crate) fn shorten(text: &str) -> String {
    if text.len() <= 10 {
        return text.to_owned();
    }
    let end = (0..=7).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    format!("{}...", text.get(..end).unwrap_or_default())
}

fn resolve(text: &str, timestamps: bool) -> (Kind, Option<Yaml>) {
    let Some(&first) = text.as_bytes().first() else {
        return (Kind::Null, Some(Yaml::Null));
    };
    match first {
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => word(text),
        b'.' => point(text),
        b'0'..=b'9' | b'+' | b'-' => number(text, timestamps),
        _ => (Kind::String, None),
    }
}

/// The words with a meaning. go-yaml accepts exactly three spellings of each: lower, Capitalised, UPPER.
fn word(text: &str) -> (Kind, Option<Yaml>) {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            (Kind::Bool, Some(Yaml::Bool(true)))
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            (Kind::Bool, Some(Yaml::Bool(false)))
        }
        "~" | "null" | "Null" | "NULL" => (Kind::Null, Some(Yaml::Null)),
        _ => (Kind::String, None),
    }
}

/// Scalars that begin with a point: `.inf`, `.nan`, `.5`.
fn point(text: &str) -> (Kind, Option<Yaml>) {
    match text {
        ".nan" | ".NaN" | ".NAN" => (Kind::Float, Some(Yaml::Float(f64::NAN))),
        ".inf" | ".Inf" | ".INF" => (Kind::Float, Some(Yaml::Float(f64::INFINITY))),
        _ => match parse_go_float(text) {
            Some(float) => (Kind::Float, Some(Yaml::Float(float))),
            None => (Kind::String, None),
        },
    }
}

/// Scalars that begin with a digit or a sign.
fn number(text: &str, timestamps: bool) -> (Kind, Option<Yaml>) {
    match text {
        "+.inf" | "+.Inf" | "+.INF" => return (Kind::Float, Some(Yaml::Float(f64::INFINITY))),
        "-.inf" | "-.Inf" | "-.INF" => return (Kind::Float, Some(Yaml::Float(f64::NEG_INFINITY))),
        _ => {}
    }
    if timestamps && is_timestamp(text) {
        return (Kind::Timestamp, None);
    }
    // Underscores may stand anywhere: `1_000`, and also `1__0_`.
    let without;
    let plain = if text.contains('_') {
        without = text.replace('_', "");
        without.as_str()
    } else {
        text
    };
    if let Some(integer) = parse_integer(plain) {
        return (Kind::Int, Some(integer));
    }
    if is_yaml_float(plain)
        && let Ok(float) = plain.parse::<f64>()
        // strconv reports an overflow as an error, and the scalar stays text.
        && float.is_finite()
    {
        return (Kind::Float, Some(Yaml::Float(float)));
    }
    // A leftover of go-yaml's own binary numbers: `0b-101` is -5.
    if let Some(binary) = plain.strip_prefix("0b")
        && binary.starts_with(['-', '+'])
        && let Ok(integer) = i64::from_str_radix(binary, 2)
    {
        return (Kind::Int, Some(Yaml::Int(integer)));
    }
    (Kind::String, None)
}

/// Go's `strconv.ParseInt(text, 0, 64)`, then `ParseUint`: base prefixes `0x`, `0o`, `0b`, and a bare `0` for octal.
fn parse_integer(text: &str) -> Option<Yaml> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (Some('-'), text.get(1..)?),
        b'+' => (Some('+'), text.get(1..)?),
        _ => (None, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, digits.get(2..)?),
        [b'0', b'o' | b'O', ..] => (8, digits.get(2..)?),
        [b'0', b'b' | b'B', ..] => (2, digits.get(2..)?),
        [b'0', _, ..] => (8, digits.get(1..)?),
        _ => (10, digits),
    };
    // `from_str_radix` would accept a second sign.
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    match sign {
        Some('-') => 0i64.checked_sub_unsigned(magnitude).map(Yaml::Int),
        _ => match i64::try_from(magnitude) {
            Ok(int) => Some(Yaml::Int(int)),
            // ParseUint takes no sign.
            Err(_) if sign.is_none() => Some(Yaml::Uint(magnitude)),
            Err(_) => None,
        },
    }
}

/// go-yaml's pattern `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`.
fn is_yaml_float(text: &str) -> bool {
    let bytes = text.as_bytes();
    let bytes = bytes
        .strip_prefix(b"-")
        .or_else(|| bytes.strip_prefix(b"+"))
        .unwrap_or(bytes);
    let (whole, rest) = split_digits(bytes);
    let rest = match rest.strip_prefix(b".") {
        Some(rest) => {
            let (fraction, rest) = split_digits(rest);
            if whole == 0 && fraction == 0 {
                return false;
            }
            rest
        }
        None if whole == 0 => return false,
        None => rest,
    };
    let Some(rest) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) else {
        return rest.is_empty();
    };
    let rest = rest
        .strip_prefix(b"-")
        .or_else(|| rest.strip_prefix(b"+"))
        .unwrap_or(rest);
    let (exponent, rest) = split_digits(rest);
    exponent > 0 && rest.is_empty()
}

fn split_digits(bytes: &[u8]) -> (usize, &[u8]) {
    let count = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (count, bytes.get(count..).unwrap_or_default())
}

/// Go's `strconv.ParseFloat` for what begins with a point: underscores may stand between digits.
fn parse_go_float(text: &str) -> Option<f64> {
    let digit_at = |at: Option<usize>| {
        at.and_then(|at| text.as_bytes().get(at))
            .is_some_and(u8::is_ascii_digit)
    };
    if text
        .match_indices('_')
        .any(|(at, _)| !digit_at(at.checked_sub(1)) || !digit_at(Some(at + 1)))
    {
        return None;
    }
    let text = &*text.replace('_', "");
    is_yaml_float(text)
        .then(|| text.parse::<f64>().ok())
        .flatten()
        .filter(|float| float.is_finite())
}

/// Whether go-yaml takes a scalar for a timestamp (it keeps the text, but the encoder quotes such strings).
///
/// The forms: `2006-1-2`, `2006-1-2 15:4:5.9`, `2006-1-2T15:4:5.9Z` and with `±07:00`; `t` for `T`.
pub(crate) fn is_timestamp(text: &str) -> bool {
    let mut cursor = Cursor { rest: text.as_bytes() };
    let Some(year) = cursor.digits(4, 4) else { return false };
    let date = cursor.byte(b'-').and_then(|()| {
        let month = cursor.digits(1, 2)?;
        cursor.byte(b'-')?;
        let day = cursor.digits(1, 2)?;
        Some((month, day))
    });
    let Some((month, day)) = date else { return false };
    if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        return false;
    }
    if cursor.rest.is_empty() {
        return true;
    }
    let zoned = match cursor.rest.first() {
        Some(b'T' | b't') => true,
        Some(b' ') => false,
        _ => return false,
    };
    cursor.skip(1);
    if !zoned {
        // Go's layouts skip any run of spaces where they have one.
        while cursor.byte(b' ').is_some() {}
    }
    cursor.time().is_some()
        && if zoned {
            cursor.zone().is_some()
        } else {
            cursor.rest.is_empty()
        }
}

fn days_in(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

/// A reader of the fixed forms of a timestamp.
struct Cursor<'a> {
    rest: &'a [u8],
}

impl Cursor<'_> {
    fn skip(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
    }

    fn byte(&mut self, byte: u8) -> Option<()> {
        (self.rest.first() == Some(&byte)).then(|| self.skip(1))
    }

    fn digits(&mut self, min: usize, max: usize) -> Option<u32> {
        let count = self
            .rest
            .iter()
            .take(max)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if count < min {
            return None;
        }
        let value = self
            .rest
            .iter()
            .take(count)
            .fold(0, |value, byte| value * 10 + u32::from(byte - b'0'));
        self.skip(count);
        Some(value)
    }

    /// `15:4:5.999999999`; Go wants two digits of the hour's form only when there are two.
    fn time(&mut self) -> Option<()> {
        let hour = self.digits(1, 2)?;
        self.byte(b':')?;
        let minute = self.digits(1, 2)?;
        self.byte(b':')?;
        let second = self.digits(1, 2)?;
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        if matches!(self.rest, [b'.' | b',', b'0'..=b'9', ..]) {
            self.skip(1);
            let (count, _) = split_digits(self.rest);
            self.skip(count);
        }
        Some(())
    }

    /// `Z` or `±07:00`, to the end.
    fn zone(&mut self) -> Option<()> {
        if self.byte(b'Z').is_none() {
            self.byte(b'+').or_else(|| self.byte(b'-'))?;
            let hours = self.digits(2, 2)?;
            self.byte(b':')?;
            let minutes = self.digits(2, 2)?;
            if hours > 24 || minutes > 60 {
                return None;
            }
        }
        self.rest.is_empty().then_some(())
    }
}

/// Go's `base64.StdEncoding`: line breaks are skipped, padding is required.
fn decode_binary(text: &str) -> Result<Yaml, String> {
    let invalid = || "!!binary value contains invalid base64 data".to_owned();
    let symbols: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    if !symbols.len().is_multiple_of(4) {
        return Err(invalid());
    }
    let mut out = Vec::with_capacity(symbols.len() / 4 * 3);
    let groups = symbols.len() / 4;
    for (index, group) in symbols.chunks_exact(4).enumerate() {
        let padding = group.iter().rev().take_while(|&&symbol| symbol == b'=').count();
        if padding > 2 || padding > 0 && index + 1 != groups {
            return Err(invalid());
        }
        let mut bits = 0u32;
        for &symbol in group.iter().take(4 - padding) {
            bits = bits << 6 | sextet(symbol).ok_or_else(invalid)?;
        }
        bits <<= 6 * padding as u32;
        let [_, bytes @ ..] = bits.to_be_bytes();
        out.extend(bytes.iter().take(3 - padding));
    }
    // Go keeps the bytes in a string and encoding/json replaces what is not UTF-8.
    Ok(Yaml::String(String::from_utf8_lossy(&out).into_owned()))
}

fn sextet(symbol: u8) -> Option<u32> {
    let value = match symbol {
        b'A'..=b'Z' => symbol - b'A',
        b'a'..=b'z' => symbol - b'a' + 26,
        b'0'..=b'9' => symbol - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}
