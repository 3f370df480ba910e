//! One room at a time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use roomtone_base::RoomId;
use tokio::sync::OwnedMutexGuard;

use crate::Result;

/// Held while a room decides and commits; dropping it lets the next one in.
pub struct RoomGuard {
    _held: Box<dyn Send>,
}

impl RoomGuard {
    /// `held` releases the lock when it is dropped.
    pub fn new(held: impl Send + 'static) -> Self {
        RoomGuard {
            _held: Box::new(held),
        }
    }
}

impl std::fmt::Debug for RoomGuard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RoomGuard")
    }
}

/// Serialises what happens in one room; different rooms never wait for each other (RE-029).
#[async_trait]
pub trait Locks: Send + Sync + 'static {
    /// Waits for the room, first come first served. Giving up the wait harms nobody.
    ///
    /// # Errors
    /// A lock service that cannot be reached.
    async fn lock(&self, room: &RoomId) -> Result<RoomGuard>;
}

type Table = Arc<Mutex<HashMap<RoomId, Arc<tokio::sync::Mutex<()>>>>>;

/// Locks within one process. A lock lives as long as somebody holds it or waits for it, so that the table never
/// outgrows the rooms at work and no held lock is ever forgotten (RE-034).
#[derive(Default)]
pub struct MemoryLocks {
    table: Table,
}

struct Held {
    table: Table,
    room: RoomId,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.guard = None;
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        // The table's own is the last one left: waiters clone it while they hold the table.
        if table
            .get(&self.room)
            .is_some_and(|lock| Arc::strong_count(lock) == 1)
        {
            table.remove(&self.room);
        }
    }
}

#[async_trait]
impl Locks for MemoryLocks {
    async fn lock(&self, room: &RoomId) -> Result<RoomGuard> {
        // Made before waiting: a waiter that gives up tidies the table as well.
        let mut held = Held {
            table: self.table.clone(),
            room: room.clone(),
            guard: None,
        };
        let lock = {
            let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
            table.entry(room.clone()).or_default().clone()
        };
        held.guard = Some(lock.lock_owned().await);
        Ok(RoomGuard::new(held))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_lock_nobody_wants_is_forgotten_re_034() {
        let locks = MemoryLocks::default();
        let room = RoomId::from("R1");
        let held = locks.lock(&room).await.unwrap();
        let waiting = tokio::time::timeout(Duration::from_millis(5), locks.lock(&room)).await;
        assert!(waiting.is_err(), "held");
        assert_eq!(locks.table.lock().unwrap().len(), 1, "the held lock stays");
        drop(held);
        assert!(locks.table.lock().unwrap().is_empty());
        drop(locks.lock(&room).await.unwrap());
        assert!(locks.table.lock().unwrap().is_empty());
    }
}
