//! Conversations that have had their time.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use roomtone_base::{RoomId, SharedClock};
use roomtone_room::{RoomQuery, RoomStatus, Store, StoreError};

use crate::PrivacyConfig;

/// How often old conversations are looked for.
const ROUND: Duration = Duration::from_secs(6 * 3_600);
/// Rooms read at once.
const PAGE: usize = 200;

/// Deletes conversations when their time is over.
#[derive(Clone)]
pub struct Retention {
    store: Arc<dyn Store>,
    clock: SharedClock,
    config: PrivacyConfig,
}

impl Retention {
    /// Watches over `store` as `config` says.
    pub fn new(store: Arc<dyn Store>, clock: SharedClock, config: PrivacyConfig) -> Self {
        Retention { store, clock, config }
    }

    /// Looks at once and then every six hours, for ever.
    pub async fn keep_watch(self) {
        loop {
            match self.sweep().await {
                Ok(0) => {}
                Ok(rooms) => {
                    tracing::info!(target: "roomtone::guard", rooms, "conversations have had their time")
                }
                Err(error) => {
                    tracing::error!(target: "roomtone::guard", %error, "old conversations could not be deleted");
                }
            }
            self.clock.sleep(ROUND).await;
        }
    }

    /// Deletes what has had its time; gives the number of rooms.
    ///
    /// # Errors
    /// What the store does not give; what was deleted before stays deleted.
    pub async fn sweep(&self) -> Result<usize, StoreError> {
        let days = i64::from(self.config.transcript_days);
        let oldest = self
            .clock
            .now()
            .saturating_sub(SignedDuration::from_hours(24 * days))
            .unwrap_or(Timestamp::MIN);
        let mut due: Vec<RoomId> = Vec::new();
        let mut query = RoomQuery {
            limit: PAGE,
            ..RoomQuery::default()
        };
        loop {
            let rooms = self.store.rooms(&query).await?;
            if rooms.is_empty() {
                break;
            }
            query.offset += rooms.len();
            let over = |status| matches!(status, RoomStatus::Closed | RoomStatus::Archived);
            due.extend(
                rooms
                    .iter()
                    .filter(|r| r.updated_at < oldest || (!self.config.store_transcript && over(r.status)))
                    .map(|r| r.id.clone()),
            );
        }
        for room in &due {
            self.store.delete_room(room).await?;
        }
        Ok(due.len())
    }

    /// A conversation has ended: deletes it if nothing shall be kept. `true` if it is gone.
    ///
    /// # Errors
    /// What the store does not give.
    pub async fn ended(&self, room: &RoomId) -> Result<bool, StoreError> {
        if self.config.store_transcript {
            return Ok(false);
        }
        self.store.delete_room(room).await
    }
}

#[cfg(test)]
mod tests {
    use roomtone_base::{Clock, IdSource, Rng, VirtualClock};
    use roomtone_room::{MemoryStore, NewRoom, RoomEngine};

    use super::*;

    struct World {
        clock: VirtualClock,
        store: Arc<dyn Store>,
        engine: RoomEngine,
    }

    fn world() -> World {
        let clock = VirtualClock::new(Timestamp::UNIX_EPOCH);
        let shared: SharedClock = Arc::new(clock.clone());
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let ids = IdSource::new(shared.clone(), Rng::seeded(1));
        let engine = RoomEngine::builder(shared, ids, store.clone()).build().unwrap();
        World { clock, store, engine }
    }

    impl World {
        fn retention(&self, config: PrivacyConfig) -> Retention {
            Retention::new(self.store.clone(), Arc::new(self.clock.clone()), config)
        }

        async fn rooms(&self) -> usize {
            self.store
                .rooms(&RoomQuery {
                    limit: PAGE,
                    ..RoomQuery::default()
                })
                .await
                .unwrap()
                .len()
        }
    }

    #[tokio::test]
    async fn conversations_go_after_their_days_and_not_before() {
        let world = world();
        let retention = world.retention(PrivacyConfig {
            transcript_days: 30,
            ..PrivacyConfig::default()
        });
        world.engine.create_room(NewRoom::default()).await.unwrap();
        world.clock.advance(Duration::from_secs(20 * 86_400));
        world.engine.create_room(NewRoom::default()).await.unwrap();
        assert_eq!((retention.sweep().await.unwrap(), world.rooms().await), (0, 2));
        world.clock.advance(Duration::from_secs(11 * 86_400));
        assert_eq!((retention.sweep().await.unwrap(), world.rooms().await), (1, 1));
        assert!(world.clock.now() > Timestamp::UNIX_EPOCH);
    }

    #[tokio::test]
    async fn where_nothing_is_kept_a_closed_conversation_goes_and_an_open_one_stays() {
        let world = world();
        let retention = world.retention(PrivacyConfig {
            store_transcript: false,
            ..PrivacyConfig::default()
        });
        let (over, open) = (
            world
                .engine
                .create_room(NewRoom::default())
                .await
                .unwrap()
                .id
                .clone(),
            world
                .engine
                .create_room(NewRoom::default())
                .await
                .unwrap()
                .id
                .clone(),
        );
        world.engine.close_room(&over).await.unwrap();
        assert_eq!(retention.sweep().await.unwrap(), 1);
        assert!(world.store.room(&open).await.unwrap().is_some());
        assert!(retention.ended(&open).await.unwrap());
        assert_eq!(world.rooms().await, 0);
    }
}
