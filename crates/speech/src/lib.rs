//! Speech to text and text to speech: traits, engines, workers, phrase cache.
mod expect;

pub use expect::{Context, Expectations, Expected, Grammar};
