//! The voices speak through a telephone, the recogniser hears.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::sync::Arc;

use roomtone_base::SystemClock;
use roomtone_speech::{
    Error, Expectations, Expected, Grammar, Line, Stt, Transcription, Tts,
    calibrate::{NONSENSE, calibrate, through_telephone},
    flite::Flite,
    pocketsphinx::{DEFAULT_MODEL, PocketSphinx, PocketSphinxConfig},
};

const SENSE: [&str; 9] = [
    "what time is breakfast",
    "could i have a late check out until one o'clock please",
    "two oh four",
    "yes please",
    "no thank you goodbye",
    "is there parking",
    "what is the wifi password",
    "half past twelve",
    "can you repeat that",
];

const JSGF: &str = "#JSGF V1.0;
grammar test;
public <s> = what time is breakfast | (could|can) i have a late check out [until <time>] [please]
  | [room] <digit> <digit> <digit> | yes [please] | no [thank you] [goodbye] | is there parking
  | what is the wifi password | <time> | can you repeat that;
<digit> = oh | one | two | three | four | five | six | seven | eight | nine;
<time> = (one|two|three|eleven|twelve) o'clock | half past (twelve|one|two);
";

struct Ears {
    stt: PocketSphinx,
    tts: Flite,
    grammar: Arc<Grammar>,
    _scratch: tempfile::TempDir,
}

fn ears() -> Option<Ears> {
    let scratch = tempfile::tempdir().unwrap();
    let config = PocketSphinxConfig {
        model: DEFAULT_MODEL.into(),
        scratch: scratch.path().to_owned(),
        decoders: 2,
        pronunciations: Vec::new(),
    };
    let stt = PocketSphinx::new(config, SystemClock::shared());
    let tts = Flite::new().and_then(|f| f.warm("slt").map(|()| f));
    match (stt, tts) {
        (Ok(stt), Ok(tts)) => {
            let examples = SENSE.iter().map(|s| (*s).to_owned()).collect();
            Some(Ears {
                stt,
                tts,
                grammar: Arc::new(Grammar::new("test", JSGF, examples)),
                _scratch: scratch,
            })
        }
        (stt, tts) => {
            println!(
                "skipped: {:?} {:?}",
                stt.err().map(|e| e.to_string()),
                tts.err().map(|e| e.to_string())
            );
            None
        }
    }
}

impl Ears {
    fn expectations(&self) -> Expectations {
        Expectations {
            expected: Expected::Open,
            language: "en".into(),
            grammar: self.grammar.clone(),
            phrases: Arc::from([]),
        }
    }

    fn hear(&self, sound: &[i16], line: &Line) -> Transcription {
        let mut utterance = self.stt.start(&self.expectations(), line).unwrap();
        sound.chunks(320).for_each(|c| utterance.feed(c));
        utterance.finish().blocking_recv().unwrap().unwrap()
    }

    fn say(&self, text: &str, voice: &str) -> Vec<i16> {
        through_telephone(&self.tts.speak(text, voice).unwrap().blocking_collect().unwrap()).unwrap()
    }
}

#[test]
fn sense_is_understood_and_nonsense_refused_in_telephone_band() {
    let Some(mut ears) = ears() else { return };
    let found = calibrate(&ears.stt, &ears.tts, &["slt", "rms"], &ears.grammar).unwrap();
    ears.grammar = Arc::new(Grammar {
        threshold: Some(found.threshold),
        ..(*ears.grammar).clone()
    });
    let (mut refused, mut taken) = (Vec::new(), Vec::new());
    for voice in ["slt", "rms"] {
        let line = Line::default();
        for text in SENSE {
            let heard = ears.hear(&ears.say(text, voice), &line);
            assert_eq!(heard.text, text, "{voice}: {heard:?}");
            refused.extend(heard.rejected.then_some(heard));
        }
        for text in NONSENSE {
            let heard = ears.hear(&ears.say(text, voice), &line);
            taken.extend((!heard.rejected).then_some(heard));
        }
    }
    assert!(
        refused.len() <= 1 && taken.len() <= 3,
        "refused {refused:?}, taken {taken:?}"
    );
}

