//! What a running call tells those who watch: the terminal, the console.

use roomtone_base::CallId;

use crate::Waterfall;

/// Something happened in a call.
#[derive(Clone, Debug)]
pub struct Progress {
    /// Which call.
    pub call: CallId,
    /// What.
    pub what: ProgressEvent,
}

/// What happened. Holds the words of the conversation: for the eyes of whoever runs the box, never for a log.
#[derive(Clone, Debug)]
pub enum ProgressEvent {
    /// The call was answered.
    Answered,
    /// The caller said something.
    Heard {
        /// The words; the nearest ones if refused.
        text: String,
        /// `0.0..=1.0`.
        confidence: f32,
        /// They were refused: not what can be said here.
        rejected: bool,
    },
    /// The caller pressed keys.
    Keys(
        /// Which.
        String,
    ),
    /// The caller said nothing.
    NoInput,
    /// The desk begins to speak.
    Saying {
        /// The words.
        text: String,
        /// Time from the caller's last speech, if it is an answer to speech.
        waterfall: Option<Waterfall>,
    },
    /// The caller stopped the desk.
    Interrupted {
        /// How much of the answer was sent, ms.
        heard_ms: u64,
    },
    /// The call is over.
    Ended {
        /// `caller`, `desk` or `failure`.
        by: &'static str,
        /// How long it lasted, s.
        seconds: f64,
    },
}
