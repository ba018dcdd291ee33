//! Exit codes and how errors are said.

use std::io::Write as _;
use std::process::ExitCode;

use pintle_server::{ApiError, Code};

/// Wrong usage, a sync whose operation did not succeed, and a diff that is not empty [F6.4].
pub(crate) const USAGE: u8 = 1;
/// Wrong usage of `render` and `diff`, where 1 means changes.
pub(crate) const PREVIEW_USAGE: u8 = 2;
/// Everything else that goes wrong [F6.4].
pub(crate) const ERROR: u8 = 20;

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct CliError {
    /// The exit code.
    pub exit: u8,
    /// What went wrong.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// Nothing is printed: the output has said it, or nobody reads it.
    pub is_silent: bool,
}

impl CliError {
    /// Something went wrong.
    pub fn error(message: impl Into<String>) -> Self {
        Self {
            exit: ERROR,
            message: message.into(),
            hint: None,
            is_silent: false,
        }
    }

    /// The command line makes no sense.
    pub fn usage(message: impl Into<String>) -> Self {
        Self {
            exit: USAGE,
            ..Self::error(message)
        }
    }

    /// This version cannot; nothing was done.
    pub fn unsupported(what: impl std::fmt::Display) -> Self {
        Self::error(format!("{what} is not supported by this version; nothing was done"))
    }

    /// The output has said it all.
    pub(crate) fn silent(exit: u8) -> Self {
        Self {
            exit,
            is_silent: true,
            ..Self::error("")
        }
    }

    /// The same with a next step.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<ApiError> for CliError {
    fn from(error: ApiError) -> Self {
        Self {
            exit: ERROR,
            message: format!("{}: {}", kind(error.code), error.message),
            hint: error.hint,
            is_silent: false,
        }
    }
}

impl From<std::io::Error> for CliError {
    fn from(error: std::io::Error) -> Self {
        // `pintle app list | head` is no failure of ours.
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            Self::silent(0)
        } else {
            Self::error(error.to_string())
        }
    }
}

/// The sort of failure, in a word a person can act on.
fn kind(code: Code) -> &'static str {
    match code {
        Code::InvalidArgument | Code::AlreadyExists => "invalid request",
        Code::NotFound => "not found",
        Code::PermissionDenied | Code::Unauthenticated => "not allowed",
        Code::FailedPrecondition | Code::Aborted => "not now",
        Code::Unavailable | Code::DeadlineExceeded => "no answer",
        Code::Unimplemented => "not yet",
        Code::Internal => "internal error",
    }
}

/// Says an error on stderr and answers with its exit code.
pub(crate) fn report(error: &CliError) -> ExitCode {
    if !error.is_silent {
        let mut text = format!("error: {}\n", error.message);
        if let Some(hint) = &error.hint {
            text.push_str(&format!("hint: {hint}\n"));
        }
        // Where stderr is closed there is nobody to tell.
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
    ExitCode::from(error.exit)
}

/// Logs go to stderr, so that output can be piped.
pub(crate) fn log_to_stderr(level: &str) {
    let filter =
        tracing_subscriber::EnvFilter::try_new(level).unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    // Fails only where a test has set one already.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .try_init();
}
