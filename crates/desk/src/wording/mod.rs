//! From acts and values to words (dialogue engine, section 3.5; RC-041).

mod fact;

use std::{collections::BTreeSet, fmt, sync::Arc};

use fluent_bundle::{FluentArgs, FluentResource, concurrent::FluentBundle};
use roomtone_lang::{Language, Value};
use unic_langid::LanguageIdentifier;

pub(crate) use fact::placeholders;

use crate::{
    Error,
    pack::{Finding, Pack, Prompts},
    tool::Arguments,
};

/// Ending of a value's name that asks for the short wording: `{$open-short}`.
pub(crate) const SHORT: &str = "-short";

/// The voice of a desk in one language.
pub struct Wording {
    bundle: FluentBundle<FluentResource>,
    prompts: Prompts,
    pack: Arc<Pack>,
    language: &'static dyn Language,
    house: Arguments,
}

impl fmt::Debug for Wording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wording({})", self.language.code())
    }
}

impl Wording {
    /// Compiles the prompts of `language`.
    ///
    /// # Errors
    /// [`Error::File`] if Fluent can't read them.
    pub fn new(
        pack: Arc<Pack>,
        prompts: &Prompts,
        language: &'static dyn Language,
    ) -> Result<Wording, Error> {
        let file = format!("lang/{}/prompts.ftl", language.code());
        let refuse = |message: String| Error::File(Finding::error(&file, 0, message, "correct the message"));
        let locale: LanguageIdentifier = language.code().parse().map_err(|e| refuse(format!("{e}")))?;
        let resource = FluentResource::try_new(prompts.text.clone()).map_err(|(_, errors)| {
            refuse(
                errors
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join("; "),
            )
        })?;
        let mut bundle = FluentBundle::new_concurrent(vec![locale]);
        // Marks for mixed writing directions are for the eye; a voice would stumble over them.
        bundle.set_use_isolating(false);
        bundle.add_resource(resource).map_err(|errors| {
            refuse(
                errors
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join("; "),
            )
        })?;
        let house = pack
            .desk
            .values
            .iter()
            .filter_map(|(k, v)| Some((k.clone(), v.value()?)))
            .collect();
        Ok(Wording {
            bundle,
            prompts: prompts.clone(),
            pack,
            language,
            house,
        })
    }

    /// Is there a message of that name?
    pub fn has(&self, message: &str) -> bool {
        self.prompts.messages.contains_key(message)
    }

    /// The message in words. `turn` picks among its variants in order. `None` if there is no such message or it names a
    /// value that neither `values` nor the house has: then nothing is said rather than half a sentence.
    pub fn say(&self, message: &str, turn: u32, values: &Arguments) -> Option<String> {
        let known = self.prompts.messages.get(message)?;
        let has = |name: &String| {
            let name = name.strip_suffix(SHORT).unwrap_or(name);
            values.contains_key(name) || self.house.contains_key(name)
        };
        if let Some(missing) = known.values.iter().find(|n| !has(n)) {
            tracing::warn!(message, missing, "a prompt names a value that is not there");
            return None;
        }
        let mut args = FluentArgs::new();
        for name in &known.values {
            let (plain, short) = match name.strip_suffix(SHORT) {
                Some(plain) => (plain, true),
                None => (name.as_str(), false),
            };
            if let Some(value) = values.get(plain).or_else(|| self.house.get(plain)) {
                args.set(name.clone(), self.value(value, short));
            }
        }
        let fluent = self.bundle.get_message(message)?;
        let variant = turn as usize % (known.variants.len() + 1);
        let pattern = match variant.checked_sub(1).and_then(|i| known.variants.get(i)) {
            Some(name) => fluent.get_attribute(name)?.value(),
            None => fluent.value()?,
        };
        let mut errors = Vec::new();
        let text = self
            .bundle
            .format_pattern(pattern, Some(&args), &mut errors)
            .into_owned();
        if errors.is_empty() { Some(text) } else { None }
    }

    /// The answer to a topic with the values of the house, of the file and `more`, which a tool gave. `None` if a value
    /// that it names is missing.
    pub fn fact(&self, topic: &str, more: &Arguments) -> Option<String> {
        let known = self.pack.facts.get(topic)?;
        let text = known.say.get(self.language.code())?;
        let value = |name: &str| {
            let own = || known.values.get(name).and_then(|v| v.value());
            more.get(name)
                .cloned()
                .or_else(own)
                .or_else(|| self.house.get(name).cloned())
        };
        fact::fill(text, &|name, short| Some(self.value(&value(name)?, short)))
    }

    /// A value in words. An item of a list is said by its first name.
    fn value(&self, value: &Value, short: bool) -> String {
        if let Value::Text(id) = value {
            let items = self.pack.lists.values().flat_map(|l| &l.item);
            let named = items
                .filter(|i| i.id == *id)
                .find_map(|i| i.names.get(self.language.code())?.first());
            return named.unwrap_or(id).clone();
        }
        if short {
            self.language.say_short(value)
        } else {
            self.language.say(value)
        }
    }

    /// Everything that can be said without a value of the call, clause by clause, each once.
    pub fn fixed(&self) -> Vec<String> {
        let mut out = BTreeSet::new();
        let nothing = Arguments::new();
        for (name, message) in &self.prompts.messages {
            let fixed = |n: &String| self.house.contains_key(n.strip_suffix(SHORT).unwrap_or(n));
            if message.values.iter().all(fixed) {
                for turn in 0..=message.variants.len() as u32 {
                    out.extend(self.say(name, turn, &nothing).iter().flat_map(|t| roomtone_lang::sentences(t)));
                }
            }
        }
        for (name, topic) in &self.pack.facts {
            if topic.tool.is_none() {
                out.extend(self.fact(name, &nothing).iter().flat_map(|t| roomtone_lang::sentences(t)));
            }
        }
        out.into_iter().collect()
    }
}
