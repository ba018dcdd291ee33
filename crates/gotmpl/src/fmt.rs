//! Go's `fmt` over [`Value`]: `Sprint`, `Sprintln`, `Sprintf`.

use std::rc::Rc;

use crate::float::{Width, format_float};
use crate::host::Host;
use crate::quote::{can_backquote, quote, quote_char};
use crate::text::Str;
use crate::types::Kind;
use crate::unicode::{decode, is_print};
use crate::value::Value;

/// Values nested deeper than this are not printed. Maps can contain themselves, and Go dies of those.
const MAX_DEPTH: usize = 500;

/// Go's bound on widths and precisions given in a format.
const MAX_NUMBER: i64 = 1_000_000;

/// Why a value was not printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FormatError {
    /// It is nested deeper than 500, or contains itself.
    TooDeep,
    /// The text would be longer than the limit given.
    TooLong,
}

impl std::fmt::Display for FormatError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::TooDeep => "the value to print is nested too deeply or contains itself",
            Self::TooLong => "the printed value is longer than allowed",
        })
    }
}

impl std::error::Error for FormatError {}

/// Texts longer than this are refused where the caller names no limit: 256 MiB.
pub const MAX_TEXT: usize = 256 << 20;

/// Returns `fmt.Sprint(args...)`.
pub fn sprint(args: &[Value]) -> Result<Str, FormatError> {
    let mut out = Vec::new();
    print(&mut out, args, MAX_TEXT)?;
    Ok(Str::from_vec(out))
}

/// Returns `fmt.Sprintln(args...)`.
pub fn sprintln(args: &[Value]) -> Result<Str, FormatError> {
    let mut out = Vec::new();
    println(&mut out, args, MAX_TEXT)?;
    Ok(Str::from_vec(out))
}

/// Returns `fmt.Sprintf(format, args...)`.
pub fn sprintf(format: &str, args: &[Value]) -> Result<Str, FormatError> {
    let mut out = Vec::new();
    printf(&mut out, format.as_bytes(), args, MAX_TEXT)?;
    Ok(Str::from_vec(out))
}

/// Appends what `%v` prints for the value.
pub fn print_value(out: &mut Vec<u8>, value: &Value, limit: usize) -> Result<(), FormatError> {
    match value {
        // The usual cases, without a printer.
        Value::Str(text) if text.len() <= limit => {
            out.extend_from_slice(text.as_bytes());
            Ok(())
        }
        Value::Bool(value) => {
            out.extend_from_slice(if *value { b"true" } else { b"false" });
            Ok(())
        }
        // What an action reaches can be pointed to.
        Value::Host(host) if host.text_is_of_pointer() => {
            out.extend_from_slice(host.text().unwrap_or_default().as_bytes());
            Ok(())
        }
        value => {
            let mut printer = Printer::new(out, limit);
            printer.arg(value, 'v')?;
            printer.check()
        }
    }
}

/// Appends `fmt.Sprint(args...)`: a space between two neighbours neither of which is a string.
pub fn print(out: &mut Vec<u8>, args: &[Value], limit: usize) -> Result<(), FormatError> {
    let mut printer = Printer::new(out, limit);
    let mut after_string = false;
    for (at, arg) in args.iter().enumerate() {
        let is_string = arg.kind() == Kind::String;
        if at > 0 && !is_string && !after_string {
            printer.out.push(b' ');
        }
        printer.arg(arg, 'v')?;
        after_string = is_string;
    }
    printer.check()
}

/// Appends `fmt.Sprintln(args...)`.
pub fn println(out: &mut Vec<u8>, args: &[Value], limit: usize) -> Result<(), FormatError> {
    let mut printer = Printer::new(out, limit);
    for (at, arg) in args.iter().enumerate() {
        if at > 0 {
            printer.out.push(b' ');
        }
        printer.arg(arg, 'v')?;
    }
    printer.out.push(b'\n');
    printer.check()
}

