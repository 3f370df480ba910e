//! What the tests of whole calls share.
#![allow(dead_code, reason = "each test binary uses a part")]

pub(crate) mod wire;

use std::{sync::Arc, time::Duration};

use roomtone_audio::{Codec, Encoded, Payload};
use roomtone_base::{IdSource, MemoryEvidence, Rng, SystemClock};
use roomtone_sip::{Call, CallEvent, Deps, Endpoint, HangupBy, Incoming, PortRange, SipConfig};
use tokio::sync::mpsc::Receiver;

/// T1 of the tests: RFC 3261's 32 seconds become 3.2.
pub(crate) const T1: Duration = Duration::from_millis(50);

pub(crate) struct Side {
    pub endpoint: Endpoint,
    pub calls: Receiver<Incoming>,
    pub evidence: Arc<MemoryEvidence>,
}

pub(crate) fn config() -> SipConfig {
    SipConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        rtp_ports: PortRange::ANY,
        ..SipConfig::default()
    }
}

pub(crate) fn deps() -> (Deps, Arc<MemoryEvidence>) {
    let clock = SystemClock::shared();
    let evidence = Arc::new(MemoryEvidence::default());
    let ids = IdSource::new(clock.clone(), Rng::from_entropy());
    (
        Deps {
            clock,
            ids,
            evidence: evidence.clone(),
        },
        evidence,
    )
}

pub(crate) async fn side(config: SipConfig) -> Side {
    let (deps, evidence) = deps();
    let (endpoint, calls) = Endpoint::bind_with_t1(config, deps, T1).await.unwrap();
    Side {
        endpoint,
        calls,
        evidence,
    }
}

impl Side {
    pub(crate) fn target(&self) -> String {
        format!("sip:desk@{}", self.endpoint.local_addr())
    }

    pub(crate) fn steps(&self) -> Vec<String> {
        self.evidence.records().into_iter().map(|e| e.step).collect()
    }
}

/// Takes the next call.
pub(crate) async fn answer(side: &mut Side) -> Call {
    let incoming = soon(side.calls.recv()).await.expect("a call");
    incoming.ring().await;
    incoming.answer().await.expect("answered")
}

/// The future's value, or a panic after ten seconds.
pub(crate) async fn soon<T>(f: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), f)
        .await
        .expect("in ten seconds")
}

pub(crate) async fn pause(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

/// Reads events up to the end of the call.
pub(crate) async fn ended(call: &mut Call) -> (HangupBy, String) {
    loop {
        match soon(call.events.recv()).await {
            Some(CallEvent::Ended { by, reason }) => return (by, reason),
            Some(_) => {}
            None => panic!("no end"),
        }
    }
}

/// Frame `i` of a stream that can be told from any other: bytes count.
pub(crate) fn frame(i: usize, salt: u8) -> Vec<u8> {
    (0..160).map(|k| (i * 7 + k) as u8 ^ salt).collect()
}

/// Says frames for a while, keeping the ring short, and hears what comes meanwhile.
pub(crate) async fn talk(call: &mut Call, frames: usize, salt: u8, heard: &mut Vec<Encoded>) {
    let mut i = 0;
    while i < frames {
        while i < frames && call.media.outbound.len() < 3 {
            assert!(
                call.media
                    .outbound
                    .push(Encoded::audio(Codec::Pcmu, &frame(i, salt)))
            );
            i += 1;
        }
        listen(call, heard);
        pause(5).await;
    }
    while !call.media.outbound.is_empty() {
        listen(call, heard);
        pause(5).await;
    }
}

pub(crate) fn listen(call: &mut Call, heard: &mut Vec<Encoded>) {
    heard.extend(std::iter::from_fn(|| call.media.inbound.pop()));
}

/// Bytes of all sound heard.
pub(crate) fn sound(heard: &[Encoded]) -> Vec<u8> {
    let audio = heard.iter().filter(|e| matches!(e.payload, Payload::Audio(_)));
    audio.flat_map(|e| e.bytes().to_vec()).collect()
}

pub(crate) fn digits(heard: &[Encoded]) -> String {
    heard
        .iter()
        .filter_map(|e| match e.payload {
            Payload::Digit { digit, .. } => Some(char::from(digit)),
            _ => None,
        })
        .collect()
}

/// Waits until a condition holds.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..1_000 {
        if holds() {
            return;
        }
        pause(10).await;
    }
    panic!("never: {what}");
}
