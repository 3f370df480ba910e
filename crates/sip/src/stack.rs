//! rsipstack behind our own socket: transactions and dialogs are its, bytes and judgement are ours.
//!
//! Its UDP connection is given a socket of ours to send through, because only as UDP does it retransmit (its channel
//! connection counts as reliable); its reader is never started. What arrives is judged by [`crate::validate`] first.
//!
//! It logs whole messages, with callers' names in them. Everything that runs inside it is therefore run
//! [`quiet`]ly; the few tasks that it spawns by itself write under the target `rsipstack`, which a log filter has to
//! keep off.

use std::{
    future::Future,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use rsipstack::{
    EndpointBuilder,
    dialog::dialog_layer::DialogLayer,
    platform::{CancellationToken, net::UdpSocket as PlatformSocket},
    sip::{
        Header, HostWithPort, SipMessage, StatusCode, Transport,
        prelude::{HeadersExt, ToTypedHeader},
    },
    transaction::{
        TransactionReceiver,
        endpoint::{EndpointInnerRef, EndpointOption, MessageInspector},
    },
    transport::{SipAddr, SipConnection, TransportLayer, udp::UdpConnection},
};
use tokio::net::UdpSocket;
use tracing::{instrument::WithSubscriber, subscriber::NoSubscriber};

use crate::{
    Error, net,
    validate::{self, Verdict},
};

/// rsipstack's word for "it is over", which its loops take and ours too.
pub(crate) use rsipstack::platform::CancellationToken as Token;

/// Runs rsipstack without its log.
pub(crate) fn quiet<F: Future>(f: F) -> impl Future<Output = F::Output> {
    f.with_subscriber(NoSubscriber::new())
}

/// Datagrams counted at the SIP port.
#[derive(Debug, Default)]
pub(crate) struct SocketStats {
    pub messages: AtomicU64,
    pub junk: AtomicU64,
    pub refused: AtomicU64,
}

/// Our socket in rsipstack's clothes: sends, never receives.
struct SendOnly(Arc<UdpSocket>);

#[async_trait::async_trait]
impl PlatformSocket for SendOnly {
    async fn recv_from(&self, _: &mut [u8]) -> rsipstack::Result<(usize, SocketAddr)> {
        std::future::pending().await
    }

    async fn send_to(&self, bytes: &[u8], to: SocketAddr) -> rsipstack::Result<usize> {
        Ok(self.0.send_to(bytes, to).await?)
    }

    fn local_addr(&self) -> rsipstack::Result<SocketAddr> {
        Ok(self.0.local_addr()?)
    }
}

/// Which of our addresses a peer should see.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addresses {
    pub bound: SocketAddr,
    pub advertise: Option<IpAddr>,
}

impl Addresses {
    /// The interface that leads to `peer`.
    pub(crate) fn interface(&self, peer: IpAddr) -> IpAddr {
        if self.bound.ip().is_unspecified() {
            net::local_towards(peer).unwrap_or(self.bound.ip())
        } else {
            self.bound.ip()
        }
    }

    /// The address to write into messages for `peer`.
    pub(crate) fn seen_by(&self, peer: IpAddr) -> IpAddr {
        self.advertise.unwrap_or_else(|| self.interface(peer))
    }

    /// Our SIP address as `peer` should see it.
    pub(crate) fn sip_seen_by(&self, peer: IpAddr) -> SocketAddr {
        SocketAddr::new(self.seen_by(peer), self.bound.port())
    }
}

/// rsipstack writes one address into the Via of all requests; each peer has to see the one that leads to it.
struct ViaPerPeer(Addresses);

impl MessageInspector for ViaPerPeer {
    fn before_send(&self, mut message: SipMessage, to: Option<&SipAddr>) -> SipMessage {
        if let (SipMessage::Request(request), Some(to)) =
            (&mut message, to.and_then(|t| t.get_socketaddr().ok()))
            && let Ok(via) = request.via_header_mut()
        {
            let ours = self.0.sip_seen_by(to.ip());
            // A Via that cannot be rewritten leaves as it is: rport leads the answer back.
            let _ = via.update_first_value(|v| {
                let mut v = v.typed()?;
                v.uri.host_with_port = HostWithPort::from(ours);
                Ok(v.into())
            });
        }
        message
    }

