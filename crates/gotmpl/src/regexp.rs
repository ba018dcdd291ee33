//! Go's `regexp` over the `regex` crate: the syntax is read as Go reads it and written anew for the crate.
//!
//! Both engines are linear and leftmost-first, so only the front end differs: `\d \w \s \b` are ASCII in Go, `\s` has
//! no `\v`, a bare `{` is a literal, classes know no set operations, repeat counts end at 1000, `\Q…\E` and octal
//! escapes exist. Flags are resolved here and never written, which keeps the output free of the crate's own flags.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// Patterns larger than this fail as Go's "expression too large"; 10 MiB is the crate's own default for programs.
const SIZE_LIMIT: usize = 10 << 20;
/// Patterns that compile to no more than this are kept: those of charts take some KiB.
const KEPT_SIZE: usize = 256 << 10;
/// Patterns kept compiled, by their text. A chart has some tens; when full it starts over. With [`KEPT_SIZE`] for the program and as much for the
/// states made while matching, they take 64 MiB at most.
const MAX_KEPT: usize = 128;

/// Compiling costs a thousand times what matching a name does, and helpers match the same pattern for every object.
static KEPT: LazyLock<Mutex<HashMap<Box<str>, Arc<Regexp>>>> = LazyLock::new(Mutex::default);

/// Go's limit of nested parentheses.
const MAX_DEPTH: usize = 1000;
/// Go's limit of a repeat count, and of the product of nested ones.
const MAX_REPEAT: i64 = 1000;

/// A syntax error; prints as `error parsing regexp: missing closing ]: `[a``.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    code: &'static str,
    expression: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error parsing regexp: {}: `{}`", self.code, self.expression)
    }
}

impl std::error::Error for Error {}

impl Error {
    fn new(code: &'static str, expression: &str) -> Self {
        Self {
            code,
            expression: expression.to_owned(),
        }
    }
}

fn builder(translated: &str) -> regex::RegexBuilder {
    let mut builder = regex::RegexBuilder::new(translated);
    // Every group of ours nests at most twice there.
    builder.nest_limit(2 * MAX_DEPTH as u32 + 10);
    builder
}

/// A compiled expression.
#[derive(Debug, Clone)]
pub struct Regexp {
    regex: regex::Regex,
    pattern: String,
}

impl Regexp {
    /// Compiles an expression of Go's syntax.
    ///
    /// # Errors
    /// As Go words them.
    pub fn compile(pattern: &str) -> Result<Self, Error> {
        let translated = translate(pattern)?;
        let regex = builder(&translated)
            .size_limit(SIZE_LIMIT)
            .build()
            .map_err(|_| Error::new("expression too large", pattern))?;
        Ok(Self {
            regex,
            pattern: pattern.to_owned(),
        })
    }

    /// As [`Regexp::compile`], but a small expression is compiled once for all who ask for it.
    ///
    /// # Errors
    /// As Go words them.
    pub fn shared(pattern: &str) -> Result<Arc<Self>, Error> {
        if let Some(known) = KEPT.lock().unwrap_or_else(PoisonError::into_inner).get(pattern) {
            return Ok(Arc::clone(known));
        }
        let translated = translate(pattern)?;
        let small = builder(&translated)
            .size_limit(KEPT_SIZE)
            .dfa_size_limit(KEPT_SIZE)
            .build();
        let Ok(regex) = small else {
            return Self::compile(pattern).map(Arc::new);
        };
        let regexp = Arc::new(Self {
            regex,
            pattern: pattern.to_owned(),
        });
        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        kept.insert(pattern.into(), Arc::clone(&regexp));
        Ok(regexp)
    }

