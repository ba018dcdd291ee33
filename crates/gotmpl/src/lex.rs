//! Text to tokens, as `text/template/parse` cuts them.

use memchr::memmem::Finder;
use memchr::{memchr, memchr_iter, memchr3};

use crate::node::Pos;
use crate::quote::quote;
use crate::unicode::{is_digit, is_letter, is_print};

/// The kind of a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The text of the token says what is wrong.
    Error,
    /// `true`, `false`.
    Bool,
    /// Any other printable ASCII character.
    Char,
    /// `'x'`.
    CharConstant,
    /// `1+2i`.
    Complex,
    /// `=`.
    Assign,
    /// `:=`.
    Declare,
    /// The end.
    Eof,
    /// `.Name`.
    Field,
    /// A function's name.
    Identifier,
    /// `{{`.
    LeftDelim,
    /// `(`.
    LeftParen,
    /// A number.
    Number,
    /// `|`.
    Pipe,
    /// A string in backquotes.
    RawString,
    /// `}}`.
    RightDelim,
    /// `)`.
    RightParen,
    /// White space between arguments.
    Space,
    /// A string in double quotes.
    String,
    /// Text outside actions.
    Text,
    /// `$` or `$name`.
    Variable,
    /// `block`.
    Block,
    /// `break`.
    Break,
    /// `continue`.
    Continue,
    /// `.`.
    Dot,
    /// `define`.
    Define,
    /// `else`.
    Else,
    /// `end`.
    End,
    /// `if`.
    If,
    /// `nil`.
    Nil,
    /// `range`.
    Range,
    /// `template`.
    Template,
    /// `with`.
    With,
}

impl Kind {
    fn is_keyword(self) -> bool {
        matches!(
            self,
            Self::Block
                | Self::Break
                | Self::Continue
                | Self::Dot
                | Self::Define
                | Self::Else
                | Self::End
                | Self::If
                | Self::Nil
                | Self::Range
                | Self::Template
                | Self::With
        )
    }
}

/// One token.
#[derive(Clone, Copy, Debug)]
pub struct Token<'t> {
    /// Its kind.
    pub kind: Kind,
    /// Byte position of its start.
    pub pos: Pos,
    /// Line of its start, from 1.
    pub line: u32,
    /// Its text; of an error nothing, for the message is [`Lexer::message`].
    pub text: &'t str,
}

impl Token<'_> {
    /// Returns the token, which is no error, as errors show it.
    pub fn describe(&self) -> String {
        match self.kind {
            Kind::Eof => "EOF".to_owned(),
            kind if kind.is_keyword() => format!("<{}>", self.text),
            _ => {
                let mut out = Vec::new();
                if self.text.len() > 10 {
                    let short: String = self.text.chars().take(10).collect();
                    quote(&mut out, short.as_bytes(), false);
                    out.extend_from_slice(b"...");
                } else {
                    quote(&mut out, self.text.as_bytes(), false);
                }
                String::from_utf8_lossy(&out).into_owned()
            }
        }
    }
}

/// The scanner. After an error it has no more input.
pub struct Lexer<'t> {
    input: &'t str,
    left: Finder<'static>,
    pos: usize,
    start: usize,
    line: u32,
    start_line: u32,
    message: String,
    paren_depth: i64,
    inside_action: bool,
    break_ok: bool,
    continue_ok: bool,
}

const LEFT: &str = "{{";
const RIGHT: &str = "}}";
const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];
/// A trim marker is `-` and the white space that belongs to it.
const MARKER: usize = 2;

impl<'t> Lexer<'t> {
    /// Returns a scanner of the text. `break_ok` and `continue_ok`: whether these are keywords, which they
    /// are unless functions of these names exist.
    pub fn new(input: &'t str, break_ok: bool, continue_ok: bool) -> Self {
        Self {
            input,
            left: Finder::new(LEFT),
            pos: 0,
            start: 0,
            line: 1,
            start_line: 1,
            message: String::new(),
            paren_depth: 0,
            inside_action: false,
            break_ok,
            continue_ok,
        }
    }

