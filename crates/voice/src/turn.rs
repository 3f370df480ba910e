//! Who has the floor: a pure state machine over timed events.
//!
//! Times are places in the caller's sound, in milliseconds since the call began, so that a call replays from its
//! recording. The machine decides; the session acts.

use crate::{Interruption, VoiceConfig};

/// What happens to the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TurnEvent {
    /// The caller's speech begins.
    Onset {
        /// Where its first window begins, ms.
        at: u64,
    },
    /// The caller's speech pauses.
    Offset {
        /// Where its last window ends, ms.
        at: u64,
    },
    /// Sound has been heard up to here.
    Heard {
        /// Place, ms.
        until: u64,
    },
    /// The desk begins to be heard.
    DeskBegins,
    /// The desk has been heard to its end, or was cut off.
    DeskEnds,
    /// A key was pressed.
    Key,
}

/// What the session shall do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TurnAction {
    /// Begin to recognise, from this place on.
    Listen {
        /// Place, ms; may lie a little in the past.
        from: u64,
    },
    /// The caller has finished: get the words.
    Finish {
        /// Where the last speech ended, ms.
        speech_end: u64,
    },
    /// What was being heard was nothing: throw it away.
    Discard,
    /// The caller wants the floor: stop the desk.
    Interrupt,
    /// It was no interruption: back to full volume.
    Resume,
    /// The caller says nothing.
    NoInput,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    Silent { since: u64 },
    Speaking { since: u64 },
    Pausing { since: u64, speech_end: u64 },
}

/// Sound kept from before the detected beginning of speech, ms: detection is late, consonants are soft.
const PRE_ROLL_MS: u64 = 240;

/// The machine of one call.
#[derive(Clone, Debug)]
pub struct TurnTaking {
    endpoint_ms: u64,
    min_speech_ms: u64,
    no_input_ms: u64,
    max_speech_ms: u64,
    interruption: Interruption,
    caller: Caller,
    desk_speaks: bool,
    /// The caller's present speech began while the desk spoke and has not been confirmed as an interruption.
    unconfirmed: bool,
    /// Nothing has been asked of the caller yet, or a turn is being answered: silence is not his.
    waiting_for_desk: bool,
    heard_until: u64,
}

impl TurnTaking {
    /// At the beginning of a call: the desk has the floor.
    pub fn new(config: &VoiceConfig) -> Self {
        TurnTaking {
            endpoint_ms: u64::from(config.endpoint_ms),
            min_speech_ms: u64::from(config.min_speech_ms),
            no_input_ms: u64::from(config.no_input_ms),
            max_speech_ms: u64::from(config.max_speech_ms),
            interruption: config.interruption,
            caller: Caller::Silent { since: 0 },
            desk_speaks: false,
            unconfirmed: false,
            waiting_for_desk: true,
            heard_until: 0,
        }
    }

    /// Is the caller speaking or in a pause too short to have finished?
    pub fn caller_has_floor(&self) -> bool {
        !matches!(self.caller, Caller::Silent { .. })
    }

    /// Takes an event; at most two actions, in order.
    pub fn on(&mut self, event: TurnEvent) -> [Option<TurnAction>; 2] {
        match event {
            TurnEvent::Onset { at } => self.onset(at),
            TurnEvent::Offset { at } => self.offset(at),
            TurnEvent::Heard { until } => self.heard(until),
            TurnEvent::DeskBegins => {
                self.desk_speaks = true;
                [None, None]
            }
            TurnEvent::DeskEnds => {
                self.desk_speaks = false;
                self.waiting_for_desk = false;
                // What began over the desk's last words is the caller's turn like any other.
                self.unconfirmed = false;
                if let Caller::Silent { since } = &mut self.caller {
                    *since = self.heard_until;
                }
                [None, None]
            }
            TurnEvent::Key => {
                let speaks =
                    std::mem::take(&mut self.desk_speaks) && self.interruption != Interruption::Disabled;
                let listening = self.caller_has_floor();
                self.caller = Caller::Silent {
                    since: self.heard_until,
                };
                self.unconfirmed = false;
                [
                    speaks.then_some(TurnAction::Interrupt),
                    listening.then_some(TurnAction::Discard),
                ]
            }
        }
    }

