//! `toYamlPretty`: YAML as `go.yaml.in/yaml/v3` writes it with an indent of 2.
//!
//! Unlike `toYaml` it does not go through JSON: numbers print as their Go type, lists are indented below their key, texts of several lines
//! are blocks, no line is folded, and what reads as something else than text is told by rules of its own.

use pintle_gotmpl::gotime::Time;
use pintle_gotmpl::{Call, FuncError, Str, Value};

use super::metadata::shortest_g;

/// Nesting of what is written. Go has no bound but its stack.
const MAX_DEPTH: usize = 400;

/// Keys longer than this stand after `? `.
const MAX_SIMPLE_KEY: usize = 128;

/// Writes a value, with a line break at the end.
pub(crate) fn pretty(call: &mut Call<'_>, value: &Value) -> Result<String, FuncError> {
    let mut writer = Writer {
        call,
        out: String::new(),
        fresh: true,
    };
    writer.node(value, 0, Place::Document, 0)?;
    writer.end_line();
    Ok(writer.out)
}

/// Where a node begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Document,
    Value,
    Item,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
}

struct Writer<'a, 'c> {
    call: &'a mut Call<'c>,
    out: String,
    /// Whether nothing stands on the current line.
    fresh: bool,
}

impl Writer<'_, '_> {
    fn put(&mut self, text: &str) {
        self.out.push_str(text);
        self.fresh = false;
    }

    fn end_line(&mut self) {
        if !self.fresh {
            self.out.push('\n');
            self.fresh = true;
        }
    }

    fn begin_line(&mut self, indent: usize) {
        self.end_line();
        if indent > 0 {
            self.put(&" ".repeat(indent));
        }
    }

    /// `indent` is that of the lines the node is part of.
    fn node(&mut self, value: &Value, indent: usize, place: Place, depth: usize) -> Result<(), FuncError> {
        if depth > MAX_DEPTH {
            return Err(FuncError::new("the value is nested too deeply to be written"));
        }
        self.call.charge_steps(1)?;
        let (word, number);
        let text = match value {
            Value::Nil => "null",
            Value::Bool(true) => "true",
            Value::Bool(false) => "false",
            Value::Int(int) | Value::Int64(int) => {
                number = int.to_string();
                &number
            }
            Value::Float(float) => {
                number = float_text(*float, || shortest_g(*float));
                &number
            }
            Value::Number(other) => {
                number = match other.as_f32() {
                    Some(float) => float_text(f64::from(float), || shortest_g(float)),
                    None if other.kind.kind().is_uint() => other.bits.to_string(),
                    None => (other.bits as i64).to_string(),
                };
                &number
            }
            Value::Duration(_) => {
                let printed = pintle_gotmpl::fmt::sprint(std::slice::from_ref(value));
                word = printed.map_err(|e| FuncError::new(e.to_string()))?;
                return self.string(&word, indent, place);
            }
            Value::Str(text) => return self.string(text, indent, place),
            Value::Bytes(bytes) => {
                let items: Vec<Value> = bytes.iter().map(|b| Value::Int(i64::from(*b))).collect();
                return self.list(&items, indent, place, depth);
            }
            Value::List(list) => return self.list(list.as_slice(), indent, place, depth),
            Value::Map(map) => {
                let entries = in_key_order(map.entries());
                return self.map(&entries, indent, place, depth);
            }
            Value::Host(host) if host.is_nil() => "null",
            Value::Host(host) => {
                if let Some(text) = host.json_text() {
                    // A time stands as it is; other texts are strings.
                    if host.type_name() == "time.Time" {
                        number = text;
                        &number
                    } else {
                        return self.string(&Str::from(text.as_str()), indent, place);
                    }
                } else if let Some(inner) = host.underlying() {
                    return self.node(&inner, indent, place, depth + 1);
                } else {
                    let fields = host.fields().into_iter();
                    let entries: Vec<(Str, Value)> = fields
                        .filter(|(name, _)| name.starts_with(|c: char| c.is_ascii_uppercase()))
                        .map(|(name, value)| (Str::from(name.to_lowercase().as_str()), value))
                        .collect();
                    return self.map(&entries, indent, place, depth);
                }
            }
        };
        self.space(place);
        self.put(text);
        Ok(())
    }

    /// The space between a colon or a dash and what follows it.
    fn space(&mut self, place: Place) {
        if place != Place::Document {
            self.put(" ");
        }
    }

