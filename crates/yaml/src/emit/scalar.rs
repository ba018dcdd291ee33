//! How a string is written: plain, quoted, or as a block.

use super::{Context, Emitter};
use crate::resolve::{Kind, resolve_plain};

/// Spaces after this column become line breaks.
const BEST_WIDTH: usize = 80;

/// Whether a key can stand before its colon on one line.
pub(super) fn is_simple_key(key: &str) -> bool {
    key.len() <= 128 && !key.contains(is_break)
}

/// What the characters of a string allow.
struct Analysis {
    plain: bool,
    single_quoted: bool,
    block: bool,
    multiline: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
}

impl Emitter {
    pub(super) fn string(&mut self, text: &str, context: Context) {
        let outer = self.indent;
        self.indent = if outer < 0 { 2 } else { outer + 2 };
        let allow_breaks = context != Context::SimpleKey;
        match style(text, context) {
            Style::Plain => self.plain(text, allow_breaks),
            Style::SingleQuoted => self.single_quoted(text, allow_breaks),
            Style::DoubleQuoted => self.double_quoted(text, allow_breaks),
            Style::Literal => self.literal(text),
        }
        self.indent = outer;
    }

    fn plain(&mut self, text: &str, allow_breaks: bool) {
        if !self.whitespace {
            self.put(' ');
        }
        let mut spaces = false;
        for (index, character) in text.char_indices() {
            if character == ' ' {
                if allow_breaks && !spaces && self.column > BEST_WIDTH && !space_follows(text, index) {
                    self.write_indent();
                } else {
                    self.put(character);
                }
                spaces = true;
            } else {
                self.put(character);
                self.indention = false;
                spaces = false;
            }
        }
        self.whitespace = false;
        self.indention = false;
    }

    fn single_quoted(&mut self, text: &str, allow_breaks: bool) {
        self.indicator("'", true, false);
        let mut spaces = false;
        let mut breaks = false;
        for (index, character) in text.char_indices() {
            if character == ' ' {
                let inside = index > 0 && index + 1 < text.len();
                if allow_breaks && !spaces && self.column > BEST_WIDTH && inside && !space_follows(text, index) {
                    self.write_indent();
                } else {
                    self.put(character);
                }
                spaces = true;
            } else if is_break(character) {
                if !breaks && character == '\n' {
                    self.line_break();
                }
                self.put_break(character);
                self.indention = true;
                breaks = true;
            } else {
                if breaks {
                    self.write_indent();
                }
                if character == '\'' {
                    self.put('\'');
                }
                self.put(character);
                self.indention = false;
                spaces = false;
                breaks = false;
            }
        }
        self.indicator("'", false, false);
        self.indention = false;
    }

    fn double_quoted(&mut self, text: &str, allow_breaks: bool) {
        // go-yaml looks for a byte order mark at the start of the text for every character of it.
        let escape_all = text.starts_with('\u{feff}');
        self.indicator("\"", true, false);
        let mut spaces = false;
        for (index, character) in text.char_indices() {
            if escape_all || !is_printable(character) || is_break(character) || matches!(character, '"' | '\\') {
                self.escape(character);
                spaces = false;
            } else if character == ' ' {
                let inside = index > 0 && index + 1 < text.len();
                if allow_breaks && !spaces && self.column > BEST_WIDTH && inside {
                    self.write_indent();
                    if space_follows(text, index) {
                        self.put('\\');
                    }
                } else {
                    self.put(character);
                }
                spaces = true;
            } else {
                self.put(character);
                spaces = false;
            }
        }
        self.indicator("\"", false, false);
        self.indention = false;
    }

    fn escape(&mut self, character: char) {
        let code = u32::from(character);
        let escaped = match character {
            '\0' => "\\0".to_owned(),
            '\x07' => "\\a".to_owned(),
            '\x08' => "\\b".to_owned(),
            '\t' => "\\t".to_owned(),
            '\n' => "\\n".to_owned(),
            '\x0b' => "\\v".to_owned(),
            '\x0c' => "\\f".to_owned(),
            '\r' => "\\r".to_owned(),
            '\x1b' => "\\e".to_owned(),
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            '\u{85}' => "\\N".to_owned(),
            '\u{a0}' => "\\_".to_owned(),
            '\u{2028}' => "\\L".to_owned(),
            '\u{2029}' => "\\P".to_owned(),
            _ if code <= 0xff => format!("\\x{code:02X}"),
            _ if code <= 0xffff => format!("\\u{code:04X}"),
            _ => format!("\\U{code:08X}"),
        };
        self.out.push_str(&escaped);
        self.column += escaped.len();
    }

