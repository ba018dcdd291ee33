//! Revisions as people read them.

/// Whether a text is a full commit id: 40 (SHA-1) or 64 (SHA-256) hexadecimal digits.
pub fn is_commit_sha(revision: &str) -> bool {
    matches!(revision.len(), 40 | 64) && revision.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The first seven digits of a commit id; anything else (a tag, a chart version) as it is.
pub fn short(revision: &str) -> &str {
    if is_commit_sha(revision) {
        revision.get(..7).unwrap_or(revision)
    } else {
        revision
    }
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn only_commits_are_shortened() {
        assert_eq!(short("f1e2d3c4b5a697887766554433221100ffeeddcc"), "f1e2d3c");
        assert_eq!(short("1.2.3-beta.4"), "1.2.3-beta.4");
        assert_eq!(short("f1e2d3c4b5"), "f1e2d3c4b5");
        assert_eq!(short(""), "");
    }
}