    fn after_received(&self, message: SipMessage, _: Option<&SipAddr>) -> SipMessage {
        message
    }
}

/// The signalling below calls.
pub(crate) struct Stack {
    pub layer: Arc<DialogLayer>,
    pub addresses: Addresses,
    pub stats: SocketStats,
    inner: EndpointInnerRef,
    connection: SipConnection,
    socket: Arc<UdpSocket>,
    cancel: CancellationToken,
}

impl Stack {
    /// Takes the bound socket; `t1` is RFC 3261's T1, from which all timers follow.
    pub(crate) async fn new(
        socket: std::net::UdpSocket,
        advertise: Option<IpAddr>,
        t1: Duration,
    ) -> Result<(Self, TransactionReceiver), Error> {
        let trouble = |e: rsipstack::Error| Error::Signalling(e.to_string());
        let socket = UdpSocket::from_std(socket).map_err(|e| Error::Signalling(e.to_string()))?;
        let bound = socket
            .local_addr()
            .map_err(|e| Error::Signalling(e.to_string()))?;
        let socket = Arc::new(socket);
        let addresses = Addresses { bound, advertise };
        let cancel = CancellationToken::new();
        let transport = TransportLayer::new(cancel.clone());
        let external = advertise.map(|ip| SocketAddr::new(ip, bound.port()));
        let sender = Arc::new(SendOnly(socket.clone()));
        let udp = UdpConnection::from_socket(sender, external, Some(cancel.clone()))
            .await
            .map_err(trouble)?;
        let connection = SipConnection::Udp(udp);
        transport.add_transport(connection.clone());
        let option = EndpointOption {
            t1,
            t1x64: t1 * 64,
            t2: t1 * 8,
            t4: t1 * 10,
            ..EndpointOption::default()
        };
        let mut builder = EndpointBuilder::new();
        builder
            .with_user_agent("Roomtone")
            .with_transport_layer(transport)
            .with_cancel_token(cancel.clone())
            .with_inspector(Box::new(ViaPerPeer(addresses)))
            .with_option(option);
        let endpoint = builder.build();
        let incoming = endpoint.incoming_transactions().map_err(trouble)?;
        let inner = endpoint.inner;
        let layer = Arc::new(DialogLayer::new(inner.clone()));
        let stats = SocketStats::default();
        Ok((
            Stack {
                layer,
                addresses,
                stats,
                inner,
                connection,
                socket,
                cancel,
            },
            incoming,
        ))
    }

    pub(crate) fn cancel(&self) -> &CancellationToken {
        &self.cancel
    }

    /// Transactions that are alive.
    pub(crate) fn transactions(&self) -> usize {
        self.inner.get_stats().running_transactions
    }

    /// Runs retransmissions and timeouts until cancelled.
    pub(crate) async fn run_timers(&self) {
        tokio::select! {
            () = self.cancel.cancelled() => {}
            () = quiet(self.inner.process_timer()) => {}
        }
    }

    /// Reads the SIP port until cancelled. `allowed` judges a source.
    pub(crate) async fn read(&self, allowed: impl Fn(IpAddr) -> bool, salt: u64) {
        let mut buffer = vec![0u8; validate::LONGEST];
        loop {
            let received = tokio::select! {
                () = self.cancel.cancelled() => return,
                r = self.socket.recv_from(&mut buffer) => r,
            };
            // An error here is the echo of an answer that found nobody (ICMP).
            let Ok((len, source)) = received else { continue };
            self.stats.messages.fetch_add(1, Relaxed);
            match validate::judge(&buffer[..len], source, allowed(source.ip()), salt) {
                Verdict::Junk => {
                    self.stats.junk.fetch_add(1, Relaxed);
                    tracing::trace!(target: "roomtone::sip", len, "not SIP: ignored");
                }
                Verdict::Ping => self.send(b"\r\n", source).await,
                Verdict::Refuse { code, response, to } => {
                    self.stats.refused.fetch_add(1, Relaxed);
                    tracing::debug!(target: "roomtone::sip", code, "request refused at the door");
                    self.send(&response, to).await;
                }
                Verdict::Pass(bytes) => self.pass(&bytes, source, salt).await,
            }
        }
    }