/// Appends `fmt.Sprintf(format, args...)`.
pub fn printf(out: &mut Vec<u8>, format: &[u8], args: &[Value], limit: usize) -> Result<(), FormatError> {
    let mut printer = Printer::new(out, limit);
    Directives {
        format,
        at: 0,
        args,
        arg: 0,
        reordered: false,
        good_index: true,
    }
    .run(&mut printer)?;
    printer.check()
}

/// Reads a format string: Go's state of `doPrintf`.
struct Directives<'a> {
    format: &'a [u8],
    at: usize,
    args: &'a [Value],
    arg: usize,
    reordered: bool,
    good_index: bool,
}

impl Directives<'_> {
    fn peek(&self) -> Option<u8> {
        self.format.get(self.at).copied()
    }

    fn run(&mut self, printer: &mut Printer<'_>) -> Result<(), FormatError> {
        while self.at < self.format.len() {
            let rest = self.format.get(self.at..).unwrap_or_default();
            let text = rest.iter().position(|byte| *byte == b'%').unwrap_or(rest.len());
            printer.out.extend_from_slice(rest.get(..text).unwrap_or_default());
            self.at += text;
            if self.peek().is_none() {
                break;
            }
            self.at += 1;
            if !self.directive(printer)? {
                break;
            }
            printer.check()?;
        }
        if !self.reordered && self.arg < self.args.len() {
            self.extra(printer)?;
        }
        Ok(())
    }

    /// Handles what follows one `%`. `false`: the format ended before the verb.
    fn directive(&mut self, printer: &mut Printer<'_>) -> Result<bool, FormatError> {
        printer.flags = Flags::default();
        self.good_index = true;
        while let Some(byte) = self.peek() {
            match byte {
                b'#' => printer.flags.sharp = true,
                b'0' => printer.flags.zero = true,
                b'+' => printer.flags.plus = true,
                b'-' => printer.flags.minus = true,
                b' ' => printer.flags.space = true,
                _ => break,
            }
            self.at += 1;
        }
        let mut after_index = self.index();
        if self.peek() == Some(b'*') {
            self.at += 1;
            match self.number_from_arg() {
                Some(width) => {
                    printer.flags.width = Some(width.unsigned_abs() as usize);
                    if width < 0 {
                        printer.flags.minus = true;
                        printer.flags.zero = false;
                    }
                }
                None => printer.out.extend_from_slice(b"%!(BADWIDTH)"),
            }
            after_index = false;
        } else {
            printer.flags.width = self.number();
            if after_index && printer.flags.width.is_some() {
                self.good_index = false;
            }
        }
        if self.peek() == Some(b'.') && self.at + 1 < self.format.len() {
            self.at += 1;
            if after_index {
                self.good_index = false;
            }
            after_index = self.index();
            if self.peek() == Some(b'*') {
                self.at += 1;
                match self.number_from_arg() {
                    Some(precision) if precision >= 0 => printer.flags.precision = Some(precision as usize),
                    _ => printer.out.extend_from_slice(b"%!(BADPREC)"),
                }
                after_index = false;
            } else {
                printer.flags.precision = Some(self.number().unwrap_or(0));
            }
        }
        if !after_index {
            self.index();
        }
        let Some((verb, size, _)) = decode(self.format.get(self.at..).unwrap_or_default()) else {
            printer.out.extend_from_slice(b"%!(NOVERB)");
            return Ok(false);
        };
        self.at += size;
        if verb == '%' {
            printer.out.push(b'%');
            return Ok(true);
        }
        let Some(arg) = self.args.get(self.arg).filter(|_| self.good_index) else {
            printer.out.extend_from_slice(b"%!");
            printer.push(verb);
            let what: &[u8] = if self.good_index { b"(MISSING)" } else { b"(BADINDEX)" };
            printer.out.extend_from_slice(what);
            return Ok(true);
        };
        if matches!(verb, 'v' | 'w') {
            printer.flags.sharp_v = std::mem::take(&mut printer.flags.sharp);
            printer.flags.plus_v = std::mem::take(&mut printer.flags.plus);
        }
        self.arg += 1;
        printer.arg(arg, verb)?;
        Ok(true)
    }

    /// Reads `[n]`; reports whether it was there and well-formed.
    fn index(&mut self) -> bool {
        if self.peek() != Some(b'[') {
            return false;
        }
        self.reordered = true;
        let rest = self.format.get(self.at..).unwrap_or_default();
        let Some(close) = rest.iter().position(|byte| *byte == b']').filter(|_| rest.len() >= 3) else {
            self.good_index = false;
            self.at += 1;
            return false;
        };
        let inside = rest.get(1..close).unwrap_or_default();
        self.at += close + 1;
        let number = parse_number(inside).filter(|(_, len)| *len == inside.len());
        let Some((number, _)) = number else {
            self.good_index = false;
            return false;
        };
        match number.checked_sub(1).filter(|index| *index < self.args.len()) {
            Some(index) => self.arg = index,
            None => self.good_index = false,
        }
        true
    }

    fn number(&mut self) -> Option<usize> {
        let rest = self.format.get(self.at..).unwrap_or_default();
        if !rest.first().is_some_and(u8::is_ascii_digit) {
            return None;
        }
        match parse_number(rest) {
            Some((number, len)) => {
                self.at += len;
                Some(number)
            }
            None => {
                // A number longer than Go reads swallows the rest of the format.
                self.at = self.format.len();
                None
            }
        }
    }

    fn number_from_arg(&mut self) -> Option<i64> {
        let arg = self.args.get(self.arg)?;
        self.arg += 1;
        let number = arg
            .as_int()
            .or_else(|| arg.as_uint().and_then(|value| i64::try_from(value).ok()))?;
        (-MAX_NUMBER..=MAX_NUMBER).contains(&number).then_some(number)
    }

    fn extra(&self, printer: &mut Printer<'_>) -> Result<(), FormatError> {
        printer.flags = Flags::default();
        printer.out.extend_from_slice(b"%!(EXTRA ");
        for (at, arg) in self.args.iter().skip(self.arg).enumerate() {
            if at > 0 {
                printer.out.extend_from_slice(b", ");
            }
            if matches!(arg, Value::Nil) {
                printer.out.extend_from_slice(b"<nil>");
            } else {
                printer.out.extend_from_slice(arg.type_name().as_bytes());
                printer.out.push(b'=');
                printer.arg(arg, 'v')?;
            }
        }
        printer.out.push(b')');
        Ok(())
    }
}

