//! The fixed header (RFC 3550 section 5.1). Reading borrows, writing fills a caller's buffer: nothing is allocated.

/// Length of the header that we write: no contributing sources, no extension.
pub(crate) const LENGTH: usize = 12;

/// What we use of the fixed header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub marker: bool,
    /// 0 to 127.
    pub payload_type: u8,
    pub sequence: u16,
    /// Samples of the payload's clock.
    pub timestamp: u32,
    pub ssrc: u32,
}

/// Splits a datagram into header and payload; `None` if it is no RTP packet. RTCP that strays onto the port (payload
/// types 72 to 76 when read as RTP, RFC 5761 section 4) is no RTP packet either.
pub(crate) fn parse(packet: &[u8]) -> Option<(Header, &[u8])> {
    let (fixed, _) = packet.split_first_chunk::<LENGTH>()?;
    if fixed[0] >> 6 != 2 {
        return None;
    }
    let header = Header {
        marker: fixed[1] & 0x80 != 0,
        payload_type: fixed[1] & 0x7f,
        sequence: u16::from_be_bytes([fixed[2], fixed[3]]),
        timestamp: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
        ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
    };
    if (72..=76).contains(&header.payload_type) {
        return None;
    }
    let sources = usize::from(fixed[0] & 0x0f) * 4;
    let mut payload = packet.get(LENGTH + sources..)?;
    if fixed[0] & 0x10 != 0 {
        let (extension, rest) = payload.split_first_chunk::<4>()?;
        let words = usize::from(u16::from_be_bytes([extension[2], extension[3]]));
        payload = rest.get(words * 4..)?;
    }
    if fixed[0] & 0x20 != 0 {
        let padding = usize::from(*payload.last()?);
        if padding == 0 {
            return None;
        }
        payload = payload.get(..payload.len().checked_sub(padding)?)?;
    }
    Some((header, payload))
}

/// Writes the header into the first [`LENGTH`] bytes.
pub(crate) fn write(header: &Header, out: &mut [u8; LENGTH]) {
    out[0] = 2 << 6;
    out[1] = u8::from(header.marker) << 7 | header.payload_type & 0x7f;
    out[2..4].copy_from_slice(&header.sequence.to_be_bytes());
    out[4..8].copy_from_slice(&header.timestamp.to_be_bytes());
    out[8..12].copy_from_slice(&header.ssrc.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain() -> Vec<u8> {
        let mut out = [0; LENGTH];
        let header = Header {
            marker: true,
            payload_type: 8,
            sequence: 258,
            timestamp: 3,
            ssrc: 4,
        };
        write(&header, &mut out);
        assert_eq!(out, [0x80, 0x88, 1, 2, 0, 0, 0, 3, 0, 0, 0, 4]);
        out.to_vec()
    }

    #[test]
    fn extension_sources_and_padding_are_stepped_over() {
        let mut p = plain();
        p[0] |= 0x32;
        p.extend([9; 8]);
        p.extend([0xbe, 0xde, 0, 1, 7, 7, 7, 7]);
        p.extend(b"sound");
        p.extend([0, 0, 3]);
        assert_eq!(parse(&p).unwrap().1, b"sound");
    }

    #[test]
    fn what_is_no_rtp_is_refused() {
        let mut short_extension = plain();
        short_extension[0] |= 0x10;
        short_extension.extend([0, 0, 0, 9]);
        let mut long_padding = plain();
        long_padding[0] |= 0x20;
        long_padding.push(200);
        let mut rtcp = plain();
        rtcp[1] = 200;
        let cases: [&[u8]; 6] = [
            &[],
            &[0x80; 11],
            &[0x40; 20],
            &short_extension,
            &long_padding,
            &rtcp,
        ];
        for packet in cases {
            assert!(parse(packet).is_none(), "{packet:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(marker: bool, pt in 0u8..72, sequence: u16, timestamp: u32, ssrc: u32, body: Vec<u8>) {
            let header = Header { marker, payload_type: pt, sequence, timestamp, ssrc };
            let mut out = [0; LENGTH];
            write(&header, &mut out);
            let mut packet = out.to_vec();
            packet.extend(&body);
            prop_assert_eq!(parse(&packet), Some((header, &body[..])));
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }
    }
}
