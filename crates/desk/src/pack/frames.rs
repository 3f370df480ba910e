//! `frames/*.toml`: tasks with slots.

use std::{collections::BTreeMap, fmt, str::FromStr};

use roomtone_lang::Kind;
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::Source;
use crate::Error;

/// A task.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrameFile {
    /// Its name: the intent that opens it, and the beginning of its messages' names.
    pub frame: String,
    /// What the caller must have proved; `none` if nothing.
    #[serde(default)]
    pub proof: crate::tool::Proof,
    /// What is collected.
    #[serde(rename = "slot", default)]
    pub slots: Vec<Slot>,
    /// What is asked of tools before anything is read back, in this order.
    #[serde(rename = "check", default)]
    pub checks: Vec<Check>,
    /// What is read back (RC-027); nothing is read back without it.
    pub read_back: Option<ReadBack>,
    /// What is written in the end.
    pub write: Option<Write>,
}

/// One piece of data.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// Its name.
    pub name: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub kind: SlotKind,
    /// Asked in ascending order; slots without a number come last, in file order.
    #[serde(default = "last")]
    pub ask_order: u32,
    /// Must it be filled?
    #[serde(default = "yes")]
    pub required: bool,
    /// Which half of the day is meant when the caller does not say.
    #[serde(default)]
    pub default_half: Half,
    /// Number of digits that a value of digits always has: what is shorter or longer is no value, and keys are
    /// collected until there are that many.
    pub length: Option<usize>,
    /// What a value must fulfil.
    #[serde(default)]
    pub constraint: Vec<Constraint>,
}

fn last() -> u32 {
    u32::MAX
}

fn yes() -> bool {
    true
}

/// Half of the day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Half {
    /// Before noon.
    Morning,
    /// From noon on.
    Afternoon,
    /// From noon on; noon itself is midnight.
    Evening,
    /// What lies between seven in the morning and seven in the evening.
    #[default]
    Day,
}

/// Type of a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SlotKind {
    /// A value that the language reads.
    Value(Kind),
    /// An item of the list of that name.
    List(String),
}

impl FromStr for SlotKind {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        match s.strip_prefix("list:") {
            Some(name) => Ok(SlotKind::List(name.to_owned())),
            None => Kind::from_name(s).map(SlotKind::Value).ok_or_else(|| {
                let names: Vec<&str> = Kind::ALL.iter().map(|k| k.name()).collect();
                format!(
                    "unknown type `{s}`, expected one of `{}`, `list:NAME`",
                    names.join("`, `")
                )
            }),
        }
    }
}

impl fmt::Display for SlotKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SlotKind::Value(kind) => f.write_str(kind.name()),
            SlotKind::List(name) => write!(f, "list:{name}"),
        }
    }
}

impl<'de> Deserialize<'de> for SlotKind {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What a value must fulfil.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Constraint {
    /// A date of today or later.
    NotPast,
    /// A number of at least that.
    Min(u32),
    /// A number of at most that.
    Max(u32),
}

impl<'de> Deserialize<'de> for Constraint {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        let (name, number) = text.split_once(':').unwrap_or((&text, ""));
        match (name, number.parse()) {
            ("not_past", _) => Ok(Constraint::NotPast),
            ("min", Ok(n)) => Ok(Constraint::Min(n)),
            ("max", Ok(n)) => Ok(Constraint::Max(n)),
            _ => Err(serde::de::Error::custom(format!(
                "unknown constraint `{text}`, expected one of `not_past`, `min:NUMBER`, `max:NUMBER`"
            ))),
        }
    }
}

/// A question to a tool. Its values may be named by the read-back and by refusals.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The tool.
    pub tool: String,
    /// Slots that must be filled first; they are the tool's arguments.
    pub after: Vec<String>,
}

/// The read-back.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadBack {
    /// Slots that are named.
    pub slots: Vec<String>,
}

/// The write.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Write {
    /// The tool; all filled slots are its arguments.
    pub tool: String,
    /// Values of checks that the tool takes as well: argument, then value. What was read back is what is written.
    #[serde(default)]
    pub with: BTreeMap<String, String>,
}

impl FrameFile {
    /// The slot of that name.
    pub fn slot(&self, name: &str) -> Option<&Slot> {
        self.slots.iter().find(|s| s.name == name)
    }
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Whole(Spanned<FrameFile>);

pub(super) fn parse(source: &Source) -> Result<FrameFile, Error> {
    let whole: Whole = source.parse()?;
    let span = whole.0.span();
    let mut frame = whole.0.into_inner();
    let stem = source
        .file
        .trim_start_matches("frames/")
        .trim_end_matches(".toml");
    if frame.frame != stem {
        let message = format!("frame `{}` is in a file named `{stem}`", frame.frame);
        return Err(source.refuse(span, message, "give file and frame the same name"));
    }
    frame.slots.sort_by_key(|s| s.ask_order);
    Ok(frame)
}
