//! Spoken phrases, kept.
//!
//! What a desk says often is made once: the greeting then starts with the first packet instead of after 10 ms of
//! synthesis, and a loaded box has one thing less to do. Kept as WAV files that a person can listen to.

use std::{
    collections::HashMap,
    fmt::Write as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sha2::{Digest, Sha256};

use crate::{Error, SPEECH_RATE, SpeechStream, Tts};

/// Most samples kept in memory: 10 minutes, 19 MB.
const MEMORY_SAMPLES: usize = 10 * 60 * SPEECH_RATE as usize;

#[derive(Default)]
struct Memory {
    phrases: HashMap<String, Arc<[i16]>>,
    samples: usize,
}

/// A [`Tts`] that remembers.
pub struct Phrases {
    engine: Arc<dyn Tts>,
    folder: PathBuf,
    memory: Mutex<Memory>,
}

impl Phrases {
    /// Remembers what `engine` says in `folder`, which is made when needed.
    pub fn new(engine: Arc<dyn Tts>, folder: PathBuf) -> Self {
        Phrases {
            engine,
            folder,
            memory: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Name of a phrase's file, without ending: engine, voice, and the first 128 bits of the text's SHA-256.
    fn key(&self, text: &str, voice: &str) -> String {
        let digest = Sha256::digest(text.as_bytes());
        digest[..16]
            .iter()
            .fold(format!("{}-{voice}-", self.engine.name()), |mut key, byte| {
                let _ = write!(key, "{byte:02x}");
                key
            })
    }

    /// Is the phrase there without synthesis?
    pub fn has(&self, text: &str, voice: &str) -> bool {
        self.recall(&self.key(text, voice)).is_some()
    }

    /// Makes a phrase now and keeps it; blocks while it is synthesised. `true` if it was not there before.
    ///
    /// # Errors
    /// The engine failed. A folder that cannot be written is no error: the phrase is kept in memory.
    pub fn keep(&self, text: &str, voice: &str) -> Result<bool, Error> {
        let key = self.key(text, voice);
        if self.recall(&key).is_some() {
            return Ok(false);
        }
        let samples: Arc<[i16]> = self.engine.speak(text, voice)?.blocking_collect()?.into();
        if let Err(error) = write_wav(&self.folder, &key, &samples) {
            tracing::warn!(target: "roomtone::speech", %error, "a phrase cannot be kept on disk");
        }
        self.remember(key, samples);
        Ok(true)
    }

    fn remember(&self, key: String, samples: Arc<[i16]>) {
        let mut memory = self.lock();
        if memory.samples + samples.len() <= MEMORY_SAMPLES {
            memory.samples += samples.len();
            memory.phrases.insert(key, samples);
        }
    }

    fn recall(&self, key: &str) -> Option<Arc<[i16]>> {
        if let Some(samples) = self.lock().phrases.get(key) {
            return Some(samples.clone());
        }
        let samples = read_wav(&self.folder.join(key).with_extension("wav"))?;
        self.remember(key.to_owned(), samples.clone());
        Some(samples)
    }
}

impl Tts for Phrases {
    fn name(&self) -> &'static str {
        self.engine.name()
    }

    fn speak(&self, text: &str, voice: &str) -> Result<SpeechStream, Error> {
        match self.recall(&self.key(text, voice)) {
            Some(samples) => Ok(SpeechStream::ready(samples)),
            None => self.engine.speak(text, voice),
        }
    }
}

fn write_wav(folder: &Path, key: &str, samples: &[i16]) -> Result<(), Error> {
    let path = folder.join(key).with_extension("wav");
    let io = |source| Error::Io {
        path: path.clone(),
        source,
    };
    std::fs::create_dir_all(folder).map_err(io)?;
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: SPEECH_RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut bytes = std::io::Cursor::new(Vec::with_capacity(samples.len() * 2 + 44));
    let hound = |e: hound::Error| io(std::io::Error::other(e));
    let mut writer = hound::WavWriter::new(&mut bytes, spec).map_err(hound)?;
    samples
        .iter()
        .try_for_each(|s| writer.write_sample(*s))
        .map_err(hound)?;
    writer.finalize().map_err(hound)?;
    // Written beside and renamed, so that a power cut leaves no half phrase to be spoken for ever.
    let fresh = path.with_extension("part");
    std::fs::write(&fresh, bytes.into_inner())
        .and_then(|()| std::fs::rename(&fresh, &path))
        .map_err(io)
}

fn read_wav(path: &Path) -> Option<Arc<[i16]>> {
    let mut reader = hound::WavReader::open(path).ok()?;
    let spec = reader.spec();
    if spec.channels != 1 || spec.sample_rate != SPEECH_RATE || spec.bits_per_sample != 16 {
        return None;
    }
    reader
        .samples::<i16>()
        .collect::<Result<Vec<_>, _>>()
        .ok()
        .map(Arc::from)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    struct Counting(AtomicUsize);
    impl Tts for Counting {
        fn name(&self) -> &'static str {
            "counting"
        }
        fn speak(&self, text: &str, _: &str) -> Result<SpeechStream, Error> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(SpeechStream::ready(text.bytes().map(i16::from).collect()))
        }
    }

    #[test]
    fn a_kept_phrase_is_not_made_again_not_even_by_the_next_process() {
        let folder = tempfile::tempdir().unwrap();
        let engine = Arc::new(Counting(AtomicUsize::new(0)));
        let phrases = Phrases::new(engine.clone(), folder.path().to_owned());
        assert!(phrases.keep("hello", "a").unwrap());
        assert!(!phrases.keep("hello", "a").unwrap());
        let said = phrases.speak("hello", "a").unwrap().blocking_collect().unwrap();
        assert_eq!(said, b"hello".map(i16::from));
        let next = Phrases::new(engine.clone(), folder.path().to_owned());
        assert!(next.has("hello", "a") && !next.has("hello", "b"));
        assert_eq!(engine.0.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_damaged_file_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let phrases = Phrases::new(Arc::new(Counting(AtomicUsize::new(0))), folder.path().to_owned());
        let path = folder
            .path()
            .join(phrases.key("hello", "a"))
            .with_extension("wav");
        std::fs::write(&path, b"RIFF????").unwrap();
        assert!(phrases.keep("hello", "a").unwrap());
    }
}
