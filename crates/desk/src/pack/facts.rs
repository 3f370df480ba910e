//! `facts.toml`: what the desk can answer.

use std::collections::BTreeMap;

use roomtone_lang::{Money, Value};
use serde::Deserialize;
use toml::Spanned;

use super::Source;
use crate::Error;

/// A topic: values and one approved sentence per language (RC-012).
#[derive(Clone, Debug)]
pub struct Topic {
    /// Line of the topic in its file.
    pub line: usize,
    /// What the sentence may name.
    pub values: BTreeMap<String, FactValue>,
    /// A tool without arguments that gives further values in the same turn (RC-072).
    pub tool: Option<String>,
    /// Sentence per language, with `{name}` and `{name.short}` where values stand.
    pub say: BTreeMap<String, String>,
}

/// A value as it is written in a file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum FactValue {
    /// A whole number.
    Number(u32),
    /// An amount: `{ amount = "16.00", currency = "EUR" }`.
    Money {
        /// With exactly two decimals.
        amount: String,
        /// ISO 4217.
        currency: String,
    },
    /// Said digit by digit: `{ digits = "112" }`.
    Digits {
        /// The digits.
        digits: String,
    },
    /// A time if it reads `HH:MM`, else words.
    Text(String),
}

impl FactValue {
    /// The value; `None` if it is written wrongly: a malformed amount, or words with figures.
    pub fn value(&self) -> Option<Value> {
        match self {
            FactValue::Number(n) => (*n <= 9999).then_some(Value::Number(*n)),
            FactValue::Money { amount, currency } => {
                let (major, minor) = amount.split_once('.')?;
                let fine = minor.len() == 2 && currency.len() == 3;
                let amount: i64 = format!("{major}{minor}").parse().ok()?;
                fine.then(|| {
                    Value::Money(Money {
                        minor: amount,
                        currency: currency.clone(),
                    })
                })
            }
            FactValue::Digits { digits } => {
                let fine = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
                fine.then(|| Value::Digits(digits.clone()))
            }
            FactValue::Text(text) => match text.parse() {
                Ok(time) if text.len() == 5 => Some(Value::Time(time)),
                _ if text.contains(|c: char| c.is_ascii_digit()) => None,
                _ => Some(Value::Text(text.clone())),
            },
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TopicFile {
    #[serde(default)]
    values: BTreeMap<String, FactValue>,
    tool: Option<String>,
    #[serde(default)]
    say: BTreeMap<String, String>,
}

pub(super) fn parse(source: &Source) -> Result<BTreeMap<String, Topic>, Error> {
    let files: BTreeMap<String, Spanned<TopicFile>> = source.parse()?;
    let topic = |(name, file): (String, Spanned<TopicFile>)| {
        let line = source.line(file.span().start);
        let file = file.into_inner();
        (
            name,
            Topic {
                line,
                values: file.values,
                tool: file.tool,
                say: file.say,
            },
        )
    };
    Ok(files.into_iter().map(topic).collect())
}
