//! Seeded randomness, handed in wherever a decision needs it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A shared random source. The same seed gives the same values in the same order, so that a run replays.
#[derive(Clone, Debug)]
pub struct Rng(Arc<Mutex<fastrand::Rng>>);

impl Rng {
    /// A source that replays.
    pub fn seeded(seed: u64) -> Self {
        Rng(Arc::new(Mutex::new(fastrand::Rng::with_seed(seed))))
    }

    /// A source that does not: seeded from the system. Not for keys.
    pub fn from_entropy() -> Self {
        Rng(Arc::new(Mutex::new(fastrand::Rng::new())))
    }

    fn lock(&self) -> MutexGuard<'_, fastrand::Rng> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Any 64-bit value.
    pub fn u64(&self) -> u64 {
        self.lock().u64(..)
    }

    /// A value in `0..n`; 0 if `n` is 0.
    pub fn below(&self, n: u64) -> u64 {
        if n == 0 { 0 } else { self.lock().u64(..n) }
    }

    /// A value in `0.0..1.0`.
    pub fn fraction(&self) -> f64 {
        self.lock().f64()
    }

    /// Fills `buf`.
    pub fn fill(&self, buf: &mut [u8]) {
        self.lock().fill(buf);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_replays() {
        let (a, b) = (Rng::seeded(7), Rng::seeded(7));
        assert!((0..100).all(|_| a.u64() == b.u64()));
    }
}
