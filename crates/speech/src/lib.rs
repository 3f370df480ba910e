//! Speech to text and text to speech: traits, engines, workers, phrase cache.
