//! F6: packed archives.

use std::{io::Write as _, sync::Arc};

use flate2::{Compression, write::GzEncoder};
use pintle_model::tree::TreePath;
use pintle_render::archive::{ArchiveLimits, Unpacked, unpack, unpack_layer};

use super::mutate::mutate;
use crate::oracle::random::Random;

const NAMES: &[&str] = &[
    "c/Chart.yaml",
    "c/templates/a.yaml",
    "c/TEMPLATES/a.yaml",
    "./c/values.yaml",
    "/etc/passwd",
    "../outside",
    "c/../../outside",
    "c\\..\\..\\outside",
    "C:\\windows",
    "c/./x",
    "c//x",
    "c/x/",
    "",
    ".",
    "..",
    "c/a\nb",
    "c/\u{1}",
    "c/ü",
    "c/very/deep/very/deep/very/deep/very/deep/very/deep/x",
    "PaxHeaders/c/x",
];

const LIMITS: ArchiveLimits = ArchiveLimits {
    entries: 20,
    file_bytes: 4096,
    total_bytes: 16 << 10,
    ratio: 200,
};

pub(super) fn run(random: &mut Random) -> Result<(), String> {
    let mut tar = Vec::new();
    let most = random.pick(&[3, 3, 3, 40]);
    for _ in 0..=random.below(most) {
        entry(random, &mut tar);
    }
    if random.chance(70) {
        tar.resize(tar.len() + 1024, 0);
    }
    if random.chance(60) {
        mutate(
            random,
            &mut tar,
            &[
                "c/x",
                "\0",
                "00000000777",
                "ustar\0",
                "path=../x\n",
                "30 path=/abs/olute\n",
            ],
        );
    }
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    let mut packed = packer
        .write_all(&tar)
        .and_then(|()| packer.finish())
        .map_err(|e| e.to_string())?;
    if random.chance(30) {
        mutate(random, &mut packed, &["\u{1f}", "\0", "\u{1f}\u{8b}"]);
    }
    for unpacked in [
        unpack(&packed, &LIMITS),
        unpack_layer(&packed, &LIMITS),
        unpack_layer(&tar, &LIMITS),
    ] {
        match unpacked {
            Ok(unpacked) => within_limits(&unpacked)?,
            Err(error) if error.to_string().is_empty() => return Err("an error without words".to_owned()),
            Err(_) => {}
        }
    }
    Ok(())
}

fn within_limits(unpacked: &Unpacked) -> Result<(), String> {
    let bytes: usize = unpacked.files.iter().map(|(_, bytes)| bytes.len()).sum();
    let largest = unpacked
        .files
        .iter()
        .map(|(_, bytes)| bytes.len())
        .max()
        .unwrap_or_default();
    if unpacked.files.len() as u64 > LIMITS.entries
        || bytes as u64 > LIMITS.total_bytes
        || largest as u64 > LIMITS.file_bytes
    {
        return Err(format!(
            "{} files, {bytes} bytes, the largest {largest}",
            unpacked.files.len()
        ));
    }
    let mut seen: Vec<String> = Vec::new();
    for (path, _) in &unpacked.files {
        let text = path.as_str();
        let bad = text.is_empty() || text.starts_with('/') || text.split('/').any(|p| matches!(p, "" | "." | ".."));
        if bad || TreePath::new(text).as_ref() != Ok(path) {
            return Err(format!("a file at {text:?}"));
        }
        seen.push(text.to_lowercase());
    }
    seen.sort();
    let count = seen.len();
    seen.dedup();
    if seen.len() == count {
        Ok(())
    } else {
        Err("two files at one place".to_owned())
    }
}

/// One entry with a header of its own making.
fn entry(random: &mut Random, tar: &mut Vec<u8>) {
    let content: Arc<[u8]> = match random.below(6) {
        0 => vec![b'x'; random.pick(&[0, 511, 512, 513, 4096, 4097, 20_000])].into(),
        1 => b"28 path=c/from/a/header\n21 size=99999999999\n".as_slice().into(),
        _ => b"apiVersion: v2\n".as_slice().into(),
    };
    let kind = random.pick(b"0000000\x0012345667xxgLKSDV\xff");
    let size = match random.below(12) {
        0 => random.pick(&[0, 1, u64::MAX / 2, 1 << 40, 8_589_934_591]),
        _ => content.len() as u64,
    };
    let mut header = [0_u8; 512];
    let mut put = |at: usize, bytes: &[u8]| {
        for (to, from) in header.iter_mut().skip(at).zip(bytes) {
            *to = *from;
        }
    };
    let name = random.pick(NAMES);
    put(0, name.as_bytes());
    put(100, b"0000644\0");
    match random.below(20) {
        // A size in binary.
        0 => put(124, &[&[0x80, 0, 0, 0], size.to_be_bytes().as_slice()].concat()),
        _ => put(124, format!("{size:011o}\0").as_bytes()),
    }
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, &[kind]);
    put(
        157,
        random
            .pick(&["", "", "/etc/passwd", "../../x", "c/Chart.yaml"])
            .as_bytes(),
    );
    put(257, b"ustar\x0000");
    if random.chance(10) {
        put(345, random.pick(NAMES).as_bytes());
    }
    if kind == b'S' {
        // A sparse file: pieces and the size they make.
        put(
            386,
            format!("{:011o}\0{:011o}\0", random.pick(&[0_u64, 512, 1 << 33]), content.len()).as_bytes(),
        );
        put(
            483,
            format!("{:011o}\0", random.pick(&[0_u64, 4096, 1 << 33, 1 << 40])).as_bytes(),
        );
    }
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    let sum = if random.chance(5) { 0 } else { sum };
    for (to, from) in header.iter_mut().skip(148).zip(format!("{sum:06o}\0 ").bytes()) {
        *to = from;
    }
    tar.extend_from_slice(&header);
    tar.extend_from_slice(&content);
    tar.resize(tar.len().next_multiple_of(512), 0);
}