/// Reads leading digits; `None` without any, or when the number is past Go's bound.
fn parse_number(text: &[u8]) -> Option<(usize, usize)> {
    let mut number: i64 = 0;
    let mut len = 0;
    for byte in text.iter().take_while(|byte| byte.is_ascii_digit()) {
        if number > MAX_NUMBER {
            return None;
        }
        number = number * 10 + i64::from(byte - b'0');
        len += 1;
    }
    (len > 0).then_some((number as usize, len))
}

#[derive(Clone, Copy, Default)]
struct Flags {
    width: Option<usize>,
    precision: Option<usize>,
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    plus_v: bool,
    sharp_v: bool,
}

impl Flags {
    /// Whether a decimal is printed as it is: no sign, no prefix, no padding. Zeros and `-` need a width to matter.
    fn is_plain(self) -> bool {
        !(self.plus || self.space || self.sharp) && self.precision.is_none() && self.width.is_none()
    }
}

/// Bytes printed between two looks at the limit.
const BYTES_AT_ONCE: usize = 256;

/// Every byte in decimal with a space behind, and how long that is.
static DECIMALS: [([u8; 4], usize); 256] = {
    let mut table = [([b' '; 4], 0); 256];
    let mut byte = 0;
    while byte < table.len() {
        let digits = [byte / 100, byte / 10 % 10, byte % 10];
        let length = 1 + (byte > 9) as usize + (byte > 99) as usize;
        let mut at = 0;
        while at < length {
            table[byte].0[at] = b'0' + digits[3 - length + at] as u8;
            at += 1;
        }
        table[byte].1 = length + 1;
        byte += 1;
    }
    table
};

