//! Why a sentence was understood as it was (RC-064).

use serde::{Deserialize, Serialize};

use super::Command;

/// A reading of the whole sentence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// What it leads to: an intent's or a control's name, or `answer`.
    pub intent: String,
    /// The phrase or pattern that matched.
    pub rule: String,
    /// 0 to 1.
    pub score: f32,
}

/// What was made of a sentence.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Understood {
    /// Normalised words; empty where they must not be kept (RC-073).
    pub words: String,
    /// What the dialogue was told.
    pub commands: Vec<Command>,
    /// The best readings, best first, at most three.
    pub candidates: Vec<Candidate>,
}

impl Understood {
    /// Was nothing understood?
    pub fn rejected(&self) -> bool {
        self.commands.iter().any(|c| matches!(c, Command::Reject { .. }))
    }
}
