//! One call's outbound direction: a packet a slot, timestamps counted in samples.

use std::time::Duration;

use roomtone_audio::{Codec, Encoded, MAX_PAYLOAD, Payload, g711};
use roomtone_base::Mono;

use super::{
    digits,
    header::{self, Header},
};

/// Samples that pass in a slot without sound: 20 ms at 8 kHz.
const SLOT_SAMPLES: u32 = 160;
/// Behind by more than this, slots are skipped instead of caught up with a burst.
const CATCH_UP: Duration = Duration::from_millis(100);
/// Length of a digit that came by ring without a length.
const DIGIT_MS: u16 = 120;

/// Longest packet that we send.
pub(crate) const PACKET: usize = header::LENGTH + MAX_PAYLOAD;

/// Payload types to send with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SendAs {
    /// Payload type of each codec that the other side takes.
    pub audio: [Option<(u8, Codec)>; 2],
    /// Payload type of telephone-event.
    pub event: Option<u8>,
    /// Does the other side want anything at all (hold)?
    pub open: bool,
}

/// A packet to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    /// Bytes of the buffer that are the packet.
    pub len: usize,
    /// Its number.
    pub sequence: u16,
    /// The record's tag, 0 if nobody wants to know.
    pub tag: u32,
}

/// The outbound half of a call.
pub(crate) struct Send {
    how: SendAs,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    next: Mono,
    tones: digits::Sender,
    /// The next packet is the first of a talkspurt.
    fresh: bool,
}

impl Send {
    /// Starts at `now`; `random` seeds source, number and timestamp (RFC 3550 section 5.1 wants all three
    /// unpredictable).
    pub(crate) fn new(how: SendAs, random: [u64; 2], now: Mono) -> Self {
        Send {
            how,
            ssrc: random[0] as u32,
            // The upper half of the numbers is left out so that the first packets do not wrap (RFC 3711 3.3.1 asks so).
            sequence: (random[0] >> 32) as u16 & 0x7fff,
            timestamp: random[1] as u32,
            next: now,
            tones: digits::Sender::default(),
            fresh: true,
        }
    }

    pub(crate) fn how(&mut self, how: SendAs) {
        self.how = how;
    }

    /// Queues a key to send; `false` if there is no room, no such key, or no telephone-event on the other side.
    pub(crate) fn press(&mut self, digit: u8, duration_ms: u16) -> bool {
        self.how.event.is_some() && self.tones.press(digit, duration_ms)
    }

    /// Is a slot due?
    pub(crate) fn is_due(&self, now: Mono) -> bool {
        now >= self.next
    }

    /// The slot that is due. `take` gives the next record to send. Returns the packet to send, if there is one; time
    /// goes on either way.
    pub(crate) fn slot(
        &mut self,
        now: Mono,
        out: &mut [u8; PACKET],
        mut take: impl FnMut() -> Option<Encoded>,
    ) -> Option<Packet> {
        let behind = now.since(self.next);
        if behind > CATCH_UP {
            let slots = (behind.as_millis() / 20) as u32;
            self.timestamp = self.timestamp.wrapping_add(slots.wrapping_mul(SLOT_SAMPLES));
            self.next = self.next + Duration::from_millis(20) * slots;
        }
        let mut record = take();
        if let Some(Encoded {
            payload: Payload::Digit { digit, duration_ms },
            ..
        }) = record
        {
            let ms = if duration_ms == 0 { DIGIT_MS } else { duration_ms };
            self.press(digit, ms);
            record = take();
        }
        let timestamp = self.timestamp;
        let samples = match &record {
            Some(Encoded {
                payload: Payload::Audio(_),
                ..
            }) => record.as_ref().map_or(0, |r| r.bytes().len() as u32).max(1),
            _ => SLOT_SAMPLES,
        };
        self.timestamp = timestamp.wrapping_add(samples);
        self.next = self.next + Duration::from_micros(u64::from(samples) * 125);
        if !self.how.open {
            self.fresh = true;
            return None;
        }
        // A key takes the place of sound (RFC 4733 section 2.5.1.1).
        if let (Some(pt), Some(event)) = (self.how.event, self.tones.slot(timestamp, samples)) {
            self.fresh = true;
            return Some(self.write(pt, event.marker, event.timestamp, &event.payload, 0, out));
        }
        let mut record = record?;
        let Payload::Audio(codec) = record.payload else {
            return None;
        };
        let mut agreed = self.how.audio.iter().flatten();
        let same = agreed.clone().find(|(_, c)| *c == codec);
        let (pt, wanted) = same.or_else(|| agreed.next())?;
        recode(&mut record, codec, *wanted);
        let marker = record.marker || self.fresh;
        self.fresh = false;
        Some(self.write(*pt, marker, timestamp, record.bytes(), record.tag, out))
    }

    fn write(
        &mut self,
        payload_type: u8,
        marker: bool,
        timestamp: u32,
        payload: &[u8],
        tag: u32,
        out: &mut [u8; PACKET],
    ) -> Packet {
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        let (head, body) = out
            .split_first_chunk_mut::<{ header::LENGTH }>()
            .expect("PACKET is longer than a header");
        header::write(
            &Header {
                marker,
                payload_type,
                sequence,
                timestamp,
                ssrc: self.ssrc,
            },
            head,
        );
        body[..payload.len()].copy_from_slice(payload);
        Packet {
            len: header::LENGTH + payload.len(),
            sequence,
            tag,
        }
    }
}

