//! A conversation as data.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use roomtone_lang::Value;
use serde::{Deserialize, Serialize};

use super::reply::Act;
use crate::{
    grammar::{self},
    nlu::{Command, Understood},
    tool::{Arguments, ToolCall},
};

/// Where a conversation stands. Opaque to everybody but the desk; serialise it to go on later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Unique name of the conversation: the beginning of every idempotency key.
    pub conversation: String,
    /// Language in use, ISO 639-1.
    pub language: String,
    /// Is it over?
    pub ended: bool,
    pub(crate) started: Option<Timestamp>,
    pub(crate) turns: u32,
    pub(crate) stack: Vec<Task>,
    pub(crate) pending: Pending,
    /// Times in a row that the open question was answered with something not understood.
    pub(crate) misses: u8,
    /// Times in a row that it was answered with silence.
    pub(crate) silences: u8,
    /// Times that the ladder was climbed to its end.
    pub(crate) given_up: u8,
    /// What was said last.
    pub(crate) last: Vec<String>,
    /// Clauses of it that an interruption cut off.
    pub(crate) unheard: Vec<String>,
    /// Keys pressed so far for the open question.
    pub(crate) keys: String,
    /// How often each message was said, for its variants.
    pub(crate) said: BTreeMap<String, u32>,
    /// Tasks and answers begun: makes idempotency keys differ.
    pub(crate) begun: u32,
    pub(crate) suspended: Option<Suspended>,
}

impl State {
    pub(crate) fn new(conversation: &str, language: &str) -> State {
        State {
            conversation: conversation.to_owned(),
            language: language.to_owned(),
            ended: false,
            started: None,
            turns: 0,
            stack: Vec::new(),
            pending: Pending::Open,
            misses: 0,
            silences: 0,
            given_up: 0,
            last: Vec::new(),
            unheard: Vec::new(),
            keys: String::new(),
            said: BTreeMap::new(),
            begun: 0,
            suspended: None,
        }
    }

    /// What the desk waits for.
    pub fn pending(&self) -> &Pending {
        &self.pending
    }

    /// Was nothing said or heard yet?
    pub fn is_new(&self) -> bool {
        self.turns == 0
    }

    /// Tasks under way, the one at hand last.
    pub fn tasks(&self) -> &[Task] {
        &self.stack
    }
}

/// A task under way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// The frame's name.
    pub frame: String,
    /// Filled slots.
    pub slots: Arguments,
    /// What checks gave.
    pub values: Arguments,
    /// Idempotency key of its write.
    pub key: String,
    /// Tools of the checks that hold for the slots as they are.
    pub(crate) checked: Vec<String>,
    /// The slot that a correction changed since the last read-back.
    pub(crate) corrected: Option<String>,
    /// Was it read back in full once?
    pub(crate) read_back: bool,
    /// Did the caller agree to what was read back?
    pub(crate) agreed: bool,
    /// Refusals so far.
    pub(crate) refusals: u8,
}

/// The open question.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "question")]
pub enum Pending {
    /// How can I help?
    #[default]
    Open,
    /// Anything else?
    AnythingElse,
    /// A slot was asked for.
    Ask {
        /// The task.
        frame: String,
        /// The slot.
        slot: String,
    },
    /// A read-back waits for a yes.
    Confirm {
        /// The task.
        frame: String,
    },
    /// What should be changed?
    Change {
        /// The task.
        frame: String,
    },
    /// A value was proposed.
    Offer {
        /// The task.
        frame: String,
        /// The slot.
        slot: String,
        /// The value.
        value: Value,
    },
}

impl Pending {
    /// Name of the question's messages, without ending.
    pub(crate) fn message(&self) -> String {
        match self {
            Pending::Open => "open".to_owned(),
            Pending::AnythingElse => "anything_else".to_owned(),
            Pending::Ask { frame, slot } => format!("{frame}-ask-{slot}"),
            Pending::Confirm { frame } => format!("{frame}-confirm"),
            Pending::Change { frame } => format!("{frame}-change"),
            Pending::Offer { frame, slot, .. } => format!("{frame}-offer-{slot}"),
        }
    }

    /// Name of the state that its answer is heard in.
    pub(crate) fn grammar(&self) -> String {
        match self {
            Pending::Open | Pending::AnythingElse => grammar::OPEN.to_owned(),
            Pending::Ask { frame, slot } => grammar::slot_state(frame, slot),
            Pending::Confirm { frame } => grammar::confirm_state(frame),
            Pending::Change { frame } => grammar::change_state(frame),
            Pending::Offer { .. } => grammar::YES_NO.to_owned(),
        }
    }
}

/// An answer in the making.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Draft {
    pub(crate) text: Vec<String>,
    pub(crate) acts: Vec<Act>,
    pub(crate) end: bool,
    /// The open question was dealt with: nothing more is to be asked.
    pub(crate) settled: bool,
    /// A slot was changed in this turn.
    pub(crate) changed: bool,
    pub(crate) understood: Understood,
}

/// What a tool is waited for with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Suspended {
    pub(crate) call: ToolCall,
    pub(crate) then: Then,
    pub(crate) queue: VecDeque<Command>,
    pub(crate) draft: Draft,
}

/// What a tool's result is for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Then {
    /// To answer a question.
    Answer(String),
    /// To know whether the task can be done.
    Check(String),
    /// To have done it.
    Write(String),
}
