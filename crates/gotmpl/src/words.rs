//! Strings in the ways of xstrings v1.5 and goutils v1.1, which sprig calls: words, case, wrapping, abbreviation.
//!
//! goutils works on bytes where it says characters; those functions take and return bytes.

use crate::text::is_mark;
use crate::unicode::is_letter;

/// `camelcase`: every word capitalised and joined; leading separators stay.
pub fn pascal_case(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let start = chars.iter().position(|c| !is_connector(*c)).unwrap_or(chars.len());
    out.extend(chars.iter().take(start));
    let Some((first, rest)) = chars.get(start..).and_then(<[char]>::split_first) else {
        // The library takes what it ended at for a word: the last separator comes twice.
        out.extend(chars.last());
        return out;
    };
    // Whether the word so far is all capitals: those after its first are lowered.
    let mut capitals = first.is_uppercase();
    let mut previous = upper(*first);
    for &c in rest {
        if is_connector(c) && is_connector(previous) {
            out.push(previous);
            previous = c;
            continue;
        }
        let mut current = c;
        if is_connector(previous) {
            capitals = c.is_uppercase();
            current = upper(c);
        } else {
            if capitals {
                if c.is_uppercase() {
                    current = lower(c);
                } else {
                    capitals = false;
                }
            }
            out.push(previous);
        }
        previous = current;
    }
    out.push(previous);
    out
}

/// `snakecase` and `kebabcase`: words in lower case with the connector between them.
pub fn connected_case(text: &str, connector: char) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut words = Words { rest: text };
    let Some(mut current) = words.next() else { return out };
    while !words.rest.is_empty() {
        let previous = current;
        if previous.0 != Class::Connector {
            push_word(&mut out, previous, connector);
        }
        let mut next = words.next();
        match previous.0 {
            Class::Number => {
                next = absorb(&mut words, next, &mut out, connector);
                if next.is_some_and(|n| !matches!(n.0, Class::Punct | Class::Connector)) {
                    out.push(connector);
                }
            }
            Class::Connector => push_word(&mut out, previous, connector),
            Class::Punct => {}
            _ => match next {
                Some((Class::Number, number)) if !words.rest.is_empty() => {
                    let after = words.next();
                    if after.is_some_and(|a| a.0 == Class::Alphabet) {
                        // Lower case letters follow the number, so it starts a word: HTTP2xx is http_2xx.
                        out.push(connector);
                        push_word(&mut out, (Class::Number, number), connector);
                        next = absorb(&mut words, after, &mut out, connector);
                        if next.is_some_and(|n| !matches!(n.0, Class::Punct | Class::Connector)) {
                            out.push(connector);
                        }
                    } else {
                        // Otherwise it ends the one before: Bld4Floor is bld4_floor.
                        push_word(&mut out, (Class::Number, number), connector);
                        if !after.is_some_and(|a| matches!(a.0, Class::Punct | Class::Connector)) {
                            out.push(connector);
                        }
                        next = after;
                    }
                }
                Some((Class::Number | Class::Connector | Class::Punct, _)) => {}
                _ => out.push(connector),
            },
        }
        match next {
            Some(next) => current = next,
            None => return out,
        }
    }
    push_word(&mut out, current, connector);
    out
}

/// Writes lower-case words and numbers as they follow a number, and returns the first word of another class.
fn absorb<'a>(
    words: &mut Words<'a>,
    mut next: Option<Word<'a>>,
    out: &mut String,
    connector: char,
) -> Option<Word<'a>> {
    while let Some(word) = next.filter(|n| matches!(n.0, Class::Alphabet | Class::Number)) {
        push_word(out, word, connector);
        next = words.next();
    }
    next
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Number,
    Upper,
    Alphabet,
    Connector,
    Punct,
    Other,
}

type Word<'a> = (Class, &'a str);

