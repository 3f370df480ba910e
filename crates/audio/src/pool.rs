//! The real-time threads that serve all legs.
//!
//! A pool thread wakes every 10 ms and serves each of its legs once. Twice the phone's frame rate, because a packet
//! then waits 5 ms instead of 10 for its turn and an answer keeps one frame ahead of the line instead of two: 20 ms
//! less until an interruption is heard, for 100 wake-ups a second more.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use roomtone_base::SharedClock;
use thread_priority::{RealtimeThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy};

use crate::{Drain, Error, Feed, leg::PhoneLeg, ring};

/// Time from tick to tick.
pub const TICK: Duration = Duration::from_millis(10);
/// A tick that begins later than this counts as late.
const LATE: Duration = Duration::from_millis(5);
/// Legs that may wait to be taken over by one thread.
const WAITING: usize = 256;

struct Worker {
    legs: Arc<AtomicUsize>,
    arrivals: Feed<Box<PhoneLeg>>,
    departures: Drain<Box<PhoneLeg>>,
    thread: Option<JoinHandle<()>>,
}

/// Counters of a pool.
#[derive(Debug, Default)]
pub struct PoolStats {
    late_ticks: AtomicU64,
    ticks: AtomicU64,
}

impl PoolStats {
    /// Ticks that began more than 5 ms late.
    pub fn late_ticks(&self) -> u64 {
        self.late_ticks.load(Ordering::Relaxed)
    }

    /// All ticks.
    pub fn ticks(&self) -> u64 {
        self.ticks.load(Ordering::Relaxed)
    }
}

/// The pool. Dropping it stops its threads.
pub struct Pool {
    workers: Mutex<Vec<Worker>>,
    stop: Arc<AtomicBool>,
    stats: Arc<PoolStats>,
    realtime: Arc<AtomicBool>,
}

impl Pool {
    /// Starts `threads` threads, at least one, with FIFO priority where the system permits it.
    ///
    /// # Errors
    /// [`Error::Thread`] if the system gives no thread.
    pub fn new(threads: usize, clock: &SharedClock) -> Result<Self, Error> {
        let stop = Arc::new(AtomicBool::new(false));
        let stats = Arc::new(PoolStats::default());
        let realtime = Arc::new(AtomicBool::new(false));
        let mut workers = Vec::new();
        for i in 0..threads.max(1) {
            let (arrivals, mut incoming) = ring::ring::<Box<PhoneLeg>>(WAITING);
            let (mut outgoing, departures) = ring::ring::<Box<PhoneLeg>>(WAITING);
            let (clock, stop, stats, realtime) =
                (clock.clone(), stop.clone(), stats.clone(), realtime.clone());
            let legs = Arc::new(AtomicUsize::new(0));
            let count = legs.clone();
            let thread = std::thread::Builder::new()
                .name(format!("audio-{i}"))
                .spawn(move || {
                    realtime.fetch_or(raise_priority(), Ordering::Relaxed);
                    serve(&clock, &stop, &stats, &mut incoming, &mut outgoing, &count);
                })
                .map_err(Error::Thread)?;
            workers.push(Worker {
                legs,
                arrivals,
                departures,
                thread: Some(thread),
            });
        }
        Ok(Pool {
            workers: Mutex::new(workers),
            stop,
            stats,
            realtime,
        })
    }

    /// Hands a leg to the thread with the fewest. It leaves when its control is closed. `false` if the pool cannot
    /// take another one now.
    pub fn add(&self, leg: PhoneLeg) -> bool {
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        for worker in workers.iter_mut() {
            // Legs that left are dropped here, not on their real-time thread.
            while worker.departures.pop().is_some() {}
        }
        let Some(worker) = workers.iter_mut().min_by_key(|w| w.legs.load(Ordering::Relaxed)) else {
            return false;
        };
        if worker.arrivals.len() >= WAITING {
            return false;
        }
        worker.legs.fetch_add(1, Ordering::Relaxed);
        worker.arrivals.push(Box::new(leg))
    }

