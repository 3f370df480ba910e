//! How long to wait before the next try.

use std::time::Duration;

use crate::Rng;

/// Exponential back-off: `min(base * factor^k, max)` before try `k` (RE-191), spread by `jitter`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    /// Wait before the first retry.
    pub base: Duration,
    /// Growth per retry, at least 1.
    pub factor: f64,
    /// Longest wait.
    pub max: Duration,
    /// Share of the wait that is random, `0.0..=1.0`; 0 gives the exact series.
    pub jitter: f64,
}

impl Default for Backoff {
    fn default() -> Self {
        Backoff {
            base: Duration::from_secs(1),
            factor: 2.0,
            max: Duration::from_secs(60),
            jitter: 0.0,
        }
    }
}

impl Backoff {
    /// The wait before retry `k`, counted from 0.
    pub fn delay(&self, k: u32, rng: &Rng) -> Duration {
        let exact = self.base.as_secs_f64() * self.factor.max(1.0).powi(k.min(1_000) as i32);
        let capped = exact.min(self.max.as_secs_f64());
        let jitter = self.jitter.clamp(0.0, 1.0);
        Duration::from_secs_f64(capped * (1.0 - jitter * rng.fraction()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_series_doubles_up_to_the_cap_re_191() {
        let (b, rng) = (Backoff::default(), Rng::seeded(1));
        let secs: Vec<u64> = (0..8).map(|k| b.delay(k, &rng).as_secs()).collect();
        assert_eq!(secs, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(b.delay(u32::MAX, &rng).as_secs(), 60);
    }

    #[test]
    fn jitter_only_shortens() {
        let (b, rng) = (
            Backoff {
                jitter: 0.5,
                ..Backoff::default()
            },
            Rng::seeded(2),
        );
        for _ in 0..1_000 {
            let d = b.delay(3, &rng).as_secs_f64();
            assert!((4.0..=8.0).contains(&d), "{d}");
        }
    }
}