struct Words<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Words<'a> {
    type Item = Word<'a>;

    /// The library passes over what is no character on its way to the next that is one, so that it belongs to that one's word.
    fn next(&mut self) -> Option<Word<'a>> {
        let rest = self.rest;
        let Some(first) = rest.chars().find(|c| !is_no_character(*c)) else {
            self.rest = "";
            return (!rest.is_empty()).then_some((Class::Other, rest));
        };
        let (class, len) = if is_connector(first) {
            (Class::Connector, run(rest, is_connector).all)
        } else if is_punct(first) {
            (Class::Punct, run(rest, is_punct).all)
        } else if first.is_uppercase() {
            let capitals = run(rest, char::is_uppercase);
            let len = match capitals.next {
                // HTTPStatus is HTTP and Status.
                Some(n) if capitals.count > 1 && is_alphabet(n) => capitals.but_last,
                _ if capitals.count > 1 => capitals.all,
                Some(n) if is_small(n) => {
                    capitals.all + run(rest.get(capitals.all..).unwrap_or_default(), is_small).all
                }
                _ => capitals.all,
            };
            (Class::Upper, len)
        } else if is_alphabet(first) {
            (Class::Alphabet, run(rest, is_small).all)
        } else if first.is_numeric() {
            (Class::Number, run(rest, char::is_numeric).all)
        } else {
            let is_other = |c| !(is_connector(c) || is_alphabet(c) || c.is_numeric() || is_punct(c));
            (Class::Other, run(rest, is_other).all)
        };
        let (word, rest) = rest.split_at_checked(len)?;
        self.rest = rest;
        Some((class, word))
    }
}

/// The characters of one sort that a text begins with.
struct Run {
    /// Bytes of them.
    all: usize,
    /// Bytes without the last.
    but_last: usize,
    count: usize,
    /// The character that ends them.
    next: Option<char>,
}

/// The first character counts whatever it is. What is no character belongs to the one behind it, at the end of the text to the one before.
fn run(text: &str, is_one: impl Fn(char) -> bool) -> Run {
    let mut run = Run {
        all: 0,
        but_last: 0,
        count: 0,
        next: None,
    };
    for (at, c) in text.char_indices().filter(|(_, c)| !is_no_character(*c)) {
        if run.count > 0 && !is_one(c) {
            run.next = Some(c);
            return run;
        }
        (run.but_last, run.all) = (run.all, at + c.len_utf8());
        run.count += 1;
    }
    run.all = text.len();
    run
}

/// U+FFFD, which is what Go decodes bytes to that are no text, and the marks that stand for such bytes here.
fn is_no_character(c: char) -> bool {
    c == char::REPLACEMENT_CHARACTER || is_mark(c)
}

fn push_word(out: &mut String, (class, word): Word<'_>, connector: char) {
    if !matches!(class, Class::Upper | Class::Connector) {
        out.push_str(word);
        return;
    }
    out.extend(word.chars().map(|c| match c {
        c if is_connector(c) => connector,
        // Written as the character that Go decoded.
        c if is_mark(c) => char::REPLACEMENT_CHARACTER,
        c => lower(c),
    }));
}

/// `swapcase`: case inverted, the first letter of a word becoming upper case.
pub fn swap_case(text: &str) -> String {
    let mut at_start = true;
    text.chars()
        .map(|c| {
            if c.is_uppercase() {
                at_start = false;
                lower(c)
            } else if c.is_lowercase() {
                at_start = false;
                upper(c)
            } else {
                at_start = c.is_whitespace();
                c
            }
        })
        .collect()
}

/// `untitle`: the first letter of every word in lower case.
pub fn uncapitalize(text: &str) -> String {
    let mut next = true;
    text.chars()
        .map(|c| {
            if c.is_whitespace() {
                next = true;
                c
            } else if std::mem::take(&mut next) {
                lower(c)
            } else {
                c
            }
        })
        .collect()
}

/// `title` (`strings.Title`): the first letter of every word in title case.
pub fn title(text: &str) -> String {
    let mut previous = ' ';
    text.chars()
        .map(|c| {
            let starts = is_separator(previous);
            previous = c;
            if starts { title_char(c) } else { c }
        })
        .collect()
}

fn is_separator(c: char) -> bool {
    if c.is_ascii() {
        return !(c.is_ascii_alphanumeric() || c == '_');
    }
    !(c.is_alphabetic() || c.is_numeric()) && c.is_whitespace()
}

/// `initials`: the first byte of every word, as a character.
pub fn initials(text: &[u8]) -> String {
    let mut gap = true;
    let mut out = String::new();
    for &b in text {
        if is_space_byte(b) {
            gap = true;
        } else if std::mem::take(&mut gap) {
            out.push(char::from(b));
        }
    }
    out
}

/// `nospace`: without white space; text that had some is read byte by byte, one character each.
pub fn delete_white_space(text: &[u8]) -> Vec<u8> {
    if !text.iter().any(|b| is_space_byte(*b)) {
        return text.to_vec();
    }
    let kept: String = text
        .iter()
        .filter(|b| !is_space_byte(**b))
        .map(|b| char::from(*b))
        .collect();
    kept.into_bytes()
}