    async fn send(&self, bytes: &[u8], to: SocketAddr) {
        if let Err(error) = self.socket.send_to(bytes, to).await {
            tracing::debug!(target: "roomtone::sip", %error, "answer not sent");
        }
    }

    async fn pass(&self, bytes: &[u8], source: SocketAddr, salt: u64) {
        let parsed = SipMessage::try_from(bytes)
            .ok()
            .and_then(|m| SipConnection::update_msg_received(m, source, Transport::Udp).ok());
        let message = match parsed {
            Some(m) => learn_contact(m, source),
            None => {
                // Well-formed as far as we look, but rsipstack cannot read it.
                self.stats.refused.fetch_add(1, Relaxed);
                if let Some((response, to)) = validate::refuse(bytes, source, 400, "Bad Request", salt) {
                    self.send(&response, to).await;
                }
                return;
            }
        };
        let from = SipAddr {
            r#type: Some(Transport::Udp),
            addr: source.into(),
        };
        let result = quiet(
            self.inner
                .on_received_message(message, self.connection.clone(), &from),
        )
        .await;
        if let Err(error) = result {
            self.stats.junk.fetch_add(1, Relaxed);
            tracing::debug!(target: "roomtone::sip", kind = ?std::mem::discriminant(&error), "message not taken");
        }
    }
}

/// A phone behind a NAT names an address in Contact that nobody outside reaches. If the INVITE came straight from the
/// phone (one Via, no Record-Route) and the address is another one than it came from, it is reached where it came
/// from.
fn learn_contact(mut message: SipMessage, source: SocketAddr) -> SipMessage {
    let SipMessage::Request(request) = &mut message else {
        return message;
    };
    if request.method != rsipstack::sip::Method::Invite
        || request.has_multiple_vias()
        || request
            .headers
            .iter()
            .filter(|h| matches!(h, Header::Via(_)))
            .count()
            != 1
        || request.record_route_header().is_some()
    {
        return message;
    }
    let Ok(mut contact) = request.contact_header().and_then(|c| c.clone().typed()) else {
        return message;
    };
    let rsipstack::sip::Host::IpAddr(ip) = contact.uri.host_with_port.host else {
        return message;
    };
    if ip != source.ip() {
        contact.uri.host_with_port = HostWithPort::from(source);
        request.headers.unique_push(Header::Contact(contact.into()));
    }
    message
}

/// rsipstack's name for a status.
pub(crate) fn status(code: u16) -> StatusCode {
    StatusCode::from(code)
}

/// A header that has no type of its own over there.
pub(crate) fn header(name: &str, value: &str) -> Header {
    Header::Other(name.to_owned(), value.to_owned())
}

/// A Reason header (RFC 3326).
pub(crate) fn reason(code: u16, text: &str) -> Header {
    let text: String = text
        .chars()
        .filter(|c| !c.is_control() && !matches!(c, '"' | '\\'))
        .collect();
    Header::Reason(rsipstack::sip::Reason::new(format!(
        "SIP;cause={code};text=\"{text}\""
    )))
}

/// Headers of a 200 to INVITE and OPTIONS: what we can.
pub(crate) fn abilities() -> Vec<Header> {
    vec![
        Header::Allow(validate::ALLOW.into()),
        Header::Accept(validate::ACCEPT.into()),
        Header::Supported("".into()),
    ]
}
