//! The telephone's end of an answered call: samples in and out, everything written down.

use std::collections::VecDeque;

use roomtone_audio::{Codec, Encoded, Payload, g711};
use roomtone_base::Mono;
use roomtone_sip::Call;

use crate::{
    ear::{SILENCE_DBFS, level_dbfs},
    record::{Heard, Record, Spoken},
};

/// Samples of a packet: 20 ms at 8 kHz.
pub(crate) const FRAME: usize = 160;
/// Packets that are ready before their time: two, so that a late task costs nothing and what is said now leaves
/// within 40 ms.
const AHEAD: usize = 2;

/// A frame of what is to be said.
pub(crate) struct Say {
    pub samples: [i16; FRAME],
    pub clip: Option<usize>,
    /// The last frame of the clip that is loud.
    pub last_loud: bool,
    /// The first frame of the clip.
    pub first: bool,
}

impl Say {
    pub(crate) const SILENCE: Say = Say {
        samples: [0; FRAME],
        clip: None,
        last_loud: false,
        first: false,
    };
}

struct Waiting {
    tag: u32,
    level_dbfs: f32,
    clip: Option<usize>,
    last_loud: bool,
    first: bool,
}

/// What a [`Line`] noticed in sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    ClipStarted(usize, Mono),
    ClipEnded(usize, Mono),
}

pub(crate) struct Line {
    pub call: Call,
    pub record: Record,
    tag: u32,
    waiting: VecDeque<Waiting>,
}

impl Line {
    pub(crate) fn new(call: Call) -> Self {
        Line {
            call,
            record: Record::default(),
            tag: 0,
            waiting: VecDeque::new(),
        }
    }

    /// Moves sound both ways: takes frames from `next` until enough are ready, writes down what left and what came.
    /// Call every few milliseconds.
    pub(crate) fn pump(
        &mut self,
        mut next: impl FnMut() -> Say,
        mut left: impl FnMut(Left),
        mut heard: impl FnMut(&Heard, &[i16]),
    ) {
        while self.call.media.outbound.len() < AHEAD {
            let say = next();
            self.push(&say);
        }
        while let Some(sent) = self.call.media.sent.pop() {
            while let Some(w) = self.waiting.pop_front() {
                if w.tag != sent.tag {
                    // A key took its place.
                    continue;
                }
                let Waiting {
                    level_dbfs,
                    clip,
                    last_loud,
                    first,
                    ..
                } = w;
                self.record.spoken.push(Spoken {
                    at: sent.at,
                    sequence: sent.sequence,
                    level_dbfs,
                    clip,
                });
                if let (Some(clip), true) = (clip, first) {
                    left(Left::ClipStarted(clip, sent.at));
                }
                if let (Some(clip), true) = (clip, last_loud) {
                    left(Left::ClipEnded(clip, sent.at));
                }
                break;
            }
        }
        while let Some(record) = self.call.media.inbound.pop() {
            self.take(&record, &mut heard);
        }
    }

    fn push(&mut self, say: &Say) {
        self.tag = self.tag.wrapping_add(1).max(1);
        let codec = self.call.codec;
        let encode = match codec {
            Codec::Pcmu => g711::encode_ulaw,
            Codec::Pcma => g711::encode_alaw,
        };
        let mut record = Encoded::empty(Payload::Audio(codec));
        for (byte, sample) in record.bytes_mut(FRAME).iter_mut().zip(say.samples) {
            *byte = encode(sample);
        }
        record.tag = self.tag;
        if self.call.media.outbound.push(record) {
            let level_dbfs = level_dbfs(&say.samples);
            let Say {
                clip,
                last_loud,
                first,
                ..
            } = *say;
            self.waiting.push_back(Waiting {
                tag: self.tag,
                level_dbfs,
                clip,
                last_loud,
                first,
            });
        }
    }

    fn take(&mut self, record: &Encoded, heard: &mut impl FnMut(&Heard, &[i16])) {
        let begin = self.record.pcm.len();
        let (samples, lost) = match record.payload {
            Payload::Audio(codec) => {
                let decode = match codec {
                    Codec::Pcmu => g711::decode_ulaw,
                    Codec::Pcma => g711::decode_alaw,
                };
                self.record.pcm.extend(record.bytes().iter().map(|b| decode(*b)));
                (record.bytes().len() as u32, false)
            }
            Payload::Lost { samples } => {
                self.record.pcm.resize(begin + samples as usize, 0);
                (samples, true)
            }
            Payload::Digit { .. } => return,
        };
        let pcm = &self.record.pcm[begin..];
        let level_dbfs = if lost { SILENCE_DBFS } else { level_dbfs(pcm) };
        let packet = Heard {
            at: record.arrived,
            timestamp: record.timestamp,
            samples,
            level_dbfs,
            lost,
        };
        heard(&packet, pcm);
        self.record.heard.push(packet);
    }
}

/// A clip, cut into frames, with its last loud one known.
pub(crate) struct Mouth {
    frames: VecDeque<Say>,
}

impl Mouth {
    pub(crate) fn silent() -> Self {
        Mouth {
            frames: VecDeque::new(),
        }
    }

    /// Begins to say `pcm`; what was being said is dropped.
    pub(crate) fn say(&mut self, pcm: &[i16], clip: Option<usize>, threshold_dbfs: f32) {
        self.frames = pcm
            .chunks(FRAME)
            .enumerate()
            .map(|(i, chunk)| {
                let mut samples = [0; FRAME];
                samples[..chunk.len()].copy_from_slice(chunk);
                Say {
                    samples,
                    clip,
                    last_loud: false,
                    first: i == 0,
                }
            })
            .collect();
        let loud = |f: &&mut Say| level_dbfs(&f.samples) > threshold_dbfs;
        // A clip without a loud frame ends with its last one.
        let last = self.frames.iter_mut().rev().find(loud).is_some_and(|f| {
            f.last_loud = true;
            true
        });
        if !last && let Some(f) = self.frames.back_mut() {
            f.last_loud = true;
        }
    }

    pub(crate) fn is_speaking(&self) -> bool {
        !self.frames.is_empty()
    }

    pub(crate) fn next(&mut self) -> Say {
        self.frames.pop_front().unwrap_or(Say::SILENCE)
    }
}
