//! The only way to know the time.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    ops::{Add, Sub},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use jiff::Timestamp;

/// A point on the monotonic clock: time since the clock was made. Never goes back, not comparable between clocks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Mono(Duration);

impl Mono {
    /// The clock's own start.
    pub const ZERO: Mono = Mono(Duration::ZERO);

    /// A point `since_start` after the clock was made.
    pub const fn from_duration(since_start: Duration) -> Self {
        Mono(since_start)
    }

    /// Time since the clock was made.
    pub const fn as_duration(self) -> Duration {
        self.0
    }

    /// Milliseconds since the clock was made.
    pub fn as_millis(self) -> u64 {
        u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX)
    }

    /// `self - earlier`, zero if `earlier` is later.
    pub fn since(self, earlier: Mono) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Mono {
    type Output = Mono;
    fn add(self, d: Duration) -> Mono {
        Mono(self.0.saturating_add(d))
    }
}

impl Sub for Mono {
    type Output = Duration;
    fn sub(self, other: Mono) -> Duration {
        self.since(other)
    }
}

impl fmt::Debug for Mono {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{:.3}s", self.0.as_secs_f64())
    }
}

/// A pending wait; completes once the clock has reached the deadline.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Shared handle to a clock.
pub type SharedClock = Arc<dyn Clock>;

/// Wall time, monotonic time and waiting. Wall time may jump either way; every duration and every order of events
/// is taken from [`Clock::mono`].
pub trait Clock: Send + Sync + 'static {
    /// Wall time, UTC.
    fn now(&self) -> Timestamp;
    /// Monotonic time.
    fn mono(&self) -> Mono;
    /// Waits until monotonic time `deadline`; a deadline in the past completes at once.
    fn sleep_until(&self, deadline: Mono) -> Sleep;

    /// Waits for `d` from now.
    fn sleep(&self, d: Duration) -> Sleep {
        self.sleep_until(self.mono() + d)
    }
}

/// The machine's clocks.
#[derive(Debug)]
pub struct SystemClock {
    start: std::time::Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts now.
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place that reads the machine's clock"
    )]
    pub fn new() -> Self {
        SystemClock {
            start: std::time::Instant::now(),
        }
    }

    /// The same, shared.
    pub fn shared() -> SharedClock {
        Arc::new(Self::new())
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place that reads the machine's clock"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn mono(&self) -> Mono {
        Mono(self.start.elapsed())
    }

    fn sleep_until(&self, deadline: Mono) -> Sleep {
        Box::pin(futures_timer::Delay::new(deadline.since(self.mono())))
    }
}

struct VirtualState {
    mono: Mono,
    now: Timestamp,
    waiting: BTreeMap<(Mono, u64), Waker>,
    next_key: u64,
}

/// A clock that moves only when told to: a whole call runs in as long as it takes to compute.
#[derive(Clone)]
pub struct VirtualClock {
    state: Arc<Mutex<VirtualState>>,
}

impl VirtualClock {
    /// Starts at wall time `now` and monotonic zero.
    pub fn new(now: Timestamp) -> Self {
        let state = VirtualState {
            mono: Mono::ZERO,
            now,
            waiting: BTreeMap::new(),
            next_key: 0,
        };
        VirtualClock {
            state: Arc::new(Mutex::new(state)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, VirtualState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves both clocks forward by `d` and wakes every wait whose deadline has come, earliest first.
    pub fn advance(&self, d: Duration) {
        let due = {
            let mut s = self.lock();
            s.mono = s.mono + d;
            s.now = s.now.checked_add(d).unwrap_or(Timestamp::MAX);
            let reached = s.mono;
            let later = s.waiting.split_off(&(reached, u64::MAX));
            std::mem::replace(&mut s.waiting, later)
        };
        for waker in due.into_values() {
            waker.wake();
        }
    }

    /// Moves to the earliest pending deadline; `false` if nothing waits.
    pub fn advance_to_next(&self) -> bool {
        let step = {
            let s = self.lock();
            s.waiting
                .keys()
                .next()
                .map(|(deadline, _)| deadline.since(s.mono))
        };
        step.is_some_and(|d| {
            self.advance(d);
            true
        })
    }

    /// Sets wall time alone, as a time server or a dead battery does.
    pub fn jump_wall(&self, now: Timestamp) {
        self.lock().now = now;
    }
}

struct VirtualSleep {
    clock: VirtualClock,
    deadline: Mono,
    key: Option<u64>,
}

impl Future for VirtualSleep {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let clock = self.clock.clone();
        let mut s = clock.lock();
        if s.mono >= self.deadline {
            return Poll::Ready(());
        }
        let key = self.key.unwrap_or_else(|| {
            s.next_key += 1;
            s.next_key
        });
        self.key = Some(key);
        s.waiting.insert((self.deadline, key), cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for VirtualSleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.clock.lock().waiting.remove(&(self.deadline, key));
        }
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        self.lock().now
    }
    fn mono(&self) -> Mono {
        self.lock().mono
    }
    fn sleep_until(&self, deadline: Mono) -> Sleep {
        Box::pin(VirtualSleep {
            clock: self.clone(),
            deadline,
            key: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        task::Wake,
    };

    use super::*;

    struct Count(AtomicUsize);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn a_virtual_sleep_ends_exactly_at_its_deadline() {
        let clock = VirtualClock::new(Timestamp::UNIX_EPOCH);
        let mut sleep = clock.sleep(Duration::from_millis(300));
        let count = Arc::new(Count(AtomicUsize::new(0)));
        let waker = Waker::from(count.clone());
        let mut cx = Context::from_waker(&waker);
        assert!(sleep.as_mut().poll(&mut cx).is_pending());
        clock.advance(Duration::from_millis(299));
        assert_eq!(count.0.load(Ordering::SeqCst), 0);
        assert!(sleep.as_mut().poll(&mut cx).is_pending());
        assert!(clock.advance_to_next());
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
        assert!(sleep.as_mut().poll(&mut cx).is_ready());
        assert_eq!(clock.mono(), Mono::from_duration(Duration::from_millis(300)));
    }

    #[test]
    fn a_dropped_sleep_is_forgotten() {
        let clock = VirtualClock::new(Timestamp::UNIX_EPOCH);
        let mut sleep = clock.sleep(Duration::from_secs(1));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(sleep.as_mut().poll(&mut cx).is_pending());
        drop(sleep);
        assert!(!clock.advance_to_next());
    }

    #[test]
    fn a_wall_clock_jump_leaves_monotonic_time_alone() {
        let clock = VirtualClock::new(Timestamp::UNIX_EPOCH);
        clock.advance(Duration::from_secs(5));
        clock.jump_wall(Timestamp::UNIX_EPOCH);
        assert_eq!(clock.mono().as_millis(), 5_000);
        assert_eq!(clock.now(), Timestamp::UNIX_EPOCH);
    }
}
