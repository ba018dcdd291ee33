//! Go's quoted strings: writing and reading them.

use std::borrow::Cow;

use memchr::memchr3;

use crate::unicode::{decode, is_print};

/// Appends the bytes as a Go literal in double quotes, as `strconv.Quote` does (`ToASCII` with `ascii_only`).
pub fn quote(out: &mut Vec<u8>, text: &[u8], ascii_only: bool) {
    quote_with(out, text, b'"', ascii_only);
}

/// Appends a character as a Go literal in single quotes.
pub fn quote_char(out: &mut Vec<u8>, c: char, ascii_only: bool) {
    quote_with(out, c.encode_utf8(&mut [0; 4]).as_bytes(), b'\'', ascii_only);
}

/// Returns `strconv.Quote(text)`.
pub fn quoted(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() + 2);
    quote(&mut out, text.as_bytes(), false);
    String::from_utf8_lossy(&out).into_owned()
}

fn quote_with(out: &mut Vec<u8>, mut text: &[u8], mark: u8, ascii_only: bool) {
    out.push(mark);
    while let Some((c, size, valid)) = decode(text) {
        let (head, rest) = text.split_at(size);
        text = rest;
        if !valid {
            out.extend(head.iter().flat_map(|byte| format!("\\x{byte:02x}").into_bytes()));
            continue;
        }
        if c == char::from(mark) || c == '\\' {
            out.push(b'\\');
            out.extend_from_slice(head);
        } else if is_print(c) && (c.is_ascii() || !ascii_only) {
            out.extend_from_slice(head);
        } else {
            escape(out, c);
        }
    }
    out.push(mark);
}

fn escape(out: &mut Vec<u8>, c: char) {
    let short = match c {
        '\x07' => Some(b'a'),
        '\x08' => Some(b'b'),
        '\x0c' => Some(b'f'),
        '\n' => Some(b'n'),
        '\r' => Some(b'r'),
        '\t' => Some(b't'),
        '\x0b' => Some(b'v'),
        _ => None,
    };
    if let Some(letter) = short {
        out.extend_from_slice(&[b'\\', letter]);
        return;
    }
    let code = u32::from(c);
    let text = match code {
        0..=0x1f | 0x7f => format!("\\x{code:02x}"),
        0..=0xffff => format!("\\u{code:04x}"),
        _ => format!("\\U{code:08x}"),
    };
    out.extend_from_slice(text.as_bytes());
}

/// Reports whether the text can stand between backquotes unchanged (`strconv.CanBackquote`).
pub fn can_backquote(mut text: &[u8]) -> bool {
    while let Some((c, size, valid)) = decode(text) {
        if !valid || c == '\u{feff}' || (c < ' ' && c != '\t') || c == '`' || c == '\x7f' {
            return false;
        }
        text = text.get(size..).unwrap_or_default();
    }
    true
}

/// Returns what a literal in double quotes or backquotes means; `None` if it is not well-formed.
pub fn unquote(literal: &str) -> Option<Cow<'_, [u8]>> {
    let body = literal.as_bytes();
    if let Some(raw) = literal.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')) {
        return (!raw.contains('`')).then(|| raw.bytes().filter(|byte| *byte != b'\r').collect());
    }
    let mut rest = body.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    if memchr3(b'\\', b'"', b'\n', rest).is_none() {
        return Some(Cow::Borrowed(rest));
    }
    let mut out = Vec::with_capacity(rest.len());
    while !rest.is_empty() {
        if matches!(rest.first(), Some(b'"' | b'\n')) {
            return None;
        }
        let (unit, tail) = unquote_char(rest, b'"')?;
        match unit {
            Unit::Byte(byte) => out.push(byte),
            Unit::Char(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        rest = tail;
    }
    Some(Cow::Owned(out))
}

/// One element of a literal.
pub enum Unit {
    /// From `\x` or an octal escape.
    Byte(u8),
    /// Anything else.
    Char(char),
}

/// Reads one character or escape of a literal within the given quotes.
pub fn unquote_char(text: &[u8], mark: u8) -> Option<(Unit, &[u8])> {
    let (c, size, valid) = decode(text)?;
    if c == char::from(mark) {
        return None;
    }
    let rest = text.get(size..)?;
    if !valid {
        return Some((Unit::Char('\u{fffd}'), rest));
    }
    if c != '\\' {
        return Some((Unit::Char(c), rest));
    }
    let (&letter, rest) = rest.split_first()?;
    let plain = |byte: u8| Some((Unit::Char(char::from(byte)), rest));
    match letter {
        b'a' => plain(7),
        b'b' => plain(8),
        b'f' => plain(12),
        b'n' => plain(b'\n'),
        b'r' => plain(b'\r'),
        b't' => plain(b'\t'),
        b'v' => plain(11),
        b'\\' => plain(b'\\'),
        b'\'' | b'"' if letter == mark => plain(letter),
        b'x' => digits(rest, 2, 16).and_then(|(code, rest)| Some((Unit::Byte(u8::try_from(code).ok()?), rest))),
        b'u' => digits(rest, 4, 16).and_then(|(code, rest)| Some((Unit::Char(char::from_u32(code)?), rest))),
        b'U' => digits(rest, 8, 16).and_then(|(code, rest)| Some((Unit::Char(char::from_u32(code)?), rest))),
        b'0'..=b'7' => {
            let all = text.get(1..)?;
            digits(all, 3, 8).and_then(|(code, rest)| Some((Unit::Byte(u8::try_from(code).ok()?), rest)))
        }
        _ => None,
    }
}

fn digits(text: &[u8], count: usize, radix: u32) -> Option<(u32, &[u8])> {
    let (head, rest) = text.split_at_checked(count)?;
    let mut code: u32 = 0;
    for &byte in head {
        code = code
            .checked_mul(radix)?
            .checked_add(char::from(byte).to_digit(radix)?)?;
    }
    Some((code, rest))
}
