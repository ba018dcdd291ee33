//! Findings about the user's input: results, not failures.

use std::fmt;

use pintle_model::tree::TreePath;

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad.
    pub severity: Severity,
    /// The file or directory it is about.
    pub path: TreePath,
    /// The line in it, from 1, where known.
    pub line: Option<usize>,
    /// What is wrong and what to do; never a scalar out of the file.
    pub message: String,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth saying; the result is whole.
    Warning,
    /// The result is not whole: nothing may be pruned by it.
    Error,
}

impl Diagnostic {
    pub(crate) fn error(path: &TreePath, line: Option<usize>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            path: path.clone(),
            line,
            message: message.into(),
        }
    }

    pub(crate) fn warning(path: &TreePath, line: Option<usize>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            path: path.clone(),
            line,
            message: message.into(),
        }
    }
}

impl fmt::Display for Diagnostic {
    /// `apps/web/deploy.yaml:12: message`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.path)?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        write!(f, " {}", self.message)
    }
}
