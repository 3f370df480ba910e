//! The `[desk]` section of the configuration.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The `[desk]` section of `roomtone.toml`. Every key has a default; an unknown key is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeskConfig {
    /// Folder of the desk's files; relative to the configuration file.
    pub path: PathBuf,
    /// Language that a conversation begins in, ISO 639-1; one of the desk's own.
    pub language: String,
}

impl Default for DeskConfig {
    fn default() -> Self {
        DeskConfig { path: PathBuf::from("desk"), language: "en".to_owned() }
    }
}
