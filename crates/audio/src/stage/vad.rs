//! Is anybody speaking?

use earshot::Detector;

use crate::{Frame, frame::to_i16};

/// The detector's own frame: 16 ms at 16 kHz.
const WINDOW: usize = 256;
const RATE: u32 = 16_000;
/// No speech has been heard.
const SILENT_DBFS: f32 = -120.0;
/// How much the loudest level sinks in a window: 6 dB a second, so that a caller who turns soft is heard again.
const SINK_DB: f32 = 0.1;

/// How a voice is told from noise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VadConfig {
    /// Probability from which a window counts as speech, `0.0..=1.0`.
    pub threshold: f32,
    /// Speech windows within the last three that make an onset, 1 to 3; each is 16 ms.
    pub onset_windows: u32,
    /// Silent windows in a row that make an offset; each is 16 ms.
    pub offset_windows: u32,
    /// Windows quieter than this never count as speech, dBFS.
    pub floor_dbfs: f32,
    /// Nor do windows so many dB below the loudest of the last seconds: the detector holds on through the room's and
    /// the line's tail, which would be added to every pause.
    pub tail_db: f32,
}

impl Default for VadConfig {
    fn default() -> Self {
        VadConfig {
            threshold: 0.5,
            onset_windows: 2,
            offset_windows: 3,
            floor_dbfs: -55.0,
            tail_db: 30.0,
        }
    }
}

/// What the detector says. Places are in samples at 16 kHz since the stream began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VadEvent {
    /// Speech has begun.
    Onset {
        /// Where its first window begins.
        at: u64,
    },
    /// Speech has paused or ended.
    Offset {
        /// Where its last window ends.
        at: u64,
    },
}

/// Voice activity detection for 16 kHz frames after noise suppression; without that its false alarms multiply.
pub struct Vad {
    detector: Box<Detector>,
    config: VadConfig,
    window: [i16; WINDOW],
    filled: usize,
    position: u64,
    recent: [bool; 3],
    silent: u32,
    speaking: bool,
    last_speech_end: u64,
    /// Level of the loudest speech lately, dBFS, sinking.
    loudest_dbfs: f32,
}

impl Vad {
    /// For one stream.
    pub fn new(config: VadConfig) -> Self {
        Vad {
            detector: Detector::default_boxed(),
            config,
            window: [0; WINDOW],
            filled: 0,
            position: 0,
            recent: [false; 3],
            silent: 0,
            speaking: false,
            last_speech_end: 0,
            loudest_dbfs: SILENT_DBFS,
        }
    }

    /// Is speech going on?
    pub fn speaking(&self) -> bool {
        self.speaking
    }

    /// Looks at a 16 kHz frame; calls `event` for what it brings, at most twice for 20 ms. Others are ignored.
    pub fn process(&mut self, frame: &Frame, mut event: impl FnMut(VadEvent)) {
        if frame.rate != RATE {
            return;
        }
        for sample in frame.samples() {
            self.window[self.filled] = to_i16(*sample);
            self.filled += 1;
            if self.filled == WINDOW {
                self.filled = 0;
                self.position += WINDOW as u64;
                if let Some(e) = self.decide() {
                    event(e);
                }
            }
        }
    }

    fn decide(&mut self) -> Option<VadEvent> {
        let score = self.detector.predict_i16(&self.window);
        let power = self
            .window
            .iter()
            .map(|s| f32::from(*s) * f32::from(*s))
            .sum::<f32>()
            / WINDOW as f32;
        let level = 10.0 * (power / (32_768.0 * 32_768.0) + 1e-12).log10();
        let near = level >= self.loudest_dbfs - self.config.tail_db;
        let speech = score >= self.config.threshold && level >= self.config.floor_dbfs && near;
        self.loudest_dbfs = (self.loudest_dbfs - SINK_DB).max(SILENT_DBFS);
        if speech {
            self.loudest_dbfs = self.loudest_dbfs.max(level);
        }
        self.recent.rotate_left(1);
        self.recent[2] = speech;
        if speech {
            self.silent = 0;
            self.last_speech_end = self.position;
        } else {
            self.silent = self.silent.saturating_add(1);
        }
        if !self.speaking {
            let count = self.recent.iter().filter(|s| **s).count() as u32;
            if speech && count >= self.config.onset_windows {
                self.speaking = true;
                let first = self.recent.iter().position(|s| *s).unwrap_or(2) as u64;
                let at = self.position.saturating_sub((3 - first) * WINDOW as u64);
                return Some(VadEvent::Onset { at });
            }
        } else if self.silent >= self.config.offset_windows {
            self.speaking = false;
            return Some(VadEvent::Offset {
                at: self.last_speech_end,
            });
        }
        None
    }

    /// Forgets the stream.
    pub fn reset(&mut self) {
        self.detector.reset();
        self.filled = 0;
        self.position = 0;
        self.recent = [false; 3];
        self.silent = 0;
        self.speaking = false;
        self.last_speech_end = 0;
        self.loudest_dbfs = SILENT_DBFS;
    }
}
