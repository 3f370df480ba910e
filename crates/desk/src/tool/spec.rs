//! What a tool says of itself.

use std::time::Duration;

use roomtone_lang::Value;
use serde::{Deserialize, Serialize};

/// Kind of a tool's argument or of a value that it gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// [`Value::Number`].
    Number,
    /// [`Value::Digits`].
    Digits,
    /// [`Value::Time`].
    Time,
    /// [`Value::Date`].
    Date,
    /// [`Value::Money`].
    Money,
    /// [`Value::Letters`] or [`Value::Text`].
    Text,
}

impl ValueKind {
    /// Is `value` of this kind?
    pub fn fits(self, value: &Value) -> bool {
        match value {
            Value::Number(_) | Value::Ordinal(_) => self == ValueKind::Number,
            Value::Digits(_) => self == ValueKind::Digits,
            Value::Time(_) => self == ValueKind::Time,
            Value::Date(_) => self == ValueKind::Date,
            Value::Money(_) => self == ValueKind::Money,
            Value::Letters(_) | Value::Text(_) => self == ValueKind::Text,
        }
    }
}

/// An argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// Its name; the slot of the same name fills it.
    pub name: &'static str,
    /// What it holds.
    pub kind: ValueKind,
    /// Must it be given?
    pub required: bool,
}

/// What the caller must have proved before a tool may be used (RC-030).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// Nothing.
    #[default]
    None,
    /// Named the room that the call is about.
    Room,
    /// Proved to be who made the booking.
    Booking,
}

/// What a tool can do harm with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Reads what anybody may know.
    Read,
    /// Writes something that a person undoes easily.
    Reversible,
    /// Costs money or can't be undone easily.
    Costly,
}

/// What happens without a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Offline {
    /// The tool needs none.
    Local,
    /// The work is queued, and nothing queued is called done (RC-062).
    Queue,
    /// A person gets a ticket.
    Ticket,
}

/// A tool's declaration.
#[derive(Clone, Debug)]
pub struct ToolSpec {
    /// Unique name, lower case with `_`.
    pub name: &'static str,
    /// What it takes.
    pub arguments: Vec<Argument>,
    /// What it gives when it is done: prompts may name these.
    pub returns: Vec<(&'static str, ValueKind)>,
    /// Reasons for which it may refuse: each needs a message `FRAME-deny-REASON`. Values that come with every refusal
    /// may be named there.
    pub refusals: Vec<(&'static str, Vec<(&'static str, ValueKind)>)>,
    /// What the caller must have proved.
    pub proof: Proof,
    /// What it risks.
    pub risk: Risk,
    /// Must its arguments have been read back and agreed to (RC-027)?
    pub read_back: bool,
    /// How long it may take.
    pub timeout: Duration,
    /// What happens without a network.
    pub offline: Offline,
}
