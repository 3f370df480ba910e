//! What a host may look at. Works for rooms in every status (RE-044).

use std::sync::Arc;

use roomtone_base::{ChannelId, RoomId};

use crate::{
    Error, Result, RoomEngine,
    model::{Observation, Room, RoomContext, RoomEvent, Task},
    store::RoomQuery,
};

/// Reads rooms; changes nothing.
#[derive(Clone, Debug)]
pub struct View {
    engine: RoomEngine,
}

impl RoomEngine {
    /// Looks at rooms.
    pub fn view(&self) -> View {
        View { engine: self.clone() }
    }
}

impl View {
    /// Events after index `after` (from the first if absent), at most `limit`, in index order, whoever may see them.
    ///
    /// # Errors
    /// [`Error::RoomNotFound`].
    pub async fn timeline(
        &self,
        room_id: &RoomId,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Arc<RoomEvent>>> {
        self.engine.room(room_id).await?;
        Ok(self.engine.store().events(room_id, after, limit).await?)
    }

    /// The room as a channel in it may see it: what visibility withholds is not in it (RE-077, RE-079). `recent`
    /// bounds how many of the newest events are looked at.
    ///
    /// # Errors
    /// [`Error::RoomNotFound`], [`Error::ChannelNotAttached`].
    pub async fn as_seen_by(
        &self,
        room_id: &RoomId,
        reader: &ChannelId,
        recent: usize,
    ) -> Result<RoomContext> {
        let context = self.context(room_id, recent).await?;
        match context.binding(reader) {
            Some(binding) => Ok(context.for_reader(binding)),
            None => Err(Error::ChannelNotAttached {
                channel: reader.clone(),
                room: room_id.clone(),
            }),
        }
    }

    /// The whole room, with its newest events.
    ///
    /// # Errors
    /// [`Error::RoomNotFound`].
    pub async fn context(&self, room_id: &RoomId, recent: usize) -> Result<RoomContext> {
        let context = self.engine.store().context(room_id, recent).await?;
        context.ok_or_else(|| Error::RoomNotFound(room_id.clone()))
    }

    /// Rooms, the newest activity first.
    ///
    /// # Errors
    /// What the store could not read.
    pub async fn rooms(&self, query: &RoomQuery) -> Result<Vec<Arc<Room>>> {
        Ok(self.engine.store().rooms(query).await?)
    }

    /// The room with the newest activity.
    ///
    /// # Errors
    /// What the store could not read.
    pub async fn latest_room(&self) -> Result<Option<Arc<Room>>> {
        Ok(self
            .rooms(&RoomQuery {
                limit: 1,
                ..RoomQuery::default()
            })
            .await?
            .pop())
    }

    /// A room's tasks, oldest first.
    ///
    /// # Errors
    /// What the store could not read.
    pub async fn tasks(&self, room_id: &RoomId) -> Result<Vec<Task>> {
        Ok(self.engine.store().tasks(room_id).await?)
    }

    /// A room's observations, oldest first.
    ///
    /// # Errors
    /// What the store could not read.
    pub async fn observations(&self, room_id: &RoomId) -> Result<Vec<Observation>> {
        Ok(self.engine.store().observations(room_id).await?)
    }
}
