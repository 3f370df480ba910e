//! What is wrong with a desk's files taken together.

use std::collections::{BTreeMap, BTreeSet};

use roomtone_lang::{Expr, language};

use super::{Control, Finding, FrameFile, LanguageFiles, Pack, Phrase, Target, nearest};
use crate::{
    grammar,
    nlu::check_pattern,
    tool::ToolSpec,
    wording::{SHORT, placeholders},
};

/// Messages that every desk needs.
const NEEDED: [&str; 24] = [
    "greeting",
    "hello",
    "open",
    "open-again",
    "open-help",
    "open-keypad",
    "anything_else",
    "bye",
    "thanks",
    "wait",
    "person",
    "stopped",
    "emergency",
    "nomatch",
    "nomatch-person",
    "noinput-person",
    "noinput-end",
    "too_long",
    "limit",
    "no_fact",
    "tool_failed",
    "deny-card_by_voice",
    "keypad-yes_no",
    "anything_else-again",
];

/// Everything that is wrong, errors first. `specs` are the tools that the program has.
pub fn check(pack: &Pack, specs: &[ToolSpec]) -> Vec<Finding> {
    let mut c = Checker {
        pack,
        specs,
        out: Vec::new(),
    };
    c.desk();
    c.facts();
    for frame in pack.frames.values() {
        c.frame(frame);
    }
    for (code, files) in &pack.languages {
        c.intents(code, files);
        c.messages(code, files);
    }
    c.out.sort_by_key(|f| std::cmp::Reverse(f.severity));
    c.out
}

struct Checker<'p> {
    pack: &'p Pack,
    specs: &'p [ToolSpec],
    out: Vec<Finding>,
}

/// "did you mean `x`", or the whole list.
fn hint<'a>(name: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    match nearest(name, known.clone()) {
        Some(n) => format!("did you mean `{n}`"),
        None => format!(
            "there is {}",
            known
                .into_iter()
                .map(|k| format!("`{k}`"))
                .collect::<Vec<_>>()
                .join(", ")
        ),
    }
}

