//! High-pass filter and noise suppression.

use sonora::{
    AudioProcessing, Config, StreamConfig,
    config::{HighPassFilter, NoiseSuppression, NoiseSuppressionLevel},
};

use super::Stage;
use crate::{Frame, Marks};

const RATE: u32 = 16_000;
const BLOCK: usize = RATE as usize / 100;
/// Amplitude of the dither: -180 dBFS. Digital silence makes adaptive filters slow down several times over, because
/// their states decay into denormal numbers; noise far below hearing prevents it on every processor.
const DITHER: f32 = 1e-9;

/// Removes hum and steady noise from 16 kHz frames, 10 ms at a time. Adds 6 ms of delay.
pub struct Cleanup {
    apm: Box<AudioProcessing>,
    noise: u32,
    input: [f32; BLOCK],
    output: [f32; BLOCK],
}

impl Cleanup {
    /// For one stream.
    pub fn new() -> Self {
        let mut cleanup = Cleanup {
            apm: Box::new(Self::apm()),
            noise: 1,
            input: [0.0; BLOCK],
            output: [0.0; BLOCK],
        };
        cleanup.settle();
        cleanup
    }

    fn apm() -> AudioProcessing {
        let config = Config {
            high_pass_filter: Some(HighPassFilter::default()),
            noise_suppression: Some(NoiseSuppression {
                level: NoiseSuppressionLevel::High,
                ..NoiseSuppression::default()
            }),
            ..Config::default()
        };
        let format = StreamConfig::new(RATE, 1);
        AudioProcessing::builder()
            .config(config)
            .capture_config(format)
            .render_config(format)
            .build()
    }

    /// The library allocates with its first frames: let it do so here and not on the first frame of a call.
    fn settle(&mut self) {
        for _ in 0..2 {
            self.block();
        }
    }

    fn block(&mut self) {
        for sample in &mut self.input {
            self.noise = self.noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *sample += (self.noise >> 8) as f32 / 8_388_608.0 * DITHER - DITHER;
        }
        if self
            .apm
            .process_capture_f32(&[&self.input], &mut [&mut self.output])
            .is_err()
        {
            self.output = self.input;
        }
    }
}

impl Default for Cleanup {
    fn default() -> Self {
        Self::new()
    }
}

impl Stage for Cleanup {
    fn name(&self) -> &'static str {
        "cleanup"
    }

    /// Takes 16 kHz frames of whole 10 ms; others pass unchanged.
    fn process(&mut self, frame: &mut Frame) {
        if frame.rate != RATE || !frame.samples().len().is_multiple_of(BLOCK) {
            return;
        }
        for start in (0..frame.samples().len()).step_by(BLOCK) {
            for (to, from) in self.input.iter_mut().zip(&frame.samples()[start..]) {
                // NaN or infinity would live in the filters for ever.
                *to = if from.is_finite() {
                    from.clamp(-1.0, 1.0)
                } else {
                    0.0
                };
            }
            self.block();
            frame.samples_mut()[start..start + BLOCK].copy_from_slice(&self.output);
        }
        frame.marks = Marks {
            denoised: true,
            ..frame.marks
        };
    }

    fn reset(&mut self) {
        *self.apm = Self::apm();
        self.input.fill(0.0);
        self.settle();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(seed: &mut u32) -> f32 {
        *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (*seed >> 8) as f32 / 8_388_608.0 - 1.0
    }

    #[test]
    fn steady_noise_is_turned_down() {
        let (mut stage, mut seed) = (Cleanup::new(), 7);
        let mut last = 0.0;
        for _ in 0..150 {
            let mut f = Frame::silence(RATE, 320);
            f.samples_mut()
                .iter_mut()
                .for_each(|s| *s = 0.03 * noise(&mut seed));
            let before = f.level_dbfs();
            stage.process(&mut f);
            last = before - f.level_dbfs();
        }
        assert!(last > 10.0, "turned down by {last} dB");
    }

    #[test]
    fn a_broken_frame_does_not_poison_the_stream() {
        let mut stage = Cleanup::new();
        let mut bad = Frame::silence(RATE, 320);
        bad.samples_mut().fill(f32::NAN);
        stage.process(&mut bad);
        for _ in 0..20 {
            let mut f = Frame::silence(RATE, 320);
            stage.process(&mut f);
            assert!(f.samples().iter().all(|s| s.is_finite()));
        }
    }
}
