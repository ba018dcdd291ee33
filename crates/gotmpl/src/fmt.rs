//! Go's `fmt` over [`Value`]: `Sprint`, `Sprintln`, `Sprintf`.

mod directives;
mod number;

use directives::Directives;

use std::rc::Rc;

use crate::float::Width;
use crate::host::Host;
use crate::quote::{can_backquote, quote};
use crate::text::Str;
use crate::types::Kind;
use crate::unicode::decode;
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
        // An action prints what a pointer points to.
        Value::Host(host) if is_pointer_to_fields(&**host) => {
            let mut printer = Printer::new(out, limit);
            printer.fields(host.type_name().trim_start_matches('*'), host, 'v', 1)?;
            printer.check()
        }
        value => {
            let mut printer = Printer::new(out, limit);
            printer.arg(value, 'v')?;
            printer.check()
        }
    }
}

fn is_pointer_to_fields(host: &dyn Host) -> bool {
    host.kind() == Kind::Ptr && !host.is_nil() && host.text().is_none() && host.underlying().is_none()
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
    Directives::new(format, args).run(&mut printer)?;
    printer.check()
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
