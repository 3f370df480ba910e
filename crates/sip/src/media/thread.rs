//! The loop over all calls.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread::{JoinHandle, Thread},
    time::Duration,
};

use roomtone_base::{Mono, SharedClock};

use super::leg::{Leg, Scratch, Terms};
use crate::{Error, stats::MediaStats};

/// Length of a tick.
const TICK: Duration = Duration::from_millis(10);
/// Late by more than this, the tick's grid is moved instead of caught up with.
const GIVE_UP: Duration = Duration::from_millis(100);
/// Without calls the thread sleeps; it looks up this often in case a wake-up was lost.
const IDLE: Duration = Duration::from_secs(1);
/// Late by more than this a tick is counted as late.
const LATE: Duration = Duration::from_millis(5);

enum Command {
    Add(Box<Leg>),
    Set(u64, Terms),
    Press(u64, u8, u16),
    Heard(u64, u8, u16),
    Remove(u64),
}

/// What the media thread counts about itself.
#[derive(Debug, Default)]
pub(crate) struct LoopStats {
    pub ticks: AtomicU64,
    pub late_ticks: AtomicU64,
    pub realtime: AtomicBool,
}

/// Handle to the media thread; stops and joins it when dropped.
pub(crate) struct MediaThread {
    commands: Mutex<rtrb::Producer<Command>>,
    returned: Mutex<rtrb::Consumer<Box<Leg>>>,
    stop: Arc<AtomicBool>,
    stats: Arc<LoopStats>,
    clock: SharedClock,
    thread: Thread,
    join: Mutex<Option<JoinHandle<()>>>,
}

fn lock<T>(m: &Mutex<T>) -> MutexGuard<'_, T> {
    m.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MediaThread {
    /// Starts the thread with room for `calls` calls.
    pub(crate) fn start(clock: SharedClock, calls: usize) -> Result<Self, Error> {
        let calls = calls.max(1);
        let (commands, incoming) = rtrb::RingBuffer::new(calls * 8 + 64);
        let (outgoing, returned) = rtrb::RingBuffer::new(calls * 2 + 16);
        let stop = Arc::new(AtomicBool::new(false));
        let stats = Arc::new(LoopStats::default());
        let mut state = Loop {
            legs: Vec::with_capacity(calls),
            incoming,
            outgoing,
            stop: stop.clone(),
            stats: stats.clone(),
            clock: clock.clone(),
            scratch: Scratch::new(),
        };
        let join = std::thread::Builder::new()
            .name("roomtone-media".into())
            .spawn(move || state.run())
            .map_err(Error::MediaThread)?;
        let thread = join.thread().clone();
        let (commands, returned) = (Mutex::new(commands), Mutex::new(returned));
        Ok(MediaThread {
            commands,
            returned,
            stop,
            stats,
            clock,
            thread,
            join: Mutex::new(Some(join)),
        })
    }

    pub(crate) fn stats(&self) -> &LoopStats {
        &self.stats
    }

    fn command(&self, command: Command) -> Result<(), Error> {
        self.collect();
        let sent = lock(&self.commands).push(command).is_ok();
        self.thread.unpark();
        if sent { Ok(()) } else { Err(Error::MediaFull) }
    }

    /// Drops, here and not on the media thread, the calls that it has let go of.
    fn collect(&self) {
        let mut returned = lock(&self.returned);
        while returned.pop().is_ok() {}
    }

    pub(crate) fn add(&self, leg: Leg) -> Result<(), Error> {
        self.command(Command::Add(Box::new(leg)))
    }

    pub(crate) fn set(&self, id: u64, terms: Terms) {
        // Full only if the thread stands still; then terms are the least of the worries.
        let _ = self.command(Command::Set(id, terms));
    }

    pub(crate) fn press(&self, id: u64, digit: u8, duration_ms: u16) -> Result<(), Error> {
        self.command(Command::Press(id, digit, duration_ms))
    }

    /// Puts a key that came by signalling into a call's inbound ring.
    pub(crate) fn heard(&self, id: u64, digit: u8, duration_ms: u16) {
        // Full only if the thread stands still; then no key would be heard either.
        let _ = self.command(Command::Heard(id, digit, duration_ms));
    }

    /// Ends a call's media and waits until its ports are free again, a second at most.
    pub(crate) async fn remove(&self, id: u64, stats: &MediaStats) {
        for _ in 0..100 {
            if self.command(Command::Remove(id)).is_ok() {
                break;
            }
            self.clock.sleep(TICK).await;
        }
        for _ in 0..100 {
            if stats.gone.load(Relaxed) {
                break;
            }
            self.clock.sleep(TICK).await;
        }
        self.collect();
    }

    /// Stops the thread and waits for its end, which comes within a tick.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Relaxed);
        self.thread.unpark();
        if let Some(join) = lock(&self.join).take() {
            // A panic over there has been reported by the panic hook already.
            let _ = join.join();
        }
        self.collect();
    }
}

