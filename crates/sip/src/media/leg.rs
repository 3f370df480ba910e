//! One call's media: socket, both directions, rings, counters.

use std::{
    net::{SocketAddr, UdpSocket},
    sync::Arc,
    time::Duration,
};

use roomtone_audio::{Drain, Encoded, Feed, Payload, Sent};
use roomtone_base::Mono;

use crate::{
    rtp::{
        header,
        receive::{Expect, Receive},
        send::{PACKET, Send, SendAs},
    },
    stats::MediaStats,
};

/// Silence of the latched source after which another may take its place.
const STEAL_AFTER: Duration = Duration::from_secs(1);
/// Datagrams read of one call in one tick: what a flood may cost the other calls.
const PER_TICK: usize = 64;
/// Longest datagram that is looked at; more is no packet of ours.
pub(crate) const DATAGRAM: usize = 2_048;

/// What offer and answer say about a call's media. Travels by ring, so it holds no heap memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    /// Where the other side says it listens; `None` if it does not.
    pub remote: Option<SocketAddr>,
    pub expect: Expect,
    pub send: SendAs,
    /// Forget the source latched to: the other side said it has moved.
    pub relatch: bool,
}

/// Symmetric RTP: which source is listened to and answered.
#[derive(Debug, Default)]
struct Latch {
    source: Option<SocketAddr>,
    heard: Mono,
}

impl Latch {
    /// May a packet from `source` in? Latches to the first that comes, and to another only when the old one has been
    /// silent: a stranger cannot take a stream over.
    fn admits(&mut self, source: SocketAddr, now: Mono) -> bool {
        match self.source {
            Some(s) if s != source && now.since(self.heard) <= STEAL_AFTER => false,
            _ => {
                self.source = Some(source);
                self.heard = now;
                true
            }
        }
    }
}

/// Buffers of the loop, shared by all calls.
pub(crate) struct Scratch {
    datagram: [u8; DATAGRAM],
    packet: [u8; PACKET],
}

impl Scratch {
    pub(crate) const fn new() -> Self {
        Scratch {
            datagram: [0; DATAGRAM],
            packet: [0; PACKET],
        }
    }
}

/// The media thread's end of a call.
pub(crate) struct Leg {
    /// Names the call in commands.
    pub id: u64,
    socket: UdpSocket,
    /// Holds the RTCP port, so that the system tells nobody that it is closed; what comes there is not read.
    _rtcp: Option<UdpSocket>,
    remote: Option<SocketAddr>,
    latch: Latch,
    receive: Receive,
    send: Send,
    inbound: Feed<Encoded>,
    outbound: Drain<Encoded>,
    sent: Feed<Sent>,
    stats: Arc<MediaStats>,
}

/// What a leg is made of.
pub(crate) struct LegParts {
    pub id: u64,
    pub socket: UdpSocket,
    pub rtcp: Option<UdpSocket>,
    pub terms: Terms,
    pub random: [u64; 2],
    pub now: Mono,
    pub inbound: Feed<Encoded>,
    pub outbound: Drain<Encoded>,
    pub sent: Feed<Sent>,
    pub stats: Arc<MediaStats>,
}

impl Leg {
    /// Takes a non-blocking socket.
    pub(crate) fn new(p: LegParts) -> Self {
        Leg {
            id: p.id,
            socket: p.socket,
            _rtcp: p.rtcp,
            remote: p.terms.remote,
            latch: Latch::default(),
            receive: Receive::new(p.terms.expect),
            send: Send::new(p.terms.send, p.random, p.now),
            inbound: p.inbound,
            outbound: p.outbound,
            sent: p.sent,
            stats: p.stats,
        }
    }

    pub(crate) fn stats(&self) -> &Arc<MediaStats> {
        &self.stats
    }

    pub(crate) fn set(&mut self, terms: &Terms) {
        self.remote = terms.remote;
        self.receive.expect(terms.expect);
        self.send.how(terms.send);
        if terms.relatch {
            self.latch = Latch::default();
        }
    }

    pub(crate) fn press(&mut self, digit: u8, duration_ms: u16) -> bool {
        self.send.press(digit, duration_ms)
    }

    /// A key that came another way than by RTP takes its place among what is heard.
    pub(crate) fn heard(&mut self, digit: u8, duration_ms: u16, now: Mono) {
        let mut record = Encoded::empty(Payload::Digit { digit, duration_ms });
        record.arrived = now;
        if !self.inbound.push(record) {
            MediaStats::add(&self.stats.inbound_drops);
        }
    }

    /// One tick: reads all that waits, sends what is due.
    pub(crate) fn step(&mut self, now: Mono, scratch: &mut Scratch) {
        self.read(now, &mut scratch.datagram);
        while self.send.is_due(now) {
            self.write(now, &mut scratch.packet);
        }
    }

    fn read(&mut self, now: Mono, buffer: &mut [u8; DATAGRAM]) {
        let Leg {
            inbound,
            stats,
            receive,
            ..
        } = self;
        let mut put = |record: Encoded| {
            if !inbound.push(record) {
                MediaStats::add(&stats.inbound_drops);
            }
        };
        for _ in 0..PER_TICK {
            // An error is either "nothing there" or the echo of a send that found nobody (ICMP): both end the round.
            let Ok((len, source)) = self.socket.recv_from(buffer) else {
                break;
            };
            let datagram = &buffer[..len];
            if header::parse(datagram).is_none() {
                MediaStats::add(&stats.junk);
                continue;
            }
            if !self.latch.admits(source, now) {
                MediaStats::add(&stats.strangers);
                continue;
            }
            if !receive.datagram(datagram, now, stats, &mut put) {
                MediaStats::add(&stats.junk);
            }
        }
        receive.tick(now, stats, &mut put);
    }

    fn write(&mut self, now: Mono, buffer: &mut [u8; PACKET]) {
        let outbound = &mut self.outbound;
        let Some(packet) = self.send.slot(now, buffer, || outbound.pop()) else {
            MediaStats::add(&self.stats.send_gaps);
            return;
        };
        let Some(to) = self.latch.source.or(self.remote) else {
            return;
        };
        match self.socket.send_to(&buffer[..packet.len], to) {
            Ok(_) => {
                MediaStats::add(&self.stats.sent);
                if packet.tag != 0 {
                    self.sent.push(Sent {
                        tag: packet.tag,
                        sequence: packet.sequence,
                        at: now,
                    });
                }
            }
            Err(_) => MediaStats::add(&self.stats.send_errors),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_gets_in_only_after_a_second_of_silence() {
        let at = |ms| Mono::from_duration(Duration::from_millis(ms));
        let (a, b): (SocketAddr, SocketAddr) =
            ("127.0.0.1:1".parse().unwrap(), "127.0.0.1:2".parse().unwrap());
        let mut l = Latch::default();
        assert!(l.admits(a, at(0)));
        assert!(!l.admits(b, at(500)));
        assert!(l.admits(a, at(900)));
        assert!(!l.admits(b, at(1_900)));
        assert!(l.admits(b, at(1_901)));
        assert!(!l.admits(a, at(1_950)));
    }
}
