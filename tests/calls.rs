//! Whole calls to the whole program.
#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::{
    fs,
    net::UdpSocket,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use roomtone_base::{Mono, Rng};
use roomtone_lab::{
    CallPlan, CallResult, Hangup, Softphone, Talk, TalkEvent, TalkPlan, ear::EarSettings, script::Start,
};
use serde::Deserialize;
use support::{
    Place, Transcript,
    caller::{CALLER, Caller, clip, phone, voice},
    ears::{Ears, level_and_seconds, words},
    engines_missing, now, until,
};
use tokio::sync::mpsc;

const GREETING: [&str; 2] = [
    "Good day, this is the automatic assistant of Heron House.",
    "How can I help you?",
];
const QUESTION: &str = "what time is breakfast";
const BREAKFAST: &str = "Breakfast is from seven to half past ten in the morning, in the garden room.";
const ROOM: &str = "What is your room number?";

async fn converse(phone: &Softphone, plan: TalkPlan) -> (Talk, Vec<TalkEvent>) {
    let (sender, mut events) = mpsc::unbounded_channel();
    let talk = phone.converse(plan, sender).await.unwrap();
    (talk, std::iter::from_fn(|| events.try_recv().ok()).collect())
}

fn starts_with(turn: Option<&serde_json::Value>, text: &str) -> bool {
    turn.is_some_and(|t| t["text"].as_str().is_some_and(|said| said.starts_with(text)))
}

const BARESIP: &str = "/usr/bin/baresip";
const MODULES: &str = "/usr/lib/baresip/modules";

/// A telephone of somebody else's making, which says a file and writes down what it hears.
struct Baresip {
    child: Child,
    folder: PathBuf,
}

