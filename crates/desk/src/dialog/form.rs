//! Tasks: filling, checking, reading back, writing.

use roomtone_lang::Value;

use super::{
    reply::{Act, plain},
    state::{Pending, Task, Then},
    talk::{Talk, Wanted},
};
use crate::{
    pack::{Constraint, FrameFile},
    tool::{Arguments, Proof, ToolCall, ToolResult},
};

/// Refusals of one task before it is given up.
const MAX_REFUSALS: u8 = 4;

impl Talk<'_> {
    fn frame(&self, name: &str) -> Option<FrameFile> {
        self.desk.pack.frames.get(name).cloned()
    }

    pub(super) fn set(&mut self, slot: &str, value: Value) {
        let fits = |t: &Task| {
            self.desk
                .pack
                .frames
                .get(&t.frame)
                .is_some_and(|f| f.slot(slot).is_some())
        };
        let Some(i) = self.state.stack.iter().rposition(fits) else {
            return;
        };
        let task = &mut self.state.stack[i];
        let before = task.slots.insert(slot.to_owned(), value.clone());
        if before.as_ref() == Some(&value) {
            return;
        }
        if before.is_some() || task.read_back {
            task.corrected = Some(slot.to_owned());
        }
        touch(task, self.desk.pack.frames.get(&task.frame), slot);
        self.draft.changed = true;
        self.state.pending = Pending::Open;
    }

    pub(super) fn negate(&mut self, slot: &str, value: &Value) {
        if let Some(task) = self.state.stack.last_mut()
            && task.slots.get(slot) == Some(value)
        {
            task.slots.remove(slot);
            touch(task, self.desk.pack.frames.get(&task.frame), slot);
            self.draft.changed = true;
            self.state.pending = Pending::Open;
        }
    }

    /// The next step of the task at hand.
    pub(super) fn advance(&mut self) -> Wanted {
        let task = self.state.stack.last().cloned()?;
        let Some(frame) = self.frame(&task.frame) else {
            self.state.stack.pop();
            return None;
        };
        if self.ask_again(&task) {
            return None;
        }
        if let Some((slot, message)) = self.broken(&frame, &task) {
            self.clear(&slot);
            self.draft.acts.push(Act::Deny {
                reason: "not_available".to_owned(),
            });
            self.say(&message, &known(&task));
            self.ask_slot(&frame, &slot);
            return None;
        }
        let empty = frame
            .slots
            .iter()
            .find(|s| s.required && !task.slots.contains_key(&s.name));
        if let Some(slot) = empty {
            self.ask_slot(&frame, &slot.name);
            return None;
        }
        let due = frame.checks.iter().find(|c| !task.checked.contains(&c.tool));
        if let Some(check) = due {
            let arguments = self.arguments(&check.tool, &task);
            let call = self.call(
                &check.tool,
                arguments,
                format!("{}-check", task.key),
                &frame,
                None,
            );
            return Some((call, Then::Check(frame.frame)));
        }
        if frame.read_back.is_some() && !task.agreed {
            self.read_back(&frame, &task);
            return None;
        }
        self.write()
    }

    /// The open question once more after a digression (RC-023); false if it is no longer the one to ask.
    fn ask_again(&mut self, task: &Task) -> bool {
        let (again, act) = match &self.state.pending {
            Pending::Confirm { frame } if *frame == task.frame && !task.agreed => {
                (format!("{frame}-confirm-again"), self.confirm_act(task))
            }
            Pending::Offer { frame, slot, .. } if *frame == task.frame => (
                format!("{frame}-offer-{slot}-again"),
                Act::Offer {
                    what: format!("alternative_{slot}"),
                },
            ),
            Pending::Change { frame } if *frame == task.frame => (
                format!("{frame}-change"),
                Act::Ask {
                    slots: vec!["change".into()],
                    frame: frame.clone(),
                },
            ),
            _ => return false,
        };
        let mut values = known(task);
        if let Pending::Offer { value, .. } = &self.state.pending {
            values.insert("alternative".into(), value.clone());
        }
        self.say(&again, &values);
        self.draft.acts.push(act);
        true
    }

    fn ask_slot(&mut self, frame: &FrameFile, slot: &str) {
        self.draft.acts.push(Act::Ask {
            slots: vec![slot.to_owned()],
            frame: frame.frame.clone(),
        });
        let question = Pending::Ask {
            frame: frame.frame.clone(),
            slot: slot.to_owned(),
        };
        let values = self.state.stack.last().map(known).unwrap_or_default();
        self.ask(question, &values);
    }

    fn confirm_act(&self, task: &Task) -> Act {
        Act::Confirm {
            frame: task.frame.clone(),
            values: plain(&known(task)),
        }
    }

    /// Everything once; after a correction only what changed, if there is a message for it (RC-027).
    fn read_back(&mut self, frame: &FrameFile, task: &Task) {
        let act = self.confirm_act(task);
        self.draft.acts.push(act);
        let changed = task
            .corrected
            .as_ref()
            .map(|slot| format!("{}-confirm-{slot}", frame.frame));
        let whole = format!("{}-confirm", frame.frame);
        let message = changed.filter(|m| task.read_back && self.has(m)).unwrap_or(whole);
        if let Some(t) = self.state.stack.last_mut() {
            t.read_back = true;
            t.corrected = None;
        }
        self.say(&message, &known(task));
        self.state.pending = Pending::Confirm {
            frame: frame.frame.clone(),
        };
        self.draft.settled = true;
    }

    /// The caller agreed to the read-back.
    pub(super) fn agree(&mut self) -> Wanted {
        if let Some(task) = self.state.stack.last_mut() {
            task.agreed = true;
        }
        self.state.pending = Pending::Open;
        self.advance()
    }

    fn write(&mut self) -> Wanted {
        let task = self.state.stack.last().cloned()?;
        let frame = self.frame(&task.frame)?;
        let Some(write) = &frame.write else {
            self.state.stack.pop();
            return None;
        };
        let mut arguments = self.arguments(&write.tool, &task);
        let with = write
            .with
            .iter()
            .filter_map(|(to, from)| Some((to.clone(), task.values.get(from)?.clone())));
        arguments.extend(with);
        let agreed = task.agreed.then(|| {
            let mut all = known(&task);
            all.extend(
                write
                    .with
                    .iter()
                    .filter_map(|(to, from)| Some((to.clone(), all.get(from)?.clone())))
                    .collect::<Vec<_>>(),
            );
            all
        });
        let call = self.call(&write.tool, arguments, task.key.clone(), &frame, agreed);
        Some((call, Then::Write(task.frame)))
    }

    /// The filled slots that a tool takes.
    fn arguments(&self, tool: &str, task: &Task) -> Arguments {
        let takes = |name: &String| {
            self.desk
                .tools
                .get(tool)
                .is_some_and(|s| s.arguments.iter().any(|a| a.name == name))
        };
        task.slots
            .iter()
            .filter(|(k, _)| takes(k))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()
    }

    fn call(
        &self,
        tool: &str,
        arguments: Arguments,
        key: String,
        frame: &FrameFile,
        agreed: Option<Arguments>,
    ) -> ToolCall {
        // The only proof that a dialogue gives by itself is a slot that names the room; a booking's proof is a tool's.
        let proof = if frame.proof <= Proof::Room {
            frame.proof
        } else {
            Proof::None
        };
        ToolCall {
            tool: tool.to_owned(),
            arguments,
            idempotency_key: key,
            proof,
            agreed,
        }
    }

    pub(super) fn checked(&mut self, frame: &str, result: ToolResult) {
        let Some(definition) = self.frame(frame) else {
            return;
        };
        match result {
            ToolResult::Done { values } => {
                if let Some(task) = self.state.stack.last_mut() {
                    task.values.extend(values);
                    let due = definition.checks.iter().find(|c| !task.checked.contains(&c.tool));
                    task.checked.extend(due.map(|c| c.tool.clone()));
                }
            }
            ToolResult::Refused {
                reason,
                slot,
                alternative,
                values,
            } => {
                self.refused(&definition, &reason, slot, alternative, values, false);
            }
            ToolResult::Failed { reason, .. } => self.failed(frame, &reason),
        }
    }

    pub(super) fn written(&mut self, frame: &str, result: ToolResult) {
        let Some(definition) = self.frame(frame) else {
            return;
        };
        match result {
            ToolResult::Done { values } => {
                let Some(task) = self.state.stack.pop() else {
                    return;
                };
                let mut all = known(&task);
                all.extend(values);
                let reference = all.get("reference").map(Value::plain);
                self.draft.acts.push(Act::Done {
                    frame: frame.to_owned(),
                    reference,
                    values: plain(&all),
                });
                self.say(&format!("{frame}-done"), &all);
                self.state.pending = Pending::Open;
            }
            ToolResult::Refused {
                reason,
                slot,
                alternative,
                values,
            } => {
                self.refused(&definition, &reason, slot, alternative, values, true);
            }
            ToolResult::Failed { reason, .. } => self.failed(frame, &reason),
        }
    }

    fn refused(
        &mut self,
        frame: &FrameFile,
        reason: &str,
        slot: Option<String>,
        alternative: Option<Value>,
        values: Arguments,
        writing: bool,
    ) {
        let Some(task) = self.state.stack.last_mut() else {
            return;
        };
        task.refusals += 1;
        task.agreed = false;
        task.checked.clear();
        let hopeless = task.refusals >= MAX_REFUSALS;
        let mut all = known(task);
        all.extend(values);
        self.draft.acts.push(Act::Deny {
            reason: reason.to_owned(),
        });
        self.say(&format!("{}-deny-{reason}", frame.frame), &all);
        let slot = slot.filter(|s| frame.slot(s).is_some());
        match (slot, alternative) {
            (Some(slot), alternative) if !hopeless => {
                self.clear(&slot);
                let offer = format!("{}-offer-{slot}", frame.frame);
                match alternative.filter(|_| self.has(&offer)) {
                    Some(value) => {
                        all.insert("alternative".into(), value.clone());
                        self.draft.acts.push(Act::Offer {
                            what: format!("alternative_{slot}"),
                        });
                        self.ask(
                            Pending::Offer {
                                frame: frame.frame.clone(),
                                slot,
                                value,
                            },
                            &all,
                        );
                    }
                    None => self.ask_slot(frame, &slot),
                }
            }
            // The house changed under a write: check again, read back again.
            (None, _) if writing && !hopeless => self.state.pending = Pending::Open,
            _ => self.drop_task(),
        }
    }

    /// Said as failed, never as done (RC-075).
    fn failed(&mut self, frame: &str, reason: &str) {
        tracing::warn!(frame, reason, "a tool failed");
        self.draft.acts.push(Act::Deny {
            reason: "not_available".to_owned(),
        });
        self.say("tool_failed", &Arguments::new());
        self.drop_task();
    }

    pub(super) fn drop_task(&mut self) {
        self.state.stack.pop();
        self.state.pending = Pending::Open;
    }

    pub(super) fn clear(&mut self, slot: &str) {
        if let Some(task) = self.state.stack.last_mut() {
            task.slots.remove(slot);
            touch(task, self.desk.pack.frames.get(&task.frame), slot);
        }
    }

    /// The first slot whose value breaks a constraint, and the message that says so.
    fn broken(&self, frame: &FrameFile, task: &Task) -> Option<(String, String)> {
        let holds = |c: &Constraint, v: &Value| match (c, v) {
            (Constraint::NotPast, Value::Date(d)) => *d >= self.now.date(),
            (Constraint::Min(n), Value::Number(v)) => v >= n,
            (Constraint::Max(n), Value::Number(v)) => v <= n,
            _ => true,
        };
        let breaks = |s: &&crate::pack::Slot| {
            task.slots
                .get(&s.name)
                .is_some_and(|v| !s.constraint.iter().all(|c| holds(c, v)))
        };
        let slot = frame.slots.iter().find(breaks)?;
        Some((slot.name.clone(), format!("{}-broken-{}", frame.frame, slot.name)))
    }
}

/// A slot changed: what depended on it no longer holds (RC-024).
fn touch(task: &mut Task, frame: Option<&FrameFile>, slot: &str) {
    task.agreed = false;
    let stale = |tool: &String| {
        let check = frame.and_then(|f| f.checks.iter().find(|c| c.tool == *tool));
        check.is_none_or(|c| c.after.iter().any(|s| s == slot))
    };
    if task.checked.iter().any(stale) {
        task.values.clear();
        task.checked.clear();
    }
}

/// Everything that a task's messages may name.
pub(super) fn known(task: &Task) -> Arguments {
    let mut all = task.values.clone();
    all.extend(task.slots.clone());
    all
}
