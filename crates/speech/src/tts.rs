//! Words to sound.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::mpsc;

use crate::Error;

/// Sample rate of everything that is spoken.
pub const SPEECH_RATE: u32 = 16_000;

/// An engine that speaks.
pub trait Tts: Send + Sync + 'static {
    /// Name in configuration, metrics and errors.
    fn name(&self) -> &'static str;
    /// Begins to speak `text`; the sound streams in while it is made.
    ///
    /// # Errors
    /// At once if the voice is unknown; later failures come through the stream.
    fn speak(&self, text: &str, voice: &str) -> Result<SpeechStream, Error>;
}

/// Sound as it is made: 16 kHz, 16 bit, mono. Dropping it stops the engine.
#[derive(Debug)]
pub struct SpeechStream {
    chunks: mpsc::UnboundedReceiver<Result<Arc<[i16]>, Error>>,
    cancelled: Arc<AtomicBool>,
}

/// The engine's end of a [`SpeechStream`].
#[derive(Debug)]
pub struct SpeechSink {
    chunks: mpsc::UnboundedSender<Result<Arc<[i16]>, Error>>,
    cancelled: Arc<AtomicBool>,
}

impl SpeechStream {
    /// A stream and its sink.
    pub fn channel() -> (SpeechSink, SpeechStream) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let cancelled = Arc::new(AtomicBool::new(false));
        (
            SpeechSink {
                chunks: sender,
                cancelled: cancelled.clone(),
            },
            SpeechStream {
                chunks: receiver,
                cancelled,
            },
        )
    }

    /// A stream whose sound is there already.
    pub fn ready(samples: Arc<[i16]>) -> Self {
        let (sink, stream) = Self::channel();
        sink.push(samples);
        stream
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// The engine failed; what came before is good.
    pub async fn next(&mut self) -> Option<Result<Arc<[i16]>, Error>> {
        self.chunks.recv().await
    }

    /// The next piece, from a thread that may wait.
    ///
    /// # Errors
    /// As [`SpeechStream::next`].
    pub fn blocking_next(&mut self) -> Option<Result<Arc<[i16]>, Error>> {
        self.chunks.blocking_recv()
    }

    /// All of it, from a thread that may wait.
    ///
    /// # Errors
    /// As [`SpeechStream::next`].
    pub fn blocking_collect(mut self) -> Result<Vec<i16>, Error> {
        let mut all = Vec::new();
        while let Some(chunk) = self.blocking_next() {
            all.extend_from_slice(&chunk?);
        }
        Ok(all)
    }
}

impl Drop for SpeechStream {
    fn drop(&mut self) {
        self.cancelled.store(true, Ordering::Release);
    }
}

impl SpeechSink {
    /// Gives a piece; `false` if nobody listens any more.
    pub fn push(&self, samples: Arc<[i16]>) -> bool {
        !self.cancelled() && self.chunks.send(Ok(samples)).is_ok()
    }

    /// Ends the stream with a failure.
    pub fn fail(self, error: Error) {
        // Nobody may be listening any more, which is no failure.
        let _ = self.chunks.send(Err(error));
    }

    /// Nobody listens any more.
    pub fn cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }
}
