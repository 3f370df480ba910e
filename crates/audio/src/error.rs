//! What can go wrong while a pipeline is built. Running, nothing can.

use roomtone_base::Remedy;
use thiserror::Error;

/// Errors of this crate.
#[derive(Debug, Error)]
pub enum Error {
    /// A stage cannot work on these frames.
    #[error("{stage}: {problem}")]
    Stage {
        /// The stage's name.
        stage: &'static str,
        /// What does not fit.
        problem: String,
    },
    /// A pool thread could not be started.
    #[error("the audio pool could not start a thread: {0}")]
    Thread(#[source] std::io::Error),
}

impl Remedy for Error {
    fn retryable(&self) -> bool {
        matches!(self, Error::Thread(_))
    }

    fn remedy(&self) -> Option<String> {
        match self {
            Error::Stage { .. } => None,
            Error::Thread(_) => Some("raise the limit of threads for the service (TasksMax)".to_owned()),
        }
    }
}
