//! Words and values: numbers, times, dates, spelled letters, spoken and understood.
//!
//! One grammar for both directions (dialogue engine, section 3.3): a language is a set of [`Rules`]. The same rules
//! read a caller's words into values ([`Language::read`]), tell a recogniser what can be said ([`jsgf`]) and are
//! what [`Language::say`] is proved against: whatever is said reads back to the same value.
//!
//! **Invariants.** Pure functions: no clock, no randomness, no I/O. Today is an argument.

mod en;
mod expr;
pub mod jsgf;
mod language;
mod normal;
mod phrase;
mod reading;
mod sentence;
mod value;
mod walk;

pub use en::English;
pub use expr::{Expr, Mark, Rules, Tag};
pub use language::{Language, language};
pub use normal::{Normalised, Token};
pub use phrase::{PhraseError, parse_phrase};
pub use reading::{Open, Reading};
pub use sentence::sentences;
pub use value::{Kind, Money, Value};
pub use walk::{accepts, walk};
