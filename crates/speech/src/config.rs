//! The `[speech]` section of the configuration.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Names of recognisers, for messages.
pub const STT_ENGINES: &str = "pocketsphinx";
/// Names of voices' engines, for messages.
pub const TTS_ENGINES: &str = "flite";

/// The `[speech]` section of `roomtone.toml`. Every key has a default; an unknown key is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpeechConfig {
    /// Engine that listens: `"pocketsphinx"` (English, closed grammars, no download).
    pub stt: String,
    /// Engine that speaks: `"flite"` (English, no download).
    pub tts: String,
    /// Voice of the desk: `"slt"` (female), `"rms"` or `"awb"` (male).
    pub voice: String,
    /// Processor cores that recognition may keep busy; each hears two callers at once. 1 to 64.
    pub cores: usize,
    /// Folder with the recogniser's model.
    pub model: PathBuf,
}

impl Default for SpeechConfig {
    fn default() -> Self {
        SpeechConfig {
            stt: "pocketsphinx".to_owned(),
            tts: "flite".to_owned(),
            voice: "slt".to_owned(),
            cores: 2,
            model: PathBuf::from(crate::pocketsphinx::DEFAULT_MODEL),
        }
    }
}
