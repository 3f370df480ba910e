//! One voice session: a call and its place in a room.

use std::sync::{Arc, Mutex, PoisonError};

use roomtone_base::{RoomId, SessionId};
use tokio::sync::mpsc;

use crate::{
    Error,
    backend::{Caller, IncomingCall},
    parts::Parts,
    run::Run,
    speaker::{Answer, TurnTimes},
};

/// Where a session stands (VP section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// Not answered yet.
    Connecting,
    /// Sound flows.
    Active,
    /// On hold.
    Paused,
    /// Over, for good (VP-020).
    Ended,
}

impl SessionState {
    /// May a session go from here to `next`?
    pub fn may_become(self, next: SessionState) -> bool {
        use SessionState::{Active, Connecting, Ended, Paused};
        matches!(
            (self, next),
            (Connecting, Active | Ended) | (Active, Paused | Ended) | (Paused, Active | Ended)
        )
    }
}

/// What the outside tells a running session.
pub(crate) enum Command {
    /// Speak this.
    Say(Answer),
    /// The caller's last words led to nothing: no answer will come.
    NothingToAnswer,
    /// Say the closing words and hang up.
    Close,
}

/// A call that is not answered yet, and what it will be told.
type Waiting = (Box<dyn IncomingCall>, mpsc::UnboundedReceiver<Command>);

/// A call and its place in a room. Handed to the engine as the opaque session of the message that announces the call.
pub struct Session {
    /// Its name.
    pub id: SessionId,
    /// Its room.
    pub room: RoomId,
    /// Who calls.
    pub caller: Caller,
    state: Mutex<SessionState>,
    pub(crate) commands: mpsc::UnboundedSender<Command>,
    waiting: Mutex<Option<Waiting>>,
    /// The turn that is being answered: what the room delivers now answers it.
    pub(crate) answering: Mutex<Option<TurnTimes>>,
    parts: Arc<Parts>,
}

impl Session {
    pub(crate) fn new(
        id: SessionId,
        room: RoomId,
        call: Box<dyn IncomingCall>,
        parts: Arc<Parts>,
    ) -> Arc<Self> {
        let (commands, receiver) = mpsc::unbounded_channel();
        Arc::new(Session {
            id,
            room,
            caller: call.caller().clone(),
            state: Mutex::new(SessionState::Connecting),
            commands,
            waiting: Mutex::new(Some((call, receiver))),
            answering: Mutex::new(None),
            parts,
        })
    }

    /// Where it stands.
    pub fn state(&self) -> SessionState {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves on; `false` and no change if the move is not allowed (VP-020).
    pub(crate) fn become_state(&self, next: SessionState) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let allowed = state.may_become(next);
        if allowed {
            *state = next;
        }
        allowed
    }

    pub(crate) fn parts(&self) -> &Arc<Parts> {
        &self.parts
    }

    fn take_call(&self) -> Option<Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Answers the call and lets it run; the engine calls this once the announcing message is committed (VP-025).
    pub(crate) async fn connect(self: &Arc<Self>) -> Result<(), Error> {
        let Some((call, commands)) = self.take_call() else {
            return Err(Error::CallerGone);
        };
        let line = call.answer().await?;
        let run = Run::begin(self.clone(), self.parts.clone(), line, commands)?;
        self.become_state(SessionState::Active);
        tokio::spawn(run.drive());
        Ok(())
    }

    /// Refuses a call that was not connected; nothing happens to one that was.
    pub(crate) async fn refuse(&self, code: u16, reason: &str) {
        if let Some((call, _)) = self.take_call() {
            self.become_state(SessionState::Ended);
            call.refuse(code, reason).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SessionState::{self, Active, Connecting, Ended, Paused};

    #[test]
    fn nothing_leaves_ended_vp_020() {
        let all = [Connecting, Active, Paused, Ended];
        let allowed: Vec<(SessionState, SessionState)> = all
            .into_iter()
            .flat_map(|a| all.map(|b| (a, b)))
            .filter(|(a, b)| a.may_become(*b))
            .collect();
        assert_eq!(
            allowed,
            [
                (Connecting, Active),
                (Connecting, Ended),
                (Active, Paused),
                (Active, Ended),
                (Paused, Active),
                (Paused, Ended)
            ]
        );
    }
}
