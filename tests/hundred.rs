//! A hundred calls leave nothing behind.
#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::{fs, time::Duration};

use roomtone_lab::{CallPlan, CallResult, Softphone};
use support::{
    PATIENCE, Place, Roomtone,
    caller::{phone, voice},
    engines_missing, now,
};

/// What calls may cost for good.
const MEMORY_KIB: u64 = 8 * 1_024;

/// What a process holds.
#[derive(Debug)]
struct Holds {
    files: usize,
    threads: usize,
    sockets: usize,
    memory_kib: u64,
}

fn holds(running: &Roomtone) -> Holds {
    let of = |what: &str| format!("/proc/{}/{what}", running.pid());
    let entries = |what: &str| fs::read_dir(of(what)).unwrap().count();
    let status = fs::read_to_string(of("status")).unwrap();
    let resident = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap();
    Holds {
        files: entries("fd"),
        threads: entries("task"),
        sockets: running.udp_ports().len(),
        memory_kib: resident.trim().trim_end_matches(" kB").parse().unwrap(),
    }
}

fn short(target: String) -> CallPlan {
    CallPlan::listen(target, Duration::from_millis(150))
}

async fn answered(phone: &Softphone, plan: CallPlan) {
    let report = phone.call_once(plan).await.unwrap();
    assert_eq!(report.result, CallResult::Answered, "{report:?}");
    assert!(report.received_packets > 0, "{report:?}");
}

async fn all_over(running: &Roomtone, calls: usize) {
    let began = now();
    while running.out.count(|l| l.contains(" ended by ")) < calls {
        assert!(
            now().since(began) < PATIENCE,
            "not all of {calls} calls end: {:#?}",
            running.out.all()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Calls at once: some only listen, some speak, some press keys.
async fn together(running: &Roomtone, phone: &Softphone, question: &[i16], talkative: bool) {
    let mut calls = Vec::new();
    for i in 0..10 {
        let mut plan = short(running.target());
        if talkative {
            plan.play = (i % 2 == 0).then(|| question.to_vec());
            plan.dtmf = if i % 5 == 1 { "1".into() } else { String::new() };
            plan.hangup_after = Some(Duration::from_secs(4));
        }
        let phone = phone.clone();
        calls.push(tokio::spawn(async move { answered(&phone, plan).await }));
    }
    for call in calls {
        call.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_calls_leave_nothing_behind() {
    if engines_missing() {
        return;
    }
    let place = Place::new("");
    let running = place.start();
    running.warm().await;
    let phone = phone().await;
    let question = voice("what time is breakfast");
    // The first ten speak at once, so that every recogniser that there may be is made.
    together(&running, &phone, &question, true).await;
    all_over(&running, 10).await;
    let first = holds(&running);
    assert_eq!(first.sockets, 1, "{first:?}");
    let mut calls = 10;
    for _ in 0..40 {
        answered(&phone, short(running.target())).await;
    }
    calls += 40;
    for round in 0..5 {
        together(&running, &phone, &question, round == 2).await;
        calls += 10;
    }
    all_over(&running, calls).await;
    assert_eq!((calls, running.calls().len()), (100, 100));
    // Threads that wait for work end after a while.
    let began = now();
    let last = loop {
        let last = holds(&running);
        let back =
            last.files <= first.files && last.threads <= first.threads && last.sockets == first.sockets;
        if back && last.memory_kib <= first.memory_kib + MEMORY_KIB || now().since(began) > PATIENCE {
            break last;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    println!("after ten calls {first:?}, after a hundred {last:?}");
    assert!(last.files <= first.files, "{first:?} {last:?}");
    assert!(last.threads <= first.threads, "{first:?} {last:?}");
    assert_eq!(last.sockets, first.sockets, "{first:?} {last:?}");
    assert!(
        last.memory_kib <= first.memory_kib + MEMORY_KIB,
        "{first:?} {last:?}"
    );
    let err = running.err.clone();
    assert_eq!(running.stop().await.code(), Some(0));
    assert_eq!(
        err.count(|l| l.contains("stopping") && l.contains("calls=0")),
        1,
        "{:#?}",
        err.all()
    );
    phone.close().await;
}