    /// Drops legs that have left since.
    pub fn reap(&self) {
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        for worker in workers.iter_mut() {
            while worker.departures.pop().is_some() {}
        }
    }

    /// Legs being served or waiting to be.
    pub fn legs(&self) -> usize {
        let workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        workers.iter().map(|w| w.legs.load(Ordering::Relaxed)).sum()
    }

    /// Counters.
    pub fn stats(&self) -> Arc<PoolStats> {
        self.stats.clone()
    }

    /// Did the system grant real-time priority to at least one thread?
    pub fn realtime(&self) -> bool {
        self.realtime.load(Ordering::Relaxed)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        for worker in workers.iter_mut() {
            if let Some(thread) = worker.thread.take() {
                let _ = thread.join();
            }
        }
    }
}

/// Asks for FIFO scheduling; `false` where it is not permitted, and the pool runs with ordinary priority.
fn raise_priority() -> bool {
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    let priority = thread_priority::ThreadPriorityValue::try_from(40u8).map(ThreadPriority::Crossplatform);
    priority.is_ok_and(|p| {
        thread_priority::set_thread_priority_and_policy(thread_priority::thread_native_id(), p, policy)
            .is_ok()
    })
}

fn serve(
    clock: &SharedClock,
    stop: &AtomicBool,
    stats: &PoolStats,
    arrivals: &mut Drain<Box<PhoneLeg>>,
    departures: &mut Feed<Box<PhoneLeg>>,
    count: &AtomicUsize,
) {
    let mut legs: Vec<Box<PhoneLeg>> = Vec::with_capacity(1_024);
    let mut next = clock.mono() + TICK;
    while !stop.load(Ordering::Acquire) {
        let wait = next.since(clock.mono());
        if !wait.is_zero() {
            std::thread::sleep(wait);
        }
        let now = clock.mono();
        stats.ticks.fetch_add(1, Ordering::Relaxed);
        if now.since(next) > LATE {
            stats.late_ticks.fetch_add(1, Ordering::Relaxed);
        }
        // After a long stop (a suspended machine) there is nothing to catch up with.
        next = if now.since(next) > TICK * 10 {
            now + TICK
        } else {
            next + TICK
        };
        while legs.len() < legs.capacity() {
            let Some(leg) = arrivals.pop() else { break };
            legs.push(leg);
        }
        for leg in &mut legs {
            leg.tick(now);
        }
        let mut i = 0;
        while i < legs.len() {
            if legs[i].is_closed() && departures.len() < WAITING {
                let leg = legs.swap_remove(i);
                departures.push(leg);
                count.fetch_sub(1, Ordering::Relaxed);
            } else {
                i += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use roomtone_base::SystemClock;

    use super::*;
    use crate::{Codec, leg::LegConfig, stage::VadConfig};

    #[test]
    fn legs_come_and_go_without_being_dropped_on_the_real_time_thread() {
        let clock = SystemClock::shared();
        let pool = Pool::new(2, &clock).unwrap();
        let config = LegConfig {
            codec: Codec::Pcma,
            vad: VadConfig::default(),
            denoise: false,
        };
        let mut controls = Vec::new();
        for _ in 0..20 {
            let (_to, line_in) = ring::ring(4);
            let (line_out, _from) = ring::ring(4);
            let (leg, handle) = PhoneLeg::new(&config, line_in, line_out).unwrap();
            controls.push(handle.control.clone());
            assert!(pool.add(leg));
        }
        assert_eq!(pool.legs(), 20);
        let deadline = clock.mono() + Duration::from_secs(5);
        while controls.iter().any(|c| c.ticks() < 3) {
            assert!(clock.mono() < deadline, "legs are not served");
            std::thread::sleep(TICK);
        }
        controls.iter().for_each(|c| c.close());
        while pool.legs() > 0 {
            assert!(clock.mono() < deadline, "legs do not leave");
            std::thread::sleep(TICK);
        }
        pool.reap();
    }
}
