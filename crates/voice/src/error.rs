//! What can go wrong with a call.

use roomtone_base::Remedy;
use thiserror::Error;

/// Errors of this crate.
#[derive(Debug, Error)]
pub enum Error {
    /// The caller hung up before the call was answered.
    #[error("the caller gave up")]
    CallerGone,
    /// The line could not be opened.
    #[error("the line could not be opened: {0}")]
    Line(String),
    /// The sound could not be set up.
    #[error(transparent)]
    Audio(#[from] roomtone_audio::Error),
    /// The room refused or failed.
    #[error(transparent)]
    Room(#[from] roomtone_room::Error),
    /// No room for another call on the real-time threads.
    #[error("no audio thread can take another call")]
    Full,
}

impl Remedy for Error {
    fn retryable(&self) -> bool {
        matches!(self, Error::Full | Error::Line(_))
    }

    fn remedy(&self) -> Option<String> {
        match self {
            Error::Full => Some("lower [sip] max_calls or use a machine with more cores".to_owned()),
            Error::Room(e) => e.remedy(),
            Error::Audio(e) => e.remedy(),
            Error::CallerGone | Error::Line(_) => None,
        }
    }
}