impl Drop for MediaThread {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Loop {
    /// Never grows beyond its first capacity: adding allocates nothing. Boxed, so that legs of 20 kB move by pointer.
    #[allow(clippy::vec_box, reason = "boxes travel by ring, both ways")]
    legs: Vec<Box<Leg>>,
    incoming: rtrb::Consumer<Command>,
    outgoing: rtrb::Producer<Box<Leg>>,
    stop: Arc<AtomicBool>,
    stats: Arc<LoopStats>,
    clock: SharedClock,
    scratch: Scratch,
}

/// FIFO scheduling where the system lets us; else the thread runs like any other, and [`LoopStats`] says so.
fn ask_for_realtime() -> bool {
    use thread_priority::{
        RealtimeThreadSchedulePolicy, ThreadPriority, ThreadPriorityValue, ThreadSchedulePolicy,
        set_thread_priority_and_policy, thread_native_id,
    };
    // Above ordinary work, below the kernel's own threads.
    let Ok(level) = ThreadPriorityValue::try_from(20u8) else {
        return false;
    };
    set_thread_priority_and_policy(
        thread_native_id(),
        ThreadPriority::Crossplatform(level),
        ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo),
    )
    .is_ok()
}

impl Loop {
    fn run(&mut self) {
        self.stats.realtime.store(ask_for_realtime(), Relaxed);
        let mut due = self.clock.mono();
        while !self.stop.load(Relaxed) {
            let now = self.clock.mono();
            self.obey();
            if self.legs.is_empty() {
                std::thread::park_timeout(IDLE);
                due = self.clock.mono();
                continue;
            }
            self.tick(now, due);
            due = due + TICK;
            let now = self.clock.mono();
            if now.since(due) > GIVE_UP {
                due = now;
            }
            std::thread::sleep(due.since(now));
        }
    }

    fn tick(&mut self, now: Mono, due: Mono) {
        self.stats.ticks.fetch_add(1, Relaxed);
        if now.since(due) > LATE {
            self.stats.late_ticks.fetch_add(1, Relaxed);
        }
        for leg in &mut self.legs {
            leg.step(now, &mut self.scratch);
        }
    }

    fn obey(&mut self) {
        // A leg that is let go needs room on the way back; without it the command waits for the next tick.
        while !self.outgoing.is_full()
            && let Ok(command) = self.incoming.pop()
        {
            match command {
                Command::Add(leg) if self.legs.len() < self.legs.capacity() => self.legs.push(leg),
                Command::Add(leg) => self.give_back(leg),
                Command::Set(id, terms) => {
                    if let Some(leg) = self.find(id) {
                        leg.set(&terms);
                    }
                }
                Command::Press(id, digit, ms) => {
                    if let Some(leg) = self.find(id) {
                        leg.press(digit, ms);
                    }
                }
                Command::Heard(id, digit, ms) => {
                    let now = self.clock.mono();
                    if let Some(leg) = self.find(id) {
                        leg.heard(digit, ms, now);
                    }
                }
                Command::Remove(id) => {
                    if let Some(i) = self.legs.iter().position(|l| l.id == id) {
                        let leg = self.legs.swap_remove(i);
                        self.give_back(leg);
                    }
                }
            }
        }
    }

    fn find(&mut self, id: u64) -> Option<&mut Box<Leg>> {
        self.legs.iter_mut().find(|l| l.id == id)
    }

    fn give_back(&mut self, leg: Box<Leg>) {
        let stats = leg.stats().clone();
        // There is room: looked at before the command was taken, and nobody else writes.
        let back = self.outgoing.push(leg);
        drop(back);
        // After the push: whoever sees it may collect.
        stats.gone.store(true, Relaxed);
    }
}
