//! The telephone calls an endpoint of ours that behaves like a desk.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::{sync::Arc, time::Duration};

use roomtone_audio::{Codec, Encoded, Payload, g711};
use roomtone_base::{IdSource, NoEvidence, Rng, SharedClock, SystemClock};
use roomtone_lab::{
    CallPlan, CallResult, Clip, Hangup, Softphone, TalkEvent, TalkPlan,
    ear::{Ear, EarSettings, Noticed, level_dbfs},
    script::{Manners, Start},
    wav,
};
use roomtone_sip::{Call, CallEvent, Deps, Endpoint, Incoming, PortRange, SipConfig};
use tokio::sync::mpsc::{self, error::TryRecvError};

fn deps(clock: &SharedClock) -> Deps {
    let ids = IdSource::new(clock.clone(), Rng::from_entropy());
    Deps {
        clock: clock.clone(),
        ids,
        evidence: Arc::new(NoEvidence),
    }
}

async fn both() -> (Softphone, Endpoint, mpsc::Receiver<Incoming>, String) {
    let clock = SystemClock::shared();
    let phone = Softphone::bind("127.0.0.1:0".parse().unwrap(), deps(&clock))
        .await
        .unwrap();
    let listen = "127.0.0.1:0".parse().unwrap();
    let config = SipConfig {
        listen,
        rtp_ports: PortRange::ANY,
        ..SipConfig::default()
    };
    let (endpoint, calls) = Endpoint::bind(config, deps(&clock)).await.unwrap();
    let target = format!("sip:desk@{}", endpoint.local_addr());
    (phone, endpoint, calls, target)
}

fn tone(ms: usize, amplitude: f32) -> Vec<i16> {
    (0..ms * 8)
        .map(|i| (amplitude * (i as f32 * 0.35).sin()) as i16)
        .collect()
}

fn is_over(call: &mut Call) -> bool {
    matches!(
        call.events.try_recv(),
        Ok(CallEvent::Ended { .. }) | Err(TryRecvError::Disconnected)
    )
}

