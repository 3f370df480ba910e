//! Where the time of a turn went.

use serde::{Deserialize, Serialize};

/// Milliseconds from the caller's last speech to the first packet of the answer, by part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Waterfall {
    /// Speech ended → detected as ended: line, tick, filters, detector's hang-over.
    pub vad: f64,
    /// Detected → taken as the end of the turn: the endpoint's silence, less what detection has used of it.
    pub endpoint: f64,
    /// End of the turn → words.
    pub stt: f64,
    /// Words → answer delivered, without the desk: hooks, decisions, two commits to disk.
    pub room: f64,
    /// The desk's thinking and tools.
    pub desk: f64,
    /// Answer delivered → first sound.
    pub tts: f64,
    /// First sound → first packet on the wire.
    pub first_frame: f64,
}

impl Waterfall {
    /// All of it.
    pub fn total(&self) -> f64 {
        self.vad + self.endpoint + self.stt + self.room + self.desk + self.tts + self.first_frame
    }
}
