//! One turn from input to step.

use std::collections::VecDeque;

use jiff::Zoned;

use super::{
    desk::{Desk, Tongue},
    keypad,
    reply::{Act, Input, Reply, Step, plain},
    state::{Draft, Pending, State, Suspended, Task, Then},
};
use crate::{
    nlu::{Command, Understood},
    tool::{Arguments, Proof, ToolCall, ToolResult},
};

/// Frames on the stack, at most (dialogue engine, section 3.4).
const MAX_TASKS: usize = 12;

/// A call and what its result is for.
pub(super) type Wanted = Option<(ToolCall, Then)>;

/// A turn under way.
pub(super) struct Talk<'a> {
    pub(super) desk: &'a Desk,
    pub(super) tongue: &'a Tongue,
    pub(super) state: &'a mut State,
    pub(super) now: &'a Zoned,
    pub(super) draft: Draft,
    pub(super) queue: VecDeque<Command>,
}

impl<'a> Talk<'a> {
    pub(super) fn new(desk: &'a Desk, state: &'a mut State, now: &'a Zoned) -> Talk<'a> {
        Talk::again(desk, state, now, Draft::default(), VecDeque::new())
    }

    pub(super) fn again(
        desk: &'a Desk,
        state: &'a mut State,
        now: &'a Zoned,
        draft: Draft,
        queue: VecDeque<Command>,
    ) -> Talk<'a> {
        let tongue = desk.tongue(state);
        Talk {
            desk,
            tongue,
            state,
            now,
            draft,
            queue,
        }
    }

    pub(super) fn hear(mut self, input: Input) -> Step {
        if let Input::Interrupted { heard } = input {
            self.state.unheard = self.state.last.iter().skip(heard).cloned().collect();
            return self.silent();
        }
        self.state.turns += 1;
        let started = *self.state.started.get_or_insert(self.now.timestamp());
        let limits = &self.desk.pack.desk.limits;
        let minutes = self.now.timestamp().duration_since(started).as_mins();
        if self.state.turns > limits.turns || minutes >= limits.minutes {
            self.say("limit", &Arguments::new());
            self.bye();
            return self.finish();
        }
        if !matches!(input, Input::Digits(_)) {
            self.state.keys.clear();
        }
        match input {
            Input::Started if self.state.turns == 1 => {
                self.draft.acts.push(Act::Greet);
                self.say("greeting", &Arguments::new());
                self.draft.settled = true;
            }
            // A second beginning is a caller who came back: the open question is asked again.
            Input::Started | Input::Interrupted { .. } => {}
            Input::Text {
                text,
                confidence,
                alternatives,
            } => self.read(&text, confidence, &alternatives),
            Input::Digits(keys) => match keypad::commands(self.desk, self.state, &keys) {
                keypad::Keys::More => return self.silent(),
                keypad::Keys::Back => self.back(),
                keypad::Keys::Say(commands) => self.queue = commands.into(),
            },
            Input::NoMatch => self.queue.push_back(Command::Reject { too_long: false }),
            Input::NoInput => self.no_input(),
        }
        if self.draft.understood.commands.is_empty() {
            self.draft.understood.commands = self.queue.iter().cloned().collect();
        }
        self.go()
    }

    fn silent(self) -> Step {
        Step::Done(Reply {
            expects: self.state.pending.grammar(),
            ..Reply::default()
        })
    }

    fn read(&mut self, text: &str, confidence: Option<f32>, alternatives: &[String]) {
        let asked = self.desk.asked(self.state);
        let read = |text: &str| self.tongue.understander.understand(text, &asked, self.now.date());
        let unsure = confidence.is_some_and(|c| c < self.desk.pack.desk.limits.min_confidence);
        let mut understood = read(text);
        if understood.rejected() && !unsure {
            let other = alternatives.iter().map(|t| read(t)).find(|u| !u.rejected());
            understood = other.unwrap_or(understood);
        }
        if unsure && !understood.commands.contains(&Command::CardNumber) {
            let commands = vec![Command::Reject { too_long: false }];
            understood = Understood {
                commands,
                ..understood
            };
        }
        self.queue = understood.commands.iter().cloned().collect();
        self.draft.understood = understood;
    }

    /// Works off the commands, then asks what is to be asked.
    fn go(mut self) -> Step {
        let progress = !self.queue.is_empty() && !self.draft.understood.rejected();
        if progress {
            self.state.misses = 0;
            self.state.silences = 0;
        }
        loop {
            let wanted = match self.queue.pop_front() {
                Some(command) => self.obey(command),
                None if self.draft.settled => return self.finish(),
                None => {
                    let wanted = self.select();
                    self.draft.settled = wanted.is_none();
                    wanted
                }
            };
            if let Some((call, then)) = wanted {
                return self.suspend(call, then);
            }
        }
    }

    /// Goes on with what a tool said.
    pub(super) fn with(mut self, then: Then, result: ToolResult) -> Step {
        match then {
            Then::Answer(topic) => self.answered(&topic, result),
            Then::Check(frame) => self.checked(&frame, result),
            Then::Write(frame) => self.written(&frame, result),
        }
        self.go()
    }

