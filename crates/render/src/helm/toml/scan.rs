//! Characters and single values of TOML, with the line every error names.

use pintle_gotmpl::sprig::TimeHost;
use pintle_gotmpl::{Number, NumberKind, Value, fmt};

/// What is wrong, and the line it is said of.
pub(super) struct Wrong {
    pub(super) line: usize,
    pub(super) message: String,
}

pub(super) type Result<T> = std::result::Result<T, Wrong>;

/// The text and a place in it.
pub(super) struct Scanner<'a> {
    text: &'a str,
    /// The byte behind `text` that is no UTF-8, if the document has one.
    bad_byte: Option<u8>,
    at: usize,
    /// The line of the place, from 1.
    line: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let (text, bad_byte) = match std::str::from_utf8(bytes) {
            Ok(text) => (text, None),
            Err(error) => {
                let (valid, rest) = bytes.split_at_checked(error.valid_up_to()).unwrap_or_default();
                (std::str::from_utf8(valid).unwrap_or_default(), rest.first().copied())
            }
        };
        Self {
            text,
            bad_byte,
            at: 0,
            line: 1,
        }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// The next character without taking it; `None` at the end. Characters that no document may hold are errors wherever they are met.
    pub(super) fn peek(&self) -> Result<Option<char>> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let mut chars = rest.chars();
        let Some(c) = chars.next() else {
            return match self.bad_byte {
                Some(byte) => Err(self.wrong(format!("invalid UTF-8 byte: 0x{byte:02x}"))),
                None => Ok(None),
            };
        };
        let lone_return = c == '\r' && chars.next() != Some('\n');
        if lone_return || (c.is_ascii_control() && !matches!(c, '\t' | '\r' | '\n')) {
            return Err(self.wrong(format!(
                "TOML files cannot contain control characters: '0x{:02x}'",
                u32::from(c)
            )));
        }
        Ok(Some(c))
    }

    pub(super) fn next(&mut self) -> Result<Option<char>> {
        let c = self.peek()?;
        self.at += c.map_or(0, char::len_utf8);
        self.line += usize::from(c == Some('\n'));
        Ok(c)
    }

    /// Takes the next character if it is `wanted`.
    pub(super) fn accept(&mut self, wanted: char) -> Result<bool> {
        let is_it = self.peek()? == Some(wanted);
        if is_it {
            self.next()?;
        }
        Ok(is_it)
    }

    pub(super) fn skip(&mut self, what: impl Fn(char) -> bool) -> Result<()> {
        while self.peek()?.is_some_and(&what) {
            self.next()?;
        }
        Ok(())
    }

    pub(super) fn wrong(&self, message: impl Into<String>) -> Wrong {
        Wrong {
            line: self.line,
            message: message.into(),
        }
    }

    /// An error about what was just taken: one about the end of the text is said of the last line that has something.
    pub(super) fn wrong_char(&self, found: Option<char>, message: impl Into<String>) -> Wrong {
        let mut wrong = self.wrong(message);
        wrong.line -= usize::from(found.is_none() && self.since(0).ends_with('\n'));
        wrong
    }

    /// The same where a line break is said of the line that it ends.
    pub(super) fn wrong_break(&self, found: Option<char>, message: impl Into<String>) -> Wrong {
        let mut wrong = self.wrong_char(found, message);
        wrong.line -= usize::from(found == Some('\n'));
        wrong
    }

    /// A single-line string, its opening quote taken.
    pub(super) fn string(&mut self) -> Result<String> {
        let start = self.at;
        let mut escaped = false;
        loop {
            match self.next()? {
                None => return Err(self.wrong_char(None, "unexpected EOF; expected '\"'")),
                Some('\n' | '\r') => return Err(self.newline_in_string()),
                Some('\\') => {
                    escaped = true;
                    self.escape(start)?;
                }
                Some('"') => break,
                Some(_) => {}
            }
        }
        let inner = self.text.get(start..self.at - 1).unwrap_or_default();
        if escaped {
            self.unescaped(inner)
        } else {
            Ok(inner.to_owned())
        }
    }

    /// A single-line string without escapes, its opening quote taken.
    pub(super) fn raw_string(&mut self) -> Result<String> {
        let start = self.at;
        loop {
            match self.next()? {
                None => return Err(self.wrong_char(None, "unexpected EOF; expected \"'\"")),
                Some('\n' | '\r') => return Err(self.newline_in_string()),
                Some('\'') => break,
                Some(_) => {}
            }
        }
        Ok(self.text.get(start..self.at - 1).unwrap_or_default().to_owned())
    }

    fn newline_in_string(&self) -> Wrong {
        let mut wrong = self.wrong("strings cannot contain newlines");
        // Before the second half of a line break the line has not changed yet, and still one is taken off.
        wrong.line -= 1;
        wrong
    }

    /// A string of several lines, its three opening quotes taken. Up to two quotes may stand before the closing ones.
    pub(super) fn long_string(&mut self, quote: char) -> Result<String> {
        let start = self.at;
        let is_raw = quote == '\'';
        let mut run = 0;
        loop {
            match self.next()? {
                None if is_raw => return Err(self.wrong_char(None, "unexpected EOF; expected \"'''\"")),
                None => return Err(self.wrong_char(None, "unexpected EOF; expected '\"\"\"'")),
                Some('\\') if !is_raw => {
                    run = 0;
                    if matches!(self.peek()?, Some('\n' | '\r')) {
                        self.next()?;
                    } else {
                        self.escape(start)?;
                    }
                }
                Some(c) if c == quote => {
                    run += 1;
                    if run >= 3 && self.peek()? != Some(quote) {
                        break;
                    }
                    // The next one is the sixth.
                    if run >= 5 {
                        let message = if is_raw {
                            "unexpected \"''''''\""
                        } else {
                            "unexpected '\"\"\"\"\"\"'"
                        };
                        return Err(self.wrong(message));
                    }
                }
                Some(_) => run = 0,
            }
        }
        let inner = self.text.get(start..self.at - 3).unwrap_or_default();
        let inner = inner
            .strip_prefix('\n')
            .or_else(|| inner.strip_prefix("\r\n"))
            .unwrap_or(inner);
        if is_raw {
            return Ok(inner.to_owned());
        }
        let joined = without_escaped_breaks(inner);
        self.unescaped(&joined)
    }

    /// Checks what follows a backslash in the string that begins at `start`.
    fn escape(&mut self, start: usize) -> Result<()> {
        let found = self.next()?;
        let (count, word) = match found {
            Some('e' | 'b' | 't' | 'n' | 'f' | 'r' | '"' | ' ' | '\t' | '\\') => return Ok(()),
            Some('x') => (2, "two hexadecimal digits after '\\x'"),
            Some('u') => (4, "four hexadecimal digits after '\\u'"),
            Some('U') => (8, "eight hexadecimal digits after '\\U'"),
            other => {
                let mut wrong = self.wrong(format!("invalid escape in string '\\{}'", other.unwrap_or('\0')));
                wrong.line -= usize::from(other.is_none());
                return Err(wrong);
            }
        };
        for _ in 0..count {
            let found = self.next()?;
            if !found.is_some_and(|c| c.is_ascii_hexdigit()) {
                let current = quoted_go(self.since(start));
                return Err(self.wrong_char(found, format!("expected {word}, but got {current} instead")));
            }
        }
        Ok(())
    }

    fn unescaped(&self, text: &str) -> Result<String> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('\\') {
            let (before, after) = rest.split_at_checked(at).unwrap_or_default();
            out.push_str(before);
            let mut chars = after.chars();
            chars.next();
            let c = chars.next().unwrap_or_default();
            let digits = match c {
                'x' => 2,
                'u' => 4,
                'U' => 8,
                _ => 0,
            };
            rest = chars.as_str();
            if digits > 0 {
                let (hex, behind) = rest.split_at_checked(digits).unwrap_or((rest, ""));
                let code = u32::from_str_radix(hex, 16).ok().and_then(char::from_u32);
                out.push(code.ok_or_else(|| self.wrong(format!("Escaped character '\\u{hex}' is not valid UTF-8.")))?);
                rest = behind;
                continue;
            }
            out.push(match c {
                'b' => '\u{8}',
                't' => '\t',
                'n' => '\n',
                'f' => '\u{c}',
                'r' => '\r',
                'e' => '\u{1b}',
                ' ' | '\t' => return Err(self.wrong(format!("invalid escape: '\\{c}'"))),
                other => other,
            });
        }
        out.push_str(rest);
        Ok(out)
    }

    /// A number or a date; the next character is a digit.
    pub(super) fn number_or_date(&mut self) -> Result<Value> {
        let start = self.at;
        let zero = self.next()? == Some('0');
        if zero {
            type IsDigit = fn(char) -> bool;
            let based: Option<(&str, IsDigit)> = match self.peek()? {
                Some('b') => Some(("a binary", |c| matches!(c, '0' | '1'))),
                Some('o') => Some(("an octal", |c| matches!(c, '0'..='7'))),
                Some('x') => Some(("a hexadecimal", |c| c.is_ascii_hexdigit())),
                _ => None,
            };
            if let Some((what, is_digit)) = based {
                self.next()?;
                let first = self.peek()?;
                if !first.is_some_and(is_digit) {
                    let shown = first.unwrap_or('\0');
                    return Err(self.wrong(format!("not {what} number: '{}{shown}'", self.since(start))));
                }
                self.skip(|c| is_digit(c) || c == '_')?;
                return self.integer(start);
            }
        }
        self.skip(|c| c.is_ascii_digit())?;
        match self.peek()? {
            Some('-' | ':') if self.at - start > 1 || !zero => {
                self.skip(|c| c.is_ascii_digit() || "-:Tt .Zz+".contains(c))?;
                self.date(start)
            }
            Some('_') => self.decimal(start),
            Some('.' | 'e' | 'E') => self.float(start),
            _ => self.integer(start),
        }
    }

    /// A number behind its sign, which is taken.
    pub(super) fn signed(&mut self) -> Result<Value> {
        let start = self.at - 1;
        let found = self.next()?;
        match found {
            Some(first @ ('i' | 'n')) => {
                let rest = if first == 'i' { ['n', 'f'] } else { ['a', 'n'] };
                for wanted in rest {
                    if !self.accept(wanted)? {
                        return Err(self.wrong(format!("invalid float: '{}'", self.since(start))));
                    }
                }
                return self.finish_float(start);
            }
            Some('0') => {
                if let Some(base @ ('b' | 'o' | 'x')) = self.peek()? {
                    return Err(self.wrong(format!(
                        "cannot use sign with non-decimal numbers: '{}{base}'",
                        self.since(start)
                    )));
                }
            }
            Some('.') => return Err(self.wrong("floats must start with a digit, not '.'")),
            _ => {}
        }
        if !found.is_some_and(|c| c.is_ascii_digit()) {
            return Err(self.wrong_char(found, format!("expected a digit but got {}", quoted_char(found))));
        }
        self.decimal(start)
    }

    fn decimal(&mut self, start: usize) -> Result<Value> {
        self.skip(|c| c.is_ascii_digit() || c == '_')?;
        match self.peek()? {
            Some('.' | 'e' | 'E') => self.float(start),
            _ => self.integer(start),
        }
    }

    fn float(&mut self, start: usize) -> Result<Value> {
        self.skip(|c| c.is_ascii_digit() || "_.-+eE".contains(c))?;
        self.finish_float(start)
    }

    fn integer(&self, start: usize) -> Result<Value> {
        let text = self.since(start);
        if !underscores_fit(text) {
            return Err(self.wrong(format!(
                "Invalid integer {}: underscores must be surrounded by digits",
                quoted_go(text)
            )));
        }
        if has_leading_zero(text) {
            return Err(self.wrong(format!(
                "Invalid integer {}: cannot have leading zeroes",
                quoted_go(text)
            )));
        }
        let plain = text.replace('_', "");
        let read = match plain.get(..2) {
            Some("0x") => i64::from_str_radix(plain.get(2..).unwrap_or_default(), 16),
            Some("0o") => i64::from_str_radix(plain.get(2..).unwrap_or_default(), 8),
            Some("0b") => i64::from_str_radix(plain.get(2..).unwrap_or_default(), 2),
            _ => plain.parse(),
        };
        read.map(Value::Int64)
            .map_err(|_| self.wrong(format!("{text} is out of range for int64")))
    }

    /// The text since `start` as a float.
    pub(super) fn finish_float(&self, start: usize) -> Result<Value> {
        let text = self.since(start);
        let invalid = |why: &str| self.wrong(format!("Invalid float {}: {why}", quoted_go(text)));
        let parts: Vec<&str> = text.split(['.', 'e', 'E']).filter(|part| !part.is_empty()).collect();
        if !parts.iter().all(|part| underscores_fit(part)) {
            return Err(invalid("underscores must be surrounded by digits"));
        }
        if parts.first().is_some_and(|first| has_leading_zero(first)) {
            return Err(invalid("cannot have leading zeroes"));
        }
        let digit_behind = |(at, _)| {
            text.get(at + 1..)
                .is_some_and(|t| t.starts_with(|c: char| c.is_ascii_digit()))
        };
        if !text.match_indices('.').all(digit_behind) {
            return Err(invalid("'.' must be followed by one or more digits"));
        }
        let plain = text.replace('_', "");
        match plain.trim_start_matches(['+', '-']) {
            "nan" => return Ok(Value::Float(if plain.starts_with('-') { -f64::NAN } else { f64::NAN })),
            "inf" => {
                return Ok(Value::Float(if plain.starts_with('-') {
                    f64::NEG_INFINITY
                } else {
                    f64::INFINITY
                }));
            }
            _ => {}
        }
        match plain.parse::<f64>() {
            Ok(float) if float.is_finite() => Ok(Value::Float(float)),
            Ok(_) => Err(self.wrong(format!("{text} is out of range for float64"))),
            Err(_) => Err(self.wrong(format!("Invalid float value: {}", quoted_go(text)))),
        }
    }

    fn date(&self, start: usize) -> Result<Value> {
        let text = self.since(start).trim();
        let text: String = text
            .chars()
            .map(|c| match c {
                'z' => 'Z',
                't' | ' ' => 'T',
                other => other,
            })
            .collect();
        super::read::date(&text)
            .map(|time| Value::host(TimeHost(time)))
            .ok_or_else(|| self.wrong(format!("invalid datetime: {}", quoted_go(&text))))
    }
}

