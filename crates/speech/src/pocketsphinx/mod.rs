//! PocketSphinx: the recogniser that comes as Debian packages with its model. English, closed grammars.
//!
//! A pair of decoders (module `decoder`) hears one utterance at a time on a thread of its own. Pairs are made when more
//! callers speak at once than pairs exist, up to a limit; beyond it utterances wait with their sound kept, and are heard
//! in a tenth of their length once their speakers have finished.

pub(crate) mod decoder;
mod dictionary;
mod ffi;
mod worker;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

pub use dictionary::{Dictionary, grammar_words};
use roomtone_base::SharedClock;
use tokio::sync::oneshot;
use worker::{Queue, Utterance as Queued};

use crate::{Error, Expectations, Grammar, Line, Stt, Transcription, Utterance};

const ENGINE: &str = "pocketsphinx";
/// Where Debian's package `pocketsphinx-en-us` puts its model.
pub const DEFAULT_MODEL: &str = "/usr/share/pocketsphinx/model/en-us";
/// Threshold of grammars that are not calibrated, per 10 ms frame.
pub const DEFAULT_THRESHOLD: f32 = -6.0;
/// Score distance over which confidence goes from 0.5 to about 0.9.
const CONFIDENCE_WIDTH: f32 = 4.0;

/// How the engine is set up.
#[derive(Clone, Debug)]
pub struct PocketSphinxConfig {
    /// Folder with `en-us/` (acoustic model) and `cmudict-en-us.dict`.
    pub model: PathBuf,
    /// A folder that may be written: small derived files.
    pub scratch: PathBuf,
    /// Most utterances heard at once; more wait.
    pub decoders: usize,
    /// Pronunciations of words that the model's dictionary lacks: word, phones.
    pub pronunciations: Vec<(String, String)>,
}

/// The engine.
pub struct PocketSphinx {
    queue: Arc<Queue>,
    dictionary: Arc<Dictionary>,
}

impl PocketSphinx {
    /// Finds library, model and dictionary, and loads the first pair of decoders.
    ///
    /// # Errors
    /// [`Error::LibraryMissing`] or [`Error::ModelMissing`] with the package that has it.
    pub fn new(config: PocketSphinxConfig, clock: SharedClock) -> Result<Self, Error> {
        ffi::probe()?;
        let acoustic = config.model.join("en-us");
        if !acoustic.join("mdef").exists() {
            let package = Some("pocketsphinx-en-us");
            return Err(Error::ModelMissing {
                engine: ENGINE,
                path: acoustic,
                package,
            });
        }
        let dictionary = Arc::new(Self::dictionary(&config)?);
        let queue = Queue::new(
            acoustic,
            dictionary.clone(),
            config.scratch,
            config.decoders.max(1),
            clock,
        );
        queue.grow()?;
        Ok(PocketSphinx { queue, dictionary })
    }

    /// The model's dictionary with the configuration's additions.
    ///
    /// # Errors
    /// [`Error::ModelMissing`] if the file cannot be read.
    pub fn dictionary(config: &PocketSphinxConfig) -> Result<Dictionary, Error> {
        let mut dictionary = Dictionary::read(&config.model.join("cmudict-en-us.dict"))?;
        for (word, phones) in &config.pronunciations {
            dictionary.add(word, phones);
        }
        Ok(dictionary)
    }

    /// Words of the grammar without a pronunciation; the grammar cannot be used with them.
    pub fn unknown_words(dictionary: &Dictionary, grammar: &Grammar) -> Vec<String> {
        let words = grammar_words(&grammar.jsgf).into_iter();
        words.filter(|w| !dictionary.knows(w)).collect()
    }

    /// Compiles a grammar on the pairs that exist, and on new ones as they come, before it is needed.
    ///
    /// # Errors
    /// [`Error::UnknownWords`].
    pub fn prepare(&self, grammar: &Arc<Grammar>) -> Result<(), Error> {
        let unknown = Self::unknown_words(&self.dictionary, grammar);
        if !unknown.is_empty() {
            return Err(Error::UnknownWords {
                grammar: grammar.name.clone(),
                words: unknown,
            });
        }
        self.queue.prepare(grammar);
        Ok(())
    }
}

/// Checks without loading a decoder that engine and model are installed.
///
/// # Errors
/// [`Error::LibraryMissing`] or [`Error::ModelMissing`] with the package that has it.
pub fn probe(model: &Path) -> Result<(), Error> {
    ffi::probe()?;
    for path in [model.join("en-us").join("mdef"), model.join("cmudict-en-us.dict")] {
        if !path.exists() {
            return Err(Error::ModelMissing {
                engine: ENGINE,
                path,
                package: Some("pocketsphinx-en-us"),
            });
        }
    }
    Ok(())
}

/// Confidence from score: 0.5 at the threshold.
pub(crate) fn confidence(score: f32, threshold: f32) -> f32 {
    let x = (score - threshold) / CONFIDENCE_WIDTH * 2.2;
    1.0 / (1.0 + (-x).exp())
}

impl Drop for PocketSphinx {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl Stt for PocketSphinx {
    fn name(&self) -> &'static str {
        ENGINE
    }

    fn start(&self, expectations: &Expectations, line: &Line) -> Result<Box<dyn Utterance>, Error> {
        Ok(Box::new(Hearing(Some(self.queue.open(expectations, line)))))
    }
}

struct Hearing(Option<Queued>);

impl Utterance for Hearing {
    fn feed(&mut self, samples: &[i16]) {
        if let Some(queued) = &self.0 {
            queued.feed(samples);
        }
    }

    fn finish(mut self: Box<Self>) -> oneshot::Receiver<Result<Transcription, Error>> {
        let (sender, receiver) = oneshot::channel();
        if let Some(queued) = self.0.take() {
            queued.finish(sender);
        }
        receiver
    }
}
