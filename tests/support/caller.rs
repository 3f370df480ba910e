//! A caller whom the test leads by the hand: says, presses and listens when it is told to.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use roomtone_audio::{Codec, Encoded, Payload, g711};
use roomtone_base::{IdSource, Mono, NoEvidence, Rng};
use roomtone_lab::{Clip, Softphone, ear::level_dbfs, script::Start, wav};
use roomtone_sip::{CallEvent, CallFailed, CallHandle, CallOptions, Deps, HangupBy};
use roomtone_speech::{Tts, flite::Flite};

use super::{clock, now, until};

/// Who calls; must not be found in any log.
pub(crate) const CALLER: &str = "softphone";
/// Packets above this level are speech, dBFS.
pub(crate) const SPEECH_DBFS: f32 = -45.0;
/// How long the desk is quiet before it is the caller's turn: longer than its pauses between sentences.
const TURN: Duration = Duration::from_millis(700);

/// A telephone on a port of its own.
pub(crate) async fn phone() -> Softphone {
    let deps = Deps {
        clock: clock(),
        ids: IdSource::new(clock(), Rng::from_entropy()),
        evidence: Arc::new(NoEvidence),
    };
    Softphone::bind(([127, 0, 0, 1], 0).into(), deps).await.unwrap()
}

/// What one of flite's voices says, 16 kHz.
fn wide(name: &'static str, text: &str) -> Vec<i16> {
    let text = text.to_owned();
    // Not on a task: it waits for the voice.
    let speak = move || {
        let sound = Flite::new().unwrap().speak(&text, name).unwrap();
        sound.blocking_collect().unwrap()
    };
    std::thread::spawn(speak).join().unwrap()
}

/// Packets of 8 kHz `pcm` that hold speech.
pub(crate) fn packets_of_speech(pcm: &[i16]) -> usize {
    pcm.chunks(160).filter(|p| level_dbfs(p) > SPEECH_DBFS).count()
}

/// A caller says that, 8 kHz.
pub(crate) fn voice(text: &str) -> Vec<i16> {
    voice_of("rms", text)
}

/// Somebody says that, 8 kHz.
pub(crate) fn voice_of(name: &'static str, text: &str) -> Vec<i16> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wide.wav");
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: roomtone_speech::SPEECH_RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(&path, spec).unwrap();
    wide(name, text)
        .into_iter()
        .for_each(|s| writer.write_sample(s).unwrap());
    writer.finalize().unwrap();
    wav::read(&path).unwrap()
}

/// The same as a clip of a scripted caller.
pub(crate) fn clip(text: &str, start: Start) -> Clip {
    Clip {
        pcm: voice(text),
        text: text.to_owned(),
        start,
    }
}

#[derive(Default)]
struct Shared {
    to_say: VecDeque<i16>,
    /// When a packet came, and how loud it was.
    levels: Vec<(Mono, f32)>,
    pcm: Vec<i16>,
    over: Option<(Mono, HangupBy)>,
}

/// A call that goes on until it is told otherwise.
pub(crate) struct Caller {
    phone: Softphone,
    handle: CallHandle,
    shared: Arc<Mutex<Shared>>,
}

impl Caller {
    /// Calls and is answered.
    pub(crate) async fn call(target: &str) -> Caller {
        Caller::try_call(target).await.unwrap()
    }