    fn rest(&self) -> &'t str {
        self.input.get(self.pos..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.pos += c.len_utf8();
        if c == '\n' {
            self.line += 1;
        }
        Some(c)
    }

    /// Returns what the token that tells of an error says.
    pub fn message(&self) -> &str {
        &self.message
    }

    fn take(&mut self, kind: Kind) -> Token<'t> {
        let token = Token {
            kind,
            pos: self.start as Pos,
            line: self.start_line,
            text: self.input.get(self.start..self.pos).unwrap_or_default(),
        };
        self.start = self.pos;
        self.start_line = self.line;
        token
    }

    fn count_lines(&mut self) {
        let passed = self.input.get(self.start..self.pos).unwrap_or_default();
        self.line += memchr_iter(b'\n', passed.as_bytes()).count() as u32;
    }

    fn ignore(&mut self) {
        self.count_lines();
        self.start = self.pos;
        self.start_line = self.line;
    }

    fn error(&mut self, message: impl Into<String>) -> Token<'t> {
        self.message = message.into();
        let token = Token {
            kind: Kind::Error,
            pos: self.start as Pos,
            line: self.start_line,
            text: "",
        };
        self.start = 0;
        self.pos = 0;
        self.input = "";
        token
    }

    /// Returns the next token.
    pub fn token(&mut self) -> Token<'t> {
        if self.inside_action { self.action() } else { self.text() }
    }

    fn text(&mut self) -> Token<'t> {
        loop {
            let Some(offset) = self.left.find(self.rest().as_bytes()) else {
                self.pos = self.input.len();
                if self.pos > self.start {
                    self.count_lines();
                    return self.take(Kind::Text);
                }
                return self.take(Kind::Eof);
            };
            if offset > 0 {
                self.pos += offset;
                let mut trim = 0;
                let after = self.input.get(self.pos + LEFT.len()..).unwrap_or_default();
                if has_left_marker(after) {
                    let text = self.input.get(self.start..self.pos).unwrap_or_default();
                    trim = text.len() - text.trim_end_matches(SPACES).len();
                }
                self.pos -= trim;
                self.count_lines();
                let token = self.take(Kind::Text);
                self.pos += trim;
                self.ignore();
                if !token.text.is_empty() {
                    return token;
                }
            }
            if let Some(token) = self.left_delim() {
                return token;
            }
        }
    }

    /// Passes the left delimiter; `None` after a comment.
    fn left_delim(&mut self) -> Option<Token<'t>> {
        self.pos += LEFT.len();
        let marker = if has_left_marker(self.rest()) { MARKER } else { 0 };
        if self.rest().get(marker..).unwrap_or_default().starts_with("/*") {
            self.pos += marker;
            self.ignore();
            return self.comment();
        }
        let token = self.take(Kind::LeftDelim);
        self.inside_action = true;
        self.pos += marker;
        self.ignore();
        self.paren_depth = 0;
        Some(token)
    }

    fn comment(&mut self) -> Option<Token<'t>> {
        self.pos += 2;
        let Some(end) = self.rest().find("*/") else {
            return Some(self.error("unclosed comment"));
        };
        self.pos += end + 2;
        let Some(trim) = self.at_right_delim() else {
            return Some(self.error("comment ends before closing delimiter"));
        };
        self.count_lines();
        self.take(Kind::Text);
        if trim {
            self.pos += MARKER;
        }
        self.pos += RIGHT.len();
        if trim {
            self.skip_spaces();
        }
        self.ignore();
        None
    }

    fn skip_spaces(&mut self) {
        let rest = self.rest();
        self.pos += rest.len() - rest.trim_start_matches(SPACES).len();
    }

    /// Tells whether a right delimiter is here, and whether it trims.
    fn at_right_delim(&self) -> Option<bool> {
        let rest = self.rest();
        if has_right_marker(rest) && rest.get(MARKER..).unwrap_or_default().starts_with(RIGHT) {
            return Some(true);
        }
        rest.starts_with(RIGHT).then_some(false)
    }

    fn right_delim(&mut self) -> Token<'t> {
        let trim = self.at_right_delim().unwrap_or(false);
        if trim {
            self.pos += MARKER;
            self.ignore();
        }
        self.pos += RIGHT.len();
        let token = self.take(Kind::RightDelim);
        if trim {
            self.skip_spaces();
            self.ignore();
        }
        self.inside_action = false;
        token
    }

    fn action(&mut self) -> Token<'t> {
        if self.at_right_delim().is_some() {
            if self.paren_depth == 0 {
                return self.right_delim();
            }
            return self.error("unclosed left paren");
        }
        let Some(c) = self.peek() else {
            return self.error("unclosed action");
        };
        if SPACES.contains(&c) {
            return self.space();
        }
        self.next();
        match c {
            '=' => self.take(Kind::Assign),
            ':' => {
                if self.next() != Some('=') {
                    return self.error("expected :=");
                }
                self.take(Kind::Declare)
            }
            '|' => self.take(Kind::Pipe),
            '"' => self.quoted(b'"', "unterminated quoted string", Kind::String),
            '`' => {
                let Some(found) = memchr(b'`', self.rest().as_bytes()) else {
                    return self.error("unterminated raw quoted string");
                };
                self.pos += found + 1;
                self.count_lines();
                self.take(Kind::RawString)
            }
            '$' => self.name(Kind::Variable),
            '\'' => self.quoted(b'\'', "unterminated character constant", Kind::CharConstant),
            '.' if !self.rest().bytes().next().is_none_or(|byte| byte.is_ascii_digit()) => self.name(Kind::Field),
            '.' | '+' | '-' | '0'..='9' => {
                self.pos -= 1;
                self.number()
            }
            c if is_alphanumeric(c) => self.identifier(),
            '(' => {
                self.paren_depth += 1;
                self.take(Kind::LeftParen)
            }
            ')' => {
                self.paren_depth -= 1;
                if self.paren_depth < 0 {
                    return self.error("unexpected right paren");
                }
                self.take(Kind::RightParen)
            }
            c if c.is_ascii() && is_print(c) => self.take(Kind::Char),
            c => self.error(format!("unrecognized character in action: {}", code_point(c))),
        }
    }

    fn space(&mut self) -> Token<'t> {
        let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        let count = self.rest().bytes().take_while(|byte| is_space(byte)).count();
        let last = self.pos + count - 1;
        self.pos += count;
        self.count_lines();
        let tail = self.input.get(last..).unwrap_or_default();
        if has_right_marker(tail) && tail.get(MARKER..).unwrap_or_default().starts_with(RIGHT) {
            // The last space belongs to the trim marker.
            if tail.starts_with('\n') {
                self.line -= 1;
            }
            self.pos = last;
            if count == 1 {
                return self.right_delim();
            }
        }
        self.take(Kind::Space)
    }

    fn quoted(&mut self, mark: u8, unterminated: &str, kind: Kind) -> Token<'t> {
        loop {
            let rest = self.rest().as_bytes();
            let Some(found) = memchr3(mark, b'\\', b'\n', rest) else {
                return self.error(unterminated);
            };
            self.pos += found + 1;
            match rest.get(found) {
                Some(b'\\') if !matches!(self.next(), None | Some('\n')) => {}
                Some(byte) if *byte == mark => return self.take(kind),
                _ => return self.error(unterminated),
            }
        }
    }

    /// Passes letters, digits and underscores.
    fn skip_word(&mut self) {
        loop {
            let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
            self.pos += self.rest().bytes().take_while(|byte| is_plain(byte)).count();
            match self.peek() {
                Some(c) if !c.is_ascii() && is_alphanumeric(c) => self.pos += c.len_utf8(),
                _ => return,
            }
        }
    }

    fn identifier(&mut self) -> Token<'t> {
        self.skip_word();
        if !self.at_terminator() {
            let message = self.bad_character();
            return self.error(message);
        }
        let kind = match self.input.get(self.start..self.pos).unwrap_or_default() {
            "true" | "false" => Kind::Bool,
            "block" => Kind::Block,
            "break" if self.break_ok => Kind::Break,
            "continue" if self.continue_ok => Kind::Continue,
            "define" => Kind::Define,
            "else" => Kind::Else,
            "end" => Kind::End,
            "if" => Kind::If,
            "nil" => Kind::Nil,
            "range" => Kind::Range,
            "template" => Kind::Template,
            "with" => Kind::With,
            _ => Kind::Identifier,
        };
        self.take(kind)
    }

    /// Scans what follows `.` or `$`.
    fn name(&mut self, kind: Kind) -> Token<'t> {
        if self.at_terminator() {
            return self.take(if kind == Kind::Variable { kind } else { Kind::Dot });
        }
        self.skip_word();
        if !self.at_terminator() {
            let message = self.bad_character();
            return self.error(message);
        }
        self.take(kind)
    }

    fn bad_character(&self) -> String {
        self.peek()
            .map_or_else(String::new, |c| format!("bad character {}", code_point(c)))
    }

    fn at_terminator(&self) -> bool {
        match self.rest().as_bytes() {
            []
            | [
                b' ' | b'\t' | b'\r' | b'\n' | b'.' | b',' | b'|' | b':' | b')' | b'(',
                ..,
            ] => true,
            rest => rest.starts_with(RIGHT.as_bytes()),
        }
    }

    fn number(&mut self) -> Token<'t> {
        let mut good = self.scan_number();
        let mut kind = Kind::Number;
        if good && matches!(self.peek(), Some('+' | '-')) {
            kind = Kind::Complex;
            good = self.scan_number() && self.input.get(..self.pos).is_some_and(|text| text.ends_with('i'));
        }
        if good {
            return self.take(kind);
        }
        let mut message = b"bad number syntax: ".to_vec();
        let text = self.input.get(self.start..self.pos).unwrap_or_default();
        quote(&mut message, text.as_bytes(), false);
        self.error(String::from_utf8_lossy(&message).into_owned())
    }

    fn accept(&mut self, set: &str) -> bool {
        let found = self.peek().is_some_and(|c| set.contains(c));
        if found {
            self.next();
        }
        found
    }

    fn accept_run(&mut self, set: &str) {
        while self.accept(set) {}
    }

    fn scan_number(&mut self) -> bool {
        const DECIMAL: &str = "0123456789_";
        const HEX: &str = "0123456789abcdefABCDEF_";
        self.accept("+-");
        let mut digits = DECIMAL;
        if self.accept("0") {
            if self.accept("xX") {
                digits = HEX;
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        self.accept_run(digits);
        if self.accept(".") {
            self.accept_run(digits);
        }
        if (digits == DECIMAL && self.accept("eE")) || (digits == HEX && self.accept("pP")) {
            self.accept("+-");
            self.accept_run(DECIMAL);
        }
        self.accept("i");
        if self.peek().is_some_and(is_alphanumeric) {
            self.next();
            return false;
        }
        true
    }
}

fn is_alphanumeric(c: char) -> bool {
    c == '_' || is_letter(c) || is_digit(c)
}

fn has_left_marker(text: &str) -> bool {
    matches!(text.as_bytes(), [b'-', b' ' | b'\t' | b'\r' | b'\n', ..])
}

fn has_right_marker(text: &str) -> bool {
    matches!(text.as_bytes(), [b' ' | b'\t' | b'\r' | b'\n', b'-', ..])
}

/// Returns `U+0041 'A'`, Go's `%#U`.
fn code_point(c: char) -> String {
    let code = u32::from(c);
    if is_print(c) {
        format!("U+{code:04X} '{c}'")
    } else {
        format!("U+{code:04X}")
    }
}
