//! Gzipped tar archives as files in memory: charts and OCI layers.
//!
//! An archive comes from outside and is believed nothing: every entry is a regular file or a directory with a path of its own below the
//! root, and what it unpacks to is bounded in files, bytes and ratio before it is held.

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::Arc;

use flate2::read::GzDecoder;
use pintle_model::tree::{FixedTree, TreePath};
use tar::EntryType;

/// What unpacking may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ArchiveLimits {
    /// Most entries, directories included. 20,000 by default; the largest public charts with their dependencies have under 2,000.
    pub entries: u64,
    /// Largest file in bytes. 5 MiB by default, as Helm.
    pub file_bytes: u64,
    /// Bytes of all files together. 100 MiB by default, as Helm.
    pub total_bytes: u64,
    /// Most bytes that may come out for each byte that went in, counted once 16 MiB are out. 200 by default: text packs 20 to 1.
    pub ratio: u64,
}

impl Default for ArchiveLimits {
    fn default() -> Self {
        Self {
            entries: 20_000,
            file_bytes: 5 << 20,
            total_bytes: 100 << 20,
            ratio: 200,
        }
    }
}

/// Below this many unpacked bytes the ratio does not count: a small archive of blank lines harms nobody.
const RATIO_FREE_BYTES: u64 = 16 << 20;

/// Why an archive is refused. No case is worth a second try with the same bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// It does not begin as gzip.
    #[error("not a gzipped archive")]
    NotGzip,
    /// The gzip or tar stream is damaged or cut off.
    #[error("damaged archive: {0}")]
    Damaged(String),
    /// It holds no files.
    #[error("no files in chart archive")]
    Empty,
    /// Too many entries.
    #[error("the archive has more than {limit} entries")]
    TooManyEntries {
        /// The bound.
        limit: u64,
    },
    /// One file is too large.
    #[error("decompressed chart file {path:?} is larger than the maximum file size {limit}")]
    FileTooLarge {
        /// The entry's name.
        path: String,
        /// The bound in bytes.
        limit: u64,
    },
    /// All files together are too large.
    #[error("decompressed chart is larger than the maximum size {limit}")]
    TooLarge {
        /// The bound in bytes.
        limit: u64,
    },
    /// It unpacks to far more than it is: a bomb.
    #[error("the archive unpacks to more than {limit} times its size")]
    Ratio {
        /// The bound.
        limit: u64,
    },
    /// A symbolic or hard link.
    #[error("the archive holds a link: {path:?}")]
    Link {
        /// The entry's name.
        path: String,
    },
    /// A device, a pipe, or something else that is no file.
    #[error("the archive holds {path:?}, which is neither a file nor a directory")]
    Special {
        /// The entry's name.
        path: String,
    },
    /// An absolute path.
    #[error("chart illegally contains absolute paths: {path:?}")]
    Absolute {
        /// The entry's name.
        path: String,
    },
    /// A path with `..` in it.
    #[error("chart illegally references parent directory: {path:?}")]
    Parent {
        /// The entry's name.
        path: String,
    },
    /// A path that is no text, or holds what no path may.
    #[error("chart contains illegally named files: {path:?}")]
    BadName {
        /// The entry's name, made printable.
        path: String,
    },
    /// The same path twice.
    #[error("the archive holds {path:?} twice")]
    Duplicate {
        /// The entry's name.
        path: String,
    },
    /// Two paths that differ only in case: on some file systems they are one.
    #[error("the archive holds {path:?} twice, in different case")]
    CaseCollision {
        /// The entry's name.
        path: String,
    },
}

/// The files of an archive, in its order.
#[derive(Clone)]
pub struct Unpacked {
    /// Paths and contents.
    pub files: Vec<(TreePath, Arc<[u8]>)>,
}

impl Unpacked {
    /// The files as a tree.
    pub fn tree(&self) -> FixedTree {
        FixedTree::new(self.files.iter().cloned())
    }
}

/// Unpacks a gzipped tar archive.
pub fn unpack(packed: &[u8], limits: &ArchiveLimits) -> Result<Unpacked, ArchiveError> {
    if !is_gzip(packed) {
        return Err(ArchiveError::NotGzip);
    }
    read(GzDecoder::new(packed), packed.len(), limits)
}

/// Unpacks a layer of a registry's artifact: a tar archive, gzipped or not.
pub fn unpack_layer(packed: &[u8], limits: &ArchiveLimits) -> Result<Unpacked, ArchiveError> {
    if is_gzip(packed) {
        return unpack(packed, limits);
    }
    read(packed, packed.len(), limits)
}

