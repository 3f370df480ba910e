//! The voice channel: sessions, turn-taking, interruption, speaking.
//!
//! A call comes in over a [`Backend`], enters its room like any message, and is answered once that message is
//! committed. While it lasts one task (module `run`) reads what the real-time leg heard, lets the turn machine
//! ([`TurnTaking`], pure) decide, feeds the recogniser while the caller talks, and hands the room's answers to the
//! leg clause by clause.
//!
//! **Invariants.** Turn-taking is a pure state machine over timed events. The desk is never asked directly: words go
//! through the room, so that rules, disk and other channels see them. Words that a hook failed to judge are neither
//! stored (transcripts) nor spoken (clauses).

mod backend;
mod channel;
mod config;
mod error;
mod hear;
mod parts;
mod progress;
mod run;
mod say;
mod service;
mod session;
mod sip;
mod speaker;
mod transcript;
mod turn;
mod waterfall;

pub use backend::{Backend, Caller, Capabilities, IncomingCall, Line, LineControl, LineEvent, Quality};
pub use channel::{VOICE_CHANNEL, VoiceChannel};
pub use config::{Interruption, VoiceConfig};
pub use error::Error;
pub use parts::{BARGE_IN, TURN_MS, VoiceParts};
pub use progress::{Progress, ProgressEvent};
pub use service::VoiceService;
pub use session::{Session, SessionState};
pub use sip::SipBackend;
pub use transcript::{Transcript, Turn};
pub use turn::{TurnAction, TurnEvent, TurnTaking};
pub use waterfall::Waterfall;
