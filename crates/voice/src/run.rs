//! A call while it lasts: one task that listens, lets the turn machine decide, and speaks.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use roomtone_audio::{Drain, FRAME_SAMPLES, Heard, LegConfig, LegHandle, PhoneLeg, Sent, Sound, VadConfig};
use roomtone_base::{Evidence, Mono};
use roomtone_room::Map;
use roomtone_speech::{Expected, Line as Acoustics, Utterance};
use serde_json::json;
use tokio::sync::mpsc;

use crate::{
    Error, TurnAction, TurnEvent, TurnTaking, Waterfall,
    backend::{Line, LineControl, LineEvent},
    hear::{HeardTurn, TurnInput, answer_turns},
    parts::{FILTER_DELAY_MS, Parts, TURN_MS},
    progress::ProgressEvent,
    session::{Command, Session, SessionState},
    speaker::{Playing, Speaker, TurnTimes},
};

/// How often the session looks at its rings.
const TICK: Duration = Duration::from_millis(10);
/// Frames kept from before speech is detected: 500 ms.
const HISTORY: usize = 25;
/// Samples a millisecond inside the house.
const PER_MS: u64 = 16;
/// Keys that follow each other within this time are one number.
const KEY_PAUSE: Duration = Duration::from_millis(1_500);
/// A new answer does not wait longer than this for a caller who seems to speak.
const LONGEST_HOLD: Duration = Duration::from_millis(1_500);
/// From the last sample handed to the line until it has been heard.
const DRAIN: Duration = Duration::from_millis(120);
/// The closing words may take so long; then the line is closed.
const CLOSING: Duration = Duration::from_millis(1_500);

