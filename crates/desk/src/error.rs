//! What can go wrong.

use std::path::PathBuf;

use roomtone_base::Remedy;
use thiserror::Error;

use crate::pack::Finding;

/// Errors of the desk.
#[derive(Debug, Error)]
pub enum Error {
    /// A desk file could not be read.
    #[error("can't read {path}: {source}")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A desk file holds something that can't be understood.
    #[error("{0}")]
    File(Finding),
    /// The desk's files contradict each other; all findings, the first one is shown.
    #[error("{} finding(s), the first: {}", .0.len(), .0.first().map(ToString::to_string).unwrap_or_default())]
    Pack(Vec<Finding>),
    /// A tool was called with something that it doesn't take, or without what it needs.
    #[error("tool {tool} was not called: {reason}")]
    ToolRefused {
        /// The tool.
        tool: String,
        /// What is missing or wrong.
        reason: String,
    },
    /// A stored conversation can't be continued with these files.
    #[error("the conversation can't go on: {0}")]
    State(String),
}

impl Remedy for Error {
    fn retryable(&self) -> bool {
        matches!(self, Error::Read { .. })
    }

    fn remedy(&self) -> Option<String> {
        match self {
            Error::Read { path, .. } => Some(format!("check that {} exists and may be read", path.display())),
            Error::File(f) => f.remedy.clone(),
            Error::Pack(all) => all.first().and_then(|f| f.remedy.clone()),
            Error::ToolRefused { .. } | Error::State(_) => None,
        }
    }
}
