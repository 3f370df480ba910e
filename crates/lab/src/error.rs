//! What can go wrong in the laboratory.

use std::{io, path::PathBuf};

use roomtone_base::Remedy;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A WAV file cannot be read or written.
    #[error("{path}: {source}")]
    Wav {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: hound::Error,
    },
    /// The telephone could not be set up.
    #[error(transparent)]
    Sip(#[from] roomtone_sip::Error),
}

impl Remedy for Error {
    fn retryable(&self) -> bool {
        match self {
            Error::Wav { .. } => false,
            Error::Sip(e) => e.retryable(),
        }
    }

    fn remedy(&self) -> Option<String> {
        match self {
            Error::Wav {
                source: hound::Error::IoError(e),
                ..
            } if e.kind() == io::ErrorKind::NotFound => Some("check the file's name".into()),
            Error::Wav {
                source: hound::Error::IoError(_),
                ..
            } => None,
            Error::Wav { .. } => {
                Some("use a WAV file with 8, 16, 24 or 32 bit integers or 32 bit floats".into())
            }
            Error::Sip(e) => e.remedy(),
        }
    }
}
