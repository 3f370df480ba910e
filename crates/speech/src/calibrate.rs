//! Where to draw the line between sense and nonsense, for one grammar.
//!
//! Sentences of the grammar and sentences of something else are spoken by the voices that are there, sent through a
//! telephone, and heard. The threshold lies between the worst of the first and the best of the second.

use std::{ops::RangeInclusive, sync::Arc};

use roomtone_audio::{
    Frame, Stage,
    frame::to_i16,
    g711,
    stage::{Cleanup, Resampler},
};

use crate::{Error, Expectations, Expected, Grammar, Line, Stt, Tts};

/// Thresholds outside are not believed: the sentences were too easy or too odd.
const SANE: RangeInclusive<f32> = -14.0..=-2.0;
/// How much worse it is to refuse a caller's sense than to take nonsense: the desk confirms before it acts, but a
/// caller who is not understood hangs up.
const REFUSAL_COST: f32 = 2.0;

/// Sentences that no desk is asked, for the other side of the line.
pub const NONSENSE: [&str; 16] = [
    "the weather in lisbon was rather cold yesterday",
    "my brother bought a red bicycle",
    "please send the documents to the lawyer",
    "guten morgen wie geht es ihnen",
    "seventeen elephants walked across the bridge",
    "who won the football match last night",
    "the stock market fell again",
    "bonjour je voudrais une chambre",
    "turn left at the second traffic light",
    "she painted the kitchen wall yellow",
    "have you ever been to the moon",
    "the train to london leaves from another platform",
    "il treno parte alle sette",
    "grandmother used to grow potatoes",
    "that television programme was boring",
    "nobody understands quantum mechanics",
];

/// What a calibration found.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// The line, for [`Grammar::threshold`].
    pub threshold: f32,
    /// Scores of the grammar's sentences, ascending.
    pub sense: Vec<f32>,
    /// Scores of the others, ascending.
    pub nonsense: Vec<f32>,
    /// Share of the grammar's sentences that were heard word for word.
    pub exact: f32,
    /// What the line decides wrongly, worst first: score, what was said, what was heard.
    pub wrong: Vec<(f32, String, String)>,
}

impl Calibration {
    /// Shares that the line decides wrongly: sense refused, nonsense taken.
    pub fn errors(&self) -> (f32, f32) {
        let share = |n: usize, of: usize| n as f32 / of.max(1) as f32;
        let refused = self.sense.iter().filter(|s| **s < self.threshold).count();
        let taken = self.nonsense.iter().filter(|s| **s >= self.threshold).count();
        (
            share(refused, self.sense.len()),
            share(taken, self.nonsense.len()),
        )
    }
}

/// Speech as a telephone gives it to the recogniser: 300 ms of quiet, 8 kHz, µ-law, back to 16 kHz, noise suppression.
///
/// # Errors
/// None in practice: the rates are fixed.
pub fn through_telephone(samples: &[i16]) -> Result<Vec<i16>, Error> {
    let engine = |e: roomtone_audio::Error| Error::Engine {
        engine: "telephone",
        problem: e.to_string(),
    };
    let mut down = Resampler::new(16_000, 8_000).map_err(engine)?;
    let mut up = Resampler::new(8_000, 16_000).map_err(engine)?;
    let mut cleanup = Cleanup::new();
    let mut out = Vec::with_capacity(samples.len() + 12_000);
    // Half a second in front, of which the noise suppressor may learn, and 300 ms behind, as in a call.
    let padded: Vec<i16> = std::iter::repeat_n(0, 8_000)
        .chain(samples.iter().copied())
        .chain(std::iter::repeat_n(0, 4_800))
        .collect();
    for chunk in padded.chunks_exact(320) {
        let mut frame = Frame::silence(16_000, 320);
        frame.fill_i16(chunk);
        down.process(&mut frame);
        for sample in frame.samples_mut() {
            *sample = f32::from(g711::decode_ulaw(g711::encode_ulaw(to_i16(*sample)))) / 32_768.0;
        }
        up.process(&mut frame);
        cleanup.process(&mut frame);
        out.extend(frame.samples().iter().map(|s| to_i16(*s)));
    }
    Ok(out.split_off(3_200))
}

