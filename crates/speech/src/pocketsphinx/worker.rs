//! The threads that hear, and the utterances that wait for them.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
};

use roomtone_base::SharedClock;
use tokio::sync::oneshot;

use super::{
    DEFAULT_THRESHOLD, ENGINE, confidence,
    decoder::{Decoded, Decoder},
    dictionary::Dictionary,
    ffi::{CEPSTRA, Mean},
};
use crate::{Error, Expectations, Grammar, Line, Transcription};

/// Utterances longer than this are cut: nobody asks a desk anything for half a minute.
const LONGEST: usize = 30 * 16_000;
/// Grammars that every pair but the first keeps compiled. The first has all of them ready; the others compile what they
/// lack while the caller speaks, and catch up.
const FURTHER_KEEP: usize = 2;
/// Shorter utterances say too little about a line to learn from: frames of 10 ms.
const LEARN_FROM: usize = 16_000;

type Reply = oneshot::Sender<Result<Transcription, Error>>;

enum Message {
    Sound(Box<[i16]>),
    Finish(Reply),
}

struct Job {
    grammar: Arc<Grammar>,
    language: String,
    line: Line,
    messages: Receiver<Message>,
    /// No more sound will come.
    complete: Arc<AtomicBool>,
}

/// An utterance that is being heard or waits to be. Dropping it ends the work.
pub(super) struct Utterance {
    messages: Sender<Message>,
    complete: Arc<AtomicBool>,
    queue: Weak<Queue>,
}

impl Utterance {
    pub(super) fn feed(&self, samples: &[i16]) {
        // The worker is gone only if its decoder failed, which `finish` reports.
        let _ = self.messages.send(Message::Sound(samples.into()));
    }

    pub(super) fn finish(self, reply: Reply) {
        if let Err(lost) = self.messages.send(Message::Finish(reply))
            && let Message::Finish(reply) = lost.0
        {
            let problem = "its thread ended".to_owned();
            let _ = reply.send(Err(Error::Engine {
                engine: ENGINE,
                problem,
            }));
        }
    }
}

impl Drop for Utterance {
    fn drop(&mut self) {
        if let Some(queue) = self.queue.upgrade() {
            // Under the lock, so that nobody looks at the flag and then misses the call.
            let waiting = queue.lock();
            self.complete.store(true, Ordering::Release);
            drop(waiting);
            queue.changed.notify_all();
        }
    }
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    prepared: Vec<Arc<Grammar>>,
    /// The first pair has nothing to do: what comes is its own.
    first_idle: bool,
    /// Pairs that hear somebody who is still speaking.
    live: usize,
}

impl Waiting {
    /// The next utterance for a pair, and whether its speaker is still speaking. Complete ones first: they take a
    /// tenth of their length. One pair is left to them, for a speaker holds his pair as long as he speaks.
    fn take(&mut self, first: bool, limit: usize) -> Option<(Job, bool)> {
        if !first && self.first_idle && self.jobs.len() == 1 {
            return None;
        }
        if let Some(place) = self.jobs.iter().position(|j| j.complete.load(Ordering::Acquire)) {
            return self.jobs.remove(place).map(|job| (job, false));
        }
        if self.live >= limit.saturating_sub(1).max(1) {
            return None;
        }
        let job = self.jobs.pop_front()?;
        self.live += 1;
        Some((job, true))
    }
}

/// Utterances in order of their beginning, and the threads that take them.
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    idle: AtomicUsize,
    threads: AtomicUsize,
    limit: usize,
    closed: AtomicBool,
    model: PathBuf,
    dictionary: Arc<Dictionary>,
    scratch: PathBuf,
    clock: SharedClock,
    me: Weak<Queue>,
}