impl Checker<'_> {
    fn error(&mut self, file: &str, line: usize, message: String, remedy: impl Into<String>) {
        self.out.push(Finding::error(file, line, message, remedy));
    }

    fn tool(&self, name: &str) -> Option<&ToolSpec> {
        self.specs.iter().find(|s| s.name == name)
    }

    fn need_tool(&mut self, file: &str, line: usize, name: &str) {
        if self.tool(name).is_none() {
            let remedy = hint(name, self.specs.iter().map(|s| s.name));
            self.error(file, line, format!("there is no tool `{name}`"), remedy);
        } else if !self.pack.desk.tools.iter().any(|t| t == name) {
            let remedy = "add it to `tools` in desk.toml";
            self.error(file, line, format!("the tool `{name}` is not turned on"), remedy);
        }
    }

    fn desk(&mut self) {
        let desk = &self.pack.desk;
        for (name, value) in &desk.values {
            if value.value().is_none() {
                let remedy = "write words without figures, a time, { digits = \"…\" } or { amount = \"0.00\", currency = \"EUR\" }";
                self.error(
                    "desk.toml",
                    0,
                    format!("the value `{name}` can't be spoken"),
                    remedy,
                );
            }
        }
        for tool in &desk.tools {
            self.need_tool("desk.toml", 0, tool);
        }
        for name in &desk.keypad.menu {
            let known = match Target::from_name(name) {
                Target::Frame(f) => self.pack.frames.contains_key(&f),
                Target::Topic(t) => self.pack.facts.contains_key(&t),
            };
            if !known {
                let remedy = "name a frame, or ask_info. and a topic";
                self.error(
                    "desk.toml",
                    0,
                    format!("the keypad menu names `{name}`, which is not there"),
                    remedy,
                );
            }
        }
        for code in &desk.languages {
            if language(code).is_none() {
                self.error(
                    "desk.toml",
                    0,
                    format!("the language `{code}` is not built in"),
                    "use one of `en`",
                );
            }
        }
    }

    fn facts(&mut self) {
        for (name, topic) in &self.pack.facts {
            for (value, v) in &topic.values {
                if v.value().is_none() {
                    let remedy =
                        "write words without figures, a time, a number, { digits = \"…\" } or an amount";
                    self.error(
                        "facts.toml",
                        topic.line,
                        format!("`{name}.{value}` can't be spoken"),
                        remedy,
                    );
                }
            }
            if let Some(tool) = &topic.tool {
                self.need_tool("facts.toml", topic.line, tool);
            }
            let returns = topic
                .tool
                .as_ref()
                .and_then(|t| self.tool(t))
                .map(|s| s.returns.clone())
                .unwrap_or_default();
            for code in &self.pack.desk.languages {
                let Some(text) = topic.say.get(code) else {
                    let remedy = format!("write say.{code} = \"…\"");
                    self.error(
                        "facts.toml",
                        topic.line,
                        format!("the topic `{name}` has no text in `{code}`"),
                        remedy,
                    );
                    continue;
                };
                if text.contains(|c: char| c.is_ascii_digit()) {
                    let remedy = "put the figure into `values` and name it in curly brackets";
                    self.error(
                        "facts.toml",
                        topic.line,
                        format!("the text of `{name}` holds a figure"),
                        remedy,
                    );
                }
                let known: BTreeSet<&str> = (topic.values.keys().map(String::as_str))
                    .chain(returns.iter().map(|(n, _)| *n))
                    .chain(self.pack.desk.values.keys().map(String::as_str))
                    .collect();
                for wanted in placeholders(text) {
                    if !known.contains(wanted.as_str()) {
                        let message = format!("the text of `{name}` names `{wanted}`, which has no source");
                        let remedy = hint(&wanted, known.iter().copied());
                        self.error("facts.toml", topic.line, message, remedy);
                    }
                }
                let (sentences, words) = (
                    roomtone_lang::sentences(text).len(),
                    text.split_whitespace().count(),
                );
                if sentences > 2 || words > 25 {
                    let message = format!("the text of `{name}` has {sentences} sentences and {words} words");
                    let remedy = "say it in two sentences and twenty-five words at most";
                    self.out
                        .push(Finding::warning("facts.toml", topic.line, message, remedy));
                }
            }
        }
    }

    fn frame(&mut self, frame: &FrameFile) {
        let file = format!("frames/{}.toml", frame.frame);
        let slots: Vec<&str> = frame.slots.iter().map(|s| s.name.as_str()).collect();
        let named = frame.checks.iter().flat_map(|c| &c.after);
        for slot in named.chain(frame.read_back.iter().flat_map(|r| &r.slots)) {
            if !slots.contains(&slot.as_str()) {
                self.error(
                    &file,
                    0,
                    format!("there is no slot `{slot}`"),
                    hint(slot, slots.iter().copied()),
                );
            }
        }
        for slot in &frame.slots {
            if let super::SlotKind::List(list) = &slot.kind
                && !self.pack.lists.contains_key(list)
            {
                let remedy = hint(list, self.pack.lists.keys().map(String::as_str));
                self.error(&file, 0, format!("there is no list `{list}`"), remedy);
            }
        }
        for tool in frame
            .checks
            .iter()
            .map(|c| &c.tool)
            .chain(frame.write.iter().map(|w| &w.tool))
        {
            self.need_tool(&file, 0, tool);
        }
        let checks: BTreeSet<&str> = frame
            .checks
            .iter()
            .filter_map(|c| self.tool(&c.tool))
            .flat_map(|s| &s.returns)
            .map(|(n, _)| *n)
            .collect();
        let Some(write) = &frame.write else { return };
        let Some(spec) = self.tool(&write.tool).cloned() else {
            return;
        };
        for value in write.with.values().filter(|v| !checks.contains(v.as_str())) {
            let remedy = hint(value, checks.iter().copied());
            self.error(&file, 0, format!("no check gives `{value}`"), remedy);
        }
        for argument in spec.arguments.iter().filter(|a| a.required) {
            if !slots.contains(&argument.name) && !write.with.contains_key(argument.name) {
                let message = format!("the tool `{}` needs `{}`", spec.name, argument.name);
                self.error(
                    &file,
                    0,
                    message,
                    "add a slot of that name, or take it from a check with `with`",
                );
            }
        }
        if spec.read_back && frame.read_back.is_none() {
            let remedy = "add [read_back] with the slots to name";
            self.error(
                &file,
                0,
                format!("the tool `{}` needs a read-back", spec.name),
                remedy,
            );
        }
        if spec.proof > frame.proof {
            let message = format!("the tool `{}` needs the proof {:?}", spec.name, spec.proof);
            self.error(&file, 0, message, "set `proof` of the frame");
        }
    }

    fn intents(&mut self, code: &str, files: &LanguageFiles) {
        let file = format!("lang/{code}/intents.toml");
        let lexicon = format!("lang/{code}/lexicon.toml");
        let slots: BTreeSet<String> = self
            .pack
            .frames
            .values()
            .flat_map(|f| f.slots.iter().map(|s| s.name.clone()))
            .collect();
        let rules: BTreeSet<String> = match language(code) {
            Some(l) => grammar::rules(self.pack, l)
                .keys()
                .map(|r| r.to_string())
                .collect(),
            None => BTreeSet::new(),
        };
        let mut seen: BTreeMap<String, String> = BTreeMap::new();
        for intent in &files.intents.intents {
            let name = intent.target.name();
            match &intent.target {
                Target::Frame(f) if !self.pack.frames.contains_key(f) => {
                    let remedy = hint(f, self.pack.frames.keys().map(String::as_str));
                    self.error(&file, intent.line, format!("there is no frame `{f}`"), remedy);
                }
                Target::Topic(t) if !self.pack.facts.contains_key(t) => {
                    let remedy = hint(t, self.pack.facts.keys().map(String::as_str));
                    self.error(&file, intent.line, format!("there is no topic `{t}`"), remedy);
                }
                _ => {}
            }
            if intent.phrases.is_empty() {
                let remedy = "write at least twenty-five ways to say it";
                self.error(&file, intent.line, format!("`{name}` has no phrase"), remedy);
            }
            for phrase in &intent.phrases {
                if let Some(other) = seen
                    .insert(phrase.text.clone(), name.clone())
                    .filter(|o| *o != name)
                {
                    let message = format!("\"{}\" is a phrase of `{name}` and of `{other}`", phrase.text);
                    self.error(&file, phrase.line, message, "keep it with one of the two");
                }
                self.phrase(&file, phrase, &slots, &rules);
            }
            for (pattern, line) in &intent.patterns {
                if let Some(e) = check_pattern(pattern) {
                    self.error(
                        &file,
                        *line,
                        format!("the pattern \"{pattern}\": {e}"),
                        "write it as +word +(a|b) -word",
                    );
                }
            }
        }
        let sections = [
            ("answers", &files.intents.answers),
            ("corrections", &files.intents.corrections),
        ];
        for (section, all) in sections {
            for (slot, phrases) in all {
                if !slots.contains(slot) {
                    let remedy = hint(slot, slots.iter().map(String::as_str));
                    self.error(
                        &file,
                        0,
                        format!("[{section}] names the slot `{slot}`, which no frame has"),
                        remedy,
                    );
                }
                phrases.iter().for_each(|p| self.phrase(&file, p, &slots, &rules));
            }
        }
        for slot in files.intents.cues.keys().filter(|s| !slots.contains(*s)) {
            let remedy = hint(slot, slots.iter().map(String::as_str));
            self.error(
                &file,
                0,
                format!("[cues] names the slot `{slot}`, which no frame has"),
                remedy,
            );
        }
        for rule in files.intents.rules.values() {
            self.phrase(&file, rule, &slots, &rules);
        }
        for (control, set) in &files.lexicon.controls {
            set.phrases
                .iter()
                .for_each(|p| self.phrase(&lexicon, p, &slots, &rules));
            for (pattern, line) in &set.patterns {
                if let Some(e) = check_pattern(pattern) {
                    let message = format!("the pattern \"{pattern}\" of `{}`: {e}", control.name());
                    self.error(&lexicon, *line, message, "write it as +word +(a|b) -word");
                }
            }
        }
        for control in Control::ALL {
            if files
                .lexicon
                .controls
                .get(&control)
                .is_none_or(|s| s.phrases.is_empty())
            {
                let message = format!("nothing is understood as `{}`", control.name());
                self.error(
                    &lexicon,
                    0,
                    message,
                    format!("add [controls.{}] with phrases", control.name()),
                );
            }
        }
    }

    fn phrase(&mut self, file: &str, phrase: &Phrase, slots: &BTreeSet<String>, rules: &BTreeSet<String>) {
        let mut wrong = Vec::new();
        phrase.expr.visit(&mut |e| match e {
            Expr::Slot(name, _) if !slots.contains(&**name) => {
                wrong.push((
                    format!("there is no slot `{name}`"),
                    hint(name, slots.iter().map(String::as_str)),
                ));
            }
            Expr::Rule(name) if !rules.contains(&**name) => {
                wrong.push((
                    format!("there is no rule `{name}`"),
                    hint(name, rules.iter().map(String::as_str)),
                ));
            }
            _ => {}
        });
        for (message, remedy) in wrong {
            self.error(file, phrase.line, message, remedy);
        }
    }

    fn messages(&mut self, code: &str, files: &LanguageFiles) {
        let file = format!("lang/{code}/prompts.ftl");
        let mut needed: BTreeSet<String> = NEEDED.iter().map(ToString::to_string).collect();
        let house: BTreeSet<String> = self.pack.desk.values.keys().cloned().collect();
        let mut sources: Vec<(String, BTreeSet<String>)> = Vec::new();
        for frame in self.pack.frames.values() {
            let f = &frame.frame;
            let mut values = house.clone();
            values.extend(frame.slots.iter().map(|s| s.name.clone()));
            values.insert("alternative".to_owned());
            let tools = frame
                .checks
                .iter()
                .map(|c| &c.tool)
                .chain(frame.write.iter().map(|w| &w.tool));
            for spec in tools.filter_map(|t| self.tool(t)) {
                values.extend(spec.returns.iter().map(|(n, _)| (*n).to_owned()));
                for (reason, given) in &spec.refusals {
                    needed.insert(format!("{f}-deny-{reason}"));
                    values.extend(given.iter().map(|(n, _)| (*n).to_owned()));
                }
            }
            for slot in &frame.slots {
                needed.extend(["", "-again", "-keypad"].map(|e| format!("{f}-ask-{}{e}", slot.name)));
                if !slot.constraint.is_empty() {
                    needed.insert(format!("{f}-broken-{}", slot.name));
                }
            }
            if frame.read_back.is_some() {
                needed.extend(
                    ["confirm", "confirm-again", "change", "change-again"].map(|e| format!("{f}-{e}")),
                );
            }
            needed.insert(format!("{f}-unfinished"));
            if frame.write.is_some() {
                needed.insert(format!("{f}-done"));
            }
            sources.push((format!("{f}-"), values));
        }
        for name in &needed {
            if !files.prompts.messages.contains_key(name) {
                let remedy = format!("write `{name} = …`");
                self.error(&file, 0, format!("the message `{name}` is missing"), remedy);
            }
        }
        self.disclosure(&file, files);
        for (name, message) in &files.prompts.messages {
            let own = sources
                .iter()
                .find(|(prefix, _)| name.starts_with(prefix.as_str()))
                .map(|(_, v)| v);
            let known = own.unwrap_or(&house);
            for value in &message.values {
                let plain = value.strip_suffix(SHORT).unwrap_or(value);
                if !known.contains(plain) {
                    let text = format!("`{name}` names `{value}`, which has no source");
                    let remedy = hint(plain, known.iter().map(String::as_str));
                    self.error(&file, message.line, text, remedy);
                }
            }
        }
    }

    /// Whoever calls learns with the first words that no person speaks (RC-078).
    fn disclosure(&mut self, file: &str, files: &LanguageFiles) {
        let words = &files.lexicon.disclosure;
        let says = |text: &String| {
            let text = text.to_lowercase();
            words.iter().any(|w| text.contains(&w.to_lowercase()))
        };
        let line = files.prompts.messages.get("greeting").map_or(0, |m| m.line);
        if !files.prompts.texts("greeting").iter().all(says) {
            let remedy = match words.as_slice() {
                [] => "write such words as `disclosure` into lexicon.toml, and one of them into the greeting"
                    .to_owned(),
                words => format!("put one of these words into it: {}", words.join(", ")),
            };
            let message = "the greeting does not say that no person speaks".to_owned();
            self.error(file, line, message, remedy);
        }
    }
}
