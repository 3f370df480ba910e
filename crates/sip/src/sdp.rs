//! Session descriptions (RFC 8866): reading and writing. What to answer is decided in [`crate::offer`].
//!
//! Only what a voice call needs is modelled; lines and attributes that nobody here looks at are dropped on reading.
//! A last line without a line end is read like any other, bare LF is accepted.

use std::{fmt, net::IpAddr};

/// Which way the sound goes, as seen by whoever wrote the description (RFC 3264 section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Direction {
    #[default]
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

impl Direction {
    const ALL: [Direction; 4] = [
        Direction::SendRecv,
        Direction::SendOnly,
        Direction::RecvOnly,
        Direction::Inactive,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|d| d.name() == name)
    }

    /// Whoever wrote this sends.
    pub(crate) const fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }

    /// Whoever wrote this listens.
    pub(crate) const fn receives(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::RecvOnly)
    }

    pub(crate) const fn of(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Direction::SendRecv,
            (true, false) => Direction::SendOnly,
            (false, true) => Direction::RecvOnly,
            (false, false) => Direction::Inactive,
        }
    }
}

/// `a=rtpmap` (RFC 8866 section 6.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RtpMap {
    pub payload_type: u8,
    /// Encoding name as written; compare without case.
    pub name: String,
    /// Hz.
    pub clock: u32,
}

/// One `m=` section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Media {
    /// `audio`, `video`, …
    pub kind: String,
    /// 0 if rejected or not wanted.
    pub port: u16,
    /// `RTP/AVP`, `RTP/SAVP`, …
    pub proto: String,
    /// Payload types, or whatever the protocol calls a format.
    pub formats: Vec<String>,
    /// The section's own `c=`, if it has one.
    pub connection: Option<IpAddr>,
    pub rtpmaps: Vec<RtpMap>,
    /// `a=fmtp` as (payload type, parameters).
    pub fmtp: Vec<(u8, String)>,
    /// `a=ptime`, milliseconds.
    pub ptime: Option<u32>,
    /// The section's own direction, if it has one.
    pub direction: Option<Direction>,
}

impl Media {
    /// The encoding of a payload type: its rtpmap, or the static table (RFC 3551 section 6).
    pub(crate) fn encoding(&self, payload_type: u8) -> Option<(&str, u32)> {
        let mapped = self.rtpmaps.iter().find(|m| m.payload_type == payload_type);
        match (mapped, payload_type) {
            (Some(m), _) => Some((m.name.as_str(), m.clock)),
            (None, 0) => Some(("PCMU", 8_000)),
            (None, 8) => Some(("PCMA", 8_000)),
            _ => None,
        }
    }

    /// Payload types in the order of preference.
    pub(crate) fn payload_types(&self) -> impl Iterator<Item = u8> {
        self.formats
            .iter()
            .filter_map(|f| f.parse().ok())
            .filter(|p: &u8| *p < 128)
    }
}

/// A whole description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sdp {
    /// `o=` session id.
    pub session_id: u64,
    /// `o=` session version: one more for each change.
    pub version: u64,
    /// `o=` address.
    pub origin: IpAddr,
    /// `c=` for all sections without their own.
    pub connection: Option<IpAddr>,
    /// Direction for all sections without their own.
    pub direction: Option<Direction>,
    pub media: Vec<Media>,
}

/// Why a text is not a session description.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("session description: {0}")]
pub(crate) struct SdpError(&'static str);

fn address(value: &str) -> Result<IpAddr, SdpError> {
    let mut parts = value.split_whitespace();
    let (net, kind, text) = (parts.next(), parts.next(), parts.next());
    if net != Some("IN") || !matches!(kind, Some("IP4" | "IP6")) {
        return Err(SdpError("address is not IN IP4 or IN IP6"));
    }
    let text = text.ok_or(SdpError("address missing"))?;
    let text = text.split('/').next().unwrap_or(text);
    // A name instead of an address is legal (RFC 8866 section 5.7); sound is then expected from wherever it comes.
    Ok(text
        .parse()
        .unwrap_or(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED)))
}

