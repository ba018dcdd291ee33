//! The style nearly every manifest is written in, read line by line.
//!
//! Block mappings and sequences, scalars on one line, folded plain ones, block scalars, small flow collections: a
//! text of nothing else costs a tenth of what scanner, parser and composer take. Whatever else stands in it (an
//! anchor, a tag, a directive, a tab, any error) makes the answer `None`, and the scanner then says what the text
//! means. This module words no error and never guesses: where it answers, it answers as the composer does.

mod text;

use std::borrow::Cow;

use memchr::memchr;

use crate::compose::{key_text, sort_last_wins};
use crate::event::Place;
use crate::resolve::resolve_plain;
use crate::scan::first_forbidden;
use crate::{Limits, Parts, Yaml};
use text::{Folder, double_quoted, plain_run, quoted_length, single_quoted};

/// Below the 1024 characters that a key may have.
const MAX_KEY_BYTES: usize = 1000;

/// Reads a text of this style; `None` for any other.
pub(crate) fn read(text: &str, limits: &Limits, parts: Parts<'_>) -> Option<Yaml> {
    if !is_plain_text(text) {
        return None;
    }
    let mut reader = Reader {
        text,
        limits,
        at: 0,
        end: 0,
        column: None,
        // The document itself is the composer's first.
        nodes: 1,
        depth: 0,
    };
    reader.first_line()?;
    match reader.column {
        None => return Some(Yaml::Null),
        Some(0) => {}
        Some(_) => return None,
    }
    let value = reader.block(Some(parts))?;
    reader.column.is_none().then_some(value)
}

/// Whether lines end only at line feeds, and no character is forbidden.
fn is_plain_text(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_odd = |byte: &u8| *byte < b' ' && !matches!(byte, b'\n' | b'\t') || *byte >= 0x7f;
    // Whole pieces at once are looked at faster than one byte after another.
    let has_odd = |piece: &[u8]| piece.iter().fold(false, |found, byte| found | is_odd(byte));
    if !bytes.chunks(256).any(has_odd) {
        return true;
    }
    if text.starts_with('\u{feff}') || memchr(b'\r', bytes).is_some() || first_forbidden(text).is_some() {
        return false;
    }
    let is_break = |pair: &[u8]| matches!(pair, [0xc2, 0x85] | [0x80, 0xa8 | 0xa9]);
    text.is_ascii() || !bytes.windows(2).any(is_break)
}

/// What of a mapping's value is kept: nothing, or some parts.
type Keep<'p> = Option<Parts<'p>>;

