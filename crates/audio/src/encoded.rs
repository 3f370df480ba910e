//! What a line and a pipeline hand each other: packets' contents as fixed-size records.

use roomtone_base::Mono;
use serde::{Deserialize, Serialize};

/// Most bytes of one packet's payload: 80 ms of G.711.
pub const MAX_PAYLOAD: usize = 640;

/// A codec that a line may negotiate. RTP clock rate and payload type after RFC 3551 table 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    /// G.711 µ-law, 8 kHz, payload type 0.
    Pcmu,
    /// G.711 A-law, 8 kHz, payload type 8.
    Pcma,
}

impl Codec {
    /// RTP clock in Hz.
    pub const fn clock_rate(self) -> u32 {
        match self {
            Codec::Pcmu | Codec::Pcma => 8_000,
        }
    }

    /// The name in SDP.
    pub const fn name(self) -> &'static str {
        match self {
            Codec::Pcmu => "PCMU",
            Codec::Pcma => "PCMA",
        }
    }
}

/// What an [`Encoded`] record carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// `data[..len]` is coded sound.
    Audio(Codec),
    /// The packet before this place is lost for good: conceal this many samples of the RTP clock (VP-043). Never
    /// sent for a pause of the sender (VP-041) or for packets filtered before ordering (VP-042).
    Lost {
        /// Length of the gap in samples of the RTP clock.
        samples: u32,
    },
    /// A key was pressed (RFC 4733): given once, when the event ends or a new one begins.
    Digit {
        /// `0`–`9`, `*`, `#`, `A`–`D` in ASCII.
        digit: u8,
        /// How long it was held.
        duration_ms: u16,
    },
}

/// One record on a ring between a line and a pipeline.
#[derive(Clone, Copy, Debug)]
pub struct Encoded {
    /// What it is.
    pub payload: Payload,
    /// Inbound: the sender's RTP timestamp. Outbound: ignored, the media thread counts samples.
    pub timestamp: u32,
    /// Inbound: the RTP sequence number, extended to 32 bits (RFC 3550 A.1). Outbound: ignored.
    pub sequence: u32,
    /// Inbound: when the packet was read from the socket.
    pub arrived: Mono,
    /// First packet after a pause (RTP marker bit).
    pub marker: bool,
    /// Outbound: if not 0, the media thread reports with [`Sent`] when this record left the socket.
    pub tag: u32,
    len: u16,
    data: [u8; MAX_PAYLOAD],
}

impl Encoded {
    /// A record with coded sound; bytes beyond [`MAX_PAYLOAD`] are cut.
    pub fn audio(codec: Codec, bytes: &[u8]) -> Self {
        let mut e = Self::empty(Payload::Audio(codec));
        let len = bytes.len().min(MAX_PAYLOAD);
        e.data[..len].copy_from_slice(&bytes[..len]);
        e.len = len as u16;
        e
    }

    /// A record without bytes.
    pub fn empty(payload: Payload) -> Self {
        Encoded {
            payload,
            timestamp: 0,
            sequence: 0,
            arrived: Mono::ZERO,
            marker: false,
            tag: 0,
            len: 0,
            data: [0; MAX_PAYLOAD],
        }
    }

    /// The coded bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.data[..usize::from(self.len)]
    }

    /// Room to write `len` bytes in place; at most [`MAX_PAYLOAD`].
    pub fn bytes_mut(&mut self, len: usize) -> &mut [u8] {
        let len = len.min(MAX_PAYLOAD);
        self.len = len as u16;
        &mut self.data[..len]
    }
}

/// The media thread's word that a tagged record left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The record's [`Encoded::tag`].
    pub tag: u32,
    /// RTP sequence number it went out with.
    pub sequence: u16,
    /// When the socket took it.
    pub at: Mono,
}
