//! A call that somebody wants to make to us.

use tokio::sync::oneshot;

use crate::{Call, CallHandle, CallInfo, Error, call::Command, stack::Token};

/// A call that waits for an answer. Dropped without one it is refused with 480 (temporarily unavailable).
#[derive(Debug)]
pub struct Incoming {
    /// Who and where.
    pub info: CallInfo,
    handle: CallHandle,
    cancelled: Token,
    decided: bool,
}

impl Incoming {
    pub(crate) fn new(info: CallInfo, handle: CallHandle, cancelled: Token) -> Self {
        Incoming {
            info,
            handle,
            cancelled,
            decided: false,
        }
    }

    /// Says 180 (ringing). May be repeated; does nothing if the caller has gone.
    pub async fn ring(&self) {
        // The call's task is gone only if the caller is.
        let _ = self.handle.commands.send(Command::Ring);
    }

    /// Takes the call: 200 with our description, media starts. If the INVITE had no offer, waits for the ACK that
    /// brings it.
    ///
    /// # Errors
    /// [`Error::Gone`] if the caller gave up, [`Error::NoRtpPort`] and [`Error::MediaFull`] if there is no room (the
    /// caller is told 503), [`Error::NoCodec`] if nothing is in common (488).
    pub async fn answer(mut self) -> Result<Call, Error> {
        self.decided = true;
        let (reply, wait) = oneshot::channel();
        self.handle
            .commands
            .send(Command::Answer(reply))
            .map_err(|_| Error::Gone)?;
        wait.await.map_err(|_| Error::Gone)?
    }

    /// Refuses the call with a final status from 400 to 699 (RFC 3261 section 21); anything else becomes 480.
    /// `reason` goes into the Reason header.
    pub async fn refuse(mut self, code: u16, reason: &str) {
        self.decided = true;
        let (done, wait) = oneshot::channel();
        let command = Command::Refuse {
            code,
            reason: reason.to_owned(),
            done: Some(done),
        };
        if self.handle.commands.send(command).is_ok() {
            let _ = wait.await;
        }
    }

    /// Has the caller given up?
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.is_cancelled()
    }

    /// Completes when the caller gives up (CANCEL), or the call is over in another way.
    pub async fn cancelled(&self) {
        self.cancelled.cancelled().await;
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if !self.decided {
            let command = Command::Refuse {
                code: 480,
                reason: "nobody there".into(),
                done: None,
            };
            let _ = self.handle.commands.send(command);
        }
    }
}
