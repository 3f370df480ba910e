//! One stretch of sound on its way through the stages.

/// Most samples of one frame: 20 ms at 48 kHz.
pub const MAX_SAMPLES: usize = 960;

/// What stages found out about a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Made up to fill a gap (VP-046).
    pub concealed: bool,
    /// Made up because the sender paused (VP-041).
    pub paused: bool,
    /// The noise suppressor saw it.
    pub denoised: bool,
}

/// Mono sound, `f32` in `-1.0..=1.0`, at most [`MAX_SAMPLES`] samples, without allocation.
#[derive(Clone, Debug)]
pub struct Frame {
    samples: [f32; MAX_SAMPLES],
    len: usize,
    /// Samples a second.
    pub rate: u32,
    /// Place of the first sample in its stream, in samples of `rate`.
    pub timestamp: u64,
    /// What is known about it.
    pub marks: Marks,
}

impl Frame {
    /// `len` samples of silence; at most [`MAX_SAMPLES`].
    pub fn silence(rate: u32, len: usize) -> Self {
        let len = len.min(MAX_SAMPLES);
        Frame {
            samples: [0.0; MAX_SAMPLES],
            len,
            rate,
            timestamp: 0,
            marks: Marks::default(),
        }
    }

    /// The samples.
    pub fn samples(&self) -> &[f32] {
        &self.samples[..self.len]
    }

    /// The samples, to change.
    pub fn samples_mut(&mut self) -> &mut [f32] {
        &mut self.samples[..self.len]
    }

    /// Sets the number of samples, at most [`MAX_SAMPLES`]; new ones keep whatever stood there.
    pub fn set_len(&mut self, len: usize) {
        self.len = len.min(MAX_SAMPLES);
    }

    /// Takes 16-bit samples.
    pub fn fill_i16(&mut self, samples: &[i16]) {
        self.set_len(samples.len());
        for (to, from) in self.samples.iter_mut().zip(samples) {
            *to = f32::from(*from) / 32_768.0;
        }
    }

    /// Root mean square in dBFS, 0 is full scale, -120 for silence.
    pub fn level_dbfs(&self) -> f32 {
        level_dbfs(self.samples())
    }
}

/// Root mean square of `samples` in dBFS, 0 is full scale, -120 for silence.
pub fn level_dbfs(samples: &[f32]) -> f32 {
    if samples.is_empty() {
        return -120.0;
    }
    let mean = samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32;
    if mean <= 1e-12 {
        -120.0
    } else {
        10.0 * mean.log10()
    }
}

/// One sample as 16 bit, clipped; NaN becomes silence.
pub fn to_i16(sample: f32) -> i16 {
    (sample * 32_768.0).clamp(-32_768.0, 32_767.0) as i16
}