/// Whether each underscore stands between digits; `nan` and `inf` have none.
fn underscores_fit(text: &str) -> bool {
    if matches!(text.trim_start_matches(['+', '-']), "nan" | "inf") {
        return true;
    }
    let mut before = false;
    let mut fits = true;
    for c in text.chars() {
        fits &= c != '_' || before;
        before = c.is_ascii_hexdigit();
    }
    fits && before
}

fn has_leading_zero(text: &str) -> bool {
    match text.as_bytes() {
        [b'0', next, ..] => !matches!(next, b'b' | b'o' | b'x'),
        [b'+' | b'-', b'0', _, ..] => true,
        _ => false,
    }
}

/// Takes a backslash at the end of a line away, with all white space up to the next character.
fn without_escaped_breaks(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, after) = rest.split_at_checked(at).unwrap_or_default();
        out.push_str(before);
        let behind = after.get(1..).unwrap_or_default();
        if let Some(behind) = behind.strip_prefix('\\') {
            out.push_str("\\\\");
            rest = behind;
            continue;
        }
        let trimmed = behind.trim_start_matches([' ', '\t', '\r', '\n']);
        let blank = behind.len() - trimmed.len();
        if behind.get(..blank).is_some_and(|blank| blank.contains('\n')) {
            rest = trimmed;
        } else {
            out.push('\\');
            rest = behind;
        }
    }
    out.push_str(rest);
    out
}

/// Go's `%q` of a character; the end of the text is NUL.
pub(super) fn quoted_char(c: Option<char>) -> String {
    let code = i64::from(u32::from(c.unwrap_or('\0')));
    let rune = Value::Number(Number::signed(NumberKind::Int32, code));
    fmt::sprintf("%q", &[rune])
        .map(|text| text.to_str().into_owned())
        .unwrap_or_default()
}

/// Go's `%q` of a text.
pub(super) fn quoted_go(text: &str) -> String {
    pintle_gotmpl::quoted(text)
}
