//! `prompts.ftl`: what the desk says, in Project Fluent's language.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, Source};
use crate::Error;

/// A message as far as its rules can be checked without rendering it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Line of its name.
    pub line: usize,
    /// Names of its variants besides the plain one, in file order: attributes of the message.
    pub variants: Vec<String>,
    /// Values that it names, all variants together.
    pub values: BTreeSet<String>,
}

/// All messages of a language.
#[derive(Clone, Debug)]
pub struct Prompts {
    /// The file's text.
    pub text: String,
    /// Messages by name.
    pub messages: BTreeMap<String, Message>,
}

impl Prompts {
    /// The texts of a message as written, its own and each variant's; none if it is not there.
    pub fn texts(&self, name: &str) -> Vec<String> {
        let Some(message) = self.messages.get(name) else {
            return Vec::new();
        };
        let mut texts: Vec<String> = Vec::new();
        for (i, line) in self.text.lines().skip(message.line.saturating_sub(1)).enumerate() {
            let goes_on = line.starts_with(char::is_whitespace) || line.starts_with(['}', '[', '*']);
            if i > 0 && !goes_on {
                break;
            }
            let variant = line.trim_start().starts_with('.');
            match (i == 0 || variant, line.split_once('='), texts.last_mut()) {
                (true, Some((_, text)), _) => texts.push(text.trim().to_owned()),
                (_, _, Some(text)) => {
                    text.push(' ');
                    text.push_str(line.trim());
                }
                _ => {}
            }
        }
        texts
    }
}

/// Reads the messages' names, variants and placeholders, and refuses figures: what a prompt says in numbers has to come
/// from a source (dialogue engine, section 3.5).
pub(super) fn parse(source: &Source) -> Result<Prompts, Error> {
    let mut messages: BTreeMap<String, Message> = BTreeMap::new();
    let mut current: Option<String> = None;
    for (i, line) in source.text.lines().enumerate() {
        let number = i + 1;
        let refuse = |message: String, remedy: &str| {
            Err(Error::File(Finding::error(&source.file, number, message, remedy)))
        };
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        let mut text = line;
        if !line.starts_with(char::is_whitespace) && !line.starts_with(['}', '[', '*']) {
            let Some((name, rest)) = line.split_once('=') else {
                return refuse(
                    format!("`{line}` is no message"),
                    "write it as `name = text`, and indent what goes on",
                );
            };
            let name = name.trim().to_owned();
            let message = Message {
                line: number,
                variants: Vec::new(),
                values: BTreeSet::new(),
            };
            if messages.insert(name.clone(), message).is_some() {
                return refuse(format!("message `{name}` is there twice"), "keep one of the two");
            }
            current = Some(name);
            text = rest;
        }
        let Some(message) = current.as_ref().and_then(|name| messages.get_mut(name)) else {
            continue;
        };
        if let Some((name, rest)) = text
            .trim_start()
            .strip_prefix('.')
            .and_then(|t| t.split_once('='))
        {
            message.variants.push(name.trim().to_owned());
            text = rest;
        }
        if text.contains(|c: char| c.is_ascii_digit()) {
            let remedy = "write it in words, or take it from a fact, a slot or a tool with {$name}";
            return refuse("a prompt holds a figure".to_owned(), remedy);
        }
        let names = text.split('$').skip(1).map(|rest| {
            let end = rest
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-')
                .unwrap_or(rest.len());
            rest[..end].to_owned()
        });
        message.values.extend(names);
    }
    Ok(Prompts {
        text: source.text.clone(),
        messages,
    })
}