struct Printer<'a> {
    out: &'a mut Vec<u8>,
    /// The length `out` may reach.
    limit: usize,
    flags: Flags,
    /// While a bad verb is reported, methods are not called.
    erroring: bool,
}

impl<'a> Printer<'a> {
    fn new(out: &'a mut Vec<u8>, limit: usize) -> Self {
        let limit = out.len().saturating_add(limit);
        Self {
            out,
            limit,
            flags: Flags::default(),
            erroring: false,
        }
    }

    fn check(&self) -> Result<(), FormatError> {
        if self.out.len() > self.limit {
            Err(FormatError::TooLong)
        } else {
            Ok(())
        }
    }

    fn push(&mut self, c: char) {
        self.out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }

    fn write(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn padding(&mut self, count: usize) {
        let byte = if self.flags.zero && !self.flags.minus {
            b'0'
        } else {
            b' '
        };
        self.out.extend(std::iter::repeat_n(byte, count));
    }

    fn pad(&mut self, text: &[u8]) {
        let Some(width) = self.flags.width.filter(|width| *width > 0) else {
            self.out.extend_from_slice(text);
            return;
        };
        let missing = width.saturating_sub(count_runes(text));
        if self.flags.minus {
            self.out.extend_from_slice(text);
            self.padding(missing);
        } else {
            self.padding(missing);
            self.out.extend_from_slice(text);
        }
    }

    fn pad_without_zeros(&mut self, text: &[u8]) {
        let zero = std::mem::take(&mut self.flags.zero);
        self.pad(text);
        self.flags.zero = zero;
    }

    /// Prints an argument at the top.
    fn arg(&mut self, value: &Value, verb: char) -> Result<(), FormatError> {
        match (value, verb) {
            (Value::Nil, 'T' | 'v') => self.pad(b"<nil>"),
            (Value::Nil, _) => self.bad_verb(value, verb)?,
            (_, 'T') => {
                let name = value.type_name().to_owned();
                self.string(name.as_bytes());
            }
            (_, 'p') => self.pointer(value, verb)?,
            (Value::Bytes(bytes), 'v' | 'd') if !self.flags.sharp_v => {
                self.byte_list(bytes, verb)?;
            }
            (Value::Bytes(bytes), 'v' | 'd') => self.go_bytes("[]byte", bytes),
            _ => self.value(value, verb, 0)?,
        }
        Ok(())
    }

    /// `[7 42 255]`. Charts print whole files so: where they do, it is all that their render costs.
    fn byte_list(&mut self, bytes: &[u8], verb: char) -> Result<(), FormatError> {
        self.write("[");
        if !self.flags.is_plain() {
            for (at, byte) in bytes.iter().enumerate() {
                if at > 0 {
                    self.write(" ");
                }
                self.digits(u64::from(*byte), 10, false, verb);
                self.check()?;
            }
            self.write("]");
            return Ok(());
        }
        for chunk in bytes.chunks(BYTES_AT_ONCE) {
            let mut text = [0; BYTES_AT_ONCE * 4];
            let mut length = 0;
            for byte in chunk {
                let (digits, count) = DECIMALS[usize::from(*byte)];
                if let Some(place) = text.get_mut(length..length + 4) {
                    place.copy_from_slice(&digits);
                }
                length += count;
            }
            self.out.extend_from_slice(text.get(..length).unwrap_or_default());
            self.check()?;
        }
        if !bytes.is_empty() {
            // The space behind the last.
            self.out.pop();
        }
        self.write("]");
        Ok(())
    }

    fn go_bytes(&mut self, type_name: &str, bytes: &Rc<[u8]>) {
        self.write(type_name);
        self.write("{");
        for (at, byte) in bytes.iter().enumerate() {
            if at > 0 {
                self.write(", ");
            }
            self.go_hex(u64::from(*byte));
        }
        self.write("}");
    }

    fn bad_verb(&mut self, value: &Value, verb: char) -> Result<(), FormatError> {
        self.write("%!");
        self.push(verb);
        self.write("(");
        if matches!(value, Value::Nil) {
            self.write("<nil>");
        } else {
            self.out.extend_from_slice(value.type_name().as_bytes());
            self.write("=");
            let before = std::mem::replace(&mut self.erroring, true);
            let done = self.arg(value, 'v');
            self.erroring = before;
            done?;
        }
        self.write(")");
        Ok(())
    }

    fn value(&mut self, value: &Value, verb: char, depth: usize) -> Result<(), FormatError> {
        if depth > MAX_DEPTH {
            return Err(FormatError::TooDeep);
        }
        self.check()?;
        match value {
            Value::Nil if self.flags.sharp_v => self.write("interface {}(nil)"),
            Value::Nil => self.write("<nil>"),
            Value::Bool(truth) => match verb {
                't' | 'v' => self.pad(if *truth { b"true" } else { b"false" }),
                _ => self.bad_verb(value, verb)?,
            },
            Value::Int(number) | Value::Int64(number) => self.integer(value, *number as u64, true, verb)?,
            Value::Duration(nanos) => {
                if !self.erroring && !self.flags.sharp_v && matches!(verb, 'v' | 's' | 'x' | 'X' | 'q') {
                    let text = crate::duration::text(*nanos);
                    self.text(value, text.as_bytes(), verb)?;
                } else {
                    self.integer(value, *nanos as u64, true, verb)?;
                }
            }
            Value::Number(number) => match number.as_f32() {
                Some(float) => self.float(value, f64::from(float), Width::Single, verb)?,
                None => self.integer(value, number.bits, number.kind.kind().is_int(), verb)?,
            },
            Value::Float(float) => self.float(value, *float, Width::Double, verb)?,
            Value::Str(text) => self.text(value, text.as_bytes(), verb)?,
            Value::Bytes(bytes) => match verb {
                's' | 'x' | 'X' | 'q' => self.text(value, bytes, verb)?,
                _ if self.flags.sharp_v && depth > 0 => self.go_bytes("[]uint8", bytes),
                'v' | 'd' if !self.flags.sharp_v => {
                    self.byte_list(bytes, verb)?;
                }
                _ => {
                    let items: Vec<Value> = bytes.iter().map(|byte| Value::byte(*byte)).collect();
                    self.list("[]uint8", &items, verb, depth)?;
                }
            },
            Value::List(list) if list.is_nil() && self.flags.sharp_v => {
                self.write(list.ty().name);
                self.write("(nil)");
            }
            Value::Map(map) if map.is_nil() && self.flags.sharp_v => {
                self.write(map.ty().name);
                self.write("(nil)");
            }
            Value::List(list) => self.list(list.ty().name, list.as_slice(), verb, depth)?,
            Value::Map(map) => self.map(map.ty().name, &map.entries(), verb, depth)?,
            Value::Host(host) => self.host(value, host, verb, depth)?,
        }
        Ok(())
    }

    fn list(&mut self, type_name: &str, items: &[Value], verb: char, depth: usize) -> Result<(), FormatError> {
        let go = self.flags.sharp_v;
        if go {
            self.write(type_name);
        }
        self.write(if go { "{" } else { "[" });
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.write(if go { ", " } else { " " });
            }
            self.value(item, verb, depth + 1)?;
        }
        self.write(if go { "}" } else { "]" });
        Ok(())
    }

    fn map(&mut self, type_name: &str, entries: &[(Str, Value)], verb: char, depth: usize) -> Result<(), FormatError> {
        let go = self.flags.sharp_v;
        self.write(if go { type_name } else { "map[" });
        if go {
            self.write("{");
        }
        for (at, (key, item)) in entries.iter().enumerate() {
            if at > 0 {
                self.write(if go { ", " } else { " " });
            }
            self.value(&Value::Str(key.clone()), verb, depth + 1)?;
            self.write(":");
            self.value(item, verb, depth + 1)?;
        }
        self.write(if go { "}" } else { "]" });
        Ok(())
    }

    fn host(&mut self, value: &Value, host: &Rc<dyn Host>, verb: char, depth: usize) -> Result<(), FormatError> {
        if !self.erroring && !self.flags.sharp_v && matches!(verb, 'v' | 's' | 'x' | 'X' | 'q') {
            if host.is_nil() {
                self.write("<nil>");
                return Ok(());
            }
            if !host.text_is_of_pointer()
                && let Some(text) = host.text()
            {
                return self.text(value, text.as_bytes(), verb);
            }
        }
        if let Some(under) = host.underlying() {
            return match &under {
                Value::Map(map) => self.map(host.type_name(), &map.entries(), verb, depth),
                Value::List(list) => self.list(host.type_name(), list.as_slice(), verb, depth),
                under => self.value(under, verb, depth),
            };
        }
        match host.kind() {
            Kind::Struct => self.fields(host.type_name(), host, verb, depth),
            Kind::Ptr if depth == 0 && !host.is_nil() => {
                self.write("&");
                let name = host.type_name().trim_start_matches('*').to_owned();
                self.fields(&name, host, verb, depth + 1)
            }
            _ => self.pointer(value, verb),
        }
    }

    fn fields(&mut self, name: &str, host: &Rc<dyn Host>, verb: char, depth: usize) -> Result<(), FormatError> {
        let go = self.flags.sharp_v;
        if go {
            self.write(name);
        }
        self.write("{");
        for (at, (name, field)) in host.fields().into_iter().enumerate() {
            if at > 0 {
                self.write(if go { ", " } else { " " });
            }
            if go || self.flags.plus_v {
                self.write(name);
                self.write(":");
            }
            self.value(&field, verb, depth + 1)?;
        }
        self.write("}");
        Ok(())
    }

    /// Prints an address. Addresses differ from run to run in Go too.
    fn pointer(&mut self, value: &Value, verb: char) -> Result<(), FormatError> {
        let address = match value {
            Value::Map(map) => map.address(),
            Value::List(list) => list.as_slice().as_ptr().addr(),
            Value::Bytes(bytes) => bytes.as_ptr().addr(),
            Value::Host(host) if host.is_nil() => 0,
            Value::Host(host) => Rc::as_ptr(host).addr(),
            _ => return self.bad_verb(value, verb),
        };
        match verb {
            'v' if address == 0 => self.pad(b"<nil>"),
            'v' | 'p' => {
                let sharp = self.flags.sharp;
                self.flags.sharp = !sharp;
                self.digits(address as u64, 16, false, 'v');
                self.flags.sharp = sharp;
            }
            'b' | 'o' | 'd' | 'x' | 'X' => self.integer(value, address as u64, false, verb)?,
            _ => self.bad_verb(value, verb)?,
        }
        Ok(())
    }

    fn integer(&mut self, value: &Value, bits: u64, signed: bool, verb: char) -> Result<(), FormatError> {
        match verb {
            'v' if self.flags.sharp_v && !signed => self.go_hex(bits),
            'v' | 'd' => self.digits(bits, 10, signed, verb),
            'b' => self.digits(bits, 2, signed, verb),
            'o' | 'O' => self.digits(bits, 8, signed, verb),
            'x' | 'X' => self.digits(bits, 16, signed, verb),
            'c' => {
                let mut text = [0; 4];
                let c = rune(bits).encode_utf8(&mut text);
                self.pad(c.as_bytes());
            }
            'q' => {
                let mut text = Vec::new();
                quote_char(&mut text, rune(bits), self.flags.plus);
                self.pad(&text);
            }
            'U' => self.unicode(bits),
            _ => self.bad_verb(value, verb)?,
        }
        Ok(())
    }

    /// `%#v` of an unsigned number: always with `0x`.
    fn go_hex(&mut self, bits: u64) {
        let sharp = std::mem::replace(&mut self.flags.sharp, true);
        self.digits(bits, 16, false, 'v');
        self.flags.sharp = sharp;
    }

    fn digits(&mut self, bits: u64, radix: u64, signed: bool, verb: char) {
        let negative = signed && (bits as i64) < 0;
        let mut rest = if negative { bits.wrapping_neg() } else { bits };
        let flags = self.flags;
        if flags.is_plain() && radix == 10 && verb != 'O' {
            if negative {
                self.out.push(b'-');
            }
            // `u64::MAX` has 20 digits; filled from the last one.
            let mut text = [b'0'; 20];
            let mut length = 0;
            for digit in text.iter_mut().rev() {
                *digit = b'0' + (rest % 10) as u8;
                rest /= 10;
                length += 1;
                if rest == 0 {
                    break;
                }
            }
            self.out
                .extend_from_slice(text.get(text.len() - length..).unwrap_or_default());
            return;
        }
        let mut least = 0;
        if let Some(precision) = flags.precision {
            least = precision;
            if precision == 0 && rest == 0 {
                let zero = std::mem::take(&mut self.flags.zero);
                self.padding(flags.width.unwrap_or(0));
                self.flags.zero = zero;
                return;
            }
        } else if let Some(width) = flags.width.filter(|_| flags.zero && !flags.minus) {
            let sign = negative || flags.plus || flags.space;
            least = width.saturating_sub(usize::from(sign));
        }
        let table: &[u8; 16] = if verb == 'X' {
            b"0123456789ABCDEF"
        } else {
            b"0123456789abcdef"
        };
        // Built from the last digit to the first, then reversed.
        let mut text = Vec::with_capacity(least.max(20) + 4);
        loop {
            text.push(table.get((rest % radix) as usize).copied().unwrap_or(b'0'));
            rest /= radix;
            if rest == 0 {
                break;
            }
        }
        while text.len() < least {
            text.push(b'0');
        }
        if flags.sharp {
            match radix {
                2 => text.extend_from_slice(b"b0"),
                8 if text.last() != Some(&b'0') => text.push(b'0'),
                16 => text.extend_from_slice(if verb == 'X' { b"X0" } else { b"x0" }),
                _ => {}
            }
        }
        if verb == 'O' {
            text.extend_from_slice(b"o0");
        }
        if negative {
            text.push(b'-');
        } else if flags.plus {
            text.push(b'+');
        } else if flags.space {
            text.push(b' ');
        }
        text.reverse();
        self.pad_without_zeros(&text);
    }

    fn unicode(&mut self, bits: u64) {
        let precision = self.flags.precision.unwrap_or(4).max(4);
        let mut text = format!("U+{bits:0precision$X}");
        let c = u32::try_from(bits).ok().and_then(char::from_u32);
        if let Some(c) = c.filter(|c| self.flags.sharp && is_print(*c)) {
            text.push_str(&format!(" '{c}'"));
        }
        self.pad_without_zeros(text.as_bytes());
    }

    fn float(&mut self, value: &Value, float: f64, width: Width, verb: char) -> Result<(), FormatError> {
        let (format, default) = match verb {
            'v' => (b'g', None),
            'b' => (b'b', None),
            'g' => (b'g', None),
            'G' => (b'G', None),
            'x' => (b'x', None),
            'X' => (b'X', None),
            'f' | 'F' => (b'f', Some(6)),
            'e' => (b'e', Some(6)),
            'E' => (b'E', Some(6)),
            _ => return self.bad_verb(value, verb),
        };
        let flags = self.flags;
        let precision = flags.precision.or(default);
        let mut text = Vec::with_capacity(24);
        format_float(&mut text, float, format, precision, width);
        if !matches!(text.first(), Some(b'-' | b'+')) {
            text.insert(0, b'+');
        }
        if flags.space
            && !flags.plus
            && let Some(sign @ b'+') = text.first_mut()
        {
            *sign = b' ';
        }
        if !float.is_finite() {
            // Go drops the sign of NaN and keeps that of +Inf.
            if float.is_nan() && !flags.space && !flags.plus {
                text.remove(0);
            }
            self.pad_without_zeros(&text);
            return Ok(());
        }
        if flags.sharp && format != b'b' {
            keep_point(&mut text, verb, precision);
        }
        if flags.plus || text.first() != Some(&b'+') {
            let wide = flags
                .width
                .filter(|width| flags.zero && !flags.minus && *width > text.len());
            if let (Some(width), Some((sign, digits))) = (wide, text.split_first()) {
                self.out.push(*sign);
                self.padding(width - text.len());
                self.out.extend_from_slice(digits);
                return Ok(());
            }
            self.pad(&text);
            return Ok(());
        }
        self.pad(text.get(1..).unwrap_or_default());
        Ok(())
    }

    fn text(&mut self, value: &Value, text: &[u8], verb: char) -> Result<(), FormatError> {
        match verb {
            'v' if self.flags.sharp_v => self.quoted(text),
            'v' | 's' => self.string(text),
            'x' | 'X' => self.hex_bytes(text, verb),
            'q' => self.quoted(text),
            _ => self.bad_verb(value, verb)?,
        }
        Ok(())
    }

    fn truncated<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        let Some(precision) = self.flags.precision else {
            return text;
        };
        let mut end = 0;
        for _ in 0..precision {
            match decode(text.get(end..).unwrap_or_default()) {
                Some((_, size, _)) => end += size,
                None => break,
            }
        }
        text.get(..end).unwrap_or(text)
    }

    fn string(&mut self, text: &[u8]) {
        let text = self.truncated(text);
        self.pad(text);
    }

    fn quoted(&mut self, text: &[u8]) {
        let text = self.truncated(text);
        let mut out = Vec::with_capacity(text.len() + 2);
        if self.flags.sharp && can_backquote(text) {
            out.push(b'`');
            out.extend_from_slice(text);
            out.push(b'`');
        } else {
            quote(&mut out, text, self.flags.plus);
        }
        self.pad(&out);
    }

    fn hex_bytes(&mut self, text: &[u8], verb: char) {
        let flags = self.flags;
        let text = text.get(..flags.precision.unwrap_or(text.len())).unwrap_or(text);
        if text.is_empty() {
            self.padding(flags.width.unwrap_or(0));
            return;
        }
        let prefix: &[u8] = if verb == 'X' { b"0X" } else { b"0x" };
        let mut out = Vec::with_capacity(text.len() * 2 + 2);
        for (at, byte) in text.iter().enumerate() {
            if at > 0 && flags.space {
                out.push(b' ');
            }
            if flags.sharp && (at == 0 || flags.space) {
                out.extend_from_slice(prefix);
            }
            let pair = if verb == 'X' {
                format!("{byte:02X}")
            } else {
                format!("{byte:02x}")
            };
            out.extend_from_slice(pair.as_bytes());
        }
        self.pad(&out);
    }
}

