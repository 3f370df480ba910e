//! What can go wrong with speech.

use std::{path::PathBuf, time::Duration};

use roomtone_base::Remedy;
use thiserror::Error;

/// Errors of this crate.
#[derive(Debug, Error)]
pub enum Error {
    /// A library of an engine is not installed.
    #[error("{engine}: the library {library} is not installed")]
    LibraryMissing {
        /// The engine.
        engine: &'static str,
        /// Its soname.
        library: String,
        /// The Debian package that has it.
        package: &'static str,
    },
    /// A library is there but is not the one that is spoken here.
    #[error("{engine}: the library {library} has no function {symbol}")]
    LibraryWrong {
        /// The engine.
        engine: &'static str,
        /// Its soname.
        library: String,
        /// What was looked for.
        symbol: String,
    },
    /// A model's folder or file is not there.
    #[error("{engine}: {path} is not there")]
    ModelMissing {
        /// The engine.
        engine: &'static str,
        /// What was looked for.
        path: PathBuf,
        /// The Debian package that has it, if one has.
        package: Option<&'static str>,
    },
    /// An engine of this name does not exist.
    #[error("there is no {kind} engine {name:?}")]
    NoSuchEngine {
        /// `stt` or `tts`.
        kind: &'static str,
        /// The name that was given.
        name: String,
        /// What exists.
        known: &'static str,
    },
    /// The engine has no voice of this name.
    #[error("{engine} has no voice {voice:?}")]
    NoSuchVoice {
        /// The engine.
        engine: &'static str,
        /// The name that was given.
        voice: String,
        /// What exists.
        known: &'static str,
    },
    /// The grammar cannot be used.
    #[error("grammar {grammar}: {problem}")]
    Grammar {
        /// Its name.
        grammar: String,
        /// What is wrong.
        problem: String,
    },
    /// Words of the grammar have no pronunciation.
    #[error("grammar {grammar}: no pronunciation for {}", .words.join(", "))]
    UnknownWords {
        /// Its name.
        grammar: String,
        /// The words.
        words: Vec<String>,
    },
    /// The engine failed on this piece of work; the next may succeed.
    #[error("{engine}: {problem}")]
    Engine {
        /// The engine.
        engine: &'static str,
        /// What it said.
        problem: String,
    },
    /// The engine did not answer in time.
    #[error("{engine}: no answer within {} ms", .after.as_millis())]
    Timeout {
        /// The engine.
        engine: &'static str,
        /// How long was waited.
        after: Duration,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Remedy for Error {
    fn retryable(&self) -> bool {
        matches!(
            self,
            Error::Engine { .. } | Error::Timeout { .. } | Error::Io { .. }
        )
    }

    fn remedy(&self) -> Option<String> {
        match self {
            Error::LibraryMissing { package, .. } => Some(format!("install it: apt-get install {package}")),
            Error::ModelMissing {
                package: Some(package),
                ..
            } => Some(format!("install it: apt-get install {package}")),
            Error::LibraryWrong { library, .. } => {
                Some(format!("install the version of {library} that Debian 12 ships"))
            }
            Error::NoSuchEngine { known, .. } => Some(format!("use one of: {known}")),
            Error::NoSuchVoice { known, .. } => Some(format!("use one of: {known}")),
            Error::UnknownWords { .. } => {
                Some("add them to [pronunciations] in the desk's lexicon.toml, or use other words".to_owned())
            }
            _ => None,
        }
    }
}
