//! The room.

use jiff::Timestamp;
use roomtone_base::{OrganizationId, RoomId};
use serde::{Deserialize, Serialize};

use super::Map;

/// Where a room is in its life (RFC 5.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoomStatus {
    /// Takes events; default routing finds it.
    #[default]
    Active,
    /// Takes events that name it; default routing skips it (C-9).
    Paused,
    /// Refuses every event; the host may reopen it (RE-045).
    Closed,
    /// Refuses every event, for good.
    Archived,
}

impl RoomStatus {
    /// May the timeline grow (RE-040)?
    pub fn accepts_events(self) -> bool {
        matches!(self, RoomStatus::Active | RoomStatus::Paused)
    }

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            RoomStatus::Active => "active",
            RoomStatus::Paused => "paused",
            RoomStatus::Closed => "closed",
            RoomStatus::Archived => "archived",
        }
    }
}

/// What an agent's own unaddressed words ask of other agents (RE-083).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentResponsePolicy {
    /// Agents may answer one another until the depth limit.
    #[default]
    AgentChain,
    /// An agent's unaddressed event solicits no agent.
    AddressedOnly,
}

/// When an idle room changes state (RE-046).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RoomTimers {
    /// Seconds without a new event after which an active room pauses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inactive_after_seconds: Option<u64>,
    /// Seconds spent paused after which a room closes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_after_seconds: Option<u64>,
    /// When the last event was stored; moved by each commit (RE-024).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_activity_at: Option<Timestamp>,
}

/// One conversation with everybody in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Room {
    /// Its name, opaque.
    pub id: RoomId,
    /// The tenant it belongs to; rooms of two tenants never mix (RE-240).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<OrganizationId>,
    /// Where it is in its life.
    #[serde(default)]
    pub status: RoomStatus,
    /// When it was made, UTC.
    pub created_at: Timestamp,
    /// When anything about it last changed, UTC.
    pub updated_at: Timestamp,
    /// When it was closed, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// Idle timers.
    #[serde(default)]
    pub timers: RoomTimers,
    /// The host's and the channels' own facts.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map,
    /// Events on the timeline, blocked ones included; also the index that the next event gets (RE-022).
    #[serde(default)]
    pub event_count: u64,
    /// Index of the newest event; none in an empty room (C-12).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest_index: Option<u64>,
    /// How agents answer one another (RE-083).
    #[serde(default)]
    pub agent_response_policy: AgentResponsePolicy,
}

impl Room {
    /// An empty active room.
    pub fn new(id: RoomId, created_at: Timestamp) -> Self {
        Room {
            id,
            organization_id: None,
            status: RoomStatus::Active,
            created_at,
            updated_at: created_at,
            closed_at: None,
            timers: RoomTimers::default(),
            metadata: Map::new(),
            event_count: 0,
            latest_index: None,
            agent_response_policy: AgentResponsePolicy::AgentChain,
        }
    }
}
