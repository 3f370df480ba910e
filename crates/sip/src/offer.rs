//! Offer and answer (RFC 3264): what we propose, what we answer, what was agreed.

use std::net::{IpAddr, SocketAddr};

use roomtone_audio::Codec;

use crate::sdp::{Direction, Media, RtpMap, Sdp};

/// What telephone-event is called in our own offers; in answers the offer's payload type is echoed.
const OUR_EVENT_TYPE: u8 = 101;
/// Milliseconds of sound in a packet of ours.
const PTIME_MS: u32 = 20;

/// Our side of a description.
#[derive(Clone, Debug)]
pub(crate) struct Local {
    /// Address and port that we receive at, as the other side should see it.
    pub address: SocketAddr,
    /// What we speak, best first.
    pub codecs: Vec<Codec>,
    /// `o=` session id, the same for the whole call.
    pub session_id: u64,
    /// `o=` version, one more for each description that we send.
    pub version: u64,
    /// Do we want to keep quiet and deaf?
    pub held: bool,
}

/// A codec and the payload type that was agreed for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Agreed {
    pub codec: Codec,
    pub payload_type: u8,
}

/// The outcome of an offer and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Negotiated {
    /// Where the other side says it listens; port 0 or an unspecified address if it does not say.
    pub remote: SocketAddr,
    /// What we send.
    pub send: Agreed,
    /// All that may arrive, [`Negotiated::send`] included.
    pub accept: Vec<Agreed>,
    /// telephone-event's payload type (RFC 4733), if both know it.
    pub event_type: Option<u8>,
    /// May we send?
    pub we_send: bool,
    /// Does the other side send?
    pub they_send: bool,
}

/// Nothing in common: answer 488.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoCodec;

fn codec_of(name: &str, clock: u32) -> Option<Codec> {
    [Codec::Pcmu, Codec::Pcma]
        .into_iter()
        .find(|c| c.name().eq_ignore_ascii_case(name) && c.clock_rate() == clock)
}

const fn static_type(codec: Codec) -> u8 {
    match codec {
        Codec::Pcmu => 0,
        Codec::Pcma => 8,
    }
}

/// Codecs of ours that a description names, with its payload types, in its order.
fn common(media: &Media, ours: &[Codec]) -> Vec<Agreed> {
    let mut found: Vec<Agreed> = Vec::new();
    for payload_type in media.payload_types() {
        let Some((name, clock)) = media.encoding(payload_type) else {
            continue;
        };
        let Some(codec) = codec_of(name, clock).filter(|c| ours.contains(c)) else {
            continue;
        };
        if !found.iter().any(|a| a.codec == codec) {
            found.push(Agreed { codec, payload_type });
        }
    }
    found
}

fn event_type(media: &Media) -> Option<u8> {
    media.payload_types().find(|pt| {
        media
            .encoding(*pt)
            .is_some_and(|(n, c)| n.eq_ignore_ascii_case("telephone-event") && c == 8_000)
    })
}

/// Codec names that an offer lists, for the log and the call's record; unknown payload types by number.
pub(crate) fn offered_codecs(sdp: &Sdp) -> Vec<String> {
    let audio = sdp.media.iter().filter(|m| m.kind == "audio" && m.port != 0);
    let name = |m: &Media, pt: u8| {
        m.encoding(pt)
            .map_or_else(|| pt.to_string(), |(n, _)| n.to_owned())
    };
    audio
        .flat_map(|m| m.payload_types().map(|pt| name(m, pt)).collect::<Vec<_>>())
        .collect()
}

fn usable(media: &Media) -> bool {
    media.kind == "audio" && media.port != 0 && matches!(media.proto.as_str(), "RTP/AVP" | "RTP/AVPF")
}

fn is_nowhere(ip: Option<IpAddr>) -> bool {
    ip.is_none_or(|ip| ip.is_unspecified())
}

