//! The desk's voice on one call: answers, clause by clause, as frames for the leg.

use std::{collections::VecDeque, sync::Arc};

use roomtone_audio::{FRAME_SAMPLES, Feed, LegControl, Say};
use roomtone_base::{EventId, Mono};
use tokio::sync::mpsc;

use crate::Waterfall;

/// Frames handed to the leg ahead of time: enough for a late tick, cut in the leg when interrupted.
const AHEAD: usize = 6;

/// A piece of an answer's sound.
pub(crate) type Piece = Arc<[i16]>;

/// An answer to be spoken.
pub(crate) struct Answer {
    /// The room's event; none for words of the line itself (closing).
    pub(crate) event: Option<EventId>,
    pub(crate) text: String,
    /// The call ends with its last word.
    pub(crate) end_call: bool,
    /// Turn that it answers.
    pub(crate) turn: Option<TurnTimes>,
    /// When the room handed it over.
    pub(crate) delivered: Mono,
    /// Its sound as it is made; closed at the end.
    pub(crate) pieces: mpsc::UnboundedReceiver<Piece>,
}

/// When the parts of a turn happened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TurnTimes {
    pub(crate) speech_end: Mono,
    pub(crate) detected: Mono,
    pub(crate) finished: Mono,
    pub(crate) words: Mono,
    pub(crate) desk_ms: f64,
}

/// The answer that is being spoken.
pub(crate) struct Playing {
    pub(crate) number: u32,
    pub(crate) answer: Answer,
    buffer: VecDeque<i16>,
    complete: bool,
    pub(crate) first_sound: Option<Mono>,
    pub(crate) frames: u32,
    pub(crate) waterfall: Option<Waterfall>,
    all_pushed: bool,
}

/// What became of the voice in a tick.
#[derive(Default)]
pub(crate) struct Spoken {
    /// An answer's first frame was handed to the leg.
    pub(crate) begun: bool,
    /// An answer had no sound at all: it is over without having begun.
    pub(crate) silent: Option<Playing>,
}

/// One call's voice.
pub(crate) struct Speaker {
    next: u32,
    queue: VecDeque<Answer>,
    pub(crate) playing: Option<Playing>,
}

impl Speaker {
    pub(crate) fn new() -> Self {
        Speaker {
            next: 1,
            queue: VecDeque::new(),
            playing: None,
        }
    }

    /// Will be spoken after what is being spoken.
    pub(crate) fn enqueue(&mut self, answer: Answer) {
        self.queue.push_back(answer);
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.playing.is_some() || !self.queue.is_empty()
    }

    /// Tops up the leg's ring. `may_begin`: a new answer may begin now.
    pub(crate) fn tick(
        &mut self,
        now: Mono,
        may_begin: bool,
        say: &mut Feed<Say>,
        control: &LegControl,
    ) -> Spoken {
        let mut spoken = Spoken::default();
        if self.playing.is_none()
            && may_begin
            && let Some(answer) = self.queue.pop_front()
        {
            let number = self.next;
            self.next += 1;
            self.playing = Some(Playing {
                number,
                answer,
                buffer: VecDeque::new(),
                complete: false,
                first_sound: None,
                frames: 0,
                waterfall: None,
                all_pushed: false,
            });
        }
        let Some(playing) = &mut self.playing else {
            return spoken;
        };
        loop {
            match playing.answer.pieces.try_recv() {
                Ok(piece) => playing.buffer.extend(piece.iter()),
                Err(mpsc::error::TryRecvError::Empty) => break,
                Err(mpsc::error::TryRecvError::Disconnected) => {
                    playing.complete = true;
                    break;
                }
            }
        }
        if playing.complete && playing.buffer.is_empty() && playing.frames == 0 {
            spoken.silent = self.playing.take();
            return spoken;
        }
        while !playing.all_pushed && say.len() < AHEAD {
            let ready = playing.buffer.len();
            if ready < FRAME_SAMPLES && !playing.complete {
                break;
            }
            let mut samples = [0i16; FRAME_SAMPLES];
            for (to, from) in samples
                .iter_mut()
                .zip(playing.buffer.drain(..ready.min(FRAME_SAMPLES)))
            {
                *to = from;
            }
            let last = playing.complete && playing.buffer.is_empty();
            let first = playing.frames == 0;
            if first {
                playing.first_sound = Some(now);
                control.set_gain(1.0);
                spoken.begun = true;
            }
            playing.frames += 1;
            playing.all_pushed = last;
            say.push(Say {
                utterance: playing.number,
                tag: if first { playing.number } else { 0 },
                last,
                samples,
            });
        }
        spoken
    }

    /// The leg has handed an answer's last frame to the line.
    pub(crate) fn finished(&mut self, number: u32) -> Option<Playing> {
        self.playing.take_if(|p| p.number == number)
    }

    /// Stops everything that is being spoken or waits; gives what was being spoken.
    pub(crate) fn stop(&mut self, control: &LegControl) -> Option<Playing> {
        control.stop_before(self.next);
        self.queue.clear();
        self.playing.take()
    }
}

#[cfg(test)]
mod tests {
    use roomtone_audio::{Codec, LegConfig, LegHandle, PhoneLeg, VadConfig, ring};

    use super::*;

    fn leg() -> (LegHandle, impl Sized) {
        let (to, line_in) = ring(8);
        let (line_out, from) = ring(8);
        let config = LegConfig {
            codec: Codec::Pcmu,
            vad: VadConfig::default(),
            denoise: false,
        };
        let (leg, handle) = PhoneLeg::new(&config, line_in, line_out).unwrap();
        (handle, (to, from, leg))
    }

    fn answer(pieces: mpsc::UnboundedReceiver<Piece>) -> Answer {
        Answer {
            event: None,
            text: String::new(),
            end_call: false,
            turn: None,
            delivered: Mono::ZERO,
            pieces,
        }
    }

    #[test]
    fn sound_goes_out_as_it_is_made_and_the_last_frame_says_so() {
        let (mut handle, _keep) = leg();
        let (sender, pieces) = mpsc::unbounded_channel();
        let mut speaker = Speaker::new();
        speaker.enqueue(answer(pieces));
        assert!(
            !speaker
                .tick(Mono::ZERO, true, &mut handle.say, &handle.control)
                .begun
        );
        sender.send(Piece::from(vec![1i16; 500])).unwrap();
        assert!(
            speaker
                .tick(Mono::ZERO, true, &mut handle.say, &handle.control)
                .begun
        );
        assert_eq!(handle.say.len(), 1, "180 samples wait for more");
        drop(sender);
        speaker.tick(Mono::ZERO, true, &mut handle.say, &handle.control);
        assert_eq!(handle.say.len(), 2);
        assert!(speaker.finished(2).is_none() && speaker.finished(1).is_some());
        assert!(!speaker.is_busy());
    }

    #[test]
    fn an_answer_without_sound_is_over_at_once() {
        let (mut handle, _keep) = leg();
        let (_, pieces) = mpsc::unbounded_channel();
        let mut speaker = Speaker::new();
        speaker.enqueue(answer(pieces));
        assert!(
            speaker
                .tick(Mono::ZERO, false, &mut handle.say, &handle.control)
                .silent
                .is_none()
        );
        assert!(
            speaker
                .tick(Mono::ZERO, true, &mut handle.say, &handle.control)
                .silent
                .is_some()
        );
        assert!(!speaker.is_busy());
    }
}
