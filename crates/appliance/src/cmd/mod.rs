//! The verbs of the command line, one file each.

pub(crate) mod call;
pub(crate) mod check;
pub(crate) mod run;
pub(crate) mod trace;
pub(crate) mod transcript;
pub(crate) mod version;

use std::path::PathBuf;

use crate::config::{Loaded, Mistake};

/// Where configuration and state are, as the command line says.
pub(crate) struct Place {
    pub(crate) config: PathBuf,
    pub(crate) state: Option<PathBuf>,
}

impl Place {
    /// The configuration.
    pub(crate) fn load(&self) -> Result<Loaded, Mistake> {
        Loaded::read(&self.config)
    }

    /// The state folder, for verbs that only read it: named on the command line, no configuration is needed.
    pub(crate) fn state_to_read(&self) -> Result<PathBuf, Mistake> {
        match &self.state {
            Some(state) => Ok(state.clone()),
            None => self.load().map(|loaded| self.state(&loaded)),
        }
    }

    /// The folder for everything that is kept.
    pub(crate) fn state(&self, loaded: &Loaded) -> PathBuf {
        self.state
            .clone()
            .unwrap_or_else(|| loaded.path(&loaded.config.store.path))
    }
}