    /// Whether the text contains a match.
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// The leftmost match; `None` when there is none.
    pub fn find<'t>(&self, text: &'t str) -> Option<&'t str> {
        self.regex.find(text).map(|m| m.as_str())
    }

    /// The matches in order, at most `limit` of them; a negative limit means all.
    pub fn find_all<'t>(&self, text: &'t str, limit: i64) -> Vec<&'t str> {
        self.regex
            .find_iter(text)
            .take(bound(limit))
            .map(|m| m.as_str())
            .collect()
    }

    /// Replaces every match; `$1`, `${1}`, `$name` in the template stand for groups.
    pub fn replace_all(&self, text: &str, template: &str) -> String {
        let template = Template::parse(template);
        let mut out = String::with_capacity(text.len());
        let mut last = 0;
        for captures in self.regex.captures_iter(text) {
            let Some(whole) = captures.get(0) else { continue };
            out.push_str(text.get(last..whole.start()).unwrap_or_default());
            template.expand(&captures, &mut out);
            last = whole.end();
        }
        out.push_str(text.get(last..).unwrap_or_default());
        out
    }

    /// Replaces every match by the text as it stands.
    pub fn replace_all_literal(&self, text: &str, replacement: &str) -> String {
        self.regex.replace_all(text, regex::NoExpand(replacement)).into_owned()
    }

    /// The parts between matches, at most `limit` of them; negative means all, and zero answers `None` (Go's nil).
    pub fn split<'t>(&self, text: &'t str, limit: i64) -> Option<Vec<&'t str>> {
        if limit == 0 {
            return None;
        }
        if !self.pattern.is_empty() && text.is_empty() {
            return Some(vec![""]);
        }
        let mut parts = Vec::new();
        let (mut begin, mut end) = (0, 0);
        for found in self.regex.find_iter(text).take(bound(limit)) {
            if limit > 0 && parts.len() + 1 == bound(limit) {
                break;
            }
            end = found.start();
            if found.end() != 0 {
                parts.push(text.get(begin..end).unwrap_or_default());
            }
            begin = found.end();
        }
        if end != text.len() {
            parts.push(text.get(begin..).unwrap_or_default());
        }
        Some(parts)
    }
}

fn bound(limit: i64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// Escapes what has a meaning in an expression, as `regexp.QuoteMeta`.
pub fn quote_meta(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A replacement template, read once per call.
struct Template<'a>(Vec<Piece<'a>>);

enum Piece<'a> {
    Text(&'a str),
    Index(usize),
    Name(&'a str),
}

impl<'a> Template<'a> {
    fn parse(template: &'a str) -> Self {
        let mut pieces = Vec::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('$') {
            pieces.push(Piece::Text(before));
            let dollar = rest.get(before.len()..).unwrap_or_default();
            if let Some(after) = after.strip_prefix('$') {
                pieces.push(Piece::Text("$"));
                rest = after;
            } else if let Some((name, after)) = reference(after) {
                pieces.push(match group_number(name) {
                    Some(index) => Piece::Index(index),
                    None => Piece::Name(name),
                });
                rest = after;
            } else {
                pieces.push(Piece::Text(dollar.get(..1).unwrap_or_default()));
                rest = after;
            }
        }
        pieces.push(Piece::Text(rest));
        Self(pieces)
    }

    fn expand(&self, captures: &regex::Captures<'_>, out: &mut String) {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Index(index) => out.push_str(captures.get(*index).map_or("", |m| m.as_str())),
                Piece::Name(name) => out.push_str(captures.name(name).map_or("", |m| m.as_str())),
            }
        }
    }
}

/// `name` or `{name}` at the start of what follows a dollar.
fn reference(text: &str) -> Option<(&str, &str)> {
    let (body, braced) = match text.strip_prefix('{') {
        Some(body) => (body, true),
        None => (text, false),
    };
    let end = body
        .find(|c: char| !(c == '_' || c.is_alphabetic() || is_decimal(c)))
        .unwrap_or(body.len());
    let (name, rest) = body.split_at_checked(end)?;
    if name.is_empty() {
        return None;
    }
    if braced {
        Some((name, rest.strip_prefix('}')?))
    } else {
        Some((name, rest))
    }
}

