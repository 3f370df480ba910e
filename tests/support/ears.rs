//! Recognises which of the desk's sentences are in a recording.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use roomtone_audio::{Frame, Stage, frame::to_i16, stage::Resampler};
use roomtone_desk::Desk;
use roomtone_lab::ear::level_dbfs;
use roomtone_speech::{
    Expectations, Expected, Grammar, Line, Stt,
    level::speech_level,
    pocketsphinx::{DEFAULT_MODEL, PocketSphinx, PocketSphinxConfig},
};

use super::{caller::SPEECH_DBFS, clock};

/// Sentences of the desk are told apart by pauses of this many packets (20 ms).
const PAUSE: usize = 14;

/// Ears that know every sentence which the desk can say without a value of the call, and nothing else.
pub(crate) struct Ears {
    stt: PocketSphinx,
    grammar: Arc<Grammar>,
    _scratch: tempfile::TempDir,
}

/// A sentence as a recogniser gives it: lower-case words.
pub(crate) fn words(sentence: &str) -> String {
    let plain: String = sentence
        .to_lowercase()
        .chars()
        .map(|c| if c.is_alphanumeric() || c == '\'' { c } else { ' ' })
        .collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Ears {
    /// For the shipped desk.
    pub(crate) fn new() -> Ears {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/desk");
        let desk = Desk::open(&folder, &roomtone_hotel::specs()).unwrap();
        let scratch = tempfile::tempdir().unwrap();
        let config = PocketSphinxConfig {
            model: DEFAULT_MODEL.into(),
            scratch: scratch.path().to_owned(),
            decoders: 1,
            pronunciations: desk.pronunciations("en").into_iter().collect(),
        };
        let dictionary = PocketSphinx::dictionary(&config).unwrap();
        let known = |s: &String| s.split(' ').all(|w| dictionary.knows(w));
        let all: BTreeSet<String> = desk
            .prompts_for_cache()
            .iter()
            .map(|(_, text)| words(text))
            .collect();
        let sentences: Vec<String> = all.iter().filter(|s| known(s)).cloned().collect();
        // Otherwise the choice were too easy.
        assert!(
            sentences.len() * 10 >= all.len() * 9,
            "{} of {}",
            sentences.len(),
            all.len()
        );
        let jsgf = format!(
            "#JSGF V1.0;\ngrammar said;\npublic <s> = {};\n",
            sentences.join(" | ")
        );
        Ears {
            stt: PocketSphinx::new(config, clock()).unwrap(),
            grammar: Arc::new(Grammar::new("said", jsgf, Vec::new())),
            _scratch: scratch,
        }
    }

    /// The sentences in 8 kHz `pcm`, in order; what is no sentence of the desk is left out.
    pub(crate) fn sentences(&self, pcm: &[i16]) -> Vec<String> {
        let expectations = Expectations {
            expected: Expected::Open,
            language: "en".into(),
            grammar: self.grammar.clone(),
            phrases: Arc::from([]),
        };
        let mut found = Vec::new();
        for piece in pieces(pcm) {
            let mut utterance = self.stt.start(&expectations, &Line::default()).unwrap();
            wide(&piece).chunks(320).for_each(|c| utterance.feed(c));
            let finished = utterance.finish();
            let heard = std::thread::spawn(move || finished.blocking_recv().unwrap().unwrap())
                .join()
                .unwrap();
            if !heard.rejected {
                found.push(heard.text);
            }
        }
        found
    }
}

/// What stands between pauses, with a little silence around it.
fn pieces(pcm: &[i16]) -> Vec<Vec<i16>> {
    let packets: Vec<&[i16]> = pcm.chunks(160).collect();
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for (at, packet) in packets.iter().enumerate() {
        if level_dbfs(packet) <= SPEECH_DBFS {
            continue;
        }
        match spans.last_mut() {
            Some((_, end)) if at - *end < PAUSE => *end = at,
            _ => spans.push((at, at)),
        }
    }
    let quiet = vec![0; 2_400];
    let piece = |(first, last): (usize, usize)| {
        let sound = packets[first.saturating_sub(2)..packets.len().min(last + 3)].concat();
        [quiet.clone(), sound, quiet.clone()].concat()
    };
    spans.into_iter().map(piece).collect()
}

/// 8 kHz to 16 kHz.
pub(crate) fn wide(narrow: &[i16]) -> Vec<i16> {
    let mut up = Resampler::new(8_000, 16_000).unwrap();
    let mut out = Vec::with_capacity(narrow.len() * 2);
    for chunk in narrow.chunks_exact(160) {
        let mut frame = Frame::silence(8_000, 160);
        frame.fill_i16(chunk);
        up.process(&mut frame);
        out.extend(frame.samples().iter().map(|s| to_i16(*s)));
    }
    out
}

/// Level of the speech in 8 kHz `pcm`, dBFS, and its length with pauses left out, s.
pub(crate) fn level_and_seconds(pcm: &[i16]) -> (f32, f32) {
    let level = speech_level(&wide(pcm)).expect("speech");
    let loud = pcm.chunks(160).filter(|p| level_dbfs(p) > SPEECH_DBFS).count();
    (level, loud as f32 * 0.02)
}
