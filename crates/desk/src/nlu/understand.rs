//! The stages put together.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};

use jiff::civil::Date;
use roomtone_lang::{Expr, Kind, Language, Rules, Value, walk};

use super::{
    Candidate, Command, SlotValue, Understood,
    asked::answer,
    automaton::{Automaton, SlotSpan, near},
    compile::{flatten, vocabulary},
    pattern::Pattern,
    values::{Found, Picker, find},
    weights::Weights,
};
use crate::pack::{Control, LanguageFiles, Pack, Phrase, Target};

/// Score from which something that can be said in every state is taken: these act at once.
const CONTROL_ACCEPT: f32 = 0.8;
/// The same for danger: "no emergency" must stay below it (RC-076).
const EMERGENCY_ACCEPT: f32 = 0.85;
/// As many digits in a row look like a payment card (RC-073).
const CARD_DIGITS: usize = 12;

/// What the desk waits for, as far as it changes how words are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The task at hand.
    pub frame: Option<String>,
    /// Slots that were asked for.
    pub slots: Vec<String>,
    /// Corrections are likely: something was read back.
    pub read_back: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Goal {
    Control(Control),
    Intent(Target),
    Answer(String),
    Correction(String),
}

impl Goal {
    fn name(&self) -> String {
        match self {
            Goal::Control(c) => c.name().to_owned(),
            Goal::Intent(t) => t.name(),
            Goal::Answer(slot) => format!("answer.{slot}"),
            Goal::Correction(slot) => format!("correction.{slot}"),
        }
    }
}

#[derive(Clone, Debug)]
struct Template {
    goal: Goal,
    text: String,
    automaton: Automaton,
    content: Vec<String>,
}

/// Reads sentences of one language with the phrases of one desk.
#[derive(Clone)]
pub struct Understander {
    language: &'static dyn Language,
    pack: Arc<Pack>,
    code: String,
    weights: Weights,
    templates: Vec<Template>,
    patterns: Vec<(Goal, Pattern)>,
    known: BTreeMap<Goal, BTreeSet<String>>,
    vocabulary: HashSet<String>,
    yes: Expr,
    no: Expr,
    accept: f32,
}

/// One reading of a whole sentence.
#[derive(Clone, Debug)]
struct Choice {
    goal: Option<Goal>,
    rule: String,
    score: f32,
    commands: Vec<Command>,
}

impl Understander {
    /// Compiles the phrases of `pack` in `language`. `rules` are the language's and the pack's rules together.
    /// Patterns that can't be read are left out; [`crate::pack::check`] names them.
    pub fn new(pack: Arc<Pack>, language: &'static dyn Language, rules: &Rules) -> Understander {
        let code = language.code().to_owned();
        let (mut templates, mut patterns) = (Vec::new(), Vec::new());
        let mut known: BTreeMap<Goal, BTreeSet<String>> = BTreeMap::new();
        let (mut yes, mut no) = (Vec::new(), Vec::new());
        let mut weights = Weights::new(&Default::default());
        if let Some(files) = pack.languages.get(&code) {
            weights = Weights::new(&files.lexicon);
            let mut add = |goal: Goal, phrase: &Phrase| {
                let expr = flatten(&phrase.expr, rules, &files.lexicon, language);
                let words = vocabulary(&expr);
                match &goal {
                    Goal::Control(Control::Affirm) => yes.push(expr.clone()),
                    Goal::Control(Control::Deny) => no.push(expr.clone()),
                    _ => {}
                }
                let content = words.iter().filter(|w| weights.is_content(w)).cloned().collect();
                known.entry(goal.clone()).or_default().extend(words);
                let automaton = Automaton::new(&expr);
                templates.push(Template {
                    goal,
                    text: phrase.text.clone(),
                    automaton,
                    content,
                });
            };
            for (control, set) in &files.lexicon.controls {
                set.phrases.iter().for_each(|p| add(Goal::Control(*control), p));
            }
            for intent in &files.intents.intents {
                intent
                    .phrases
                    .iter()
                    .for_each(|p| add(Goal::Intent(intent.target.clone()), p));
            }
            for (slot, all) in &files.intents.answers {
                all.iter().for_each(|p| add(Goal::Answer(slot.clone()), p));
            }
            for (slot, all) in &files.intents.corrections {
                all.iter().for_each(|p| add(Goal::Correction(slot.clone()), p));
            }
            let of_controls = files
                .lexicon
                .controls
                .iter()
                .map(|(c, s)| (Goal::Control(*c), &s.patterns));
            let of_intents = files
                .intents
                .intents
                .iter()
                .map(|i| (Goal::Intent(i.target.clone()), &i.patterns));
            for (goal, all) in of_controls.chain(of_intents) {
                for pattern in all.iter().filter_map(|(text, _)| Pattern::new(text).ok()) {
                    known
                        .entry(goal.clone())
                        .or_default()
                        .extend(pattern.words().cloned());
                    patterns.push((goal.clone(), pattern));
                }
            }
        }
        let vocabulary = templates
            .iter()
            .flat_map(|t: &Template| t.content.iter().cloned())
            .collect();
        let accept = pack.desk.limits.accept;
        let (yes, no) = (Expr::Alt(yes), Expr::Alt(no));
        Understander {
            language,
            pack,
            code,
            weights,
            templates,
            patterns,
            known,
            vocabulary,
            yes,
            no,
            accept,
        }
    }

