//! Coded bytes to samples and back.

use crate::{Codec, g711};

impl Codec {
    /// Decodes `bytes` into `out`; gives the number of samples, at most `out.len()`.
    pub fn decode(self, bytes: &[u8], out: &mut [f32]) -> usize {
        let table: fn(u8) -> i16 = match self {
            Codec::Pcmu => g711::decode_ulaw,
            Codec::Pcma => g711::decode_alaw,
        };
        let n = bytes.len().min(out.len());
        for (sample, byte) in out.iter_mut().zip(bytes) {
            *sample = f32::from(table(*byte)) / 32_768.0;
        }
        n
    }

    /// Codes `samples` into `out`; gives the number of bytes, at most `out.len()`.
    pub fn encode(self, samples: &[f32], out: &mut [u8]) -> usize {
        let table: fn(i16) -> u8 = match self {
            Codec::Pcmu => g711::encode_ulaw,
            Codec::Pcma => g711::encode_alaw,
        };
        let n = samples.len().min(out.len());
        for (byte, sample) in out.iter_mut().zip(samples) {
            *byte = table(crate::frame::to_i16(*sample));
        }
        n
    }
}
