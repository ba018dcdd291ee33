//! What goes wrong, in Go's words.

use std::fmt;

/// Why a template did not parse or did not finish.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error {
    /// Which of the families it is of; kept through every wrapping.
    pub kind: ErrorKind,
    /// The text, exactly Go's where Go has one.
    pub message: String,
}

/// The family of an [`Error`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorKind {
    /// The text is not a template.
    Parse,
    /// A template failed while running, in itself or in a function it called.
    Exec,
    /// A limit was reached; which one says [`Exceeded`]. Nothing more of this render can run.
    Exceeded(Exceeded),
}

/// The limits of an execution.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exceeded {
    /// Executed nodes and what functions charge for.
    Steps,
    /// Bytes written, intermediate texts included.
    OutputBytes,
    /// Templates within templates, or expressions and blocks within each other.
    Depth,
    /// The caller's `cancelled` said so: a deadline or a withdrawn request.
    Cancelled,
}

impl Exceeded {
    /// Returns the limit's name as settings and messages use it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Steps => "steps",
            Self::OutputBytes => "outputBytes",
            Self::Depth => "templateDepth",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Error {
    /// Returns an error of running.
    pub fn exec(message: impl Into<String>) -> Self {
        Self {
            kind: ErrorKind::Exec,
            message: message.into(),
        }
    }

    /// Returns an error of parsing.
    pub fn parse(message: impl Into<String>) -> Self {
        Self {
            kind: ErrorKind::Parse,
            message: message.into(),
        }
    }

    /// Returns the error of a limit reached.
    pub fn exceeded(limit: Exceeded) -> Self {
        let message = match limit {
            Exceeded::Steps => "the template executed more steps than allowed (steps)",
            Exceeded::OutputBytes => "the template wrote more bytes than allowed (outputBytes)",
            Exceeded::Depth => "templates or expressions are nested deeper than allowed (templateDepth)",
            Exceeded::Cancelled => "the execution was cancelled (cancelled)",
        };
        Self {
            kind: ErrorKind::Exceeded(limit),
            message: message.to_owned(),
        }
    }

    /// Reports whether a limit was reached.
    pub fn is_exceeded(&self) -> bool {
        matches!(self.kind, ErrorKind::Exceeded(_))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