    fn list(&mut self, items: &[Value], indent: usize, place: Place, depth: usize) -> Result<(), FuncError> {
        if items.is_empty() {
            self.space(place);
            self.put("[]");
            return Ok(());
        }
        let indent = inner_indent(indent, place);
        for (at, item) in items.iter().enumerate() {
            if at == 0 && place == Place::Item {
                self.put(" ");
            } else {
                self.begin_line(indent);
            }
            self.put("-");
            self.node(item, indent, Place::Item, depth + 1)?;
        }
        Ok(())
    }

    fn map(&mut self, entries: &[(Str, Value)], indent: usize, place: Place, depth: usize) -> Result<(), FuncError> {
        if entries.is_empty() {
            self.space(place);
            self.put("{}");
            return Ok(());
        }
        let indent = inner_indent(indent, place);
        for (at, (key, value)) in entries.iter().enumerate() {
            if at == 0 && place == Place::Item {
                self.put(" ");
            } else {
                self.begin_line(indent);
            }
            let text = key.to_str();
            if text.len() <= MAX_SIMPLE_KEY && !text.contains(is_break) {
                let style = match style(key) {
                    Style::Plain if text.is_empty() => Style::SingleQuoted,
                    Style::Literal => Style::DoubleQuoted,
                    style => style,
                };
                self.scalar(key, style, indent)?;
                self.put(":");
            } else {
                self.put("?");
                self.string(key, indent, Place::Value)?;
                self.begin_line(indent);
                self.put(":");
            }
            self.node(value, indent, Place::Value, depth + 1)?;
        }
        Ok(())
    }

    fn string(&mut self, text: &Str, indent: usize, place: Place) -> Result<(), FuncError> {
        self.space(place);
        let style = style(text);
        // A document that is a text alone is indented as if it stood under something.
        self.scalar(text, style, indent)
    }

    fn scalar(&mut self, text: &Str, style: Style, indent: usize) -> Result<(), FuncError> {
        self.call.charge_bytes(text.len() as u64)?;
        let Ok(text) = std::str::from_utf8(text.as_bytes()) else {
            use base64::Engine as _;
            self.put("!!binary ");
            self.put(&base64::engine::general_purpose::STANDARD.encode(text.as_bytes()));
            return Ok(());
        };
        match style {
            Style::Plain => self.put(text),
            Style::SingleQuoted => {
                let quoted = format!("'{}'", text.replace('\'', "''"));
                self.put(&quoted);
            }
            Style::DoubleQuoted => self.double_quoted(text),
            Style::Literal => self.literal(text, indent + 2),
        }
        Ok(())
    }

    fn double_quoted(&mut self, text: &str) {
        // The library looks for a byte order mark at the start of the text for every character of it.
        let escape_all = text.starts_with('\u{feff}');
        self.put("\"");
        for c in text.chars() {
            if !(escape_all || !is_printable(c) || is_break(c) || matches!(c, '"' | '\\')) {
                self.out.push(c);
                continue;
            }
            let code = u32::from(c);
            let escaped = match c {
                '\0' => "\\0",
                '\x07' => "\\a",
                '\x08' => "\\b",
                '\t' => "\\t",
                '\n' => "\\n",
                '\x0b' => "\\v",
                '\x0c' => "\\f",
                '\r' => "\\r",
                '\x1b' => "\\e",
                '"' => "\\\"",
                '\\' => "\\\\",
                '\u{85}' => "\\N",
                '\u{a0}' => "\\_",
                '\u{2028}' => "\\L",
                '\u{2029}' => "\\P",
                _ if code <= 0xff => &format!("\\x{code:02X}"),
                _ if code <= 0xffff => &format!("\\u{code:04X}"),
                _ => &format!("\\U{code:08X}"),
            };
            self.out.push_str(escaped);
        }
        self.put("\"");
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.put("|");
        if text.starts_with(|c: char| c == ' ' || is_break(c)) {
            self.put("2");
        }
        let mut backwards = text.chars().rev();
        match (backwards.next().is_some_and(is_break), backwards.next()) {
            (false, _) => self.put("-"),
            (true, None) => self.put("+"),
            (true, Some(before)) if is_break(before) => self.put("+"),
            _ => {}
        }
        self.end_line();
        for c in text.chars() {
            if is_break(c) {
                self.out.push(c);
                self.fresh = true;
                continue;
            }
            if self.fresh {
                self.put(&" ".repeat(indent));
            }
            self.out.push(c);
        }
    }
}

