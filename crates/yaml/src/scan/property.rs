//! Directives, anchors, aliases and tags.

use super::{Mark, Scanner, Token, TokenKind, is_blank_or_end};
use crate::Error;

/// go-yaml's names are ASCII.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn is_uri_byte(byte: u8) -> bool {
    is_name_byte(byte) || b";/?:@&=+$,.!~*'()[]%".contains(&byte)
}

impl<'a> Scanner<'a> {
    fn read_name(&mut self) -> &'a str {
        let from = self.at;
        let count = self.rest(0).iter().take_while(|&&byte| is_name_byte(byte)).count();
        self.advance(count);
        self.slice(from)
    }

    fn skip_blanks(&mut self) {
        let count = self
            .rest(0)
            .iter()
            .take_while(|&&byte| matches!(byte, b' ' | b'\t'))
            .count();
        self.advance(count);
    }

    pub(super) fn scan_anchor(&mut self) -> Result<Token<'a>, Error> {
        let start = self.mark;
        let is_alias = self.byte(0) == b'*';
        self.advance(1);
        let name = self.read_name();
        let ended = is_blank_or_end(self.rest(0)) || b"?:,]}%@`".contains(&self.byte(0));
        if name.is_empty() || !ended {
            return Err(self.error(start, "did not find expected alphabetic or numeric character"));
        }
        let kind = if is_alias {
            TokenKind::Alias(name)
        } else {
            TokenKind::Anchor(name)
        };
        Ok(Token {
            kind,
            start,
            end: self.mark,
        })
    }

    pub(super) fn scan_tag(&mut self) -> Result<Token<'a>, Error> {
        let start = self.mark;
        let (handle, suffix) = if self.byte(1) == b'<' {
            self.advance(2);
            let suffix = self.scan_tag_uri("", start)?;
            if self.byte(0) != b'>' {
                return Err(self.error(start, "did not find the expected '>'"));
            }
            self.advance(1);
            (String::new(), suffix)
        } else {
            let handle = self.scan_tag_handle(false, start)?;
            if handle.len() > 1 && handle.ends_with('!') {
                let suffix = self.scan_tag_uri("", start)?;
                (handle.to_owned(), suffix)
            } else {
                match self.scan_tag_uri(handle, start)? {
                    // The tag `!` alone.
                    suffix if suffix.is_empty() => (String::new(), "!".to_owned()),
                    suffix => ("!".to_owned(), suffix),
                }
            }
        };
        if !is_blank_or_end(self.rest(0)) {
            return Err(self.error(start, "did not find expected whitespace or line break"));
        }
        Ok(Token {
            kind: TokenKind::Tag { handle, suffix },
            start,
            end: self.mark,
        })
    }

    fn scan_tag_handle(&mut self, directive: bool, start: Mark) -> Result<&'a str, Error> {
        let from = self.at;
        if self.byte(0) != b'!' {
            return Err(self.error(start, "did not find expected '!'"));
        }
        self.advance(1);
        self.read_name();
        if self.byte(0) == b'!' {
            self.advance(1);
        } else if directive && self.slice(from) != "!" {
            return Err(self.error(start, "did not find expected '!'"));
        }
        Ok(self.slice(from))
    }

    /// The rest of a tag; `head` is what was taken for a handle and was none.
    fn scan_tag_uri(&mut self, head: &str, start: Mark) -> Result<String, Error> {
        let mut bytes = head.as_bytes().get(1..).unwrap_or_default().to_vec();
        let mut found = !head.is_empty();
        while is_uri_byte(self.byte(0)) {
            if self.byte(0) == b'%' {
                let octet = self
                    .hex(1, 2)
                    .ok_or_else(|| self.error(start, "did not find URI escaped octet"))?;
                bytes.push(octet as u8);
                self.advance(3);
            } else {
                bytes.push(self.byte(0));
                self.advance(1);
            }
            found = true;
        }
        if !found {
            return Err(self.error(start, "did not find expected tag URI"));
        }
        String::from_utf8(bytes).map_err(|_| self.error(start, "found an incorrect trailing UTF-8 octet"))
    }

    /// The hexadecimal number some bytes ahead.
    pub(super) fn hex(&self, ahead: usize, digits: usize) -> Option<u32> {
        let digits = self.rest(ahead).get(..digits)?;
        digits
            .iter()
            .try_fold(0u32, |value, &digit| Some(value << 4 | char::from(digit).to_digit(16)?))
    }

    pub(super) fn scan_directive(&mut self) -> Result<Token<'a>, Error> {
        let start = self.mark;
        self.advance(1);
        let name = self.read_name();
        if name.is_empty() {
            return Err(self.error(start, "could not find expected directive name"));
        }
        if !is_blank_or_end(self.rest(0)) {
            return Err(self.error(start, "found unexpected non-alphabetical character"));
        }
        let kind = match name {
            "YAML" => self.scan_version(start)?,
            "TAG" => self.scan_tag_directive(start)?,
            _ => return Err(self.error(start, "found unknown directive name")),
        };
        let end = self.mark;
        self.skip_blanks();
        self.skip_comment();
        if !self.skip_break() && self.at < self.text.len() {
            return Err(self.error(start, "did not find expected comment or line break"));
        }
        Ok(Token { kind, start, end })
    }

    fn scan_version(&mut self, start: Mark) -> Result<TokenKind<'a>, Error> {
        self.skip_blanks();
        let major = self.scan_version_number(start)?;
        if self.byte(0) != b'.' {
            return Err(self.error(start, "did not find expected digit or '.' character"));
        }
        self.advance(1);
        let minor = self.scan_version_number(start)?;
        Ok(TokenKind::Version { major, minor })
    }

    fn scan_version_number(&mut self, start: Mark) -> Result<u8, Error> {
        let mut value = 0;
        let mut length = 0;
        while self.byte(0).is_ascii_digit() {
            length += 1;
            if length > 2 {
                return Err(self.error(start, "found extremely long version number"));
            }
            value = value * 10 + (self.byte(0) - b'0');
            self.advance(1);
        }
        if length == 0 {
            return Err(self.error(start, "did not find expected version number"));
        }
        Ok(value)
    }

    fn scan_tag_directive(&mut self, start: Mark) -> Result<TokenKind<'a>, Error> {
        self.skip_blanks();
        let handle = self.scan_tag_handle(true, start)?.to_owned();
        if !self.at_blank() {
            return Err(self.error(start, "did not find expected whitespace"));
        }
        self.skip_blanks();
        let prefix = self.scan_tag_uri("", start)?;
        if !is_blank_or_end(self.rest(0)) {
            return Err(self.error(start, "did not find expected whitespace or line break"));
        }
        Ok(TokenKind::TagDirective { handle, prefix })
    }
}
