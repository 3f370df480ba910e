//! What happened in a room.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use roomtone_base::{ChannelId, EventId, ParticipantId, RoomId, TraceId};
use serde::{Deserialize, Serialize};

use super::{ChannelData, ChannelDirection, ChannelType, DeliveryResult, EventContent, Map, Visibility};

/// The source channel of the engine's own entries (RE-013).
pub const SYSTEM_CHANNEL: &str = "system";

/// What kind of thing happened (RFC 5.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names are the specification's own")]
pub enum EventType {
    #[default]
    Message,
    System,
    Typing,
    ReadReceipt,
    DeliveryReceipt,
    Presence,
    Reaction,
    Edit,
    Delete,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantIdentified,
    ParticipantUpdated,
    ChannelAttached,
    ChannelDetached,
    ChannelMuted,
    ChannelUnmuted,
    ChannelUpdated,
    Dtmf,
    RecordingStarted,
    RecordingStopped,
    TaskCreated,
    Observation,
    TaskDelegated,
    TaskCompleted,
    ToolCallStart,
    ToolCallEnd,
}

/// What became of an event (RFC 5.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventStatus {
    /// Not stored yet.
    #[default]
    Pending,
    /// Stored and broadcast; nothing turns it back (RE-025).
    Delivered,
    /// Read by its receiver.
    Read,
    /// Failed after all retries.
    Failed,
    /// Stored and broadcast to nobody; `blocked_by` says why (RE-026).
    Blocked,
}

fn no_text() -> Arc<str> {
    Arc::from("")
}

fn is_empty(text: &Arc<str>) -> bool {
    text.is_empty()
}

/// Where an event came from (RFC 5.2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventSource {
    /// The channel.
    pub channel_id: ChannelId,
    /// Its type.
    pub channel_type: ChannelType,
    /// Inbound from outside or from an agent; outbound when the host sent it.
    #[serde(default = "EventSource::inbound")]
    pub direction: ChannelDirection,
    /// Who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub participant_id: Option<ParticipantId>,
    /// Sender's name in the provider's system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The backend behind the channel; absent only for the engine's own entries (RE-013).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Arc<str>>,
    /// What the provider sent, byte for byte (RE-012); empty if there was nothing.
    #[serde(default = "no_text", skip_serializing_if = "is_empty")]
    pub raw_payload: Arc<str>,
    /// The message's name in the provider's system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_message_id: Option<String>,
}

impl EventSource {
    fn inbound() -> ChannelDirection {
        ChannelDirection::Inbound
    }
}

/// One entry on a room's timeline (RFC 5.2). Immutable once stored (RE-005); shared as `Arc<RoomEvent>`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoomEvent {
    /// Its name.
    pub id: EventId,
    /// The room.
    pub room_id: RoomId,
    /// What kind of thing happened.
    #[serde(rename = "type", default)]
    pub event_type: EventType,
    /// Where it came from.
    pub source: EventSource,
    /// What it says.
    pub content: EventContent,
    /// What became of it.
    #[serde(default)]
    pub status: EventStatus,
    /// A hook's name, `source_muted`, `source_read_only`, `event_chain_depth_limit` or `reentry_loop_cap` (RE-072).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked_by: Option<String>,
    /// Who may see it; the source binding's own visibility narrows it further while it says `all` (RE-075).
    #[serde(default, skip_serializing_if = "Visibility::is_all")]
    pub visibility: Visibility,
    /// Intelligence channels that are asked; absent: the default, empty: nobody (RE-080).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addressed_to: Option<Vec<ChannelId>>,
    /// Position in the room from 0; provisional until the commit (RE-022, C-11).
    #[serde(default)]
    pub index: u64,
    /// 0 for what came from outside, one more for each answer to an answer (RE-170).
    #[serde(default)]
    pub chain_depth: u32,
    /// The event it belongs under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_event_id: Option<EventId>,
    /// The trace of what caused it; an answer carries the same as its question, so that a call can be followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<TraceId>,
    /// Unique within the room; a second event with the same key is not processed (RE-112).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// When it was made, UTC.
    pub created_at: Timestamp,
    /// Facts; `edited`, `deleted`, `interrupted` live here.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map,
    /// Facts that only this kind of channel has (RE-014).
    #[serde(default, skip_serializing_if = "ChannelData::is_none")]
    pub channel_data: ChannelData,
    /// What became of it per target.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub delivery_results: BTreeMap<ChannelId, DeliveryResult>,
}

impl RoomEvent {
    /// The words of a text event.
    pub fn text(&self) -> Option<&str> {
        self.content.as_text()
    }

    /// Was it stored without being broadcast?
    pub fn is_blocked(&self) -> bool {
        self.status == EventStatus::Blocked
    }
}
