//! People.

use std::collections::BTreeMap;

use jiff::Timestamp;
use roomtone_base::{ChannelId, OrganizationId, ParticipantId, RoomId};
use serde::{Deserialize, Serialize};

use super::{ChannelType, Map};

/// What a participant is in the room (RFC 5.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParticipantRole {
    /// Leads the room; may delete others' words.
    Owner,
    /// A human who works here.
    Agent,
    /// Takes part.
    #[default]
    Member,
    /// Listens.
    Observer,
    /// A program with a participant's place.
    Bot,
}

/// Is the participant still here?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParticipantStatus {
    /// Here.
    #[default]
    Active,
    /// Here and silent.
    Inactive,
    /// Gone.
    Left,
    /// Sent away.
    Banned,
}

/// How far it is known who a participant is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentificationStatus {
    /// Known.
    Identified,
    /// Not known yet.
    #[default]
    Pending,
    /// One of several.
    Ambiguous,
    /// Nobody we know.
    Unknown,
    /// Has been asked to prove it.
    ChallengeSent,
    /// Turned away.
    Rejected,
}

/// Someone in a room: one record per room and id, shared by all channels that the person uses (RE-050).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Participant {
    /// Name within the room.
    pub id: ParticipantId,
    /// The room.
    pub room_id: RoomId,
    /// Primary channel.
    pub channel_id: ChannelId,
    /// As the others see the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Place in the room.
    #[serde(default)]
    pub role: ParticipantRole,
    /// Still here?
    #[serde(default)]
    pub status: ParticipantStatus,
    /// How far it is known who this is.
    #[serde(default)]
    pub identification: IdentificationStatus,
    /// The known identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_id: Option<String>,
    /// Identities that it may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidates: Option<Vec<String>>,
    /// All channels used, the primary one included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connected_via: Vec<ChannelId>,
    /// Sender address where it differs from the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// When the identity became known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Timestamp>,
    /// A hook's name, `auto` or `manual`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_by: Option<String>,
    /// When the person came, UTC.
    pub joined_at: Timestamp,
    /// The host's own facts.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map,
}

impl Participant {
    /// A member who came in over `channel_id` and is not identified.
    pub fn new(id: ParticipantId, room_id: RoomId, channel_id: ChannelId, joined_at: Timestamp) -> Self {
        Participant {
            id,
            room_id,
            connected_via: vec![channel_id.clone()],
            channel_id,
            display_name: None,
            role: ParticipantRole::Member,
            status: ParticipantStatus::Active,
            identification: IdentificationStatus::Pending,
            identity_id: None,
            candidates: None,
            external_id: None,
            resolved_at: None,
            resolved_by: None,
            joined_at,
            metadata: Map::new(),
        }
    }
}

/// A person known beyond one room (RFC 5.6).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// Its name.
    pub id: String,
    /// The tenant that knows the person; resolution never crosses it (RE-241).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<OrganizationId>,
    /// As shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Addresses per type of channel.
    #[serde(default)]
    pub channel_addresses: BTreeMap<ChannelType, Vec<String>>,
    /// Name in the host's own system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The host's own facts.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map,
}
