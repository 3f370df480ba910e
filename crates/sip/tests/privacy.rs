//! Logs hold no caller's name or number.
#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use common::{answer, config, ended, pause, side, soon, until};
use roomtone_sip::CallOptions;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_logged_by_its_ids_alone() {
    let lines = Lines::default();
    let sink = lines.clone();
    // All of ours in every detail; the library below as the program has to set it.
    let filter = format!("trace,{}=off", roomtone_sip::QUIET_TARGET);
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(filter))
        .with_ansi(false)
        .with_writer(move || sink.clone())
        .init();
    let (a, mut b) = (side(config()).await, side(config()).await);
    let target = b.target().replace("desk", "room-number-4711");
    let options = CallOptions {
        from_user: "+393331234567".into(),
        from_display: Some("Jane Guest".into()),
        headers: vec![("X-Account".into(), "vip-7788".into())],
        ..CallOptions::default()
    };
    let (ours, mut theirs) = tokio::join!(a.endpoint.call(&target, options), answer(&mut b));
    let info = theirs.info.clone();
    assert_eq!(info.from_user.as_deref(), Some("+393331234567"));
    assert_eq!(info.from_display.as_deref(), Some("Jane Guest"));
    assert_eq!(info.headers, [("X-Account".to_owned(), "vip-7788".to_owned())]);
    soon(theirs.events.recv()).await;
    ours.unwrap().handle.hangup("done").await;
    ended(&mut theirs).await;
    // Refusals at both doors, and a message that cannot be read.
    let junk = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let bad =
        "INVITE sip:4711@x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1\r\nFrom: <sip:+393331234567@x>\r\n\r\n";
    junk.send_to(bad.as_bytes(), b.endpoint.local_addr()).unwrap();
    until("the refusal", || b.endpoint.stats().refused == 1).await;
    pause(100).await;
    tracing::info!("{info:?} {:?}", b.endpoint);

    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    for secret in ["3331234567", "Jane", "4711", "7788"] {
        let told: Vec<&str> = text.lines().filter(|l| l.contains(secret)).collect();
        assert!(told.is_empty(), "{secret}: {told:#?}");
    }
    let ids = format!("call={} trace={}", info.call_id, info.trace);
    for word in ["incoming call", "answered", "ended"] {
        assert!(
            text.lines().any(|l| l.contains(word) && l.contains(&ids)),
            "{word}: {text}"
        );
    }
}
