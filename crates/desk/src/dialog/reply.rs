//! What goes in and what comes out.

use serde::{Deserialize, Serialize};

use crate::{
    nlu::Understood,
    tool::{Arguments, ToolCall},
};

/// What reached the desk.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The caller is there and hears us: the desk speaks first.
    Started,
    /// Words.
    Text {
        /// The most likely words.
        text: String,
        /// How sure the recogniser is, 0 to 1; `None` for typed text.
        confidence: Option<f32>,
        /// Other readings, likely ones first.
        alternatives: Vec<String>,
    },
    /// Keys: digits, `*` and `#`, one or several.
    Digits(String),
    /// Speech that the recogniser refused.
    NoMatch,
    /// Silence after a question.
    NoInput,
    /// The last answer was cut short. Says nothing itself; what the caller said instead comes as the next input.
    Interrupted {
        /// Clauses of the last answer that were heard whole.
        heard: usize,
    },
}

impl Input {
    /// Typed or certain words.
    pub fn text(text: impl Into<String>) -> Input {
        Input::Text {
            text: text.into(),
            confidence: None,
            alternatives: Vec::new(),
        }
    }
}

/// What the desk did, for tests and logs (caller script format, section 2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "act")]
pub enum Act {
    /// Opened the conversation.
    Greet,
    /// Ended it.
    Bye,
    /// Agreed to wait, thanked, greeted back.
    Ack,
    /// Asked for slots.
    Ask {
        /// The slots.
        slots: Vec<String>,
        /// The task.
        frame: String,
    },
    /// Proposed something.
    Offer {
        /// What: `alternative_time` and the like.
        what: String,
    },
    /// Read back.
    Confirm {
        /// The task.
        frame: String,
        /// Everything about to be written, written for machines.
        values: serde_json::Map<String, serde_json::Value>,
    },
    /// Did not understand.
    Nomatch,
    /// Heard nothing.
    Noinput,
    /// Asked whether there is anything else.
    AnythingElse,
    /// Answered a question.
    Inform {
        /// The topic.
        topic: String,
        /// Values from a tool.
        values: serde_json::Map<String, serde_json::Value>,
    },
    /// The store has written.
    Done {
        /// The task.
        frame: String,
        /// Reference number, if there is one.
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
        /// What was written.
        values: serde_json::Map<String, serde_json::Value>,
    },
    /// Refused or could not.
    Deny {
        /// Why.
        reason: String,
    },
    /// Said the last turn again.
    Repeat,
    /// Dropped the task.
    Stopped,
}

/// Values as machines read them.
pub(crate) fn plain(values: &Arguments) -> serde_json::Map<String, serde_json::Value> {
    values
        .iter()
        .map(|(k, v)| (k.clone(), v.plain().into()))
        .collect()
}

/// The desk's answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// Clauses, each speakable on its own, without figures; none if there is nothing to say.
    pub text: Vec<String>,
    /// What was done.
    pub acts: Vec<Act>,
    /// Is the conversation over once this was spoken?
    pub end_call: bool,
    /// Name of the state that the next words are expected in.
    pub expects: String,
    /// How the input was understood.
    pub understood: Understood,
}

impl Reply {
    /// The whole text.
    pub fn spoken(&self) -> String {
        self.text.join(" ")
    }
}

/// What a turn comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// A tool has to be used first; go on with [`super::Desk::resume`].
    NeedsTool(ToolCall),
    /// The answer.
    Done(Reply),
}
