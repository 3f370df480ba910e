//! What the dialogue is told to do.

use roomtone_lang::Value;
use serde::{Deserialize, Serialize};

use crate::pack::Control;

/// A value for a slot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SlotValue {
    /// The slot.
    pub slot: String,
    /// The value.
    pub value: Value,
    /// 0 to 1.
    pub score: f32,
}

/// One thing that a sentence asks for (dialogue engine, section 3.2). A sentence may hold several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "command")]
pub enum Command {
    /// Begin a task.
    Start {
        /// The task.
        frame: String,
    },
    /// Fill a slot, or change it.
    Set(SlotValue),
    /// This value is not meant.
    Negate(SlotValue),
    /// Answer a question.
    Answer {
        /// The topic.
        topic: String,
    },
    /// Something that can be said in every state.
    Control {
        /// What.
        control: Control,
    },
    /// Digits that look like a payment card's (RC-073). The digits are not kept.
    CardNumber,
    /// Nothing that the desk understands.
    Reject {
        /// Too many words to be read at all.
        too_long: bool,
    },
}