fn is_decimal(c: char) -> bool {
    c.is_ascii_digit() || (!c.is_ascii() && c.is_numeric())
}

fn group_number(name: &str) -> Option<usize> {
    let leading_zero = name.len() > 1 && name.starts_with('0');
    let digits = name.bytes().all(|b| b.is_ascii_digit());
    if leading_zero || !digits || name.len() > 9 {
        None
    } else {
        name.parse().ok()
    }
}

#[derive(Clone, Copy)]
struct Flags {
    fold: bool,
    multi_line: bool,
    dot_newline: bool,
    swap_greed: bool,
}

/// What is read so far inside one pair of parentheses.
struct Frame {
    open: String,
    flags: Flags,
    done: String,
    atoms: Vec<Atom>,
}

/// One item a repetition may follow.
struct Atom {
    text: String,
    /// Largest product of repeat counts inside.
    copies: i64,
}

struct Parser<'a> {
    whole: &'a str,
    rest: &'a str,
    flags: Flags,
    stack: Vec<Frame>,
    names: Vec<&'a str>,
}

fn translate(pattern: &str) -> Result<String, Error> {
    let flags = Flags {
        fold: false,
        multi_line: false,
        dot_newline: false,
        swap_greed: false,
    };
    let bottom = Frame {
        open: String::new(),
        flags,
        done: String::new(),
        atoms: Vec::new(),
    };
    let mut parser = Parser {
        whole: pattern,
        rest: pattern,
        flags,
        stack: vec![bottom],
        names: Vec::new(),
    };
    parser.run()?;
    match (parser.stack.pop(), parser.stack.is_empty()) {
        (Some(frame), true) => Ok(frame.finish().0),
        _ => Err(Error::new("missing closing )", pattern)),
    }
}

impl Frame {
    fn end_branch(&mut self) -> i64 {
        let mut copies = 1;
        for atom in self.atoms.drain(..) {
            self.done.push_str(&atom.text);
            copies = copies.max(atom.copies);
        }
        copies
    }

    fn finish(mut self) -> (String, i64) {
        let copies = self.end_branch();
        (self.done, copies)
    }
}

impl<'a> Parser<'a> {
    fn run(&mut self) -> Result<(), Error> {
        let mut last_repeat: Option<&'a str> = None;
        while let Some(c) = self.rest.chars().next() {
            let before = self.rest;
            let mut repeated = None;
            match c {
                '(' if before.starts_with("(?") => self.perl_group()?,
                '(' => {
                    self.advance(1);
                    self.open("(".to_owned())?;
                }
                '|' => {
                    self.advance(1);
                    // The copies inside finished branches no longer matter to a repeat in this frame, but do to one
                    // of the whole group, so they stay with it as an empty atom.
                    if let Some(frame) = self.stack.last_mut() {
                        let copies = frame.end_branch();
                        frame.done.push('|');
                        frame.keep_copies(copies);
                    }
                }
                ')' => {
                    self.advance(1);
                    self.close()?;
                }
                '^' => self.assertion(1, if self.flags.multi_line { "(?m:^)" } else { r"\A" }),
                '$' => self.assertion(1, if self.flags.multi_line { "(?m:$)" } else { r"\z" }),
                '.' => self.assertion(1, if self.flags.dot_newline { "(?s:.)" } else { r"[^\n]" }),
                '[' => self.class()?,
                '*' | '+' | '?' => {
                    self.advance(1);
                    let most = if c == '?' { 1 } else { -1 };
                    self.repeat(&c.to_string(), (0, most), before, last_repeat)?;
                    repeated = Some(before);
                }
                '{' => match counts(before) {
                    Some((min, max, rest)) => {
                        self.rest = rest;
                        if !(0..=MAX_REPEAT).contains(&min) || max > MAX_REPEAT || max >= 0 && min > max {
                            return Err(Error::new("invalid repeat count", consumed(before, rest)));
                        }
                        let operator = match max {
                            -1 => format!("{{{min},}}"),
                            max => format!("{{{min},{max}}}"),
                        };
                        self.repeat(&operator, (min, max), before, last_repeat)?;
                        repeated = Some(before);
                    }
                    None => {
                        self.advance(1);
                        self.literal('{');
                    }
                },
                '\\' => self.escape()?,
                c => {
                    self.advance(c.len_utf8());
                    self.literal(c);
                }
            }
            last_repeat = repeated;
        }
        Ok(())
    }

