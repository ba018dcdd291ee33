//! Why a document could not be read.

use std::fmt;

/// The family an [`Error`] belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text is not YAML (go-yaml's scanner and parser errors).
    Syntax,
    /// The text is YAML, but go-yaml cannot decode it: unknown anchor, bad merge, bad tag.
    Decode,
    /// The value has no JSON form: a null key, an infinite number.
    Json,
    /// One of our [`Limits`](crate::Limits), or go-yaml's own alias ratio, was passed.
    Limit,
}

/// Why a document could not be read, in go-yaml's words where it has some.
///
/// `Display` prints what the Go library prints (without the `error converting YAML to JSON: ` that
/// `sigs.k8s.io/yaml.Unmarshal` puts in front): `yaml: line 3: mapping values are not allowed in this context`.
/// go-yaml counts the lines of parser errors from zero and leaves out line 0; `Display` does the same,
/// while [`line`](Error::line) is always the real one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The family.
    pub kind: ErrorKind,
    /// The line where the problem was seen, from 1, within the document that was parsed; 0 for a number without JSON form.
    pub line: usize,
    /// The column where the problem was seen, from 1, in characters; 0 with a line of 0.
    pub column: usize,
    /// What is wrong, without the place.
    pub message: String,
    /// The line go-yaml would print.
    printed_line: Option<usize>,
}

impl Error {
    /// A syntax error at a place, with the line go-yaml prints for it (0 for none).
    pub(crate) fn syntax(message: impl Into<String>, line: usize, column: usize, printed_line: usize) -> Self {
        let printed_line = (printed_line != 0).then_some(printed_line);
        Error {
            kind: ErrorKind::Syntax,
            line,
            column,
            message: message.into(),
            printed_line,
        }
    }

    /// An error that go-yaml prints without a place.
    pub(crate) fn at(kind: ErrorKind, message: impl Into<String>, line: usize, column: usize) -> Self {
        Error {
            kind,
            line,
            column,
            message: message.into(),
            printed_line: None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind, self.printed_line) {
            (ErrorKind::Json, _) => f.write_str(&self.message),
            (_, Some(line)) => write!(f, "yaml: line {line}: {}", self.message),
            (_, None) => write!(f, "yaml: {}", self.message),
        }
    }
}

impl std::error::Error for Error {}
