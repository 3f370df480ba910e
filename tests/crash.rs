//! The program ends in the middle of calls: by a power cut, or because it is told to.
#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::{collections::BTreeMap, time::Duration};

use roomtone_base::{Mono, Rng};
use roomtone_lab::{CallPlan, CallResult};
use roomtone_sip::HangupBy;
use rustix::process::Signal;
use support::{
    Place, call_ids,
    caller::{Caller, packets_of_speech, phone, voice, voice_of},
    engines_missing, now,
};

/// The tests here take turns: one measures time, the other keeps the machine busy.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Questions of callers who speak at once, each with an answer of its own.
const TALK: [(&str, &str); 4] = [
    ("what time is breakfast", "Breakfast is from"),
    ("is there parking", "Yes, you can park"),
    ("what is the wifi password", "The wi-fi is free"),
    ("what time is check out", "Check-out is at"),
];

/// Who has been answered, as live output says: an answer is shown when its first packet is on the wire.
fn acknowledged(lines: &[String]) -> BTreeMap<&'static str, usize> {
    let count = |answer| {
        let shown = lines.iter().filter_map(|l| l.strip_prefix("    desk  "));
        shown.filter(|l| l.starts_with(answer)).count()
    };
    TALK.iter()
        .map(|(question, answer)| (*question, count(*answer)))
        .collect()
}

/// Asks the same again and again.
async fn ask(target: String, sound: Vec<i16>, asked: tokio::sync::watch::Receiver<bool>) {
    let caller = Caller::call(&target).await;
    let mut since = Mono::ZERO;
    while !*asked.borrow() {
        caller.their_turn_is_over(since).await;
        since = now();
        caller.say(&sound);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_loses_no_turn_that_was_answered() {
    if engines_missing() {
        return;
    }
    let _turn = TURN.lock().await;
    let place = Place::new("");
    let sounds: Vec<Vec<i16>> = TALK.iter().map(|(question, _)| voice(question)).collect();
    let rng = Rng::seeded(3);
    for round in 0..3 {
        let running = place.start();
        running.warm().await;
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let callers: Vec<_> = sounds
            .iter()
            .map(|sound| tokio::spawn(ask(running.target(), sound.clone(), stopped.clone())))
            .collect();
        // The cut comes with an answer, or a little after it.
        let answers = 4 + round * 2;
        let began = now();
        while acknowledged(&running.out.all()).values().sum::<usize>() < answers {
            assert!(
                now().since(began) < Duration::from_secs(60),
                "{:#?}",
                running.out.all()
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        tokio::time::sleep(Duration::from_millis(rng.below(300))).await;
        let lines = running.kill();
        stop.send(true).unwrap();
        callers.iter().for_each(tokio::task::JoinHandle::abort);

        let calls = call_ids(&lines);
        assert_eq!(calls.len(), TALK.len(), "round {round}: {lines:#?}");
        let mut written: BTreeMap<&str, usize> = BTreeMap::new();
        for call in &calls {
            let transcript = place.transcript(call);
            assert!(transcript.0["ended"].is_null(), "{transcript:?}");
            for pair in transcript.said().windows(2) {
                let known = TALK.iter().find(|(question, _)| pair[0] == ("caller", *question));
                if let Some((question, answer)) = known
                    && pair[1].0 == "desk"
                    && pair[1].1.starts_with(answer)
                {
                    *written.entry(*question).or_default() += 1;
                }
            }
        }
        for (question, times) in acknowledged(&lines) {
            let kept = written.get(question).copied().unwrap_or(0);
            assert!(
                kept >= times,
                "round {round}, {question}: {kept} of {times} are kept; {lines:#?}"
            );
        }
    }
    // The state is whole: the box starts on it, answers, and writes down.
    let running = place.start();
    let caller = Caller::call(&running.target()).await;
    caller.their_turn_is_over(Mono::ZERO).await;
    caller.say_all(&sounds[0]).await;
    running.out.see("the answer", |l| l.contains(TALK[0].1)).await;
    caller.hang_up().await;
    let transcript = place.ended_transcript("last").await;
    let answer = transcript.answer_to(TALK[0].0).unwrap();
    assert!(answer["text"].as_str().unwrap().starts_with(TALK[0].1));
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_it_says_goodbye_within_two_seconds() {
    if engines_missing() {
        return;
    }
    let _turn = TURN.lock().await;
    let place = Place::new("");
    let closing = roomtone_voice::VoiceConfig::default().closing;
    let words = packets_of_speech(&voice_of("slt", &closing));
    let mut running = place.start();
    running.warm().await;
    let (talking, listening, chatty) = (
        Caller::call(&running.target()).await,
        Caller::call(&running.target()).await,
        Caller::call(&running.target()).await,
    );
    // One is quiet, another one hears the greeting, the third talks and talks: all are told.
    talking.their_turn_is_over(Mono::ZERO).await;
    chatty.say(&voice_of("rms", TALK[0].0).repeat(8));
    tokio::time::sleep(Duration::from_millis(700)).await;
    let phone = phone().await;
    let asked = now();
    running.signal(Signal::TERM);
    running
        .err
        .see("the order to stop", |l| l.contains("stopping"))
        .await;
    let began = talking.hears(asked + Duration::from_millis(40)).await;
    assert!(
        began.since(asked) < Duration::from_millis(800),
        "{:?}",
        began.since(asked)
    );
    let late = phone
        .call_once(CallPlan::listen(running.target(), Duration::from_millis(100)))
        .await
        .unwrap();
    assert_eq!((late.result, late.sip_code), (CallResult::Refused, 503));
    for caller in [&talking, &listening, &chatty] {
        let (over, by) = caller.over().await;
        assert_eq!(by, HangupBy::Them);
        assert!(
            over.since(asked) < Duration::from_secs(2),
            "{:?}",
            over.since(asked)
        );
        let (packets, loudest, tail) = caller.heard_after(asked + Duration::from_millis(40));
        // All of the words, and not broken off in the middle of the last one.
        assert!(
            packets * 10 >= words * 9 && loudest > -40.0,
            "{packets} of {words} packets, {loudest} dBFS"
        );
        assert!(tail >= 2, "the line is cut in the middle of a word");
    }
    let status = running.ended().await;
    let took = now().since(asked);
    println!("stopped after {took:?}");
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert!(!running.err.all().iter().any(|l| l.contains("panicked")));
    let transcript = place.transcript("last");
    assert!(!transcript.0["ended"].is_null(), "{transcript:?}");
    phone.close().await;
}
