//! What hooks and channels leave behind besides events (RE-003).

use jiff::Timestamp;
use roomtone_base::{ChannelId, RoomId};
use serde::{Deserialize, Serialize};

use super::Map;

/// Where a task stands (RFC 5.10).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// Not begun.
    #[default]
    Pending,
    /// Somebody is at it.
    InProgress,
    /// Done.
    Completed,
    /// Given up.
    Failed,
    /// Not wanted any more.
    Cancelled,
}

/// Something that somebody has to do. `id`, `room_id` and `created_at` are filled by the engine where they are empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Its name; empty until the engine took it.
    #[serde(default)]
    pub id: String,
    /// The room it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room_id: Option<RoomId>,
    /// The host's own word for its kind.
    #[serde(rename = "type", default)]
    pub task_type: String,
    /// Where it stands.
    #[serde(default)]
    pub status: TaskStatus,
    /// One line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// More lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Facts.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub data: Map,
    /// Who is to do it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned_to: Option<String>,
    /// Channel or hook that asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// When it was stored, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// The host's own facts.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map,
}

/// Something that somebody noticed (RFC 5.11, C-17). Filled by the engine as [`Task`] is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// Its name; empty until the engine took it.
    #[serde(default)]
    pub id: String,
    /// The room it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room_id: Option<RoomId>,
    /// The host's own word for its kind.
    #[serde(rename = "type", default)]
    pub observation_type: String,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Coarser than the type: `sentiment`, `event_chain_depth_exceeded`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// `0.0..=1.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// Facts.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub data: Map,
    /// Who noticed: a channel, or `hook`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_channel_id: Option<ChannelId>,
    /// When it was stored, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// The host's own facts.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map,
}

/// Collected whatever the access or mute state of the channel that left them (RE-074).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SideEffects {
    /// Things to do.
    pub tasks: Vec<Task>,
    /// Things noticed.
    pub observations: Vec<Observation>,
    /// Merged into the room's metadata, key by key (RE-215).
    pub metadata_updates: Map,
}

impl SideEffects {
    /// Nothing was left behind.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty() && self.observations.is_empty() && self.metadata_updates.is_empty()
    }

    /// Adds another channel's or hook's; later metadata wins.
    pub fn merge(&mut self, other: SideEffects) {
        self.tasks.extend(other.tasks);
        self.observations.extend(other.observations);
        self.metadata_updates.extend(other.metadata_updates);
    }
}