/// Brings a record to the codec that holds now: the other side may change it in mid-call, and what is on the ring, or a
/// pipeline that does not know yet, still speaks the old one. Both are G.711, a byte a sample.
fn recode(record: &mut Encoded, from: Codec, to: Codec) {
    let by: fn(u8) -> u8 = match (from, to) {
        (Codec::Pcmu, Codec::Pcma) => |byte| g711::encode_alaw(g711::decode_ulaw(byte)),
        (Codec::Pcma, Codec::Pcmu) => |byte| g711::encode_ulaw(g711::decode_alaw(byte)),
        (Codec::Pcmu, Codec::Pcmu) | (Codec::Pcma, Codec::Pcma) => return,
    };
    let length = record.bytes().len();
    for byte in record.bytes_mut(length) {
        *byte = by(*byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOW: SendAs = SendAs {
        audio: [Some((0, Codec::Pcmu)), Some((96, Codec::Pcma))],
        event: Some(101),
        open: true,
    };

    fn at(ms: u64) -> Mono {
        Mono::from_duration(Duration::from_millis(ms))
    }

    fn frame() -> Option<Encoded> {
        Some(Encoded::audio(Codec::Pcmu, &[1; 160]))
    }

    fn slot(send: &mut Send, ms: u64, record: Option<Encoded>) -> Option<Header> {
        assert!(send.is_due(at(ms)));
        let mut out = [0; PACKET];
        let mut record = record;
        let p = send.slot(at(ms), &mut out, || record.take())?;
        Some(header::parse(&out[..p.len]).unwrap().0)
    }

    #[test]
    fn timestamps_go_on_through_empty_slots_and_numbers_do_not() {
        let mut s = Send::new(HOW, [7, 1_000], at(0));
        let a = slot(&mut s, 0, frame()).unwrap();
        assert!(!s.is_due(at(19)));
        assert!(slot(&mut s, 20, None).is_none());
        let b = slot(&mut s, 40, frame()).unwrap();
        assert_eq!((a.timestamp, b.timestamp), (1_000, 1_320));
        assert_eq!(b.sequence, a.sequence + 1);
        assert!(a.marker && !b.marker);
        assert_eq!(a.ssrc, 7);
    }

    #[test]
    fn each_codec_has_its_own_payload_type() {
        let mut s = Send::new(HOW, [0, 0], at(0));
        let h = slot(&mut s, 0, Some(Encoded::audio(Codec::Pcma, &[1; 240]))).unwrap();
        assert_eq!(h.payload_type, 96);
        assert!(!s.is_due(at(29)) && s.is_due(at(30)));
        let only = SendAs {
            audio: [Some((0, Codec::Pcmu)), None],
            ..HOW
        };
        let mut s = Send::new(only, [0, 0], at(0));
        let mut out = [0; PACKET];
        let loud = Encoded::audio(Codec::Pcma, &[g711::encode_alaw(8_000); 160]);
        let p = s.slot(at(0), &mut out, || Some(loud)).unwrap();
        let (h, payload) = header::parse(&out[..p.len]).unwrap();
        assert_eq!(
            (h.payload_type, payload.len()),
            (0, 160),
            "what is not agreed is recoded, not dropped"
        );
        assert!(
            payload
                .iter()
                .all(|b| (g711::decode_ulaw(*b) - 8_000).abs() < 400)
        );
    }

    #[test]
    fn a_key_takes_the_place_of_sound_and_sound_goes_on_in_time() {
        let mut s = Send::new(HOW, [0, 0], at(0));
        assert!(s.press(b'4', 40));
        let headers: Vec<Header> = (0..6).map(|i| slot(&mut s, i * 20, frame()).unwrap()).collect();
        let types: Vec<u8> = headers.iter().map(|h| h.payload_type).collect();
        assert_eq!(types, [101, 101, 101, 101, 0, 0]);
        assert!(headers[..4].iter().all(|h| h.timestamp == 0));
        assert_eq!(headers[4].timestamp, 640);
        assert!(headers[0].marker && headers[4].marker && !headers[5].marker);
    }

    #[test]
    fn held_nothing_leaves_but_time_and_ring_go_on() {
        let mut s = Send::new(SendAs { open: false, ..HOW }, [0, 0], at(0));
        assert!(slot(&mut s, 0, frame()).is_none());
        s.how(HOW);
        assert_eq!(slot(&mut s, 20, frame()).unwrap().timestamp, 160);
    }

    #[test]
    fn after_a_stall_slots_are_skipped_not_caught_up() {
        let mut s = Send::new(HOW, [0, 0], at(0));
        slot(&mut s, 0, frame());
        let h = slot(&mut s, 1_025, frame()).unwrap();
        assert_eq!(h.timestamp, 160 * 51);
        assert!(!s.is_due(at(1_030)));
    }

    #[test]
    fn no_key_without_telephone_event() {
        let mut s = Send::new(SendAs { event: None, ..HOW }, [0, 0], at(0));
        assert!(!s.press(b'1', 100));
        let mut s = Send::new(HOW, [0, 0], at(0));
        assert!(!s.press(b'x', 100));
    }
}
