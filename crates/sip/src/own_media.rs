//! A call's own media: from the opened port to the running leg, and what was said about it.

use std::{net::SocketAddr, sync::Arc};

use roomtone_audio::{Codec, Drain, Encoded, Feed, INBOUND_FRAMES, OUTBOUND_FRAMES, Sent, ring};

use crate::{
    Error,
    endpoint::Shared,
    media::leg::{Leg, LegParts, Terms},
    net::RtpPort,
    offer::{Local, Negotiated},
    rtp::{receive::Expect, send::SendAs},
    sdp::Sdp,
    stats::MediaStats,
};

/// Reports of sent records that may wait to be read.
const SENT_REPORTS: usize = 64;

/// The other ends of a leg's rings.
pub(crate) struct Ends {
    pub inbound: Drain<Encoded>,
    pub outbound: Feed<Encoded>,
    pub sent: Drain<Sent>,
}

/// Terms for the media thread out of what was agreed.
fn terms(n: &Negotiated, relatch: bool) -> Terms {
    let mut audio = [None; 2];
    // The agreed one first; there are two codecs, so two places do.
    for (slot, a) in audio.iter_mut().zip(&n.accept) {
        *slot = Some((a.payload_type, a.codec));
    }
    let remote = Some(n.remote).filter(|r| r.port() != 0 && !r.ip().is_unspecified());
    Terms {
        remote,
        expect: Expect {
            audio,
            event: n.event_type,
        },
        send: SendAs {
            audio,
            event: n.event_type,
            open: n.we_send,
        },
        relatch,
    }
}

/// Our media, from the opened port to the running leg.
pub(crate) struct Media {
    pub id: u64,
    pub local: Local,
    port: Option<RtpPort>,
    pub stats: Arc<MediaStats>,
    pub agreed: Option<Negotiated>,
    /// The description that we sent last.
    said: Option<Sdp>,
    pub running: bool,
}

impl Media {
    pub(crate) fn open(shared: &Shared, peer: SocketAddr, codecs: Vec<Codec>) -> Result<Self, Error> {
        let port = shared.ports.open(shared.stack.addresses.interface(peer.ip()))?;
        let number = port
            .rtp
            .local_addr()
            .map_err(|_| Error::NoRtpPort {
                range: shared.config.rtp_ports,
            })?
            .port();
        let address = SocketAddr::new(shared.stack.addresses.seen_by(peer.ip()), number);
        // Below 2^62, for phones that read these as signed numbers.
        let session_id = shared.random() >> 2;
        let local = Local {
            address,
            codecs,
            session_id,
            version: 1,
            held: false,
        };
        let stats = Arc::new(MediaStats::default());
        Ok(Media {
            id: shared.next_id(),
            local,
            port: Some(port),
            stats,
            agreed: None,
            said: None,
            running: false,
        })
    }

    /// Our description, with a new version if it differs from the last one (RFC 3264 section 8).
    pub(crate) fn say(&mut self, mut sdp: Sdp) -> String {
        if let Some(last) = &self.said {
            sdp.version = last.version;
            if sdp != *last {
                sdp.version += 1;
            }
        }
        self.local.version = sdp.version;
        let text = sdp.to_string();
        self.said = Some(sdp);
        text
    }

    /// Hands the port to the media thread.
    pub(crate) fn start(&mut self, shared: &Shared, agreed: Negotiated) -> Result<Ends, Error> {
        let (inbound_feed, inbound) = ring(INBOUND_FRAMES);
        let (outbound, outbound_drain) = ring(OUTBOUND_FRAMES);
        let (sent_feed, sent) = ring(SENT_REPORTS);
        let port = self.port.take().ok_or(Error::Gone)?;
        let leg = Leg::new(LegParts {
            id: self.id,
            socket: port.rtp,
            rtcp: port.rtcp,
            terms: terms(&agreed, false),
            random: [shared.random(), shared.random()],
            now: shared.clock().mono(),
            inbound: inbound_feed,
            outbound: outbound_drain,
            sent: sent_feed,
            stats: self.stats.clone(),
        });
        shared.media.add(leg)?;
        self.running = true;
        self.agreed = Some(agreed);
        Ok(Ends {
            inbound,
            outbound,
            sent,
        })
    }

    pub(crate) fn change(&mut self, shared: &Shared, agreed: Negotiated) {
        let moved = self.agreed.as_ref().is_some_and(|a| a.remote != agreed.remote);
        shared.media.set(self.id, terms(&agreed, moved));
        self.agreed = Some(agreed);
    }

    pub(crate) async fn stop(&mut self, shared: &Shared) {
        self.port = None;
        if std::mem::take(&mut self.running) {
            shared.media.remove(self.id, &self.stats).await;
        }
    }
}
