//! The keypad form of every question (RC-043).

use jiff::civil::{Date, Time};
use roomtone_lang::{Kind, Value};

use super::{
    desk::Desk,
    state::{Pending, State},
};
use crate::{
    nlu::{Command, SlotValue},
    pack::{Control, Slot, SlotKind, Target},
};

/// What keys come to.
pub(super) enum Keys {
    /// More are needed.
    More,
    /// Back one step.
    Back,
    /// The same as saying this.
    Say(Vec<Command>),
}

/// What `keys` mean now. Keys of a number are collected in the state until there are enough or `#` ends them.
pub(super) fn commands(desk: &Desk, state: &mut State, keys: &str) -> Keys {
    let control = |control| Keys::Say(vec![Command::Control { control }]);
    state.keys.extend(
        keys.chars()
            .filter(|c| c.is_ascii_digit() || matches!(c, '*' | '#')),
    );
    if state.keys.contains('*') {
        state.keys.clear();
        return Keys::Back;
    }
    let ended = state.keys.contains('#');
    let digits: String = state.keys.chars().filter(char::is_ascii_digit).collect();
    let slot = match &state.pending {
        Pending::Ask { frame, slot } => desk.pack.frames.get(frame).and_then(|f| f.slot(slot)).cloned(),
        _ => None,
    };
    // A time may begin with a nought, so there it is no call for a person.
    let clock = slot
        .as_ref()
        .is_some_and(|s| matches!(s.kind, SlotKind::Value(Kind::Time | Kind::Date)));
    if !ended && (digits == "9" || digits == "0" && !clock) {
        state.keys.clear();
        return control(if digits == "9" {
            Control::Repeat
        } else {
            Control::Person
        });
    }
    if let Some(slot) = slot {
        let wanted = match &slot.kind {
            SlotKind::List(_) => Some(1),
            _ if clock => Some(4),
            _ => slot.length,
        };
        // Without a fixed length what came in one piece is taken as whole.
        let whole = ended || wanted.map_or(keys.len() > 1, |n| digits.len() >= n);
        if !whole {
            return Keys::More;
        }
        state.keys.clear();
        let value = value(desk, state, &slot, &digits);
        let set = value.map(|value| {
            Command::Set(SlotValue {
                slot: slot.name,
                value,
                score: 1.0,
            })
        });
        return Keys::Say(vec![set.unwrap_or(Command::Reject { too_long: false })]);
    }
    state.keys.clear();
    let number = digits.parse::<usize>().unwrap_or(0);
    match &state.pending {
        Pending::Confirm { .. } | Pending::Offer { .. } if number == 1 => control(Control::Affirm),
        Pending::Confirm { .. } | Pending::Offer { .. } if number == 2 => control(Control::Deny),
        Pending::Open | Pending::AnythingElse => {
            let chosen = number
                .checked_sub(1)
                .and_then(|i| desk.pack.desk.keypad.menu.get(i));
            Keys::Say(vec![match chosen.map(|name| Target::from_name(name)) {
                Some(Target::Frame(frame)) => Command::Start { frame },
                Some(Target::Topic(topic)) => Command::Answer { topic },
                None => Command::Reject { too_long: false },
            }])
        }
        _ => Keys::Say(vec![Command::Reject { too_long: false }]),
    }
}

fn value(desk: &Desk, state: &State, slot: &Slot, digits: &str) -> Option<Value> {
    let pair = |range: std::ops::Range<usize>| digits.get(range)?.parse::<i8>().ok();
    match &slot.kind {
        SlotKind::List(name) => {
            let i = digits.parse::<usize>().ok()?.checked_sub(1)?;
            Some(Value::Text(desk.pack.lists.get(name)?.item.get(i)?.id.clone()))
        }
        SlotKind::Value(Kind::Time) if digits.len() == 4 => {
            Time::new(pair(0..2)?, pair(2..4)?, 0, 0).ok().map(Value::Time)
        }
        SlotKind::Value(Kind::Date) if digits.len() == 4 => {
            let from = state.started?.to_zoned(desk.zone().clone()).date();
            let on = |year| Date::new(year, pair(2..4)?, pair(0..2)?).ok();
            on(from.year())
                .filter(|d| *d >= from)
                .or_else(|| on(from.year() + 1))
                .map(Value::Date)
        }
        SlotKind::Value(Kind::RoomNumber | Kind::Digits) => {
            let fits = !digits.is_empty() && slot.length.is_none_or(|n| n == digits.len());
            fits.then(|| Value::Digits(digits.to_owned()))
        }
        SlotKind::Value(Kind::Count | Kind::Number) => {
            digits.parse().ok().filter(|n| *n <= 9999).map(Value::Number)
        }
        SlotKind::Value(_) => None,
    }
}
