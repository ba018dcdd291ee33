//! Go's `encoding/json`: its escaping, its float format, its words for errors.

use crate::float::shortest_scientific;
use crate::function::{Call, FuncError};
use crate::text::Str;
use crate::value::Value;

/// Values nested deeper are an error on both ways; Go's own limit when reading is 10000.
const MAX_DEPTH: usize = 1000;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// On one line, with `<`, `>` and `&` escaped.
    Plain,
    /// The same, indented by two spaces.
    Pretty,
    /// On one line, nothing escaped that need not be.
    Raw,
}

/// Why a value has no form as JSON.
pub enum Unwritable {
    /// Go's package refuses it too: a function, a number that is none, or what holds itself.
    Unsupported(String),
    /// The render's budget is used up.
    Budget(FuncError),
}

impl From<String> for Unwritable {
    fn from(message: String) -> Self {
        Self::Unsupported(message)
    }
}

impl From<Unwritable> for FuncError {
    fn from(reason: Unwritable) -> Self {
        match reason {
            Unwritable::Unsupported(message) => Self::new(message),
            Unwritable::Budget(error) => error,
        }
    }
}

/// `json.Marshal`: on one line, with `<`, `>` and `&` escaped.
pub fn to_json(call: &mut Call<'_>, value: &Value) -> Result<Str, Unwritable> {
    write(call, value, Style::Plain)
}

/// `json.Marshal` and its kin. Every shared part is counted where it stands: a small graph can be a giant tree.
pub(super) fn write(call: &mut Call<'_>, value: &Value, style: Style) -> Result<Str, Unwritable> {
    let mut writer = Writer {
        call,
        style,
        out: Vec::new(),
        values: 0,
        charged: 0,
    };
    writer.value(value, 0)?;
    writer.charge()?;
    Ok(Str::from_vec(writer.out))
}

struct Writer<'a, 'c> {
    call: &'a mut Call<'c>,
    style: Style,
    out: Vec<u8>,
    values: u64,
    /// Bytes of `out` that are counted already.
    charged: usize,
}

/// How many values are written between two looks at the budget.
const CHARGE_EVERY: u64 = 64;

impl Writer<'_, '_> {
    fn charge(&mut self) -> Result<(), Unwritable> {
        let new = self.out.len().saturating_sub(self.charged) as u64;
        self.charged = self.out.len();
        let steps = self.call.charge_steps(self.values);
        self.values = 0;
        steps
            .and_then(|()| self.call.charge_bytes(new))
            .map_err(Unwritable::Budget)
    }

    fn value(&mut self, value: &Value, depth: usize) -> Result<(), Unwritable> {
        self.values += 1;
        if self.values >= CHARGE_EVERY {
            self.charge()?;
        }
        if depth > MAX_DEPTH {
            let message = format!("json: unsupported value: encountered a cycle via {}", value.type_name());
            return Err(message.into());
        }
        let out = &mut self.out;
        match value {
            Value::Nil => out.extend_from_slice(b"null"),
            Value::Bool(b) => out.extend_from_slice(if *b { b"true" } else { b"false" }),
            Value::Int(n) | Value::Int64(n) | Value::Duration(n) => out.extend_from_slice(n.to_string().as_bytes()),
            Value::Float(f) => float(out, *f, &shortest_scientific(*f))?,
            Value::Number(number) => match number.as_f32() {
                Some(f) => float(out, f64::from(f), &shortest_scientific(f))?,
                None if number.kind.kind().is_uint() => out.extend_from_slice(number.bits.to_string().as_bytes()),
                None => out.extend_from_slice((number.bits as i64).to_string().as_bytes()),
            },
            Value::Str(text) => string(out, text.as_bytes(), self.style),
            Value::Bytes(bytes) => {
                use base64::Engine as _;
                let text = base64::engine::general_purpose::STANDARD.encode(bytes);
                string(out, text.as_bytes(), self.style);
            }
            Value::List(list) if list.is_nil() => out.extend_from_slice(b"null"),
            Value::Map(map) if map.is_nil() => out.extend_from_slice(b"null"),
            Value::List(list) => {
                self.container(b"[]", list.iter().map(|v| (None, v.clone())), depth)?;
            }
            Value::Map(map) => {
                self.container(b"{}", map.entries().into_iter().map(|(k, v)| (Some(k), v)), depth)?;
            }
            Value::Host(host) if host.is_nil() => out.extend_from_slice(b"null"),
            Value::Host(host) => {
                if let Some(text) = host.json_text() {
                    string(out, text.as_bytes(), self.style);
                } else if let Some(under) = host.underlying() {
                    self.value(&under, depth + 1)?;
                } else {
                    let fields = host
                        .json_fields()
                        .into_iter()
                        .map(|(name, v)| (Some(Str::from(name)), v));
                    self.container(b"{}", fields, depth)?;
                }
            }
        }
        Ok(())
    }

