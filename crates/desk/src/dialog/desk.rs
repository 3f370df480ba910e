//! A desk: files and tool declarations, ready to talk.

use std::{collections::BTreeMap, fmt, path::Path, sync::Arc};

use jiff::{Zoned, tz::TimeZone};
use roomtone_lang::language;
use roomtone_speech::{Expectations, Grammar};

use super::{
    reply::{Input, Reply, Step},
    state::State,
    talk::Talk,
};
use crate::{
    Error,
    grammar::{self, Grammars},
    nlu::{Asked, Understander, Understood},
    pack::{Finding, Pack, Severity, check},
    tool::{ToolCall, ToolResult, ToolSpec},
    wording::Wording,
};

/// One language of a desk.
pub(crate) struct Tongue {
    pub(crate) understander: Understander,
    pub(crate) wording: Wording,
    pub(crate) grammars: Grammars,
}

/// A loaded desk. Holds no conversation: one desk serves all of them at once.
pub struct Desk {
    pub(crate) pack: Arc<Pack>,
    pub(crate) tools: BTreeMap<String, ToolSpec>,
    tongues: BTreeMap<String, Tongue>,
    first_language: String,
    zone: TimeZone,
    warnings: Vec<Finding>,
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Desk({})", self.first_language)
    }
}

impl Desk {
    /// Loads the folder `dir` for use with the tools of `specs`.
    ///
    /// # Errors
    /// As [`Pack::load`] and [`Desk::new`].
    pub fn open(dir: &Path, specs: &[ToolSpec]) -> Result<Desk, Error> {
        Desk::new(Pack::load(dir)?, specs)
    }

    /// Makes a desk of loaded files.
    ///
    /// # Errors
    /// [`Error::Pack`] with every finding if one of them is an error.
    pub fn new(pack: Pack, specs: &[ToolSpec]) -> Result<Desk, Error> {
        let findings = check(&pack, specs);
        if findings.iter().any(|f| f.severity == Severity::Error) {
            return Err(Error::Pack(findings));
        }
        let bad =
            |message: String, remedy: &str| Error::File(Finding::error("desk.toml", 0, message, remedy));
        let zone = TimeZone::get(&pack.desk.time_zone).map_err(|e| {
            bad(
                format!("time zone: {e}"),
                "use an IANA name such as Europe/Dublin",
            )
        })?;
        let first_language = pack
            .desk
            .languages
            .first()
            .cloned()
            .ok_or_else(|| bad("no language is live".into(), "write languages = [\"en\"]"))?;
        let pack = Arc::new(pack);
        let mut tongues = BTreeMap::new();
        for (code, files) in &pack.languages {
            let language =
                language(code).ok_or_else(|| bad(format!("`{code}` is not built in"), "use en"))?;
            let rules = grammar::rules(&pack, language);
            let tongue = Tongue {
                understander: Understander::new(pack.clone(), language, &rules),
                wording: Wording::new(pack.clone(), &files.prompts, language)?,
                grammars: Grammars::new(&pack, language, &rules),
            };
            tongues.insert(code.clone(), tongue);
        }
        let tools = specs.iter().map(|s| (s.name.to_owned(), s.clone())).collect();
        Ok(Desk {
            pack,
            tools,
            tongues,
            first_language,
            zone,
            warnings: findings,
        })
    }

    /// Lets conversations begin in `language` instead of the first of the desk's own; `false`, and nothing changes, if
    /// the desk does not speak it.
    pub fn begin_in(&mut self, language: &str) -> bool {
        let known = self.tongues.contains_key(language);
        if known {
            self.first_language = language.to_owned();
        }
        known
    }

    /// The languages that are live, ISO 639-1.
    pub fn languages(&self) -> Vec<&str> {
        self.tongues.keys().map(String::as_str).collect()
    }

    /// Findings that did not keep the desk from opening.
    pub fn warnings(&self) -> &[Finding] {
        &self.warnings
    }

    /// The house's time zone.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// A new conversation. `conversation` must be unique for good: it makes the keys under which tools write once.
    pub fn open_conversation(&self, conversation: &str) -> State {
        State::new(conversation, &self.first_language)
    }

    pub(crate) fn tongue(&self, state: &State) -> &Tongue {
        self.tongues
            .get(&state.language)
            .or_else(|| self.tongues.get(&self.first_language))
            .expect("`new` made a tongue for every language of the desk, the first one included")
    }

    /// One turn. `now` is in the house's zone. Given the same state, input and time the step is the same, always.
    ///
    /// After [`Step::NeedsTool`] the state waits for [`Desk::resume`]; another turn instead gives the call up.
    pub fn turn(&self, state: &mut State, input: Input, now: &Zoned) -> Step {
        if state.ended {
            let end = Reply {
                end_call: true,
                expects: state.pending.grammar(),
                ..Reply::default()
            };
            return Step::Done(end);
        }
        state.suspended = None;
        Talk::new(self, state, now).hear(input)
    }

