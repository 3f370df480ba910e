//! `desk.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::FactValue;

/// What is said once for the whole desk.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeskFile {
    /// Languages that are live, ISO 639-1; the first one opens a conversation.
    pub languages: Vec<String>,
    /// Time zone of the house, IANA name: dates and times are resolved against it (RC-026).
    pub time_zone: String,
    /// Values that every prompt may name.
    #[serde(default)]
    pub values: BTreeMap<String, FactValue>,
    /// Tools that may be used.
    #[serde(default)]
    pub tools: Vec<String>,
    /// Bounds of a conversation.
    #[serde(default)]
    pub limits: Limits,
    /// The keypad menu.
    #[serde(default)]
    pub keypad: Keypad,
    /// How recogniser grammars are made.
    #[serde(default)]
    pub grammar: GrammarSettings,
}

/// Bounds of a conversation: everything ends.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Turns, then a polite end.
    pub turns: u32,
    /// Minutes, then a polite end.
    pub minutes: i64,
    /// Words of one input that are read at all; a longer one is asked to be said shorter.
    pub words: usize,
    /// Confidence of a recogniser, 0 to 1, below which its words count as not understood (RC-045).
    pub min_confidence: f32,
    /// Score, 0 to 1, from which a reading is taken.
    pub accept: f32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            turns: 60,
            minutes: 20,
            words: 60,
            min_confidence: 0.0,
            accept: 0.7,
        }
    }
}

/// What keys do when nothing in particular was asked (RC-043).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Keypad {
    /// Intents for the keys 1 to 8, in order: a frame's name or `ask_info.TOPIC`.
    pub menu: Vec<String>,
}

/// How recogniser grammars are made.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GrammarSettings {
    /// May a caller ask something else while a form waits for an answer (RC-023)? Costs some accuracy there.
    pub questions_in_forms: bool,
}

impl Default for GrammarSettings {
    fn default() -> Self {
        GrammarSettings {
            questions_in_forms: true,
        }
    }
}