    fn onset(&mut self, at: u64) -> [Option<TurnAction>; 2] {
        match self.caller {
            Caller::Silent { .. } => {
                self.caller = Caller::Speaking { since: at };
                self.unconfirmed = self.desk_speaks;
                let listen = TurnAction::Listen {
                    from: at.saturating_sub(PRE_ROLL_MS),
                };
                if self.desk_speaks && self.interruption == Interruption::Immediate {
                    self.unconfirmed = false;
                    return [Some(listen), Some(TurnAction::Interrupt)];
                }
                [Some(listen), None]
            }
            Caller::Pausing { since, .. } => {
                self.caller = Caller::Speaking { since };
                [None, None]
            }
            Caller::Speaking { .. } => [None, None],
        }
    }

    fn offset(&mut self, at: u64) -> [Option<TurnAction>; 2] {
        if let Caller::Speaking { since } = self.caller {
            self.caller = Caller::Pausing {
                since,
                speech_end: at,
            };
        }
        [None, None]
    }

    fn heard(&mut self, until: u64) -> [Option<TurnAction>; 2] {
        self.heard_until = until;
        match self.caller {
            Caller::Speaking { since } => {
                let long = until.saturating_sub(since);
                if long >= self.max_speech_ms {
                    return self.finish(until);
                }
                if self.unconfirmed
                    && self.desk_speaks
                    && self.interruption == Interruption::Confirmed
                    && long >= self.min_speech_ms
                {
                    self.unconfirmed = false;
                    return [Some(TurnAction::Interrupt), None];
                }
                [None, None]
            }
            Caller::Pausing { since, speech_end } if until.saturating_sub(speech_end) >= self.endpoint_ms => {
                let short = speech_end.saturating_sub(since) < self.min_speech_ms;
                if self.unconfirmed
                    && self.desk_speaks
                    && self.interruption == Interruption::Confirmed
                    && short
                {
                    // A cough or an "uh-huh" over the desk's words: the desk goes on (VP-122).
                    self.caller = Caller::Silent { since: until };
                    self.unconfirmed = false;
                    return [Some(TurnAction::Discard), Some(TurnAction::Resume)];
                }
                self.finish(speech_end)
            }
            Caller::Silent { since } => {
                if !self.desk_speaks
                    && !self.waiting_for_desk
                    && until.saturating_sub(since) >= self.no_input_ms
                {
                    self.waiting_for_desk = true;
                    return [Some(TurnAction::NoInput), None];
                }
                [None, None]
            }
            Caller::Pausing { .. } => [None, None],
        }
    }

    fn finish(&mut self, speech_end: u64) -> [Option<TurnAction>; 2] {
        self.caller = Caller::Silent {
            since: self.heard_until,
        };
        self.unconfirmed = false;
        self.waiting_for_desk = !self.desk_speaks;
        [
            Some(TurnAction::Finish { speech_end }),
            self.desk_speaks.then_some(TurnAction::Resume),
        ]
    }