    fn files(&self) -> Option<&LanguageFiles> {
        self.pack.languages.get(&self.code)
    }

    /// What `text` asks for, when `asked` is what the desk waits for and `today` the date in the house.
    pub fn understand(&self, text: &str, asked: &Asked, today: Date) -> Understood {
        let limit = self.pack.desk.limits.words;
        // A ramble is not even normalised as a whole: its length must not cost anything.
        let cut = text.char_indices().nth(limit * 20).map_or(text.len(), |(i, _)| i);
        let tokens = self.language.normalise(&text[..cut]);
        let words = self.rewritten(&tokens.words());
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if self.holds_card(&words, today) {
            return Understood {
                commands: vec![Command::CardNumber],
                ..Understood::default()
            };
        }
        let mut out = Understood {
            words: words.join(" "),
            ..Understood::default()
        };
        if cut < text.len() || words.len() > limit {
            out.words = words[..words.len().min(limit)].join(" ");
            out.commands = vec![Command::Reject { too_long: true }];
            return out;
        }
        let (commands, seen) = self.sentence(&words, asked, today);
        out.commands = commands.unwrap_or_else(|| vec![Command::Reject { too_long: false }]);
        out.candidates = seen
            .into_iter()
            .take(3)
            .map(|c| Candidate {
                intent: c.goal.map_or_else(|| "answer".to_owned(), |g| g.name()),
                rule: c.rule,
                score: c.score,
            })
            .collect();
        out
    }