fn audio_media(local: &Local, formats: &[Agreed], events: Option<u8>, direction: Direction) -> Media {
    let mut rtpmaps: Vec<RtpMap> = formats
        .iter()
        .map(|a| RtpMap {
            payload_type: a.payload_type,
            name: a.codec.name().to_owned(),
            clock: a.codec.clock_rate(),
        })
        .collect();
    let mut types: Vec<String> = formats.iter().map(|a| a.payload_type.to_string()).collect();
    let mut fmtp = Vec::new();
    if let Some(pt) = events {
        types.push(pt.to_string());
        rtpmaps.push(RtpMap {
            payload_type: pt,
            name: "telephone-event".into(),
            clock: 8_000,
        });
        fmtp.push((pt, "0-15".to_owned()));
    }
    Media {
        kind: "audio".into(),
        port: local.address.port(),
        proto: "RTP/AVP".into(),
        formats: types,
        connection: None,
        rtpmaps,
        fmtp,
        ptime: Some(PTIME_MS),
        direction: Some(direction),
    }
}

fn description(local: &Local, media: Vec<Media>) -> Sdp {
    let ip = local.address.ip();
    Sdp {
        session_id: local.session_id,
        version: local.version,
        origin: ip,
        connection: Some(ip),
        direction: None,
        media,
    }
}

/// Our offer.
pub(crate) fn offer(local: &Local) -> Sdp {
    let formats: Vec<Agreed> = local
        .codecs
        .iter()
        .map(|c| Agreed {
            codec: *c,
            payload_type: static_type(*c),
        })
        .collect();
    let direction = if local.held {
        Direction::Inactive
    } else {
        Direction::SendRecv
    };
    description(
        local,
        vec![audio_media(local, &formats, Some(OUR_EVENT_TYPE), direction)],
    )
}

fn agree(sdp: &Sdp, media: &Media, accept: Vec<Agreed>, local: &Local) -> Option<Negotiated> {
    let send = *accept.first()?;
    let ip = sdp.connection_of(media);
    let theirs = sdp.direction_of(media);
    // RFC 3264 section 8.4: the hold of old phones is an address of zeroes.
    let listens = theirs.receives() && !is_nowhere(ip);
    let ip = ip.unwrap_or(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED));
    Some(Negotiated {
        remote: SocketAddr::new(ip, media.port),
        send,
        accept,
        event_type: event_type(media),
        we_send: listens && !local.held,
        they_send: theirs.sends() && !local.held,
    })
}

/// Our answer to `offer`: the first acceptable audio section is taken, every other one is refused with port 0, in
/// the offer's order (RFC 3264 section 6). Our own order of codecs does not matter: the offerer's does, so that
/// what we send is what most phones expect back.
pub(crate) fn answer(offer: &Sdp, local: &Local) -> Result<(Sdp, Negotiated), NoCodec> {
    let mut taken: Option<Negotiated> = None;
    let mut sections = Vec::with_capacity(offer.media.len());
    for media in &offer.media {
        let agreed = match taken {
            None if usable(media) => agree(offer, media, common(media, &local.codecs), local),
            _ => None,
        };
        match agreed {
            Some(n) => {
                let direction = Direction::of(n.we_send, n.they_send);
                let mut m = audio_media(local, &n.accept, n.event_type, direction);
                m.proto.clone_from(&media.proto);
                sections.push(m);
                taken = Some(n);
            }
            None => sections.push(Media {
                port: 0,
                connection: None,
                rtpmaps: Vec::new(),
                fmtp: Vec::new(),
                ptime: None,
                direction: None,
                ..media.clone()
            }),
        }
    }
    let negotiated = taken.ok_or(NoCodec)?;
    Ok((description(local, sections), negotiated))
}

