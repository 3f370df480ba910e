//! What is written together.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use roomtone_base::{ChannelId, EventId, RoomId};
use serde::{Deserialize, Serialize};

use crate::model::{ChannelBinding, DeliveryResult, Map, RoomEvent, SideEffects};

/// What a commit does to the room's counters besides counting.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Counters {
    /// Becomes `timers.last_activity_at` and `updated_at`.
    pub last_activity_at: Timestamp,
}

/// A binding that changes together with the event that tells of it (RE-063).
#[derive(Clone, Debug, PartialEq)]
pub enum BindingChange {
    /// Attached or changed; a tombstone goes.
    Put(Box<ChannelBinding>),
    /// Detached; a tombstone stays, so that no message attaches the channel again (RE-065).
    Detach(ChannelId),
}

/// One target of an event's delivery set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedDelivery {
    /// The target.
    pub channel_id: ChannelId,
    /// It is asked with `on_event`.
    pub solicit: bool,
    /// It is given the event with `deliver`.
    pub deliver: bool,
}

/// All that one commit point writes. The event's index is provisional; the store assigns the final one.
#[derive(Clone, Debug)]
pub struct Commit {
    /// The event; its `room_id` says where.
    pub event: RoomEvent,
    /// What happens to the counters.
    pub counters: Counters,
    /// Stored right after the event, with the following indexes (RE-099).
    pub injected: Vec<RoomEvent>,
    /// Whom the event goes to; kept until settled.
    pub plan: Vec<PlannedDelivery>,
    /// Kept with the event (RE-074).
    pub side_effects: SideEffects,
    /// Binding that changes with it.
    pub binding: Option<BindingChange>,
}

/// What a commit stored.
#[derive(Clone, Debug)]
pub struct Committed {
    /// The event with its final index.
    pub event: Arc<RoomEvent>,
    /// The injected events with theirs.
    pub injected: Vec<Arc<RoomEvent>>,
    /// The room's events from now on.
    pub event_count: u64,
}

/// What became of a committed event.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// The room.
    pub room_id: RoomId,
    /// The event.
    pub event_id: EventId,
    /// Per target.
    pub delivery_results: BTreeMap<ChannelId, DeliveryResult>,
    /// Merged into the event's metadata.
    pub metadata: Map,
    /// What the targets left behind; stored whatever became of the deliveries (RE-074).
    pub side_effects: SideEffects,
}
