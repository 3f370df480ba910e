//! A call's conversation, read back from its room.

use std::{collections::HashMap, sync::Arc};

use jiff::Timestamp;
use roomtone_room::{EventContent, EventStatus, EventType, Room, RoomEvent};
use serde::Serialize;
use serde_json::Value;

use crate::{VOICE_CHANNEL, Waterfall};

/// A call, turn by turn. Its JSON is the format of `roomtone transcript --json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Transcript {
    /// The room.
    pub room_id: String,
    /// The call; absent for a room without one.
    pub call_id: Option<String>,
    /// When the room was made, UTC.
    pub started: Timestamp,
    /// When the call ended; absent while it goes on, or if the box stopped in the middle of it.
    pub ended: Option<Timestamp>,
    /// What was said, in order.
    pub turns: Vec<Turn>,
}

/// One thing that was said.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Turn {
    /// From 0.
    pub index: usize,
    /// When it was written down, UTC.
    pub ts: Timestamp,
    /// `caller` or `desk`.
    pub who: &'static str,
    /// The words; keys as digits.
    pub text: String,
    /// How sure the recogniser was, `0.0..=1.0`.
    pub confidence: Option<f64>,
    /// The caller cut it short.
    pub interrupted: bool,
    /// Where the time to its first packet went.
    pub waterfall_ms: Option<Waterfall>,
}

impl Transcript {
    /// Reads the conversation out of a room's timeline, given in order.
    pub fn read(room: &Room, events: &[Arc<RoomEvent>]) -> Self {
        let mut turns: Vec<Turn> = Vec::new();
        let mut by_event: HashMap<&str, usize> = HashMap::new();
        let mut ended = None;
        for event in events.iter().filter(|e| e.status != EventStatus::Blocked) {
            match (&event.content, event.event_type) {
                (EventContent::Text(text), EventType::Message | EventType::Dtmf) => {
                    let caller = event.source.channel_id == VOICE_CHANNEL;
                    by_event.insert(event.id.as_str(), turns.len());
                    turns.push(Turn {
                        index: turns.len(),
                        ts: event.created_at,
                        who: if caller { "caller" } else { "desk" },
                        text: text.text.clone(),
                        confidence: event.metadata.get("confidence").and_then(Value::as_f64),
                        interrupted: false,
                        waterfall_ms: None,
                    });
                }
                (EventContent::System(system), _) if system.code == "voice.spoken" => {
                    let spoken = system.data.get("event").and_then(Value::as_str);
                    if let Some(turn) = spoken
                        .and_then(|id| by_event.get(id))
                        .and_then(|i| turns.get_mut(*i))
                    {
                        turn.interrupted = system
                            .data
                            .get("interrupted")
                            .and_then(Value::as_bool)
                            .unwrap_or(false);
                        let waterfall = system.data.get("waterfall_ms").cloned().unwrap_or(Value::Null);
                        turn.waterfall_ms = serde_json::from_value(waterfall).unwrap_or(None);
                    }
                }
                (EventContent::System(system), _) if system.code == "session_ended" => {
                    ended = Some(event.created_at)
                }
                _ => {}
            }
        }
        Transcript {
            room_id: room.id.to_string(),
            call_id: room
                .metadata
                .get("call_id")
                .and_then(Value::as_str)
                .map(str::to_owned),
            started: room.created_at,
            ended,
            turns,
        }
    }
}
