//! One phone leg: everything that happens to the sound of one call, in both directions, on a pool thread.
//!
//! ```text
//! line ─Encoded→ decode/conceal → resample → high-pass, noise suppression → VAD ─Heard→ voice
//! line ←Encoded─ encode ← resample ← gain ←──────────────────────────────────── Say ── voice
//! ```

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
};

use roomtone_base::Mono;

use crate::{
    Codec, Drain, Encoded, Error, Feed, Frame, Payload, Pipeline, Stage,
    ring::{self, INBOUND_FRAMES, OUTBOUND_FRAMES},
    stage::{Cleanup, Concealer, Gain, Resampler, Vad, VadConfig, VadEvent},
};

/// The rate inside the house.
pub const INTERNAL_RATE: u32 = 16_000;
/// Samples of 20 ms inside the house.
pub const FRAME_SAMPLES: usize = 320;
/// Linear gain while somebody talks over us: -20 dB.
pub const DUCKED: f32 = 0.1;
/// A line that says nothing for so long gets silence instead, so that time goes on for the stages behind (VP-041).
const PAUSE_MS: u64 = 60;
/// Frames decoded in one tick at most; more are left to the next, which bounds a tick's length.
const FRAMES_PER_TICK: usize = 8;

/// 20 ms of what the caller said, and what was noticed in it.
#[derive(Clone, Copy, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "records of a ring have one size; a box would allocate on a media thread"
)]
pub enum Heard {
    /// 20 ms of cleaned sound at 16 kHz.
    Sound(Sound),
    /// Speech has begun.
    Onset {
        /// Place in the stream, samples at 16 kHz.
        at: u64,
        /// When the packet that tipped it was read from the socket.
        arrived: Mono,
    },
    /// Speech has paused or ended.
    Offset {
        /// Place in the stream, samples at 16 kHz.
        at: u64,
        /// When the packet that tipped it was read from the socket.
        arrived: Mono,
    },
    /// A key was pressed.
    Digit {
        /// `0`–`9`, `*`, `#`, `A`–`D` in ASCII.
        digit: u8,
        /// How long it was held.
        duration_ms: u16,
    },
    /// A frame marked as an utterance's last was handed to the line.
    Finished {
        /// Which.
        utterance: u32,
    },
}

/// 20 ms of sound at 16 kHz.
#[derive(Clone, Copy, Debug)]
pub struct Sound {
    /// Place of the first sample in the stream.
    pub timestamp: u64,
    /// When its packet was read from the socket.
    pub arrived: Mono,
    /// Samples.
    pub samples: [i16; FRAME_SAMPLES],
}

/// 20 ms that the leg shall say.
#[derive(Clone, Copy, Debug)]
pub struct Say {
    /// Utterances are numbered upwards from 1; [`LegControl::stop_before`] cuts by number.
    pub utterance: u32,
    /// If not 0, the line reports when this frame left ([`crate::Sent`]).
    pub tag: u32,
    /// The utterance ends with this frame.
    pub last: bool,
    /// Samples at 16 kHz.
    pub samples: [i16; FRAME_SAMPLES],
}

/// The levers of a running leg, without waiting.
#[derive(Debug)]
pub struct LegControl {
    stop_before: AtomicU32,
    gain: AtomicU32,
    duck_on_onset: AtomicBool,
    closed: AtomicBool,
    played: AtomicU64,
    concealed: AtomicU64,
    ticks: AtomicU64,
}

impl LegControl {
    fn new() -> Self {
        LegControl {
            stop_before: AtomicU32::new(0),
            gain: AtomicU32::new(1.0f32.to_bits()),
            duck_on_onset: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            played: AtomicU64::new(0),
            concealed: AtomicU64::new(0),
            ticks: AtomicU64::new(0),
        }
    }

    /// Frames of utterances numbered below `utterance` are dropped from now on, those on the ring included.
    pub fn stop_before(&self, utterance: u32) {
        self.stop_before.fetch_max(utterance, Ordering::Release);
    }

    /// Linear gain of what is said, `0.0..=4.0`; reached within 5 ms.
    pub fn set_gain(&self, gain: f32) {
        self.gain.store(gain.to_bits(), Ordering::Release);
    }

    /// The gain that holds now.
    pub fn gain(&self) -> f32 {
        f32::from_bits(self.gain.load(Ordering::Acquire))
    }

