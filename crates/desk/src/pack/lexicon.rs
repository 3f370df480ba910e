//! `lexicon.toml`: words that mean the same in every task.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::{Phrase, Source, intents};
use crate::Error;

/// What can be said in every state. Ordered: when two fit equally well, the earlier one is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// Danger to life (RC-076).
    Emergency,
    /// A person, please.
    Person,
    /// Say that again.
    Repeat,
    /// Drop what we are doing.
    Stop,
    /// Just a moment.
    Wait,
    /// The caller does not know what was asked.
    DontKnow,
    /// What can you do?
    Help,
    /// The end.
    Bye,
    /// Thank you.
    Thanks,
    /// Hello.
    Greet,
    /// Yes.
    Affirm,
    /// No.
    Deny,
}

impl Control {
    /// All of them, in order.
    pub const ALL: [Control; 12] = [
        Control::Emergency,
        Control::Person,
        Control::Repeat,
        Control::Stop,
        Control::Wait,
        Control::DontKnow,
        Control::Help,
        Control::Bye,
        Control::Thanks,
        Control::Greet,
        Control::Affirm,
        Control::Deny,
    ];

    /// Its name in files and grammars.
    pub fn name(self) -> &'static str {
        match self {
            Control::Emergency => "emergency",
            Control::Person => "person",
            Control::Repeat => "repeat",
            Control::Stop => "stop",
            Control::Wait => "wait",
            Control::DontKnow => "dont_know",
            Control::Help => "help",
            Control::Bye => "bye",
            Control::Thanks => "thanks",
            Control::Greet => "greet",
            Control::Affirm => "affirm",
            Control::Deny => "deny",
        }
    }
}

/// Phrases and patterns of one control.
#[derive(Clone, Debug, Default)]
pub struct PhraseSet {
    /// Phrases.
    pub phrases: Vec<Phrase>,
    /// Keyword patterns, with their line.
    pub patterns: Vec<(String, usize)>,
}

/// The lexicon.
#[derive(Clone, Debug, Default)]
pub struct Lexicon {
    /// Words that add nothing: cut at hardly any cost; what a recogniser may hear for `*`.
    pub fillers: Vec<String>,
    /// Words that carry little: articles, auxiliaries, question words.
    pub light: Vec<String>,
    /// Words between two wishes of one sentence.
    pub conjunctions: Vec<String>,
    /// Words that take back the value behind them: "not".
    pub negations: Vec<String>,
    /// Words that say that no person speaks; the greeting must hold one of them (RC-078).
    pub disclosure: Vec<String>,
    /// One way of writing for several: `checkout = "check out"`.
    pub rewrite: BTreeMap<String, String>,
    /// What a recogniser writes for what is meant: `rum = "room"`. Taken at a cost.
    pub confusions: BTreeMap<String, String>,
    /// Pronunciations of words that the recogniser's dictionary lacks, in its phones (ARPAbet).
    pub pronunciations: BTreeMap<String, String>,
    /// What can be said in every state.
    pub controls: BTreeMap<Control, PhraseSet>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    fillers: Vec<String>,
    #[serde(default)]
    light: Vec<String>,
    #[serde(default)]
    conjunctions: Vec<String>,
    #[serde(default)]
    negations: Vec<String>,
    #[serde(default)]
    disclosure: Vec<String>,
    #[serde(default)]
    rewrite: BTreeMap<String, String>,
    #[serde(default)]
    confusions: BTreeMap<String, String>,
    #[serde(default)]
    pronunciations: BTreeMap<String, String>,
    #[serde(default)]
    controls: BTreeMap<Control, Set>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Set {
    #[serde(default)]
    phrases: Vec<Spanned<String>>,
    #[serde(default)]
    patterns: Vec<Spanned<String>>,
}

pub(super) fn parse(source: &Source) -> Result<Lexicon, Error> {
    let file: File = source.parse()?;
    let mut controls = BTreeMap::new();
    for (control, set) in file.controls {
        let patterns = set
            .patterns
            .into_iter()
            .map(|p| (p.get_ref().clone(), source.line(p.span().start)))
            .collect();
        controls.insert(
            control,
            PhraseSet {
                phrases: intents::phrases(source, set.phrases)?,
                patterns,
            },
        );
    }
    Ok(Lexicon {
        fillers: file.fillers,
        light: file.light,
        conjunctions: file.conjunctions,
        negations: file.negations,
        disclosure: file.disclosure,
        rewrite: file.rewrite,
        confusions: file.confusions,
        pronunciations: file.pronunciations,
        controls,
    })
}
