//! A grammar decoder with a phone loop beside it.
//!
//! A closed grammar forces every sound to one of its sentences. The phone loop accepts any sequence of phones; where
//! the grammar's best sentence explains the sound much worse than free phones do, the speech was something else. The
//! measure is the difference of both scores per 10 ms frame.
//!
//! That difference alone lets short sentences through that are stretched over long speech ("seven two seven" for
//! "seventeen elephants walked across the bridge"): each phone fits somewhere. So loud time beyond what the sentence's
//! phones take is subtracted. Two voices, 24 sentences each, telephone band: without it sense (-3.7 to 14.3) and
//! nonsense (-18 to 9.0) overlap; with it the best nonsense has -8.7 and the worst sense -3.7.

use std::{
    collections::HashSet,
    fmt::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    dictionary::{Dictionary, PHONES, grammar_words},
    ffi::{Mean, Raw},
};
use crate::{Error, Grammar};

/// Silence is the only filler. The model's noise and "other speech" fillers would swallow whatever does not fit the
/// grammar, and so hide it from the measure.
const FILLERS: &str = "<s> SIL\n</s> SIL\n<sil> SIL\n";
const LOOP: &str = "phone_loop";
/// Cepstral mean of speech in telephone band after noise suppression, averaged over two voices: where a call starts.
/// The model's own start value is that of wide-band sound; with it, the first two sentences of a call are not
/// understood.
const TELEPHONE_MEAN: Mean = [
    40.0, 35.0, -24.0, 42.0, 3.0, -15.5, 25.0, -19.0, -5.5, 12.5, -10.5, 14.5, 3.5,
];

/// Loud time that a phone may take before it counts against the sentence, milliseconds: natural speech has 50 to 100,
/// slow digits 130.
const PHONE_MS: f32 = 100.0;
/// What each millisecond a phone beyond that costs.
const STRETCH_COST: f32 = 0.25;
/// A 10 ms window counts as loud down to this far below the loudest ones, as a power ratio: 25 dB.
const LOUD: f32 = 0.003_16;

/// What a decoder gives for one utterance.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Decoded {
    pub(crate) text: String,
    /// Grammar's score minus phone loop's, per 10 ms frame, less the cost of stretching.
    pub(crate) score: f32,
}

/// One pair of decoders.
pub(crate) struct Decoder {
    grammar: Raw,
    phones: Raw,
    dictionary: Arc<Dictionary>,
    words: HashSet<String>,
    /// Hashes of compiled grammars, the one in use last.
    compiled: Vec<String>,
    /// Grammars kept compiled.
    keep: usize,
    /// Power of each 10 ms of the utterance.
    powers: Vec<f32>,
}

impl Decoder {
    /// Loads the acoustic model twice; its tables are mapped, not copied. `scratch` gets a small dictionary file. At
    /// most `keep` grammars, one or more, are kept compiled: a desk's largest takes 20 MiB and 130 ms to compile.
    pub(crate) fn new(
        model: &Path,
        dictionary: Arc<Dictionary>,
        scratch: &Path,
        keep: usize,
    ) -> Result<Self, Error> {
        let phones = scratch_file(scratch, "phones.dict", &phone_dictionary())?;
        let fillers = scratch_file(scratch, "fillers.dict", FILLERS)?;
        let (model, phones, fillers) = (
            model.to_string_lossy(),
            phones.to_string_lossy(),
            fillers.to_string_lossy(),
        );
        let common = [
            ("-hmm", &*model),
            ("-dict", &*phones),
            ("-fdict", &*fillers),
            ("-logfn", "/dev/null"),
            ("-cmn", "live"),
        ];
        let open = |extra: &[(&str, &str)]| Raw::new(&[&common[..], extra].concat());
        let mut phones = open(&[("-bestpath", "no"), ("-beam", "1e-20"), ("-pbeam", "1e-20")])?;
        phones.set_grammar(LOOP, &phone_loop())?;
        phones.use_grammar(LOOP)?;
        let grammar = open(&[("-bestpath", "no")])?;
        Ok(Decoder {
            grammar,
            phones,
            dictionary,
            words: HashSet::new(),
            compiled: Vec::new(),
            keep: keep.max(1),
            powers: Vec::new(),
        })
    }

