//! What the media thread counts for one call.

use std::{
    sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use roomtone_base::Mono;

/// Counters of one call's media, written by the media thread, readable from anywhere at any time.
#[derive(Debug, Default)]
pub struct MediaStats {
    pub(crate) received: AtomicU64,
    pub(crate) lost: AtomicU64,
    pub(crate) reordered: AtomicU64,
    pub(crate) late: AtomicU64,
    pub(crate) duplicates: AtomicU64,
    pub(crate) unexpected: AtomicU64,
    pub(crate) strangers: AtomicU64,
    pub(crate) junk: AtomicU64,
    pub(crate) digits: AtomicU64,
    pub(crate) sent: AtomicU64,
    pub(crate) send_gaps: AtomicU64,
    pub(crate) send_errors: AtomicU64,
    pub(crate) inbound_drops: AtomicU64,
    pub(crate) jitter_us: AtomicU32,
    pub(crate) ssrc: AtomicU32,
    /// Monotonic microseconds, 0: never.
    pub(crate) first_at: AtomicU64,
    pub(crate) last_at: AtomicU64,
    /// The media thread has let go of the call.
    pub(crate) gone: AtomicBool,
}

/// A copy of [`MediaStats`] at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MediaSnapshot {
    /// RTP packets of the call that arrived, duplicates and late ones included.
    pub received: u64,
    /// Packets given up as lost (VP-040).
    pub lost: u64,
    /// Packets that arrived out of order and were put in their place.
    pub reordered: u64,
    /// Packets that arrived after they had been given up; thrown away.
    pub late: u64,
    /// Packets that arrived twice; thrown away.
    pub duplicates: u64,
    /// Packets of payload types that were not agreed (comfort noise, other codecs); thrown away.
    pub unexpected: u64,
    /// RTP packets from an address other than the one latched to; thrown away.
    pub strangers: u64,
    /// Datagrams that are no RTP packets, or too long; thrown away.
    pub junk: u64,
    /// Keys received by RTP (RFC 4733); those by INFO are not counted.
    pub digits: u64,
    /// RTP packets sent.
    pub sent: u64,
    /// Send slots that passed with nothing to send.
    pub send_gaps: u64,
    /// Packets that the system refused to send.
    pub send_errors: u64,
    /// Records that found the inbound ring full.
    pub inbound_drops: u64,
    /// Interarrival jitter (RFC 3550 A.8), milliseconds. Arrival is known to the media thread's tick of 10 ms.
    pub jitter_ms: f64,
    /// The other side's synchronization source, once a packet came.
    pub ssrc: Option<u32>,
    /// When the first packet came.
    pub first_packet_at: Option<Mono>,
    /// When the last packet came.
    pub last_packet_at: Option<Mono>,
}

fn point(us: u64) -> Option<Mono> {
    (us != 0).then(|| Mono::from_duration(Duration::from_micros(us)))
}

fn micros(at: Mono) -> u64 {
    u64::try_from(at.as_duration().as_micros())
        .unwrap_or(u64::MAX)
        .max(1)
}

impl MediaStats {
    /// A copy of all counters. They are read one by one: sums may be off by the packet in flight.
    pub fn snapshot(&self) -> MediaSnapshot {
        let first = self.first_at.load(Relaxed);
        MediaSnapshot {
            received: self.received.load(Relaxed),
            lost: self.lost.load(Relaxed),
            reordered: self.reordered.load(Relaxed),
            late: self.late.load(Relaxed),
            duplicates: self.duplicates.load(Relaxed),
            unexpected: self.unexpected.load(Relaxed),
            strangers: self.strangers.load(Relaxed),
            junk: self.junk.load(Relaxed),
            digits: self.digits.load(Relaxed),
            sent: self.sent.load(Relaxed),
            send_gaps: self.send_gaps.load(Relaxed),
            send_errors: self.send_errors.load(Relaxed),
            inbound_drops: self.inbound_drops.load(Relaxed),
            jitter_ms: f64::from(self.jitter_us.load(Relaxed)) / 1_000.0,
            ssrc: (first != 0).then(|| self.ssrc.load(Relaxed)),
            first_packet_at: point(first),
            last_packet_at: point(self.last_at.load(Relaxed)),
        }
    }

    pub(crate) fn heard(&self, now: Mono) {
        let us = micros(now);
        if self.first_at.load(Relaxed) == 0 {
            self.first_at.store(us, Relaxed);
        }
        self.last_at.store(us, Relaxed);
    }

    pub(crate) fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Relaxed);
    }
}
