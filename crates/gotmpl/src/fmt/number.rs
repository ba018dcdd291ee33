//! Numbers.

use super::{FormatError, Printer, rune};
use crate::float::{Width, format_float};
use crate::quote::quote_char;
use crate::unicode::is_print;
use crate::value::Value;

impl Printer<'_> {
    pub(super) fn integer(&mut self, value: &Value, bits: u64, signed: bool, verb: char) -> Result<(), FormatError> {
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
    pub(super) fn go_hex(&mut self, bits: u64) {
        let sharp = std::mem::replace(&mut self.flags.sharp, true);
        self.digits(bits, 16, false, 'v');
        self.flags.sharp = sharp;
    }

    pub(super) fn digits(&mut self, bits: u64, radix: u64, signed: bool, verb: char) {
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

    pub(super) fn float(&mut self, value: &Value, float: f64, width: Width, verb: char) -> Result<(), FormatError> {
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