impl Sdp {
    /// Reads a description.
    pub(crate) fn parse(text: &str) -> Result<Self, SdpError> {
        let mut sdp = Sdp {
            session_id: 0,
            version: 0,
            origin: IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED),
            connection: None,
            direction: None,
            media: Vec::new(),
        };
        let mut seen_version = false;
        for line in text.lines() {
            let line = line.trim_end();
            if line.is_empty() {
                continue;
            }
            let (kind, value) = line.split_once('=').ok_or(SdpError("line without `=`"))?;
            match kind {
                "v" => {
                    if value.trim() != "0" {
                        return Err(SdpError("version is not 0"));
                    }
                    seen_version = true;
                }
                "o" => sdp.read_origin(value)?,
                "c" => {
                    let addr = address(value)?;
                    match sdp.media.last_mut() {
                        Some(m) => m.connection = Some(addr),
                        None => sdp.connection = Some(addr),
                    }
                }
                "m" => sdp.media.push(read_media(value)?),
                "a" => sdp.read_attribute(value)?,
                _ => {}
            }
        }
        if !seen_version {
            return Err(SdpError("no v= line"));
        }
        Ok(sdp)
    }

    fn read_origin(&mut self, value: &str) -> Result<(), SdpError> {
        let parts: Vec<&str> = value.split_whitespace().collect();
        let [_, id, version, net, kind, addr] = parts[..] else {
            return Err(SdpError("o= has not six parts"));
        };
        // Some phones write ids wider than 64 bit: they only have to be echoed by nobody, so 0 does.
        self.session_id = id.parse().unwrap_or(0);
        self.version = version.parse().unwrap_or(0);
        self.origin = address(&format!("{net} {kind} {addr}"))?;
        Ok(())
    }

    fn read_attribute(&mut self, value: &str) -> Result<(), SdpError> {
        let (name, value) = value.split_once(':').unwrap_or((value, ""));
        let name = name.trim();
        if let Some(d) = Direction::parse(name) {
            match self.media.last_mut() {
                Some(m) => m.direction = Some(d),
                None => self.direction = Some(d),
            }
            return Ok(());
        }
        let Some(media) = self.media.last_mut() else {
            return Ok(());
        };
        match name {
            "rtpmap" => {
                let (pt, rest) = value
                    .trim()
                    .split_once(' ')
                    .ok_or(SdpError("rtpmap without encoding"))?;
                let mut parts = rest.trim().split('/');
                let name = parts.next().unwrap_or_default().to_owned();
                let clock = parts.next().and_then(|c| c.trim().parse().ok());
                let clock = clock.ok_or(SdpError("rtpmap without clock rate"))?;
                // rtpmap of a payload type outside 0..=127 maps nothing that can be received.
                if let Ok(payload_type) = pt.parse() {
                    media.rtpmaps.push(RtpMap {
                        payload_type,
                        name,
                        clock,
                    });
                }
            }
            "fmtp" => {
                if let Some((pt, params)) = value.trim().split_once(' ')
                    && let Ok(pt) = pt.parse()
                {
                    media.fmtp.push((pt, params.trim().to_owned()));
                }
            }
            "ptime" => media.ptime = value.trim().parse().ok(),
            _ => {}
        }
        Ok(())
    }

    /// The direction that holds for a section.
    pub(crate) fn direction_of(&self, media: &Media) -> Direction {
        media.direction.or(self.direction).unwrap_or_default()
    }

    /// The address that a section's sound is wanted at.
    pub(crate) fn connection_of(&self, media: &Media) -> Option<IpAddr> {
        media.connection.or(self.connection)
    }
}

fn read_media(value: &str) -> Result<Media, SdpError> {
    let mut parts = value.split_whitespace();
    let mut next = |what| parts.next().ok_or(SdpError(what));
    let kind = next("m= without kind")?.to_owned();
    let port = next("m= without port")?;
    let port = port
        .split('/')
        .next()
        .unwrap_or(port)
        .parse()
        .map_err(|_| SdpError("m= port is no port"))?;
    let proto = next("m= without protocol")?.to_owned();
    let formats = parts.map(str::to_owned).collect();
    Ok(Media {
        kind,
        port,
        proto,
        formats,
        connection: None,
        rtpmaps: Vec::new(),
        fmtp: Vec::new(),
        ptime: None,
        direction: None,
    })
}