fn is_gzip(packed: &[u8]) -> bool {
    packed.starts_with(&[0x1f, 0x8b])
}

fn read(stream: impl Read, packed: usize, limits: &ArchiveLimits) -> Result<Unpacked, ArchiveError> {
    let ratio_bytes = (packed as u64).saturating_mul(limits.ratio).max(RATIO_FREE_BYTES);
    // Headers and padding come on top of the files: at most 1.5 KiB for each entry, names apart.
    let stream_bytes = limits
        .total_bytes
        .saturating_add(limits.entries.saturating_mul(4096))
        .min(ratio_bytes);
    let damaged = |e: std::io::Error| match e.get_ref().and_then(|e| e.downcast_ref::<Exceeded>()) {
        Some(Exceeded) if stream_bytes == ratio_bytes => ArchiveError::Ratio { limit: limits.ratio },
        Some(Exceeded) => ArchiveError::TooLarge {
            limit: limits.total_bytes,
        },
        None => ArchiveError::Damaged(e.to_string()),
    };
    let mut archive = tar::Archive::new(Bounded {
        inner: stream,
        left: stream_bytes,
    });
    let (mut files, mut entries, mut total) = (Vec::new(), 0_u64, 0_u64);
    let (mut seen, mut seen_folded) = (BTreeSet::new(), BTreeSet::new());
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        entries += 1;
        if entries > limits.entries {
            return Err(ArchiveError::TooManyEntries { limit: limits.entries });
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        match entry.header().entry_type() {
            EntryType::XGlobalHeader | EntryType::XHeader => continue,
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse | EntryType::Directory => {}
            EntryType::Symlink | EntryType::Link => return Err(ArchiveError::Link { path: name }),
            _ => return Err(ArchiveError::Special { path: name }),
        }
        let path = checked_path(&name)?;
        if entry.header().entry_type() == EntryType::Directory || name.ends_with('/') {
            continue;
        }
        if path.is_root() {
            return Err(ArchiveError::BadName { path: name });
        }
        let size = entry.size();
        if size > limits.file_bytes {
            return Err(ArchiveError::FileTooLarge {
                path: name,
                limit: limits.file_bytes,
            });
        }
        total += size;
        if total > limits.total_bytes {
            return Err(ArchiveError::TooLarge {
                limit: limits.total_bytes,
            });
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(damaged)?;
        if (bytes.len() as u64) < size {
            return Err(ArchiveError::Damaged(format!("{name:?} is cut off")));
        }
        if !seen.insert(path.clone()) {
            return Err(ArchiveError::Duplicate { path: name });
        }
        if !seen_folded.insert(path.as_str().to_lowercase()) {
            return Err(ArchiveError::CaseCollision { path: name });
        }
        files.push((path, bytes.into()));
    }
    if files.is_empty() {
        return Err(ArchiveError::Empty);
    }
    Ok(Unpacked { files })
}

/// The path of an entry; archives made on Windows may separate with `\`.
fn checked_path(name: &str) -> Result<TreePath, ArchiveError> {
    let path = || name.to_owned();
    let text = name.replace('\\', "/");
    if text.starts_with('/') {
        return Err(ArchiveError::Absolute { path: path() });
    }
    if text.split('/').any(|part| part == "..") {
        return Err(ArchiveError::Parent { path: path() });
    }
    let drive = text
        .split('/')
        .any(|part| matches!(part.as_bytes(), [letter, b':'] if letter.is_ascii_alphabetic()));
    if drive || text.contains('\u{fffd}') {
        return Err(ArchiveError::BadName { path: path() });
    }
    let parsed = TreePath::new(&text).map_err(|_| ArchiveError::BadName { path: path() })?;
    Ok(parsed)
}

/// The bound of [`Bounded`] was passed.
#[derive(Debug, thiserror::Error)]
#[error("the archive unpacks to more than is allowed")]
struct Exceeded;

/// A reader that fails, instead of ending, behind its bound.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self
            .left
            .checked_sub(count as u64)
            .ok_or_else(|| std::io::Error::other(Exceeded))?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    /// Name, kind and content.
    type Packed<'a> = (&'a str, EntryType, &'a [u8]);

    /// Writes entries as they are given, however bad.
    fn pack(entries: &[Packed<'_>]) -> Vec<u8> {
        let mut tar = Vec::new();
        for (name, kind, bytes) in entries {
            let mut header = tar::Header::new_ustar();
            header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
            header.set_entry_type(*kind);
            header.set_size(bytes.len() as u64);
            header.set_cksum();
            tar.extend_from_slice(header.as_bytes());
            tar.extend_from_slice(bytes);
            tar.resize(tar.len().next_multiple_of(512), 0);
        }
        tar.resize(tar.len() + 1024, 0);
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&tar).expect("writes to memory");
        gzip.finish().expect("writes to memory")
    }

    fn refused(entries: &[Packed<'_>], limits: &ArchiveLimits) -> String {
        match unpack(&pack(entries), limits) {
            Ok(_) => "accepted".into(),
            Err(e) => e.to_string(),
        }
    }

    #[test]
    fn files_come_out_in_order() {
        let packed = pack(&[
            ("c/b.yaml", EntryType::Regular, b"b"),
            ("c/", EntryType::Directory, b""),
            ("c/a.yaml", EntryType::Regular, b"a"),
        ]);
        let unpacked = unpack(&packed, &ArchiveLimits::default()).expect("a good archive");
        let names: Vec<&str> = unpacked.files.iter().map(|(p, _)| p.as_str()).collect();
        assert_eq!(names, ["c/b.yaml", "c/a.yaml"]);
        let mut plain = Vec::new();
        GzDecoder::new(&*packed)
            .read_to_end(&mut plain)
            .expect("a good archive");
        assert!(unpack(&plain, &ArchiveLimits::default()).is_err(), "a chart is gzipped");
        let layer = unpack_layer(&plain, &ArchiveLimits::default()).expect("a layer need not be");
        assert_eq!(layer.files.len(), 2);
    }

    #[test]
    fn hostile_archives_are_refused_by_name() {
        let limits = ArchiveLimits {
            entries: 3,
            file_bytes: 10,
            total_bytes: 15,
            ratio: 200,
        };
        let file = EntryType::Regular;
        let cases: [(&[Packed<'_>], &str); 9] = [
            (&[("c/l", EntryType::Symlink, b"")], "the archive holds a link: \"c/l\""),
            (&[("c/l", EntryType::Link, b"")], "the archive holds a link: \"c/l\""),
            (
                &[("c/f", EntryType::Fifo, b"")],
                "the archive holds \"c/f\", which is neither a file nor a directory",
            ),
            (
                &[("/c/f", file, b"")],
                "chart illegally contains absolute paths: \"/c/f\"",
            ),
            (
                &[("c/../f", file, b"")],
                "chart illegally references parent directory: \"c/../f\"",
            ),
            (
                &[("c/f", file, b""), ("c/f", file, b"")],
                "the archive holds \"c/f\" twice",
            ),
            (
                &[("c/f", file, b""), ("c/F", file, b"")],
                "the archive holds \"c/F\" twice, in different case",
            ),
            (
                &[("c/f", file, b"01234567890")],
                "decompressed chart file \"c/f\" is larger than the maximum file size 10",
            ),
            (
                &[("c/f", file, b"0123456789"), ("c/g", file, b"0123456789")],
                "decompressed chart is larger than the maximum size 15",
            ),
        ];
        for (entries, expected) in cases {
            assert_eq!(refused(entries, &limits), expected);
        }
        let four = [
            ("c/1", file, &b""[..]),
            ("c/2", file, b""),
            ("c/3", file, b""),
            ("c/4", file, b""),
        ];
        assert_eq!(refused(&four, &limits), "the archive has more than 3 entries");
        assert_eq!(refused(&[], &limits), "no files in chart archive");
        assert_eq!(unpack(b"PK", &limits).err(), Some(ArchiveError::NotGzip));
    }

    #[test]
    fn a_bomb_stops_at_the_ratio() {
        let zeros = vec![0_u8; 30 << 20];
        let limits = ArchiveLimits {
            file_bytes: 1 << 40,
            total_bytes: 1 << 40,
            ..ArchiveLimits::default()
        };
        assert_eq!(
            refused(&[("c/f", EntryType::Regular, &zeros)], &limits),
            "the archive unpacks to more than 200 times its size"
        );
    }

    #[test]
    fn a_cut_archive_is_damaged() {
        let packed = pack(&[("c/f", EntryType::Regular, &[7; 4000])]);
        let cut = &packed[..packed.len() / 2];
        assert!(matches!(
            unpack(cut, &ArchiveLimits::default()),
            Err(ArchiveError::Damaged(_))
        ));
    }
}