    fn container(
        &mut self,
        brackets: &[u8; 2],
        entries: impl Iterator<Item = (Option<Str>, Value)>,
        depth: usize,
    ) -> Result<(), Unwritable> {
        let pretty = self.style == Style::Pretty;
        self.out.push(brackets[0]);
        let mut empty = true;
        for (key, value) in entries {
            if !empty {
                self.out.push(b',');
            }
            empty = false;
            self.line(depth + 1);
            if let Some(key) = key {
                string(&mut self.out, key.as_bytes(), self.style);
                self.out.extend_from_slice(if pretty { b": " } else { b":" });
            }
            self.value(&value, depth + 1)?;
        }
        if !empty {
            self.line(depth);
        }
        self.out.push(brackets[1]);
        Ok(())
    }

    fn line(&mut self, depth: usize) {
        if self.style == Style::Pretty {
            self.out.push(b'\n');
            self.out.resize(self.out.len() + 2 * depth, b' ');
        }
    }
}

fn float(out: &mut Vec<u8>, value: f64, scientific: &str) -> Result<(), String> {
    if !value.is_finite() {
        let name = if value.is_nan() {
            "NaN"
        } else if value > 0.0 {
            "+Inf"
        } else {
            "-Inf"
        };
        return Err(format!("json: unsupported value: {name}"));
    }
    let (digits, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let text = if value != 0.0 && !(-6..21).contains(&exponent) {
        // Go writes two digits of a large exponent, and cleans `e-09` to `e-9`.
        if exponent < 0 {
            format!("{digits}e{exponent}")
        } else {
            format!("{digits}e+{exponent:02}")
        }
    } else {
        super::show::plain(digits, exponent)
    };
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

fn string(out: &mut Vec<u8>, text: &[u8], style: Style) {
    out.push(b'"');
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            let escaped: &[u8] = match c {
                '"' => b"\\\"",
                '\\' => b"\\\\",
                '\x08' => b"\\b",
                '\x0c' => b"\\f",
                '\n' => b"\\n",
                '\r' => b"\\r",
                '\t' => b"\\t",
                '\u{2028}' => b"\\u2028",
                '\u{2029}' => b"\\u2029",
                '<' | '>' | '&' if style != Style::Raw => {
                    out.extend_from_slice(format!("\\u{:04x}", u32::from(c)).as_bytes());
                    continue;
                }
                c if c < ' ' => {
                    out.extend_from_slice(format!("\\u{:04x}", u32::from(c)).as_bytes());
                    continue;
                }
                c => {
                    let mut buffer = [0; 4];
                    out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
                    continue;
                }
            };
            out.extend_from_slice(escaped);
        }
        for _ in chunk.invalid() {
            out.extend_from_slice(b"\\ufffd");
        }
    }
    out.push(b'"');
}

/// What `json.Unmarshal` makes of a text that is JSON.
pub struct Read {
    /// The value; numbers are float64.
    pub value: Value,
    /// The first number that no float64 holds, as Go words it; it is nil in the value.
    pub misfit: Option<String>,
}

/// `json.Unmarshal` into an `interface {}`; the error is of a text that is no JSON.
pub fn from_json(text: &[u8]) -> Result<Read, String> {
    let mut reader = Reader {
        text,
        at: 0,
        misfit: None,
    };
    let value = reader.value(0)?;
    reader.space();
    match reader.peek() {
        None => Ok(Read {
            value,
            misfit: reader.misfit,
        }),
        Some(b) => Err(unexpected(b, "after top-level value")),
    }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    misfit: Option<String>,
}

const END: &str = "unexpected end of JSON input";