struct Addr(IpAddr);

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "IN {} {}",
            if self.0.is_ipv4() { "IP4" } else { "IP6" },
            self.0
        )
    }
}

impl fmt::Display for Sdp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "v=0\r\no=- {} {} {}\r\ns=-\r\n",
            self.session_id,
            self.version,
            Addr(self.origin)
        )?;
        if let Some(c) = self.connection {
            write!(f, "c={}\r\n", Addr(c))?;
        }
        write!(f, "t=0 0\r\n")?;
        if let Some(d) = self.direction {
            write!(f, "a={}\r\n", d.name())?;
        }
        for m in &self.media {
            write!(f, "m={} {} {}", m.kind, m.port, m.proto)?;
            for format in &m.formats {
                write!(f, " {format}")?;
            }
            write!(f, "\r\n")?;
            if let Some(c) = m.connection {
                write!(f, "c={}\r\n", Addr(c))?;
            }
            for map in &m.rtpmaps {
                write!(f, "a=rtpmap:{} {}/{}\r\n", map.payload_type, map.name, map.clock)?;
            }
            for (pt, params) in &m.fmtp {
                write!(f, "a=fmtp:{pt} {params}\r\n")?;
            }
            if let Some(ptime) = m.ptime {
                write!(f, "a=ptime:{ptime}\r\n")?;
            }
            if let Some(d) = m.direction {
                write!(f, "a={}\r\n", d.name())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_description_survives_writing_and_reading() {
        let text = "v=0\r\no=- 7 8 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
            m=audio 10000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n\
            a=ptime:20\r\na=sendonly\r\nm=video 0 RTP/AVP 96\r\n";
        let sdp = Sdp::parse(text).unwrap();
        assert_eq!(sdp.to_string(), text);
        assert_eq!(sdp.direction_of(&sdp.media[0]), Direction::SendOnly);
    }

    #[test]
    fn the_last_line_counts_without_its_line_end() {
        let sdp = Sdp::parse("v=0\no=- 1 1 IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 0\na=inactive").unwrap();
        assert_eq!(sdp.direction_of(&sdp.media[0]), Direction::Inactive);
    }

    #[test]
    fn oddities_that_phones_send_are_read() {
        let text = "v=0\r\no=phone 99999999999999999999999 1 IN IP4 host.invalid\r\ns=call\r\nb=AS:64\r\nt=0 0\r\n\
            a=recvonly\r\nm=audio 4000/2 RTP/AVP 97 0\r\nc=IN IP4 198.51.100.1/127\r\na=rtpmap:97 pcma/8000/1\r\n\
            a=rtpmap:300 X/1\r\na=unknown\r\n";
        let sdp = Sdp::parse(text).unwrap();
        assert_eq!(
            sdp.connection_of(&sdp.media[0]),
            Some("198.51.100.1".parse().unwrap())
        );
        assert_eq!(sdp.media[0].encoding(97), Some(("pcma", 8_000)));
        assert_eq!(sdp.direction_of(&sdp.media[0]), Direction::RecvOnly);
    }

    #[test]
    fn nonsense_is_an_error() {
        for text in [
            "",
            "hello",
            "v=1\r\n",
            "v=0\r\nm=audio\r\n",
            "v=0\r\nm=audio 99999 RTP/AVP 0\r\n",
            "v=0\r\no=- 1 1 IN IP4\r\n",
            "v=0\r\nc=ATM NSAP 1\r\n",
            "v=0\r\nm=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU\r\n",
        ] {
            assert!(Sdp::parse(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "(v=0\n)?([vocmabst]=[ -~]{0,30}\r?\n){0,12}") {
            let _ = Sdp::parse(&text);
        }

        #[test]
        fn what_is_read_can_be_written_and_read_again(text in "v=0\n(m=audio [0-9]{1,4} RTP/AVP( [0-9]{1,3}){0,3}\n(a=(sendonly|ptime:20|rtpmap:97 PCMU/8000)\n){0,2}){0,3}") {
            let once = Sdp::parse(&text).unwrap();
            prop_assert_eq!(Sdp::parse(&once.to_string()).unwrap(), once);
        }
    }
}
