//! One way to read some words.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// What a reading had to assume; the dialogue decides it with what it knows (dialogue engine, section 3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Open {
    /// Morning or afternoon was not said: there is a second reading twelve hours away.
    Half,
    /// The month was not said; the next such day was taken.
    Month,
    /// The currency was not said.
    Currency,
}

/// A value read from words.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading<T> {
    /// Tokens that were read, as a half-open range.
    pub span: Range<usize>,
    /// What they mean.
    pub value: T,
    /// 0 to 1; a reading inside a longer one of the same kind scores half.
    pub score: f32,
    /// What was assumed.
    pub open: Vec<Open>,
}

impl<T> Reading<T> {
    /// The same reading of another value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Reading<U> {
        Reading {
            span: self.span,
            value: f(self.value),
            score: self.score,
            open: self.open,
        }
    }
}
