//! How much a word counts.

use std::collections::HashSet;

use crate::pack::Lexicon;

/// Weights of words: what tells one wish from another weighs one.
#[derive(Clone, Debug)]
pub(crate) struct Weights {
    fillers: HashSet<String>,
    light: HashSet<String>,
}

pub(crate) const CONTENT: f32 = 1.0;
pub(crate) const LIGHT: f32 = 0.25;
pub(crate) const FILLER: f32 = 0.04;

impl Weights {
    pub(crate) fn new(lexicon: &Lexicon) -> Weights {
        let set = |words: &[String]| words.iter().cloned().collect();
        Weights {
            fillers: set(&lexicon.fillers),
            light: set(&lexicon.light),
        }
    }

    pub(crate) fn of(&self, word: &str) -> f32 {
        if self.fillers.contains(word) {
            FILLER
        } else if self.light.contains(word) {
            LIGHT
        } else {
            CONTENT
        }
    }

    pub(crate) fn is_content(&self, word: &str) -> bool {
        self.of(word) >= CONTENT
    }

    pub(crate) fn is_filler(&self, word: &str) -> bool {
        self.fillers.contains(word)
    }
}
