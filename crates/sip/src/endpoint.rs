//! The SIP endpoint: one UDP port, all its calls.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use roomtone_base::{EvidenceSink, IdSource, SharedClock};
use rsipstack::{
    dialog::invitation::InviteOption,
    sip::{HostWithPort, Response, StatusCodeKind, Uri, prelude::HeadersExt},
    transport::SipAddr,
};
use tokio::sync::mpsc;

use crate::{
    Call, CallFailed, CallHandle, CallInfo, CallOptions, Error, Incoming, SipConfig, dispatch,
    media::thread::MediaThread,
    message::user_of,
    net::{self, Ports},
    outgoing::Outgoing,
    session::record,
    stack::{self, Stack, quiet},
    validate::fingerprint,
};

/// RFC 3261's T1: an estimate of the round trip, from which all its timers follow.
const T1: Duration = Duration::from_millis(500);
/// Calls that may wait for the program to look at them; more get 503.
const WAITING_CALLS: usize = 64;
/// How long [`Endpoint::close`] waits for calls to end.
const CLOSE_WAIT: Duration = Duration::from_secs(3);

/// What an endpoint needs from the program.
#[derive(Clone)]
pub struct Deps {
    /// Time.
    pub clock: SharedClock,
    /// Call ids, traces, and the random parts of RTP streams.
    pub ids: IdSource,
    /// Where the steps of calls are written down.
    pub evidence: Arc<dyn EvidenceSink>,
}

impl fmt::Debug for Deps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Deps")
    }
}

/// What new callers are told while no calls are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// A final SIP status, 400 to 699. With 503 goes a Retry-After of 30 seconds.
    pub code: u16,
    /// Goes into the Reason header.
    pub reason: String,
}

/// Counters of an endpoint since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EndpointStats {
    /// Datagrams that arrived on the SIP port.
    pub datagrams: u64,
    /// Those that were no SIP and were ignored.
    pub junk: u64,
    /// Those that were refused at the door: malformed, or from a source that is not allowed.
    pub refused: u64,
    /// Calls placed and taken that are not over.
    pub active: usize,
    /// SIP transactions alive; they outlive calls by up to 32 seconds.
    pub transactions: usize,
    /// Ticks of the media thread.
    pub media_ticks: u64,
    /// Ticks that came more than 5 ms late.
    pub late_ticks: u64,
    /// Does the media thread run with real-time priority?
    pub realtime: bool,
}

pub(crate) struct Shared {
    pub config: SipConfig,
    pub deps: Deps,
    pub stack: Stack,
    pub media: MediaThread,
    pub ports: Ports,
    active: AtomicUsize,
    ids: AtomicU64,
    refusal: Mutex<Option<Refusal>>,
    /// Calls to hang up when the endpoint closes; those that are over are swept out when new ones come.
    handles: Mutex<Vec<CallHandle>>,
    /// Addresses of calls that we placed.
    called: Mutex<Vec<IpAddr>>,
}

impl Shared {
    pub(crate) fn clock(&self) -> &SharedClock {
        &self.deps.clock
    }

    /// 64 random bits.
    pub(crate) fn random(&self) -> u64 {
        random(&self.deps.ids)
    }

    pub(crate) fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Relaxed)
    }

    pub(crate) fn refusal(&self) -> Option<Refusal> {
        self.refusal
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn called(&self) -> MutexGuard<'_, Vec<IpAddr>> {
        self.called.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// May `source` send us requests?
    fn allows(&self, source: IpAddr) -> bool {
        self.called().contains(&source) || net::is_allowed(&self.config.allow, source)
    }

    pub(crate) fn remember(&self, handle: &CallHandle) {
        let mut handles = self.handles.lock().unwrap_or_else(PoisonError::into_inner);
        handles.retain(|h| !h.commands.is_closed());
        handles.push(handle.clone());
    }

    /// Our Contact as `peer` should see it.
    pub(crate) fn contact(&self, peer: IpAddr) -> Uri {
        uri(Some("roomtone"), self.stack.addresses.sip_seen_by(peer))
    }
}

fn random(ids: &IdSource) -> u64 {
    fingerprint(0, &ids.uuid(), "")
}

fn uri(user: Option<&str>, at: SocketAddr) -> Uri {
    let mut uri = Uri::from(HostWithPort::from(at));
    uri.auth = user.map(|u| rsipstack::sip::Auth {
        user: u.to_owned(),
        password: None,
    });
    uri
}

/// A place among the calls; given back when dropped.
pub(crate) struct Active {
    shared: Arc<Shared>,
    /// Whom we call: may talk to us as long as the call lasts, whether or not [`SipConfig::allow`] names it.
    called: Option<IpAddr>,
}

impl Active {
    /// `None` if all places are taken.
    pub(crate) fn take(shared: &Arc<Shared>) -> Option<Self> {
        let limit = shared.config.max_calls;
        let grow = |n: usize| (n < limit).then_some(n + 1);
        let taken = shared.active.fetch_update(Relaxed, Relaxed, grow).is_ok();
        taken.then(|| Active {
            shared: shared.clone(),
            called: None,
        })
    }

