//! Speech to text and text to speech: traits, engines, workers, phrase cache.
//!
//! **Invariants.** Inference runs on the engines' own threads; [`Utterance::feed`] and [`Tts::speak`] return at once.
//! An engine that fails costs one utterance, never a call.

pub mod calibrate;
mod config;
mod dynlib;
mod error;
mod expect;
pub mod flite;
pub mod level;
mod phrases;
pub mod pocketsphinx;
mod stt;
mod tts;

pub use config::{STT_ENGINES, SpeechConfig, TTS_ENGINES};
pub use error::Error;
pub use expect::{Context, Expectations, Expected, Grammar};
pub use phrases::Phrases;
pub use stt::{Line, Stt, Transcription, Utterance};
pub use tts::{SPEECH_RATE, SpeechSink, SpeechStream, Tts};
