//! Values of slots in a sentence.

use std::{collections::BTreeMap, ops::Range};

use jiff::civil::Date;
use roomtone_lang::{Kind, Language, Open, Reading, Value};

use super::{SlotValue, weights::Weights};
use crate::pack::{FrameFile, Half, Lexicon, List, Pack, Slot, SlotKind};

/// A value that a slot could take.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Found {
    pub(crate) slot: String,
    pub(crate) span: Range<usize>,
    pub(crate) value: Value,
    pub(crate) score: f32,
    /// Nothing was left open, or it was said in more than one word.
    pub(crate) evident: bool,
}

/// Everything that `slot` could be in `words`, longest first.
pub(crate) fn find(
    slot: &Slot,
    words: &[&str],
    today: Date,
    pack: &Pack,
    language: &dyn Language,
) -> Vec<Found> {
    let readings = match &slot.kind {
        SlotKind::Value(kind) => language.read(*kind, words, today),
        SlotKind::List(name) => pack
            .lists
            .get(name)
            .map(|l| items(l, words, language))
            .unwrap_or_default(),
    };
    let fits = |r: &Reading<Value>| match (&r.value, slot.length) {
        (Value::Digits(d), Some(n)) => d.len() == n,
        _ => true,
    };
    let meant = |r: &Reading<Value>| !r.open.contains(&Open::Half) || in_half(&r.value, slot.default_half);
    let found = |r: Reading<Value>| Found {
        slot: slot.name.clone(),
        evident: evident(&slot.kind, &r),
        span: r.span,
        value: r.value,
        score: r.score,
    };
    readings
        .into_iter()
        .filter(|r| fits(r) && meant(r))
        .map(found)
        .collect()
}

fn evident(kind: &SlotKind, r: &Reading<Value>) -> bool {
    match kind {
        SlotKind::Value(Kind::Time | Kind::Date) => r.open.is_empty() || r.span.len() > 1,
        SlotKind::List(_) => true,
        SlotKind::Value(_) => false,
    }
}

fn in_half(value: &Value, half: Half) -> bool {
    let Value::Time(t) = value else { return true };
    match half {
        Half::Morning => t.hour() < 12,
        Half::Afternoon => t.hour() >= 12,
        Half::Evening => t.hour() > 12 || t.hour() == 0 || (t.hour() == 12 && t.minute() > 0),
        Half::Day => (7..19).contains(&t.hour()),
    }
}

fn items(list: &List, words: &[&str], language: &dyn Language) -> Vec<Reading<Value>> {
    let mut out = Vec::new();
    for item in &list.item {
        for name in item.names.get(language.code()).into_iter().flatten() {
            let name = language.normalise(name);
            let name = name.words();
            for start in 0..words.len() {
                if !name.is_empty() && words[start..].starts_with(&name) {
                    let span = start..start + name.len();
                    out.push(Reading {
                        span,
                        value: Value::Text(item.id.clone()),
                        score: 1.0,
                        open: Vec::new(),
                    });
                }
            }
        }
    }
    out.sort_by_key(|r| std::cmp::Reverse(r.span.len()));
    out
}

/// What a sentence says about a frame's slots.
pub(crate) struct Picked {
    pub(crate) set: Vec<SlotValue>,
    pub(crate) negated: Vec<SlotValue>,
    /// Tokens that belong to values and their cues.
    pub(crate) taken: Vec<bool>,
}

/// What helps to tell which value belongs to which slot.
pub(crate) struct Picker<'p> {
    pub(crate) cues: &'p BTreeMap<String, Vec<String>>,
    pub(crate) lexicon: &'p Lexicon,
    pub(crate) weights: &'p Weights,
}

impl Picker<'_> {
    /// Picks values for the slots of `frame`: announced by a cue, asked for, or evident by themselves. Tokens in `taken`
    /// are spoken for. A later value of the same slot wins, so that "one, sorry, two" is two (RC-024); what follows a
    /// negation is taken back.
    pub(crate) fn pick(
        &self,
        frame: &FrameFile,
        asked: &[String],
        words: &[&str],
        all: &[Found],
        mut taken: Vec<bool>,
    ) -> Picked {
        let none = Vec::new();
        let mut ranked: Vec<(u8, &Found, usize)> = Vec::new();
        for f in all {
            let Some(_) = frame.slot(&f.slot) else { continue };
            let cue = cue_before(
                f.span.start,
                words,
                self.cues.get(&f.slot).unwrap_or(&none),
                self.weights,
            );
            let rank = match cue {
                Some(_) => 0,
                None if asked.contains(&f.slot) => 1,
                None if f.evident => 2,
                None => continue,
            };
            ranked.push((rank, f, cue.unwrap_or(f.span.start)));
        }
        ranked.sort_by_key(|(rank, f, _)| {
            (
                *rank,
                std::cmp::Reverse(f.span.len()),
                std::cmp::Reverse(f.span.start),
            )
        });
        let mut chosen: Vec<&Found> = Vec::new();
        for (_, f, from) in ranked {
            if !taken[f.span.clone()].contains(&true) {
                taken[from..f.span.end].fill(true);
                chosen.push(f);
            }
        }
        chosen.sort_by_key(|f| f.span.start);
        let mut out = Picked {
            set: Vec::new(),
            negated: Vec::new(),
            taken,
        };
        for f in chosen {
            let value = SlotValue {
                slot: f.slot.clone(),
                value: f.value.clone(),
                score: f.score,
            };
            let before = words[..f.span.start]
                .iter()
                .rev()
                .take(2)
                .find(|w| self.lexicon.negations.iter().any(|n| n == *w));
            if before.is_some() {
                out.negated.push(value);
            } else {
                out.set.retain(|v| v.slot != f.slot);
                out.set.push(value);
            }
        }
        out
    }
}

/// Start of the cue that stands right before `at`, a small word between them allowed.
fn cue_before(at: usize, words: &[&str], cues: &[String], weights: &Weights) -> Option<usize> {
    let is_cue = |i: usize| cues.iter().any(|c| c == words[i]);
    let one = at.checked_sub(1)?;
    if is_cue(one) {
        return Some(one);
    }
    let two = at.checked_sub(2)?;
    (is_cue(two) && !weights.is_content(words[one])).then_some(two)
}