    fn calling(&mut self, peer: IpAddr) {
        self.shared.called().push(peer);
        self.called = Some(peer);
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.shared.active.fetch_sub(1, Relaxed);
        if let Some(peer) = self.called {
            let mut called = self.shared.called();
            if let Some(i) = called.iter().position(|p| *p == peer) {
                called.swap_remove(i);
            }
        }
    }
}

/// Ends the endpoint's tasks with its last handle.
struct Alive(Arc<Shared>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.stack.cancel().cancel();
    }
}

/// A SIP user agent on one UDP port. Cheap to clone; with the last clone its tasks end (calls should be ended before,
/// by [`Endpoint::close`]).
#[derive(Clone)]
pub struct Endpoint {
    shared: Arc<Shared>,
    _alive: Arc<Alive>,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("local", &self.local_addr())
            .field("active", &self.active())
            .finish()
    }
}

impl Endpoint {
    /// Opens the SIP port and starts the media thread. Needs a tokio runtime. The receiver gives the calls that come
    /// in; when it is dropped, callers get 503.
    ///
    /// # Errors
    /// [`Error::Bind`] if the port cannot be had (with a remedy), [`Error::MediaThread`] if the system gives no thread.
    pub async fn bind(config: SipConfig, deps: Deps) -> Result<(Endpoint, mpsc::Receiver<Incoming>), Error> {
        Self::bind_with_t1(config, deps, T1).await
    }

    /// [`Endpoint::bind`] with another T1 (RFC 3261 section 17.1.1.1), for tests that cannot wait half a minute.
    #[doc(hidden)]
    pub async fn bind_with_t1(
        config: SipConfig,
        deps: Deps,
        t1: Duration,
    ) -> Result<(Endpoint, mpsc::Receiver<Incoming>), Error> {
        let socket = net::sip_socket(config.listen)?;
        let (stack, transactions) = Stack::new(socket, config.advertise, t1).await?;
        let media = MediaThread::start(deps.clock.clone(), config.max_calls)?;
        let ports = Ports::new(config.rtp_ports, (random(&deps.ids) & 0xffff) as u32);
        let salt = random(&deps.ids);
        tracing::info!(target: "roomtone::sip", address = %stack.addresses.bound, "listening for SIP");
        let shared = Arc::new(Shared {
            config,
            deps,
            stack,
            media,
            ports,
            active: AtomicUsize::new(0),
            ids: AtomicU64::new(1),
            refusal: Mutex::new(None),
            handles: Mutex::new(Vec::new()),
            called: Mutex::new(Vec::new()),
        });
        let (sender, calls) = mpsc::channel(WAITING_CALLS);
        let s = shared.clone();
        tokio::spawn(async move { s.stack.run_timers().await });
        let s = shared.clone();
        tokio::spawn(async move { s.stack.read(|ip| s.allows(ip), salt).await });
        tokio::spawn(dispatch::run(shared.clone(), transactions, sender));
        let alive = Arc::new(Alive(shared.clone()));
        Ok((
            Endpoint {
                shared,
                _alive: alive,
            },
            calls,
        ))
    }

