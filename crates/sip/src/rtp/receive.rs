//! One call's inbound direction: packets in any order in, [`Encoded`] records in order out.

use roomtone_audio::{Codec, Encoded, MAX_PAYLOAD, Payload};
use roomtone_base::Mono;

use super::{
    digits::{Press, Receiver as Digits},
    header::{self, Header},
    order::{Fate, Order, Out},
};
use crate::stats::MediaStats;

/// Samples of a packet of ours and of nearly everybody: 20 ms at 8 kHz.
const USUAL_SAMPLES: u32 = 160;
/// Gap of timestamps above which loss is not believed to explain it (RFC 3550 A.1's dropout at 20 ms).
const LONGEST_GAP: u32 = 8_000 * 60;

/// Payload types that may arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expect {
    /// Payload type of each codec that was agreed.
    pub audio: [Option<(u8, Codec)>; 2],
    /// Payload type of telephone-event.
    pub event: Option<u8>,
}

impl Expect {
    fn codec(&self, payload_type: u8) -> Option<Codec> {
        let agreed = self
            .audio
            .iter()
            .flatten()
            .find(|(pt, _)| *pt == payload_type)
            .map(|(_, c)| *c);
        // Some send the other of the two static types than they agreed to; both decode by their number.
        agreed.or(match payload_type {
            0 => Some(Codec::Pcmu),
            8 => Some(Codec::Pcma),
            _ => None,
        })
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Audio(Codec),
    Event,
    /// Filtered, but its number counts as received (VP-042).
    Other,
}

#[derive(Clone, Copy)]
struct Item {
    kind: Kind,
    timestamp: u32,
    marker: bool,
    arrived: Mono,
    len: u16,
    data: [u8; MAX_PAYLOAD],
}

/// What ordered packets become.
struct Unwrap {
    digits: Digits,
    /// Timestamp that the next sound should have.
    expected: Option<u32>,
    /// Samples of the last packet with sound.
    samples: u32,
    /// Lost packets not yet told.
    lost: u32,
}

/// The inbound half of a call. Allocates when made and never again.
pub(crate) struct Receive {
    expect: Expect,
    order: Order<Item>,
    unwrap: Unwrap,
    ssrc: Option<u32>,
    /// RFC 3550 A.8: transit of the last packet, and the jitter, both in samples.
    transit: Option<i64>,
    jitter: f64,
}

impl Receive {
    pub(crate) fn new(expect: Expect) -> Self {
        let unwrap = Unwrap {
            digits: Digits::default(),
            expected: None,
            samples: USUAL_SAMPLES,
            lost: 0,
        };
        Receive {
            expect,
            order: Order::new(),
            unwrap,
            ssrc: None,
            transit: None,
            jitter: 0.0,
        }
    }

    pub(crate) fn expect(&mut self, expect: Expect) {
        self.expect = expect;
    }

    /// Takes a datagram from the right source. `put` gets the records that can leave; it is called in order.
    /// `false` if it is no RTP packet.
    pub(crate) fn datagram(
        &mut self,
        datagram: &[u8],
        now: Mono,
        stats: &MediaStats,
        mut put: impl FnMut(Encoded),
    ) -> bool {
        let Some((h, payload)) = header::parse(datagram) else {
            return false;
        };
        if payload.len() > MAX_PAYLOAD {
            return false;
        }
        let kind = match self.expect.codec(h.payload_type) {
            _ if self.expect.event == Some(h.payload_type) => Kind::Event,
            Some(codec) => Kind::Audio(codec),
            None => Kind::Other,
        };
        MediaStats::add(&stats.received);
        stats.heard(now);
        if matches!(kind, Kind::Other) {
            MediaStats::add(&stats.unexpected);
        }
        let unwrap = &mut self.unwrap;
        if self.ssrc != Some(h.ssrc) {
            // Another source took over (transfer, prompt, restart): its numbers have nothing to do with the old ones.
            if self.ssrc.is_some() {
                self.order.reset(h.sequence, |o| unwrap.take(o, stats, &mut put));
                unwrap.restart(now, stats, &mut put);
            }
            self.ssrc = Some(h.ssrc);
            self.transit = None;
            stats.ssrc.store(h.ssrc, std::sync::atomic::Ordering::Relaxed);
        }
        if let Kind::Audio(codec) = kind {
            self.measure(&h, codec, now, stats);
        }
        let mut data = [0; MAX_PAYLOAD];
        data[..payload.len()].copy_from_slice(payload);
        let len = payload.len() as u16;
        let item = Item {
            kind,
            timestamp: h.timestamp,
            marker: h.marker,
            arrived: now,
            len,
            data,
        };
        let unwrap = &mut self.unwrap;
        let fate = self
            .order
            .push(h.sequence, item, now, |o| unwrap.take(o, stats, &mut put));
        match fate {
            Fate::InOrder => {}
            Fate::Reordered => MediaStats::add(&stats.reordered),
            Fate::Duplicate => MediaStats::add(&stats.duplicates),
            Fate::Late => MediaStats::add(&stats.late),
            Fate::Stray => MediaStats::add(&stats.junk),
        }
        true
    }

