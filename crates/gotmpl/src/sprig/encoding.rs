//! Base64 and base32; decoding answers the error as text, as sprig does.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::args::Args;
use crate::function::Functions;
use crate::text::Str;
use crate::types::Type as T;
use crate::value::Value;

pub(super) fn register(f: &mut Functions) {
    f.add("b64enc", &[T::String], T::String, |_, a| {
        Ok(STANDARD.encode(Args(a).bytes(0)).into())
    });
    f.add("b64dec", &[T::String], T::String, |_, a| {
        Ok(answer(decode64(Args(a).bytes(0))))
    });
    f.add("b32enc", &[T::String], T::String, |_, a| {
        Ok(encode32(Args(a).bytes(0)).into())
    });
    f.add("b32dec", &[T::String], T::String, |_, a| {
        Ok(answer(decode32(Args(a).bytes(0))))
    });
}

fn answer(decoded: Result<Vec<u8>, String>) -> Value {
    match decoded {
        Ok(bytes) => Value::Str(Str::from_vec(bytes)),
        Err(error) => error.into(),
    }
}

/// `base64.StdEncoding.DecodeString`: line breaks are skipped anywhere, padding is required, left-over bits are not
/// looked at. The error names the byte Go names.
pub(super) fn decode64(text: &[u8]) -> Result<Vec<u8>, String> {
    let value = |b: u8| match b {
        b'A'..=b'Z' => Some(b - b'A'),
        b'a'..=b'z' => Some(b - b'a' + 26),
        b'0'..=b'9' => Some(b - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let corrupt = |at: usize| Err(format!("illegal base64 data at input byte {at}"));
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0_usize);
    let mut input = text
        .iter()
        .copied()
        .enumerate()
        .filter(|(_, b)| !matches!(b, b'\r' | b'\n'));
    while let Some((at, b)) = input.next() {
        if let Some(v) = value(b) {
            bits = bits << 6 | u32::from(v);
            count += 1;
            if count == 4 {
                out.extend_from_slice(&bits.to_be_bytes()[1..]);
                (bits, count) = (0, 0);
            }
            continue;
        }
        if b != b'=' || count < 2 {
            return corrupt(at);
        }
        if count == 2 {
            match input.next() {
                Some((_, b'=')) => {}
                Some((at, _)) => return corrupt(at),
                None => return corrupt(text.len()),
            }
        }
        if let Some((at, _)) = input.next() {
            return corrupt(at);
        }
        bits <<= 6 * (4 - count) as u32;
        out.extend_from_slice(bits.to_be_bytes().get(1..count).unwrap_or_default());
        return Ok(out);
    }
    if count == 0 {
        Ok(out)
    } else {
        corrupt(text.len() - count)
    }
}

const ALPHABET32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn encode32(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for chunk in bytes.chunks(5) {
        let bits = chunk.iter().fold(0_u64, |bits, b| bits << 8 | u64::from(*b)) << (8 * (5 - chunk.len()));
        let digits = (chunk.len() * 8).div_ceil(5);
        for i in 0..8 {
            let index = (bits >> (35 - 5 * i) & 31) as usize;
            out.push(if i < digits {
                ALPHABET32.get(index).map_or('=', |b| char::from(*b))
            } else {
                '='
            });
        }
    }
    out
}

fn decode32(text: &[u8]) -> Result<Vec<u8>, String> {
    let clean: Vec<u8> = text.iter().copied().filter(|b| !matches!(b, b'\r' | b'\n')).collect();
    let corrupt = |at: usize| Err(format!("illegal base32 data at input byte {at}"));
    let mut out = Vec::with_capacity(clean.len() / 8 * 5);
    let mut at = 0;
    while at < clean.len() {
        let (mut bits, mut count) = (0_u64, 0);
        let block = clean.get(at..clean.len().min(at + 8)).unwrap_or_default();
        for (i, &b) in block.iter().enumerate() {
            match ALPHABET32.iter().position(|c| *c == b) {
                Some(v) => {
                    bits = bits << 5 | v as u64;
                    count += 1;
                }
                None if b == b'=' && i >= 2 => {
                    let rest = clean.len() - at - i - 1;
                    if rest + i + 1 < 8 {
                        return corrupt(clean.len());
                    }
                    for k in 0..7 - i {
                        if clean.get(at + i + 1 + k) != Some(&b'=') {
                            return corrupt(at + i + k);
                        }
                    }
                    if matches!(i, 1 | 3 | 6) {
                        return corrupt(at + i - 1);
                    }
                    bits <<= 5 * (8 - count);
                    out.extend_from_slice(bits.to_be_bytes().get(3..3 + count * 5 / 8).unwrap_or_default());
                    return if rest > 7 - i { corrupt(at + 8) } else { Ok(out) };
                }
                None => return corrupt(at + i),
            }
        }
        if count < 8 {
            return corrupt(clean.len() - count);
        }
        out.extend_from_slice(bits.to_be_bytes().get(3..).unwrap_or_default());
        at += 8;
    }
    Ok(out)
}