/// `wrap` and `wrapWith`: lines of at most so many bytes, broken at spaces.
pub fn wrap(text: &[u8], width: i64, separator: &[u8], break_words: bool) -> Vec<u8> {
    let separator: &[u8] = if separator.is_empty() { b"\n" } else { separator };
    let width = usize::try_from(width.max(1)).unwrap_or(usize::MAX);
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while rest.len() > width {
        if let Some(after) = rest.strip_prefix(b" ") {
            rest = after;
            continue;
        }
        let window = rest.get(..=width).unwrap_or(rest);
        let (end, skip) = match window.iter().rposition(|b| *b == b' ') {
            Some(space) => (space, space + 1),
            None if break_words => (width, width),
            None => match rest.iter().skip(width).position(|b| *b == b' ') {
                Some(space) => (width + space, width + space + 1),
                None => break,
            },
        };
        out.extend_from_slice(rest.get(..end).unwrap_or_default());
        out.extend_from_slice(separator);
        rest = rest.get(skip..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out
}

/// `abbrev` and `abbrevboth`: at most so many bytes, `...` where something is left out; empty if the width is too
/// small for that.
pub fn abbreviate(text: &[u8], offset: i64, width: i64) -> Vec<u8> {
    let len = i64::try_from(text.len()).unwrap_or(i64::MAX);
    let part = |from: i64, to: i64| {
        let (from, to) = (
            usize::try_from(from).unwrap_or_default(),
            usize::try_from(to).unwrap_or_default(),
        );
        text.get(from..to).unwrap_or_default()
    };
    if text.is_empty() || width < 4 {
        return Vec::new();
    }
    if len <= width {
        return text.to_vec();
    }
    let offset = offset.min(len);
    let offset = if len - offset < width - 3 {
        len - (width - 3)
    } else {
        offset
    };
    if offset <= 4 {
        return [part(0, width - 3), b"..."].concat();
    }
    if width < 7 {
        return Vec::new();
    }
    if offset + width - 3 < len {
        return [b"...".as_slice(), &abbreviate(part(offset, len), 0, width - 3)].concat();
    }
    [b"...", part(len - (width - 3), len)].concat()
}

fn is_connector(c: char) -> bool {
    c == '-' || c == '_' || c.is_whitespace()
}

/// xstrings' letters of alphabets: ideographs are none.
fn is_alphabet(c: char) -> bool {
    is_letter(c) && !matches!(c, '\u{3400}'..='\u{4d85}' | '\u{4e00}'..='\u{9fcc}' | '\u{20000}'..='\u{2b81d}')
}

fn is_small(c: char) -> bool {
    is_alphabet(c) && !c.is_uppercase()
}

/// Unicode's category P, as far as the standard library can tell: ASCII's members exactly, the general punctuation
/// blocks beyond.
fn is_punct(c: char) -> bool {
    match c {
        '$' | '+' | '<' | '=' | '>' | '^' | '`' | '|' | '~' => false,
        c if c.is_ascii() => c.is_ascii_punctuation(),
        '\u{a1}' | '\u{a7}' | '\u{ab}' | '\u{b6}' | '\u{b7}' | '\u{bb}' | '\u{bf}' => true,
        '\u{2044}' | '\u{2052}' => false,
        '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}' | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}' => true,
        _ => false,
    }
}

fn is_space_byte(b: u8) -> bool {
    matches!(b, b'\t' | b'\n' | 0x0b | 0x0c | b'\r' | b' ' | 0x85 | 0xa0)
}

/// The one-character mapping, as Go's `unicode.ToLower`.
fn lower(c: char) -> char {
    single(c, c.to_lowercase())
}

fn upper(c: char) -> char {
    single(c, c.to_uppercase())
}

/// Upper case, but for the three letters that have a title case of their own.
fn title_char(c: char) -> char {
    match c {
        'Ǆ' | 'ǅ' | 'ǆ' => 'ǅ',
        'Ǉ' | 'ǈ' | 'ǉ' => 'ǈ',
        'Ǌ' | 'ǋ' | 'ǌ' => 'ǋ',
        'Ǳ' | 'ǲ' | 'ǳ' => 'ǲ',
        c => upper(c),
    }
}

fn single(c: char, mut mapped: impl Iterator<Item = char>) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(one), None) => one,
        // İ is the one whose simple lower case exists beside a longer one.
        _ if c == 'İ' => 'i',
        _ => c,
    }
}

/// `upper`: letter by letter, as Go, which never makes two of one.
pub fn to_upper(text: &str) -> String {
    text.chars().map(upper).collect()
}

/// `lower`, likewise.
pub fn to_lower(text: &str) -> String {
    text.chars().map(lower).collect()
}