    fn advance(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    fn push(&mut self, text: String, copies: i64) {
        if let Some(frame) = self.stack.last_mut() {
            frame.atoms.push(Atom { text, copies });
        }
    }

    fn assertion(&mut self, bytes: usize, text: &str) {
        self.advance(bytes);
        self.push(text.to_owned(), 1);
    }

    fn literal(&mut self, c: char) {
        let mut buffer = [0; 4];
        let escaped = regex::escape(c.encode_utf8(&mut buffer));
        self.push(
            if self.flags.fold {
                format!("(?i:{escaped})")
            } else {
                escaped
            },
            1,
        );
    }

    fn open(&mut self, open: String) -> Result<(), Error> {
        if self.stack.len() > MAX_DEPTH {
            return Err(Error::new("expression nests too deeply", self.whole));
        }
        self.stack.push(Frame {
            open,
            flags: self.flags,
            done: String::new(),
            atoms: Vec::new(),
        });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Error> {
        if self.stack.len() < 2 {
            return Err(Error::new("unexpected )", self.whole));
        }
        if let Some(frame) = self.stack.pop() {
            self.flags = frame.flags;
            let open = frame.open.clone();
            let (body, copies) = frame.finish();
            self.push(format!("{open}{body})"), copies);
        }
        Ok(())
    }

    fn repeat(
        &mut self,
        operator: &str,
        (min, max): (i64, i64),
        before: &'a str,
        last: Option<&'a str>,
    ) -> Result<(), Error> {
        let mut lazy = self.flags.swap_greed;
        if self.rest.starts_with('?') {
            self.advance(1);
            lazy = !lazy;
        }
        if let Some(last) = last {
            return Err(Error::new(
                "invalid nested repetition operator",
                consumed(last, self.rest),
            ));
        }
        let rest = self.rest;
        let missing = || Error::new("missing argument to repetition operator", consumed(before, rest));
        let atom = self
            .stack
            .last_mut()
            .and_then(|f| f.atoms.last_mut())
            .filter(|a| !a.text.is_empty());
        let atom = atom.ok_or_else(missing)?;
        if operator.starts_with('{') {
            let count = if max < 0 { min } else { max };
            if max != 0 && count.saturating_mul(atom.copies) > MAX_REPEAT && count >= 2 {
                return Err(Error::new("invalid repeat count", consumed(before, rest)));
            }
            atom.copies = if max == 0 {
                1
            } else {
                atom.copies.saturating_mul(count.max(1))
            };
        }
        let mark = if lazy { "?" } else { "" };
        atom.text = format!("(?:{}){operator}{mark}", atom.text);
        Ok(())
    }

    fn perl_group(&mut self) -> Result<(), Error> {
        let start = self.rest;
        let bytes = start.as_bytes();
        let named = if bytes.len() > 4 && start.starts_with("(?P<") {
            Some(4)
        } else if bytes.len() > 3 && start.starts_with("(?<") {
            Some(3)
        } else {
            None
        };
        if let Some(name_at) = named {
            let end = start
                .find('>')
                .ok_or_else(|| Error::new("invalid named capture", start))?;
            let name = start.get(name_at..end).unwrap_or_default();
            if name.is_empty() || !name.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric()) {
                return Err(Error::new(
                    "invalid named capture",
                    start.get(..=end).unwrap_or_default(),
                ));
            }
            self.advance(end + 1);
            // The crate wants a letter first and each name once: what it would refuse is captured by number only.
            let usable = !name.starts_with(|c: char| c.is_ascii_digit()) && !self.names.contains(&name);
            self.names.push(name);
            return self.open(if usable { format!("(?P<{name}>") } else { "(".to_owned() });
        }
        self.advance(2);
        let mut flags = self.flags;
        let (mut on, mut saw_flag) = (true, false);
        while let Some(c) = self.rest.chars().next() {
            self.advance(c.len_utf8());
            let flag = match c {
                'i' => &mut flags.fold,
                'm' => &mut flags.multi_line,
                's' => &mut flags.dot_newline,
                'U' => &mut flags.swap_greed,
                '-' if on => {
                    (on, saw_flag) = (false, false);
                    continue;
                }
                ':' | ')' if on || saw_flag => {
                    if c == ':' {
                        self.open("(?:".to_owned())?;
                    }
                    self.flags = flags;
                    return Ok(());
                }
                _ => break,
            };
            *flag = on;
            saw_flag = true;
        }
        Err(Error::new(
            "invalid or unsupported Perl syntax",
            consumed(start, self.rest),
        ))
    }

    fn escape(&mut self) -> Result<(), Error> {
        let text = self.rest;
        match text.as_bytes().get(1) {
            Some(b'A') => self.assertion(2, r"\A"),
            Some(b'z') => self.assertion(2, r"\z"),
            Some(b'b') => self.assertion(2, r"(?-u:\b)"),
            Some(b'B') => self.assertion(2, r"(?-u:\B)"),
            Some(b'C') => return Err(Error::new("invalid escape sequence", r"\C")),
            Some(b'Q') => {
                self.advance(2);
                let literal = match self.rest.split_once(r"\E") {
                    Some((literal, rest)) => {
                        self.rest = rest;
                        literal
                    }
                    None => std::mem::take(&mut self.rest),
                };
                literal.chars().for_each(|c| self.literal(c));
            }
            _ => {
                if let Some(class) = self.unicode_class()?.or_else(|| self.perl_class()) {
                    let class = format!("[{class}]");
                    self.push(
                        if self.flags.fold {
                            format!("(?i:{class})")
                        } else {
                            class
                        },
                        1,
                    );
                } else {
                    let c = self.escaped_char()?;
                    self.literal(c);
                }
            }
        }
        Ok(())
    }

    /// `\p{Greek}`, `\pN`, `\P{^Greek}` at the cursor, as an item of a class.
    fn unicode_class(&mut self) -> Result<Option<String>, Error> {
        let start = self.rest;
        let mut negative = match start.as_bytes() {
            [b'\\', b'p', ..] => false,
            [b'\\', b'P', ..] => true,
            _ => return Ok(None),
        };
        let bad = |expression: &str| Error::new("invalid character class range", expression);
        let after = start.get(2..).unwrap_or_default();
        let Some(first) = after.chars().next() else {
            return Ok(None);
        };
        let (name, len) = if first == '{' {
            let end = after.find('}').ok_or_else(|| bad(start))?;
            (after.get(1..end).unwrap_or_default(), end + 1)
        } else {
            (after.get(..first.len_utf8()).unwrap_or_default(), first.len_utf8())
        };
        self.advance(2 + len);
        let plain = name.strip_prefix('^').inspect(|_| negative = !negative).unwrap_or(name);
        if plain == "Any" {
            return Ok(Some(
                if negative {
                    "[^\\x00-\\x{10FFFF}]"
                } else {
                    "\\x00-\\x{10FFFF}"
                }
                .to_owned(),
            ));
        }
        let item = format!(r"\{}{{{plain}}}", if negative { 'P' } else { 'p' });
        let known = plain.starts_with(|c: char| c.is_ascii_uppercase())
            && plain.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_')
            && regex::Regex::new(&item).is_ok();
        if known {
            Ok(Some(item))
        } else {
            Err(bad(consumed(start, self.rest)))
        }
    }

    /// `\d`, `\S` and so on at the cursor, as an item of a class.
    fn perl_class(&mut self) -> Option<String> {
        let item = match self.rest.as_bytes() {
            [b'\\', b'd', ..] => "0-9",
            [b'\\', b'D', ..] => "[^0-9]",
            [b'\\', b's', ..] => r"\t\n\x0C\r\x20",
            [b'\\', b'S', ..] => r"[^\t\n\x0C\r\x20]",
            [b'\\', b'w', ..] => "0-9A-Z_a-z",
            [b'\\', b'W', ..] => "[^0-9A-Z_a-z]",
            _ => return None,
        };
        self.advance(2);
        Some(item.to_owned())
    }

    fn escaped_char(&mut self) -> Result<char, Error> {
        let start = self.rest;
        self.advance(1);
        let Some(c) = self.rest.chars().next() else {
            return Err(Error::new("trailing backslash at end of expression", ""));
        };
        self.advance(c.len_utf8());
        let found = match c {
            '1'..='7' if !self.rest.starts_with(|n: char| ('0'..='7').contains(&n)) => None,
            '0'..='7' => {
                let mut code = c.to_digit(8).unwrap_or_default();
                for _ in 0..2 {
                    let Some(digit) = self.rest.chars().next().and_then(|n| n.to_digit(8)) else {
                        break;
                    };
                    code = code * 8 + digit;
                    self.advance(1);
                }
                char::from_u32(code)
            }
            'x' => self.hex(),
            'a' => Some('\x07'),
            'f' => Some('\x0c'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'v' => Some('\x0b'),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => Some(c),
            _ => None,
        };
        found.ok_or_else(|| Error::new("invalid escape sequence", consumed(start, self.rest)))
    }

    fn hex(&mut self) -> Option<char> {
        let first = self.rest.chars().next()?;
        self.advance(first.len_utf8());
        if first != '{' {
            let high = first.to_digit(16)?;
            let second = self.rest.chars().next()?;
            self.advance(second.len_utf8());
            return char::from_u32(high * 16 + second.to_digit(16)?);
        }
        let (mut code, mut digits) = (0_u32, 0);
        loop {
            let c = self.rest.chars().next()?;
            self.advance(c.len_utf8());
            if c == '}' {
                return if digits == 0 { None } else { char::from_u32(code) };
            }
            code = code * 16 + c.to_digit(16)?;
            if code > 0x10_FFFF {
                return None;
            }
            digits += 1;
        }
    }

    fn class(&mut self) -> Result<(), Error> {
        let start = self.rest;
        self.advance(1);
        let mut out = String::from("[");
        if self.rest.starts_with('^') {
            self.advance(1);
            out.push('^');
        }
        let mut first = true;
        while first || !self.rest.starts_with(']') {
            first = false;
            if self.rest.starts_with("[:")
                && let Some(end) = self.rest.get(2..).and_then(|t| t.find(":]"))
            {
                let name = self.rest.get(..end + 4).unwrap_or_default();
                out.push_str(posix(name).ok_or_else(|| Error::new("invalid character class range", name))?);
                self.advance(end + 4);
                continue;
            }
            if let Some(item) = self.unicode_class()?.or_else(|| self.perl_class()) {
                out.push_str(&item);
                continue;
            }
            let range = self.rest;
            let low = self.class_char(start)?;
            let mut high = low;
            if self.rest.starts_with('-') && self.rest.len() > 1 && !self.rest.starts_with("-]") {
                self.advance(1);
                high = self.class_char(start)?;
                if high < low {
                    return Err(Error::new("invalid character class range", consumed(range, self.rest)));
                }
            }
            let (low, high) = (u32::from(low), u32::from(high));
            out.push_str(&format!("\\x{{{low:x}}}-\\x{{{high:x}}}"));
        }
        self.advance(1);
        out.push(']');
        self.push(if self.flags.fold { format!("(?i:{out})") } else { out }, 1);
        Ok(())
    }

    fn class_char(&mut self, class: &str) -> Result<char, Error> {
        match self.rest.chars().next() {
            None => Err(Error::new("missing closing ]", class)),
            Some('\\') => self.escaped_char(),
            Some(c) => {
                self.advance(c.len_utf8());
                Ok(c)
            }
        }
    }
}

impl Frame {
    /// Remembers the copies of a finished branch for a repeat of the group, without being something to repeat.
    fn keep_copies(&mut self, copies: i64) {
        self.atoms.push(Atom {
            text: String::new(),
            copies,
        });
    }
}

/// The part of `from` before `rest`, which is its tail.
fn consumed<'a>(from: &'a str, rest: &str) -> &'a str {
    from.get(..from.len().saturating_sub(rest.len())).unwrap_or_default()
}