impl Queue {
    pub(super) fn new(
        model: PathBuf,
        dictionary: Arc<Dictionary>,
        scratch: PathBuf,
        limit: usize,
        clock: SharedClock,
    ) -> Arc<Self> {
        Arc::new_cyclic(|me| Queue {
            waiting: Mutex::default(),
            changed: Condvar::new(),
            idle: AtomicUsize::new(0),
            threads: AtomicUsize::new(0),
            limit,
            closed: AtomicBool::new(false),
            model,
            dictionary,
            scratch,
            clock,
            me: me.clone(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts one more thread with its decoders, loaded before this returns.
    pub(super) fn grow(&self) -> Result<(), Error> {
        let decoder = Decoder::new(&self.model, self.dictionary.clone(), &self.scratch, usize::MAX)?;
        self.spawn(true, move || Ok(decoder))
    }

    fn spawn(
        &self,
        first: bool,
        make: impl FnOnce() -> Result<Decoder, Error> + Send + 'static,
    ) -> Result<(), Error> {
        let number = self.threads.fetch_add(1, Ordering::AcqRel);
        let Some(queue) = self.me.upgrade() else {
            return Ok(());
        };
        let queue = Arc::downgrade(&queue);
        let thread = std::thread::Builder::new().name(format!("stt-{number}")).spawn(move || {
            let decoder = make();
            if let Some(queue) = queue.upgrade() {
                match decoder {
                    Ok(decoder) => queue.work(decoder, first),
                    Err(error) => tracing::error!(target: "roomtone::speech", %error, "a recogniser could not be loaded"),
                }
                queue.threads.fetch_sub(1, Ordering::AcqRel);
            }
        });
        thread.map(|_| ()).map_err(|e| {
            self.threads.fetch_sub(1, Ordering::AcqRel);
            Error::Engine {
                engine: ENGINE,
                problem: format!("no thread: {e}"),
            }
        })
    }

    pub(super) fn prepare(&self, grammar: &Arc<Grammar>) {
        let mut waiting = self.lock();
        if !waiting.prepared.iter().any(|g| g.hash == grammar.hash) {
            waiting.prepared.push(grammar.clone());
        }
        drop(waiting);
        self.changed.notify_all();
    }

    pub(super) fn open(&self, expectations: &Expectations, line: &Line) -> Utterance {
        let (sender, messages) = channel();
        let complete = Arc::new(AtomicBool::new(false));
        let job = Job {
            grammar: expectations.grammar.clone(),
            language: expectations.language.clone(),
            line: line.clone(),
            messages,
            complete: complete.clone(),
        };
        let mut waiting = self.lock();
        waiting.jobs.push_back(job);
        let short = waiting.jobs.len() > self.idle.load(Ordering::Acquire);
        drop(waiting);
        self.changed.notify_all();
        if short && self.threads.load(Ordering::Acquire) < self.limit {
            // Loading takes a quarter of a second, so the new thread does it; the sound waits in the channel.
            let (model, dictionary, scratch) =
                (self.model.clone(), self.dictionary.clone(), self.scratch.clone());
            if let Err(error) = self.spawn(false, move || {
                Decoder::new(&model, dictionary, &scratch, FURTHER_KEEP)
            }) {
                tracing::warn!(target: "roomtone::speech", %error, "no further recogniser thread");
            }
        }
        Utterance {
            messages: sender,
            complete,
            queue: self.me.clone(),
        }
    }

    /// `first`: this pair gets every grammar ready ahead.
    fn work(&self, mut decoder: Decoder, first: bool) {
        let mut compiled = 0;
        loop {
            let mut waiting = self.lock();
            let job = loop {
                if let Some(job) = waiting.take(first, self.limit) {
                    break Some(job);
                }
                if let Some(grammar) = waiting.prepared.get(compiled).cloned().filter(|_| first) {
                    compiled += 1;
                    drop(waiting);
                    if let Err(error) = decoder.select(&grammar) {
                        tracing::error!(target: "roomtone::speech", %error, "a grammar cannot be used");
                    }
                    waiting = self.lock();
                    continue;
                }
                if self.closed.load(Ordering::Acquire) {
                    break None;
                }
                self.idle.fetch_add(1, Ordering::AcqRel);
                waiting.first_idle |= first;
                waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
                waiting.first_idle &= !first;
                self.idle.fetch_sub(1, Ordering::AcqRel);
            };
            // Whoever left this one to us may take what is next.
            self.changed.notify_all();
            drop(waiting);
            let Some((job, live)) = job else { return };
            self.hear(&mut decoder, &job);
            if live {
                self.lock().live -= 1;
                self.changed.notify_all();
            }
        }
    }

    fn hear(&self, decoder: &mut Decoder, job: &Job) {
        let mean: Option<Mean> = {
            let known = job.line.0.lock().unwrap_or_else(PoisonError::into_inner);
            known
                .as_ref()
                .and_then(|m| <[f32; CEPSTRA]>::try_from(m.as_slice()).ok())
        };
        let mut state = decoder
            .select(&job.grammar)
            .and_then(|()| decoder.start(mean.as_ref()));
        let mut samples = 0usize;
        loop {
            match job.messages.recv() {
                Ok(Message::Sound(sound)) => {
                    if samples < LONGEST && state.is_ok() {
                        samples += sound.len();
                        state = decoder.feed(&sound);
                    }
                }
                Ok(Message::Finish(reply)) => {
                    let asked = self.clock.mono();
                    let decoded = state.and_then(|()| decoder.finish());
                    if samples >= LEARN_FROM && decoded.is_ok() {
                        let learnt = decoder.mean().map(|m| m.to_vec());
                        *job.line.0.lock().unwrap_or_else(PoisonError::into_inner) = learnt;
                    }
                    let took = self.clock.mono().since(asked);
                    let _ = reply.send(decoded.map(|d| self.judge(job, d, samples, took)));
                    return;
                }
                Err(_) => {
                    // Thrown away: the decoders are brought back to where the next utterance can start.
                    if state.is_ok() {
                        let _ = decoder.finish();
                    }
                    return;
                }
            }
        }
    }

    fn judge(&self, job: &Job, decoded: Decoded, samples: usize, took: std::time::Duration) -> Transcription {
        let threshold = job.grammar.threshold.unwrap_or(DEFAULT_THRESHOLD);
        let rejected = decoded.text.is_empty() || decoded.score < threshold;
        Transcription {
            confidence: if decoded.text.is_empty() {
                0.0
            } else {
                confidence(decoded.score, threshold)
            },
            text: decoded.text,
            rejected,
            score: decoded.score,
            language: job.language.clone(),
            heard: std::time::Duration::from_secs_f64(samples as f64 / 16_000.0),
            took,
        }
    }
}

impl Queue {
    /// Lets the threads end when nothing waits any more.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.changed.notify_all();
    }
}