/// What `#` does to a float: the point stays, and so do trailing zeros up to the precision.
fn keep_point(text: &mut Vec<u8>, verb: char, precision: Option<usize>) {
    let mut digits: i64 = match verb {
        'v' | 'g' | 'G' | 'x' => precision.map_or(6, |precision| precision as i64),
        _ => 0,
    };
    let mut end = text.len();
    let mut has_point = false;
    let mut significant = false;
    for (at, byte) in text.iter().enumerate().skip(1) {
        match byte {
            b'.' => has_point = true,
            b'p' | b'P' => {
                end = at;
                break;
            }
            b'e' | b'E' if !matches!(verb, 'x' | 'X') => {
                end = at;
                break;
            }
            _ => {
                significant |= *byte != b'0';
                if significant {
                    digits -= 1;
                }
            }
        }
    }
    let tail = text.split_off(end);
    if !has_point {
        if text.len() == 2 && text.get(1) == Some(&b'0') {
            digits -= 1;
        }
        text.push(b'.');
    }
    text.extend(std::iter::repeat_n(b'0', usize::try_from(digits).unwrap_or(0)));
    text.extend_from_slice(&tail);
}

fn rune(bits: u64) -> char {
    u32::try_from(bits).ok().and_then(char::from_u32).unwrap_or('\u{fffd}')
}

fn count_runes(mut text: &[u8]) -> usize {
    if let Ok(text) = std::str::from_utf8(text) {
        return text.chars().count();
    }
    let mut count = 0;
    while let Some((_, size, _)) = decode(text) {
        count += 1;
        text = text.get(size..).unwrap_or_default();
    }
    count
}