struct Reader<'a> {
    text: &'a str,
    limits: &'a Limits,
    /// Where the unread part of the current line begins.
    at: usize,
    /// Where the current line ends, without its break.
    end: usize,
    /// The column of the unread part; `None` behind the last line.
    column: Option<usize>,
    nodes: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    /// Goes to the first line with content, behind a `---`.
    fn first_line(&mut self) -> Option<()> {
        let mut from = 0;
        for line in self.text.split_inclusive('\n') {
            let content = line.trim_end_matches('\n').trim_matches(' ');
            if content == "---" && line.starts_with("---") {
                from += line.len();
                break;
            }
            if !content.is_empty() && !content.starts_with('#') {
                break;
            }
            from += line.len();
        }
        self.go_to(from)
    }

    /// Goes to the first line with content from the one that begins at `from` on.
    fn go_to(&mut self, mut from: usize) -> Option<()> {
        let bytes = self.text.as_bytes();
        loop {
            let rest = bytes.get(from..).unwrap_or_default();
            if rest.is_empty() {
                (self.at, self.end, self.column) = (bytes.len(), bytes.len(), None);
                return Some(());
            }
            let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
            let behind = rest.get(spaces..).unwrap_or_default();
            let length = memchr(b'\n', behind).unwrap_or(behind.len());
            let end = from + spaces + length;
            match behind.first() {
                None | Some(b'\n' | b'#') => from = end + 1,
                Some(b'\t') => return None,
                _ if spaces == 0 && (behind.starts_with(b"---") || behind.starts_with(b"...")) => return None,
                _ => {
                    (self.at, self.end, self.column) = (from + spaces, end, Some(spaces));
                    return Some(());
                }
            }
        }
    }

    fn next_line(&mut self) -> Option<()> {
        self.go_to(self.end + 1)
    }

    /// The unread part of the line.
    fn rest(&self) -> &'a str {
        self.text.get(self.at..self.end).unwrap_or_default()
    }

    fn skip(&mut self, bytes: usize) {
        self.at += bytes;
        self.column = self.column.map(|column| column + bytes);
    }

    fn count(&mut self) -> Option<()> {
        self.nodes += 1;
        (self.nodes <= self.limits.max_nodes).then_some(())
    }

    fn enter(&mut self) -> Option<()> {
        self.count()?;
        self.depth += 1;
        (self.depth <= self.limits.max_depth).then_some(())
    }

    /// Whether an entry of a sequence begins here.
    fn at_dash(&self) -> bool {
        let rest = self.rest();
        rest.starts_with("- ") || rest == "-"
    }

    /// The collection that begins here.
    fn block(&mut self, keep: Keep<'_>) -> Option<Yaml> {
        let column = self.column?;
        self.enter()?;
        let value = if self.at_dash() {
            self.sequence(column, keep)?
        } else {
            self.mapping(column, keep)?
        };
        self.depth -= 1;
        Some(value)
    }

    fn mapping(&mut self, column: usize, keep: Keep<'_>) -> Option<Yaml> {
        let mut entries: Vec<(String, Yaml)> = Vec::new();
        let mut sorted = true;
        while self.column == Some(column) {
            let key = self.key()?;
            self.count()?;
            let keep = keep.and_then(|parts| parts.of(key.text));
            let name = key.name(keep.is_some())?;
            let value = self.value(column, true, keep)?;
            if keep.is_some() {
                sorted = sorted && entries.last().is_none_or(|(last, _)| *last < name);
                entries.push((name, value));
            }
        }
        // A deeper line belongs to nothing.
        (self.column.is_none_or(|next| next < column)).then(|| {
            Yaml::Map(match sorted {
                true => entries,
                false => sort_last_wins(entries),
            })
        })
    }

    fn sequence(&mut self, column: usize, keep: Keep<'_>) -> Option<Yaml> {
        let mut items = Vec::new();
        let keep = keep.map(|_| Parts::All);
        while self.column == Some(column) && self.at_dash() {
            self.skip(1);
            let spaces = self.rest().bytes().take_while(|byte| *byte == b' ').count();
            self.skip(spaces);
            let item = if !self.is_line_over() && (self.at_dash() || self.find_key().is_some()) {
                self.block(keep)?
            } else {
                self.value(column, false, keep)?
            };
            if keep.is_some() {
                items.push(item);
            }
        }
        Some(Yaml::Seq(items))
    }

    /// Whether nothing but a comment is left of the line; space stands before it.
    fn is_line_over(&self) -> bool {
        matches!(self.rest().as_bytes().first(), None | Some(b'#'))
    }

    /// The key that stands here and where its value begins, if it is a simple one.
    fn find_key(&self) -> Option<Key<'a>> {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let (text, quoted, length) = match bytes.first()? {
            quote @ (b'"' | b'\'') => {
                let inside = rest.get(1..)?;
                let key = inside.get(..memchr(*quote, inside.as_bytes())?)?;
                if key.contains(['\\', '\t']) {
                    return None;
                }
                (key, true, key.len() + 2)
            }
            first if first.is_ascii_alphanumeric() || matches!(first, b'_' | b'.' | b'/' | b'$') => {
                let is_of_key = |byte: &u8| {
                    byte.is_ascii_alphanumeric()
                        || matches!(byte, b'_' | b'.' | b'/' | b'-' | b'$' | b'@' | b'+' | b'*' | b'=')
                };
                let length = bytes.iter().take_while(|byte| is_of_key(byte)).count();
                (rest.get(..length)?, false, length)
            }
            _ => return None,
        };
        let colon = bytes.get(length..)?;
        let is_key = matches!(colon, [b':'] | [b':', b' ', ..]) && length <= MAX_KEY_BYTES;
        let spaces = colon.iter().skip(1).take_while(|byte| **byte == b' ').count();
        let to_value = length + 1 + spaces;
        is_key.then_some(Key { text, quoted, to_value })
    }

    /// Takes the key that has to stand here.
    fn key(&mut self) -> Option<Key<'a>> {
        let key = self.find_key()?;
        self.skip(key.to_value);
        Some(key)
    }

    /// The value inside the collection at this column, from the unread part of the line on; afterwards the next line is read.
    fn value(&mut self, column: usize, in_mapping: bool, keep: Keep<'_>) -> Option<Yaml> {
        if self.is_line_over() {
            self.next_line()?;
            return match self.column {
                Some(inner) if inner > column && !self.at_dash() && self.find_key().is_none() => {
                    // A value on a line of its own.
                    self.inline(column, keep.is_some())
                }
                Some(inner) if inner > column => self.block(keep),
                // The entries of a sequence may stand below their key without indentation.
                Some(inner) if inner == column && in_mapping && self.at_dash() => self.block(keep),
                _ => self.scalar(Yaml::Null),
            };
        }
        self.inline(column, keep.is_some())
    }

    /// A value that begins on this line and is no block collection.
    fn inline(&mut self, column: usize, keep: bool) -> Option<Yaml> {
        let value = match self.rest().as_bytes().first()? {
            b'|' => return self.block_scalar(column, true, keep),
            b'>' => return self.block_scalar(column, false, keep),
            b'"' | b'\'' => self.quoted(keep)?,
            b'[' | b'{' => self.flow(keep)?,
            _ => return self.plain(column, keep),
        };
        let rest = self.rest();
        let behind = rest.trim_start_matches(' ');
        let is_over = behind.is_empty() || behind.starts_with('#') && behind.len() < rest.len();
        self.next_line()?;
        (is_over && self.column.is_none_or(|next| next <= column)).then_some(value)
    }

    fn scalar(&mut self, value: Yaml) -> Option<Yaml> {
        self.count()?;
        Some(value)
    }

    /// A scalar in quotes.
    fn quoted(&mut self, keep: bool) -> Option<Yaml> {
        let inside = self.text.get(self.at + 1..)?;
        let mark = *self.text.as_bytes().get(self.at)?;
        let length = quoted_length(inside, mark)?;
        let raw = inside.get(..length)?;
        // Escapes are looked at even where the text is not wanted: one that nobody knows is an error.
        let text = match mark {
            b'"' => double_quoted(raw)?,
            _ => single_quoted(raw)?,
        };
        let line_ends = self.end;
        self.skip(length + 2);
        if self.at > line_ends {
            let rest = self.text.as_bytes().get(self.at..)?;
            self.end = self.at + memchr(b'\n', rest).unwrap_or(rest.len());
        }
        self.scalar(if keep {
            Yaml::String(text.into_owned())
        } else {
            Yaml::Null
        })
    }

    /// A plain scalar, with the lines that continue it.
    fn plain(&mut self, column: usize, keep: bool) -> Option<Yaml> {
        let rest = self.rest();
        match rest.as_bytes() {
            [
                b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\'' | b'"' | b'%' | b'@'
                | b'`',
                ..,
            ]
            | [b'-' | b'?' | b':']
            | [b'-' | b'?' | b':', b' ', ..] => return None,
            _ => {}
        }
        let (first, mut is_over) = plain_run(rest)?;
        let mut text = Cow::Borrowed(first);
        loop {
            let ended = self.end;
            self.next_line()?;
            if self.column.is_none_or(|next| next <= column) {
                break;
            }
            let gap = self.text.as_bytes().get(ended..self.at)?;
            if is_over || memchr(b'#', gap).is_some() {
                return None;
            }
            let (more, comment) = plain_run(self.rest())?;
            is_over = comment;
            if keep {
                let breaks = gap.iter().filter(|byte| **byte == b'\n').count();
                let text = text.to_mut();
                match breaks {
                    1 => text.push(' '),
                    _ => (1..breaks).for_each(|_| text.push('\n')),
                }
                text.push_str(more);
            }
        }
        let value = match text.as_bytes().first() {
            // What has no finite value has no form in JSON; for all else the value does not matter where it is not kept.
            Some(b'.' | b'+' | b'-') => resolve_plain(&text).1,
            _ if keep => resolve_plain(&text).1,
            _ => Some(Yaml::Null),
        };
        match value {
            Some(Yaml::Float(float)) if !float.is_finite() => None,
            Some(value) => self.scalar(value),
            None if keep => self.scalar(Yaml::String(text.into_owned())),
            None => self.scalar(Yaml::Null),
        }
    }

    /// `|` or `>`, with a chomping indicator at most.
    fn block_scalar(&mut self, column: usize, literal: bool, keep: bool) -> Option<Yaml> {
        let chomping = self.rest().get(1..)?.trim_end_matches(' ');
        if !matches!(chomping, "" | "-" | "+") {
            return None;
        }
        let bytes = self.text.as_bytes();
        let mut from = self.end + 1;
        let mut text = String::new();
        let mut folder = Folder::new(literal);
        let mut indent = None;
        // Empty lines before the first one with content: none may be longer than that one is indented.
        let mut longest = 0;
        while let Some(rest) = bytes.get(from..).filter(|rest| !rest.is_empty()) {
            let length = memchr(b'\n', rest).unwrap_or(rest.len());
            let has_break = length < rest.len();
            let line = rest.get(..length)?;
            let most = indent.unwrap_or(usize::MAX);
            let spaces = line.iter().take(most).take_while(|byte| **byte == b' ').count();
            match line.get(spaces) {
                None => {
                    longest = longest.max(spaces);
                    folder.empty += usize::from(has_break);
                }
                Some(b'\t') if indent.is_none_or(|indent| spaces < indent) => return None,
                Some(_) if indent.is_some_and(|indent| spaces < indent) => break,
                Some(_) => {
                    if indent.is_none() && (spaces <= column || longest > spaces) {
                        return None;
                    }
                    indent = Some(spaces);
                    if keep {
                        folder.push(&mut text, self.text.get(from + spaces..from + length)?, has_break);
                    }
                }
            }
            from += length + 1;
        }
        indent?;
        if keep {
            folder.chomp(&mut text, chomping);
        }
        self.go_to(from)?;
        if self.column.is_some_and(|next| next > column) {
            return None;
        }
        self.scalar(Yaml::String(text))
    }

    /// A collection in brackets, of nothing but plain words, simple quotes and such collections.
    fn flow(&mut self, keep: bool) -> Option<Yaml> {
        self.enter()?;
        let is_sequence = self.rest().starts_with('[');
        self.skip_to_flow(1)?;
        let (mut items, mut entries) = (Vec::new(), Vec::new());
        let end = if is_sequence { b']' } else { b'}' };
        loop {
            if self.flow_byte()? == end {
                self.skip(1);
                break;
            }
            if is_sequence {
                let item = self.flow_value(keep)?;
                items.push(item);
            } else {
                let key = self.key()?;
                if self.is_line_over() {
                    return None;
                }
                self.count()?;
                let name = key.name(keep)?;
                let value = self.flow_value(keep)?;
                entries.push((name, value));
            }
            self.skip_to_flow(0)?;
            match self.flow_byte()? {
                b',' => self.skip_to_flow(1)?,
                byte if byte == end => {}
                _ => return None,
            }
        }
        self.depth -= 1;
        Some(match (keep, is_sequence) {
            (false, _) => Yaml::Null,
            (true, true) => Yaml::Seq(items),
            (true, false) => Yaml::Map(sort_last_wins(entries)),
        })
    }

    fn flow_byte(&self) -> Option<u8> {
        self.rest().as_bytes().first().copied()
    }

    /// Passes some bytes, then space, comments and the ends of lines.
    fn skip_to_flow(&mut self, bytes: usize) -> Option<()> {
        self.skip(bytes);
        let rest = self.rest();
        let spaces = rest.bytes().take_while(|byte| *byte == b' ').count();
        self.skip(spaces);
        match self.flow_byte() {
            Some(b'#') if spaces == 0 => None,
            None | Some(b'#') => self.next_line(),
            _ => Some(()),
        }
    }

    fn flow_value(&mut self, keep: bool) -> Option<Yaml> {
        match self.flow_byte()? {
            b'[' | b'{' => self.flow(keep),
            b'"' | b'\'' => self.quoted(keep),
            first if first.is_ascii_alphanumeric() || matches!(first, b'_' | b'.' | b'/' | b'$') => {
                let rest = self.rest();
                let is_of_word = |byte: &u8| {
                    byte.is_ascii_alphanumeric()
                        || matches!(
                            byte,
                            b' ' | b'_' | b'.' | b'/' | b'-' | b'$' | b'@' | b'+' | b'*' | b'=' | b'(' | b')'
                        )
                };
                let length = rest.bytes().take_while(|byte| is_of_word(byte)).count();
                let text = rest.get(..length)?.trim_end_matches(' ');
                self.skip(length);
                match resolve_plain(text).1 {
                    Some(Yaml::Float(float)) if !float.is_finite() => None,
                    Some(value) => self.scalar(value),
                    None => self.scalar(Yaml::String(if keep { text.to_owned() } else { String::new() })),
                }
            }
            _ => None,
        }
    }
}

/// A key and how far behind its beginning the value stands.
struct Key<'a> {
    text: &'a str,
    quoted: bool,
    to_value: usize,
}

impl Key<'_> {
    /// What JSON calls it; empty where nobody will ask. `None` for what is no name.
    fn name(&self, keep: bool) -> Option<String> {
        let is_word = self.text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
        let is_text = self.quoted || is_word && !keep && !matches!(self.text.as_bytes(), [b'n' | b'N', ..]);
        let value = match is_text {
            true => None,
            false => resolve_plain(self.text).1,
        };
        match value {
            Some(value) => key_text(value, Place { line: 0, column: 0 }).ok(),
            None if keep => Some(self.text.to_owned()),
            None => Some(String::new()),
        }
    }
}

#[cfg(test)]
mod tests;