/// Calibrates `grammar`; blocks for about a tenth of the sentences' spoken length.
///
/// # Errors
/// A voice or the recogniser failed, or the grammar has no examples.
pub fn calibrate(
    stt: &dyn Stt,
    tts: &dyn Tts,
    voices: &[&str],
    grammar: &Arc<Grammar>,
) -> Result<Calibration, Error> {
    let expectations = Expectations {
        expected: Expected::Open,
        language: "en".to_owned(),
        grammar: grammar.clone(),
        phrases: Arc::from([]),
    };
    if grammar.examples.is_empty() {
        let problem = "it has no example sentences to calibrate with".to_owned();
        return Err(Error::Grammar {
            grammar: grammar.name.clone(),
            problem,
        });
    }
    let (mut sense, mut nonsense, mut exact) = (Vec::new(), Vec::new(), 0usize);
    let mut all = Vec::new();
    let hear = |text: &str, voice: &str, line: &Line| -> Result<(f32, String), Error> {
        let sound = through_telephone(&tts.speak(text, voice)?.blocking_collect()?)?;
        let mut utterance = stt.start(&expectations, line)?;
        sound.chunks(320).for_each(|c| utterance.feed(c));
        let gone = || Error::Engine {
            engine: "stt",
            problem: "its thread ended".to_owned(),
        };
        let heard = utterance.finish().blocking_recv().map_err(|_| gone())??;
        Ok((heard.score, heard.text))
    };
    for voice in voices {
        let line = Line::default();
        for text in &grammar.examples {
            let (score, heard) = hear(text, voice, &line)?;
            sense.push(score);
            exact += usize::from(heard == *text);
            all.push((true, score, text.clone(), heard));
        }
        for text in NONSENSE {
            let (score, heard) = hear(text, voice, &line)?;
            nonsense.push(score);
            all.push((false, score, text.to_owned(), heard));
        }
    }
    sense.sort_unstable_by(f32::total_cmp);
    nonsense.sort_unstable_by(f32::total_cmp);
    let threshold = border(&sense, &nonsense).clamp(*SANE.start(), *SANE.end());
    let exact = exact as f32 / sense.len() as f32;
    let wrongly = |(good, score, _, _): &(bool, f32, String, String)| *good != (*score >= threshold);
    let named = |(_, score, said, heard)| (score, said, heard);
    let mut wrong: Vec<(f32, String, String)> = all.into_iter().filter(wrongly).map(named).collect();
    wrong.sort_by(|a, b| (b.0 - threshold).abs().total_cmp(&(a.0 - threshold).abs()));
    Ok(Calibration {
        threshold,
        sense,
        nonsense,
        exact,
        wrong,
    })
}

/// The score between two neighbours that costs least; the widest gap where several cost the same.
fn border(sense: &[f32], nonsense: &[f32]) -> f32 {
    let mut scores: Vec<f32> = sense
        .iter()
        .chain(nonsense)
        .copied()
        .filter(|s| *s > f32::MIN / 2.0)
        .collect();
    scores.sort_unstable_by(f32::total_cmp);
    let share = |n: usize, of: &[f32]| n as f32 / of.len().max(1) as f32;
    let cost = |line: f32| {
        let refused = share(sense.iter().filter(|s| **s < line).count(), sense);
        REFUSAL_COST * refused + share(nonsense.iter().filter(|s| **s >= line).count(), nonsense)
    };
    let first = scores.first().copied().unwrap_or(0.0);
    let mut best = (cost(first), 0.0, first);
    for pair in scores.windows(2) {
        let (line, gap) = ((pair[0] + pair[1]) / 2.0, pair[1] - pair[0]);
        let cost = cost(line);
        if cost < best.0 || (cost == best.0 && gap > best.1) {
            best = (cost, gap, line);
        }
    }
    best.2
}

#[cfg(test)]
mod tests {
    use super::border;

    #[test]
    fn the_border_is_the_middle_of_the_gap_or_the_cheaper_error() {
        assert_eq!(border(&[2.0, 4.0], &[-8.0, -2.0]), 0.0);
        let line = border(&[-4.0, 5.0, 6.0, 7.0], &[-9.0, -8.0, -7.0, -3.0]);
        assert!(
            (-7.0..-4.0).contains(&line),
            "refusing costs more than taking: {line}"
        );
        assert_eq!(border(&[3.0], &[f32::MIN]), 3.0);
    }
}