    fn literal(&mut self, text: &str) {
        self.indicator("|", true, false);
        if text.starts_with(|first: char| first == ' ' || is_break(first)) {
            self.indicator("2", false, false);
        }
        if let Some(hint) = chomping(text) {
            self.indicator(hint, false, false);
        }
        self.line_break();
        self.indention = true;
        self.whitespace = true;
        let mut breaks = true;
        for character in text.chars() {
            if is_break(character) {
                self.put_break(character);
                self.indention = true;
                breaks = true;
            } else {
                if breaks {
                    self.write_indent();
                }
                self.put(character);
                self.indention = false;
                breaks = false;
            }
        }
    }

    /// Writes a break that belongs to the text; the Unicode ones stay what they are.
    fn put_break(&mut self, character: char) {
        self.out.push(character);
        self.column = 0;
    }
}

/// The `-` or `+` of a block scalar: no break at the end, or more than one.
fn chomping(text: &str) -> Option<&'static str> {
    let mut backwards = text.chars().rev();
    match (backwards.next().is_some_and(is_break), backwards.next()) {
        (false, _) => Some("-"),
        (true, None) => Some("+"),
        (true, Some(before)) => is_break(before).then_some("+"),
    }
}

fn style(text: &str, context: Context) -> Style {
    let analysis = analyze(text);
    let simple_key = context == Context::SimpleKey;
    // The encoder asks for a style, the emitter may have to refuse it.
    let wanted = if text.contains('\n') {
        Style::Literal
    } else if resolve_plain(text).0 == Kind::String && !is_base60(text) && !(simple_key && text == "<<") {
        Style::Plain
    } else {
        Style::DoubleQuoted
    };
    match wanted {
        Style::Literal if !analysis.block || simple_key => Style::DoubleQuoted,
        Style::Plain if simple_key && analysis.multiline => Style::DoubleQuoted,
        Style::Plain if analysis.plain => Style::Plain,
        Style::Plain if analysis.single_quoted => Style::SingleQuoted,
        Style::Plain => Style::DoubleQuoted,
        wanted => wanted,
    }
}

fn analyze(text: &str) -> Analysis {
    let mut indicators = text.starts_with("---") || text.starts_with("...");
    let (mut line_breaks, mut special) = (false, false);
    let (mut break_space, mut space_break) = (false, false);
    let (mut previous_space, mut previous_break) = (false, false);
    let mut preceded_by_whitespace = true;
    let mut characters = text.char_indices().peekable();
    while let Some((index, character)) = characters.next() {
        let followed_by_whitespace = characters.peek().is_none_or(|&(_, next)| matches!(next, ' ' | '\t'));
        indicators |= match character {
            '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`'
                if index == 0 =>
            {
                true
            }
            '?' | '-' if index == 0 => followed_by_whitespace,
            ':' => followed_by_whitespace,
            '#' => preceded_by_whitespace,
            _ => false,
        };
        special |= !is_printable(character);
        if character == ' ' {
            break_space |= previous_break;
            (previous_space, previous_break) = (true, false);
        } else if is_break(character) {
            line_breaks = true;
            space_break |= previous_space;
            (previous_space, previous_break) = (false, true);
        } else {
            (previous_space, previous_break) = (false, false);
        }
        preceded_by_whitespace = matches!(character, ' ' | '\t' | '\0') || is_break(character);
    }
    let edge = |character: char| character == ' ' || is_break(character);
    let open_edges = text.starts_with(edge) || text.ends_with(edge);
    Analysis {
        plain: !(open_edges || break_space || space_break || special || line_breaks || indicators),
        single_quoted: !(break_space || space_break || special),
        block: !(text.ends_with(' ') || space_break || special),
        multiline: line_breaks,
    }
}

fn space_follows(text: &str, index: usize) -> bool {
    text.as_bytes().get(index + 1) == Some(&b' ')
}

fn is_break(character: char) -> bool {
    matches!(character, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// go-yaml's table ends at U+FFFD: everything beyond the basic plane is escaped.
fn is_printable(character: char) -> bool {
    matches!(character, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

/// Whether a string looks like a number in base 60: YAML 1.1 readers would take `1:30` for 90.
///
/// The pattern is `^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$`.
pub(crate) fn is_base60(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (text, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let Some((first, rest)) = text.split_once(':') else {
        return false;
    };
    first.starts_with(|first: char| first.is_ascii_digit())
        && is_digits(first)
        && is_digits(fraction)
        && rest
            .split(':')
            .all(|part| matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']))
}