    /// Calls.
    pub(crate) async fn try_call(target: &str) -> Result<Caller, CallFailed> {
        let phone = phone().await;
        let options = CallOptions {
            from_user: CALLER.into(),
            codecs: vec![Codec::Pcmu],
            ..CallOptions::default()
        };
        let mut call = phone.endpoint().call(target, options).await?;
        let shared: Arc<Mutex<Shared>> = Arc::default();
        let (handle, theirs) = (call.handle.clone(), shared.clone());
        tokio::spawn(async move {
            loop {
                {
                    let mut shared = theirs.lock().unwrap();
                    while let Some(record) = call.media.inbound.pop() {
                        if !matches!(record.payload, Payload::Audio(_)) {
                            continue;
                        }
                        let pcm: Vec<i16> = record.bytes().iter().map(|b| g711::decode_ulaw(*b)).collect();
                        shared.levels.push((now(), level_dbfs(&pcm)));
                        shared.pcm.extend(pcm);
                    }
                    while call.media.outbound.len() < 3 {
                        let n = shared.to_say.len().min(160);
                        let mut frame: Vec<i16> = shared.to_say.drain(..n).collect();
                        frame.resize(160, 0);
                        let bytes: Vec<u8> = frame.iter().map(|s| g711::encode_ulaw(*s)).collect();
                        call.media.outbound.push(Encoded::audio(Codec::Pcmu, &bytes));
                    }
                }
                tokio::select! {
                    event = call.events.recv() => match event {
                        Some(CallEvent::Ended { by, .. }) => {
                            theirs.lock().unwrap().over = Some((now(), by));
                            return;
                        }
                        Some(_) => {}
                        None => return,
                    },
                    () = tokio::time::sleep(Duration::from_millis(5)) => {}
                }
            }
        });
        Ok(Caller {
            phone,
            handle,
            shared,
        })
    }

    /// Says it from now on.
    pub(crate) fn say(&self, pcm: &[i16]) {
        self.shared.lock().unwrap().to_say.extend(pcm);
    }

    /// Says it, and waits until all of it is said.
    pub(crate) async fn say_all(&self, pcm: &[i16]) {
        self.say(pcm);
        until("the end of what the caller says", || {
            self.shared.lock().unwrap().to_say.is_empty().then_some(())
        })
        .await;
    }

    /// Presses keys one after the other.
    pub(crate) fn press(&self, keys: &str) {
        for key in keys.chars() {
            self.handle.send_digit(key, Duration::from_millis(120)).unwrap();
        }
    }

    /// Waits until the desk has spoken after `since` and is quiet.
    pub(crate) async fn their_turn_is_over(&self, since: Mono) {
        until("the desk to have spoken", || {
            let shared = self.shared.lock().unwrap();
            let loud = shared
                .levels
                .iter()
                .filter(|(at, level)| *at > since && *level > SPEECH_DBFS);
            let last = loud.map(|(at, _)| *at).next_back()?;
            (now().since(last) > TURN).then_some(())
        })
        .await;
    }

    /// Waits until the desk is heard after `since`.
    pub(crate) async fn hears(&self, since: Mono) -> Mono {
        until("the desk's voice", || {
            let shared = self.shared.lock().unwrap();
            let mut loud = shared
                .levels
                .iter()
                .filter(|(at, level)| *at > since && *level > SPEECH_DBFS);
            loud.next().map(|(at, _)| *at)
        })
        .await
    }

    /// How the desk was heard after `since`: packets of speech, the loudest of them, and packets of quiet at the end.
    pub(crate) fn heard_after(&self, since: Mono) -> (usize, f32, usize) {
        let shared = self.shared.lock().unwrap();
        let levels: Vec<f32> = shared
            .levels
            .iter()
            .filter(|l| l.0 > since)
            .map(|l| l.1)
            .collect();
        let loudest = levels.iter().copied().fold(f32::MIN, f32::max);
        let speech = levels.iter().filter(|l| **l > SPEECH_DBFS).count();
        let tail = levels.iter().rev().take_while(|l| **l <= SPEECH_DBFS).count();
        (speech, loudest, tail)
    }

    /// Samples heard so far.
    pub(crate) fn heard(&self) -> Vec<i16> {
        self.shared.lock().unwrap().pcm.clone()
    }

    /// Waits until the call is over; gives when, and who ended it.
    pub(crate) async fn over(&self) -> (Mono, HangupBy) {
        until("the end of the call", || self.shared.lock().unwrap().over).await
    }

    /// Hangs up.
    pub(crate) async fn hang_up(&self) {
        self.handle.hangup("done").await;
        self.phone.close().await;
    }
}