fn unexpected(b: u8, context: &str) -> String {
    let name = match b {
        b'\'' => r"'\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        b => {
            let quoted = super::show::quote(char::from(b).to_string().as_bytes());
            format!("'{}'", quoted.trim_matches('"'))
        }
    };
    format!("invalid character {name} {context}")
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// What Go's scanner sees inside a word, a number or an escape: behind the text stands a space.
    fn peek_or_space(&self) -> u8 {
        self.peek().unwrap_or(b' ')
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, String> {
        if depth > MAX_DEPTH {
            return Err("exceeded max depth".to_owned());
        }
        self.space();
        match self.peek().ok_or(END)? {
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => Ok(Value::Str(self.string()?)),
            b't' => self.word("true", Value::Bool(true)),
            b'f' => self.word("false", Value::Bool(false)),
            b'n' => self.word("null", Value::Nil),
            b'-' | b'0'..=b'9' => self.number(),
            b => Err(unexpected(b, "looking for beginning of value")),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, String> {
        for expected in word.bytes() {
            let b = self.peek_or_space();
            if b != expected {
                return Err(unexpected(
                    b,
                    &format!("in literal {word} (expecting '{}')", char::from(expected)),
                ));
            }
            self.at += 1;
        }
        Ok(value)
    }

    fn digits(&mut self, context: &str) -> Result<(), String> {
        let start = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > start {
            return Ok(());
        }
        Err(unexpected(self.peek_or_space(), context))
    }

    fn number(&mut self) -> Result<Value, String> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits("in numeric literal")?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits("after decimal point in numeric literal")?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits("in exponent of numeric literal")?;
        }
        let text = self
            .text
            .get(start..self.at)
            .and_then(|t| std::str::from_utf8(t).ok())
            .unwrap_or_default();
        match text.parse::<f64>() {
            Ok(f) if f.is_finite() => Ok(Value::Float(f)),
            _ => {
                self.misfit.get_or_insert_with(|| {
                    format!("json: cannot unmarshal number {text} into Go value of type float64")
                });
                Ok(Value::Nil)
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, String> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::list(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.space();
            match self.peek().ok_or(END)? {
                b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    return Ok(Value::list(items));
                }
                b => return Err(unexpected(b, "after array element")),
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, String> {
        self.at += 1;
        let mut entries = Vec::new();
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::map(entries));
        }
        loop {
            self.space();
            match self.peek().ok_or(END)? {
                b'"' => {}
                b if entries.is_empty() => return Err(unexpected(b, "looking for beginning of object key string")),
                b => return Err(unexpected(b, "looking for beginning of object key string")),
            }
            let key = self.string()?;
            self.space();
            match self.peek().ok_or(END)? {
                b':' => self.at += 1,
                b => return Err(unexpected(b, "after object key")),
            }
            entries.push((key, self.value(depth + 1)?));
            self.space();
            match self.peek().ok_or(END)? {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    return Ok(Value::map(entries));
                }
                b => return Err(unexpected(b, "after object key:value pair")),
            }
        }
    }

    fn string(&mut self) -> Result<Str, String> {
        self.at += 1;
        let mut out: Vec<u8> = Vec::new();
        loop {
            let b = self.peek().ok_or(END)?;
            self.at += 1;
            match b {
                b'"' => break,
                b'\\' => {
                    let escape = self.peek_or_space();
                    self.at += 1;
                    match escape {
                        b'"' | b'\\' | b'/' => out.push(escape),
                        b'b' => out.push(8),
                        b'f' => out.push(12),
                        b'n' => out.push(b'\n'),
                        b'r' => out.push(b'\r'),
                        b't' => out.push(b'\t'),
                        b'u' => {
                            let c = self.unicode()?;
                            let mut buffer = [0; 4];
                            out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
                        }
                        other => return Err(unexpected(other, "in string escape code")),
                    }
                }
                b if b < b' ' => return Err(unexpected(b, "in string literal")),
                b => out.push(b),
            }
        }
        // Bytes that are no UTF-8 become U+FFFD, one each.
        Ok(match String::from_utf8(out) {
            Ok(text) => text.into(),
            Err(error) => {
                let bytes = error.into_bytes();
                let mut text = String::new();
                for chunk in bytes.utf8_chunks() {
                    text.push_str(chunk.valid());
                    text.extend(chunk.invalid().iter().map(|_| '\u{fffd}'));
                }
                text.into()
            }
        })
    }

    fn hex4(&mut self) -> Result<u32, String> {
        let mut code = 0;
        for _ in 0..4 {
            let b = self.peek_or_space();
            let digit = char::from(b).to_digit(16);
            code = code * 16 + digit.ok_or_else(|| unexpected(b, "in \\u hexadecimal character escape"))?;
            self.at += 1;
        }
        Ok(code)
    }

    fn unicode(&mut self) -> Result<char, String> {
        let first = self.hex4()?;
        if (0xd800..0xdc00).contains(&first) && self.text.get(self.at..self.at + 2) == Some(b"\\u") {
            let back = self.at;
            self.at += 2;
            let second = self.hex4()?;
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or('\u{fffd}'));
            }
            self.at = back;
        }
        Ok(char::from_u32(first).unwrap_or('\u{fffd}'))
    }
}
