//! One grammar per state.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use roomtone_lang::{Expr, Language, Rules, jsgf};
use roomtone_speech::{Expectations, Expected, Grammar};

use super::examples::examples;
use crate::{
    nlu::slot_rule,
    pack::{Control, FrameFile, LanguageFiles, Pack, Phrase, Slot, SlotKind, Target},
};

/// Grammar of the state in which anything may be said.
pub(crate) const OPEN: &str = "open";
/// Grammar of a plain yes-or-no question.
pub(crate) const YES_NO: &str = "yes_no";

/// Rules of the pack that may stand before and behind every phrase.
const OPENING: &str = "opening";
const CLOSING: &str = "closing";

/// All grammars of a desk in one language.
#[derive(Clone, Debug)]
pub struct Grammars {
    states: BTreeMap<String, Expectations>,
    vocabulary: BTreeSet<Arc<str>>,
}

/// The language's rules, the pack's own and one for each list. Slots in the pack's phrases are bound to types.
pub fn rules(pack: &Pack, language: &dyn Language) -> Rules {
    let mut rules = language.rules().clone();
    let frames: Vec<&FrameFile> = pack.frames.values().collect();
    for (name, list) in &pack.lists {
        let names = list
            .item
            .iter()
            .filter_map(|i| i.names.get(language.code()))
            .flatten();
        let names: Vec<Expr> = names
            .map(|n| Expr::words(&language.normalise(n).text()))
            .collect();
        rules.insert(slot_rule(&SlotKind::List(name.clone()), None), Expr::Alt(names));
    }
    if let Some(files) = pack.languages.get(language.code()) {
        for (name, phrase) in &files.intents.rules {
            rules.insert(name.as_str().into(), crate::nlu::bind(&phrase.expr, &frames));
        }
        let fillers = files
            .lexicon
            .fillers
            .iter()
            .map(|w| Expr::words(w))
            .collect::<Vec<_>>();
        if !fillers.is_empty() {
            rules.insert(jsgf::FILLER.into(), Expr::Alt(fillers));
        }
    }
    rules
}

impl Grammars {
    /// Builds all grammars; `rules` as [`rules`] gives them.
    pub fn new(pack: &Pack, language: &dyn Language, rules: &Rules) -> Grammars {
        let mut out = Grammars {
            states: BTreeMap::new(),
            vocabulary: BTreeSet::new(),
        };
        let Some(files) = pack.languages.get(language.code()) else {
            return out;
        };
        let frames: Vec<&FrameFile> = pack.frames.values().collect();
        let mut b = Builder {
            files,
            frames,
            language,
            rules: rules.clone(),
            parts: Vec::new(),
        };
        let all: Vec<&Control> = files.lexicon.controls.keys().collect();
        let calm = |c: &&Control| !matches!(c, Control::Affirm | Control::Deny | Control::Greet);
        let controls: Vec<&Control> = all.iter().copied().filter(calm).collect();
        let yes_no: Vec<&Control> = all
            .iter()
            .copied()
            .filter(|c| matches!(c, Control::Affirm | Control::Deny))
            .collect();

        b.controls(&all);
        b.intents(|_| true);
        out.add(b.take(OPEN), OPEN, Expected::Open, &b);

        b.controls(&yes_no);
        b.controls(&controls);
        out.add(b.take(YES_NO), YES_NO, Expected::YesNo, &b);

        let questions = pack.desk.grammar.questions_in_forms;
        for frame in pack.frames.values() {
            for slot in &frame.slots {
                b.slot(slot);
                b.controls(&controls);
                if questions {
                    b.intents(|t| matches!(t, Target::Topic(_)));
                }
                let name = slot_state(&frame.frame, &slot.name);
                out.add(b.take(&name), &name, expected(&slot.kind), &b);
            }
            b.controls(&yes_no);
            b.corrections(frame);
            b.controls(&controls);
            if questions {
                b.intents(|t| matches!(t, Target::Topic(_)));
            }
            let name = confirm_state(&frame.frame);
            out.add(b.take(&name), &name, Expected::YesNo, &b);
            b.corrections(frame);
            b.controls(&yes_no);
            b.controls(&controls);
            let name = change_state(&frame.frame);
            out.add(b.take(&name), &name, Expected::Open, &b);
        }
        for (name, state) in &mut out.states {
            let measured = files.calibration.grammars.get(name);
            let threshold = measured
                .filter(|c| c.hash == state.grammar.hash)
                .map(|c| c.threshold);
            let mut grammar = Grammar::clone(&state.grammar);
            grammar.threshold = threshold;
            state.grammar = Arc::new(grammar);
        }
        out
    }

    /// What the state of that name expects; the open state for a name that is unknown.
    pub fn state(&self, name: &str) -> Option<&Expectations> {
        self.states.get(name).or_else(|| self.states.get(OPEN))
    }