    /// Turn down to [`DUCKED`] by itself, in the same tick, when the caller begins to speak while something is said.
    pub fn duck_on_onset(&self, yes: bool) {
        self.duck_on_onset.store(yes, Ordering::Release);
    }

    /// What was handed to the line last: utterance and its number of 20 ms frames so far.
    pub fn played(&self) -> (u32, u32) {
        let packed = self.played.load(Ordering::Acquire);
        ((packed >> 32) as u32, packed as u32)
    }

    /// Frames that were made up for lost packets.
    pub fn concealed_frames(&self) -> u64 {
        self.concealed.load(Ordering::Relaxed)
    }

    /// Times the leg was served.
    pub fn ticks(&self) -> u64 {
        self.ticks.load(Ordering::Relaxed)
    }

    /// The leg leaves its pool at the next tick.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

/// What the voice side holds of a leg.
#[derive(Debug)]
pub struct LegHandle {
    /// What is heard.
    pub heard: Drain<Heard>,
    /// What shall be said.
    pub say: Feed<Say>,
    /// The levers.
    pub control: Arc<LegControl>,
}

/// A phone leg. Built outside the pool, run by it.
pub struct PhoneLeg {
    codec: Codec,
    line_in: Drain<Encoded>,
    line_out: Feed<Encoded>,
    heard: Feed<Heard>,
    say: Drain<Say>,
    control: Arc<LegControl>,
    concealer: Concealer,
    inbound: Pipeline,
    vad: Vad,
    gain: Gain,
    to_line: Resampler,
    /// Samples at the line's rate that do not fill a frame yet.
    pending: [f32; 1_280],
    pending_len: usize,
    /// Samples at the line's rate taken so far.
    position: u64,
    last_packet: Option<Mono>,
    fed_until: Mono,
    out: Frame,
    started: bool,
    saying: bool,
}

/// How a leg is built.
#[derive(Clone, Copy, Debug)]
pub struct LegConfig {
    /// Codec of the line.
    pub codec: Codec,
    /// Voice activity detection.
    pub vad: VadConfig,
    /// High-pass and noise suppression before voice activity detection and recogniser.
    pub denoise: bool,
}

impl PhoneLeg {
    /// Builds the leg between a line's rings and the voice side.
    ///
    /// # Errors
    /// [`Error::Stage`] if the codec's rate cannot be brought to 16 kHz.
    pub fn new(
        config: &LegConfig,
        line_in: Drain<Encoded>,
        line_out: Feed<Encoded>,
    ) -> Result<(PhoneLeg, LegHandle), Error> {
        let line_rate = config.codec.clock_rate();
        let (heard_in, heard_out) = ring::ring(INBOUND_FRAMES * 2);
        let (say_in, say_out) = ring::ring(OUTBOUND_FRAMES);
        let control = Arc::new(LegControl::new());
        let mut stages: Vec<Box<dyn Stage>> = vec![Box::new(Resampler::new(line_rate, INTERNAL_RATE)?)];
        if config.denoise {
            stages.push(Box::new(Cleanup::new()));
        }
        let leg = PhoneLeg {
            codec: config.codec,
            line_in,
            line_out,
            heard: heard_in,
            say: say_out,
            control: control.clone(),
            concealer: Concealer::new(line_rate),
            inbound: Pipeline::new(stages),
            vad: Vad::new(config.vad),
            gain: Gain::new(),
            to_line: Resampler::new(INTERNAL_RATE, line_rate)?,
            pending: [0.0; 1_280],
            pending_len: 0,
            position: 0,
            last_packet: None,
            fed_until: Mono::ZERO,
            out: Frame::silence(INTERNAL_RATE, FRAME_SAMPLES),
            started: false,
            saying: false,
        };
        Ok((
            leg,
            LegHandle {
                heard: heard_out,
                say: say_in,
                control,
            },
        ))
    }

    /// Serves both directions once. `now` is the tick's time.
    pub fn tick(&mut self, now: Mono) {
        self.control.ticks.fetch_add(1, Ordering::Relaxed);
        self.listen(now);
        self.speak();
    }

    fn frame_at_line(&self) -> usize {
        self.codec.clock_rate() as usize / 50
    }