/// Everything of a running call.
pub(crate) struct Run {
    session: Arc<Session>,
    parts: Arc<Parts>,
    leg: LegHandle,
    sent: Drain<Sent>,
    control: Box<dyn LineControl>,
    events: mpsc::UnboundedReceiver<LineEvent>,
    commands: mpsc::UnboundedReceiver<Command>,
    turn: TurnTaking,
    speaker: Speaker,
    utterance: Option<Box<dyn Utterance>>,
    acoustics: Acoustics,
    history: VecDeque<Sound>,
    /// Arrival of the sound that ends at this place, for places to become times.
    anchor: (u64, Mono),
    detected: Option<Mono>,
    to_room: mpsc::UnboundedSender<TurnInput>,
    keys: String,
    last_key: Mono,
    hold_since: Option<Mono>,
    hang_up_at: Option<(Mono, &'static str)>,
    /// The closing words are said now: they neither wait for the caller nor stop for him.
    closing: bool,
    ended: Option<(&'static str, String)>,
    turns: u32,
    interruptions: u32,
}

impl Run {
    pub(crate) fn begin(
        session: Arc<Session>,
        parts: Arc<Parts>,
        line: Line,
        commands: mpsc::UnboundedReceiver<Command>,
    ) -> Result<Self, Error> {
        let config = LegConfig {
            codec: line.codec,
            vad: VadConfig::default(),
            denoise: true,
        };
        let (phone, leg) = PhoneLeg::new(&config, line.inbound, line.outbound)?;
        leg.control
            .duck_on_onset(parts.config.interruption != crate::Interruption::Disabled);
        if !parts.pool.add(phone) {
            return Err(Error::Full);
        }
        let (to_room, turns) = mpsc::unbounded_channel();
        tokio::spawn(answer_turns(session.clone(), parts.clone(), turns));
        parts.tell(&session, ProgressEvent::Answered);
        parts.emit(&session, "voice_session_started", Map::new());
        parts.emit(&session, "voice_session_ready", Map::new());
        let now = parts.clock.mono();
        Ok(Run {
            turn: TurnTaking::new(&parts.config),
            session,
            parts,
            leg,
            sent: line.sent,
            control: line.control,
            events: line.events,
            commands,
            speaker: Speaker::new(),
            utterance: None,
            acoustics: Acoustics::default(),
            history: VecDeque::with_capacity(HISTORY + 1),
            anchor: (0, now),
            detected: None,
            to_room,
            keys: String::new(),
            last_key: now,
            hold_since: None,
            hang_up_at: None,
            closing: false,
            ended: None,
            turns: 0,
            interruptions: 0,
        })
    }

    pub(crate) async fn drive(mut self) {
        let started = self.parts.clock.mono();
        let longest = Duration::from_secs(60 * u64::from(self.parts.config.max_call_minutes));
        let mut next = started + TICK;
        while self.ended.is_none() {
            let clock = self.parts.clock.clone();
            tokio::select! {
                biased;
                Some(event) = self.events.recv() => self.on_line(event),
                Some(command) = self.commands.recv() => self.on_command(command).await,
                () = clock.sleep_until(next) => {
                    let now = clock.mono();
                    next = if now.since(next) > TICK * 5 { now + TICK } else { next + TICK };
                    self.tick(now);
                    if now.since(started) > longest && self.hang_up_at.is_none() {
                        tracing::warn!(target: "roomtone::voice", call = %self.session.caller.call_id,
                            trace = %self.session.caller.trace, "the call has reached its longest time");
                        self.close().await;
                    }
                    if let Some((at, reason)) = self.hang_up_at && now >= at {
                        self.control.hang_up(reason).await;
                        self.ended = Some(("desk", reason.to_owned()));
                    }
                }
            }
        }
        self.end(started).await;
    }

    fn on_line(&mut self, event: LineEvent) {
        match event {
            LineEvent::Held => {
                self.session.become_state(SessionState::Paused);
            }
            LineEvent::Resumed => {
                self.session.become_state(SessionState::Active);
                if !self.speaker.is_busy() {
                    // His silence is counted from here.
                    let now = self.parts.clock.mono();
                    self.machine(TurnEvent::DeskEnds, now);
                }
            }
            LineEvent::Ended { by, reason } => self.ended = Some((by, reason)),
        }
    }

    async fn on_command(&mut self, command: Command) {
        match command {
            // Behind the closing words there is nothing more to say.
            Command::Say(answer) if self.closing && answer.event.is_some() => drop(answer),
            Command::Say(answer) => self.speaker.enqueue(answer),
            Command::NothingToAnswer => self.turn.nothing_to_answer(),
            Command::Close => self.close().await,
        }
    }

    /// Says the closing words, whatever was being said, and hangs up.
    async fn close(&mut self) {
        let now = self.parts.clock.mono();
        if let Some(playing) = self.speaker.stop(&self.leg.control) {
            self.note_spoken(&playing, true);
        }
        self.closing = true;
        self.leg.control.duck_on_onset(false);
        let session = self.session.clone();
        session.say(None, &self.parts.config.closing.clone()).await;
        self.hang_up_at = Some((now + CLOSING, "closing"));
    }

    fn tick(&mut self, now: Mono) {
        while let Some(heard) = self.leg.heard.pop() {
            match heard {
                Heard::Sound(sound) => self.sound(&sound),
                Heard::Onset { at, .. } => self.machine(TurnEvent::Onset { at: at / PER_MS }, now),
                Heard::Offset { at, .. } => {
                    self.detected = Some(now);
                    self.machine(TurnEvent::Offset { at: at / PER_MS }, now);
                }
                Heard::Digit { digit, .. } => self.key(digit, now),
                Heard::Finished { utterance } => {
                    if let Some(playing) = self.speaker.finished(utterance) {
                        self.spoken_to_end(&playing, now);
                    }
                }
            }
        }
        let until = self.anchor.0 / PER_MS;
        self.machine(TurnEvent::Heard { until }, now);
        self.keys_complete(now);
        self.speak(now);
        while let Some(sent) = self.sent.pop() {
            self.first_packet(sent);
        }
    }

    fn sound(&mut self, sound: &Sound) {
        self.anchor = (sound.timestamp + FRAME_SAMPLES as u64, sound.arrived);
        if let Some(utterance) = &mut self.utterance {
            utterance.feed(&sound.samples);
        }
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(*sound);
    }

    /// When the sound at a place, in ms, came in at the socket.
    fn time_of(&self, place_ms: u64) -> Mono {
        let behind = self.anchor.0.saturating_sub(place_ms * PER_MS) as f64 / PER_MS as f64 + FILTER_DELAY_MS;
        let start = self.anchor.1.as_duration();
        Mono::from_duration(start.saturating_sub(Duration::from_secs_f64(behind / 1_000.0)))
    }

    fn machine(&mut self, event: TurnEvent, now: Mono) {
        for action in self.turn.on(event).into_iter().flatten() {
            match action {
                TurnAction::Listen { from } => self.listen(from),
                TurnAction::Finish { speech_end } => self.finish(speech_end, now),
                TurnAction::Discard => self.utterance = None,
                TurnAction::Interrupt => self.interrupt(),
                TurnAction::Resume => self.leg.control.set_gain(1.0),
                // Whoever put the line on hold is not silent, he does not hear.
                TurnAction::NoInput if self.session.state() == SessionState::Paused => {}
                TurnAction::NoInput => {
                    self.parts.tell(&self.session, ProgressEvent::NoInput);
                    self.send_to_room(TurnInput::NoInput);
                }
            }
        }
    }

    fn send_to_room(&self, input: TurnInput) {
        // The task that answers turns ends only after this one.
        let _ = self.to_room.send(input);
    }

    fn listen(&mut self, from: u64) {
        let expectations = self.parts.context.expectations(&self.session.room);
        match self.parts.stt.start(&expectations, &self.acoustics) {
            Ok(mut utterance) => {
                let first = from * PER_MS;
                for sound in self
                    .history
                    .iter()
                    .filter(|s| s.timestamp + FRAME_SAMPLES as u64 > first)
                {
                    utterance.feed(&sound.samples);
                }
                self.utterance = Some(utterance);
            }
            Err(error) => self.ears_failed(&error),
        }
    }

    fn ears_failed(&self, error: &roomtone_speech::Error) {
        tracing::error!(target: "roomtone::voice", call = %self.session.caller.call_id,
            trace = %self.session.caller.trace, %error, "an utterance cannot be heard");
        let data = Map::from_iter([
            ("provider".to_owned(), self.parts.stt.name().into()),
            ("error".to_owned(), error.to_string().into()),
        ]);
        self.parts.emit(&self.session, "stt_error", data);
    }

    fn finish(&mut self, speech_end: u64, now: Mono) {
        let Some(utterance) = self.utterance.take() else {
            // It could not be heard; the desk asks again.
            self.send_to_room(TurnInput::Unclear);
            return;
        };
        self.turns += 1;
        let times = TurnTimes {
            speech_end: self.time_of(speech_end),
            detected: self.detected.unwrap_or(now),
            finished: now,
            words: now,
            desk_ms: 0.0,
        };
        self.send_to_room(TurnInput::Speech(HeardTurn {
            words: utterance.finish(),
            times,
        }));
    }

    fn interrupt(&mut self) {
        let leaving = self.speaker.playing.as_ref().is_some_and(|p| p.answer.end_call);
        if self.closing || leaving {
            // Words that end the call are said to their end: behind them nobody is there to answer.
            self.leg.control.set_gain(1.0);
            return;
        }
        if let Some(playing) = self.speaker.stop(&self.leg.control) {
            self.interruptions += 1;
            self.note_spoken(&playing, true);
        }
        let now = self.parts.clock.mono();
        self.machine(TurnEvent::DeskEnds, now);
    }

    fn key(&mut self, digit: u8, now: Mono) {
        self.machine(TurnEvent::Key, now);
        self.keys.push(char::from(digit));
        self.last_key = now;
    }

    /// Hands keys over: at once where one key is an answer, after a pause or `#` where a number is expected.
    fn keys_complete(&mut self, now: Mono) {
        if self.keys.is_empty() {
            return;
        }
        let number = self.parts.context.expectations(&self.session.room).expected == Expected::Digits;
        if !number || self.keys.ends_with('#') || now.since(self.last_key) >= KEY_PAUSE {
            let keys = std::mem::take(&mut self.keys);
            let digits = keys
                .strip_suffix('#')
                .filter(|d| !d.is_empty())
                .unwrap_or(&keys)
                .to_owned();
            self.parts
                .tell(&self.session, ProgressEvent::Keys(digits.clone()));
            self.send_to_room(TurnInput::Keys(digits));
        }
    }

    fn speak(&mut self, now: Mono) {
        // Somebody who is speaking is not spoken over, but a noise must not silence the desk for ever.
        let hold = !self.closing
            && self.turn.caller_has_floor()
            && self.speaker.playing.is_none()
            && self.speaker.is_busy();
        self.hold_since = hold.then(|| self.hold_since.unwrap_or(now));
        let may_begin = self
            .hold_since
            .is_none_or(|since| now.since(since) >= LONGEST_HOLD);
        let spoken = self
            .speaker
            .tick(now, may_begin, &mut self.leg.say, &self.leg.control);
        if spoken.begun {
            self.machine(TurnEvent::DeskBegins, now);
            if let Some(playing) = &self.speaker.playing
                && playing.answer.turn.is_none()
            {
                let text = playing.answer.text.clone();
                self.parts.tell(
                    &self.session,
                    ProgressEvent::Saying {
                        text,
                        waterfall: None,
                    },
                );
            }
        }
        if let Some(playing) = spoken.silent {
            self.spoken_to_end(&playing, now);
        }
    }

    fn spoken_to_end(&mut self, playing: &Playing, now: Mono) {
        self.note_spoken(playing, false);
        if playing.answer.end_call {
            self.hang_up_at = Some((now + DRAIN, "goodbye"));
        } else if playing.answer.event.is_none() {
            self.hang_up_at = Some((now + DRAIN, "closing"));
        }
        if !self.speaker.is_busy() {
            self.machine(TurnEvent::DeskEnds, now);
        }
    }

    /// The first frame of an answer is on the wire.
    fn first_packet(&mut self, sent: Sent) {
        let session = self.session.clone();
        let Some(playing) = self.speaker.playing.as_mut().filter(|p| p.number == sent.tag) else {
            return;
        };
        let mut evidence = Evidence::new(
            session.caller.trace.clone(),
            self.parts.clock.now(),
            "voice.spoke",
            "voice",
        )
        .call(session.caller.call_id.clone())
        .room(session.room.clone())
        .with("rtp_sequence", sent.sequence);
        if let Some(event) = &playing.answer.event {
            evidence = evidence.with("event", event.as_str());
        }
        if let (Some(turn), Some(first_sound)) = (playing.answer.turn, playing.first_sound) {
            let ms = |from: Mono, to: Mono| to.since(from).as_secs_f64() * 1_000.0;
            let waterfall = Waterfall {
                vad: ms(turn.speech_end, turn.detected),
                endpoint: ms(turn.detected, turn.finished),
                stt: ms(turn.finished, turn.words),
                room: (ms(turn.words, playing.answer.delivered) - turn.desk_ms).max(0.0),
                desk: turn.desk_ms,
                tts: ms(playing.answer.delivered, first_sound),
                first_frame: ms(first_sound, sent.at),
            };
            playing.waterfall = Some(waterfall);
            let total = waterfall.total();
            self.parts
                .telemetry
                .metric(TURN_MS, total, &[("call_id", &session.caller.call_id)]);
            tracing::info!(target: "roomtone::voice", call = %session.caller.call_id, trace = %session.caller.trace,
                total_ms = total.round(), endpoint_ms = waterfall.endpoint.round(), stt_ms = waterfall.stt.round(),
                desk_ms = waterfall.desk.round(), "turn answered");
            evidence = evidence.with("turn_ms", total.round());
            let text = playing.answer.text.clone();
            self.parts.tell(
                &session,
                ProgressEvent::Saying {
                    text,
                    waterfall: Some(waterfall),
                },
            );
        }
        self.parts.evidence.record(evidence);
    }

    /// Writes down what was spoken and how much of it was heard (VP-121, V-12).
    fn note_spoken(&self, playing: &Playing, interrupted: bool) {
        let (utterance, frames) = self.leg.control.played();
        let heard = if !interrupted {
            playing.frames
        } else if utterance == playing.number {
            frames
        } else {
            0
        };
        let heard_ms = u64::from(heard) * 20;
        if interrupted {
            self.parts
                .tell(&self.session, ProgressEvent::Interrupted { heard_ms });
            self.parts.telemetry.metric(
                crate::parts::BARGE_IN,
                1.0,
                &[("call_id", &self.session.caller.call_id)],
            );
        }
        let Some(event) = &playing.answer.event else {
            return;
        };
        let data = json!({
            "event": event.as_str(),
            "interrupted": interrupted,
            "heard_ms": heard_ms,
            "waterfall_ms": playing.waterfall,
        });
        self.send_to_room(TurnInput::Note {
            code: "voice.spoken",
            data,
        });
    }

    async fn end(mut self, started: Mono) {
        let (by, reason) = self.ended.take().unwrap_or(("failure", String::new()));
        self.utterance = None;
        if let Some(playing) = self.speaker.stop(&self.leg.control) {
            self.note_spoken(&playing, true);
        }
        self.leg.control.close();
        self.session.become_state(SessionState::Ended);
        let seconds = self.parts.clock.mono().since(started).as_secs_f64();
        let quality = self.control.quality();
        let session = &self.session;
        tracing::info!(target: "roomtone::voice", call = %session.caller.call_id, trace = %session.caller.trace, by,
            reason, seconds = (seconds * 10.0).round() / 10.0, turns = self.turns, interruptions = self.interruptions,
            received = quality.received, lost = quality.lost, concealed = self.leg.control.concealed_frames(),
            "call ended");
        self.parts.evidence.record(
            Evidence::new(
                session.caller.trace.clone(),
                self.parts.clock.now(),
                "call.ended",
                by,
            )
            .call(session.caller.call_id.clone())
            .room(session.room.clone())
            .with("reason", reason.clone())
            .with("seconds", (seconds * 10.0).round() / 10.0)
            .with("packets_received", quality.received)
            .with("packets_lost", quality.lost),
        );
        let data = Map::from_iter([(
            "duration_ms".to_owned(),
            json!((seconds * 1_000.0).round() as u64),
        )]);
        self.parts.emit(session, "voice_session_ended", data);
        self.parts.tell(session, ProgressEvent::Ended { by, seconds });
        self.send_to_room(TurnInput::Ended { by, reason });
    }
}
