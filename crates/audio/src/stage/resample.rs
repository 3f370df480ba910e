//! From one fixed rate to another.

use audioadapter_buffers::direct::SequentialSlice;
use rubato::{Fft, FixedSync, Resampler as _};

use super::Stage;
use crate::{Error, Frame, frame::MAX_SAMPLES};

/// Resamples 10 ms at a time. Delay is half a block, 5 ms; the frame's timestamp is converted, not shifted (VP-061).
pub struct Resampler {
    fft: Fft<f32>,
    from: u32,
    to: u32,
    input: Box<[f32]>,
    output: Box<[f32]>,
}

impl Resampler {
    /// # Errors
    /// [`Error::Stage`] if a rate is no multiple of 100 Hz within 8 to 48 kHz.
    pub fn new(from: u32, to: u32) -> Result<Self, Error> {
        let wrong = |problem: String| Error::Stage {
            stage: "resampler",
            problem,
        };
        for rate in [from, to] {
            if !(8_000..=48_000).contains(&rate) || rate % 100 != 0 {
                return Err(wrong(format!(
                    "cannot work at {rate} Hz; 8000 to 48000 in steps of 100 are possible"
                )));
            }
        }
        let (block_in, block_out) = (from as usize / 100, to as usize / 100);
        let fft = Fft::new(from as usize, to as usize, block_in, 1, FixedSync::Both)
            .map_err(|e| wrong(format!("{from} Hz to {to} Hz: {e}")))?;
        if fft.input_frames_next() != block_in || fft.output_frames_next() != block_out {
            return Err(wrong(format!("{from} Hz to {to} Hz does not divide into 10 ms")));
        }
        let (input, output) = (vec![0.0; block_in].into(), vec![0.0; block_out].into());
        Ok(Resampler {
            fft,
            from,
            to,
            input,
            output,
        })
    }
}

impl Stage for Resampler {
    fn name(&self) -> &'static str {
        "resampler"
    }

    /// Takes frames of the input rate and whole 10 ms; others pass unchanged.
    fn process(&mut self, frame: &mut Frame) {
        let (block_in, block_out) = (self.input.len(), self.output.len());
        let blocks = frame.samples().len() / block_in;
        if frame.rate != self.from
            || blocks * block_in != frame.samples().len()
            || blocks * block_out > MAX_SAMPLES
        {
            return;
        }
        let source = frame.clone();
        frame.set_len(blocks * block_out);
        frame.rate = self.to;
        frame.timestamp = frame.timestamp * u64::from(self.to) / u64::from(self.from);
        let target = frame.samples_mut();
        for (from, to) in source
            .samples()
            .chunks_exact(block_in)
            .zip(target.chunks_exact_mut(block_out))
        {
            self.input.copy_from_slice(from);
            let input = SequentialSlice::new(&self.input, 1, block_in).expect("the buffer has one block");
            let mut output =
                SequentialSlice::new_mut(&mut self.output, 1, block_out).expect("the buffer has one block");
            // Fixed sizes on both sides leave no way to fail; if it did, the block before would be heard again.
            let _ = self.fft.process_into_buffer(&input, &mut output, None);
            to.copy_from_slice(&self.output);
        }
    }

    fn reset(&mut self) {
        self.fft.reset();
        self.output.fill(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(rate: u32, hz: f32, millis: usize) -> Vec<f32> {
        let n = rate as usize * millis / 1_000;
        (0..n)
            .map(|i| 0.5 * (std::f32::consts::TAU * hz * i as f32 / rate as f32).sin())
            .collect()
    }

    fn run(resampler: &mut Resampler, rate: u32, samples: &[f32]) -> Vec<f32> {
        let mut out = Vec::new();
        for chunk in samples.chunks_exact(rate as usize / 50) {
            let mut f = Frame::silence(rate, chunk.len());
            f.samples_mut().copy_from_slice(chunk);
            resampler.process(&mut f);
            out.extend_from_slice(f.samples());
        }
        out
    }

    #[test]
    fn a_tone_keeps_its_level_and_its_pitch() {
        for (from, to) in [(8_000, 16_000), (16_000, 8_000), (48_000, 16_000)] {
            let out = run(
                &mut Resampler::new(from, to).unwrap(),
                from,
                &tone(from, 1_000.0, 400),
            );
            let steady = &out[out.len() / 4..];
            assert!(
                (crate::frame::level_dbfs(steady) + 9.03).abs() < 0.2,
                "{from}->{to}"
            );
            let crossings = steady.windows(2).filter(|w| w[0] < 0.0 && w[1] >= 0.0).count();
            let seconds = steady.len() as f32 / to as f32;
            assert!(
                (crossings as f32 / seconds - 1_000.0).abs() < 10.0,
                "{from}->{to}: {crossings}"
            );
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_carry_is_gone() {
        let out = run(
            &mut Resampler::new(16_000, 8_000).unwrap(),
            16_000,
            &tone(16_000, 6_000.0, 400),
        );
        assert!(crate::frame::level_dbfs(&out[out.len() / 4..]) < -60.0);
    }

    #[test]
    fn a_rate_out_of_range_is_named() {
        let message = Resampler::new(8_000, 7_350)
            .err()
            .map(|e| e.to_string())
            .unwrap_or_default();
        assert!(message.contains("7350 Hz"), "{message}");
    }
}
