//! Texts of scalars: how far they go, and what they say.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memchr3};

/// The text of a line of a plain scalar, and whether a comment stands behind it.
pub(super) fn plain_run(line: &str) -> Option<(&str, bool)> {
    let bytes = line.as_bytes();
    let mut from = 0;
    while let Some(found) = memchr3(b':', b'#', b'\t', bytes.get(from..)?) {
        let at = from + found;
        match bytes.get(at)? {
            b':' if matches!(bytes.get(at + 1), None | Some(b' ')) => return None,
            b'#' if at.checked_sub(1).and_then(|before| bytes.get(before)) == Some(&b' ') => {
                return Some((line.get(..at)?.trim_end_matches(' '), true));
            }
            b'\t' => return None,
            _ => {}
        }
        from = at + 1;
    }
    Some((line.trim_end_matches(' '), false))
}

/// How far the closing quote is.
pub(super) fn quoted_length(inside: &str, mark: u8) -> Option<usize> {
    let bytes = inside.as_bytes();
    let mut at = 0;
    loop {
        at += memchr2(mark, if mark == b'"' { b'\\' } else { mark }, bytes.get(at..)?)?;
        let doubled = mark == b'\'' && bytes.get(at + 1) == Some(&mark);
        match bytes.get(at)? {
            b'\\' => at += 2,
            _ if doubled => at += 2,
            _ => return Some(at),
        }
    }
}

/// What stands between single quotes.
pub(super) fn single_quoted(raw: &str) -> Option<Cow<'_, str>> {
    let folded = match memchr(b'\n', raw.as_bytes()) {
        None => Cow::Borrowed(raw),
        Some(_) => Cow::Owned(fold_lines(raw)?),
    };
    Some(match folded.contains("\'\'") {
        true => Cow::Owned(folded.replace("\'\'", "'")),
        false => folded,
    })
}

/// What stands between double quotes, with the commonest escapes.
pub(super) fn double_quoted(raw: &str) -> Option<Cow<'_, str>> {
    let bytes = raw.as_bytes();
    if memchr2(b'\\', b'\n', bytes).is_none() {
        return Some(Cow::Borrowed(raw));
    }
    // Breaks are folded where they are not escaped; what an escape stands for is put in afterwards, so that it is never taken for space.
    let folded = match memchr(b'\n', bytes) {
        None => Cow::Borrowed(raw),
        Some(_) if raw.contains("\\\n") || raw.contains("\\ ") => return None,
        Some(_) => Cow::Owned(fold_lines(raw)?),
    };
    let mut text = String::with_capacity(folded.len());
    let mut rest = &*folded;
    while let Some(at) = memchr(b'\\', rest.as_bytes()) {
        text.push_str(rest.get(..at)?);
        text.push(match rest.as_bytes().get(at + 1)? {
            b'"' => '"',
            b'\\' => '\\',
            b'n' => '\n',
            b't' => '\t',
            _ => return None,
        });
        rest = rest.get(at + 2..)?;
    }
    text.push_str(rest);
    Some(Cow::Owned(text))
}

/// The lines of a quoted scalar: one break is a space, more are the empty lines between, and space around them is none.
fn fold_lines(raw: &str) -> Option<String> {
    const BLANKS: [char; 2] = [' ', '\t'];
    let mut text = String::with_capacity(raw.len());
    let mut lines = raw.split('\n');
    text.push_str(lines.next()?.trim_end_matches(BLANKS));
    let mut lines = lines.peekable();
    let mut empty = 0;
    while let Some(line) = lines.next() {
        if line.starts_with("---") || line.starts_with("...") {
            return None;
        }
        let mut content = line.trim_start_matches(BLANKS);
        if lines.peek().is_some() {
            content = content.trim_end_matches(BLANKS);
            if content.is_empty() {
                empty += 1;
                continue;
            }
        }
        match empty {
            0 => text.push(' '),
            _ => (0..empty).for_each(|_| text.push('\n')),
        }
        text.push_str(content);
        empty = 0;
    }
    Some(text)
}

/// Puts the lines of a block scalar together.
pub(super) struct Folder {
    literal: bool,
    /// Whether there is a break behind the last line with content.
    has_break: bool,
    /// Empty lines since.
    pub(super) empty: usize,
    /// Whether the last line with content began with space.
    was_blank: bool,
}

impl Folder {
    pub(super) fn new(literal: bool) -> Self {
        Self {
            literal,
            has_break: false,
            empty: 0,
            was_blank: false,
        }
    }

    pub(super) fn push(&mut self, text: &mut String, line: &str, has_break: bool) {
        let is_blank = line.starts_with([' ', '\t']);
        if !self.literal && !self.was_blank && !is_blank && self.has_break {
            if self.empty == 0 {
                text.push(' ');
            }
        } else if self.has_break {
            text.push('\n');
        }
        (0..self.empty).for_each(|_| text.push('\n'));
        text.push_str(line);
        (self.has_break, self.empty, self.was_blank) = (has_break, 0, is_blank);
    }

    pub(super) fn chomp(&self, text: &mut String, chomping: &str) {
        if chomping != "-" && self.has_break {
            text.push('\n');
        }
        if chomping == "+" {
            (0..self.empty).for_each(|_| text.push('\n'));
        }
    }
}
