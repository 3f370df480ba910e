//! Sound to words.

use std::time::Duration;

use tokio::sync::oneshot;

use crate::{Error, Expectations};

/// An engine that listens.
pub trait Stt: Send + Sync + 'static {
    /// Name in configuration, metrics and errors.
    fn name(&self) -> &'static str;
    /// Begins an utterance. Costs nothing to the caller: the work is done on the engine's threads.
    ///
    /// # Errors
    /// The engine cannot use what is expected (an unusable grammar).
    fn start(&self, expectations: &Expectations, line: &Line) -> Result<Box<dyn Utterance>, Error>;
}

/// What an engine has learnt of one caller's voice and line. Belongs to a call; starts empty.
#[derive(Clone, Debug, Default)]
pub struct Line(pub(crate) std::sync::Arc<std::sync::Mutex<Option<Vec<f32>>>>);

/// One utterance being heard. Dropping it throws it away.
pub trait Utterance: Send {
    /// Gives sound: 16 kHz, in order, while the caller speaks. Never blocks.
    fn feed(&mut self, samples: &[i16]);
    /// No more sound: asks for the words.
    fn finish(self: Box<Self>) -> oneshot::Receiver<Result<Transcription, Error>>;
}

/// What was understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Transcription {
    /// The words, lower case; empty if there were none.
    pub text: String,
    /// `0.0..=1.0`: 0.5 is the border of rejection.
    pub confidence: f32,
    /// The speech does not fit what was expected; `text` is the nearest and must not be acted on.
    pub rejected: bool,
    /// What confidence was made of, in the engine's own unit, for calibration.
    pub score: f32,
    /// Language of the words, ISO 639-1.
    pub language: String,
    /// Sound that was heard.
    pub heard: Duration,
    /// From the request for the words to the words.
    pub took: Duration,
}
