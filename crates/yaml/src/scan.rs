//! Text to tokens, by libyaml's rules as go-yaml v2 bends them.
//!
//! A mapping key shows itself only at its colon, so the scanner remembers where a *simple key* may have begun
//! and puts the `Key` token in front of it afterwards; the parser gets a token only once that is decided.

mod mark;
mod property;
mod scalar;

use std::borrow::Cow;
use std::collections::VecDeque;

pub(crate) use mark::Mark;

use crate::{Error, ErrorKind};

/// The longest simple key in characters, by the specification.
const MAX_KEY_CHARS: usize = 1024;

/// go-yaml's bound on open brackets and on open block collections, each.
const MAX_DEPTH: usize = 10_000;

/// go-yaml reads its input in pieces of this many bytes, and a piece with a forbidden character fails as a whole.
const CHUNK_BYTES: usize = 512;

/// What a token is.
#[derive(Clone)]
pub(crate) enum TokenKind<'a> {
    StreamEnd,
    Version { major: u8, minor: u8 },
    TagDirective { handle: String, prefix: String },
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(&'a str),
    Anchor(&'a str),
    Tag { handle: String, suffix: String },
    Scalar { value: Cow<'a, str>, plain: bool },
}

/// A token and where it stands.
#[derive(Clone)]
pub(crate) struct Token<'a> {
    pub kind: TokenKind<'a>,
    pub start: Mark,
    pub end: Mark,
}

/// A place where a mapping key may have begun.
#[derive(Clone, Copy)]
struct SimpleKey {
    possible: bool,
    /// Nothing but a key can stand here.
    required: bool,
    /// The number of the key's first token.
    token: usize,
    /// Whether the key is found by that number. go-yaml forgets it with the end of a collection that has nothing inside, and no longer
    /// waits for the colon behind: `{}: x` is no key, and `{}` alone no missing one.
    indexed: bool,
    mark: Mark,
}

/// The scanner; see the module.
pub(crate) struct Scanner<'a> {
    text: &'a str,
    /// Position in bytes.
    at: usize,
    mark: Mark,
    /// Where the piece with the first forbidden character begins, if there is one.
    bad_piece: Option<usize>,
    tokens: VecDeque<Token<'a>>,
    /// Tokens handed out so far.
    taken: usize,
    stream_ended: bool,
    /// One entry for the block level and one for each open bracket; token numbers never fall along it.
    keys: Vec<SimpleKey>,
    key_allowed: bool,
    indent: isize,
    indents: Vec<isize>,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Scanner<'a> {
        let mark = Mark::default();
        Scanner {
            text,
            at: 0,
            mark,
            bad_piece: first_forbidden(text).map(|at| at / CHUNK_BYTES * CHUNK_BYTES),
            tokens: VecDeque::new(),
            taken: 0,
            stream_ended: false,
            keys: vec![SimpleKey {
                possible: false,
                required: false,
                token: 0,
                indexed: false,
                mark,
            }],
            key_allowed: true,
            indent: -1,
            indents: Vec::new(),
        }
    }

    /// The next token, left in place.
    pub(crate) fn peek(&mut self) -> Result<&Token<'a>, Error> {
        while self.tokens.is_empty() || self.first_may_be_key()? {
            self.fetch()?;
        }
        self.tokens
            .front()
            .ok_or_else(|| self.error(self.mark, "did not find expected token"))
    }

    /// Takes the token that [`peek`](Scanner::peek) showed.
    pub(crate) fn take(&mut self) -> Option<Token<'a>> {
        let token = self.tokens.pop_front();
        self.taken += usize::from(token.is_some());
        token
    }

    /// Whether the first token in the queue may turn out to be a key.
    fn first_may_be_key(&mut self) -> Result<bool, Error> {
        let first = self.keys.partition_point(|key| key.token < self.taken);
        for index in first..self.keys.len() {
            let Some(key) = self.keys.get(index).copied() else {
                break;
            };
            if key.token > self.taken {
                break;
            }
            if !key.indexed {
                continue;
            }
            if self.still_possible(key)? {
                return Ok(true);
            }
            self.forget(index);
        }
        Ok(false)
    }

    /// A simple key stays on one line and within 1024 characters.
    fn still_possible(&self, key: SimpleKey) -> Result<bool, Error> {
        let stale = key.mark.line < self.mark.line || key.mark.index + MAX_KEY_CHARS < self.mark.index;
        if key.possible && stale && key.required {
            return Err(self.error(key.mark, "could not find expected ':'"));
        }
        Ok(key.possible && !stale)
    }

    fn forget(&mut self, index: usize) {
        if let Some(key) = self.keys.get_mut(index) {
            key.possible = false;
        }
    }

    fn save_key(&mut self) -> Result<(), Error> {
        if !self.key_allowed {
            return Ok(());
        }
        let required = !self.in_flow() && self.indent == self.mark.column as isize;
        self.remove_key()?;
        let token = self.taken + self.tokens.len();
        if let Some(last) = self.keys.last_mut() {
            *last = SimpleKey {
                possible: true,
                required,
                token,
                indexed: true,
                mark: self.mark,
            };
        }
        Ok(())
    }

    fn remove_key(&mut self) -> Result<(), Error> {
        match self.keys.last_mut() {
            Some(key) if key.possible && key.required => {
                let mark = key.mark;
                Err(self.error(mark, "could not find expected ':'"))
            }
            Some(key) => {
                key.possible = false;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn in_flow(&self) -> bool {
        self.keys.len() > 1
    }

    /// Scans one token more (or several, where collections end).
    fn fetch(&mut self) -> Result<(), Error> {
        self.check_piece(4)?;
        self.skip_to_token();
        self.check_piece(4)?;
        self.unroll(self.mark.column as isize);
        let byte = self.byte(0);
        let spaced = is_blank_or_end(self.rest(1));
        if self.at >= self.text.len() || byte == 0 {
            return self.fetch_stream_end();
        }
        if self.mark.column == 0 {
            if byte == b'%' {
                return self.fetch_directive();
            }
            match self.document_indicator() {
                Some(b'-') => return self.fetch_document_indicator(TokenKind::DocumentStart),
                Some(_) => return self.fetch_document_indicator(TokenKind::DocumentEnd),
                None => {}
            }
        }
        let flow = self.in_flow();
        match byte {
            b'[' => self.fetch_flow_start(TokenKind::FlowSequenceStart)?,
            b'{' => self.fetch_flow_start(TokenKind::FlowMappingStart)?,
            b']' => self.fetch_flow_end(TokenKind::FlowSequenceEnd)?,
            b'}' => self.fetch_flow_end(TokenKind::FlowMappingEnd)?,
            b',' => {
                self.remove_key()?;
                self.key_allowed = true;
                self.push_indicator(TokenKind::FlowEntry, 1);
            }
            b'-' if spaced => self.fetch_block_entry()?,
            b'?' if flow || spaced => self.fetch_key()?,
            b':' if flow || spaced => self.fetch_value()?,
            b'*' | b'&' => self.fetch_property(Self::scan_anchor)?,
            b'!' => self.fetch_property(Self::scan_tag)?,
            b'|' | b'>' if !flow => {
                self.remove_key()?;
                self.key_allowed = true;
                let token = self.scan_block_scalar(byte == b'|')?;
                self.tokens.push_back(token);
            }
            b'\'' => self.fetch_property(Self::scan_single_quoted)?,
            b'"' => self.fetch_property(Self::scan_double_quoted)?,
            b'#' | b'|' | b'>' | b'%' | b'@' | b'`' | b'\t' => {
                return Err(self.error(self.mark, "found character that cannot start any token"));
            }
            // Also `-`, `?` and `:` before anything but space.
            _ => self.fetch_property(Self::scan_plain)?,
        }
        self.check_piece(0)
    }

    /// Fails where go-yaml would have read the piece with the forbidden character.
    fn check_piece(&self, ahead: usize) -> Result<(), Error> {
        match self.bad_piece {
            Some(start) if self.at + ahead >= start => {
                let mut error = Error::syntax("control characters are not allowed", 0, 0, 0);
                (error.line, error.column) = (self.mark.line + 1, self.mark.column + 1);
                Err(error)
            }
            _ => Ok(()),
        }
    }

    fn fetch_stream_end(&mut self) -> Result<(), Error> {
        if self.stream_ended {
            let (start, end) = (self.mark, self.mark);
            self.tokens.push_back(Token {
                kind: TokenKind::StreamEnd,
                start,
                end,
            });
            return Ok(());
        }
        self.stream_ended = true;
        // Force a new line.
        if self.mark.column != 0 {
            self.mark.column = 0;
            self.mark.line += 1;
        }
        self.unroll(-1);
        self.remove_key()?;
        self.key_allowed = false;
        self.push_indicator(TokenKind::StreamEnd, 0);
        Ok(())
    }

    fn fetch_directive(&mut self) -> Result<(), Error> {
        self.unroll(-1);
        self.remove_key()?;
        self.key_allowed = false;
        let token = self.scan_directive()?;
        self.tokens.push_back(token);
        Ok(())
    }

    fn fetch_document_indicator(&mut self, kind: TokenKind<'a>) -> Result<(), Error> {
        self.unroll(-1);
        self.remove_key()?;
        self.key_allowed = false;
        self.push_indicator(kind, 3);
        Ok(())
    }

    fn fetch_flow_start(&mut self, kind: TokenKind<'a>) -> Result<(), Error> {
        self.save_key()?;
        let token = self.taken + self.tokens.len();
        self.keys.push(SimpleKey {
            possible: false,
            required: false,
            token,
            indexed: false,
            mark: self.mark,
        });
        if self.keys.len() > MAX_DEPTH + 1 {
            return Err(self.error(self.mark, "exceeded max depth of 10000"));
        }
        self.key_allowed = true;
        self.push_indicator(kind, 1);
        Ok(())
    }

    fn fetch_flow_end(&mut self, kind: TokenKind<'a>) -> Result<(), Error> {
        self.remove_key()?;
        if self.in_flow()
            && let Some(inner) = self.keys.pop()
            && let Some(outer) = self.keys.last_mut()
        {
            outer.indexed &= outer.token != inner.token;
        }
        self.key_allowed = false;
        self.push_indicator(kind, 1);
        Ok(())
    }

    fn fetch_block_entry(&mut self) -> Result<(), Error> {
        if !self.in_flow() {
            if !self.key_allowed {
                return Err(self.error(self.mark, "block sequence entries are not allowed in this context"));
            }
            self.roll(self.mark, None, TokenKind::BlockSequenceStart)?;
        }
        self.remove_key()?;
        self.key_allowed = true;
        self.push_indicator(TokenKind::BlockEntry, 1);
        Ok(())
    }

    fn fetch_key(&mut self) -> Result<(), Error> {
        if !self.in_flow() {
            if !self.key_allowed {
                return Err(self.error(self.mark, "mapping keys are not allowed in this context"));
            }
            self.roll(self.mark, None, TokenKind::BlockMappingStart)?;
        }
        self.remove_key()?;
        self.key_allowed = !self.in_flow();
        self.push_indicator(TokenKind::Key, 1);
        Ok(())
    }

    fn fetch_value(&mut self) -> Result<(), Error> {
        let key = self.keys.last().copied().filter(|key| key.possible);
        let valid = match key {
            Some(key) => self.still_possible(key)?.then_some(key),
            None => None,
        };
        self.forget(self.keys.len() - 1);
        if valid.is_some_and(|key| !key.indexed) {
            // go-yaml ends the document here and drops what follows; nothing is dropped unsaid.
            let (line, column) = (self.mark.line + 1, self.mark.column + 1);
            return Err(Error::at(ErrorKind::Decode, "invalid map key", line, column));
        }
        match valid {
            Some(key) => {
                let token = Token {
                    kind: TokenKind::Key,
                    start: key.mark,
                    end: key.mark,
                };
                self.insert(key.token, token);
                self.roll(key.mark, Some(key.token), TokenKind::BlockMappingStart)?;
                self.key_allowed = false;
            }
            None => {
                if !self.in_flow() {
                    if !self.key_allowed {
                        return Err(self.error(self.mark, "mapping values are not allowed in this context"));
                    }
                    self.roll(self.mark, None, TokenKind::BlockMappingStart)?;
                }
                self.key_allowed = !self.in_flow();
            }
        }
        self.push_indicator(TokenKind::Value, 1);
        Ok(())
    }

    /// Anchors, aliases, tags and scalars on one line: each may begin a simple key.
    fn fetch_property(&mut self, scan: fn(&mut Self) -> Result<Token<'a>, Error>) -> Result<(), Error> {
        self.save_key()?;
        self.key_allowed = false;
        let token = scan(self)?;
        self.tokens.push_back(token);
        Ok(())
    }

    /// Opens a block collection at a column deeper than the current one.
    fn roll(&mut self, mark: Mark, before: Option<usize>, kind: TokenKind<'a>) -> Result<(), Error> {
        let column = mark.column as isize;
        if self.in_flow() || self.indent >= column {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = column;
        if self.indents.len() > MAX_DEPTH {
            return Err(self.error(self.mark, "exceeded max depth of 10000"));
        }
        let token = Token {
            kind,
            start: mark,
            end: mark,
        };
        match before {
            Some(number) => self.insert(number, token),
            None => self.tokens.push_back(token),
        }
        Ok(())
    }

    /// Closes the block collections deeper than a column.
    fn unroll(&mut self, column: isize) {
        if self.in_flow() {
            return;
        }
        while self.indent > column {
            let (start, end) = (self.mark, self.mark);
            self.tokens.push_back(Token {
                kind: TokenKind::BlockEnd,
                start,
                end,
            });
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    /// Puts a token before the one with this number.
    fn insert(&mut self, number: usize, token: Token<'a>) {
        let index = number.saturating_sub(self.taken).min(self.tokens.len());
        self.tokens.insert(index, token);
    }

    fn push_indicator(&mut self, kind: TokenKind<'a>, bytes: usize) {
        let start = self.mark;
        self.advance(bytes);
        self.tokens.push_back(Token {
            kind,
            start,
            end: self.mark,
        });
    }

    /// Skips space, comments and line breaks.
    fn skip_to_token(&mut self) {
        loop {
            // A second byte order mark; go-yaml drops one only at the start of the text.
            if self.at == 0 && self.rest(0).starts_with(b"\xef\xbb\xbf") {
                self.advance(3);
            }
            // A tab may not stand where a key may.
            let tabs = self.in_flow() || !self.key_allowed;
            let count = self
                .rest(0)
                .iter()
                .take_while(|&&byte| byte == b' ' || tabs && byte == b'\t')
                .count();
            self.advance(count);
            self.skip_comment();
            if !self.skip_break() {
                return;
            }
            if !self.in_flow() {
                self.key_allowed = true;
            }
        }
    }
}

/// The characters YAML 1.1 allows in a text.
fn is_allowed(character: char) -> bool {
    matches!(character,
        ' '..='~' | '\n' | '\r' | '\t' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// Where the first character stands that no YAML text may have.
pub(crate) fn first_forbidden(text: &str) -> Option<usize> {
    let suspicious = |byte: u8| byte >= 0x7f || byte < b' ' && !matches!(byte, b'\n' | b'\t' | b'\r');
    // Nearly every text is ASCII: look at characters only from the first byte on that is more.
    let from = text.bytes().position(suspicious)?;
    let rest = text.get(from..)?;
    rest.char_indices()
        .find(|&(_, character)| !is_allowed(character))
        .map(|(at, _)| from + at)
}

/// The length in bytes of the line break that a text begins with.
#[inline]
fn break_length(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [b'\r', b'\n', ..] => Some(2),
        [b'\r' | b'\n', ..] => Some(1),
        [0xc2, 0x85, ..] => Some(2),
        [0xe2, 0x80, 0xa8 | 0xa9, ..] => Some(3),
        _ => None,
    }
}

/// Whether a text begins with space, a tab or a line break, or has ended.
#[inline]
fn is_blank_or_end(bytes: &[u8]) -> bool {
    matches!(bytes, [] | [b' ' | b'\t' | 0, ..]) || break_length(bytes).is_some()
}