/// What the other side's answer to our offer means.
pub(crate) fn accept(answer: &Sdp, local: &Local) -> Result<Negotiated, NoCodec> {
    let media = answer.media.iter().find(|m| usable(m)).ok_or(NoCodec)?;
    agree(answer, media, common(media, &local.codecs), local).ok_or(NoCodec)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn local() -> Local {
        Local {
            address: "192.0.2.10:10000".parse().unwrap(),
            codecs: vec![Codec::Pcma, Codec::Pcmu],
            session_id: 1,
            version: 1,
            held: false,
        }
    }

    const HEAD: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n";
    const C: &str = "c=IN IP4 192.0.2.1\r\nt=0 0\r\n";

    fn media_lines(sdp: &Sdp) -> String {
        let text = sdp.to_string();
        let lines = text
            .lines()
            .filter(|l| l.starts_with("m=") || l.starts_with("a="));
        lines.collect::<Vec<_>>().join("|")
    }

    #[test]
    fn answers_to_offers() {
        let cases: &[(&str, &str, &str)] = &[
            (
                "static types",
                "m=audio 4000 RTP/AVP 0 8\r\n",
                "m=audio 10000 RTP/AVP 0 8|a=rtpmap:0 PCMU/8000|a=rtpmap:8 PCMA/8000|a=ptime:20|a=sendrecv",
            ),
            (
                "offerer's order wins",
                "m=audio 4000 RTP/AVP 8 0\r\n",
                "m=audio 10000 RTP/AVP 8 0|a=rtpmap:8 PCMA/8000|a=rtpmap:0 PCMU/8000|a=ptime:20|a=sendrecv",
            ),
            (
                "dynamic type by rtpmap, others skipped",
                "m=audio 4000 RTP/AVP 111 96\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:96 pcmu/8000\r\n",
                "m=audio 10000 RTP/AVP 96|a=rtpmap:96 PCMU/8000|a=ptime:20|a=sendrecv",
            ),
            (
                "telephone-event echoes the offer's type",
                "m=audio 4000 RTP/AVP 0 116\r\na=rtpmap:116 telephone-event/8000\r\na=fmtp:116 0-15\r\n",
                "m=audio 10000 RTP/AVP 0 116|a=rtpmap:0 PCMU/8000|a=rtpmap:116 telephone-event/8000|\
                 a=fmtp:116 0-15|a=ptime:20|a=sendrecv",
            ),
            (
                "a static number mapped to something else is that else",
                "m=audio 4000 RTP/AVP 0 8\r\na=rtpmap:0 opus/48000\r\n",
                "m=audio 10000 RTP/AVP 8|a=rtpmap:8 PCMA/8000|a=ptime:20|a=sendrecv",
            ),
            (
                "hold",
                "m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n",
                "m=audio 10000 RTP/AVP 0|a=rtpmap:0 PCMU/8000|a=ptime:20|a=recvonly",
            ),
            (
                "listening only",
                "m=audio 4000 RTP/AVP 0\r\na=recvonly\r\n",
                "m=audio 10000 RTP/AVP 0|a=rtpmap:0 PCMU/8000|a=ptime:20|a=sendonly",
            ),
            (
                "inactive",
                "m=audio 4000 RTP/AVP 0\r\na=inactive",
                "m=audio 10000 RTP/AVP 0|a=rtpmap:0 PCMU/8000|a=ptime:20|a=inactive",
            ),
            (
                "old hold: zero address",
                "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n",
                "m=audio 10000 RTP/AVP 0|a=rtpmap:0 PCMU/8000|a=ptime:20|a=recvonly",
            ),
            (
                "video refused in place",
                "m=video 5000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\nm=audio 4000 RTP/AVP 0\r\n",
                "m=video 0 RTP/AVP 96|m=audio 10000 RTP/AVP 0|a=rtpmap:0 PCMU/8000|a=ptime:20|a=sendrecv",
            ),
            (
                "the second audio line is refused",
                "m=audio 4000 RTP/AVP 0\r\nm=audio 4002 RTP/AVP 8\r\n",
                "m=audio 10000 RTP/AVP 0|a=rtpmap:0 PCMU/8000|a=ptime:20|a=sendrecv|m=audio 0 RTP/AVP 8",
            ),
            (
                "secure line refused, plain one taken",
                "m=audio 4000 RTP/SAVP 0\r\nm=audio 4002 RTP/AVP 8\r\n",
                "m=audio 0 RTP/SAVP 0|m=audio 10000 RTP/AVP 8|a=rtpmap:8 PCMA/8000|a=ptime:20|a=sendrecv",
            ),
        ];
        for (name, offer, want) in cases {
            let offer = Sdp::parse(&format!("{HEAD}{C}{offer}")).unwrap();
            let (sdp, _) = answer(&offer, &local()).unwrap();
            assert_eq!(media_lines(&sdp), *want, "{name}");
        }
    }

    #[test]
    fn offers_that_have_nothing_for_us() {
        for offer in [
            "",
            "m=audio 4000 RTP/AVP 9 18\r\n",
            "m=audio 0 RTP/AVP 0\r\n",
            "m=audio 4000 RTP/SAVP 0\r\n",
            "m=image 4000 udptl t38\r\n",
            "m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 PCMU/16000\r\n",
        ] {
            let offer = Sdp::parse(&format!("{HEAD}{C}{offer}")).unwrap();
            assert_eq!(answer(&offer, &local()).unwrap_err(), NoCodec, "{offer}");
        }
    }

    #[test]
    fn what_was_agreed() {
        let offer = format!(
            "{HEAD}{C}m=audio 4000 RTP/AVP 8 0 100\r\nc=IN IP4 198.51.100.5\r\na=rtpmap:100 telephone-event/8000\r\n"
        );
        let (_, n) = answer(&Sdp::parse(&offer).unwrap(), &local()).unwrap();
        assert_eq!(n.remote, "198.51.100.5:4000".parse().unwrap());
        assert_eq!(
            n.send,
            Agreed {
                codec: Codec::Pcma,
                payload_type: 8
            }
        );
        assert_eq!(n.accept.len(), 2);
        assert_eq!(n.event_type, Some(100));
        assert!(n.we_send && n.they_send);
    }

    #[test]
    fn an_answer_in_two_versions_differs_only_in_its_version() {
        let offer = Sdp::parse(&format!("{HEAD}{C}m=audio 4000 RTP/AVP 0\r\n")).unwrap();
        let mut ours = local();
        let (a, _) = answer(&offer, &ours).unwrap();
        ours.version += 1;
        let (b, _) = answer(&offer, &ours).unwrap();
        assert_eq!(
            Sdp {
                version: a.version,
                ..b
            },
            a
        );
    }

    #[test]
    fn our_offer_meets_our_answer() {
        let (theirs, n) = answer(
            &offer(&local()),
            &Local {
                address: "192.0.2.20:4000".parse().unwrap(),
                ..local()
            },
        )
        .unwrap();
        assert_eq!(n.remote, local().address);
        let back = accept(&theirs, &local()).unwrap();
        assert_eq!(back.remote, "192.0.2.20:4000".parse().unwrap());
        assert_eq!(back.send.codec, Codec::Pcma);
        assert_eq!(back.event_type, Some(OUR_EVENT_TYPE));
    }

    proptest! {
        #[test]
        fn an_answer_has_the_offers_sections(kinds in prop::collection::vec(
            prop::sample::select(vec!["m=audio 4000 RTP/AVP 0", "m=audio 0 RTP/AVP 0", "m=video 5000 RTP/AVP 96",
                "m=audio 4000 RTP/AVP 9", "m=audio 4000 RTP/SAVP 8"]), 0..6)) {
            let text = kinds.iter().fold(format!("{HEAD}{C}"), |t, k| format!("{t}{k}\r\n"));
            let offer = Sdp::parse(&text).unwrap();
            if let Ok((sdp, _)) = answer(&offer, &local()) {
                prop_assert_eq!(sdp.media.len(), offer.media.len());
                prop_assert_eq!(sdp.media.iter().filter(|m| m.port != 0).count(), 1);
            }
        }
    }
}
