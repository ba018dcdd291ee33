//! Slash-separated paths as Go's `path`; on the systems Pintle runs on, `filepath` answers the same.

/// The last element: `.` for nothing, `/` for nothing but slashes.
pub fn base(path: &[u8]) -> &[u8] {
    if path.is_empty() {
        return b".";
    }
    let end = path.iter().rposition(|b| *b != b'/').map_or(0, |at| at + 1);
    let trimmed = path.get(..end).unwrap_or_default();
    let start = trimmed.iter().rposition(|b| *b == b'/').map_or(0, |at| at + 1);
    let name = trimmed.get(start..).unwrap_or_default();
    if name.is_empty() { b"/" } else { name }
}

/// All but the last element, cleaned.
pub fn dir(path: &[u8]) -> Vec<u8> {
    let end = path.iter().rposition(|b| *b == b'/').map_or(0, |at| at + 1);
    clean(path.get(..end).unwrap_or_default())
}

/// The extension with its dot, empty when there is none.
pub fn ext(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|b| matches!(b, b'/' | b'.')) {
        Some(at) if path.get(at) == Some(&b'.') => path.get(at..).unwrap_or_default(),
        _ => b"",
    }
}

/// The shortest equal path: no `.`, no `//`, `..` resolved as far as it goes.
pub fn clean(path: &[u8]) -> Vec<u8> {
    let rooted = path.starts_with(b"/");
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|b| *b == b'/') {
        match part {
            b"" | b"." => {}
            b".." if parts.last().is_some_and(|last| *last != b"..") => {
                parts.pop();
            }
            b".." if rooted => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join(b"/".as_slice());
    match (rooted, joined.is_empty()) {
        (true, _) => [b"/".as_slice(), &joined].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}
