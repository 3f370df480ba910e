//! One use of a tool.

use std::collections::BTreeMap;

use roomtone_lang::Value;
use serde::{Deserialize, Serialize};

use super::Proof;

/// Arguments or results by name.
pub type Arguments = BTreeMap<String, Value>;

/// A call that the dialogue wants made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The tool.
    pub tool: String,
    /// What it is given.
    pub arguments: Arguments,
    /// The same key means the same deed: a tool that writes does it once per key.
    pub idempotency_key: String,
    /// What the caller has proved.
    pub proof: Proof,
    /// What was read back to the caller and agreed to; `None` if nothing was.
    pub agreed: Option<Arguments>,
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "result")]
pub enum ToolResult {
    /// Done: for a tool that writes this means that the store has it (RC-075).
    Done {
        /// What the declaration promised.
        values: Arguments,
    },
    /// Understood and refused by a rule of the house.
    Refused {
        /// Why, one of the declared reasons.
        reason: String,
        /// The argument that is at fault, if it is one's fault.
        slot: Option<String>,
        /// The nearest value of that argument that would be taken.
        alternative: Option<Value>,
        /// What the refusal's message may name.
        values: Arguments,
    },
    /// Not done, and nothing was changed as far as is known.
    Failed {
        /// What happened, for the log.
        reason: String,
        /// Would the same call, made later, have a chance?
        retryable: bool,
    },
}