    /// Time went by: gives up what is lost, ends keys whose end was lost. Call on every tick.
    pub(crate) fn tick(&mut self, now: Mono, stats: &MediaStats, mut put: impl FnMut(Encoded)) {
        let unwrap = &mut self.unwrap;
        self.order.tick(now, |o| unwrap.take(o, stats, &mut put));
        if let Some(press) = unwrap.digits.tick(now) {
            put_press(press, now, stats, &mut put);
        }
    }

    /// Interarrival jitter, RFC 3550 A.8.
    fn measure(&mut self, h: &Header, codec: Codec, now: Mono, stats: &MediaStats) {
        let rate = u64::from(codec.clock_rate());
        let arrival = (now.as_duration().as_micros() as u64).wrapping_mul(rate) / 1_000_000;
        let transit = i64::from((arrival as u32).wrapping_sub(h.timestamp) as i32);
        if let Some(last) = self.transit {
            let d = (transit - last).unsigned_abs();
            // A pause with a clock of its own is no jitter.
            if d < rate {
                self.jitter += (d as f64 - self.jitter) / 16.0;
            }
        }
        self.transit = Some(transit);
        let us = self.jitter * 1_000_000.0 / rate as f64;
        stats
            .jitter_us
            .store(us as u32, std::sync::atomic::Ordering::Relaxed);
    }
}

fn put_press(press: Press, now: Mono, stats: &MediaStats, put: &mut impl FnMut(Encoded)) {
    MediaStats::add(&stats.digits);
    let mut record = Encoded::empty(Payload::Digit {
        digit: press.digit,
        duration_ms: press.duration_ms,
    });
    record.arrived = now;
    put(record);
}

impl Unwrap {
    fn restart(&mut self, now: Mono, stats: &MediaStats, put: &mut impl FnMut(Encoded)) {
        if let Some(press) = self.digits.reset() {
            put_press(press, now, stats, put);
        }
        self.expected = None;
        self.lost = 0;
    }

    fn take(&mut self, out: Out<Item>, stats: &MediaStats, put: &mut impl FnMut(Encoded)) {
        match out {
            Out::Lost(n) => {
                stats
                    .lost
                    .fetch_add(u64::from(n), std::sync::atomic::Ordering::Relaxed);
                self.lost = self.lost.saturating_add(n);
            }
            Out::Packet(number, item) => self.packet(number, &item, stats, put),
        }
    }

    fn packet(&mut self, number: u32, item: &Item, stats: &MediaStats, put: &mut impl FnMut(Encoded)) {
        let now = item.arrived;
        self.tell_loss(number, item, put);
        match item.kind {
            Kind::Audio(codec) => {
                if let Some(press) = self.digits.audio(item.timestamp) {
                    put_press(press, now, stats, put);
                }
                let mut record = Encoded::audio(codec, &item.data[..usize::from(item.len)]);
                record.timestamp = item.timestamp;
                record.sequence = number;
                record.arrived = now;
                record.marker = item.marker;
                put(record);
                if item.len > 0 {
                    // G.711: a byte a sample.
                    self.samples = u32::from(item.len);
                }
                self.expected = Some(item.timestamp.wrapping_add(u32::from(item.len)));
            }
            Kind::Event => {
                let payload = &item.data[..usize::from(item.len)];
                for press in self
                    .digits
                    .packet(item.timestamp, payload, now)
                    .into_iter()
                    .flatten()
                {
                    put_press(press, now, stats, put);
                }
            }
            Kind::Other => {}
        }
    }

