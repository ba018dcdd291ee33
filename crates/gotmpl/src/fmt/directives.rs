//! Format strings.

use super::{Flags, FormatError, MAX_NUMBER, Printer};
use crate::unicode::decode;
use crate::value::Value;

/// Reads a format string: Go's state of `doPrintf`.
pub(super) struct Directives<'a> {
    format: &'a [u8],
    at: usize,
    args: &'a [Value],
    arg: usize,
    reordered: bool,
    good_index: bool,
}

impl<'a> Directives<'a> {
    pub(super) fn new(format: &'a [u8], args: &'a [Value]) -> Self {
        Self {
            format,
            at: 0,
            args,
            arg: 0,
            reordered: false,
            good_index: true,
        }
    }

    fn peek(&self) -> Option<u8> {
        self.format.get(self.at).copied()
    }

    pub(super) fn run(&mut self, printer: &mut Printer<'_>) -> Result<(), FormatError> {
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