    fn listen(&mut self, now: Mono) {
        if !self.started {
            self.started = true;
            self.fed_until = now;
        }
        for _ in 0..FRAMES_PER_TICK {
            let Some(record) = self.line_in.pop() else { break };
            match record.payload {
                Payload::Audio(codec) => {
                    self.last_packet = Some(record.arrived);
                    let at = self.pending_len;
                    let n = codec.decode(record.bytes(), &mut self.pending[at..]);
                    let (pending, concealer) = (&self.pending, &mut self.concealer);
                    concealer.good(&pending[at..at + n]);
                    self.pending_len += n;
                    self.drain_pending(record.arrived, false);
                }
                Payload::Lost { samples } => {
                    let mut left = samples as usize;
                    // A gap longer than the buffer was no loss but a break; half a second of it is enough.
                    left = left.min(self.codec.clock_rate() as usize / 2);
                    while left > 0 {
                        let at = self.pending_len;
                        let n = left.min(self.frame_at_line());
                        self.concealer.fill(&mut self.pending[at..at + n]);
                        self.pending_len += n;
                        left -= n;
                        self.control.concealed.fetch_add(1, Ordering::Relaxed);
                        self.drain_pending(record.arrived, true);
                    }
                }
                Payload::Digit { digit, duration_ms } => {
                    self.last_packet = Some(record.arrived);
                    self.heard.push(Heard::Digit { digit, duration_ms });
                }
            }
        }
        self.fill_pause(now);
    }

    /// A sender that pauses must not stop the clock of turn-taking: its silence is filled in real time.
    fn fill_pause(&mut self, now: Mono) {
        let quiet_since = self.last_packet.map_or(self.fed_until, |p| p.max(self.fed_until));
        if now.since(quiet_since).as_millis() < u128::from(PAUSE_MS) {
            return;
        }
        let at = self.pending_len;
        let n = self.frame_at_line();
        self.pending[at..at + n].fill(0.0);
        self.pending_len += n;
        self.fed_until = quiet_since + std::time::Duration::from_millis(20);
        self.drain_pending(now, false);
    }

    /// Runs every whole 20 ms through the stages.
    fn drain_pending(&mut self, arrived: Mono, concealed: bool) {
        let n = self.frame_at_line();
        let mut start = 0;
        while self.pending_len - start >= n {
            let mut frame = Frame::silence(self.codec.clock_rate(), n);
            frame
                .samples_mut()
                .copy_from_slice(&self.pending[start..start + n]);
            frame.timestamp = self.position;
            frame.marks.concealed = concealed;
            self.position += n as u64;
            start += n;
            self.hear(&mut frame, arrived);
        }
        self.pending.copy_within(start..self.pending_len, 0);
        self.pending_len -= start;
    }

    fn hear(&mut self, frame: &mut Frame, arrived: Mono) {
        self.inbound.process(frame);
        let mut sound = Sound {
            timestamp: frame.timestamp,
            arrived,
            samples: [0; FRAME_SAMPLES],
        };
        for (to, from) in sound.samples.iter_mut().zip(frame.samples()) {
            *to = crate::frame::to_i16(*from);
        }
        self.heard.push(Heard::Sound(sound));
        let (heard, control, saying) = (&mut self.heard, &self.control, self.saying);
        self.vad.process(frame, |event| {
            heard.push(match event {
                VadEvent::Onset { at } => {
                    if saying && control.duck_on_onset.load(Ordering::Acquire) {
                        control.set_gain(DUCKED);
                    }
                    Heard::Onset { at, arrived }
                }
                VadEvent::Offset { at } => Heard::Offset { at, arrived },
            });
        });
    }

