//! `intents.toml`: what callers say.

use std::{collections::BTreeMap, ops::Range};

use roomtone_lang::{Expr, parse_phrase};
use serde::Deserialize;
use toml::Spanned;

use super::{Source, nearest};
use crate::Error;

/// A phrase and where it stands.
#[derive(Clone, Debug)]
pub struct Phrase {
    /// As written.
    pub text: String,
    /// Line in its file.
    pub line: usize,
    /// As read.
    pub expr: Expr,
}

/// What an intent leads to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// A task.
    Frame(String),
    /// An answer.
    Topic(String),
}

impl Target {
    /// The intent's name in files: `late_check_out`, `ask_info.breakfast`.
    pub fn name(&self) -> String {
        match self {
            Target::Frame(f) => f.clone(),
            Target::Topic(t) => format!("ask_info.{t}"),
        }
    }

    /// Reads a name.
    pub fn from_name(name: &str) -> Target {
        match name.strip_prefix("ask_info.") {
            Some(topic) => Target::Topic(topic.to_owned()),
            None => Target::Frame(name.to_owned()),
        }
    }
}

/// What one intent is said with.
#[derive(Clone, Debug)]
pub struct Intent {
    /// What it leads to.
    pub target: Target,
    /// Line of its table.
    pub line: usize,
    /// Phrases.
    pub phrases: Vec<Phrase>,
    /// Keyword patterns, with their line.
    pub patterns: Vec<(String, usize)>,
}

/// All of a language's intents.
#[derive(Clone, Debug, Default)]
pub struct Intents {
    /// In file order of names.
    pub intents: Vec<Intent>,
    /// Shared parts, by name.
    pub rules: BTreeMap<String, Phrase>,
    /// How a slot is answered when it was asked, by slot.
    pub answers: BTreeMap<String, Vec<Phrase>>,
    /// How a slot is corrected at a read-back, by slot.
    pub corrections: BTreeMap<String, Vec<Phrase>>,
    /// Words that announce a slot's value inside any sentence, by slot.
    pub cues: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default)]
    phrases: Vec<Spanned<String>>,
    #[serde(default)]
    patterns: Vec<Spanned<String>>,
}

pub(super) fn phrase(source: &Source, text: Spanned<String>) -> Result<Phrase, Error> {
    let span = text.span();
    let text = text.into_inner();
    match parse_phrase(&text) {
        Ok(expr) => Ok(Phrase {
            line: source.line(span.start),
            expr,
            text,
        }),
        Err(e) => Err(source.refuse(span, format!("\"{text}\": {e}"), "correct the phrase")),
    }
}

pub(super) fn phrases(source: &Source, all: Vec<Spanned<String>>) -> Result<Vec<Phrase>, Error> {
    all.into_iter().map(|p| phrase(source, p)).collect()
}

pub(super) fn parse(source: &Source) -> Result<Intents, Error> {
    // Frame names are free, so the top level can't be a struct; each table below it is.
    let top: BTreeMap<Spanned<String>, Spanned<toml::Value>> = source.parse()?;
    let mut out = Intents::default();
    for (key, value) in top {
        let (name, span) = (key.get_ref().clone(), key.span());
        let path = |rest: &str| format!("{name}.{rest}");
        match name.as_str() {
            "ask_info" => {
                let topics: BTreeMap<String, toml::Value> = section(source, &name, span)?;
                for topic in topics.keys() {
                    out.intents.push(intent(source, &path(topic))?);
                }
            }
            "rules" => {
                let rules: BTreeMap<String, Spanned<String>> = section(source, &name, span)?;
                for (rule, text) in rules {
                    out.rules.insert(rule, phrase(source, text)?);
                }
            }
            "answers" | "corrections" => {
                let slots: BTreeMap<String, Vec<Spanned<String>>> = section(source, &name, span)?;
                for (slot, all) in slots {
                    let all = phrases(source, all)?;
                    if name == "answers" {
                        &mut out.answers
                    } else {
                        &mut out.corrections
                    }
                    .insert(slot, all);
                }
            }
            "cues" => out.cues = section(source, &name, span)?,
            _ if value.get_ref().is_table() => out.intents.push(intent(source, &name)?),
            _ => {
                let known = ["ask_info", "rules", "answers", "corrections", "cues"];
                let remedy =
                    nearest(&name, known).map_or("make it a table".into(), |n| format!("did you mean `{n}`"));
                return Err(source.refuse(span, format!("`{name}` is no table"), remedy));
            }
        }
    }
    Ok(out)
}

/// One top-level table, read again with its own shape, so that errors carry its lines.
fn section<T: serde::de::DeserializeOwned>(
    source: &Source,
    name: &str,
    span: Range<usize>,
) -> Result<T, Error> {
    let mut all: Sections<T> = Sections::pick(source, name)?;
    all.0
        .take()
        .ok_or_else(|| source.refuse(span, format!("`{name}` is empty"), "fill it or leave it out"))
}

fn intent(source: &Source, name: &str) -> Result<Intent, Error> {
    let target = Target::from_name(name);
    let table: Spanned<Table> = match &target {
        Target::Frame(f) => Sections::pick(source, f)?.0,
        Target::Topic(t) => {
            let mut all: BTreeMap<String, Spanned<Table>> =
                Sections::pick(source, "ask_info")?.0.unwrap_or_default();
            all.remove(t)
        }
    }
    .ok_or_else(|| source.refuse(0..0, format!("`{name}` is empty"), "fill it or leave it out"))?;
    let line = source.line(table.span().start);
    let table = table.into_inner();
    let patterns = table
        .patterns
        .into_iter()
        .map(|p| (p.get_ref().clone(), source.line(p.span().start)))
        .collect();
    Ok(Intent {
        target,
        line,
        phrases: phrases(source, table.phrases)?,
        patterns,
    })
}

/// One table of the file; the others are skipped.
struct Sections<T>(Option<T>);

impl<T: serde::de::DeserializeOwned> Sections<T> {
    fn pick(source: &Source, name: &str) -> Result<Sections<T>, Error> {
        let seed = Pick::<T> {
            name,
            value: std::marker::PhantomData,
        };
        let d = toml::Deserializer::parse(&source.text).map_err(|e| source.toml_error(&e))?;
        let value = serde::de::DeserializeSeed::deserialize(seed, d).map_err(|e| source.toml_error(&e))?;
        Ok(Sections(value))
    }
}

struct Pick<'n, T> {
    name: &'n str,
    value: std::marker::PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> serde::de::DeserializeSeed<'de> for Pick<'_, T> {
    type Value = Option<T>;
    fn deserialize<D: serde::Deserializer<'de>>(self, d: D) -> Result<Option<T>, D::Error> {
        d.deserialize_map(self)
    }
}

impl<'de, T: Deserialize<'de>> serde::de::Visitor<'de> for Pick<'_, T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("tables")
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Option<T>, A::Error> {
        let mut out = None;
        while let Some(key) = map.next_key::<String>()? {
            if key == self.name {
                out = Some(map.next_value()?);
            } else {
                map.next_value::<serde::de::IgnoredAny>()?;
            }
        }
        Ok(out)
    }
}
