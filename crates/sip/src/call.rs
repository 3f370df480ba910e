//! A call as the rest of the product sees it.

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use roomtone_audio::{Codec, Drain, Encoded, Feed, Sent};
use roomtone_base::{CallId, TraceId};
use tokio::sync::{mpsc, oneshot};

use crate::{Error, stats::MediaStats};

/// Who calls whom, from where. Prints only what a log may hold: ids and the offered codecs.
#[derive(Clone, PartialEq, Eq)]
pub struct CallInfo {
    /// Our own short id of the call, for logs, people and `transcript`.
    pub call_id: CallId,
    /// The Call-ID header (RFC 3261 section 20.8).
    pub sip_call_id: String,
    /// Ties all evidence of this call together.
    pub trace: TraceId,
    /// The caller's address as written in From.
    pub from_uri: String,
    /// User part of the caller's address: often the number.
    pub from_user: Option<String>,
    /// Display name of the caller, as claimed.
    pub from_display: Option<String>,
    /// User part of the address that was called.
    pub to_user: Option<String>,
    /// Where the request came from (outgoing: went to).
    pub source: SocketAddr,
    /// `X-…` headers of the INVITE as (name, value).
    pub headers: Vec<(String, String)>,
    /// Encodings in the caller's offer; empty if the INVITE had none.
    pub offered: Vec<String>,
}

impl fmt::Debug for CallInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallInfo")
            .field("call_id", &self.call_id)
            .field("trace", &self.trace)
            .field("offered", &self.offered)
            .finish_non_exhaustive()
    }
}

/// Rings and counters of a call's media. The rings' other ends are the media thread's.
#[derive(Debug)]
pub struct CallMedia {
    /// What the other side says, in order: sound, losses, digits.
    pub inbound: Drain<Encoded>,
    /// What we say: a record of 20 ms every 20 ms, at most [`roomtone_audio::OUTBOUND_FRAMES`] ahead. A
    /// [`roomtone_audio::Payload::Digit`] record sends a key.
    pub outbound: Feed<Encoded>,
    /// When tagged records left.
    pub sent: Drain<Sent>,
    /// Counters, live.
    pub stats: Arc<MediaStats>,
}

/// Who ended a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HangupBy {
    /// This side, by [`CallHandle::hangup`].
    Us,
    /// The other side, by BYE or CANCEL.
    Them,
    /// Nobody: no ACK, no sound, or the network failed.
    Failure,
}

/// What happens to an answered call. [`CallEvent::Ended`] is the last and always comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallEvent {
    /// The other side has confirmed the answer (ACK); for a call that we placed, we have.
    Established,
    /// The other side wants no sound from us for a while.
    Held,
    /// The hold is over.
    Resumed,
    /// The call is over, its ports are free.
    Ended {
        /// Who ended it.
        by: HangupBy,
        /// Why, in a word or two: `bye`, `no ack`, `no media`, or what [`CallHandle::hangup`] was given.
        reason: String,
    },
}

/// An answered call.
#[derive(Debug)]
pub struct Call {
    /// Who and where.
    pub info: CallInfo,
    /// What we send. Any agreed codec may arrive: each record says its own.
    pub codec: Codec,
    /// Sound.
    pub media: CallMedia,
    /// What happens. The media timeouts and a BYE of the other side end the call whether or not this is read.
    pub events: mpsc::UnboundedReceiver<CallEvent>,
    /// Control; may outlive the rest.
    pub handle: CallHandle,
}

/// Commands to a call's task.
#[derive(Debug)]
pub(crate) enum Command {
    Ring,
    Answer(oneshot::Sender<Result<Call, Error>>),
    Refuse {
        code: u16,
        reason: String,
        done: Option<oneshot::Sender<()>>,
    },
    Hangup {
        reason: String,
        done: oneshot::Sender<()>,
    },
    Press {
        digit: u8,
        duration_ms: u16,
    },
}

/// Controls a call. Cheap to clone.
#[derive(Clone, Debug)]
pub struct CallHandle {
    pub(crate) commands: mpsc::UnboundedSender<Command>,
}

impl CallHandle {
    /// Ends the call: BYE (or CANCEL, or a refusal, as its state demands) goes out, media stops, the ports are free
    /// when this returns. `reason` goes into the Reason header and into [`CallEvent::Ended`]. A call that is over
    /// already is left alone.
    pub async fn hangup(&self, reason: &str) {
        let (done, wait) = oneshot::channel();
        if self
            .commands
            .send(Command::Hangup {
                reason: reason.to_owned(),
                done,
            })
            .is_ok()
        {
            // An error says that the call's task has ended: that is what was wanted.
            let _ = wait.await;
        }
    }

    /// Presses a key: `0`–`9`, `*`, `#`, `A`–`D`, held for `hold` (40 ms to 6 s), by RFC 4733. Keys queue up, 32 at
    /// most. Nothing is sent if the other side did not agree to telephone-event.
    ///
    /// # Errors
    /// [`Error::Gone`] if the call is over.
    pub fn send_digit(&self, digit: char, hold: Duration) -> Result<(), Error> {
        let digit = u8::try_from(digit).unwrap_or(b'?');
        let duration_ms = u16::try_from(hold.as_millis()).unwrap_or(u16::MAX);
        self.commands
            .send(Command::Press { digit, duration_ms })
            .map_err(|_| Error::Gone)
    }
}

/// How to place a call.
#[derive(Clone, Debug)]
pub struct CallOptions {
    /// User part of our From address.
    pub from_user: String,
    /// Display name in From.
    pub from_display: Option<String>,
    /// What we offer, best first.
    pub codecs: Vec<Codec>,
    /// Ties the call to its cause; a fresh one if `None`.
    pub trace: Option<TraceId>,
    /// Headers to add to the INVITE as (name, value).
    pub headers: Vec<(String, String)>,
    /// How long to let it ring before giving up with 408.
    pub patience: Duration,
}

impl Default for CallOptions {
    fn default() -> Self {
        CallOptions {
            from_user: "roomtone".into(),
            from_display: None,
            codecs: vec![Codec::Pcmu, Codec::Pcma],
            trace: None,
            headers: Vec::new(),
            patience: Duration::from_secs(60),
        }
    }
}