    /// Keeps one frame ahead of the line: less would starve it when this thread is late, more would be heard after
    /// an interruption.
    fn speak(&mut self) {
        while self.line_out.is_empty() {
            let stop_before = self.control.stop_before.load(Ordering::Acquire);
            let next = loop {
                match self.say.pop() {
                    Some(say) if say.utterance < stop_before => {}
                    other => break other,
                }
            };
            self.gain.set(self.control.gain());
            let frame = &mut self.out;
            frame.rate = INTERNAL_RATE;
            let mut tag = 0;
            let mut marker = false;
            if let Some(say) = &next {
                marker = !self.saying;
                self.saying = true;
                tag = say.tag;
                frame.fill_i16(&say.samples);
                let (utterance, frames) = self.control.played();
                let frames = if utterance == say.utterance { frames + 1 } else { 1 };
                let packed = u64::from(say.utterance) << 32 | u64::from(frames);
                self.control.played.store(packed, Ordering::Release);
                if say.last {
                    self.saying = false;
                    self.heard.push(Heard::Finished {
                        utterance: say.utterance,
                    });
                }
            } else {
                self.saying = false;
                frame.set_len(FRAME_SAMPLES);
                frame.samples_mut().fill(0.0);
            }
            self.gain.process(frame);
            self.to_line.process(frame);
            let mut record = Encoded::empty(Payload::Audio(self.codec));
            let n = frame.samples().len();
            self.codec.encode(frame.samples(), record.bytes_mut(n));
            record.tag = tag;
            record.marker = marker;
            if !self.line_out.push(record) {
                break;
            }
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.control.is_closed()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    struct Bench {
        to_leg: Feed<Encoded>,
        from_leg: Drain<Encoded>,
        leg: PhoneLeg,
        handle: LegHandle,
        now: Mono,
    }

    fn bench() -> Bench {
        let (to_leg, line_in) = ring::ring(INBOUND_FRAMES);
        let (line_out, from_leg) = ring::ring(OUTBOUND_FRAMES);
        let config = LegConfig {
            codec: Codec::Pcmu,
            vad: VadConfig::default(),
            denoise: true,
        };
        let (leg, handle) = PhoneLeg::new(&config, line_in, line_out).unwrap();
        Bench {
            to_leg,
            from_leg,
            leg,
            handle,
            now: Mono::ZERO,
        }
    }

    impl Bench {
        fn step(&mut self, packet: Option<&[u8]>) -> Vec<Heard> {
            if let Some(bytes) = packet {
                let mut e = Encoded::audio(Codec::Pcmu, bytes);
                e.arrived = self.now;
                self.to_leg.push(e);
            }
            self.leg.tick(self.now);
            self.now = self.now + Duration::from_millis(20);
            std::iter::from_fn(|| self.handle.heard.pop()).collect()
        }
    }

    fn sounds(heard: &[Heard]) -> usize {
        heard.iter().filter(|h| matches!(h, Heard::Sound(_))).count()
    }

    #[test]
    fn packets_of_any_length_become_frames_of_20_ms() {
        let mut b = bench();
        let got: usize = [240, 240, 80, 80, 160, 160]
            .iter()
            .map(|n| sounds(&b.step(Some(&vec![0xFF; *n]))))
            .sum();
        assert_eq!(got, 960 / 160);
    }

    #[test]
    fn a_lost_packet_is_concealed_and_time_goes_on_vp_043_046() {
        let mut b = bench();
        b.step(Some(&[0xFF; 160]));
        let mut lost = Encoded::empty(Payload::Lost { samples: 320 });
        lost.arrived = b.now;
        b.to_leg.push(lost);
        assert_eq!(sounds(&b.step(Some(&[0xFF; 160]))), 3);
        assert_eq!(b.handle.control.concealed_frames(), 2);
    }

    #[test]
    fn a_paused_sender_does_not_stop_the_clock_vp_041() {
        let mut b = bench();
        b.step(Some(&[0xFF; 160]));
        let got: usize = (0..50).map(|_| sounds(&b.step(None))).sum();
        assert!((46..=50).contains(&got), "{got} frames in one second of pause");
        assert_eq!(b.handle.control.concealed_frames(), 0);
    }

    #[test]
    fn what_is_cut_is_silent_with_the_next_frame() {
        let mut b = bench();
        for utterance in [1, 1, 1, 1] {
            b.handle.say.push(Say {
                utterance,
                tag: 0,
                last: false,
                samples: [8_000; FRAME_SAMPLES],
            });
        }
        b.step(None);
        let loud = b.from_leg.pop().unwrap();
        assert!(loud.marker && loud.bytes().iter().any(|s| crate::g711::decode_ulaw(*s) > 4_000));
        b.handle.control.stop_before(2);
        b.step(None);
        b.step(None);
        b.from_leg.clear();
        b.step(None);
        let next = b.from_leg.pop().unwrap();
        assert!(
            next.bytes()
                .iter()
                .all(|s| crate::g711::decode_ulaw(*s).abs() < 40)
        );
        assert_eq!(b.handle.control.played(), (1, 1));
    }

    #[test]
    fn the_end_of_an_utterance_is_reported_with_its_last_frame() {
        let mut b = bench();
        b.handle.say.push(Say {
            utterance: 3,
            tag: 9,
            last: true,
            samples: [1; FRAME_SAMPLES],
        });
        let heard = b.step(None);
        assert!(
            heard
                .iter()
                .any(|h| matches!(h, Heard::Finished { utterance: 3 }))
        );
        assert_eq!(b.from_leg.pop().unwrap().tag, 9);
    }
}