impl Drop for Baresip {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Baresip {
    /// Calls `target` and says `pcm`; hangs up when all is said.
    fn dial(folder: PathBuf, target: &str, pcm: &[i16]) -> Baresip {
        fs::create_dir_all(folder.join("heard")).unwrap();
        roomtone_lab::wav::write(&folder.join("say.wav"), pcm).unwrap();
        // It takes no port 0.
        let port = UdpSocket::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let dir = folder.display();
        let settings = format!(
            "sip_listen 127.0.0.1:{port}\nnet_interface 127.0.0.1\naudio_source aufile,{dir}/say.wav\n\
             audio_player aubridge,nowhere\nsnd_path {dir}/heard\nmodule_path {MODULES}\nmodule g711.so\n\
             module aufile.so\nmodule aubridge.so\nmodule sndfile.so\nmodule_app account.so\nmodule_app menu.so\n"
        );
        fs::write(folder.join("config"), settings).unwrap();
        let account = format!("<sip:guest@127.0.0.1:{port}>;regint=0;audio_codecs=pcmu\n");
        fs::write(folder.join("accounts"), account).unwrap();
        fs::write(folder.join("contacts"), "").unwrap();
        let mut program = Command::new(BARESIP);
        program.arg("-f").arg(&folder).args(["-t", "60", "-e"]);
        let child = program
            .arg(format!("/dial {target}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Baresip { child, folder }
    }

    /// What it heard; it writes a new pair of files at each start of media.
    fn heard(&self) -> Vec<i16> {
        let files = fs::read_dir(self.folder.join("heard")).unwrap();
        let mut files: Vec<PathBuf> = files.map(|f| f.unwrap().path()).collect();
        files.retain(|f| f.to_string_lossy().ends_with("-dec.wav"));
        files.sort();
        files
            .iter()
            .flat_map(|f| roomtone_lab::wav::read(f).unwrap())
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn baresip_asks_for_breakfast_and_hears_the_answer() {
    if engines_missing() {
        return;
    }
    if !Path::new(BARESIP).exists() || !Path::new(MODULES).exists() {
        println!("skipped: baresip is not installed");
        return;
    }
    let place = Place::new("");
    let running = place.start();
    running.warm().await;
    // Quiet while the desk greets, the question, and quiet while it answers.
    let question = voice(QUESTION);
    let said = [vec![0; 7 * 8_000], question, vec![0; 10 * 8_000]].concat();
    let them = Baresip::dial(place.file("baresip"), &running.target(), &said);
    running
        .out
        .see("the end of the call", |l| {
            l.ends_with(" s") && l.contains(" ended by caller")
        })
        .await;

    // Its files are whole only when it has ended.
    let Baresip { folder, .. } = &them;
    assert!(folder.exists());
    let heard = until("baresip's recording", || {
        Some(them.heard()).filter(|h| h.len() > 15 * 8_000)
    })
    .await;
    let sentences = Ears::new().sentences(&heard);
    let want = [words(GREETING[0]), words(GREETING[1]), words(BREAKFAST)];
    assert_eq!(sentences.get(..3), Some(&want[..]), "{sentences:?}");
    let (level, seconds) = level_and_seconds(&heard);
    assert!((-30.0..-10.0).contains(&level), "{level} dBFS");
    assert!((5.0..18.0).contains(&seconds), "{seconds} s of speech");

    let transcript = place.ended_transcript("last").await;
    let answer = transcript.answer_to(QUESTION);
    assert!(starts_with(answer, BREAKFAST), "{transcript:?}");
    let waterfall = answer.unwrap()["waterfall_ms"].as_object().unwrap();
    let parts = ["vad", "endpoint", "stt", "room", "desk", "tts", "first_frame"];
    assert_eq!(waterfall.len(), parts.len());
    let total: f64 = parts.iter().map(|p| waterfall[*p].as_f64().unwrap()).sum();
    // The pause that ends a turn, and not so long that nobody would wait.
    assert!((300.0..3_000.0).contains(&total), "{waterfall:?}");
}

/// The guest of the shipped demonstration.
#[derive(Deserialize)]
struct Demo {
    say: Vec<String>,
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demonstration_books_a_late_check_out_and_leaves_its_trace() {
    if engines_missing() {
        return;
    }
    // In every detail: what is never logged, is not logged at any level.
    let place = Place::new("[log]\nlevel = \"trace\"\n");
    let running = place.start();
    running.warm().await;
    let demo: Demo =
        toml::from_str(&fs::read_to_string(place.config_folder().join("demo.toml")).unwrap()).unwrap();
    let clips = demo.say.iter().map(|text| clip(text, Start::WhenQuiet)).collect();
    let phone = phone().await;
    let (talk, _) = converse(&phone, TalkPlan::new(running.target(), clips)).await;
    phone.close().await;

    let transcript = place.ended_transcript("last").await;
    let said = transcript.said();
    let caller: Vec<&str> = said.iter().filter(|s| s.0 == "caller").map(|s| s.1).collect();
    assert_eq!(caller, demo.say, "{said:?}");
    for (words, answer) in [
        (QUESTION, BREAKFAST),
        ("could i have a late check out until one o'clock please", ROOM),
        (
            "two oh four",
            "Room two oh four, until one in the afternoon, for thirty euros.",
        ),
        (
            "yes please",
            "It's booked, you have the room until one in the afternoon.",
        ),
        ("no thank you goodbye", "Goodbye, and enjoy your stay."),
    ] {
        assert!(
            starts_with(transcript.answer_to(words), answer),
            "{words}: {said:?}"
        );
    }
    assert_eq!(
        (talk.report.result, talk.report.hangup, talk.report.lost_packets),
        (CallResult::Answered, Some(Hangup::Them), 0)
    );

    let trace = place.trace("last");
    let steps: Vec<&str> = trace.iter().map(|r| r["step"].as_str().unwrap()).collect();
    let parts = [
        "sip.invite",
        "rtp.first_packet",
        "speech.heard",
        "room.committed",
        "desk.answered",
        "tool.used",
        "voice.spoke",
        "call.ended",
    ];
    for part in parts {
        assert!(steps.contains(&part), "{part}: {steps:?}");
    }
    assert!(trace.iter().all(|r| r["trace"] == trace[0]["trace"]), "{trace:?}");
    let booked = trace
        .iter()
        .find(|r| r["actor"] == "late_check_out_book")
        .unwrap();
    assert_eq!(booked["detail"]["result"], "done");

    let log = running.err.all();
    assert!(log.iter().any(|l| l.contains("call ended")), "{log:#?}");
    let private =
        demo.say
            .iter()
            .map(String::as_str)
            .chain([CALLER, "Breakfast is", "booked, you", "two oh four"]);
    for words in private {
        let told: Vec<&String> = log
            .iter()
            .filter(|l| l.to_lowercase().contains(&words.to_lowercase()))
            .collect();
        assert!(told.is_empty(), "{words:?} is in the log: {told:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_give_the_room_and_say_yes() {
    if engines_missing() {
        return;
    }
    let place = Place::new("");
    let running = place.start();
    running.warm().await;
    let caller = Caller::call(&running.target()).await;
    caller.their_turn_is_over(Mono::ZERO).await;
    let asked = now();
    let request = "could i have a late check out until one o'clock please";
    caller.say_all(&voice(request)).await;
    running
        .out
        .see("the question for the room", |l| l.contains(ROOM))
        .await;
    caller.their_turn_is_over(asked).await;
    let typed = now();
    caller.press("204");
    running
        .out
        .see("the question whether to book", |l| {
            l.contains("Shall I book that?")
        })
        .await;
    caller.their_turn_is_over(typed).await;
    caller.press("1");
    running
        .out
        .see("the booking", |l| l.contains("It's booked"))
        .await;
    caller.hang_up().await;
    let transcript = place.ended_transcript("last").await;
    let confirm = "Room two oh four, until one in the afternoon, for thirty euros.";
    assert!(
        starts_with(transcript.answer_to("204"), confirm),
        "{transcript:?}"
    );
    let done = "It's booked, you have the room until one in the afternoon.";
    assert!(starts_with(transcript.answer_to("1"), done), "{transcript:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn talking_over_the_greeting_stops_it_and_is_answered() {
    if engines_missing() {
        return;
    }
    let place = Place::new("");
    let running = place.start();
    running.warm().await;
    let interrupt = Start::Interrupt {
        after: Duration::from_millis(1_200),
    };
    let phone = phone().await;
    let plan = TalkPlan::new(running.target(), vec![clip(QUESTION, interrupt)]);
    let (talk, events) = converse(&phone, plan).await;
    phone.close().await;
    let threshold = EarSettings::default().threshold_dbfs;
    let yields = talk.record.yields(&[0], threshold);
    assert_eq!(yields.len(), 1, "{events:?}");
    assert!(
        yields[0].delay() < Duration::from_secs(1),
        "{:?}",
        yields[0].delay()
    );
    let transcript = place.ended_transcript("last").await;
    let turns = transcript.turns();
    assert_eq!(turns[0]["who"], "desk");
    assert_eq!(turns[0]["interrupted"], true, "{transcript:?}");
    let answer = transcript.answer_to(QUESTION);
    assert!(starts_with(answer, BREAKFAST), "{transcript:?}");
    assert_eq!(answer.unwrap()["interrupted"], false, "{transcript:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_call_too_many_is_busy_until_another_ends() {
    if engines_missing() {
        return;
    }
    let place = Place::new("[sip]\nmax_calls = 2\n");
    let running = place.start();
    let (first, second) = (
        Caller::call(&running.target()).await,
        Caller::call(&running.target()).await,
    );
    let phone = phone().await;
    let listen = CallPlan::listen(running.target(), Duration::from_millis(300));
    let third = phone.call_once(listen.clone()).await.unwrap();
    assert_eq!((third.result, third.sip_code), (CallResult::Busy, 486));
    first.hang_up().await;
    running
        .out
        .see("the end of the first call", |l| l.contains(" ended by caller"))
        .await;
    let fourth = phone.call_once(listen).await.unwrap();
    assert_eq!(fourth.result, CallResult::Answered);
    // The call that was there all the time has gone on.
    second.their_turn_is_over(Mono::ZERO).await;
    second.say_all(&voice(QUESTION)).await;
    running
        .out
        .see("the answer of the second call", |l| l.contains(BREAKFAST))
        .await;
    second.hang_up().await;
    phone.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_refused() {
    if engines_missing() {
        return;
    }
    for allow in ["[]", "[\"192.0.2.0/24\"]"] {
        let place = Place::new(&format!("[sip]\nallow = {allow}\n"));
        let running = place.start();
        let phone = phone().await;
        let plan = CallPlan::listen(running.target(), Duration::from_millis(300));
        let report = phone.call_once(plan).await.unwrap();
        assert_eq!(
            (report.result, report.sip_code),
            (CallResult::Refused, 403),
            "{allow}"
        );
        phone.close().await;
        assert!(running.calls().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_never_connected_leaves_no_open_room() {
    if engines_missing() {
        return;
    }
    let place = Place::new("");
    let running = place.start();
    let phone = UdpSocket::bind("127.0.0.1:0").unwrap();
    let own = phone.local_addr().unwrap();
    let body =
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
    let invite = format!(
        "INVITE sip:desk@{to} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bKnone;rport\r\nMax-Forwards: 70\r\n\
         From: <sip:guest@{own}>;tag=none\r\nTo: <sip:desk@{to}>\r\nCall-ID: none\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:guest@{own}>\r\nContent-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{body}",
        to = running.sip,
        length = body.len(),
    );
    let (head, _) = invite.split_once("Contact:").unwrap();
    let cancel = format!("{}Content-Length: 0\r\n\r\n", head.replace("INVITE", "CANCEL"));
    // The caller thinks better of it at once.
    phone.send_to(invite.as_bytes(), running.sip).unwrap();
    phone.send_to(cancel.as_bytes(), running.sip).unwrap();
    running
        .err
        .see("its end", |l| {
            l.contains("before it was connected") && l.contains("call=call-")
        })
        .await;
    place.ended_transcript("last").await;
}

/// Sends rubbish to the telephone port and to the ports of running calls until told to stop; gives how much.
async fn pester(sip: std::net::SocketAddr, rtp: Vec<u16>, stop: tokio::sync::oneshot::Receiver<()>) -> usize {
    const MOST: usize = 6_000;
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let rng = Rng::seeded(7);
    let byte = move || (rng.u64() & 0xff) as u8;
    let invite = format!(
        "INVITE sip:desk@{sip} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKrubbish\r\nMax-Forwards: 70\r\n\
         From: <sip:x@127.0.0.1>;tag=1\r\nTo: <sip:desk@{sip}>\r\nCall-ID: rubbish\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:x@127.0.0.1:9>\r\nContent-Type: application/sdp\r\nContent-Length: 400\r\n\r\nv=0\r\n"
    );
    let mut sent = 0;
    while sent < MOST && stop.is_empty() {
        let (kind, length) = (sent % 4, 1 + usize::from(byte()) * 5);
        let mut packet: Vec<u8> = (0..length).map(|_| byte()).collect();
        let to = if kind < 2 {
            if kind == 1 {
                packet = invite.as_bytes()[..length.min(invite.len() - 1)].to_vec();
            }
            sip
        } else {
            if kind == 3 {
                // Looks like sound: version 2, PCMU, 20 ms, and loud.
                packet.resize(172, 0);
                (packet[0], packet[1]) = (0x80, 0);
            }
            ([127, 0, 0, 1], rtp[sent / 4 % rtp.len()]).into()
        };
        // A port that is closed meanwhile is none of the pesterer's business.
        let _ = socket.send_to(&packet, to).await;
        sent += 1;
        if sent % 10 == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    sent
}

#[tokio::test(flavor = "multi_thread")]
async fn rubbish_on_the_ports_does_not_disturb_a_conversation() {
    if engines_missing() {
        return;
    }
    let place = Place::new("");
    let mut running = place.start();
    running.warm().await;
    let caller = Caller::call(&running.target()).await;
    let began = now();
    caller.hears(Mono::ZERO).await;
    let mut ports = running.udp_ports();
    ports.retain(|p| *p != running.sip.port());
    assert!(!ports.is_empty());
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let pest = tokio::spawn(pester(running.sip, ports, stopped));
    caller.their_turn_is_over(Mono::ZERO).await;
    let before = caller.heard().len();
    let asked = now();
    caller.say_all(&voice(QUESTION)).await;
    running.out.see("the answer", |l| l.contains(BREAKFAST)).await;
    caller.their_turn_is_over(asked).await;
    drop(stop);
    let sent = pest.await.unwrap();
    assert!(sent > 2_000, "{sent}");
    let sentences = Ears::new().sentences(&caller.heard()[before..]);
    assert_eq!(sentences.first(), Some(&words(BREAKFAST)), "{sentences:?}");
    caller.hang_up().await;
    let transcript: Transcript = place.ended_transcript("last").await;
    assert!(
        starts_with(transcript.answer_to(QUESTION), BREAKFAST),
        "{transcript:?}"
    );
    assert!(running.is_alive());
    // And the next one is served as if nothing had been.
    let next = Caller::call(&running.target()).await;
    next.hears(began).await;
    next.hang_up().await;
    assert_eq!(running.calls().len(), 2);
    assert!(
        running.err.count(|l| l.contains("panicked")) == 0,
        "{:#?}",
        running.err.all()
    );
}
