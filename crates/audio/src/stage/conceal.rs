//! Something to hear where a packet is lost (VP-043 to VP-045).

/// Longest stretch of made-up sound (VP-045).
const MAX_CONCEAL_MS: u32 = 60;
/// Longest pitch period that is looked for: 66 Hz.
const MAX_PERIOD_MS: u32 = 15;
/// Shortest: 400 Hz.
const MIN_PERIOD_PER_SECOND: u32 = 400;
/// Room for [`MAX_PERIOD_MS`] twice at 48 kHz.
const HISTORY: usize = 1_440;

/// Repeats the last pitch period with growing attenuation, silent after 60 ms; the generic concealer for codecs
/// without their own, G.711 among them.
pub struct Concealer {
    rate: u32,
    history: [f32; HISTORY],
    concealed: u32,
    period: usize,
    phase: usize,
}

impl Concealer {
    /// For a stream at `rate` samples a second, 8 to 48 kHz.
    pub fn new(rate: u32) -> Self {
        Concealer {
            rate,
            history: [0.0; HISTORY],
            concealed: 0,
            period: 0,
            phase: 0,
        }
    }

    /// Learns from what was received.
    pub fn good(&mut self, samples: &[f32]) {
        let tail = &samples[samples.len().saturating_sub(HISTORY)..];
        self.history.copy_within(tail.len().., 0);
        self.history[HISTORY - tail.len()..].copy_from_slice(tail);
        self.concealed = 0;
    }

    /// Fills `gap` with replacement.
    pub fn fill(&mut self, gap: &mut [f32]) {
        if self.concealed == 0 {
            self.period = self.find_period();
            self.phase = 0;
        }
        let limit = self.rate * MAX_CONCEAL_MS / 1_000;
        for sample in gap {
            let gain = 1.0 - self.concealed as f32 / limit as f32;
            *sample = if gain > 0.0 {
                self.history[HISTORY - self.period + self.phase] * gain
            } else {
                0.0
            };
            self.phase = (self.phase + 1) % self.period;
            self.concealed = self.concealed.saturating_add(1).min(limit);
        }
    }

    /// Forgets the stream.
    pub fn reset(&mut self) {
        self.history.fill(0.0);
        self.concealed = 0;
    }

    /// The lag at which the last 15 ms look most like what came before.
    fn find_period(&self) -> usize {
        let longest = (self.rate * MAX_PERIOD_MS / 1_000) as usize;
        let shortest = (self.rate / MIN_PERIOD_PER_SECOND) as usize;
        let window = longest.min(HISTORY / 2);
        let now = &self.history[HISTORY - window..];
        let mut best = (f32::MIN, longest);
        for lag in shortest..=longest.min(HISTORY - window) {
            let then = &self.history[HISTORY - window - lag..HISTORY - lag];
            let (mut cross, mut power) = (0.0f32, 1e-9f32);
            for (a, b) in now.iter().zip(then) {
                cross += a * b;
                power += b * b;
            }
            let likeness = cross / power.sqrt();
            if likeness > best.0 {
                best = (likeness, lag);
            }
        }
        best.1.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_goes_on_through_a_gap_and_is_silent_after_60_ms_vp_045() {
        let mut c = Concealer::new(8_000);
        let tone: Vec<f32> = (0..1_600)
            .map(|i| (i as f32 * std::f32::consts::TAU * 200.0 / 8_000.0).sin())
            .collect();
        c.good(&tone);
        let mut gap = [0.0; 640];
        c.fill(&mut gap);
        let truth = |i: usize| ((1_600 + i) as f32 * std::f32::consts::TAU * 200.0 / 8_000.0).sin();
        for (i, sample) in gap[..40].iter().enumerate() {
            assert!(
                (sample - truth(i)).abs() < 0.15,
                "sample {i}: {sample} for {}",
                truth(i)
            );
        }
        assert!(gap[480..].iter().all(|s| *s == 0.0));
        assert!(crate::frame::level_dbfs(&gap[320..480]) < crate::frame::level_dbfs(&gap[..160]));
    }
}