#[test]
fn the_same_sound_gives_the_same_words_whoever_spoke_before() {
    let Some(ears) = ears() else { return };
    let sound = ears.say("is there parking", "rms");
    let first = ears.hear(&sound, &Line::default());
    ears.hear(&ears.say("half past twelve", "slt"), &Line::default());
    let again = ears.hear(&sound, &Line::default());
    assert_eq!(first.text, again.text);
    // The library keeps its last choice of Gaussians over utterances, which moves scores a little.
    assert!(
        (first.score - again.score).abs() < 1.0,
        "{} {}",
        first.score,
        again.score
    );
}

#[test]
fn silence_noise_and_nothing_are_refused() {
    let Some(ears) = ears() else { return };
    let mut seed = 1u32;
    let noise: Vec<i16> = (0..16_000)
        .map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 20) as i16 - 2_048
        })
        .collect();
    for sound in [vec![], vec![0; 16_000], noise] {
        let heard = ears.hear(&sound, &Line::default());
        assert!(heard.rejected, "{heard:?}");
    }
}

#[test]
fn an_utterance_thrown_away_does_not_hurt_the_next() {
    let Some(ears) = ears() else { return };
    for _ in 0..5 {
        let mut utterance = ears.stt.start(&ears.expectations(), &Line::default()).unwrap();
        utterance.feed(&[0; 3_200]);
    }
    assert_eq!(
        ears.hear(&ears.say("yes please", "rms"), &Line::default()).text,
        "yes please"
    );
}

#[test]
fn more_callers_than_decoders_wait_and_are_heard() {
    let Some(ears) = ears() else { return };
    let sound = ears.say("what time is breakfast", "rms");
    let pending: Vec<_> = (0..6)
        .map(|_| {
            let mut utterance = ears.stt.start(&ears.expectations(), &Line::default()).unwrap();
            sound.chunks(320).for_each(|c| utterance.feed(c));
            utterance.finish()
        })
        .collect();
    for reply in pending {
        assert_eq!(
            reply.blocking_recv().unwrap().unwrap().text,
            "what time is breakfast"
        );
    }
}

#[test]
fn speakers_who_go_on_and_on_do_not_keep_the_others_waiting() {
    let Some(ears) = ears() else { return };
    let sound = ears.say("what time is breakfast", "rms");
    let endless: Vec<_> = (0..8)
        .map(|_| {
            let mut utterance = ears.stt.start(&ears.expectations(), &Line::default()).unwrap();
            utterance.feed(&sound);
            utterance
        })
        .collect();
    let mut utterance = ears.stt.start(&ears.expectations(), &Line::default()).unwrap();
    utterance.feed(&sound);
    // Blocks for ever if the two pairs belong to those who have not finished.
    assert_eq!(
        utterance.finish().blocking_recv().unwrap().unwrap().text,
        "what time is breakfast"
    );
    for utterance in endless {
        assert_eq!(
            utterance.finish().blocking_recv().unwrap().unwrap().text,
            "what time is breakfast"
        );
    }
}

#[test]
fn a_grammar_with_an_unknown_word_or_bad_syntax_costs_one_utterance() {
    let Some(ears) = ears() else { return };
    for (jsgf, unknown) in [
        ("#JSGF V1.0;\ngrammar t;\npublic <s> = xyzzyplugh;\n", true),
        ("#JSGF V1.0;\ngrammar t;\npublic <s> = (yes;\n", false),
    ] {
        let mut bad = ears.expectations();
        bad.grammar = Arc::new(Grammar::new("bad", jsgf, vec![]));
        let reply = ears
            .stt
            .start(&bad, &Line::default())
            .unwrap()
            .finish()
            .blocking_recv()
            .unwrap();
        let error = reply.expect_err("a bad grammar must be refused");
        assert_eq!(matches!(error, Error::UnknownWords { .. }), unknown, "{error}");
    }
    assert_eq!(
        ears.hear(&ears.say("yes please", "rms"), &Line::default()).text,
        "yes please"
    );
}

#[test]
fn calibration_draws_a_line_between_sense_and_nonsense() {
    let Some(ears) = ears() else { return };
    let found = calibrate(&ears.stt, &ears.tts, &["slt", "rms"], &ears.grammar).unwrap();
    let (refused, taken) = found.errors();
    assert!(refused <= 0.06 && taken <= 0.1, "{found:?}");
    assert!(found.exact > 0.9, "{found:?}");
}