/// A node inside another stands two further to the right, whatever it is.
fn inner_indent(indent: usize, place: Place) -> usize {
    if place == Place::Document { indent } else { indent + 2 }
}

fn float_text(float: f64, print: impl FnOnce() -> String) -> String {
    if float.is_nan() {
        ".nan".to_owned()
    } else if float.is_infinite() {
        if float > 0.0 { ".inf" } else { "-.inf" }.to_owned()
    } else {
        print()
    }
}

/// How a text is written.
fn style(text: &Str) -> Style {
    let Ok(text) = std::str::from_utf8(text.as_bytes()) else {
        return Style::Plain;
    };
    let allowed = Allowed::of(text);
    if text.contains('\n') {
        return if allowed.block {
            Style::Literal
        } else {
            Style::DoubleQuoted
        };
    }
    if !reads_as_text(text) {
        return Style::DoubleQuoted;
    }
    if allowed.plain {
        Style::Plain
    } else if allowed.single_quoted {
        Style::SingleQuoted
    } else {
        Style::DoubleQuoted
    }
}

/// What the characters of a text allow.
struct Allowed {
    plain: bool,
    single_quoted: bool,
    block: bool,
}

impl Allowed {
    fn of(text: &str) -> Self {
        let mut indicators = text.starts_with("---") || text.starts_with("...");
        let (mut breaks, mut special, mut tabs) = (false, false, false);
        let (mut break_space, mut space_break) = (false, false);
        let (mut after_space, mut after_break, mut after_blank) = (false, false, true);
        let mut characters = text.char_indices().peekable();
        while let Some((index, c)) = characters.next() {
            let before_blank = characters.peek().is_none_or(|(_, next)| matches!(next, ' ' | '\t'));
            indicators |= match c {
                ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => index == 0,
                '?' | '-' => index == 0 && before_blank,
                ':' => before_blank,
                '#' => after_blank,
                _ => false,
            };
            tabs |= c == '\t';
            special |= c != '\t' && !is_printable(c);
            break_space |= c == ' ' && after_break;
            space_break |= is_break(c) && after_space;
            breaks |= is_break(c);
            (after_space, after_break) = (c == ' ', is_break(c));
            after_blank = matches!(c, ' ' | '\t' | '\0') || is_break(c);
        }
        let open = |c: char| c == ' ' || is_break(c);
        let open_edges = text.starts_with(open) || text.ends_with(open);
        let quotable = !(break_space || space_break || tabs || special);
        Self {
            plain: quotable && !(open_edges || breaks || indicators),
            single_quoted: quotable,
            block: !(text.is_empty() || text.ends_with(' ') || space_break || special),
        }
    }
}

fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// The library's table: everything beyond the basic plane is escaped.
fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

/// Whether a plain scalar of these letters is read as text, by this library and by readers of YAML 1.1.
fn reads_as_text(text: &str) -> bool {
    const OTHERS: [&str; 38] = [
        "", "~", "null", "Null", "NULL", "true", "True", "TRUE", "false", "False", "FALSE", ".nan", ".NaN", ".NAN",
        ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", "y", "Y", "yes", "Yes", "YES",
        "on", "On", "ON", "n", "N", "no", "No", "NO", "off", "Off",
    ];
    if OTHERS.contains(&text) || text == "OFF" || is_base60(text) {
        return false;
    }
    match text.as_bytes().first() {
        Some(b'.') => text.parse::<f64>().map_or(true, |float| !float.is_finite()),
        Some(b'+' | b'-' | b'0'..=b'9') => {
            let plain = text.replace('_', "");
            !(is_time(text) || is_int(&plain) || is_float(&plain))
        }
        _ => true,
    }
}

fn is_time(text: &str) -> bool {
    let year = text.bytes().take_while(u8::is_ascii_digit).count();
    year == 4
        && text.as_bytes().get(4) == Some(&b'-')
        && [
            "2006-1-2T15:4:5.999999999Z07:00",
            "2006-1-2t15:4:5.999999999Z07:00",
            "2006-1-2 15:4:5.999999999",
            "2006-1-2",
        ]
        .iter()
        .any(|layout| Time::parse(layout, text).is_ok())
}

