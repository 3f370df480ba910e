//! Where rooms are kept.

mod commit;
mod memory;

use std::sync::Arc;

use async_trait::async_trait;
use roomtone_base::{ChannelId, EventId, OrganizationId, ParticipantId, RoomId};

pub use self::{
    commit::{BindingChange, Commit, Committed, Counters, PlannedDelivery, Settlement},
    memory::MemoryStore,
};
use crate::{
    error::StoreError,
    model::{
        ChannelBinding, ChannelType, Observation, Participant, Room, RoomContext, RoomEvent, RoomStatus,
        SideEffects, Task,
    },
};

/// Which rooms to list; what is absent does not narrow.
#[derive(Clone, Debug, Default)]
pub struct RoomQuery {
    /// Of this tenant alone (RE-240).
    pub organization_id: Option<OrganizationId>,
    /// In this state.
    pub status: Option<RoomStatus>,
    /// Rooms to leave out from the newest on.
    pub offset: usize,
    /// Most rooms to give back.
    pub limit: usize,
}

/// Keeps rooms (RE-020, RE-021). What it gives back are frozen snapshots that belong to the caller (RE-027, RE-028);
/// what it takes is its own from then on.
///
/// Every implementation passes the same tests, in the `conformance` module (feature `conformance`).
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Keeps a new room.
    ///
    /// # Errors
    /// [`StoreError::RoomExists`].
    async fn create_room(&self, room: Room) -> Result<(), StoreError>;

    /// A room by its id.
    async fn room(&self, id: &RoomId) -> Result<Option<Arc<Room>>, StoreError>;

    /// Replaces what a host may set: organisation, status, times, idle timers, metadata, policy. The counters and
    /// `last_activity_at` belong to commits and stay as they are (RE-024).
    ///
    /// # Errors
    /// [`StoreError::NoRoom`].
    async fn update_room(&self, room: Room) -> Result<(), StoreError>;

    /// Removes a room with everything in it; `false` if there was none.
    async fn delete_room(&self, id: &RoomId) -> Result<bool, StoreError>;

    /// Rooms, the newest activity first (then by id, so that the order is always the same).
    async fn rooms(&self, query: &RoomQuery) -> Result<Vec<Arc<Room>>, StoreError>;

    /// Rooms in `status` that a channel is bound to, newest first, at most `limit`.
    async fn rooms_by_channel(
        &self,
        channel: &ChannelId,
        status: RoomStatus,
        limit: usize,
    ) -> Result<Vec<RoomId>, StoreError>;

    /// The newest room in `status` where a participant with this address (its id or external id) is present over a
    /// channel of this type (RE-141).
    async fn room_of_sender(
        &self,
        sender: &str,
        channel_type: &ChannelType,
        status: RoomStatus,
    ) -> Result<Option<RoomId>, StoreError>;

    /// One consistent look at a room with its newest `recent` events; none if there is no such room.
    async fn context(&self, room: &RoomId, recent: usize) -> Result<Option<RoomContext>, StoreError>;

    /// The commit point (RE-022..026): in one transaction assigns the next index to the event and the following ones
    /// to the injected events, stores them, advances the room's counters, changes the binding, keeps the plan and the
    /// side effects. All of it or nothing.
    ///
    /// # Errors
    /// [`StoreError::NoRoom`], [`StoreError::DuplicateKey`], [`StoreError::Conflict`].
    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError>;

    /// Writes down what became of a committed event's deliveries, and what they left behind; in one transaction.
    ///
    /// # Errors
    /// [`StoreError::NoRoom`].
    async fn settle(&self, settlement: Settlement) -> Result<(), StoreError>;

    /// Keeps side effects that belong to no event.
    ///
    /// # Errors
    /// [`StoreError::NoRoom`].
    async fn keep(&self, room: &RoomId, side_effects: SideEffects) -> Result<(), StoreError>;

    /// Events whose planned deliveries were never settled, oldest first: what a crash cut off.
    async fn unsettled(&self) -> Result<Vec<(Arc<RoomEvent>, Vec<PlannedDelivery>)>, StoreError>;

    /// An event by its id.
    async fn event(&self, room: &RoomId, id: &EventId) -> Result<Option<Arc<RoomEvent>>, StoreError>;

    /// The event that holds an idempotency key (RE-032).
    async fn event_by_key(&self, room: &RoomId, key: &str) -> Result<Option<Arc<RoomEvent>>, StoreError>;

    /// Events after `after` (from the first if absent), in index order, at most `limit`.
    async fn events(
        &self,
        room: &RoomId,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Arc<RoomEvent>>, StoreError>;

    /// A channel's binding.
    async fn binding(
        &self,
        room: &RoomId,
        channel: &ChannelId,
    ) -> Result<Option<Arc<ChannelBinding>>, StoreError>;

    /// Was this channel detached from the room, and not attached again since (RE-065)?
    async fn was_detached(&self, room: &RoomId, channel: &ChannelId) -> Result<bool, StoreError>;

    /// Keeps a participant, new or changed.
    ///
    /// # Errors
    /// [`StoreError::NoRoom`].
    async fn put_participant(&self, participant: Participant) -> Result<(), StoreError>;

    /// A participant.
    async fn participant(
        &self,
        room: &RoomId,
        id: &ParticipantId,
    ) -> Result<Option<Arc<Participant>>, StoreError>;

    /// A room's tasks, oldest first.
    async fn tasks(&self, room: &RoomId) -> Result<Vec<Task>, StoreError>;

    /// A room's observations, oldest first.
    async fn observations(&self, room: &RoomId) -> Result<Vec<Observation>, StoreError>;
}
