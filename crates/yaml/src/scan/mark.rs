//! Where the scanner stands, and how it moves.

use super::{Scanner, break_length, is_blank_or_end};
use crate::Error;

/// A place in the text, in characters, from 0.
#[derive(Clone, Copy, Default)]
pub(crate) struct Mark {
    pub index: usize,
    pub line: usize,
    pub column: usize,
}

impl<'a> Scanner<'a> {
    /// The text from some bytes ahead on.
    pub(super) fn rest(&self, ahead: usize) -> &'a [u8] {
        self.text.as_bytes().get(self.at + ahead..).unwrap_or_default()
    }

    /// The byte some bytes ahead; 0 at the end, as the text itself has none.
    pub(super) fn byte(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.at + ahead).copied().unwrap_or(0)
    }

    /// The text from a position to here.
    pub(super) fn slice(&self, from: usize) -> &'a str {
        self.text.get(from..self.at).unwrap_or_default()
    }

    /// Moves over some bytes of one line.
    pub(super) fn advance(&mut self, bytes: usize) {
        let passed = self.text.as_bytes().get(self.at..self.at + bytes).unwrap_or_default();
        let characters = passed.iter().filter(|&&byte| byte & 0xc0 != 0x80).count();
        self.at += passed.len();
        self.mark.index += characters;
        self.mark.column += characters;
    }

    /// Moves over one character.
    pub(super) fn advance_character(&mut self) {
        let bytes = match self.byte(0) {
            0x00..=0x7f => 1,
            0x80..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xff => 4,
        };
        self.advance(bytes);
    }

    /// Moves over a line break, if one is here.
    pub(super) fn skip_break(&mut self) -> bool {
        let Some(length) = break_length(self.rest(0)) else {
            return false;
        };
        self.mark.index += if self.byte(0) == b'\r' { length } else { 1 };
        self.mark.line += 1;
        self.mark.column = 0;
        self.at += length;
        true
    }

    /// Moves over a line break and adds it to a text; only the Unicode ones stay what they are.
    pub(super) fn read_break(&mut self, into: &mut String) {
        let from = self.at;
        if self.skip_break() {
            match self.slice(from) {
                kept @ ("\u{2028}" | "\u{2029}") => into.push_str(kept),
                _ => into.push('\n'),
            }
        }
    }

    /// Moves to the end of the line, if a comment begins here.
    pub(super) fn skip_comment(&mut self) {
        if self.byte(0) == b'#' {
            self.advance(self.line_length());
        }
    }

    /// Bytes up to the next line break or the end.
    pub(super) fn line_length(&self) -> usize {
        let rest = self.rest(0);
        let mut length = 0;
        while let Some(&byte) = rest.get(length) {
            let may_break = matches!(byte, b'\r' | b'\n' | 0xc2 | 0xe2);
            if byte == 0 || may_break && break_length(rest.get(length..).unwrap_or_default()).is_some() {
                break;
            }
            length += 1;
        }
        length
    }

    pub(super) fn at_blank(&self) -> bool {
        matches!(self.byte(0), b' ' | b'\t')
    }

    pub(super) fn at_break(&self) -> bool {
        break_length(self.rest(0)).is_some()
    }

    /// `-` or `.` where `---` or `...` begins a line and stands alone.
    pub(super) fn document_indicator(&self) -> Option<u8> {
        let (first, rest) = (self.byte(0), self.rest(0));
        let found = self.mark.column == 0
            && (rest.starts_with(b"---") || rest.starts_with(b"..."))
            && is_blank_or_end(self.rest(3));
        found.then_some(first)
    }

    /// An error here, with the place where what is being scanned began.
    ///
    /// go-yaml prints the line from one, or of the beginning from zero when the problem is on the first line.
    pub(super) fn error(&self, context: Mark, problem: &str) -> Error {
        let printed = if self.mark.line != 0 {
            self.mark.line + 1
        } else {
            context.line
        };
        Error::syntax(problem, self.mark.line + 1, self.mark.column + 1, printed)
    }
}
