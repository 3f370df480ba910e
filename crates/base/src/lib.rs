//! What every part of Roomtone needs and nothing else: time, randomness, ids, secrets, evidence, telemetry.
//!
//! **Invariants.** No async runtime and no dependency on another Roomtone crate. Nothing here reads a clock or
//! the system's randomness on its own: [`SystemClock`] and [`Rng::from_entropy`] are the only doors, opened once
//! by the program and handed down.

mod backoff;
mod clock;
mod error;
mod evidence;
mod id;
mod redact;
mod rng;
mod secret;
mod telemetry;

pub use backoff::Backoff;
pub use clock::{Clock, Mono, SharedClock, Sleep, SystemClock, VirtualClock};
pub use error::Remedy;
pub use evidence::{Evidence, EvidenceSink, MemoryEvidence, NoEvidence};
pub use id::{
    CallId, ChannelId, EventId, IdSource, OrganizationId, ParticipantId, RoomId, SessionId, TraceId,
};
pub use redact::{MaskDigits, Redactor};
pub use rng::Rng;
pub use secret::Secret;
pub use telemetry::{Metric, NoTelemetry, Span, Telemetry};