    /// The address that SIP is spoken on; with the port that the system chose if 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.shared.stack.addresses.bound
    }

    /// Calls that are not over, ringing ones included.
    pub fn active(&self) -> usize {
        self.shared.active.load(Relaxed)
    }

    /// Counters.
    pub fn stats(&self) -> EndpointStats {
        let (socket, media) = (&self.shared.stack.stats, self.shared.media.stats());
        EndpointStats {
            datagrams: socket.messages.load(Relaxed),
            junk: socket.junk.load(Relaxed),
            refused: socket.refused.load(Relaxed),
            active: self.active(),
            transactions: self.shared.stack.transactions(),
            media_ticks: media.ticks.load(Relaxed),
            late_ticks: media.late_ticks.load(Relaxed),
            realtime: media.realtime.load(Relaxed),
        }
    }

    /// Refuses new callers from now on, or takes them again (`None`). Calls that are there stay.
    pub fn refuse_new(&self, refusal: Option<Refusal>) {
        *self.shared.refusal.lock().unwrap_or_else(PoisonError::into_inner) = refusal;
    }

    /// Places a call and waits until it is answered. Dropping the future gives up (CANCEL).
    ///
    /// # Errors
    /// [`CallFailed`] with the other side's final status; 408 if it did not answer in time; 0 if the target cannot be
    /// called or this endpoint has no room.
    pub async fn call(&self, target: &str, options: CallOptions) -> Result<Call, CallFailed> {
        let local = |e: Error| CallFailed {
            sip_code: 0,
            reason: e.to_string(),
        };
        let shared = &self.shared;
        let mut active = Active::take(shared).ok_or_else(|| local(Error::MediaFull))?;
        let (callee, peer) = resolve(target).await.map_err(local)?;
        active.calling(peer.ip());
        let out = Outgoing::open(shared, peer, options.codecs.clone()).map_err(local)?;
        let ours = shared.stack.addresses.sip_seen_by(peer.ip());
        let from = uri(Some(&options.from_user), ours);
        let info = CallInfo {
            call_id: shared.deps.ids.short("call"),
            sip_call_id: shared.deps.ids.uuid(),
            trace: options.trace.clone().unwrap_or_else(|| shared.deps.ids.make()),
            from_uri: from.to_string(),
            from_user: Some(options.from_user.clone()),
            from_display: options.from_display.clone(),
            to_user: user_of(&callee.to_string()),
            source: peer,
            headers: options.headers.clone(),
            offered: options.codecs.iter().map(|c| c.name().to_owned()).collect(),
        };
        tracing::info!(target: "roomtone::sip", call = %info.call_id, trace = %info.trace, "calling");
        record(shared, &info, "sip.invite", |e| {
            e.with("direction", "out").with("offered", info.offered.join(","))
        });
        let mut headers = stack::abilities();
        headers.extend(options.headers.iter().map(|(n, v)| stack::header(n, v)));
        let invite = InviteOption {
            caller_display_name: options.from_display.clone(),
            caller: from,
            callee,
            destination: Some(SipAddr {
                r#type: Some(rsipstack::sip::Transport::Udp),
                addr: peer.into(),
            }),
            offer: Some(out.offer.clone().into_bytes()),
            contact: shared.contact(peer.ip()),
            headers: Some(headers),
            call_id: Some(info.sip_call_id.clone()),
            ..InviteOption::default()
        };
        let (state_sender, states) = shared.stack.layer.new_dialog_state_channel();
        let ringing = shared.clock().sleep(options.patience);
        let result = tokio::select! {
            r = quiet(shared.stack.layer.do_invite(invite, state_sender)) => r,
            () = ringing => return Err(CallFailed { sip_code: 408, reason: "No Answer".into() }),
        };
        let (dialog, response) = result.map_err(|e| local(Error::Signalling(e.to_string())))?;
        let response = response.ok_or(CallFailed {
            sip_code: 408,
            reason: "No Response".into(),
        })?;
        if response.status_code.kind() != StatusCodeKind::Successful {
            let failed = failure(&response);
            tracing::info!(target: "roomtone::sip", call = %info.call_id, trace = %info.trace, code = failed.sip_code,
                "call failed");
            record(shared, &info, "sip.ended", |e| {
                e.with("by", "them").with("code", failed.sip_code)
            });
            return Err(failed);
        }
        let (call, trace) = (info.call_id.clone(), info.trace.clone());
        record(shared, &info, "sip.answered", |e| {
            e.with("code", response.status_code.code())
        });
        match out.answered(shared, dialog.clone(), states, info, &response.body, active) {
            Ok(answered) => {
                tracing::info!(target: "roomtone::sip", %call, %trace, codec = answered.codec.name(), "answered");
                Ok(answered)
            }
            Err(error) => {
                // It has been acknowledged already: end it in good order.
                tokio::spawn(quiet(async move { dialog.hangup().await.is_ok() }));
                Err(CallFailed {
                    sip_code: 488,
                    reason: error.to_string(),
                })
            }
        }
    }

    /// Refuses new calls (503), hangs up all there are and closes the port. Takes 3 seconds at most.
    pub async fn close(&self) {
        self.refuse_new(Some(Refusal {
            code: 503,
            reason: "shutting down".into(),
        }));
        let handles: Vec<CallHandle> =
            std::mem::take(&mut *self.shared.handles.lock().unwrap_or_else(PoisonError::into_inner));
        let hangups = handles.iter().map(|h| h.hangup("shutting down"));
        let deadline = self.shared.clock().sleep(CLOSE_WAIT);
        tokio::select! {
            _ = futures_util::future::join_all(hangups) => {}
            () = deadline => tracing::warn!(target: "roomtone::sip", "calls left at shutdown"),
        }
        self.shared.stack.cancel().cancel();
        self.shared.media.stop();
    }
}

fn failure(response: &Response) -> CallFailed {
    let reason = response
        .reason_phrase()
        .unwrap_or_else(|| response.status_code.text());
    // The other side may say more in a Reason header (RFC 3326).
    let more = response
        .reason_header()
        .and_then(|r| r.value().split("text=\"").nth(1)?.split('"').next());
    let reason = more.filter(|m| !m.is_empty()).unwrap_or(reason).to_owned();
    CallFailed {
        sip_code: response.status_code.code(),
        reason,
    }
}

/// Reads `sip:user@host:port` and finds the host's address.
async fn resolve(target: &str) -> Result<(Uri, SocketAddr), Error> {
    let wrong = || Error::Target {
        target: target.to_owned(),
    };
    let uri = Uri::try_from(target).map_err(|_| wrong())?;
    if uri.scheme != Some(rsipstack::sip::Scheme::Sip) {
        return Err(wrong());
    }
    let port = uri.host_with_port.port.map_or(5060, |p| p.value());
    let peer = match &uri.host_with_port.host {
        rsipstack::sip::Host::IpAddr(ip) => SocketAddr::new(*ip, port),
        rsipstack::sip::Host::Domain(name) => {
            let mut found = tokio::net::lookup_host((name.to_string(), port))
                .await
                .map_err(|_| wrong())?;
            found.next().ok_or_else(wrong)?
        }
    };
    Ok((uri, peer))
}
