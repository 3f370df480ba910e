//! Which room a message is for.

use async_trait::async_trait;
use roomtone_base::RoomId;

use crate::{
    Result, Store,
    model::{ChannelType, InboundMessage, RoomStatus},
};

/// Finds the room of a message that names none (RE-140).
#[async_trait]
pub trait Router: Send + Sync + 'static {
    /// The room, or none: then a new one is made. Must give the same answer for the same stored state (RE-142).
    ///
    /// # Errors
    /// What the store could not read.
    async fn route(
        &self,
        message: &InboundMessage,
        channel_type: &ChannelType,
        store: &dyn Store,
    ) -> Result<Option<RoomId>>;
}

/// The specification's router (RE-141): the newest active room where the sender takes part over the same type of
/// channel; else the one active room that the channel is bound to; else none. Two candidates at the second step give
/// none, never a guess (RE-142).
#[derive(Clone, Copy, Debug, Default)]
pub struct DefaultRouter;

#[async_trait]
impl Router for DefaultRouter {
    async fn route(
        &self,
        message: &InboundMessage,
        channel_type: &ChannelType,
        store: &dyn Store,
    ) -> Result<Option<RoomId>> {
        if !message.sender_id.is_empty()
            && let Some(room) = store
                .room_of_sender(&message.sender_id, channel_type, RoomStatus::Active)
                .await?
        {
            return Ok(Some(room));
        }
        let mut bound = store
            .rooms_by_channel(&message.channel_id, RoomStatus::Active, 2)
            .await?;
        Ok(if bound.len() == 1 { bound.pop() } else { None })
    }
}

/// Makes a new room for every message that names none: what a telephone line wants.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewRoomRouter;

#[async_trait]
impl Router for NewRoomRouter {
    async fn route(&self, _: &InboundMessage, _: &ChannelType, _: &dyn Store) -> Result<Option<RoomId>> {
        Ok(None)
    }
}