    fn rewritten(&self, words: &[&str]) -> Vec<String> {
        let rewrite = |w: &&str| {
            let to = self.files().and_then(|f| f.lexicon.rewrite.get(*w));
            to.map_or(*w, String::as_str)
                .split(' ')
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        words.iter().flat_map(rewrite).collect()
    }

    fn holds_card(&self, words: &[&str], today: Date) -> bool {
        if words.len() < CARD_DIGITS / 3 {
            return false;
        }
        let long = |v: &Value| matches!(v, Value::Digits(d) if d.len() >= CARD_DIGITS);
        let read = &words[..words.len().min(self.pack.desk.limits.words)];
        self.language
            .read(Kind::Digits, read, today)
            .iter()
            .any(|r| long(&r.value))
    }

    fn sentence(&self, words: &[&str], asked: &Asked, today: Date) -> (Option<Vec<Command>>, Vec<Choice>) {
        let whole = self.choices(words, asked, today);
        let best = whole.first().filter(|c| self.accepts(c)).cloned();
        if let Some(both) = self.split(words, asked, today, best.as_ref()) {
            return (Some(both), whole);
        }
        let (opening, rest) = self.yes_or_no(words);
        let control = opening.map(|control| Command::Control { control });
        match best {
            // "yes, until one": the yes stays, and counts only if the value is the one that was read back.
            Some(Choice {
                goal: None | Some(Goal::Answer(_) | Goal::Correction(_)),
                commands,
                ..
            }) if opening == Some(Control::Affirm) => {
                (Some(commands.into_iter().chain(control).collect()), whole)
            }
            Some(choice) => (Some(choice.commands), whole),
            None => {
                let rest_has_words = words[rest..].iter().any(|w| !self.weights.is_filler(w));
                let remainder = rest_has_words.then(|| self.choices(&words[rest..], asked, today));
                match (control, remainder) {
                    (Some(control), None) => (Some(vec![control]), whole),
                    (Some(control), Some(choices)) => match choices.into_iter().find(|c| self.accepts(c)) {
                        // "no emergency" denies what "no, it's an emergency" cries out.
                        Some(c)
                            if words.len() - rest == 1
                                && c.goal == Some(Goal::Control(Control::Emergency)) =>
                        {
                            (None, whole)
                        }
                        Some(c) => (Some([control].into_iter().chain(c.commands).collect()), whole),
                        None => (None, whole),
                    },
                    (None, _) => (None, whole),
                }
            }
        }
    }

    fn accepts(&self, choice: &Choice) -> bool {
        match choice.goal {
            Some(Goal::Control(Control::Emergency)) => choice.score >= EMERGENCY_ACCEPT,
            Some(Goal::Control(_)) => choice.score >= CONTROL_ACCEPT,
            _ => choice.score >= self.accept,
        }
    }

    /// A yes or no at the beginning, and the number of words that belong to it.
    fn yes_or_no(&self, words: &[&str]) -> (Option<Control>, usize) {
        let start = words.iter().take_while(|w| self.weights.is_filler(w)).count();
        let (rules, mut best) = (Rules::new(), (None, 0));
        for (expr, control) in [(&self.yes, Control::Affirm), (&self.no, Control::Deny)] {
            walk(expr, &rules, words, start, &mut |end, _| {
                if end > best.1 {
                    best = (Some(control), end);
                }
            });
        }
        best
    }

    /// Two wishes in one sentence, when either half is one by itself and they differ (RC-022).
    fn split(
        &self,
        words: &[&str],
        asked: &Asked,
        today: Date,
        whole: Option<&Choice>,
    ) -> Option<Vec<Command>> {
        let files = self.files()?;
        if whole.is_some_and(|c| c.score > 0.95) {
            return None;
        }
        let is_wish = |c: &Choice| matches!(c.goal, Some(Goal::Intent(_))) && self.accepts(c);
        let half = |part: &[&str]| {
            self.choices(part, asked, today)
                .into_iter()
                .next()
                .filter(is_wish)
        };
        let at = |(i, w): (usize, &&str)| files.lexicon.conjunctions.iter().any(|c| c == w).then_some(i);
        let places = words
            .iter()
            .enumerate()
            .filter_map(at)
            .filter(|i| *i > 0 && i + 1 < words.len())
            .take(4);
        let pairs = places.filter_map(|i| Some((half(&words[..i])?, half(&words[i + 1..])?)));
        let (a, b) = pairs.max_by(|x, y| (x.0.score + x.1.score).total_cmp(&(y.0.score + y.1.score)))?;
        (a.goal != b.goal).then(|| a.commands.into_iter().chain(b.commands).collect())
    }

    /// All readings of the words, best first.
    fn choices(&self, words: &[&str], asked: &Asked, today: Date) -> Vec<Choice> {
        let Some(files) = self.files() else {
            return Vec::new();
        };
        if words.is_empty() {
            return Vec::new();
        }
        let found = self.find_values(words, asked, today);
        let spans: Vec<SlotSpan> = found
            .iter()
            .enumerate()
            .map(|(i, f)| (f.slot.clone(), f.span.clone(), i))
            .collect();
        let present = self.present(words);
        let confused = |w: &str| files.lexicon.confusions.get(w).cloned();
        let mut best: BTreeMap<Goal, Choice> = BTreeMap::new();
        let mut offer = |goal: &Goal, choice: Choice| {
            if best.get(goal).is_none_or(|b| b.score < choice.score) {
                best.insert(goal.clone(), choice);
            }
        };
        for t in self.templates.iter().filter(|t| self.may(&t.goal, asked)) {
            if !t.content.is_empty() && !t.content.iter().any(|w| present.contains(w)) {
                continue;
            }
            let Some(fit) = t.automaton.fit(words, &spans, &self.weights, &confused) else {
                continue;
            };
            let captured: Vec<&Found> = fit.slots.iter().map(|(_, _, i)| &found[*i]).collect();
            if fit.score > 0.4 {
                let commands = self.commands(&t.goal, words, asked, &found, &captured, fit.covered);
                offer(
                    &t.goal,
                    Choice {
                        goal: Some(t.goal.clone()),
                        rule: t.text.clone(),
                        score: fit.score,
                        commands,
                    },
                );
            }
        }
        for (goal, pattern) in &self.patterns {
            let mut taken = vec![false; words.len()];
            for f in found.iter().filter(|f| f.evident && f.score >= 1.0) {
                taken[f.span.clone()].fill(true);
            }
            let Some(known) = self.known.get(goal) else {
                continue;
            };
            if let Some(score) = pattern.fit(words, known, &taken, &self.weights) {
                let commands = self.commands(goal, words, asked, &found, &[], vec![false; words.len()]);
                offer(
                    goal,
                    Choice {
                        goal: Some(goal.clone()),
                        rule: pattern.text.clone(),
                        score,
                        commands,
                    },
                );
            }
        }
        let mut all: Vec<Choice> = best.into_values().collect();
        all.extend(self.bare_answer(words, asked, &found));
        let calm =
            |c: &Choice| c.goal != Some(Goal::Control(Control::Emergency)) || c.score < EMERGENCY_ACCEPT;
        all.sort_by(|a, b| calm(a).cmp(&calm(b)).then(b.score.total_cmp(&a.score)));
        all
    }

    fn may(&self, goal: &Goal, asked: &Asked) -> bool {
        match goal {
            Goal::Answer(slot) => asked.slots.contains(slot),
            Goal::Correction(_) => asked.read_back,
            Goal::Control(_) | Goal::Intent(_) => true,
        }
    }

    /// Content words of phrases that the sentence holds, exactly or nearly.
    fn present(&self, words: &[&str]) -> HashSet<String> {
        let confused = |w: &str| self.files().and_then(|f| f.lexicon.confusions.get(w));
        let heard = |v: &&String| {
            words
                .iter()
                .any(|w| w == v || confused(w) == Some(*v) || near(w, v))
        };
        self.vocabulary.iter().filter(heard).cloned().collect()
    }

    fn find_values(&self, words: &[&str], asked: &Asked, today: Date) -> Vec<Found> {
        let mut seen = BTreeSet::new();
        let mut out = Vec::new();
        // The frame at hand says how its slots are read; other frames fill in the names it lacks.
        let first = asked.frame.iter().filter_map(|f| self.pack.frames.get(f));
        for slot in first.chain(self.pack.frames.values()).flat_map(|f| &f.slots) {
            if seen.insert(slot.name.clone()) {
                out.extend(find(slot, words, today, &self.pack, self.language));
            }
        }
        if out.is_empty() && !asked.slots.is_empty() {
            out = self.find_confused(words, asked, today);
        }
        out
    }

    /// "room to oh for": the recogniser's slips, tried only when a value was asked for and none was heard.
    fn find_confused(&self, words: &[&str], asked: &Asked, today: Date) -> Vec<Found> {
        let (Some(files), Some(frame)) = (
            self.files(),
            asked.frame.as_ref().and_then(|f| self.pack.frames.get(f)),
        ) else {
            return Vec::new();
        };
        let repaired: Vec<&str> = words
            .iter()
            .map(|w| files.lexicon.confusions.get(*w).map_or(*w, String::as_str))
            .collect();
        let slots = frame.slots.iter().filter(|s| asked.slots.contains(&s.name));
        slots
            .flat_map(|s| find(s, &repaired, today, &self.pack, self.language))
            .collect()
    }

    fn commands(
        &self,
        goal: &Goal,
        words: &[&str],
        asked: &Asked,
        found: &[Found],
        captured: &[&Found],
        covered: Vec<bool>,
    ) -> Vec<Command> {
        let value = |f: &&Found| {
            Command::Set(SlotValue {
                slot: f.slot.clone(),
                value: f.value.clone(),
                score: f.score,
            })
        };
        match goal {
            Goal::Control(control) => vec![Command::Control { control: *control }],
            Goal::Intent(Target::Topic(topic)) => vec![Command::Answer { topic: topic.clone() }],
            Goal::Intent(Target::Frame(name)) => {
                let mut out = vec![Command::Start { frame: name.clone() }];
                out.extend(captured.iter().map(value));
                let mut taken = covered;
                // Fixed words of the template are no values, but words of a gap may be.
                for f in found {
                    if captured.is_empty() && f.evident {
                        taken[f.span.clone()].fill(false);
                    }
                }
                if let Some(frame) = self.pack.frames.get(name) {
                    let free: Vec<Found> = found
                        .iter()
                        .filter(|f| !captured.iter().any(|c| c.slot == f.slot))
                        .cloned()
                        .collect();
                    if let Some(files) = self.files() {
                        let picked = self.picker(files).pick(frame, &asked.slots, words, &free, taken);
                        out.extend(picked.set.into_iter().map(Command::Set));
                    }
                }
                out
            }
            Goal::Answer(_) | Goal::Correction(_) => captured.iter().map(value).collect(),
        }
    }

    fn picker<'p>(&'p self, files: &'p LanguageFiles) -> Picker<'p> {
        Picker {
            cues: &files.intents.cues,
            lexicon: &files.lexicon,
            weights: &self.weights,
        }
    }

    /// Values for the frame at hand that stand in no particular phrase.
    fn bare_answer(&self, words: &[&str], asked: &Asked, found: &[Found]) -> Option<Choice> {
        let files = self.files()?;
        let frame = self.pack.frames.get(asked.frame.as_ref()?)?;
        let taken = vec![false; words.len()];
        let picked = self.picker(files).pick(frame, &asked.slots, words, found, taken);
        let heard = |word: &str| {
            let about = |goal: Goal| self.known.get(&goal).is_some_and(|k| k.contains(word));
            let own = |s: &crate::pack::Slot| {
                about(Goal::Answer(s.name.clone())) || about(Goal::Correction(s.name.clone()))
            };
            frame.slots.iter().any(own)
                || about(Goal::Control(Control::Affirm))
                || about(Goal::Control(Control::Deny))
        };
        let (score, commands) = answer(&picked, words, &heard, &self.weights)?;
        Some(Choice {
            goal: None,
            rule: "value".to_owned(),
            score,
            commands,
        })
    }
}
