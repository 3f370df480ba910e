//! The `[privacy]` section of the configuration.

use serde::{Deserialize, Serialize};

/// Whether the sound of calls is recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Record {
    /// Never.
    #[default]
    Off,
}

/// The `[privacy]` section of `roomtone.toml`. Every key has a default; an unknown key is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PrivacyConfig {
    /// Whether the sound of calls is recorded: `"off"`, the only value there is.
    pub record: Record,
    /// Keep what was said after the call. `false`: a conversation is deleted when its call has ended.
    pub store_transcript: bool,
    /// Days after which a conversation is deleted, 1 to 3650.
    pub transcript_days: u32,
}

impl Default for PrivacyConfig {
    fn default() -> Self {
        PrivacyConfig {
            record: Record::Off,
            store_transcript: true,
            transcript_days: 90,
        }
    }
}

impl PrivacyConfig {
    /// What is out of range: key and what is allowed.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let days = self.transcript_days;
        let wrong = !(1..=3_650).contains(&days);
        wrong
            .then(|| ("transcript_days", format!("{days} is not within 1 to 3650")))
            .into_iter()
            .collect()
    }
}
