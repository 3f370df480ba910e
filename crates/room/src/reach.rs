//! Where in the engine a task stands, so that code called by the engine can call back without waiting for itself.

use std::{future::Future, sync::Arc};

use roomtone_base::RoomId;

tokio::task_local! {
    static STAND: Stand;
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Lock,
    Lane,
}

/// A room whose lock or lane this task holds, and those it held before it entered that one.
#[derive(Clone)]
pub(crate) struct Stand(Arc<Frame>);

struct Frame {
    room: RoomId,
    place: Place,
    outer: Option<Stand>,
}

impl Stand {
    /// Where the current task stands, to be carried into a task that it spawns.
    pub(crate) fn current() -> Option<Stand> {
        STAND.try_with(Stand::clone).ok()
    }

    fn holds(room: &RoomId, place: Place) -> bool {
        STAND
            .try_with(|stand| {
                let mut at = Some(stand);
                while let Some(Stand(frame)) = at {
                    if frame.room == *room && frame.place == place {
                        return true;
                    }
                    at = frame.outer.as_ref();
                }
                false
            })
            .unwrap_or(false)
    }

    /// Does this task decide about `room` under its lock? Locking again would wait for itself (RE-035).
    pub(crate) fn under_lock(room: &RoomId) -> bool {
        Self::holds(room, Place::Lock)
    }

    /// Does this task deliver within `room`'s lane? Waiting for that lane would wait for itself (RE-168).
    pub(crate) fn in_lane(room: &RoomId) -> bool {
        Self::holds(room, Place::Lane)
    }

    async fn within<F: Future>(room: &RoomId, place: Place, work: F) -> F::Output {
        let frame = Frame {
            room: room.clone(),
            place,
            outer: Self::current(),
        };
        STAND.scope(Stand(Arc::new(frame)), work).await
    }

    /// Runs `work` as under `room`'s lock.
    pub(crate) async fn locked<F: Future>(room: &RoomId, work: F) -> F::Output {
        Self::within(room, Place::Lock, work).await
    }

    /// Runs `work` as within `room`'s lane.
    pub(crate) async fn delivering<F: Future>(room: &RoomId, work: F) -> F::Output {
        Self::within(room, Place::Lane, work).await
    }

    /// Runs `work` where `stand` stood.
    pub(crate) async fn resume<F: Future>(stand: Option<Stand>, work: F) -> F::Output {
        match stand {
            Some(stand) => STAND.scope(stand, work).await,
            None => work.await,
        }
    }
}
