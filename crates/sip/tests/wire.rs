//! A peer that writes its messages by hand: what RFC 3261 wants of a callee, and hostile input.
#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use std::{path::PathBuf, sync::Arc};

use common::{
    Side, answer, config, ended, pause, side, soon, until,
    wire::{Message, Peer, rtp_of},
};
use roomtone_sip::{Call, CallEvent, HangupBy};
use tokio::sync::Mutex;

/// A callee that takes every call, and what it took.
async fn desk() -> (Arc<Side>, Arc<Mutex<Vec<Call>>>, Peer) {
    let mut s = side(config()).await;
    let taken = Arc::new(Mutex::new(Vec::new()));
    let (_, dead) = tokio::sync::mpsc::channel(1);
    let mut calls = std::mem::replace(&mut s.calls, dead);
    let t = taken.clone();
    tokio::spawn(async move {
        while let Some(incoming) = calls.recv().await {
            let t = t.clone();
            tokio::spawn(async move {
                if let Ok(call) = incoming.answer().await {
                    t.lock().await.push(call);
                }
            });
        }
    });
    let peer = Peer::new(s.endpoint.local_addr()).await;
    (Arc::new(s), taken, peer)
}

async fn taken(list: &Mutex<Vec<Call>>) -> Call {
    for _ in 0..500 {
        if let Some(call) = list.lock().await.pop() {
            return call;
        }
        pause(10).await;
    }
    panic!("no call was taken");
}

async fn establish(peer: &Peer, list: &Mutex<Vec<Call>>, id: &str) -> (Call, Message) {
    let ok = peer
        .ask(peer.request("INVITE", id, 1, "", "", &peer.sdp("sendrecv")))
        .await;
    assert_eq!(ok.code(), 200, "{}", ok.0);
    peer.send(peer.request("ACK", id, 1, &ok.to_tag(), "", "")).await;
    let mut call = taken(list).await;
    assert_eq!(soon(call.events.recv()).await, Some(CallEvent::Established));
    (call, ok)
}