    /// Loss is told with the packet after it, because only its timestamp says how much sound is missing: lost event
    /// packets carry none, and a pause in the same place is not part of it.
    fn tell_loss(&mut self, number: u32, item: &Item, put: &mut impl FnMut(Encoded)) {
        let lost = std::mem::take(&mut self.lost);
        let (Some(expected), 1..) = (self.expected, lost) else {
            return;
        };
        let gap = item.timestamp.wrapping_sub(expected);
        if gap == 0 || gap > LONGEST_GAP {
            return;
        }
        let samples = gap.min(lost.saturating_mul(self.samples));
        let mut record = Encoded::empty(Payload::Lost { samples });
        record.timestamp = expected;
        record.sequence = number.wrapping_sub(lost);
        record.arrived = item.arrived;
        put(record);
        self.expected = Some(expected.wrapping_add(samples));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const EXPECT: Expect = Expect {
        audio: [Some((0, Codec::Pcmu)), None],
        event: Some(101),
    };

    fn at(ms: u64) -> Mono {
        Mono::from_duration(Duration::from_millis(ms))
    }

    fn packet(pt: u8, sequence: u16, timestamp: u32, ssrc: u32, body: &[u8]) -> Vec<u8> {
        let mut out = [0; header::LENGTH];
        header::write(
            &Header {
                marker: false,
                payload_type: pt,
                sequence,
                timestamp,
                ssrc,
            },
            &mut out,
        );
        [&out[..], body].concat()
    }

    struct Bench {
        receive: Receive,
        stats: MediaStats,
        got: Vec<Encoded>,
        time: u64,
    }

    impl Bench {
        fn new() -> Self {
            Bench {
                receive: Receive::new(EXPECT),
                stats: MediaStats::default(),
                got: Vec::new(),
                time: 0,
            }
        }

        fn until(&mut self, ms: u64) {
            while self.time + 10 <= ms {
                self.time += 10;
                let got = &mut self.got;
                self.receive.tick(at(self.time), &self.stats, |e| got.push(e));
            }
        }

        fn put(&mut self, ms: u64, bytes: &[u8]) -> bool {
            self.until(ms);
            let got = &mut self.got;
            self.receive.datagram(bytes, at(ms), &self.stats, |e| got.push(e))
        }

        /// Lengths of sound, losses as negative numbers, keys as 0.
        fn sound(&self) -> Vec<i64> {
            let one = |e: &Encoded| match e.payload {
                Payload::Audio(_) => e.bytes().len() as i64,
                Payload::Lost { samples } => -i64::from(samples),
                Payload::Digit { .. } => 0,
            };
            self.got.iter().map(one).collect()
        }
    }

    #[test]
    fn sound_comes_through_with_its_place_and_time() {
        let mut b = Bench::new();
        assert!(b.put(5, &packet(0, 7, 1_000, 9, &[0x55; 160])));
        let e = &b.got[0];
        assert_eq!((e.timestamp, e.sequence & 0xffff, e.arrived), (1_000, 7, at(5)));
        assert_eq!(e.bytes(), [0x55; 160]);
        assert_eq!(b.stats.snapshot().ssrc, Some(9));
        assert_eq!(b.stats.snapshot().first_packet_at, Some(at(5)));
    }

    #[test]
    fn a_lost_packet_is_told_in_samples_before_the_next() {
        let mut b = Bench::new();
        b.put(0, &packet(0, 1, 0, 9, &[0; 160]));
        b.put(60, &packet(0, 4, 480, 9, &[0; 160]));
        b.until(300);
        assert_eq!(b.sound(), [160, -320, 160]);
        assert_eq!(b.stats.snapshot().lost, 2);
    }

    #[test]
    fn loss_inside_a_pause_conceals_only_the_lost_packets_vp_041() {
        let mut b = Bench::new();
        b.put(0, &packet(0, 1, 0, 9, &[0; 160]));
        b.put(3_000, &packet(0, 2, 24_000, 9, &[0; 160]));
        b.put(9_000, &packet(0, 4, 72_000, 9, &[0; 160]));
        b.until(9_300);
        assert_eq!(b.sound(), [160, 160, -160, 160]);
    }

    #[test]
    fn events_and_comfort_noise_are_no_loss_vp_042() {
        let mut b = Bench::new();
        b.put(0, &packet(0, 1, 0, 9, &[0; 160]));
        for i in 0..5u16 {
            let d = (160 * (i + 1)).to_be_bytes();
            b.put(
                20 + 20 * u64::from(i),
                &packet(
                    101,
                    2 + i,
                    160,
                    9,
                    &[5, if i == 4 { 0x8a } else { 10 }, d[0], d[1]],
                ),
            );
        }
        b.put(120, &packet(13, 7, 960, 9, &[0x40]));
        b.put(140, &packet(0, 8, 1_120, 9, &[0; 160]));
        b.until(400);
        assert_eq!(b.sound(), [160, 0, 160]);
        assert_eq!(b.stats.snapshot().lost, 0);
        assert_eq!(b.stats.snapshot().unexpected, 1);
        let digit = Payload::Digit {
            digit: b'5',
            duration_ms: 100,
        };
        assert!(b.got.iter().any(|e| e.payload == digit));
    }

    #[test]
    fn a_new_source_goes_on_without_loss() {
        let mut b = Bench::new();
        b.put(0, &packet(0, 1, 0, 9, &[0; 160]));
        b.put(20, &packet(0, 50_000, 777_000, 10, &[0; 160]));
        b.put(40, &packet(0, 50_001, 777_160, 10, &[0; 160]));
        b.until(300);
        assert_eq!(b.sound(), [160, 160, 160]);
        assert!(b.got[2].sequence > b.got[1].sequence && b.got[1].sequence > b.got[0].sequence);
        assert_eq!(b.stats.snapshot().lost, 0);
    }

    #[test]
    fn junk_is_refused() {
        let mut b = Bench::new();
        assert!(!b.put(0, b"hello"));
        assert!(!b.put(0, &packet(0, 1, 0, 9, &[0; MAX_PAYLOAD + 1])));
        assert!(b.got.is_empty());
    }

    #[test]
    fn even_spacing_has_no_jitter_and_uneven_has() {
        let mut b = Bench::new();
        for i in 0..100u16 {
            b.put(u64::from(i) * 20, &packet(0, i, u32::from(i) * 160, 9, &[0; 160]));
        }
        assert_eq!(b.stats.snapshot().jitter_ms, 0.0);
        for i in 100..400u16 {
            b.put(
                u64::from(i) * 20 + u64::from(i % 2) * 8,
                &packet(0, i, u32::from(i) * 160, 9, &[0; 160]),
            );
        }
        let jitter = b.stats.snapshot().jitter_ms;
        assert!((7.0..9.0).contains(&jitter), "{jitter}");
    }

    proptest! {
        #[test]
        fn recording_length_equals_sent_length(
            packets in prop::collection::vec((prop::bool::weighted(0.02), prop::bool::weighted(0.1)), 50..300)) {
            // 2 % loss, 10 % late by one to two packets, first and last packet kept.
            let n = packets.len();
            let mut arrivals: Vec<(u64, u16)> = packets
                .iter()
                .enumerate()
                .filter(|(i, (lost, _))| !lost || *i == 0 || *i == n - 1)
                .map(|(i, (_, late))| (20 * i as u64 + if *late && i > 0 { 35 } else { 0 }, i as u16))
                .collect();
            arrivals.sort_by_key(|a| a.0);
            let mut b = Bench::new();
            for (ms, i) in arrivals {
                b.put(ms, &packet(0, i, 5_000 + 160 * u32::from(i), 9, &[0; 160]));
            }
            b.until(20 * n as u64 + 1_000);
            let total: i64 = b.sound().iter().map(|s| s.abs()).sum();
            prop_assert_eq!(total, 160 * n as i64);
        }

        #[test]
        fn any_datagrams_never_panic(datagrams in prop::collection::vec(any::<Vec<u8>>(), 0..50)) {
            let mut b = Bench::new();
            for (i, mut d) in datagrams.into_iter().enumerate() {
                if let Some(first) = d.first_mut() { *first = 0x80; }
                b.put(i as u64 * 10, &d);
            }
        }
    }
}
