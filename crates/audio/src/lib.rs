//! Sound: frames, codecs, the real-time stages, one pipeline a stream, and the pool that runs them.
mod encoded;
pub mod g711;
mod ring;

pub use encoded::{Codec, Encoded, MAX_PAYLOAD, Payload, Sent};
pub use ring::{Drain, Feed, INBOUND_FRAMES, OUTBOUND_FRAMES, ring};
