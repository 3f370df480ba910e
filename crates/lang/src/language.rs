//! What a language can do.

use jiff::civil::Date;

use crate::{English, Kind, Normalised, Reading, Rules, Value};

/// A language, spoken and understood. Stateless; one value serves every conversation.
pub trait Language: Send + Sync {
    /// ISO 639-1.
    fn code(&self) -> &'static str;

    /// Text as tokens: lower case, digits as words, contractions opened, hesitations and markup cut. Every token keeps
    /// its place in `text`.
    fn normalise(&self, text: &str) -> Normalised;

    /// The words that a contraction stands for; `None` if `word` is none.
    fn open(&self, word: &str) -> Option<&'static str>;

    /// The value rules by name (every [`Kind::name`], `yes`, `no`, `yes_no`, `room_number_N` for
    /// room numbers of exactly N digits, 1 to 4) and their parts.
    fn rules(&self) -> &'static Rules;

    /// All readings of `kind` in normalised `words`, wherever they stand, longest first. Dates are resolved against
    /// `today`.
    fn read(&self, kind: Kind, words: &[&str], today: Date) -> Vec<Reading<Value>>;

    /// The value in words, without a single digit (RC-041). Reads back to the same value, text excepted.
    fn say(&self, value: &Value) -> String;

    /// The value in as few words as the ear needs when its fellow is said in full: "seven" in "from seven to half past
    /// ten in the morning".
    fn say_short(&self, value: &Value) -> String;
}

/// The language of that ISO 639-1 code, if it is built in.
pub fn language(code: &str) -> Option<&'static dyn Language> {
    match code {
        "en" => Some(&English),
        _ => None,
    }
}
