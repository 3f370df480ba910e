//! The `[hotel]` section of the configuration.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The `[hotel]` section of `roomtone.toml`. Every key has a default; an unknown key is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HotelConfig {
    /// File that fills the hotel's store on its first start; relative to the configuration file.
    pub seed: PathBuf,
}

impl Default for HotelConfig {
    fn default() -> Self {
        HotelConfig { seed: PathBuf::from("hotel.toml") }
    }
}
