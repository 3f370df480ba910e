//! A desk's files, loaded (dialogue engine, section 4).
//!
//! [`Pack::load`] reads and parses; it refuses what can't be understood, with file, line and what to do. [`check`]
//! looks at the files together and returns everything that is wrong with them. Nothing here knows a trade.

mod check;
mod desk_file;
mod facts;
mod finding;
mod frames;
mod intents;
mod lexicon;
mod lists;
mod prompts;
mod source;

use std::{collections::BTreeMap, path::Path};

pub use check::check;
pub use desk_file::{DeskFile, GrammarSettings, Keypad, Limits};
pub use facts::{FactValue, Topic};
pub use finding::{Finding, Severity};
pub use frames::{Check, Constraint, FrameFile, Half, ReadBack, Slot, SlotKind, Write};
pub use intents::{Intent, Intents, Phrase, Target};
pub use lexicon::{Control, Lexicon, PhraseSet};
pub use lists::{Item, List};
pub use prompts::{Message, Prompts};
pub(crate) use source::{Source, nearest};

use crate::{Error, grammar::Calibration};

/// All files of a desk.
#[derive(Clone, Debug)]
pub struct Pack {
    /// `desk.toml`.
    pub desk: DeskFile,
    /// `facts.toml`, topics by name.
    pub facts: BTreeMap<String, Topic>,
    /// `lists/*.toml` by name.
    pub lists: BTreeMap<String, List>,
    /// `frames/*.toml` by name.
    pub frames: BTreeMap<String, FrameFile>,
    /// `lang/*` by language code.
    pub languages: BTreeMap<String, LanguageFiles>,
}

/// The files of one language.
#[derive(Clone, Debug)]
pub struct LanguageFiles {
    /// `intents.toml`.
    pub intents: Intents,
    /// `lexicon.toml`.
    pub lexicon: Lexicon,
    /// `prompts.ftl`.
    pub prompts: Prompts,
    /// `calibration.toml`, empty if there is none.
    pub calibration: Calibration,
}

impl Pack {
    /// Reads the folder `dir`.
    ///
    /// # Errors
    /// [`Error::Read`] for a file that is missing or unreadable, [`Error::File`] for one that can't be parsed.
    pub fn load(dir: &Path) -> Result<Pack, Error> {
        let desk: DeskFile = Source::read(dir, "desk.toml")?.parse()?;
        let facts = facts::parse(&Source::read(dir, "facts.toml")?)?;
        let mut lists = BTreeMap::new();
        for name in Source::names(dir, "lists", "toml")? {
            let list: List = Source::read(dir, &format!("lists/{name}.toml"))?.parse()?;
            lists.insert(name, list);
        }
        let mut frames = BTreeMap::new();
        for name in Source::names(dir, "frames", "toml")? {
            let frame = frames::parse(&Source::read(dir, &format!("frames/{name}.toml"))?)?;
            frames.insert(frame.frame.clone(), frame);
        }
        let mut languages = BTreeMap::new();
        for code in &desk.languages {
            let file = |name: &str| Source::read(dir, &format!("lang/{code}/{name}"));
            let calibration = if dir.join(format!("lang/{code}/calibration.toml")).exists() {
                file("calibration.toml")?.parse()?
            } else {
                Calibration::default()
            };
            let files = LanguageFiles {
                intents: intents::parse(&file("intents.toml")?)?,
                lexicon: lexicon::parse(&file("lexicon.toml")?)?,
                prompts: prompts::parse(&file("prompts.ftl")?)?,
                calibration,
            };
            languages.insert(code.clone(), files);
        }
        Ok(Pack {
            desk,
            facts,
            lists,
            frames,
            languages,
        })
    }
}