    /// The words were nothing and no answer will come: the caller may be silent or speak again.
    /// His silence is counted from here: what failed once is not tried again at once.
    pub fn nothing_to_answer(&mut self) {
        self.waiting_for_desk = false;
        if let Caller::Silent { since } = &mut self.caller {
            *since = self.heard_until;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(machine: &mut TurnTaking, events: &[TurnEvent]) -> Vec<TurnAction> {
        events.iter().flat_map(|e| machine.on(*e)).flatten().collect()
    }

    fn machine(interruption: Interruption) -> TurnTaking {
        TurnTaking::new(&VoiceConfig {
            interruption,
            ..VoiceConfig::default()
        })
    }

    fn heard(from: u64, until: u64) -> Vec<TurnEvent> {
        (from / 20..=until / 20)
            .map(|i| TurnEvent::Heard { until: i * 20 })
            .collect()
    }

    fn talk(machine: &mut TurnTaking, from: u64, to: u64, until: u64) -> Vec<TurnAction> {
        let mut actions = run(machine, &[TurnEvent::Onset { at: from }]);
        actions.extend(run(machine, &heard(from, to)));
        actions.extend(run(machine, &[TurnEvent::Offset { at: to }]));
        actions.extend(run(machine, &heard(to, until)));
        actions
    }

    #[test]
    fn speech_and_a_pause_make_a_turn() {
        let mut m = machine(Interruption::Confirmed);
        let actions = talk(&mut m, 1_000, 2_000, 2_300);
        assert_eq!(
            actions,
            [
                TurnAction::Listen { from: 760 },
                TurnAction::Finish { speech_end: 2_000 }
            ]
        );
    }

    #[test]
    fn a_short_pause_does_not_end_a_turn() {
        let mut m = machine(Interruption::Confirmed);
        let mut actions = talk(&mut m, 1_000, 2_000, 2_280);
        actions.extend(talk(&mut m, 2_290, 3_000, 3_300));
        assert_eq!(
            actions,
            [
                TurnAction::Listen { from: 760 },
                TurnAction::Finish { speech_end: 3_000 }
            ]
        );
    }

    #[test]
    fn a_cough_of_200_ms_does_not_stop_the_desk_and_350_ms_do_vp_120_122() {
        let mut m = machine(Interruption::Confirmed);
        run(&mut m, &[TurnEvent::DeskBegins]);
        let cough = talk(&mut m, 1_000, 1_200, 1_600);
        assert_eq!(
            cough,
            [
                TurnAction::Listen { from: 760 },
                TurnAction::Discard,
                TurnAction::Resume
            ]
        );
        let speech = talk(&mut m, 2_000, 2_350, 2_700);
        assert_eq!(
            speech,
            [
                TurnAction::Listen { from: 1_760 },
                TurnAction::Interrupt,
                TurnAction::Finish { speech_end: 2_350 },
                TurnAction::Resume
            ]
        );
    }

    #[test]
    fn immediate_stops_at_the_onset_and_disabled_never() {
        let mut m = machine(Interruption::Immediate);
        run(&mut m, &[TurnEvent::DeskBegins]);
        assert_eq!(
            run(&mut m, &[TurnEvent::Onset { at: 500 }]),
            [TurnAction::Listen { from: 260 }, TurnAction::Interrupt]
        );
        let mut m = machine(Interruption::Disabled);
        run(&mut m, &[TurnEvent::DeskBegins]);
        let actions = talk(&mut m, 1_000, 3_000, 3_300);
        assert_eq!(
            actions,
            [
                TurnAction::Listen { from: 760 },
                TurnAction::Finish { speech_end: 3_000 },
                TurnAction::Resume
            ]
        );
    }

    #[test]
    fn a_short_yes_on_the_last_words_of_the_question_is_an_answer() {
        let mut m = machine(Interruption::Confirmed);
        run(&mut m, &[TurnEvent::DeskBegins, TurnEvent::Onset { at: 1_000 }]);
        run(&mut m, &heard(1_000, 1_100));
        run(&mut m, &[TurnEvent::DeskEnds]);
        run(&mut m, &[TurnEvent::Offset { at: 1_200 }]);
        assert_eq!(
            run(&mut m, &heard(1_200, 1_500)),
            [TurnAction::Finish { speech_end: 1_200 }]
        );
    }

    #[test]
    fn silence_counts_from_the_desks_last_word_and_only_once() {
        let mut m = machine(Interruption::Confirmed);
        assert_eq!(
            run(&mut m, &heard(0, 20_000)),
            [],
            "before the greeting nobody owes an answer"
        );
        run(&mut m, &[TurnEvent::DeskBegins]);
        run(&mut m, &heard(20_000, 25_000));
        run(&mut m, &[TurnEvent::DeskEnds]);
        assert_eq!(run(&mut m, &heard(25_000, 32_900)), []);
        assert_eq!(run(&mut m, &heard(32_900, 60_000)), [TurnAction::NoInput]);
    }

    #[test]
    fn what_led_to_nothing_is_not_tried_again_at_once() {
        let mut m = machine(Interruption::Confirmed);
        run(&mut m, &[TurnEvent::DeskBegins, TurnEvent::DeskEnds]);
        assert_eq!(run(&mut m, &heard(0, 8_000)), [TurnAction::NoInput]);
        m.nothing_to_answer();
        assert_eq!(run(&mut m, &heard(8_020, 15_980)), []);
        assert_eq!(run(&mut m, &heard(16_000, 16_020)), [TurnAction::NoInput]);
    }

    #[test]
    fn a_key_takes_the_floor() {
        let mut m = machine(Interruption::Confirmed);
        run(&mut m, &[TurnEvent::DeskBegins, TurnEvent::Onset { at: 100 }]);
        assert_eq!(
            run(&mut m, &[TurnEvent::Key]),
            [TurnAction::Interrupt, TurnAction::Discard]
        );
    }

    #[test]
    fn endless_talk_is_ended() {
        let mut m = machine(Interruption::Confirmed);
        let mut actions = run(&mut m, &[TurnEvent::Onset { at: 0 }]);
        actions.extend(run(&mut m, &heard(0, 16_000)));
        assert!(
            matches!(actions[1], TurnAction::Finish { speech_end: 15_000 }),
            "{actions:?}"
        );
    }
}
