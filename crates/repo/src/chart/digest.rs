//! SHA-256 digests as text.

use std::fmt::Write as _;

/// 64 hex digits.
pub(crate) fn parse_hex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut digest = [0; 32];
    for (i, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * i..2 * i + 2)?, 16).ok()?;
    }
    // from_str_radix accepts a sign.
    text.bytes().all(|b| b.is_ascii_hexdigit()).then_some(digest)
}

pub(crate) fn hex(digest: &[u8]) -> String {
    let mut text = String::with_capacity(2 * digest.len());
    for byte in digest {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// `sha256:<hex>`.
pub(crate) fn named(digest: &[u8; 32]) -> String {
    format!("sha256:{}", hex(digest))
}

/// Reads `sha256:<hex>`.
pub(crate) fn parse_named(text: &str) -> Option<[u8; 32]> {
    parse_hex(text.strip_prefix("sha256:")?)
}
