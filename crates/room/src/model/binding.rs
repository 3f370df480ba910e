//! A channel's place in a room.

use jiff::Timestamp;
use roomtone_base::{ChannelId, ParticipantId, RoomId};
use serde::{Deserialize, Serialize};

use super::{
    ChannelCapabilities, ChannelCategory, ChannelDirection, ChannelType, Map, RateLimit, RetryPolicy,
    Visibility,
};

/// What a channel may do in a room (RFC 7.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Reads and writes.
    #[default]
    ReadWrite,
    /// Is given events; what it writes is stored blocked.
    ReadOnly,
    /// Writes; is given nothing.
    WriteOnly,
    /// Neither.
    None,
}

impl Access {
    /// May it be given events (RE-070)?
    pub fn can_read(self) -> bool {
        matches!(self, Access::ReadWrite | Access::ReadOnly)
    }

    /// May it write (RE-071)?
    pub fn can_write(self) -> bool {
        matches!(self, Access::ReadWrite | Access::WriteOnly)
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A channel attached to a room, with its permissions there (RFC 5.7). `(room_id, channel_id)` is its key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelBinding {
    /// The channel.
    pub channel_id: ChannelId,
    /// The room.
    pub room_id: RoomId,
    /// The channel's type when it was attached.
    pub channel_type: ChannelType,
    /// Transport or intelligence.
    #[serde(default)]
    pub category: ChannelCategory,
    /// What the channel can do, as a snapshot.
    #[serde(default)]
    pub direction: ChannelDirection,
    /// What it may do here.
    #[serde(default)]
    pub access: Access,
    /// Suppresses what the channel writes; it still hears (RE-073).
    #[serde(default)]
    pub muted: bool,
    /// Suppresses `deliver` and keeps `on_event` (RE-165).
    #[serde(default)]
    pub output_muted: bool,
    /// Who sees what this channel writes (RE-075).
    #[serde(default, skip_serializing_if = "is_default")]
    pub visibility: Visibility,
    /// The person on the other end, if there is exactly one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub participant_id: Option<ParticipantId>,
    /// Index up to which the channel has read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_read_index: Option<u64>,
    /// When it was attached, UTC.
    pub attached_at: Timestamp,
    /// What its medium carries, as a snapshot.
    #[serde(default)]
    pub capabilities: ChannelCapabilities,
    /// Limit for this room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// Retries for this room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_policy: Option<RetryPolicy>,
    /// Recipient address, persona, per-room overrides.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map,
}
