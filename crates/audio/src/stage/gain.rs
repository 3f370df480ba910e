//! A volume that moves without clicks.

use super::Stage;
use crate::Frame;

/// Time from one gain to another: short enough to stop "at once", long enough not to click.
const RAMP_MS: f32 = 5.0;

/// Multiplies by a gain that follows its target within 5 ms.
#[derive(Debug)]
pub struct Gain {
    now: f32,
    target: f32,
}

impl Gain {
    /// Starts at 1.
    pub fn new() -> Self {
        Gain {
            now: 1.0,
            target: 1.0,
        }
    }

    /// Goes to the linear gain `target`, `0.0..=4.0`.
    pub fn set(&mut self, target: f32) {
        self.target = if target.is_finite() {
            target.clamp(0.0, 4.0)
        } else {
            1.0
        };
    }

    /// Where it is going.
    pub fn target(&self) -> f32 {
        self.target
    }
}

impl Default for Gain {
    fn default() -> Self {
        Self::new()
    }
}

impl Stage for Gain {
    fn name(&self) -> &'static str {
        "gain"
    }

    fn process(&mut self, frame: &mut Frame) {
        if self.now == self.target && self.now == 1.0 {
            return;
        }
        let step = 1.0 / (RAMP_MS / 1_000.0 * frame.rate as f32);
        for sample in frame.samples_mut() {
            let left = self.target - self.now;
            self.now = if left.abs() <= step {
                self.target
            } else {
                self.now + step.copysign(left)
            };
            *sample = (*sample * self.now).clamp(-1.0, 1.0);
        }
    }

    fn reset(&mut self) {
        *self = Self::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ducking_takes_effect_within_5_ms_and_without_a_step() {
        let mut gain = Gain::new();
        gain.set(0.1);
        let mut f = Frame::silence(16_000, 320);
        f.samples_mut().fill(0.5);
        gain.process(&mut f);
        let largest = f
            .samples()
            .windows(2)
            .map(|w| (w[0] - w[1]).abs())
            .fold(0.0, f32::max);
        assert!(largest < 0.02, "{largest}");
        assert!((f.samples()[80] - 0.05).abs() < 1e-3);
    }
}
