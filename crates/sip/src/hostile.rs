//! What strangers' bytes pass through, for fuzzing: each function takes any bytes and must come back.
//!
//! The manifests for cargo-fuzz are in `fuzz/`; the tests below run the same functions on stable Rust with a seeded
//! mutator.

use std::net::SocketAddr;

use roomtone_audio::Codec;
use roomtone_base::Mono;

use crate::{
    MediaStats,
    rtp::receive::{Expect, Receive},
    sdp::Sdp,
    validate::{Verdict, judge},
};

/// A datagram on the SIP port. Gives what would be sent back at once, if anything.
pub fn sip(datagram: &[u8]) -> Option<Vec<u8>> {
    let source = SocketAddr::from(([127, 0, 0, 1], 5060));
    match judge(datagram, source, true, 1) {
        Verdict::Refuse { response, .. } => Some(response),
        Verdict::Junk | Verdict::Ping | Verdict::Pass(_) => None,
    }
}

/// A session description.
pub fn sdp(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|t| Sdp::parse(t).is_ok())
}

/// A stream of RTP datagrams, each led by its length in one byte. Gives the number of records that came out.
pub fn rtp(mut datagrams: &[u8]) -> usize {
    let expect = Expect {
        audio: [Some((0, Codec::Pcmu)), Some((8, Codec::Pcma))],
        event: Some(101),
    };
    let (mut receive, stats) = (Receive::new(expect), MediaStats::default());
    let (mut out, mut now) = (0, Mono::ZERO);
    while let Some((length, rest)) = datagrams.split_first() {
        let (datagram, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        now = now + std::time::Duration::from_millis(7);
        receive.datagram(datagram, now, &stats, |_| out += 1);
        receive.tick(now, &stats, |_| out += 1);
        datagrams = rest;
    }
    out
}

#[cfg(test)]
mod tests {
    use roomtone_base::Rng;

    use super::*;

    const INVITE: &str = "INVITE sip:desk@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bK1;rport\r\n\
        Max-Forwards: 70\r\nFrom: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:desk@127.0.0.1>\r\nCall-ID: 1@x\r\n\
        CSeq: 1 INVITE\r\nContact: <sip:a@127.0.0.1:5061>\r\nContent-Type: application/sdp\r\nContent-Length: 0\r\n\r\n";
    const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
        m=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\na=sendrecv\r\n";

    /// Cuts, flips, doubles and inserts, so that what comes out is nearly right.
    fn mutate(seed: &[u8], rng: &Rng) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        for _ in 0..=rng.below(6) {
            let at = rng.below(bytes.len().max(1) as u64) as usize;
            match rng.below(4) {
                0 => bytes.truncate(at),
                1 if !bytes.is_empty() => bytes[at] = rng.below(256) as u8,
                2 => {
                    let to = (at + rng.below(40) as usize).min(bytes.len());
                    let piece = bytes[at.min(to)..to].to_vec();
                    bytes.splice(at..at, piece);
                }
                _ => bytes.insert(at, b"\r\n:;,<>\"=/\0"[rng.below(11) as usize]),
            }
        }
        bytes
    }

    #[test]
    fn nearly_right_bytes_come_back_from_every_door() {
        let rng = Rng::seeded(4_475);
        let packet = [
            vec![172u8, 0x80, 0, 0, 1, 0, 0, 0, 160, 1, 2, 3, 4],
            vec![0xFF; 160],
        ]
        .concat();
        let stream = packet.repeat(12);
        let (mut parsed, mut refused, mut records) = (0, 0, 0);
        for _ in 0..5_000 {
            refused += usize::from(sip(&mutate(INVITE.as_bytes(), &rng)).is_some());
            parsed += usize::from(sdp(&mutate(SDP.as_bytes(), &rng)));
            records += rtp(&mutate(&stream, &rng));
        }
        assert!(
            refused > 100 && parsed > 100 && records > 5_000,
            "{refused} {parsed} {records}"
        );
    }
}
