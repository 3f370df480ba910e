//! What can go wrong.

use roomtone_base::Remedy;
use thiserror::Error;

/// Errors of the hotel's store.
#[derive(Debug, Error)]
pub enum Error {
    /// The store's file could not be used.
    #[error(transparent)]
    Store(#[from] roomtone_store::Error),
    /// The seed file can't be understood.
    #[error("the hotel's file: {0}")]
    Seed(String),
}

impl From<rusqlite::Error> for Error {
    fn from(e: rusqlite::Error) -> Self {
        Error::Store(e.into())
    }
}

impl Remedy for Error {
    fn retryable(&self) -> bool {
        match self {
            Error::Store(e) => e.retryable(),
            Error::Seed(_) => false,
        }
    }

    fn remedy(&self) -> Option<String> {
        match self {
            Error::Store(e) => e.remedy(),
            Error::Seed(_) => Some("correct the hotel's file".to_owned()),
        }
    }
}
