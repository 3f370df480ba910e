//! Calls by sipp, the load generator of the trade.
#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use std::{
    path::Path,
    process::{Command, Stdio},
};

use common::{config, side, until};

const PROGRAM: &str = "/usr/bin/sipp";

#[tokio::test(flavor = "multi_thread")]
async fn sipp_makes_twenty_calls_without_a_failure() {
    if !Path::new(PROGRAM).exists() {
        println!("skipped: sipp is not installed");
        return;
    }
    let mut b = side(config()).await;
    let (_, nothing) = tokio::sync::mpsc::channel(1);
    let mut calls = std::mem::replace(&mut b.calls, nothing);
    tokio::spawn(async move {
        while let Some(incoming) = calls.recv().await {
            tokio::spawn(async move {
                incoming.ring().await;
                let mut call = incoming.answer().await.unwrap();
                while call.events.recv().await.is_some() {}
            });
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let mut run = Command::new(PROGRAM);
    run.current_dir(folder.path())
        .args([
            "-sn",
            "uac",
            "-i",
            "127.0.0.1",
            "-m",
            "20",
            "-r",
            "20",
            "-l",
            "10",
            "-d",
            "300",
            "-timeout",
            "30",
        ])
        .args(["-timeout_error", "-nostdin"])
        .arg(b.endpoint.local_addr().to_string())
        .stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || run.output().unwrap())
        .await
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    until("calls are over", || b.endpoint.active() == 0).await;
    let invites = b.steps().iter().filter(|s| *s == "sip.answered").count();
    assert_eq!(invites, 20);
}