    fn suspend(self, call: ToolCall, then: Then) -> Step {
        let suspended = Suspended {
            call: call.clone(),
            then,
            queue: self.queue,
            draft: self.draft,
        };
        self.state.suspended = Some(suspended);
        Step::NeedsTool(call)
    }

    fn finish(self) -> Step {
        let Talk { state, draft, .. } = self;
        if !draft.acts.contains(&Act::Repeat) && !draft.text.is_empty() {
            state.last = draft.text.clone();
        }
        state.unheard.clear();
        state.ended = draft.end;
        Step::Done(Reply {
            text: draft.text,
            acts: draft.acts,
            end_call: draft.end,
            expects: state.pending.grammar(),
            understood: draft.understood,
        })
    }

    fn obey(&mut self, command: Command) -> Wanted {
        match command {
            Command::Start { frame } => self.start(&frame),
            Command::Set(value) => self.set(&value.slot, value.value),
            Command::Negate(value) => self.negate(&value.slot, &value.value),
            Command::Answer { topic } => return self.ask_topic(&topic),
            Command::Control { control } => return self.control(control),
            Command::CardNumber => {
                self.draft.acts.push(Act::Deny {
                    reason: "card_by_voice".to_owned(),
                });
                self.say("deny-card_by_voice", &Arguments::new());
            }
            Command::Reject { too_long } => self.no_match(too_long),
        }
        None
    }

    fn start(&mut self, frame: &str) {
        if self.state.stack.last().is_some_and(|t| t.frame == frame) {
            return;
        }
        if let Some(i) = self.state.stack.iter().position(|t| t.frame == frame) {
            let task = self.state.stack.remove(i);
            self.state.stack.push(task);
            return;
        }
        // A task that nothing was said for yet gives way; one that holds something waits underneath.
        if self.state.stack.last().is_some_and(|t| t.slots.is_empty()) || self.state.stack.len() >= MAX_TASKS
        {
            self.state.stack.pop();
        }
        self.state.begun += 1;
        let key = format!("{}-{frame}-{}", self.state.conversation, self.state.begun);
        self.state.stack.push(Task {
            frame: frame.to_owned(),
            key,
            ..Task::default()
        });
        self.state.pending = Pending::Open;
    }

    fn ask_topic(&mut self, topic: &str) -> Wanted {
        let tool = self.desk.pack.facts.get(topic).and_then(|t| t.tool.clone());
        let Some(tool) = tool else {
            self.inform(topic, &Arguments::new());
            return None;
        };
        self.state.begun += 1;
        let call = ToolCall {
            tool,
            arguments: Arguments::new(),
            idempotency_key: format!("{}-{topic}-{}", self.state.conversation, self.state.begun),
            proof: Proof::None,
            agreed: None,
        };
        Some((call, Then::Answer(topic.to_owned())))
    }

    fn answered(&mut self, topic: &str, result: ToolResult) {
        match result {
            ToolResult::Done { values } => self.inform(topic, &values),
            ToolResult::Refused { .. } | ToolResult::Failed { .. } => self.no_fact(),
        }
    }

    fn inform(&mut self, topic: &str, values: &Arguments) {
        match self.tongue.wording.fact(topic, values) {
            Some(text) => {
                self.draft.acts.push(Act::Inform {
                    topic: topic.to_owned(),
                    values: plain(values),
                });
                self.draft.text.extend(roomtone_lang::sentences(&text));
            }
            None => self.no_fact(),
        }
    }

    /// A topic without text is never guessed at (RC-012).
    fn no_fact(&mut self) {
        self.draft.acts.push(Act::Deny {
            reason: "not_available".to_owned(),
        });
        self.say("no_fact", &Arguments::new());
    }

    /// Asks what comes next: the task at hand goes on, or is there anything else?
    fn select(&mut self) -> Wanted {
        if !self.state.stack.is_empty() {
            return self.advance();
        }
        if self.draft.text.is_empty() {
            self.ask(Pending::Open, &Arguments::new());
        } else {
            self.draft.acts.push(Act::AnythingElse);
            self.ask(Pending::AnythingElse, &Arguments::new());
        }
        None
    }

    /// Asks `question` and waits for its answer. The same question again is asked in its short form, if there is one.
    pub(super) fn ask(&mut self, question: Pending, values: &Arguments) {
        self.say(&question.message(), values);
        self.state.pending = question;
        self.draft.settled = true;
    }

    /// Says a message. The last variant comes after all others were used.
    pub(super) fn say(&mut self, message: &str, values: &Arguments) {
        let count = self.state.said.entry(message.to_owned()).or_default();
        let turn = *count;
        *count += 1;
        match self.tongue.wording.say(message, turn, values) {
            Some(text) => self.draft.text.extend(roomtone_lang::sentences(&text)),
            None => tracing::warn!(message, "nothing is said for this message"),
        }
    }

    pub(super) fn has(&self, message: &str) -> bool {
        self.tongue.wording.has(message)
    }

    /// Ends the conversation.
    pub(super) fn bye(&mut self) {
        self.say("bye", &Arguments::new());
        self.draft.acts.push(Act::Bye);
        self.draft.end = true;
        self.draft.settled = true;
        self.state.stack.clear();
        self.queue.clear();
    }
}
