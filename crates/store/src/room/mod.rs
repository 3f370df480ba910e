//! Rooms on disk.

mod read;
mod rows;
mod write;

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use roomtone_base::{ChannelId, EventId, ParticipantId, RoomId};
use roomtone_room::{
    ChannelBinding, ChannelType, Commit, Committed, Observation, Participant, PlannedDelivery, Room,
    RoomContext, RoomEvent, RoomQuery, RoomStatus, Settlement, SideEffects, Store, StoreError, Task,
};

use self::rows::Failure;
use crate::{Db, Result, Schema};

/// What `rooms.db` holds.
const SCHEMA: Schema = Schema {
    name: "rooms",
    version: 1,
    sql: include_str!("schema.sql"),
    upgrades: &[],
};

type Stored<T> = std::result::Result<T, StoreError>;

/// The room's store in a SQLite file. Commits of different rooms share transactions; several processes may open one
/// file (RE-023).
#[derive(Clone, Debug)]
pub struct SqliteRoomStore {
    db: Db,
}

impl SqliteRoomStore {
    /// Opens or makes the file.
    ///
    /// # Errors
    /// As [`Db::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Ok(SqliteRoomStore {
            db: Db::open(path, &SCHEMA)?,
        })
    }

    /// The database, for backups and for commands without an async runtime.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// The room of `transcript`: by its id, or the newest one. For commands without an async runtime.
    ///
    /// # Errors
    /// What the file does not give.
    pub fn find_room_sync(&self, id: Option<&RoomId>) -> Stored<Option<Arc<Room>>> {
        Ok(self.db.read_sync(|db| match id {
            Some(id) => read::room(db, id),
            None => read::rooms(
                db,
                &RoomQuery {
                    limit: 1,
                    ..RoomQuery::default()
                },
            )
            .map(|mut rooms| rooms.pop()),
        })?)
    }

    /// Events after `after` (from the first if absent), in index order, at most `limit`. For commands without an
    /// async runtime.
    ///
    /// # Errors
    /// What the file does not give.
    pub fn events_sync(
        &self,
        room: &RoomId,
        after: Option<u64>,
        limit: usize,
    ) -> Stored<Vec<Arc<RoomEvent>>> {
        Ok(self.db.read_sync(|db| read::events(db, room, after, limit))?)
    }

    async fn look<T: Send + 'static>(
        &self,
        work: impl FnOnce(&rusqlite::Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Stored<T> {
        Ok(self.db.read(work).await?)
    }

    async fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&rusqlite::Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Stored<T> {
        Ok(self.db.write(work).await?)
    }
}

#[async_trait]
impl Store for SqliteRoomStore {
    async fn create_room(&self, room: Room) -> Stored<()> {
        self.change(move |db| write::create_room(db, &room)).await
    }

    async fn room(&self, id: &RoomId) -> Stored<Option<Arc<Room>>> {
        let id = id.clone();
        self.look(move |db| read::room(db, &id)).await
    }

    async fn update_room(&self, room: Room) -> Stored<()> {
        self.change(move |db| write::update_room(db, &room)).await
    }

    async fn delete_room(&self, id: &RoomId) -> Stored<bool> {
        let id = id.clone();
        self.change(move |db| write::delete_room(db, &id)).await
    }

    async fn rooms(&self, query: &RoomQuery) -> Stored<Vec<Arc<Room>>> {
        let query = query.clone();
        self.look(move |db| read::rooms(db, &query)).await
    }

    async fn rooms_by_channel(
        &self,
        channel: &ChannelId,
        status: RoomStatus,
        limit: usize,
    ) -> Stored<Vec<RoomId>> {
        let channel = channel.clone();
        self.look(move |db| read::rooms_by_channel(db, &channel, status, limit))
            .await
    }

    async fn room_of_sender(
        &self,
        sender: &str,
        channel_type: &ChannelType,
        status: RoomStatus,
    ) -> Stored<Option<RoomId>> {
        let (sender, channel_type) = (sender.to_owned(), channel_type.to_string());
        self.look(move |db| read::room_of_sender(db, &sender, &channel_type, status))
            .await
    }

    async fn context(&self, room: &RoomId, recent: usize) -> Stored<Option<RoomContext>> {
        let room = room.clone();
        self.look(move |db| read::context(db, &room, recent)).await
    }

    async fn commit(&self, commit: Commit) -> Stored<Committed> {
        // Written out here, so that the one writer does not have to.
        let ready = write::Ready::new(commit)?;
        self.change(move |db| ready.commit(db)).await
    }

    async fn settle(&self, settlement: Settlement) -> Stored<()> {
        self.change(move |db| write::settle(db, settlement)).await
    }

    async fn keep(&self, room: &RoomId, side_effects: SideEffects) -> Stored<()> {
        let room = room.clone();
        self.change(move |db| {
            let seq = rows::seq(db, &room)?;
            write::keep(db, seq, &side_effects)
        })
        .await
    }

    async fn unsettled(&self) -> Stored<Vec<(Arc<RoomEvent>, Vec<PlannedDelivery>)>> {
        self.look(read::unsettled).await
    }

    async fn event(&self, room: &RoomId, id: &EventId) -> Stored<Option<Arc<RoomEvent>>> {
        let (room, id) = (room.clone(), id.clone());
        self.look(move |db| read::event(db, &room, "id", &id)).await
    }

    async fn event_by_key(&self, room: &RoomId, key: &str) -> Stored<Option<Arc<RoomEvent>>> {
        let (room, key) = (room.clone(), key.to_owned());
        self.look(move |db| read::event(db, &room, "key", &key)).await
    }

    async fn events(&self, room: &RoomId, after: Option<u64>, limit: usize) -> Stored<Vec<Arc<RoomEvent>>> {
        let room = room.clone();
        self.look(move |db| read::events(db, &room, after, limit)).await
    }

    async fn binding(&self, room: &RoomId, channel: &ChannelId) -> Stored<Option<Arc<ChannelBinding>>> {
        let (room, channel) = (room.clone(), channel.clone());
        self.look(move |db| read::binding(db, &room, &channel)).await
    }

    async fn was_detached(&self, room: &RoomId, channel: &ChannelId) -> Stored<bool> {
        let (room, channel) = (room.clone(), channel.clone());
        self.look(move |db| read::was_detached(db, &room, &channel)).await
    }

    async fn put_participant(&self, participant: Participant) -> Stored<()> {
        self.change(move |db| write::put_participant(db, &participant))
            .await
    }

    async fn participant(&self, room: &RoomId, id: &ParticipantId) -> Stored<Option<Arc<Participant>>> {
        let (room, id) = (room.clone(), id.clone());
        self.look(move |db| read::participant(db, &room, &id)).await
    }

    async fn tasks(&self, room: &RoomId) -> Stored<Vec<Task>> {
        let room = room.clone();
        self.look(move |db| read::side_effects(db, "task", &room)).await
    }

    async fn observations(&self, room: &RoomId) -> Stored<Vec<Observation>> {
        let room = room.clone();
        self.look(move |db| read::side_effects(db, "observation", &room))
            .await
    }
}
