//! What a render may cost, as the settings say it.

use crate::GoDuration;

use super::config::{RenderLimits, not_negative};
use super::document::{Document, parse_bool};

/// A deeper stack than this no machine should be asked for: each level takes tens of kilobytes.
const MAX_DEPTH: u64 = 20_000;

pub(super) fn read(params: &mut Document<'_>) -> RenderLimits {
    let unpacked = "reposerver.disable.helm.manifest.max.extracted.size";
    let extracted = bound(params, "reposerver.helm.manifest.max.extracted.size", bytes);
    RenderLimits {
        manifest_bytes: bound(params, "reposerver.max.combined.directory.manifests.size", bytes),
        extracted_bytes: match params.parsed(unpacked, false, parse_bool) {
            true => Some(u64::MAX),
            false => extracted,
        },
        archive_entries: bound(params, "pintle.archive.max.entries", count),
        archive_ratio: bound(params, "pintle.archive.max.ratio", count),
        time: bound(params, "pintle.render.timeout", |text| match not_negative(text)? {
            GoDuration::ZERO => Err(format!("{text:?} leaves no time")),
            time => Ok(time),
        }),
        rendered_bytes: bound(params, "pintle.render.max.size", bytes),
        steps: bound(params, "pintle.render.max.steps", count),
        depth: bound(params, "pintle.render.max.depth", |text| match count(text)? {
            depth @ 1..=MAX_DEPTH => u32::try_from(depth).map_err(|e| e.to_string()),
            _ => Err(format!("{text:?} is over {MAX_DEPTH}")),
        }),
    }
}

fn bound<T>(params: &mut Document<'_>, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
    params.parsed_or(key, &"the default", parse)
}

fn count(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err(format!("{text:?} is no whole number from 1 up")),
        Ok(count) => Ok(count),
    }
}

/// Bytes as Kubernetes writes amounts: `10M`, `1.5G`, `512Mi`, `1000000`.
fn bytes(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is no amount of bytes, such as 10M or 512Mi");
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits).ok_or_else(wrong)?;
    let unit: u128 = match unit {
        "" => 1,
        "k" => 1_000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        "T" => 1_000_000_000_000,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        "Ti" => 1 << 40,
        _ => return Err(wrong()),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    // Nobody means a billionth of a byte; more digits than these would overflow.
    if whole.len() > 18 || fraction.len() > 9 || whole.len() + fraction.len() == 0 {
        return Err(wrong());
    }
    let digits: u128 = format!("{whole}{fraction}").parse().map_err(|_| wrong())?;
    let bytes = digits * unit / 10_u128.pow(fraction.len() as u32);
    match u64::try_from(bytes) {
        Ok(0) | Err(_) => Err(wrong()),
        Ok(bytes) => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn amounts_of_bytes_are_written_as_kubernetes_writes_them() {
        for (text, expected) in [
            ("10M", 10_000_000),
            ("1G", 1_000_000_000),
            ("1.5Gi", 3 << 29),
            ("1.", 1),
            (".5k", 500),
            ("1000000", 1_000_000),
            ("16Ti", 16 << 40),
        ] {
            assert_eq!(bytes(text), Ok(expected), "{text}");
        }
        for text in [
            "",
            "M",
            ".",
            "10 M",
            "-1",
            "1e3",
            "10MB",
            "0",
            "0.0001",
            "1.2.3",
            "99999999999999999999",
            "999999999999999999Ti",
        ] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }
}
