//! Bytes that are no UTF-8 on their way to the YAML reader.
//!
//! Templates cut texts in the middle of a character (`trunc`, `abbrev`). Go hands such bytes to its YAML reader, which refuses them in
//! three ways. Ours reads texts: a character that no YAML may hold stands for each bad byte, and tells the three apart.

use std::borrow::Cow;

/// A byte that begins no character.
const LEADING: char = '\u{fffe}';
/// A character that another one interrupts.
const TRAILING: char = '\u{ffff}';
/// A character cut off by the end; a mark only there.
const CUT: char = '\u{99}';
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
    let mut chunks = bytes.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        text.extend(chunk.valid().chars().map(|c| match c {
            LEADING | TRAILING | CUT => HELD,
            other => other,
        }));
        let Some(first) = chunk.invalid().first() else { continue };
        let begins = matches!(first, 0xc0..=0xf7);
        text.push(match begins {
            false => LEADING,
            true if chunks.peek().is_none() => CUT,
            true => TRAILING,
        });
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
        |c: &char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}') || matches!(*c, LEADING | TRAILING);
    let found = match text.char_indices().find(|(_, c)| refused(c)) {
        Some((_, LEADING)) => "invalid leading UTF-8 octet",
        Some((_, TRAILING)) => "invalid trailing UTF-8 octet",
        Some((at, CUT)) if at + CUT.len_utf8() == text.len() => "incomplete UTF-8 octet sequence",
        _ => return error,
    };
    error.replace(REFUSED, found)
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
        check("a: ü".as_bytes(), "");
    }
}
