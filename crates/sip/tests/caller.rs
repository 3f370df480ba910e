//! Calls that we place, to a peer that writes its messages by hand; and what time does to calls.
#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use std::{sync::Arc, time::Duration};

use common::{
    answer, config, deps, ended, side, soon, until,
    wire::{Message, Peer, rtp_of},
};
use roomtone_base::{Clock, Mono, SharedClock, Sleep, SystemClock};
use roomtone_sip::{CallEvent, CallOptions, Endpoint, HangupBy, SipConfig};

/// A response to a request of theirs, with our tag and Contact.
fn response(peer: &Peer, request: &Message, code: &str, body: &str) -> String {
    let mut out = format!("SIP/2.0 {code}\r\n");
    for name in ["Via", "From", "Call-ID", "CSeq"] {
        out.push_str(&format!("{name}: {}\r\n", request.header(name).unwrap()));
    }
    let to = request.header("To").unwrap();
    let tag = if to.contains("tag=") { "" } else { ";tag=them" };
    let kind = if body.is_empty() {
        ""
    } else {
        "Content-Type: application/sdp\r\n"
    };
    let port = peer.port();
    format!(
        "{out}To: {to}{tag}\r\nContact: <sip:them@127.0.0.1:{port}>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A request of the callee within the dialog that `invite` began.
fn within(peer: &Peer, invite: &Message, method: &str, cseq: u32, body: &str) -> String {
    let port = peer.port();
    let kind = if body.is_empty() {
        ""
    } else {
        "Content-Type: application/sdp\r\n"
    };
    let (from, to) = (invite.header("To").unwrap(), invite.header("From").unwrap());
    format!(
        "{method} sip:us@{} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{method}{cseq};rport\r\n\
         Max-Forwards: 70\r\nFrom: {from};tag=them\r\nTo: {to}\r\nCall-ID: {}\r\nCSeq: {cseq} {method}\r\n\
         Contact: <sip:them@127.0.0.1:{port}>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
        peer.to,
        invite.header("Call-ID").unwrap(),
        body.len()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_callee_holds_resumes_and_hangs_up() {
    // The callee's address is not among those that may call us.
    let a = side(SipConfig {
        allow: Vec::new(),
        ..config()
    })
    .await;
    let peer = Peer::new(a.endpoint.local_addr()).await;
    let (endpoint, target) = (a.endpoint.clone(), format!("sip:them@127.0.0.1:{}", peer.port()));
    let placing = tokio::spawn(async move { endpoint.call(&target, CallOptions::default()).await });
    let invite = peer.their_request(2_000).await.unwrap();
    assert_eq!(invite.method(), "INVITE");
    assert!(
        invite
            .header("Via")
            .unwrap()
            .contains(&a.endpoint.local_addr().to_string()),
        "{}",
        invite.0
    );
    peer.send(response(&peer, &invite, "180 Ringing", "")).await;
    let answer = response(&peer, &invite, "200 OK", &peer.sdp("sendrecv"));
    peer.send(&answer).await;
    let ack = peer.their_request(2_000).await.unwrap();
    assert_eq!(ack.method(), "ACK");
    let mut call = soon(placing).await.unwrap().unwrap();
    // A repeated answer is acknowledged again.
    peer.send(&answer).await;
    assert_eq!(peer.their_request(2_000).await.unwrap().method(), "ACK");

    let hold = peer
        .ask(within(&peer, &invite, "INVITE", 1, &peer.sdp("sendonly")))
        .await;
    assert_eq!(hold.code(), 200);
    assert!(hold.body().contains("a=recvonly"));
    assert_eq!(rtp_of(hold.body()), rtp_of(invite.body()));
    peer.send(within(&peer, &invite, "ACK", 1, "")).await;
    let resume = peer
        .ask(within(&peer, &invite, "INVITE", 2, &peer.sdp("sendrecv")))
        .await;
    assert!(resume.body().contains("a=sendrecv"));
    peer.send(within(&peer, &invite, "ACK", 2, "")).await;
    assert_eq!(peer.ask(within(&peer, &invite, "INFO", 3, "")).await.code(), 200);
    assert_eq!(peer.ask(within(&peer, &invite, "INFO", 1, "")).await.code(), 500);
    assert_eq!(peer.ask(within(&peer, &invite, "BYE", 4, "")).await.code(), 200);
    for event in [CallEvent::Established, CallEvent::Held, CallEvent::Resumed] {
        assert_eq!(soon(call.events.recv()).await, Some(event));
    }
    assert_eq!(ended(&mut call).await.0, HangupBy::Them);
    // The call is over and with it the callee's right to talk to us.
    until("the place is free", || a.endpoint.active() == 0).await;
    assert_eq!(
        peer.ask(within(&peer, &invite, "OPTIONS", 5, "")).await.code(),
        403
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_a_codec_of_ours_is_ended_in_good_order() {
    let a = side(config()).await;
    let peer = Peer::new(a.endpoint.local_addr()).await;
    let (endpoint, target) = (a.endpoint.clone(), format!("sip:them@127.0.0.1:{}", peer.port()));
    let placing = tokio::spawn(async move { endpoint.call(&target, CallOptions::default()).await });
    let invite = peer.their_request(2_000).await.unwrap();
    let body = peer.sdp("sendrecv").replace("AVP 0 101", "AVP 9");
    peer.send(response(&peer, &invite, "200 OK", &body)).await;
    assert_eq!(peer.their_request(2_000).await.unwrap().method(), "ACK");
    let bye = peer.their_request(2_000).await.unwrap();
    assert_eq!(bye.method(), "BYE");
    peer.ok(&bye).await;
    assert_eq!(soon(placing).await.unwrap().unwrap_err().sip_code, 488);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_answers_in_time() {
    let (a, mut b) = (side(config()).await, side(config()).await);
    let target = b.target();
    let options = CallOptions {
        patience: Duration::from_millis(400),
        ..CallOptions::default()
    };
    let ring = async {
        let incoming = soon(b.calls.recv()).await.unwrap();
        incoming.ring().await;
        soon(incoming.cancelled()).await;
    };
    let (result, ()) = tokio::join!(a.endpoint.call(&target, options), ring);
    assert_eq!(result.unwrap_err().sip_code, 408);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_work_over_ipv6() {
    if std::net::UdpSocket::bind("[::1]:0").is_err() {
        println!("skipped: no IPv6 here");
        return;
    }
    let six = || SipConfig {
        listen: "[::1]:0".parse().unwrap(),
        ..config()
    };
    let (a, mut b) = (side(six()).await, side(six()).await);
    let target = b.target();
    let (ours, mut theirs) = tokio::join!(a.endpoint.call(&target, CallOptions::default()), answer(&mut b));
    let mut ours = ours.unwrap();
    ours.media
        .outbound
        .push(roomtone_audio::Encoded::audio(ours.codec, &[1; 160]));
    until("sound", || theirs.media.inbound.pop().is_some()).await;
    ours.handle.hangup("done").await;
    assert_eq!(ended(&mut theirs).await.0, HangupBy::Them);
    assert_eq!(ended(&mut ours).await.0, HangupBy::Us);
}

/// A clock that runs twenty times too fast.
struct Hasty(SystemClock);

const HASTE: u32 = 20;

impl Clock for Hasty {
    fn now(&self) -> jiff::Timestamp {
        self.0.now()
    }

    fn mono(&self) -> Mono {
        Mono::from_duration(self.0.mono().as_duration() * HASTE)
    }

    fn sleep_until(&self, deadline: Mono) -> Sleep {
        self.0
            .sleep_until(Mono::from_duration(deadline.as_duration() / HASTE))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_ends_calls_but_not_held_ones_vp_195() {
    let clock: SharedClock = Arc::new(Hasty(SystemClock::new()));
    let deps = roomtone_sip::Deps { clock, ..deps().0 };
    let (endpoint, mut calls) = Endpoint::bind(config(), deps).await.unwrap();
    let mut peer = Peer::new(endpoint.local_addr()).await;
    let mut begin = async |peer: &Peer, id: &str, sdp: String| {
        peer.send(peer.request("INVITE", id, 1, "", "", &sdp)).await;
        let mut call = soon(calls.recv()).await.unwrap().answer().await.unwrap();
        let ok = peer.final_response().await;
        peer.send(peer.request("ACK", id, 1, &ok.to_tag(), "", "")).await;
        assert_eq!(soon(call.events.recv()).await, Some(CallEvent::Established));
        (call, rtp_of(ok.body()))
    };
    // 60 s of the call's time without a first packet, 30 s after the last one, for ever while held.
    let started = std::time::Duration::from_secs(60) / HASTE;
    let (mut held, _) = begin(&peer, "t0", peer.sdp("inactive")).await;
    let (mut silent, _) = begin(&peer, "t1", peer.sdp("sendrecv")).await;
    let (mut stopped, rtp) = begin(&peer, "t2", peer.sdp("sendrecv")).await;
    peer.rtp(rtp).await;
    let first = ended(&mut stopped).await;
    assert_eq!(first, (HangupBy::Failure, "no media".into()));
    assert!(
        silent.events.try_recv().is_err(),
        "the silent one has twice the time"
    );
    assert_eq!(ended(&mut silent).await, (HangupBy::Failure, "no media".into()));
    tokio::time::sleep(started).await;
    assert!(
        held.events.try_recv().is_err(),
        "a held call is silent by agreement"
    );
}
