//! Text as tokens that remember where they stood.

/// A word and its place in the original text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Lower case, letters and apostrophes only.
    pub word: String,
    /// First byte in the original text.
    pub start: usize,
    /// Byte after the last. Tokens made from one original word share its place.
    pub end: usize,
}

/// A normalised text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Normalised {
    /// The words, in order.
    pub tokens: Vec<Token>,
}

impl Normalised {
    /// The bare words.
    pub fn words(&self) -> Vec<&str> {
        self.tokens.iter().map(|t| t.word.as_str()).collect()
    }

    /// The words joined by blanks.
    pub fn text(&self) -> String {
        self.words().join(" ")
    }
}