    /// Goes on with the tool's result.
    ///
    /// # Errors
    /// [`Error::State`] if no tool is waited for.
    pub fn resume(&self, state: &mut State, result: ToolResult, now: &Zoned) -> Result<Step, Error> {
        let suspended = state
            .suspended
            .take()
            .ok_or_else(|| Error::State("no tool is waited for".into()))?;
        Ok(Talk::again(self, state, now, suspended.draft, suspended.queue).with(suspended.then, result))
    }

    /// The call that the conversation waits for, after a restart for example.
    pub fn waiting_for(&self, state: &State) -> Option<ToolCall> {
        state.suspended.as_ref().map(|s| s.call.clone())
    }

    /// How a sentence is read in `state`, without acting on it.
    pub fn understand(&self, state: &State, text: &str, now: &Zoned) -> Understood {
        self.tongue(state)
            .understander
            .understand(text, &self.asked(state), now.date())
    }

    pub(crate) fn asked(&self, state: &State) -> Asked {
        use super::state::Pending;
        let frame = state.stack.last().map(|t| t.frame.clone());
        match &state.pending {
            Pending::Open | Pending::AnythingElse => Asked {
                frame,
                ..Asked::default()
            },
            Pending::Ask { frame, slot } => Asked {
                frame: Some(frame.clone()),
                slots: vec![slot.clone()],
                read_back: false,
            },
            Pending::Confirm { frame } | Pending::Change { frame } => {
                let slots = self
                    .pack
                    .frames
                    .get(frame)
                    .map(|f| f.slots.iter().map(|s| s.name.clone()).collect());
                Asked {
                    frame: Some(frame.clone()),
                    slots: slots.unwrap_or_default(),
                    read_back: true,
                }
            }
            Pending::Offer { frame, slot, .. } => Asked {
                frame: Some(frame.clone()),
                slots: vec![slot.clone()],
                read_back: true,
            },
        }
    }

    /// What the next words of the conversation may be.
    pub fn expectations(&self, state: &State) -> Expectations {
        self.expectations_of(&state.language, &state.pending.grammar())
    }

    /// What the state of that name expects; the open state's if there is none of that name.
    pub fn expectations_of(&self, language: &str, name: &str) -> Expectations {
        let tongue = self
            .tongues
            .get(language)
            .or_else(|| self.tongues.get(&self.first_language));
        tongue
            .and_then(|t| t.grammars.state(name))
            .cloned()
            .expect("every tongue has the open state")
    }

    /// All grammars of all languages, as language and grammar: for compiling ahead and for calibration.
    pub fn grammars(&self) -> Vec<(String, Arc<Grammar>)> {
        let of = |(code, t): (&String, &Tongue)| {
            t.grammars
                .states()
                .values()
                .map(|s| (code.clone(), s.grammar.clone()))
                .collect::<Vec<_>>()
        };
        self.tongues.iter().flat_map(of).collect()
    }

    /// Every word that a recogniser may be made to hear in that language.
    pub fn vocabulary(&self, language: &str) -> Vec<String> {
        let words = self.tongues.get(language).map(|t| t.grammars.vocabulary());
        words.into_iter().flatten().map(|w| w.to_string()).collect()
    }

    /// Pronunciations of words that a recogniser's dictionary may lack.
    pub fn pronunciations(&self, language: &str) -> BTreeMap<String, String> {
        self.pack
            .languages
            .get(language)
            .map(|f| f.lexicon.pronunciations.clone())
            .unwrap_or_default()
    }

    /// Every clause that can be said without a value of the call, as language and text: for speaking ahead.
    pub fn prompts_for_cache(&self) -> Vec<(String, String)> {
        let of = |(code, t): (&String, &Tongue)| {
            t.wording
                .fixed()
                .into_iter()
                .map(|text| (code.clone(), text))
                .collect::<Vec<_>>()
        };
        self.tongues.iter().flat_map(of).collect()
    }

    /// Runs a whole turn, using `tool` for every call that it needs.
    ///
    /// # Errors
    /// As [`Desk::resume`]; a tool that fails is no error but an answer.
    pub fn answer(
        &self,
        state: &mut State,
        input: Input,
        now: &Zoned,
        tool: &mut dyn FnMut(&ToolCall) -> ToolResult,
    ) -> Result<Reply, Error> {
        let mut step = self.turn(state, input, now);
        loop {
            match step {
                Step::Done(reply) => return Ok(reply),
                Step::NeedsTool(call) => step = self.resume(state, tool(&call), now)?,
            }
        }
    }
}
