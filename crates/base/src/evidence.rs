//! What happened, in an order that cannot be argued with.
//!
//! An evidence record is written for each step that somebody may later ask about: a call offered, words heard, an
//! event committed, a tool used, an answer spoken. All records of one cause carry the same [`TraceId`], from the
//! first packet to the last, so that one call can be followed through log, room and answer.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{CallId, RoomId, TraceId};

/// One step. Holds no personal datum in clear: refer to events by id instead of quoting them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// What ties the steps of one cause together.
    pub trace: TraceId,
    /// Wall time, UTC.
    pub at: Timestamp,
    /// Dotted name of the step, part first: `sip.invite`, `speech.heard`, `room.committed`, `desk.answered`,
    /// `tool.used`, `voice.spoke`, `call.ended`.
    pub step: String,
    /// Who did it: `caller`, `desk`, `voice`, `sip`, a tool's or an operator's name.
    pub actor: String,
    /// The room, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomId>,
    /// The call, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallId>,
    /// Facts of the step: ids, counts, codes, milliseconds.
    #[serde(default)]
    pub detail: serde_json::Map<String, serde_json::Value>,
}

impl Evidence {
    /// A record without room, call and detail.
    pub fn new(trace: TraceId, at: Timestamp, step: impl Into<String>, actor: impl Into<String>) -> Self {
        let (step, actor) = (step.into(), actor.into());
        Evidence {
            trace,
            at,
            step,
            actor,
            room: None,
            call: None,
            detail: serde_json::Map::new(),
        }
    }

    /// Names the room.
    #[must_use]
    pub fn room(mut self, room: RoomId) -> Self {
        self.room = Some(room);
        self
    }

    /// Names the call.
    #[must_use]
    pub fn call(mut self, call: CallId) -> Self {
        self.call = Some(call);
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<serde_json::Value>) -> Self {
        self.detail.insert(key.to_owned(), value.into());
        self
    }
}

/// Where evidence goes. Never blocks and never fails the step that it records; what could not be written is counted
/// by the sink.
pub trait EvidenceSink: Send + Sync + 'static {
    /// Takes a record.
    fn record(&self, record: Evidence);
}

/// Throws evidence away.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoEvidence;

impl EvidenceSink for NoEvidence {
    fn record(&self, _: Evidence) {}
}

/// Keeps evidence in memory, for tests.
#[derive(Debug, Default)]
pub struct MemoryEvidence(Mutex<Vec<Evidence>>);

impl MemoryEvidence {
    /// All records so far.
    pub fn records(&self) -> Vec<Evidence> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl EvidenceSink for MemoryEvidence {
    fn record(&self, record: Evidence) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(record);
    }
}
