//! A Go string: bytes that are usually, but not always, UTF-8.

use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;

/// An immutable Go string, cheap to clone.
///
/// Go strings are byte sequences: `trunc` may cut a character in two and `b64dec` may yield anything, so a
/// string can hold bytes that are not UTF-8. Those are kept as they are. Order, equality and hashing are
/// by bytes, as Go's.
#[derive(Clone)]
pub struct Str(Repr);

#[derive(Clone)]
enum Repr {
    Text(Rc<str>),
    /// Literals of parsed templates, which are shared between threads.
    Shared(Arc<str>),
    /// Known not to be UTF-8.
    Raw(Rc<[u8]>),
}

/// Where marks of bytes begin: the end of the last private plane, which no text uses together with bytes that are no text.
const MARKS: u32 = 0x10_ff00;

/// Whether a character stands for a byte that is no text.
pub(crate) fn is_mark(c: char) -> bool {
    u32::from(c) >= MARKS
}

impl Str {
    /// Returns the string of these bytes, keeping them as they are even where they are not UTF-8.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self(Repr::Text(text.into())),
            Err(_) => Self(Repr::Raw(bytes.into())),
        }
    }

    /// Returns the string of these bytes without copying them where the allocation can be kept.
    pub fn from_vec(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Self(Repr::Text(text.into())),
            Err(error) => Self(Repr::Raw(error.into_bytes().into())),
        }
    }

    /// Returns the bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Text(text) => text.as_bytes(),
            Repr::Shared(text) => text.as_bytes(),
            Repr::Raw(bytes) => bytes,
        }
    }

    /// Returns the text, `None` if the bytes are not UTF-8. Costs nothing.
    pub fn as_str(&self) -> Option<&str> {
        match &self.0 {
            Repr::Text(text) => Some(text),
            Repr::Shared(text) => Some(text),
            Repr::Raw(_) => None,
        }
    }

    /// Returns the text with U+FFFD for every byte that is not UTF-8, as Go's `range` over a string and
    /// most of its `strings` package see it.
    pub fn to_str(&self) -> Cow<'_, str> {
        match &self.0 {
            Repr::Text(text) => Cow::Borrowed(text),
            Repr::Shared(text) => Cow::Borrowed(text),
            Repr::Raw(bytes) => Cow::Owned(decoded(bytes, |_| Some(char::REPLACEMENT_CHARACTER))),
        }
    }

    /// Returns the text with a character for every byte that is not UTF-8, a different one for each, so that [`Str::unmarked`] finds the
    /// bytes again in what was cut out of it or put together with it.
    pub(crate) fn marked(&self) -> Cow<'_, str> {
        match &self.0 {
            Repr::Raw(bytes) => Cow::Owned(decoded(bytes, |byte| char::from_u32(MARKS + u32::from(byte)))),
            _ => self.to_str(),
        }
    }

    /// Returns the bytes of a text made of marked ones.
    pub(crate) fn unmarked(&self) -> Self {
        let mut bytes = Vec::with_capacity(self.len());
        for c in self.to_str().chars() {
            match u32::from(c).checked_sub(MARKS).map(u8::try_from) {
                Some(Ok(byte)) => bytes.push(byte),
                _ => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        Self::from_vec(bytes)
    }

    /// Returns the number of bytes, Go's `len`.
    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// Reports whether the string is empty.
    pub fn is_empty(&self) -> bool {
        self.as_bytes().is_empty()
    }
}

/// The text of bytes, with a character for each that is not UTF-8.
fn decoded(bytes: &[u8], stand_in: impl Fn(u8) -> Option<char>) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().filter_map(|byte| stand_in(*byte)));
    }
    text
}

impl Default for Str {
    fn default() -> Self {
        Self(Repr::Text(Rc::from("")))
    }
}

impl From<&str> for Str {
    fn from(text: &str) -> Self {
        Self(Repr::Text(text.into()))
    }
}

impl From<String> for Str {
    fn from(text: String) -> Self {
        Self(Repr::Text(text.into()))
    }
}

impl From<Rc<str>> for Str {
    fn from(text: Rc<str>) -> Self {
        Self(Repr::Text(text))
    }
}

impl From<Arc<str>> for Str {
    fn from(text: Arc<str>) -> Self {
        Self(Repr::Shared(text))
    }
}

impl From<Cow<'_, str>> for Str {
    fn from(text: Cow<'_, str>) -> Self {
        Self(Repr::Text(text.into()))
    }
}

impl PartialEq for Str {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<str> for Str {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<&str> for Str {
    fn eq(&self, other: &&str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Str {}

impl PartialOrd for Str {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Str {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for Str {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl Borrow<[u8]> for Str {
    fn borrow(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl AsRef<[u8]> for Str {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}
