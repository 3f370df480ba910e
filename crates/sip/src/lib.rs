//! The SIP and RTP gateway: signalling, offer and answer, the media thread.
//!
//! An [`Endpoint`] owns one UDP port. Calls come out of it as [`Incoming`] or are placed with [`Endpoint::call`]; an
//! answered [`Call`] is two rings of [`roomtone_audio::Encoded`] records, events, and a handle.
//!
//! **Invariants.** Knows no room, no recogniser and no pipeline. No type of the SIP library below leaves this crate.
//! Message judgement, descriptions, offer and answer, packet order and telephone events are pure; sockets are opened
//! in one module; all RTP of all calls runs on one thread that neither allocates nor waits once a call is added.
//! Caller's names and numbers are in [`CallInfo`] and never in a log line; the SIP library's own log (target
//! `rsipstack`) quotes whole messages and has to be filtered out by the program, see [`QUIET_TARGET`].

mod call;
mod config;
mod dispatch;
mod endpoint;
mod error;
#[doc(hidden)]
pub mod hostile;
mod incoming;
mod media;
mod message;
mod net;
mod offer;
mod outgoing;
mod own_media;
mod rtp;
mod sdp;
mod session;
mod stack;
mod stats;
mod validate;

pub use call::{Call, CallEvent, CallHandle, CallInfo, CallMedia, CallOptions, HangupBy};
pub use config::{AllowRule, PortRange, SipConfig};
pub use endpoint::{Deps, Endpoint, EndpointStats, Refusal};
pub use error::{CallFailed, Error};
pub use incoming::Incoming;
pub use net::interface_networks;
pub use stats::{MediaSnapshot, MediaStats};

/// Log target of the SIP library. Its lines quote whole messages with names and numbers: a log filter must switch it
/// off.
pub const QUIET_TARGET: &str = "rsipstack";
