//! Sound: frames, codecs, the real-time stages, one pipeline a stream, and the pool that runs them.
//!
//! **Invariants.** Knows nothing of rooms, networks, devices or async runtimes. A stage owns its stream's state, so
//! streams cannot mix. The per-frame path never allocates, locks, logs or calls the system; `tests/guard.rs` proves
//! it over the whole phone chain. Same frames in, same frames out.
//!
//! The seam to a line is [`Encoded`] on [`ring`]s; the seam to the voice channel is [`Heard`] and [`Say`].

mod codec;
mod encoded;
mod error;
pub mod frame;
pub mod g711;
mod leg;
mod pipeline;
mod pool;
mod ring;
pub mod stage;

pub use encoded::{Codec, Encoded, MAX_PAYLOAD, Payload, Sent};
pub use error::Error;
pub use frame::{Frame, Marks};
pub use leg::{
    DUCKED, FRAME_SAMPLES, Heard, INTERNAL_RATE, LegConfig, LegControl, LegHandle, PhoneLeg, Say, Sound,
};
pub use pipeline::Pipeline;
pub use pool::{Pool, PoolStats, TICK};
pub use ring::{Drain, Feed, INBOUND_FRAMES, OUTBOUND_FRAMES, ring};
pub use stage::{Stage, VadConfig};