    /// Compiles a grammar if it is new, and switches to it.
    pub(crate) fn select(&mut self, grammar: &Grammar) -> Result<(), Error> {
        if self.compiled.last() == Some(&grammar.hash) {
            return Ok(());
        }
        if let Some(place) = self.compiled.iter().position(|hash| *hash == grammar.hash) {
            self.compiled.remove(place);
        } else {
            let words = grammar_words(&grammar.jsgf);
            let unknown: Vec<String> = words
                .iter()
                .filter(|w| !self.dictionary.knows(w))
                .cloned()
                .collect();
            if !unknown.is_empty() {
                return Err(Error::UnknownWords {
                    grammar: grammar.name.clone(),
                    words: unknown,
                });
            }
            for word in words {
                if self.words.insert(word.clone()) {
                    for (i, phones) in self.dictionary.pronunciations(&word).iter().enumerate() {
                        let name = if i == 0 {
                            word.clone()
                        } else {
                            format!("{word}({})", i + 1)
                        };
                        self.grammar.add_word(&name, phones)?;
                    }
                }
            }
            self.grammar
                .set_grammar(&grammar.hash, &grammar.jsgf)
                .map_err(|_| Error::Grammar {
                    grammar: grammar.name.clone(),
                    problem: "its JSGF does not compile".to_owned(),
                })?;
        }
        self.compiled.push(grammar.hash.clone());
        self.grammar.use_grammar(&grammar.hash)?;
        if self.compiled.len() > self.keep {
            let oldest = self.compiled.remove(0);
            self.grammar.drop_grammar(&oldest)?;
        }
        Ok(())
    }

    /// Begins an utterance; `mean` is what is known of the line.
    pub(crate) fn start(&mut self, mean: Option<&Mean>) -> Result<(), Error> {
        let mean = *mean.unwrap_or(&TELEPHONE_MEAN);
        self.powers.clear();
        self.grammar.start(&mean)?;
        self.phones.start(&mean)
    }

    /// Gives sound, 16 kHz.
    pub(crate) fn feed(&mut self, samples: &[i16]) -> Result<(), Error> {
        self.powers.extend(
            samples
                .chunks(160)
                .map(|w| w.iter().map(|s| f32::from(*s).powi(2)).sum::<f32>()),
        );
        self.grammar.feed(samples)?;
        self.phones.feed(samples)
    }

    /// Ends the utterance.
    pub(crate) fn finish(&mut self) -> Result<Decoded, Error> {
        // Both are ended whatever the first says: a decoder left in an utterance could not start another.
        let grammar = self.grammar.finish();
        let phones = self.phones.finish();
        let ((text, ours, frames), (_, free, _)) = (grammar?, phones?);
        if text.is_empty() || frames == 0 {
            return Ok(Decoded {
                text: String::new(),
                score: f32::MIN,
            });
        }
        let score = (ours - free) as f32 / frames as f32 - self.stretch(&text) * STRETCH_COST;
        Ok(Decoded { text, score })
    }

    /// Loud milliseconds a phone of `text`, beyond what is natural.
    fn stretch(&self, text: &str) -> f32 {
        let mut sorted = self.powers.clone();
        sorted.sort_unstable_by(f32::total_cmp);
        let loudest = sorted
            .get(sorted.len().saturating_sub(1 + sorted.len() / 20))
            .copied()
            .unwrap_or(0.0);
        let loud_ms = 10 * self.powers.iter().filter(|p| **p > loudest * LOUD).count();
        let phones: usize = text.split(' ').map(|w| self.dictionary.phones(w)).sum();
        (loud_ms as f32 / phones.max(1) as f32 - PHONE_MS).max(0.0)
    }

    /// What the front end knows of the line after the last utterance.
    pub(crate) fn mean(&mut self) -> Option<Mean> {
        self.grammar.mean()
    }
}

/// The dictionary of the phone loop, whose words are the phones.
fn phone_dictionary() -> String {
    PHONES.iter().fold(String::new(), |mut text, p| {
        let _ = writeln!(text, "{} {p}", loop_word(p));
        text
    })
}

/// Writes a small file that the library reads by name.
fn scratch_file(scratch: &Path, name: &str, text: &str) -> Result<PathBuf, Error> {
    let path = scratch.join(name);
    let io = |source| Error::Io {
        path: path.clone(),
        source,
    };
    if std::fs::read_to_string(&path).is_ok_and(|t| t == text) {
        return Ok(path);
    }
    std::fs::create_dir_all(scratch).map_err(io)?;
    // Written beside and renamed: another decoder may be reading it.
    let fresh = scratch.join(format!("{name}.{}", std::process::id()));
    std::fs::write(&fresh, text)
        .and_then(|()| std::fs::rename(&fresh, &path))
        .map_err(io)?;
    Ok(path)
}

fn phone_loop() -> String {
    let words: Vec<String> = PHONES.iter().map(|p| loop_word(p)).collect();
    format!(
        "#JSGF V1.0;\ngrammar phones;\npublic <loop> = ({})+;\n",
        words.join(" | ")
    )
}

fn loop_word(phone: &str) -> String {
    format!("ph_{}", phone.to_lowercase())
}
