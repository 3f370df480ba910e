//! The order of deliveries within one room.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use roomtone_base::RoomId;
use tokio::sync::oneshot;

/// The queues of all rooms. A ticket is drawn under the room lock, so that tickets stand in index order; it is used
/// outside of it (RE-031, RE-161).
#[derive(Default)]
pub(crate) struct Lanes {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    last_serial: u64,
    tails: HashMap<RoomId, Tail>,
}

struct Tail {
    serial: u64,
    ended: oneshot::Receiver<()>,
}

/// A place in a room's queue; dropping it lets the next one begin.
pub(crate) struct Ticket {
    lanes: Arc<Lanes>,
    room: RoomId,
    serial: u64,
    before: Option<oneshot::Receiver<()>>,
    ended: Option<oneshot::Sender<()>>,
}

impl Lanes {
    /// The next place in the room's queue.
    pub(crate) fn ticket(self: &Arc<Self>, room: &RoomId) -> Ticket {
        let (ended, on_end) = oneshot::channel();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.last_serial += 1;
        let serial = state.last_serial;
        let before = state
            .tails
            .insert(
                room.clone(),
                Tail {
                    serial,
                    ended: on_end,
                },
            )
            .map(|tail| tail.ended);
        Ticket {
            lanes: self.clone(),
            room: room.clone(),
            serial,
            before,
            ended: Some(ended),
        }
    }
}

impl Ticket {
    /// Waits until all that stood before have ended.
    pub(crate) async fn turn(&mut self) {
        if let Some(before) = &mut self.before {
            // An error is a holder that was dropped, which is an end as well.
            let _ = before.await;
            self.before = None;
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = self.lanes.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state
            .tails
            .get(&self.room)
            .is_some_and(|tail| tail.serial == self.serial)
        {
            state.tails.remove(&self.room);
        }
        drop(state);
        if let Some(ended) = self.ended.take() {
            let _ = ended.send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn turns_come_in_the_order_of_the_tickets_re_161() {
        let lanes = Arc::new(Lanes::default());
        let room = RoomId::from("R1");
        let order = Arc::new(Mutex::new(Vec::new()));
        let tickets: Vec<_> = (0..50).map(|n| (n, lanes.ticket(&room))).collect();
        let runs = tickets.into_iter().rev().map(|(n, mut ticket)| {
            let order = order.clone();
            tokio::spawn(async move {
                ticket.turn().await;
                tokio::task::yield_now().await;
                order.lock().unwrap().push(n);
            })
        });
        for run in runs.collect::<Vec<_>>() {
            run.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), (0..50).collect::<Vec<_>>());
        assert!(lanes.state.lock().unwrap().tails.is_empty());
    }
}
