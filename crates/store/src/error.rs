//! What can go wrong with a file.

use roomtone_base::Remedy;
use roomtone_room::StoreError;
use rusqlite::ErrorCode;

/// What a database could not do. `file` is the file's name without its folder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "`file` and `detail` are the same everywhere")]
pub enum Error {
    /// The file is not a whole database.
    #[error("{file} is damaged: {detail}")]
    Damaged { file: String, detail: String },
    /// No space is left where the file is. Nothing of the refused request was written.
    #[error("the disk is full, {file} cannot grow")]
    DiskFull { file: String },
    /// The file or its folder may not be written.
    #[error("{file} may not be written")]
    ReadOnly { file: String },
    /// Another process held the file for too long.
    #[error("{file} is held by another process")]
    Busy { file: String },
    /// A newer program wrote the file.
    #[error("{file} has version {found}, this program knows {known}")]
    TooNew { file: String, found: u32, known: u32 },
    /// No upgrade leads from the file's version to this program's.
    #[error("{file} has version {found}, from which no upgrade leads to {known}")]
    NoUpgrade { file: String, found: u32, known: u32 },
    /// The file is a database of something else.
    #[error("{file} is not a {expected} database")]
    WrongFile { file: String, expected: &'static str },
    /// The file cannot be opened or read.
    #[error("{file} cannot be used: {detail}")]
    Unusable { file: String, detail: String },
    /// A row does not hold what this program writes.
    #[error("{file} holds a record that cannot be read: {detail}")]
    Record { file: String, detail: String },
    /// A statement was refused.
    #[error("{file}: {detail}")]
    Statement { file: String, detail: String },
    /// The database was closed.
    #[error("{file} is closed")]
    Closed { file: String },
}

/// Of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

const SOME_FILE: &str = "the database";

impl Error {
    pub(crate) fn record(detail: impl ToString) -> Self {
        Error::Record {
            file: SOME_FILE.to_owned(),
            detail: detail.to_string(),
        }
    }

    /// Names the file in an error that was made without knowing it.
    pub(crate) fn in_file(mut self, name: &str) -> Self {
        let (Error::Damaged { file, .. }
        | Error::DiskFull { file }
        | Error::ReadOnly { file }
        | Error::Busy { file }
        | Error::TooNew { file, .. }
        | Error::NoUpgrade { file, .. }
        | Error::WrongFile { file, .. }
        | Error::Unusable { file, .. }
        | Error::Record { file, .. }
        | Error::Statement { file, .. }
        | Error::Closed { file }) = &mut self;
        name.clone_into(file);
        self
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let (file, detail) = (SOME_FILE.to_owned(), error.to_string());
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Error::DiskFull { file },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Error::ReadOnly { file },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Busy { file },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Error::Damaged { file, detail },
            Some(ErrorCode::CannotOpen | ErrorCode::SystemIoFailure) => Error::Unusable { file, detail },
            Some(_) => Error::Statement { file, detail },
            None => match error {
                rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::IntegralValueOutOfRange(..) => Error::Record { file, detail },
                _ => Error::Statement { file, detail },
            },
        }
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Error::record(error)
    }
}

impl Remedy for Error {
    fn retryable(&self) -> bool {
        matches!(self, Error::DiskFull { .. } | Error::Busy { .. })
    }

    fn remedy(&self) -> Option<String> {
        let advice = match self {
            Error::Damaged { .. } | Error::Record { .. } => {
                "restore the file from a backup; keep the damaged one, what is whole in it can still be read"
            }
            Error::DiskFull { .. } => "free space on the disk; nothing has to be restarted",
            Error::ReadOnly { .. } => "let the program's user write to the file and its folder",
            Error::Busy { .. } => "end the other program that holds the file",
            Error::TooNew { .. } => {
                "install the program version that wrote the file, or restore an older backup"
            }
            Error::NoUpgrade { .. } => "upgrade through an older program version first",
            Error::WrongFile { .. } => "check the path in the configuration",
            Error::Unusable { .. } => "check that the folder exists and may be read and written",
            Error::Statement { .. } | Error::Closed { .. } => return None,
        };
        Some(advice.to_owned())
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        StoreError::Medium {
            retryable: error.retryable(),
            remedy: error.remedy(),
            message: error.to_string(),
        }
    }
}
