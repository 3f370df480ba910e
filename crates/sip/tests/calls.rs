//! Two endpoints of ours call each other over loopback.
#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use std::time::Duration;

use common::{answer, config, digits, ended, frame, listen, pause, side, soon, sound, talk, until};
use roomtone_sip::{CallEvent, CallOptions, HangupBy, PortRange, Refusal, SipConfig};

#[tokio::test(flavor = "multi_thread")]
async fn sound_is_bit_exact_both_ways_and_digits_arrive() {
    let (a, mut b) = (side(config()).await, side(config()).await);
    let target = b.target();
    let (ours, mut theirs) = tokio::join!(a.endpoint.call(&target, CallOptions::default()), answer(&mut b));
    let mut ours = ours.unwrap();
    assert_eq!(theirs.info.from_user.as_deref(), Some("roomtone"));
    assert_eq!(theirs.info.to_user.as_deref(), Some("desk"));
    assert_eq!(theirs.info.offered, ["PCMU", "PCMA", "telephone-event"]);
    assert_eq!(soon(theirs.events.recv()).await, Some(CallEvent::Established));

    let (mut heard_here, mut heard_there) = (Vec::new(), Vec::new());
    tokio::join!(
        talk(&mut ours, 50, 0, &mut heard_here),
        talk(&mut theirs, 50, 0xaa, &mut heard_there)
    );
    for d in "19*#".chars() {
        ours.handle.send_digit(d, Duration::from_millis(60)).unwrap();
    }
    until("digits", || {
        listen(&mut ours, &mut heard_here);
        listen(&mut theirs, &mut heard_there);
        digits(&heard_there).len() == 4
    })
    .await;
    let said = |salt| (0..50).flat_map(|i| frame(i, salt)).collect::<Vec<u8>>();
    assert!(
        sound(&heard_there) == said(0),
        "what they heard is not what we said"
    );
    assert!(
        sound(&heard_here) == said(0xaa),
        "what we heard is not what they said"
    );
    assert_eq!(digits(&heard_there), "19*#");
    let stats = theirs.media.stats.snapshot();
    assert_eq!(
        (stats.lost, stats.duplicates, stats.junk, stats.inbound_drops),
        (0, 0, 0, 0)
    );

    ours.handle.hangup("done").await;
    assert_eq!(ended(&mut ours).await, (HangupBy::Us, "done".into()));
    assert_eq!(ended(&mut theirs).await, (HangupBy::Them, "bye".into()));
    until("calls are over", || {
        a.endpoint.active() + b.endpoint.active() == 0
    })
    .await;
    assert_eq!(
        b.steps(),
        ["sip.invite", "sip.answered", "rtp.first_packet", "sip.ended"]
    );
    let traces: Vec<_> = b.evidence.records().iter().map(|e| e.trace.clone()).collect();
    assert!(traces.iter().all(|t| *t == theirs.info.trace));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_callee_hangs_up() {
    let (a, mut b) = (side(config()).await, side(config()).await);
    let target = b.target();
    let (ours, mut theirs) = tokio::join!(a.endpoint.call(&target, CallOptions::default()), answer(&mut b));
    let mut ours = ours.unwrap();
    assert_eq!(soon(theirs.events.recv()).await, Some(CallEvent::Established));
    theirs.handle.hangup("goodbye").await;
    assert_eq!(ended(&mut theirs).await, (HangupBy::Us, "goodbye".into()));
    assert_eq!(ended(&mut ours).await, (HangupBy::Them, "bye".into()));
    until("calls are over", || {
        a.endpoint.active() + b.endpoint.active() == 0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tagged_record_is_reported_when_it_left() {
    let (a, mut b) = (side(config()).await, side(config()).await);
    let target = b.target();
    let (ours, _theirs) = tokio::join!(a.endpoint.call(&target, CallOptions::default()), answer(&mut b));
    let mut ours = ours.unwrap();
    let mut record = roomtone_audio::Encoded::audio(ours.codec, &frame(0, 0));
    record.tag = 77;
    ours.media.outbound.push(record);
    until("the report", || {
        ours.media.sent.pop().is_some_and(|s| s.tag == 77)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn giving_up_before_the_answer_cancels() {
    let (a, mut b) = (side(config()).await, side(config()).await);
    let (endpoint, target) = (a.endpoint.clone(), b.target());
    let placing = tokio::spawn(async move { endpoint.call(&target, CallOptions::default()).await });
    let incoming = soon(b.calls.recv()).await.unwrap();
    incoming.ring().await;
    pause(100).await;
    assert!(!incoming.is_cancelled());
    placing.abort();
    soon(incoming.cancelled()).await;
    assert!(incoming.answer().await.is_err());
    until("calls are over", || {
        a.endpoint.active() + b.endpoint.active() == 0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_reach_the_caller_with_code_and_reason() {
    let (a, mut b) = (
        side(config()).await,
        side(SipConfig {
            max_calls: 1,
            ..config()
        })
        .await,
    );
    let target = b.target();
    // Refused by the program.
    let refuse = async {
        soon(b.calls.recv())
            .await
            .unwrap()
            .refuse(480, "closed until May")
            .await
    };
    let (result, ()) = tokio::join!(a.endpoint.call(&target, CallOptions::default()), refuse);
    let failed = result.unwrap_err();
    assert_eq!(
        (failed.sip_code, failed.reason.as_str()),
        (480, "closed until May")
    );
    // Dropped by the program.
    let forget = async { drop(soon(b.calls.recv()).await.unwrap()) };
    let (result, ()) = tokio::join!(a.endpoint.call(&target, CallOptions::default()), forget);
    assert_eq!(result.unwrap_err().sip_code, 480);
    until("the places are free", || b.endpoint.active() == 0).await;
    // No place.
    let (first, _theirs) = tokio::join!(a.endpoint.call(&target, CallOptions::default()), answer(&mut b));
    assert_eq!(
        soon(a.endpoint.call(&target, CallOptions::default()))
            .await
            .unwrap_err()
            .sip_code,
        486
    );
    first.unwrap().handle.hangup("done").await;
    // No calls just now.
    b.endpoint.refuse_new(Some(Refusal {
        code: 503,
        reason: "updating".into(),
    }));
    let failed = soon(a.endpoint.call(&target, CallOptions::default()))
        .await
        .unwrap_err();
    assert_eq!((failed.sip_code, failed.reason.as_str()), (503, "updating"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_not_allowed_gets_403() {
    let a = side(config()).await;
    let b = side(SipConfig {
        allow: vec!["203.0.113.0/24".parse().unwrap()],
        ..config()
    })
    .await;
    assert_eq!(
        soon(a.endpoint.call(&b.target(), CallOptions::default()))
            .await
            .unwrap_err()
            .sip_code,
        403
    );
    assert_eq!(b.endpoint.stats().refused, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_there_is_408_and_nonsense_is_0() {
    let a = side(config()).await;
    let dead = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let target = format!("sip:x@{}", dead.local_addr().unwrap());
    assert_eq!(
        soon(a.endpoint.call(&target, CallOptions::default()))
            .await
            .unwrap_err()
            .sip_code,
        408
    );
    for target in ["", "desk", "tel:123", "sips:x@127.0.0.1", "sip:x@host.invalid"] {
        let failed = soon(a.endpoint.call(target, CallOptions::default()))
            .await
            .unwrap_err();
        assert_eq!(failed.sip_code, 0, "{target}");
    }
    until("calls are over", || a.endpoint.active() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_calls_leave_no_port_place_or_task_behind() {
    let ip = std::net::Ipv4Addr::LOCALHOST;
    let free = |first: &u16| (*first..*first + 6).all(|p| std::net::UdpSocket::bind((ip, p)).is_ok());
    let first = (21_000u16..50_000).step_by(100).find(free).unwrap();
    let range = PortRange {
        first,
        last: first + 5,
    };
    let (a, mut b) = (
        side(config()).await,
        side(SipConfig {
            rtp_ports: range,
            ..config()
        })
        .await,
    );
    let target = b.target();
    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    for i in 0..50 {
        let (ours, theirs) = tokio::join!(a.endpoint.call(&target, CallOptions::default()), answer(&mut b));
        let (ours, mut theirs) = (ours.unwrap(), theirs);
        if i % 2 == 0 {
            ours.handle.hangup("done").await;
            ended(&mut theirs).await;
        } else {
            soon(theirs.events.recv()).await;
            theirs.handle.hangup("done").await;
        }
    }
    until("calls are over", || {
        a.endpoint.active() + b.endpoint.active() == 0
    })
    .await;
    assert!(free(&first), "ports are still taken");
    until("tasks have ended", || {
        tokio::runtime::Handle::current().metrics().num_alive_tasks() <= tasks
    })
    .await;
    until("transactions have ended", || {
        a.endpoint.stats().transactions + b.endpoint.stats().transactions == 0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_hangs_up_and_frees_the_port() {
    let (a, mut b) = (side(config()).await, side(config()).await);
    let target = b.target();
    let (ours, mut theirs) = tokio::join!(a.endpoint.call(&target, CallOptions::default()), answer(&mut b));
    let mut ours = ours.unwrap();
    soon(theirs.events.recv()).await;
    let address = b.endpoint.local_addr();
    soon(b.endpoint.close()).await;
    assert_eq!(ended(&mut ours).await.0, HangupBy::Them);
    drop(b);
    until("the port is free", || std::net::UdpSocket::bind(address).is_ok()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_an_error_with_a_remedy() {
    let a = side(config()).await;
    let config = SipConfig {
        listen: a.endpoint.local_addr(),
        ..config()
    };
    let error = roomtone_sip::Endpoint::bind(config, common::deps().0)
        .await
        .unwrap_err();
    assert!(roomtone_base::Remedy::remedy(&error).is_some(), "{error}");
}
