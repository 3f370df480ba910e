//! Whole calls with baresip, a telephone of somebody else's making.
#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use std::{
    fs,
    net::UdpSocket,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use common::{config, ended, listen, pause, side, soon};
use roomtone_audio::{Codec, Encoded, Payload, g711};
use roomtone_sip::{Call, CallEvent, CallOptions, HangupBy};

const PROGRAM: &str = "/usr/bin/baresip";
const MODULES: &str = "/usr/lib/baresip/modules";
/// Theirs and ours, Hz.
const THEIR_TONE: f32 = 600.0;
const OUR_TONE: f32 = 1_000.0;

struct Baresip {
    child: Child,
    folder: tempfile::TempDir,
    port: u16,
}

impl Drop for Baresip {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn tone(hz: f32, seconds: f32) -> Vec<i16> {
    let n = (8_000.0 * seconds) as usize;
    (0..n)
        .map(|i| (8_000.0 * (std::f32::consts::TAU * hz * i as f32 / 8_000.0).sin()) as i16)
        .collect()
}

/// Share of the power that is at `hz` (Goertzel).
fn share(pcm: &[i16], hz: f32) -> f32 {
    let w = std::f64::consts::TAU * f64::from(hz) / 8_000.0;
    let (mut a, mut b, mut power) = (0.0f64, 0.0f64, 0.0f64);
    for s in pcm {
        let x = f64::from(*s);
        (a, b) = (x + 2.0 * w.cos() * a - b, a);
        power += x * x;
    }
    let at = a * a + b * b - 2.0 * w.cos() * a * b;
    (2.0 * at / (pcm.len() as f64 * power.max(1.0))) as f32
}

impl Baresip {
    fn start(account: &str, command: Option<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().display().to_string();
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 8_000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut wav = hound::WavWriter::create(folder.path().join("say.wav"), spec).unwrap();
        // It hangs up when its file ends: longer than any call here.
        for s in tone(THEIR_TONE, 30.0) {
            wav.write_sample(s).unwrap();
        }
        wav.finalize().unwrap();
        fs::create_dir(folder.path().join("heard")).unwrap();
        let port = UdpSocket::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let settings = format!(
            "sip_listen 127.0.0.1:{port}\nnet_interface 127.0.0.1\naudio_source aufile,{dir}/say.wav\n\
             audio_player aubridge,nowhere\nsnd_path {dir}/heard\nmodule_path {MODULES}\nmodule g711.so\n\
             module aufile.so\nmodule aubridge.so\nmodule sndfile.so\nmodule_app account.so\nmodule_app menu.so\n"
        );
        fs::write(folder.path().join("config"), settings).unwrap();
        fs::write(
            folder.path().join("accounts"),
            format!("<sip:them@127.0.0.1:{port}>;regint=0;{account}\n"),
        )
        .unwrap();
        fs::write(folder.path().join("contacts"), "").unwrap();
        let mut run = Command::new(PROGRAM);
        run.arg("-f").arg(folder.path()).args(["-t", "20"]);
        if let Some(command) = command {
            run.arg("-e").arg(command);
        }
        let child = run
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Baresip { child, folder, port }
    }

    /// What it heard of us.
    fn heard(&self) -> Vec<i16> {
        let files = fs::read_dir(self.folder.path().join("heard")).unwrap();
        let mut files: Vec<PathBuf> = files.map(|f| f.unwrap().path()).collect();
        files.retain(|f| f.to_string_lossy().ends_with("-dec.wav"));
        files.sort();
        let read = |f: &PathBuf| -> Vec<i16> {
            let Ok(wav) = hound::WavReader::open(f) else {
                return Vec::new();
            };
            wav.into_samples::<i16>().filter_map(Result::ok).collect()
        };
        files.iter().flat_map(read).collect()
    }
}

/// Talks for `seconds` and gives what was heard.
async fn converse(call: &mut Call, seconds: f32) -> Vec<i16> {
    let law = call.codec;
    let encode = move |s: i16| {
        if law == Codec::Pcmu {
            g711::encode_ulaw(s)
        } else {
            g711::encode_alaw(s)
        }
    };
    let decode = move |b: u8| {
        if law == Codec::Pcmu {
            g711::decode_ulaw(b)
        } else {
            g711::decode_alaw(b)
        }
    };
    let mut heard = Vec::new();
    for frame in tone(OUR_TONE, seconds).chunks(160) {
        while call.media.outbound.len() >= 3 {
            pause(5).await;
            listen(call, &mut heard);
        }
        let bytes: Vec<u8> = frame.iter().map(|s| encode(*s)).collect();
        call.media.outbound.push(Encoded::audio(call.codec, &bytes));
    }
    let audio = heard.iter().filter(|e| matches!(e.payload, Payload::Audio(_)));
    audio
        .flat_map(|e| e.bytes().iter().map(|b| decode(*b)).collect::<Vec<_>>())
        .collect()
}

fn is_missing() -> bool {
    let missing = !Path::new(PROGRAM).exists() || !Path::new(MODULES).exists();
    if missing {
        println!("skipped: baresip is not installed");
    }
    missing
}

#[tokio::test(flavor = "multi_thread")]
async fn we_call_baresip() {
    if is_missing() {
        return;
    }
    let a = side(config()).await;
    let them = Baresip::start("answermode=auto;audio_codecs=pcma", None);
    let target = format!("sip:them@127.0.0.1:{}", them.port);
    let mut call = None;
    // It needs a moment to open its port.
    for _ in 0..20 {
        pause(200).await;
        if let Ok(c) = soon(a.endpoint.call(&target, CallOptions::default())).await {
            call = Some(c);
            break;
        }
    }
    let mut call = call.expect("an answer");
    assert_eq!(call.codec, Codec::Pcma);
    let heard = converse(&mut call, 2.5).await;
    call.handle.hangup("done").await;
    assert_eq!(ended(&mut call).await.0, HangupBy::Us);
    assert!(heard.len() > 12_000, "heard {} samples", heard.len());
    assert!(share(&heard[4_000..12_000], THEIR_TONE) > 0.95);
    pause(300).await;
    let theirs = them.heard();
    assert!(theirs.len() > 12_000, "they heard {} samples", theirs.len());
    assert!(share(&theirs[4_000..12_000], OUR_TONE) > 0.95);
    let stats = call.media.stats.snapshot();
    assert_eq!((stats.lost, stats.junk, stats.strangers), (0, 0, 0), "{stats:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn baresip_calls_us() {
    if is_missing() {
        return;
    }
    let mut b = side(config()).await;
    let them = Baresip::start("audio_codecs=pcmu", Some(format!("/dial {}", b.target())));
    let incoming = soon(b.calls.recv()).await.unwrap();
    assert_eq!(incoming.info.from_user.as_deref(), Some("them"));
    incoming.ring().await;
    pause(200).await;
    let mut call = incoming.answer().await.unwrap();
    assert_eq!(soon(call.events.recv()).await, Some(CallEvent::Established));
    let heard = converse(&mut call, 2.5).await;
    assert!(share(&heard[4_000..12_000], THEIR_TONE) > 0.95);
    call.handle.hangup("done").await;
    pause(300).await;
    let theirs = them.heard();
    assert!(theirs.len() > 12_000, "they heard {} samples", theirs.len());
    assert!(share(&theirs[4_000..12_000], OUR_TONE) > 0.95);
    tokio::time::sleep(Duration::from_millis(10)).await;
}
