//! The seam to whatever carries sound: a backend only moves it, all processing sits behind (VP-002).

use async_trait::async_trait;
use roomtone_audio::{Codec, Drain, Encoded, Feed, Sent};
use roomtone_base::{CallId, TraceId};
use tokio::sync::mpsc;

use crate::Error;

/// What a backend can do (VP section 4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Playback can be cancelled.
    pub interruption: bool,
    /// Digits are sent and received by signalling (RFC 4733).
    pub dtmf_signaling: bool,
    /// Digits arrive as tones in the sound.
    pub dtmf_inband: bool,
}

/// Who calls; fields of the line are the caller's claims.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The call, as logs and people name it.
    pub call_id: CallId,
    /// The cause that everything of this call carries.
    pub trace: TraceId,
    /// The caller's address on the line (a number, a SIP address); empty if withheld.
    pub address: String,
    /// The address that was called.
    pub callee: String,
}

/// A call that waits to be answered. Dropped without an answer it is refused.
#[async_trait]
pub trait IncomingCall: Send + Sync {
    /// Who calls.
    fn caller(&self) -> &Caller;
    /// Takes the call.
    ///
    /// # Errors
    /// [`Error::CallerGone`], [`Error::Line`].
    async fn answer(self: Box<Self>) -> Result<Line, Error>;
    /// Refuses the call with a SIP status or the nearest that the line has.
    async fn refuse(self: Box<Self>, code: u16, reason: &str);
}

/// What happens on an open line. [`LineEvent::Ended`] is the last and always comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineEvent {
    /// The other side wants no sound for a while.
    Held,
    /// The hold is over.
    Resumed,
    /// The line is closed.
    Ended {
        /// `caller`, `desk` or `failure`.
        by: &'static str,
        /// In a word or two.
        reason: String,
    },
}

/// An open line.
pub struct Line {
    /// What is sent.
    pub codec: Codec,
    /// What the caller says.
    pub inbound: Drain<Encoded>,
    /// What the caller hears.
    pub outbound: Feed<Encoded>,
    /// When tagged frames left.
    pub sent: Drain<Sent>,
    /// What happens.
    pub events: mpsc::UnboundedReceiver<LineEvent>,
    /// Control.
    pub control: Box<dyn LineControl>,
}

/// Controls an open line.
#[async_trait]
pub trait LineControl: Send + Sync {
    /// Ends the call; the line is closed when this returns.
    async fn hang_up(&self, reason: &str);
    /// Packets received, lost, sent; jitter in ms.
    fn quality(&self) -> Quality;
}

/// How well the line works.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quality {
    /// Packets received.
    pub received: u64,
    /// Packets lost.
    pub lost: u64,
    /// Packets sent.
    pub sent: u64,
    /// Interarrival jitter, ms (RFC 3550 section 6.4.1).
    pub jitter_ms: f64,
}

/// Where calls come from.
#[async_trait]
pub trait Backend: Send {
    /// Name in bindings and metrics: `sip`.
    fn name(&self) -> &'static str;
    /// What it can do.
    fn capabilities(&self) -> Capabilities;
    /// The next call; `None` once the backend is closed.
    async fn next(&mut self) -> Option<Box<dyn IncomingCall>>;
}
