//! One thing that is wrong with a desk's files.

use std::fmt;

use serde::Serialize;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The desk works, but worse than it could.
    Warning,
    /// The desk is not opened with it.
    Error,
}

/// Something wrong, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// File inside the desk folder.
    pub file: String,
    /// Line, counted from 1; 0 if it is no line's fault.
    pub line: usize,
    /// How bad.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// What to do, one sentence without a full stop.
    pub remedy: Option<String>,
}

impl Finding {
    /// An error.
    pub fn error(file: &str, line: usize, message: impl Into<String>, remedy: impl Into<String>) -> Finding {
        let (message, remedy) = (message.into(), Some(remedy.into()));
        Finding {
            file: file.to_owned(),
            line,
            severity: Severity::Error,
            message,
            remedy,
        }
    }

    /// A warning.
    pub fn warning(
        file: &str,
        line: usize,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Finding {
        Finding {
            severity: Severity::Warning,
            ..Finding::error(file, line, message, remedy)
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        write!(f, ": {}", self.message)
    }
}
