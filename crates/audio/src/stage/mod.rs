//! The real-time stages. Each owns the state of one stream, so that streams cannot mix (VP-052), allocates only while
//! it is built, and gives the same frames out for the same frames in.

mod cleanup;
mod conceal;
mod gain;
mod resample;
mod vad;

pub use cleanup::Cleanup;
pub use conceal::Concealer;
pub use gain::Gain;
pub use resample::Resampler;
pub use vad::{Vad, VadConfig, VadEvent};

use crate::Frame;

/// One step of a pipeline.
pub trait Stage: Send {
    /// Name in errors, metrics and taps.
    fn name(&self) -> &'static str;
    /// Works on the frame in place; may change its rate and length. Never fails: a stage that cannot help hands the
    /// frame on as it was (VP-063).
    fn process(&mut self, frame: &mut Frame);
    /// Forgets the stream: the next frame is the first of a new one (VP-055).
    fn reset(&mut self);
}