/// Sends everything back.
async fn echo(mut call: Call, digits: mpsc::UnboundedSender<char>) {
    while !is_over(&mut call) {
        while let Some(record) = call.media.inbound.pop() {
            match record.payload {
                Payload::Audio(_) => drop(call.media.outbound.push(record)),
                Payload::Digit { digit, .. } => drop(digits.send(char::from(digit))),
                Payload::Lost { .. } => {}
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_plays_presses_records_and_reports() {
    let (phone, _endpoint, mut calls, target) = both().await;
    let (sender, mut digits) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(c) = calls.recv().await {
            tokio::spawn(echo(c.answer().await.unwrap(), sender.clone()));
        }
    });
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("heard.wav");
    let plan = CallPlan {
        target,
        play: Some(tone(450, 8_000.0)),
        record: Some(path.clone()),
        dtmf: "42#".into(),
        hangup_after: Some(Duration::from_millis(2_000)),
        codec: Some(Codec::Pcma),
    };
    let report = phone.call_once(plan).await.unwrap();
    assert_eq!(
        (report.result, report.sip_code, report.hangup),
        (CallResult::Answered, 200, Some(Hangup::Us))
    );
    assert_eq!(
        (report.codec, report.digits_sent.as_str()),
        (Some(Codec::Pcma), "42#")
    );
    assert!((1_900..2_400).contains(&report.duration_ms), "{report:?}");
    assert!((90..=110).contains(&report.sent_packets), "{report:?}");
    assert!(
        report.received_packets > 60 && report.lost_packets == 0,
        "{report:?}"
    );
    assert!(report.first_audio_ms.is_some_and(|ms| ms < 200), "{report:?}");
    assert_eq!(report.record.as_deref(), Some(path.as_path()));
    let got: String = std::iter::from_fn(|| digits.try_recv().ok()).collect();
    assert_eq!(got, "42#");
    // What came back is what was said, up to A-law.
    let heard = wav::read(&path).unwrap();
    let said: Vec<i16> = tone(450, 8_000.0)
        .iter()
        .map(|s| g711::decode_alaw(g711::encode_alaw(*s)))
        .collect();
    let at = heard.windows(said.len()).position(|w| w == said);
    assert!(at.is_some(), "the recording does not hold what was played");
    phone.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_desk_is_reported_as_busy() {
    let (phone, _endpoint, mut calls, target) = both().await;
    tokio::spawn(async move {
        calls.recv().await.unwrap().refuse(486, "").await;
        calls.recv().await.unwrap().refuse(603, "no").await;
        calls
    });
    for (result, code) in [(CallResult::Busy, 486), (CallResult::Refused, 603)] {
        let plan = CallPlan::listen(target.clone(), Duration::from_secs(1));
        let report = phone.call_once(plan).await.unwrap();
        assert_eq!(
            (report.result, report.sip_code, report.hangup),
            (result, code, None)
        );
    }
}

/// A desk: greets, answers each utterance after `think`, falls silent when spoken over.
async fn desk(mut call: Call, think: Duration) {
    let mut ear = Ear::new(EarSettings::default());
    let clock = SystemClock::shared();
    let mut say: Vec<i16> = tone(900, 6_000.0);
    let mut answer_at = None;
    while !is_over(&mut call) {
        let now = clock.mono();
        while let Some(record) = call.media.inbound.pop() {
            let pcm: Vec<i16> = record.bytes().iter().map(|b| g711::decode_ulaw(*b)).collect();
            match ear.packet(now, level_dbfs(&pcm)) {
                Some(Noticed::Started(_)) => say.clear(),
                Some(Noticed::Ended(_)) => answer_at = Some(now + think),
                None => {}
            }
        }
        if answer_at.is_some_and(|at| now >= at) {
            answer_at = None;
            say = tone(3_000, 6_000.0);
        }
        while call.media.outbound.len() < 2 {
            let mut frame: Vec<i16> = say.drain(..say.len().min(160)).collect();
            frame.resize(160, 0);
            let bytes: Vec<u8> = frame.iter().map(|s| g711::encode_ulaw(*s)).collect();
            call.media.outbound.push(Encoded::audio(Codec::Pcmu, &bytes));
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_takes_turns_interrupts_and_measures() {
    let (phone, _endpoint, mut calls, target) = both().await;
    tokio::spawn(async move {
        let call = calls.recv().await.unwrap().answer().await.unwrap();
        desk(call, Duration::from_millis(200)).await;
    });
    let clip = |start| Clip {
        // A quiet tail, as recordings have.
        pcm: [tone(500, 8_000.0), vec![0; 1_600]].concat(),
        text: "hello".into(),
        start,
    };
    let interrupt = Start::Interrupt {
        after: Duration::from_millis(800),
    };
    let mut plan = TalkPlan::new(target, vec![clip(Start::WhenQuiet), clip(interrupt)]);
    plan.manners = Manners {
        quiet_after: Duration::from_millis(500),
        max_wait: Duration::from_secs(8),
    };
    plan.codec = Some(Codec::Pcmu);
    let (sender, mut events) = mpsc::unbounded_channel();
    let talk = phone.converse(plan, sender).await.unwrap();
    let name = |e| match e {
        TalkEvent::Answered { .. } => "answered",
        TalkEvent::ClipStarted { .. } => "clip",
        TalkEvent::ClipEnded { .. } => "clip-end",
        TalkEvent::FarSpeechStarted { .. } => "far",
        TalkEvent::FarSpeechEnded { .. } => "far-end",
        TalkEvent::FarDucked { .. } => "ducked",
        TalkEvent::HungUp { .. } => "over",
    };
    let names: Vec<&str> = std::iter::from_fn(|| events.try_recv().ok()).map(name).collect();
    let want = ["answered", "far", "far-end", "clip", "clip-end", "far", "clip"];
    assert_eq!(names[..want.len()], want, "{names:?}");
    let rest = &names[want.len()..];
    assert!(
        rest.contains(&"ducked") && rest.contains(&"clip-end") && rest.last() == Some(&"over"),
        "{names:?}"
    );
    let replies = talk.record.replies(2, -45.0);
    assert_eq!(replies.len(), 2, "{replies:?}");
    // 240 ms until the desk is sure, 200 ms of thinking, a few packets of buffers.
    for r in &replies {
        assert!(
            (440..700).contains(&(r.delay().as_millis() as u64)),
            "{:?}",
            r.delay()
        );
    }
    let yields = talk.record.yields(&[1], -45.0);
    assert_eq!(yields.len(), 1);
    assert!(
        yields[0].delay() < Duration::from_millis(250),
        "{:?}",
        yields[0].delay()
    );
    assert_eq!(talk.report.lost_packets, 0);
}
