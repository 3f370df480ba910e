//! flite: small English voices, in this process, streaming.
//!
//! Each voice has a thread of its own that speaks one text after another: synthesis runs some seventy times faster
//! than speech, so one thread serves many calls. The silence that the voices begin with is cut, and all voices are
//! brought to one level.

mod ffi;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
};

use crate::{
    Error, SPEECH_RATE, SpeechSink, SpeechStream, Tts,
    level::{amplify, first_sound, gain_for, speech_level},
};

const ENGINE: &str = "flite";
/// Names of the voices that Debian ships as natural voices.
const VOICES: &[&str] = &["slt", "rms", "awb"];
const VOICES_TEXT: &str = "slt, rms, awb";
/// Spoken once when a voice is loaded, to learn how loud it is.
const LEVEL_SENTENCE: &str = "Good morning, this is how loud I speak.";
/// Sound kept before the first loud window: a consonant may begin softly. 10 ms.
const LEAD: usize = 160;

struct Job {
    text: String,
    sink: SpeechSink,
}

/// The voices' threads. One set for the whole process: the library keeps one object per voice, and two threads on it
/// would speak nonsense.
fn workers() -> &'static Mutex<HashMap<&'static str, Sender<Job>>> {
    static WORKERS: OnceLock<Mutex<HashMap<&'static str, Sender<Job>>>> = OnceLock::new();
    WORKERS.get_or_init(Mutex::default)
}

/// The engine.
#[derive(Clone, Copy, Debug)]
pub struct Flite(());

impl Flite {
    /// Finds the library; voices are loaded when first used.
    ///
    /// # Errors
    /// [`Error::LibraryMissing`] with the package that has it.
    pub fn new() -> Result<Self, Error> {
        ffi::probe().map(|()| Flite(()))
    }

    /// Loads a voice now, so that the first sentence need not wait for it.
    ///
    /// # Errors
    /// As [`Tts::speak`].
    pub fn warm(&self, voice: &str) -> Result<(), Error> {
        self.worker(voice).map(|_| ())
    }

    fn worker(&self, voice: &str) -> Result<Sender<Job>, Error> {
        let known = VOICES.iter().find(|v| **v == voice);
        let name = *known.ok_or_else(|| Error::NoSuchVoice {
            engine: ENGINE,
            voice: voice.to_owned(),
            known: VOICES_TEXT,
        })?;
        let mut voices = workers().lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = voices.get(name) {
            return Ok(sender.clone());
        }
        let raw = ffi::Voice::load(name)?;
        let (sender, jobs) = channel();
        std::thread::Builder::new()
            .name(format!("tts-{name}"))
            .spawn(move || work(raw, &jobs))
            .map_err(|e| Error::Engine {
                engine: ENGINE,
                problem: format!("no thread: {e}"),
            })?;
        voices.insert(name, sender.clone());
        Ok(sender)
    }
}

impl Tts for Flite {
    fn name(&self) -> &'static str {
        ENGINE
    }

    fn speak(&self, text: &str, voice: &str) -> Result<SpeechStream, Error> {
        let worker = self.worker(voice)?;
        let (sink, stream) = SpeechStream::channel();
        worker
            .send(Job {
                text: text.to_owned(),
                sink,
            })
            .map_err(|_| Error::Engine {
                engine: ENGINE,
                problem: "its thread ended".to_owned(),
            })?;
        Ok(stream)
    }
}

fn work(mut voice: ffi::Voice, jobs: &Receiver<Job>) {
    let mut sample = Vec::new();
    let loud = voice.speak(LEVEL_SENTENCE, &mut |chunk, _| {
        sample.extend_from_slice(chunk);
        true
    });
    let gain = loud
        .ok()
        .and_then(|()| speech_level(&sample))
        .map_or(1.0, gain_for);
    drop(sample);
    while let Ok(Job { text, sink }) = jobs.recv() {
        if sink.cancelled() {
            continue;
        }
        if let Err(error) = speak(&mut voice, &text, gain, &sink) {
            sink.fail(error);
        }
    }
}

fn speak(voice: &mut ffi::Voice, text: &str, gain: f32, sink: &SpeechSink) -> Result<(), Error> {
    if !text.chars().any(char::is_alphanumeric) {
        return Ok(());
    }
    let mut begun = false;
    let mut held: Vec<i16> = Vec::new();
    let mut wrong_rate = None;
    voice.speak(text, &mut |chunk, rate| {
        if rate != SPEECH_RATE {
            wrong_rate = Some(rate);
            return false;
        }
        let mut chunk = chunk.to_vec();
        amplify(&mut chunk, gain);
        if begun {
            return sink.push(Arc::from(chunk));
        }
        held.extend_from_slice(&chunk);
        let start = first_sound(&held);
        if start == held.len() {
            return !sink.cancelled();
        }
        begun = true;
        let from = start.saturating_sub(LEAD);
        sink.push(Arc::from(&held[from..]))
    })?;
    match wrong_rate {
        Some(rate) => Err(Error::Engine {
            engine: ENGINE,
            problem: format!("the voice speaks at {rate} Hz"),
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flite() -> Option<Flite> {
        let flite = Flite::new().and_then(|f| f.warm("slt").map(|()| f));
        if flite.is_err() {
            println!("skipped: libflite1 is not installed");
        }
        flite.ok()
    }

    #[test]
    fn both_voices_speak_at_one_level_without_lead_in() {
        let Some(flite) = flite() else { return };
        for voice in ["slt", "rms"] {
            let sound = flite
                .speak("Breakfast is from seven.", voice)
                .unwrap()
                .blocking_collect()
                .unwrap();
            let level = speech_level(&sound).unwrap();
            assert!(
                (level - crate::level::TARGET_DBFS).abs() < 2.5,
                "{voice}: {level} dBFS"
            );
            assert!(first_sound(&sound) <= 2 * LEAD, "{voice} begins with silence");
            assert!(
                sound.len() > SPEECH_RATE as usize,
                "{voice}: {} samples",
                sound.len()
            );
        }
    }

    #[test]
    fn odd_texts_are_spoken_or_silent_but_never_fail() {
        let Some(flite) = flite() else { return };
        for text in [
            "",
            "\0\0",
            "🎉",
            "<speak>hello</speak>",
            "a\u{0}b",
            &"word ".repeat(200),
        ] {
            assert!(
                flite.speak(text, "slt").unwrap().blocking_collect().is_ok(),
                "{text:?}"
            );
        }
    }

    #[test]
    fn an_unknown_voice_is_named_with_those_that_exist() {
        let Some(flite) = flite() else { return };
        let error = flite.speak("hello", "sltt").err().map(|e| e.to_string());
        assert_eq!(error.as_deref(), Some("flite has no voice \"sltt\""));
    }

    #[test]
    fn a_dropped_stream_stops_the_voice() {
        let Some(flite) = flite() else { return };
        drop(flite.speak(&"a very long text ".repeat(500), "slt").unwrap());
        let short = flite.speak("short", "slt").unwrap().blocking_collect().unwrap();
        assert!(short.len() > 3_000, "{}", short.len());
    }
}
