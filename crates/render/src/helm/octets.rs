//! Bytes that are no UTF-8 on their way to the YAML reader.
//!
//! Templates cut texts in the middle of a character (`trunc`, `abbrev`). Go hands such bytes to its YAML reader, which refuses them and
//! says how they are bad. Ours reads texts: a character that no YAML may hold, and one that keeps the byte, stand for each bad byte.

use std::borrow::Cow;

/// What comes before a kept byte. Where a text holds it itself, what follows keeps no byte.
const MARK: char = '\u{ffff}';
/// The character that keeps byte 0.
const KEPT: u32 = 0x100;
/// What stands for a mark that the bytes themselves hold, which is refused too.
const HELD: char = '\u{1}';

const REFUSED: &str = "control characters are not allowed";

/// The bytes as text; borrowed bytes that are one are not copied.
pub(crate) fn marked<'a>(bytes: impl Into<Cow<'a, [u8]>>) -> Cow<'a, str> {
    match bytes.into() {
        Cow::Borrowed(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => Cow::Owned(with_marks(bytes)),
        },
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8(bytes).unwrap_or_else(|e| with_marks(e.as_bytes()))),
    }
}

fn with_marks(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.extend(chunk.valid().chars().map(|c| if c == MARK { HELD } else { c }));
        for byte in chunk.invalid() {
            text.push(MARK);
            text.extend(char::from_u32(KEPT + u32::from(*byte)));
        }
    }
    text
}

/// The bytes as text, with U+FFFD for those that are none. The standard library looks at every character for that, even of a text.
pub(crate) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}

/// The reader's error about a marked text, with the words for what the marks stand for.
pub(crate) fn words(text: &str, error: String) -> String {
    if !error.ends_with(REFUSED) {
        return error;
    }
    let refused =
        |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}') || matches!(c, '\u{fffe}' | MARK);
    let Some((_, rest)) = text.find(refused).and_then(|at| text.split_at_checked(at)) else {
        return error;
    };
    match how_bad(&first_bytes(rest)) {
        Some(words) => error.replace(REFUSED, words),
        None => error,
    }
}

/// The bytes that a marked text stands for, as many as a character has.
fn first_bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next()
        && bytes.len() < 4
    {
        let kept = chars
            .peek()
            .and_then(|k| u8::try_from(u32::from(*k).checked_sub(KEPT)?).ok());
        match kept.filter(|_| c == MARK) {
            Some(byte) => {
                bytes.push(byte);
                chars.next();
            }
            None => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

/// What go-yaml's reader says of bytes that do not begin with a character.
fn how_bad(bytes: &[u8]) -> Option<&'static str> {
    let first = u32::from(*bytes.first()?);
    let (width, value, least) = match first {
        0x00..=0x7f => return None,
        0xc0..=0xdf => (2, first & 0x1f, 0x80),
        0xe0..=0xef => (3, first & 0x0f, 0x800),
        0xf0..=0xf7 => (4, first & 0x07, 0x1_0000),
        _ => return Some("invalid leading UTF-8 octet"),
    };
    let Some(rest) = bytes.get(1..width) else {
        return Some("incomplete UTF-8 octet sequence");
    };
    if rest.iter().any(|byte| byte & 0xc0 != 0x80) {
        return Some("invalid trailing UTF-8 octet");
    }
    let value = rest
        .iter()
        .fold(value, |value, byte| value << 6 | u32::from(byte & 0x3f));
    if value < least {
        return Some("invalid length of a UTF-8 sequence");
    }
    char::from_u32(value).is_none().then_some("invalid Unicode character")
}

#[cfg(test)]
mod tests {
    use super::{marked, words};

    fn check(bytes: &[u8], expected: &str) {
        let text = marked(bytes);
        let error = pintle_yaml::parse(&text).err().map(|e| e.to_string());
        assert_eq!(error.map(|e| words(&text, e)).unwrap_or_default(), expected);
    }

    #[test]
    fn each_bad_byte_is_told_as_go_tells_it() {
        check(b"a: \xe6\x97\n", "yaml: invalid trailing UTF-8 octet");
        check(b"a: \x97\n", "yaml: invalid leading UTF-8 octet");
        check(b"a: \xe6\x97", "yaml: incomplete UTF-8 octet sequence");
        check(b"a: \x01", "yaml: control characters are not allowed");
        check(b"a: \x7f\xe6\x97", "yaml: control characters are not allowed");
        check(b"a: \xc2\x99\xe6\x97", "yaml: control characters are not allowed");
        check(b"a: \xef\xbf\xbe\xe6\x97", "yaml: control characters are not allowed");
        check(
            b"a: \xef\xbf\xbf\xc4\x97\xff",
            "yaml: control characters are not allowed",
        );
        check("a: \u{99}".as_bytes(), "yaml: control characters are not allowed");
        check("a: \u{fffe}".as_bytes(), "yaml: control characters are not allowed");
        check(b"a: \xe6\n", "yaml: incomplete UTF-8 octet sequence");
        check(b"a: \xe6\n\n", "yaml: invalid trailing UTF-8 octet");
        check(b"a: \xc0\x80", "yaml: invalid length of a UTF-8 sequence");
        check(b"a: \xed\xa0\x80", "yaml: invalid Unicode character");
        check(b"a: \xf8\x80\x80\x80", "yaml: invalid leading UTF-8 octet");
        check("a: ü".as_bytes(), "");
    }
}