/// Go's `ParseInt` and `ParseUint` with base 0, and octals of YAML 1.2.
fn is_int(text: &str) -> bool {
    let (negative, digits) = match text.as_bytes() {
        [b'-', ..] => (true, text.get(1..).unwrap_or_default()),
        [b'+', ..] => (false, text.get(1..).unwrap_or_default()),
        _ => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = match (lower.get(..2), digits.len()) {
        (Some("0x"), _) => (16, lower.get(2..)),
        (Some("0o"), _) => (8, lower.get(2..)),
        (Some("0b"), _) => (2, lower.get(2..)),
        (Some(_), 2..) if lower.starts_with('0') => (8, lower.get(1..)),
        _ => (10, Some(lower.as_str())),
    };
    let digits = digits.unwrap_or_default();
    if digits.is_empty() || digits.starts_with(['+', '-']) {
        return false;
    }
    // Only what has no sign may need the 64th bit.
    let signed = text.starts_with(['+', '-']);
    match u64::from_str_radix(digits, radix) {
        Ok(value) if negative => value <= 1 << 63,
        Ok(value) => !signed || value <= i64::MAX as u64,
        Err(_) => false,
    }
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, within the range of a float.
fn is_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (number, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = number.split_once('.').map_or((number, None), |(w, f)| (w, Some(f)));
    let shaped = digits(whole)
        && fraction.is_none_or(digits)
        && (!whole.is_empty() || fraction.is_some_and(|f| !f.is_empty()))
        && exponent.is_none_or(|e| {
            let e = e.strip_prefix(['+', '-']).unwrap_or(e);
            !e.is_empty() && digits(e)
        });
    shaped && text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// `[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?`: readers of YAML 1.1 take `1:30` for 90.
fn is_base60(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (text, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let Some((first, rest)) = text.split_once(':') else {
        return false;
    };
    first.starts_with(|c: char| c.is_ascii_digit())
        && digits(first)
        && digits(fraction)
        && rest
            .split(':')
            .all(|part| matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']))
}

/// The entries in the library's order, by merging: the order is not transitive, for which `slice::sort_by` may panic.
fn in_key_order(entries: Vec<(Str, Value)>) -> Vec<(Str, Value)> {
    if entries.len() < 2 {
        return entries;
    }
    let mut left = entries;
    let right = left.split_off(left.len() / 2);
    let (mut left, mut right) = (
        in_key_order(left).into_iter().peekable(),
        in_key_order(right).into_iter().peekable(),
    );
    let mut merged = Vec::with_capacity(left.len() + right.len());
    loop {
        let next = match (left.peek(), right.peek()) {
            (Some(a), Some(b)) if is_before(&b.0.to_str(), &a.0.to_str()) => right.next(),
            (Some(_), _) => left.next(),
            (None, _) => right.next(),
        };
        let Some(next) = next else { break };
        merged.push(next);
    }
    merged
}

/// Numbers inside by their value (`a2` before `a10`), and letters after everything else, unless they follow a digit.
fn is_before(a: &str, b: &str) -> bool {
    let same = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    let before: Vec<char> = a.chars().take(same).collect();
    let (a_rest, b_rest): (String, String) = (a.chars().skip(same).collect(), b.chars().skip(same).collect());
    let (Some(a_first), Some(b_first)) = (a_rest.chars().next(), b_rest.chars().next()) else {
        return a_rest.is_empty() && !b_rest.is_empty();
    };
    let after_digit = before.last().is_some_and(char::is_ascii_digit);
    match (a_first.is_alphabetic(), b_first.is_alphabetic()) {
        (true, true) => return a_first < b_first,
        (false, false) => {}
        (a_letter, b_letter) => return if after_digit { a_letter } else { b_letter },
    }
    let inside_number = (a_first == '0' || b_first == '0')
        && before
            .iter()
            .rev()
            .take_while(|c| c.is_ascii_digit())
            .any(|c| *c != '0');
    let start = i64::from(inside_number);
    let number = |text: &str| {
        text.bytes()
            .take_while(u8::is_ascii_digit)
            .fold((start, 0_usize), |(n, len), digit| {
                (n.wrapping_mul(10).wrapping_add(i64::from(digit - b'0')), len + 1)
            })
    };
    (number(&a_rest), a_first) < (number(&b_rest), b_first)
}
