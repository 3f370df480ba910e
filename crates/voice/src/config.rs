//! The `[voice]` section of the configuration.

use serde::{Deserialize, Serialize};

/// What happens when the caller speaks while the desk speaks (VP-120 ff.).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interruption {
    /// Stop as soon as speech is detected.
    Immediate,
    /// Turn down at once, stop after `min_speech_ms` of speech; shorter sounds change nothing.
    #[default]
    Confirmed,
    /// Never stop; what was said meanwhile is answered afterwards.
    Disabled,
}

/// The `[voice]` section of `roomtone.toml`. Every key has a default; an unknown key is refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VoiceConfig {
    /// Milliseconds of silence after which the caller has finished, 100 to 3000.
    pub endpoint_ms: u32,
    /// `"confirmed"`, `"immediate"` or `"disabled"`: what happens when the caller talks over the desk.
    pub interruption: Interruption,
    /// Milliseconds of speech that confirm an interruption, 100 to 2000.
    pub min_speech_ms: u32,
    /// Milliseconds of silence after the desk has spoken until it asks again, 2000 to 60000.
    pub no_input_ms: u32,
    /// Milliseconds after which a caller who does not stop talking is taken as having finished, 3000 to 30000.
    pub max_speech_ms: u32,
    /// Minutes after which a call is ended, 1 to 240.
    pub max_call_minutes: u32,
    /// What callers hear when the box is switched off while they talk. Short: there is a second and a half for it.
    pub closing: String,
}

impl Default for VoiceConfig {
    fn default() -> Self {
        VoiceConfig {
            endpoint_ms: 300,
            interruption: Interruption::Confirmed,
            min_speech_ms: 300,
            no_input_ms: 8_000,
            max_speech_ms: 15_000,
            max_call_minutes: 20,
            closing: "I have to go, goodbye.".to_owned(),
        }
    }
}

impl VoiceConfig {
    /// What is out of range: key and what is allowed.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let ranges = [
            ("endpoint_ms", self.endpoint_ms, 100, 3_000),
            ("min_speech_ms", self.min_speech_ms, 100, 2_000),
            ("no_input_ms", self.no_input_ms, 2_000, 60_000),
            ("max_speech_ms", self.max_speech_ms, 3_000, 30_000),
            ("max_call_minutes", self.max_call_minutes, 1, 240),
        ];
        let wrong = ranges
            .into_iter()
            .filter(|(_, value, low, high)| !(low..=high).contains(&value));
        wrong
            .map(|(key, value, low, high)| (key, format!("{value} is not within {low} to {high}")))
            .collect()
    }
}
