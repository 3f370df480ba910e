//! What can be said in every state.

use super::{
    reply::Act,
    state::Pending,
    talk::{Talk, Wanted},
};
use crate::{nlu::Command, pack::Control, tool::Arguments};

impl Talk<'_> {
    pub(super) fn control(&mut self, control: Control) -> Wanted {
        let nothing = Arguments::new();
        match control {
            Control::Affirm => return self.affirm(),
            Control::Deny => self.deny(),
            Control::Emergency => {
                // No claim that anybody was alerted: the caller is told what to do (RC-076).
                self.draft.acts.push(Act::Inform {
                    topic: "emergency".to_owned(),
                    values: Default::default(),
                });
                self.say("emergency", &nothing);
                self.draft.settled = true;
                self.queue.clear();
            }
            Control::Person => {
                self.draft.acts.push(Act::Deny {
                    reason: "not_available".to_owned(),
                });
                self.say("person", &nothing);
            }
            Control::Repeat => {
                self.draft.acts.push(Act::Repeat);
                self.draft.text.extend(self.state.last.clone());
                self.draft.settled = true;
            }
            Control::Stop if !self.state.stack.is_empty() => {
                self.drop_task();
                self.draft.acts.push(Act::Stopped);
                self.say("stopped", &nothing);
            }
            Control::Stop if self.state.pending == Pending::AnythingElse => self.bye(),
            Control::Stop => self.ask(Pending::Open, &nothing),
            Control::Wait => {
                self.draft.acts.push(Act::Ack);
                self.say("wait", &nothing);
                self.draft.settled = true;
            }
            Control::DontKnow => self.unknown_to_caller(),
            Control::Help => self.help(),
            Control::Bye => self.leave(),
            Control::Thanks => {
                self.draft.acts.push(Act::Ack);
                self.say("thanks", &nothing);
            }
            Control::Greet => {
                self.draft.acts.push(Act::Ack);
                if self.queue.is_empty() && self.state.stack.is_empty() {
                    self.say("hello", &nothing);
                    self.ask(Pending::Open, &nothing);
                }
            }
        }
        None
    }

    fn affirm(&mut self) -> Wanted {
        // "Okay, and what time is breakfast?" agrees to nothing.
        let calm = |c: &Command| {
            matches!(
                c,
                Command::Control {
                    control: Control::Thanks | Control::Bye | Control::Affirm
                }
            )
        };
        let alone = self.queue.iter().all(calm);
        match self.state.pending.clone() {
            Pending::Confirm { .. } if alone && !self.draft.changed => {
                // A yes to a read-back that was cut short is a yes to what was not heard (RC-042). The question at its
                // end may be missing, the values may not.
                if self.state.unheard.len() > 1 {
                    let rest = std::mem::take(&mut self.state.unheard);
                    self.draft.text.extend(rest);
                    self.draft.settled = true;
                    return None;
                }
                return self.agree();
            }
            Pending::Offer { slot, value, .. } if alone => self.set(&slot, value),
            Pending::AnythingElse if alone => {
                let nothing = Arguments::new();
                self.ask(Pending::Open, &nothing);
            }
            Pending::Ask { .. } | Pending::Open | Pending::Change { .. }
                if alone && self.nothing_happened() =>
            {
                self.no_match(false);
            }
            _ => {}
        }
        None
    }

    fn deny(&mut self) {
        let alone = self.queue.is_empty();
        match self.state.pending.clone() {
            Pending::Confirm { frame } if alone && !self.draft.changed => {
                self.draft.acts.push(Act::Ask {
                    slots: vec!["change".to_owned()],
                    frame: frame.clone(),
                });
                self.ask(Pending::Change { frame }, &Arguments::new());
            }
            Pending::Offer { .. } | Pending::Change { .. } if alone => {
                self.drop_task();
                self.draft.acts.push(Act::Stopped);
                self.say("stopped", &Arguments::new());
            }
            Pending::AnythingElse if alone => self.leave(),
            Pending::Ask { .. } | Pending::Open if alone && self.nothing_happened() => self.no_match(false),
            _ => {}
        }
    }

    fn nothing_happened(&self) -> bool {
        self.draft.text.is_empty() && !self.draft.changed
    }

    /// The end, with a word about what was begun and not written (RC-035).
    fn leave(&mut self) {
        let begun = self.state.stack.iter().rev().find(|t| !t.slots.is_empty());
        if let Some(message) = begun.map(|t| format!("{}-unfinished", t.frame)) {
            self.say(&message, &Arguments::new());
        }
        self.bye();
    }
}
