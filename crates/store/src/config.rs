//! The `[store]` section of the configuration.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The `[store]` section of `roomtone.toml`. Every key has a default; an unknown key is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreConfig {
    /// Folder for everything that is kept: rooms, hotel, evidence, phrases. `--state` wins over it.
    pub path: PathBuf,
}

impl Default for StoreConfig {
    fn default() -> Self {
        StoreConfig { path: PathBuf::from("/var/lib/roomtone") }
    }
}