fn direction(sdp: &str) -> &str {
    ["sendrecv", "sendonly", "recvonly", "inactive"]
        .into_iter()
        .find(|d| sdp.contains(&format!("a={d}")))
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trunk_that_asks_with_options_is_told_what_we_can() {
    let (_s, _, peer) = desk().await;
    let m = peer.ask(peer.request("OPTIONS", "o1", 1, "", "", "")).await;
    assert_eq!(m.code(), 200);
    assert!(m.header("Allow").unwrap().contains("INVITE"));
    assert_eq!(m.header("Accept"), Some("application/sdp"));
    assert!(m.header("Supported").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_no_dialog_get_481() {
    let (_s, _, peer) = desk().await;
    for (i, (method, tag)) in [
        ("BYE", "nowhere"),
        ("BYE", ""),
        ("INFO", "nowhere"),
        ("INVITE", "nowhere"),
    ]
    .iter()
    .enumerate()
    {
        let body = if *method == "INVITE" {
            peer.sdp("sendrecv")
        } else {
            String::new()
        };
        let m = peer
            .ask(peer.request(method, &format!("n{i}"), 1, tag, "", &body))
            .await;
        assert_eq!(m.code(), 481, "{method} {tag}");
    }
    let m = peer.ask(peer.request("CANCEL", "n9", 1, "", "", "")).await;
    assert_eq!(m.code(), 481);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_at_the_door_come_back() {
    let (s, _, peer) = desk().await;
    let cases = [
        (
            peer.request(
                "INVITE",
                "d1",
                1,
                "",
                "Require: nothing\r\n",
                &peer.sdp("sendrecv"),
            ),
            420,
        ),
        (peer.request("REGISTER", "d2", 1, "", "", ""), 405),
        (
            peer.request("INVITE", "d3", 1, "", "", "")
                .replace(" SIP/2.0\r\n", " SIP/7.0\r\n"),
            505,
        ),
        (
            peer.request("INVITE", "d4", 1, "", "", "")
                .replace("CSeq: 1", "CSeq: x"),
            400,
        ),
        (
            peer.request(
                "INVITE",
                "d5",
                1,
                "",
                "",
                &peer.sdp("sendrecv").replace("AVP 0 101", "AVP 9 18"),
            ),
            488,
        ),
        (peer.request("INVITE", "d6", 1, "", "", "not a description"), 400),
    ];
    for (message, code) in cases {
        let m = peer.ask(message.clone()).await;
        assert_eq!(m.code(), code, "{message}");
        assert_eq!(m.header("Unsupported"), (code == 420).then_some("nothing"));
        assert_eq!(m.header("Allow").is_some(), code == 405);
    }
    until("no place is taken", || s.endpoint.active() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hold_and_resume_are_answered_and_told() {
    let (_s, list, mut peer) = desk().await;
    let (mut call, ok) = establish(&peer, &list, "h1").await;
    let tag = ok.to_tag();
    let rtp = rtp_of(ok.body());
    let mut version = 0;
    let steps = [
        ("sendonly", "recvonly", Some(CallEvent::Held)),
        ("inactive", "inactive", None),
        ("sendrecv", "sendrecv", Some(CallEvent::Resumed)),
        ("sendrecv", "sendrecv", None),
    ];
    for (i, (offered, answered, event)) in steps.into_iter().enumerate() {
        let cseq = 2 + i as u32;
        let m = peer
            .ask(peer.request("INVITE", "h1", cseq, &tag, "", &peer.sdp(offered)))
            .await;
        peer.send(peer.request("ACK", "h1", cseq, &tag, "", "")).await;
        assert_eq!((m.code(), direction(m.body())), (200, answered));
        assert_eq!(rtp_of(m.body()), rtp);
        let o = m.body().lines().find(|l| l.starts_with("o=")).unwrap();
        let v: u64 = o.split(' ').nth(2).unwrap().parse().unwrap();
        assert!(
            if i == 3 { v == version } else { v > version },
            "version {v} after {version}"
        );
        version = v;
        if let Some(event) = event {
            assert_eq!(soon(call.events.recv()).await, Some(event));
        }
    }
    // A re-INVITE without a description is answered with ours, the answer comes in the ACK.
    let m = peer.ask(peer.request("INVITE", "h1", 10, &tag, "", "")).await;
    assert_eq!((m.code(), direction(m.body())), (200, "sendrecv"));
    peer.send(peer.request("ACK", "h1", 10, &tag, "", &peer.sdp("sendonly")))
        .await;
    assert_eq!(soon(call.events.recv()).await, Some(CallEvent::Held));
    // Nothing in common: the call stays as it was.
    let m = peer
        .ask(peer.request(
            "INVITE",
            "h1",
            11,
            &tag,
            "",
            &peer.sdp("sendrecv").replace("AVP 0", "AVP 9"),
        ))
        .await;
    peer.send(peer.request("ACK", "h1", 11, &tag, "", "")).await;
    assert_eq!(m.code(), 488);
    peer.rtp(rtp).await;
    until("sound still arrives", || call.media.inbound.pop().is_some()).await;
    // An old number is out of order.
    assert_eq!(
        peer.ask(peer.request("INFO", "h1", 3, &tag, "", "")).await.code(),
        500
    );
    assert_eq!(
        peer.ask(peer.request("BYE", "h1", 12, &tag, "", "")).await.code(),
        200
    );
    assert_eq!(ended(&mut call).await, (HangupBy::Them, "bye".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_offer_is_met_with_ours() {
    let (_s, list, mut peer) = desk().await;
    let ok = peer.ask(peer.request("INVITE", "l1", 1, "", "", "")).await;
    assert_eq!(ok.code(), 200);
    assert!(ok.body().contains("m=audio") && ok.body().contains("telephone-event"));
    assert!(list.lock().await.is_empty());
    let answer = peer.sdp("sendrecv").replace("AVP 0 101", "AVP 8");
    peer.send(peer.request("ACK", "l1", 1, &ok.to_tag(), "", &answer))
        .await;
    let mut call = taken(&list).await;
    assert_eq!(call.codec, roomtone_audio::Codec::Pcma);
    peer.rtp(rtp_of(ok.body())).await;
    until("sound", || call.media.inbound.pop().is_some()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_ack_repeats_the_answer_and_ends_with_bye() {
    let (_s, list, peer) = desk().await;
    peer.send(peer.request("INVITE", "k1", 1, "", "", &peer.sdp("sendrecv")))
        .await;
    let mut answers = 0;
    let bye = loop {
        let m = peer.next(8_000).await.expect("answers, then BYE");
        if m.method() == "BYE" {
            break m;
        }
        answers += u32::from(m.code() == 200);
    };
    assert!(answers >= 8, "{answers} answers");
    peer.ok(&bye).await;
    let mut call = taken(&list).await;
    assert_eq!(ended(&mut call).await, (HangupBy::Failure, "no ack".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_bye_before_the_ack() {
    let (s, list, peer) = desk().await;
    let ok = peer
        .ask(peer.request("INVITE", "b1", 1, "", "", &peer.sdp("sendrecv")))
        .await;
    let call = taken(&list).await;
    soon(call.handle.hangup("changed our mind")).await;
    let early = peer.their_request(500).await;
    assert!(early.is_none(), "{early:?}");
    peer.send(peer.request("ACK", "b1", 1, &ok.to_tag(), "", ""))
        .await;
    let bye = peer.their_request(2_000).await.expect("BYE after the ACK");
    assert_eq!(bye.method(), "BYE");
    peer.ok(&bye).await;
    until("the place is free", || s.endpoint.active() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancel_before_the_answer_is_487() {
    let mut s = side(config()).await;
    let peer = Peer::new(s.endpoint.local_addr()).await;
    peer.send(peer.request("INVITE", "c1", 1, "", "", &peer.sdp("sendrecv")))
        .await;
    let incoming = soon(s.calls.recv()).await.unwrap();
    incoming.ring().await;
    peer.send(peer.request("CANCEL", "c1", 1, "", "", "")).await;
    let mut codes = [peer.final_response().await, peer.final_response().await]
        .map(|m| (m.code(), m.header("CSeq").unwrap().to_owned()));
    codes.sort();
    assert_eq!(
        codes,
        [(200, "1 CANCEL".to_owned()), (487, "1 INVITE".to_owned())]
    );
    soon(incoming.cancelled()).await;
    // A BYE does the same to an early dialog.
    peer.send(peer.request("INVITE", "c2", 1, "", "", &peer.sdp("sendrecv")))
        .await;
    let incoming = soon(s.calls.recv()).await.unwrap();
    incoming.ring().await;
    let ringing = loop {
        let m = peer.next(2_000).await.unwrap();
        if m.code() == 180 {
            break m;
        }
    };
    peer.send(peer.request("BYE", "c2", 2, &ringing.to_tag(), "", ""))
        .await;
    let mut codes = [
        peer.final_response().await.code(),
        peer.final_response().await.code(),
    ];
    codes.sort_unstable();
    assert_eq!(codes, [200, 487]);
    soon(incoming.cancelled()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_invite_is_one_call() {
    let mut s = side(config()).await;
    let mut peer = Peer::new(s.endpoint.local_addr()).await;
    let invite = peer.request("INVITE", "r1", 1, "", "", &peer.sdp("sendrecv"));
    for _ in 0..3 {
        peer.send(&invite).await;
    }
    let call = answer(&mut s).await;
    pause(200).await;
    assert!(s.calls.try_recv().is_err());
    assert_eq!(s.endpoint.active(), 1);
    // Sound is answered to where it comes from.
    let ok = peer.final_response().await;
    peer.rtp(rtp_of(ok.body())).await;
    until("sound", || call.media.stats.snapshot().received == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn junk_changes_nothing_and_is_not_answered() {
    let (s, list, peer) = desk().await;
    let (mut call, ok) = establish(&peer, &list, "j1").await;
    let junk: [&[u8]; 6] = [
        b"",
        b"\0\0\0\0",
        b"hello",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        &[0xff; 3000],
        b"INVITE sip:a@b SIP/2.0\r\n\r\n",
    ];
    for bytes in junk {
        peer.send(bytes).await;
    }
    assert!(peer.next(300).await.is_none());
    assert_eq!(s.endpoint.stats().junk, 6);
    peer.send(b"\r\n\r\n").await;
    assert_eq!(peer.next(1_000).await.unwrap().0, "\r\n");
    // The RTP port is no more talkative.
    let rtp = rtp_of(ok.body());
    for bytes in junk {
        peer.rtp.send_to(bytes, rtp).await.unwrap();
    }
    until("junk is counted", || call.media.stats.snapshot().junk >= 5).await;
    assert!(call.media.inbound.pop().is_none());
    assert_eq!(
        peer.ask(peer.request("BYE", "j1", 2, &ok.to_tag(), "", ""))
            .await
            .code(),
        200
    );
    ended(&mut call).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_by_info_are_heard_unless_they_come_by_rtp_too() {
    let (_s, list, peer) = desk().await;
    let (mut call, ok) = establish(&peer, &list, "i1").await;
    let info = |cseq, key| {
        let body = format!("Signal={key}\r\nDuration=160\r\n");
        let m = peer.request("INFO", "i1", cseq, &ok.to_tag(), "", &body);
        m.replace("application/sdp", "application/dtmf-relay")
    };
    assert_eq!(peer.ask(info(2, '7')).await.code(), 200);
    let mut heard = Vec::new();
    until("the key", || {
        common::listen(&mut call, &mut heard);
        common::digits(&heard) == "7"
    })
    .await;
    assert_eq!(peer.ask(info(3, '8')).await.code(), 200);
    let event = [0x80, 101, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 8, 0x8a, 3, 32];
    peer.rtp.send_to(&event, rtp_of(ok.body())).await.unwrap();
    pause(800).await;
    common::listen(&mut call, &mut heard);
    assert_eq!(common::digits(&heard), "78");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_behind_a_nat_is_hung_up_where_it_called_from() {
    let (_s, list, peer) = desk().await;
    let contact = format!("Contact: <sip:guest@127.0.0.1:{}>", peer.port());
    let hidden = |m: String| m.replace(&contact, "Contact: <sip:guest@192.168.77.77:5060>");
    let ok = peer
        .ask(hidden(peer.request(
            "INVITE",
            "x1",
            1,
            "",
            "",
            &peer.sdp("sendrecv"),
        )))
        .await;
    peer.send(hidden(peer.request("ACK", "x1", 1, &ok.to_tag(), "", "")))
        .await;
    let mut call = taken(&list).await;
    assert_eq!(soon(call.events.recv()).await, Some(CallEvent::Established));
    let handle = call.handle.clone();
    tokio::spawn(async move { handle.hangup("done").await });
    let bye = peer.their_request(2_000).await.expect("a BYE at the source");
    assert_eq!(bye.method(), "BYE");
    peer.ok(&bye).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_desk_says_when_to_try_again() {
    let (s, _, peer) = desk().await;
    s.endpoint.refuse_new(Some(roomtone_sip::Refusal {
        code: 503,
        reason: "updating".into(),
    }));
    let m = peer
        .ask(peer.request("INVITE", "y1", 1, "", "", &peer.sdp("sendrecv")))
        .await;
    assert_eq!((m.code(), m.header("Retry-After")), (503, Some("30")));
    assert_eq!(m.header("Reason"), Some("SIP;cause=503;text=\"updating\""));
    peer.send(peer.request("ACK", "y1", 1, "", "", "")).await;
    s.endpoint.refuse_new(None);
    assert_eq!(
        peer.ask(peer.request("INVITE", "y2", 1, "", "", &peer.sdp("sendrecv")))
            .await
            .code(),
        200
    );
}

/// Files of RFC 4475, if they are there.
fn torture_files() -> Vec<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec/rfc4475");
    let folder = std::env::var_os("ROOMTONE_RFC4475").map_or(beside, PathBuf::from);
    let mut files = Vec::new();
    let mut folders = vec![folder];
    while let Some(f) = folders.pop() {
        for entry in std::fs::read_dir(f).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "dat") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn rfc_4475_leaves_the_endpoint_alive() {
    let files = torture_files();
    if files.is_empty() {
        println!("skipped: RFC 4475 files not found");
        return;
    }
    let (s, _, peer) = desk().await;
    for path in &files {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let original = std::fs::read(path).unwrap();
        peer.send(&original[..original.len().min(60_000)]).await;
        // Mutations: cut, flipped, doubled.
        for k in 1..12usize {
            let mut bytes = original.clone();
            match k % 3 {
                0 => bytes.truncate(bytes.len() * k / 12),
                1 => {
                    let at = bytes.len() * k / 12;
                    bytes[at] ^= 0x20 | k as u8;
                }
                _ => {
                    let at = bytes.len() * k / 12;
                    bytes.splice(at..at, original[..at.min(40)].to_vec());
                }
            }
            bytes.truncate(60_000);
            peer.send(&bytes).await;
        }
        while peer.next(5).await.is_some() {}
        let alive = peer.request("OPTIONS", &format!("alive-{name}"), 1, "", "", "");
        peer.send(alive).await;
        let found = loop {
            let m = peer.next(3_000).await;
            let Some(m) = m else { break false };
            if m.header("Call-ID") == Some(&format!("alive-{name}")) {
                break m.code() == 200;
            }
        };
        assert!(found, "no life after {name}");
    }
    println!("{} files, {:?}", files.len(), s.endpoint.stats());
}