/// `{n}`, `{n,}` or `{n,m}`: the counts (-1 for an open end, -1 as the least for one too large) and what follows.
fn counts(text: &str) -> Option<(i64, i64, &str)> {
    let (mut min, rest) = integer(text.strip_prefix('{')?)?;
    let (max, rest) = match rest.strip_prefix(',') {
        None => (min, rest),
        Some(rest) if rest.starts_with('}') => (-1, rest),
        Some(rest) => {
            let (max, rest) = integer(rest)?;
            if max < 0 {
                min = -1;
            }
            (max, rest)
        }
    };
    Some((min, max, rest.strip_prefix('}')?))
}

fn integer(text: &str) -> Option<(i64, &str)> {
    let len = text.bytes().take_while(u8::is_ascii_digit).count();
    let digits = text.get(..len).filter(|d| !d.is_empty())?;
    if digits.len() > 1 && digits.starts_with('0') {
        return None;
    }
    let value = if digits.len() > 8 { -1 } else { digits.parse().ok()? };
    Some((value, text.get(len..)?))
}

fn posix(name: &str) -> Option<&'static str> {
    Some(match name {
        "[:alnum:]" => "0-9A-Za-z",
        "[:^alnum:]" => "[^0-9A-Za-z]",
        "[:alpha:]" => "A-Za-z",
        "[:^alpha:]" => "[^A-Za-z]",
        "[:ascii:]" => r"\x00-\x7F",
        "[:^ascii:]" => r"[^\x00-\x7F]",
        "[:blank:]" => r"\t\x20",
        "[:^blank:]" => r"[^\t\x20]",
        "[:cntrl:]" => r"\x00-\x1F\x7F",
        "[:^cntrl:]" => r"[^\x00-\x1F\x7F]",
        "[:digit:]" => "0-9",
        "[:^digit:]" => "[^0-9]",
        "[:graph:]" => r"\x21-\x7E",
        "[:^graph:]" => r"[^\x21-\x7E]",
        "[:lower:]" => "a-z",
        "[:^lower:]" => "[^a-z]",
        "[:print:]" => r"\x20-\x7E",
        "[:^print:]" => r"[^\x20-\x7E]",
        "[:punct:]" => r"\x21-\x2F\x3A-\x40\x5B-\x60\x7B-\x7E",
        "[:^punct:]" => r"[^\x21-\x2F\x3A-\x40\x5B-\x60\x7B-\x7E]",
        "[:space:]" => r"\t\n\x0B\x0C\r\x20",
        "[:^space:]" => r"[^\t\n\x0B\x0C\r\x20]",
        "[:upper:]" => "A-Z",
        "[:^upper:]" => "[^A-Z]",
        "[:word:]" => "0-9A-Za-z_",
        "[:^word:]" => "[^0-9A-Za-z_]",
        "[:xdigit:]" => "0-9A-Fa-f",
        "[:^xdigit:]" => "[^0-9A-Fa-f]",
        _ => return None,
    })
}
