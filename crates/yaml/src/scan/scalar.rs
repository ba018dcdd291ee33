//! Plain, quoted and block scalars.

use std::borrow::Cow;

use super::{Mark, Scanner, Token, TokenKind, break_length, is_blank_or_end};
use crate::Error;

/// Line breaks between two pieces of a folded scalar.
#[derive(Default)]
struct Breaks {
    /// The first one.
    leading: String,
    /// Those after it: empty lines.
    trailing: String,
}

impl Breaks {
    /// One plain break becomes a space, more keep the empty lines, Unicode ones stay.
    fn fold_into(&mut self, text: &mut String) {
        if !self.leading.starts_with('\n') {
            text.push_str(&self.leading);
            text.push_str(&self.trailing);
        } else if self.trailing.is_empty() {
            text.push(' ');
        } else {
            text.push_str(&self.trailing);
        }
        self.clear();
    }

    fn clear(&mut self) {
        self.leading.clear();
        self.trailing.clear();
    }
}

impl<'a> Scanner<'a> {
    pub(super) fn scan_plain(&mut self) -> Result<Token<'a>, Error> {
        let start = self.mark;
        let from = self.at;
        let indent = self.indent + 1;
        // Where the text ends so far; space after it counts only if more text follows.
        let (mut end_at, mut end) = (self.at, self.mark);
        // The text, once it has more than one line.
        let mut folded: Option<String> = None;
        let mut breaks = Breaks::default();
        let mut after_break = false;
        loop {
            if self.document_indicator().is_some() || self.byte(0) == b'#' {
                break;
            }
            let length = self.plain_length();
            if length > 0 {
                let run_at = self.at;
                self.advance(length);
                if after_break {
                    let text = folded.get_or_insert_with(|| self.text.get(from..end_at).unwrap_or_default().to_owned());
                    breaks.fold_into(text);
                    text.push_str(self.slice(run_at));
                    after_break = false;
                } else if let Some(text) = &mut folded {
                    text.push_str(self.slice(end_at));
                }
                (end_at, end) = (self.at, self.mark);
            }
            if !self.at_blank() && !self.at_break() {
                break;
            }
            loop {
                if self.at_blank() {
                    if after_break && (self.mark.column as isize) < indent && self.byte(0) == b'\t' {
                        return Err(self.error(start, "found a tab character that violates indentation"));
                    }
                    self.advance(1);
                } else if self.at_break() {
                    self.read_break(if after_break {
                        &mut breaks.trailing
                    } else {
                        &mut breaks.leading
                    });
                    after_break = true;
                } else {
                    break;
                }
            }
            if !self.in_flow() && (self.mark.column as isize) < indent {
                break;
            }
        }
        if after_break {
            self.key_allowed = true;
        }
        let value = match folded {
            Some(text) => Cow::Owned(text),
            None => Cow::Borrowed(self.text.get(from..end_at).unwrap_or_default()),
        };
        Ok(Token {
            kind: TokenKind::Scalar { value, plain: true },
            start,
            end,
        })
    }

    /// Bytes that belong to a plain scalar from here on, up to space, a break, or an indicator.
    fn plain_length(&self) -> usize {
        let rest = self.rest(0);
        let flow = self.in_flow();
        let mut length = 0;
        while let Some(&byte) = rest.get(length) {
            let ahead = |by: usize| rest.get(length + by..).unwrap_or_default();
            let stop = match byte {
                b' ' | b'\t' | b'\r' | b'\n' | 0 => true,
                b':' => is_blank_or_end(ahead(1)),
                b',' | b'?' | b'[' | b']' | b'{' | b'}' => flow,
                0xc2 | 0xe2 => break_length(ahead(0)).is_some(),
                _ => false,
            };
            if stop {
                break;
            }
            length += 1;
        }
        length
    }

    pub(super) fn scan_single_quoted(&mut self) -> Result<Token<'a>, Error> {
        self.scan_quoted(b'\'')
    }

    pub(super) fn scan_double_quoted(&mut self) -> Result<Token<'a>, Error> {
        self.scan_quoted(b'"')
    }

    fn scan_quoted(&mut self, quote: u8) -> Result<Token<'a>, Error> {
        let start = self.mark;
        self.advance(1);
        let value = match self.simple_quoted_length(quote) {
            Some(length) => {
                let from = self.at;
                self.advance(length);
                Cow::Borrowed(self.slice(from))
            }
            None => Cow::Owned(self.read_quoted(quote, start)?),
        };
        self.advance(1);
        Ok(Token {
            kind: TokenKind::Scalar { value, plain: false },
            start,
            end: self.mark,
        })
    }

    /// The length of a quoted scalar on one line and without escapes; `None` if it is not one.
    fn simple_quoted_length(&self, quote: u8) -> Option<usize> {
        let rest = self.rest(0);
        for (length, &byte) in rest.iter().enumerate() {
            match byte {
                b'\\' if quote == b'"' => return None,
                b'\r' | b'\n' | 0 => return None,
                0xc2 | 0xe2 if break_length(rest.get(length..)?).is_some() => return None,
                _ if byte == quote => {
                    let doubled = quote == b'\'' && rest.get(length + 1) == Some(&quote);
                    return (!doubled).then_some(length);
                }
                _ => {}
            }
        }
        None
    }

    /// A quoted scalar up to its closing quote.
    fn read_quoted(&mut self, quote: u8, start: Mark) -> Result<String, Error> {
        let mut text = String::new();
        let mut breaks = Breaks::default();
        loop {
            if self.document_indicator().is_some() {
                return Err(self.error(start, "found unexpected document indicator"));
            }
            if self.byte(0) == 0 {
                return Err(self.error(start, "found unexpected end of stream"));
            }
            let mut after_break = self.read_quoted_run(quote, start, &mut text)?;
            if self.byte(0) == quote {
                return Ok(text);
            }
            let blanks_at = self.at;
            let mut blanks_end = self.at;
            loop {
                if self.at_blank() {
                    self.advance(1);
                    if !after_break {
                        blanks_end = self.at;
                    }
                } else if self.at_break() {
                    self.read_break(if after_break {
                        &mut breaks.trailing
                    } else {
                        &mut breaks.leading
                    });
                    after_break = true;
                } else {
                    break;
                }
            }
            if after_break {
                breaks.fold_into(&mut text);
            } else {
                text.push_str(self.text.get(blanks_at..blanks_end).unwrap_or_default());
            }
        }
    }

    /// Characters of a quoted scalar up to space, a break or the quote; true if it ended with an escaped break.
    fn read_quoted_run(&mut self, quote: u8, start: Mark, text: &mut String) -> Result<bool, Error> {
        while !is_blank_or_end(self.rest(0)) {
            match self.byte(0) {
                b'\'' if quote == b'\'' && self.byte(1) == b'\'' => {
                    text.push('\'');
                    self.advance(2);
                }
                byte if byte == quote => break,
                b'\\' if quote == b'"' && break_length(self.rest(1)).is_some() => {
                    self.advance(1);
                    self.skip_break();
                    return Ok(true);
                }
                b'\\' if quote == b'"' => self.read_escape(start, text)?,
                _ => {
                    let from = self.at;
                    self.advance_character();
                    text.push_str(self.slice(from));
                }
            }
        }
        Ok(false)
    }

    /// One escape of a double-quoted scalar. `\/` is not among them: it came with YAML 1.2.
    fn read_escape(&mut self, start: Mark, text: &mut String) -> Result<(), Error> {
        let digits = match self.byte(1) {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            other => {
                let character = match other {
                    b'0' => '\0',
                    b'a' => '\x07',
                    b'b' => '\x08',
                    b't' | b'\t' => '\t',
                    b'n' => '\n',
                    b'v' => '\x0b',
                    b'f' => '\x0c',
                    b'r' => '\r',
                    b'e' => '\x1b',
                    b' ' => ' ',
                    b'"' => '"',
                    b'\'' => '\'',
                    b'\\' => '\\',
                    b'N' => '\u{85}',
                    b'_' => '\u{a0}',
                    b'L' => '\u{2028}',
                    b'P' => '\u{2029}',
                    _ => return Err(self.error(start, "found unknown escape character")),
                };
                text.push(character);
                self.advance(2);
                return Ok(());
            }
        };
        self.advance(2);
        let code = self
            .hex(0, digits)
            .ok_or_else(|| self.error(start, "did not find expected hexdecimal number"))?;
        let character =
            char::from_u32(code).ok_or_else(|| self.error(start, "found invalid Unicode character escape code"))?;
        text.push(character);
        self.advance(digits);
        Ok(())
    }

    pub(super) fn scan_block_scalar(&mut self, literal: bool) -> Result<Token<'a>, Error> {
        let start = self.mark;
        self.advance(1);
        let (chomping, increment) = self.scan_block_header(start)?;
        let mut indent = increment.map(|increment| self.indent.max(0) as usize + increment);
        let mut end = self.mark;
        let mut text = String::new();
        let mut breaks = Breaks::default();
        let mut leading_blank = false;
        indent = Some(self.read_block_breaks(indent, &mut breaks.trailing, start, &mut end)?);
        while indent == Some(self.mark.column) && self.byte(0) != 0 {
            let blank = self.at_blank();
            if !literal && !leading_blank && !blank && breaks.leading.starts_with('\n') {
                breaks.fold_into(&mut text);
            } else {
                text.push_str(&breaks.leading);
                text.push_str(&breaks.trailing);
                breaks.clear();
            }
            leading_blank = blank;
            let from = self.at;
            self.advance(self.line_length());
            text.push_str(self.slice(from));
            self.read_break(&mut breaks.leading);
            indent = Some(self.read_block_breaks(indent, &mut breaks.trailing, start, &mut end)?);
        }
        if chomping != Chomping::Strip {
            text.push_str(&breaks.leading);
        }
        if chomping == Chomping::Keep {
            text.push_str(&breaks.trailing);
        }
        Ok(Token {
            kind: TokenKind::Scalar {
                value: Cow::Owned(text),
                plain: false,
            },
            start,
            end,
        })
    }

    /// `|2-`: chomping and indentation in either order, then nothing but a comment.
    fn scan_block_header(&mut self, start: Mark) -> Result<(Chomping, Option<usize>), Error> {
        let mut chomping = self.take_chomping();
        let increment = match self.byte(0) {
            b'0' => return Err(self.error(start, "found an indentation indicator equal to 0")),
            digit @ b'1'..=b'9' => {
                self.advance(1);
                Some(usize::from(digit - b'0'))
            }
            _ => None,
        };
        if chomping.is_none() && increment.is_some() {
            chomping = self.take_chomping();
        }
        while self.at_blank() {
            self.advance(1);
        }
        self.skip_comment();
        if !self.skip_break() && self.byte(0) != 0 {
            return Err(self.error(start, "did not find expected comment or line break"));
        }
        Ok((chomping.unwrap_or(Chomping::Clip), increment))
    }

    fn take_chomping(&mut self) -> Option<Chomping> {
        let chomping = match self.byte(0) {
            b'+' => Chomping::Keep,
            b'-' => Chomping::Strip,
            _ => return None,
        };
        self.advance(1);
        Some(chomping)
    }

    /// Skips indentation and empty lines; finds the indentation if it is not known yet.
    fn read_block_breaks(
        &mut self,
        indent: Option<usize>,
        breaks: &mut String,
        start: Mark,
        end: &mut Mark,
    ) -> Result<usize, Error> {
        *end = self.mark;
        let mut deepest = 0;
        loop {
            while indent.is_none_or(|indent| self.mark.column < indent) && self.byte(0) == b' ' {
                self.advance(1);
            }
            deepest = deepest.max(self.mark.column);
            if indent.is_none_or(|indent| self.mark.column < indent) && self.byte(0) == b'\t' {
                return Err(self.error(start, "found a tab character where an indentation space is expected"));
            }
            if !self.at_break() {
                break;
            }
            self.read_break(breaks);
            *end = self.mark;
        }
        Ok(indent.unwrap_or_else(|| deepest.max((self.indent + 1).max(1) as usize)))
    }
}

/// What happens to the breaks at the end of a block scalar.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chomping {
    Clip,
    Strip,
    Keep,
}
