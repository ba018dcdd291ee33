//! A path inside a tree.

use std::fmt;
use std::sync::Arc;

/// A normalised path relative to the root of a tree: parts joined by `/`, no `.`, no `..`, no empty part; the root is empty.
///
/// A value of this type cannot leave the tree by spelling (I-30); links are the [`super::Reader`]'s concern.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreePath(Arc<str>);

/// Why a text is not a path inside a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPath {
    /// `..` leads above the root.
    #[error("it leads above the root of the repository")]
    AboveRoot,
    /// It holds a NUL byte.
    #[error("it holds a NUL character")]
    Nul,
    /// It is absolute where only a relative path makes sense.
    #[error("it is absolute")]
    Absolute,
}

impl TreePath {
    /// The root.
    pub fn root() -> Self {
        Self("".into())
    }

    /// Normalises a text relative to the root: `./a//b/../c` is `a/c`. A leading `/` means the root.
    pub fn new(text: &str) -> Result<Self, BadPath> {
        Self::root().join(text.trim_start_matches('/'))
    }

    /// Normalises a text relative to this directory; it may go up, but not above the root.
    pub fn join(&self, text: &str) -> Result<Self, BadPath> {
        if text.starts_with('/') {
            return Err(BadPath::Absolute);
        }
        if text.contains('\0') {
            return Err(BadPath::Nul);
        }
        let mut parts: Vec<&str> = self.parts().collect();
        for part in text.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop().ok_or(BadPath::AboveRoot)?;
                }
                other => parts.push(other),
            }
        }
        Ok(Self(parts.join("/").into()))
    }

    /// One entry of this directory. `name` is an entry name from a listing, so it holds no `/`.
    pub fn child(&self, name: &str) -> Self {
        if self.0.is_empty() {
            Self(name.into())
        } else {
            Self(format!("{}/{name}", self.0).into())
        }
    }

    /// The directory above; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        if self.0.is_empty() {
            return None;
        }
        Some(Self(self.0.rsplit_once('/').map_or("", |(parent, _)| parent).into()))
    }

    /// The last part; empty for the root.
    pub fn name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&*self.0, |(_, name)| name)
    }

    /// The parts from the root down.
    pub fn parts(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/').filter(|p| !p.is_empty())
    }

    /// The path as text; empty for the root.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// This path relative to `base`, if it lies below it (or is it).
    pub fn strip_prefix(&self, base: &Self) -> Option<&str> {
        if base.is_root() {
            return Some(&self.0);
        }
        let rest = self.0.strip_prefix(&*base.0)?;
        if rest.is_empty() {
            Some(rest)
        } else {
            rest.strip_prefix('/')
        }
    }
}

impl fmt::Debug for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(if self.0.is_empty() { "." } else { &self.0 }, f)
    }
}

impl fmt::Display for TreePath {
    /// As [`TreePath::as_str`], with `.` for the root.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "." } else { &self.0 })
    }
}
