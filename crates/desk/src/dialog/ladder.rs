//! When nothing was understood or nothing heard (RC-028): every way down ends.

use super::{form::known, reply::Act, state::Pending, talk::Talk};
use crate::tool::Arguments;

impl Talk<'_> {
    /// Not understood: rephrase, narrow choice, keypad, and then an honest end of the attempt.
    pub(super) fn no_match(&mut self, too_long: bool) {
        self.queue.clear();
        self.draft.acts.push(Act::Nomatch);
        self.state.misses = self.state.misses.saturating_add(1);
        let nothing = Arguments::new();
        match self.state.misses {
            1 => {
                self.say(if too_long { "too_long" } else { "nomatch" }, &nothing);
                self.question("again");
            }
            2 => self.question("help"),
            3 => self.question("keypad"),
            _ => self.give_up(),
        }
        self.draft.settled = true;
    }

    /// Silence: shorter question, keypad, an honest word, a polite end.
    pub(super) fn no_input(&mut self) {
        self.draft.acts.push(Act::Noinput);
        self.state.silences = self.state.silences.saturating_add(1);
        let nothing = Arguments::new();
        let patience = if self.state.pending == Pending::AnythingElse {
            2
        } else {
            4
        };
        match self.state.silences {
            n if n >= patience => {
                self.say("noinput-end", &nothing);
                self.bye();
            }
            1 => self.question("again"),
            2 => self.question("keypad"),
            _ => {
                self.say("noinput-person", &nothing);
                self.question("again");
            }
        }
        self.draft.settled = true;
    }

    /// Help with the open question.
    pub(super) fn help(&mut self) {
        self.question("help");
        self.draft.settled = true;
    }

    /// "I don't know" gets help first and climbs the ladder after that: it must not go round in circles (RC-029).
    pub(super) fn unknown_to_caller(&mut self) {
        match self.state.silences.max(self.state.misses) {
            0 => {
                // Progress was counted before this was known to be none.
                self.state.misses = 1;
                self.help();
            }
            _ => self.no_match(false),
        }
    }

    fn give_up(&mut self) {
        self.state.misses = 0;
        self.state.given_up = self.state.given_up.saturating_add(1);
        let nothing = Arguments::new();
        self.say("nomatch-person", &nothing);
        self.state.stack.clear();
        if self.state.given_up > 1 {
            self.bye();
        } else {
            self.draft.acts.push(Act::AnythingElse);
            self.ask(Pending::AnythingElse, &nothing);
        }
    }

    /// The open question in another form: `again`, `help` or `keypad`. A form that has no message is asked `again`; a
    /// yes-or-no question shares its keypad form with all others.
    fn question(&mut self, form: &str) {
        let base = self.state.pending.message();
        let shared = match (&self.state.pending, form) {
            (Pending::Confirm { .. } | Pending::Offer { .. }, "keypad") => Some("keypad-yes_no".to_owned()),
            (Pending::AnythingElse, _) => Some(format!("open-{form}")),
            _ => None,
        };
        let candidates = [
            Some(format!("{base}-{form}")),
            shared,
            Some(format!("{base}-again")),
            Some(base),
        ];
        let message = candidates.into_iter().flatten().find(|m| self.has(m));
        let mut values = self.state.stack.last().map(known).unwrap_or_default();
        if let Pending::Offer { value, .. } = &self.state.pending {
            values.insert("alternative".into(), value.clone());
        }
        if let Some(message) = message {
            self.say(&message, &values);
        }
        let act = match &self.state.pending {
            Pending::Ask { frame, slot } => Some(Act::Ask {
                slots: vec![slot.clone()],
                frame: frame.clone(),
            }),
            Pending::Offer { slot, .. } => Some(Act::Offer {
                what: format!("alternative_{slot}"),
            }),
            Pending::AnythingElse => Some(Act::AnythingElse),
            _ => None,
        };
        self.draft.acts.extend(act);
    }

    /// The star key: the last answer is taken back (RC-043).
    pub(super) fn back(&mut self) {
        let Some(task) = self.state.stack.last() else {
            self.question("again");
            self.draft.settled = true;
            return;
        };
        let frame = self.desk.pack.frames.get(&task.frame);
        let filled = frame
            .into_iter()
            .flat_map(|f| f.slots.iter().rev())
            .find(|s| task.slots.contains_key(&s.name));
        match filled.map(|s| s.name.clone()) {
            Some(slot) => {
                self.clear(&slot);
                self.state.pending = Pending::Open;
            }
            None => {
                self.drop_task();
                self.draft.acts.push(Act::Stopped);
                self.say("stopped", &Arguments::new());
            }
        }
    }
}