    /// All states, by name.
    pub fn states(&self) -> &BTreeMap<String, Expectations> {
        &self.states
    }

    /// Every word that any grammar can make a recogniser hear.
    pub fn vocabulary(&self) -> &BTreeSet<Arc<str>> {
        &self.vocabulary
    }

    fn add(&mut self, made: (Grammar, BTreeSet<Arc<str>>), name: &str, expected: Expected, b: &Builder<'_>) {
        let (grammar, words) = made;
        let phrases: Vec<String> = grammar.examples.clone();
        self.vocabulary.extend(words);
        let state = Expectations {
            expected,
            language: b.language.code().to_owned(),
            grammar: Arc::new(grammar),
            phrases: phrases.into(),
        };
        self.states.insert(name.to_owned(), state);
    }
}

pub(crate) fn slot_state(frame: &str, slot: &str) -> String {
    format!("{frame}_{slot}")
}

pub(crate) fn confirm_state(frame: &str) -> String {
    format!("{frame}_confirm")
}

pub(crate) fn change_state(frame: &str) -> String {
    format!("{frame}_change")
}

fn expected(kind: &SlotKind) -> Expected {
    use roomtone_lang::Kind;
    match kind {
        SlotKind::List(name) => Expected::List(name.clone()),
        SlotKind::Value(Kind::Time) => Expected::Time,
        SlotKind::Value(Kind::Date) => Expected::Date,
        SlotKind::Value(Kind::Letters) => Expected::Spelling,
        SlotKind::Value(Kind::Ordinal | Kind::Money) => Expected::Open,
        SlotKind::Value(Kind::Count | Kind::Number | Kind::Digits | Kind::RoomNumber) => Expected::Digits,
    }
}

/// Collects what one state can hear, as named rules with one phrase per alternative.
struct Builder<'p> {
    files: &'p LanguageFiles,
    frames: Vec<&'p FrameFile>,
    language: &'p dyn Language,
    rules: Rules,
    parts: Vec<(Arc<str>, Vec<Expr>)>,
}

impl Builder<'_> {
    fn phrases(&mut self, name: &str, all: &[Phrase]) {
        let exprs: Vec<Expr> = all
            .iter()
            .map(|p| crate::nlu::bind(&p.expr, &self.frames))
            .collect();
        if !exprs.is_empty() {
            let rule: Arc<str> = format!("say_{}", name.replace('.', "_")).into();
            self.rules.insert(rule.clone(), Expr::Alt(exprs.clone()));
            self.parts.push((rule, exprs));
        }
    }

    fn controls(&mut self, which: &[&Control]) {
        let files = self.files;
        for control in which {
            if let Some(set) = files.lexicon.controls.get(control) {
                self.phrases(control.name(), &set.phrases);
            }
        }
    }

    fn intents(&mut self, which: impl Fn(&Target) -> bool) {
        let files = self.files;
        for intent in files.intents.intents.iter().filter(|i| which(&i.target)) {
            self.phrases(&intent.target.name(), &intent.phrases);
        }
    }

    fn slot(&mut self, slot: &Slot) {
        let (files, name) = (self.files, &slot.name);
        match files.intents.answers.get(name) {
            Some(all) => self.phrases(&format!("answer_{name}"), all),
            None => {
                let rule: Arc<str> = format!("say_answer_{name}").into();
                let value = Expr::Slot(name.as_str().into(), slot_rule(&slot.kind, slot.length));
                self.rules.insert(rule.clone(), value.clone());
                self.parts.push((rule, vec![value]));
            }
        }
    }

    fn corrections(&mut self, frame: &FrameFile) {
        let files = self.files;
        for slot in &frame.slots {
            if let Some(all) = files.intents.corrections.get(&slot.name) {
                self.phrases(&format!("correction_{}", slot.name), all);
            }
        }
    }

    fn take(&mut self, name: &str) -> (Grammar, BTreeSet<Arc<str>>) {
        let parts = std::mem::take(&mut self.parts);
        let any = Expr::Alt(parts.iter().map(|(rule, _)| Expr::Rule(rule.clone())).collect());
        // People greet and thank around what they want.
        let around = |name: &str| self.rules.contains_key(name).then(|| Expr::rule(name).opt());
        let whole: Vec<Expr> = around(OPENING)
            .into_iter()
            .chain([any])
            .chain(around(CLOSING))
            .collect();
        let expr = Expr::Seq(whole);
        let each: Vec<Expr> = parts.into_iter().flat_map(|(_, exprs)| exprs).collect();
        let jsgf = jsgf::grammar(name, &expr, &self.rules);
        let words = jsgf::words(&expr, &self.rules);
        (Grammar::new(name, jsgf, examples(&each, &self.rules)), words)
    }
}
