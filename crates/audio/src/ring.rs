//! Wait-free rings, one writer and one reader.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Frames a line may be ahead of its pipeline.
pub const INBOUND_FRAMES: usize = 64;
/// Frames a pipeline may be ahead of its line.
pub const OUTBOUND_FRAMES: usize = 16;

/// The writing end.
#[derive(Debug)]
pub struct Feed<T> {
    ring: rtrb::Producer<T>,
    dropped: Arc<AtomicU64>,
}

/// The reading end.
#[derive(Debug)]
pub struct Drain<T> {
    ring: rtrb::Consumer<T>,
    keep: usize,
    dropped: Arc<AtomicU64>,
}

/// A ring that holds `keep` records. When the reader has fallen behind by more, it skips the oldest and counts them;
/// the writer never waits. (The ring has twice the room, so that it is the reader who drops: only then can the
/// oldest go. A reader that stands still altogether loses the newest beyond that.)
pub fn ring<T>(keep: usize) -> (Feed<T>, Drain<T>) {
    let (producer, consumer) = rtrb::RingBuffer::new(keep.max(1) * 2);
    let dropped = Arc::new(AtomicU64::new(0));
    (
        Feed {
            ring: producer,
            dropped: dropped.clone(),
        },
        Drain {
            ring: consumer,
            keep: keep.max(1),
            dropped,
        },
    )
}

impl<T> Feed<T> {
    /// Puts a record; `false` (and counted) if there is no room at all.
    pub fn push(&mut self, record: T) -> bool {
        let fits = self.ring.push(record).is_ok();
        if !fits {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        fits
    }

    /// Records waiting to be read.
    pub fn len(&self) -> usize {
        self.ring.buffer().capacity() - self.ring.slots()
    }

    /// Is nothing waiting?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The reader is gone.
    pub fn is_abandoned(&self) -> bool {
        self.ring.is_abandoned()
    }

    /// Records lost so far.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

impl<T> Drain<T> {
    /// Takes the oldest record.
    pub fn pop(&mut self) -> Option<T> {
        while self.ring.slots() > self.keep {
            if self.ring.pop().is_ok() {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.ring.pop().ok()
    }

    /// Throws away what waits.
    pub fn clear(&mut self) {
        while self.ring.pop().is_ok() {}
    }

    /// Records waiting.
    pub fn len(&self) -> usize {
        self.ring.slots()
    }

    /// Is nothing waiting?
    pub fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }

    /// The writer is gone; what it wrote before can still be read.
    pub fn is_abandoned(&self) -> bool {
        self.ring.is_abandoned()
    }

    /// Records lost so far.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_reader_loses_the_oldest_and_counts_them_vp_034() {
        let (mut feed, mut drain) = ring(4);
        for i in 0..6 {
            assert!(feed.push(i));
        }
        let got: Vec<i32> = std::iter::from_fn(|| drain.pop()).collect();
        assert_eq!(got, [2, 3, 4, 5]);
        assert_eq!(drain.dropped(), 2);
        assert_eq!(feed.dropped(), 2);
    }

    #[test]
    fn a_dead_reader_never_blocks_the_writer() {
        let (mut feed, drain) = ring(2);
        for i in 0..10 {
            feed.push(i);
        }
        assert_eq!(feed.dropped(), 6);
        drop(drain);
        assert!(feed.is_abandoned());
    }
}
