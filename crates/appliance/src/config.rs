//! The configuration: one file, and `conf.d/*.toml` beside it.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use roomtone_desk::DeskConfig;
use roomtone_guard::PrivacyConfig;
use roomtone_hotel::HotelConfig;
use roomtone_sip::SipConfig;
use roomtone_speech::SpeechConfig;
use roomtone_store::StoreConfig;
use roomtone_voice::VoiceConfig;
use serde::{Deserialize, Serialize};

/// Where the configuration is if nothing else is said.
pub(crate) const DEFAULT_CONFIG: &str = "/etc/roomtone/roomtone.toml";

/// Everything that can be configured. The struct of each section lives in the crate that it configures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// The telephone.
    pub(crate) sip: SipConfig,
    /// Who answers.
    pub(crate) desk: DeskConfig,
    /// The hotel behind the desk.
    pub(crate) hotel: HotelConfig,
    /// Ears and voice.
    pub(crate) speech: SpeechConfig,
    /// Conversation.
    pub(crate) voice: VoiceConfig,
    /// What is kept of conversations, and how long.
    pub(crate) privacy: PrivacyConfig,
    /// Where things are kept.
    pub(crate) store: StoreConfig,
    /// What is logged.
    pub(crate) log: LogConfig,
}

/// The `[log]` section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LogConfig {
    /// `"error"`, `"warn"`, `"info"`, `"debug"`, or a filter such as `"info,roomtone::sip=debug"`.
    pub(crate) level: String,
}

impl Default for LogConfig {
    fn default() -> Self {
        LogConfig {
            level: "info".to_owned(),
        }
    }
}

/// A mistake in a file, where it is and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// The file.
    pub(crate) file: PathBuf,
    /// Line and column, from 1, where known.
    pub(crate) place: Option<(usize, usize)>,
    /// What is wrong.
    pub(crate) problem: String,
    /// What helps.
    pub(crate) remedy: Option<String>,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.problem)?;
        if let Some(remedy) = &self.remedy {
            write!(f, " → {remedy}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistake {}

/// A configuration and the folder that its relative paths start from.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    /// What holds.
    pub(crate) config: Config,
    /// Files it was read from, in order; the first one names the folder.
    pub(crate) files: Vec<PathBuf>,
}

impl Loaded {
    /// Reads `file`, then `conf.d/*.toml` beside it in the order of their names; later keys win.
    ///
    /// # Errors
    /// The first mistake.
    pub(crate) fn read(file: &Path) -> Result<Self, Mistake> {
        let mut files = vec![file.to_owned()];
        let more = file.with_file_name("conf.d");
        if let Ok(entries) = std::fs::read_dir(&more) {
            let mut found: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
            found.retain(|p| p.extension().is_some_and(|e| e == "toml"));
            found.sort();
            files.extend(found);
        }
        let mut all = toml::Table::new();
        for file in &files {
            let text = std::fs::read_to_string(file).map_err(|e| Mistake {
                file: file.clone(),
                place: None,
                problem: format!("cannot be read: {e}"),
                remedy: Some("name another one with --config FILE".to_owned()),
            })?;
            // Each file is read into the whole type first: only there are the places of mistakes known.
            toml::from_str::<Config>(&text).map_err(|e| mistake(file, &text, &e))?;
            let table = toml::from_str::<toml::Table>(&text).map_err(|e| mistake(file, &text, &e))?;
            merge(&mut all, table);
        }
        let config: Config = toml::Value::Table(all)
            .try_into()
            .map_err(|e: toml::de::Error| Mistake {
                file: file.to_owned(),
                place: None,
                problem: e.message().to_owned(),
                remedy: None,
            })?;
        let loaded = Loaded { config, files };
        loaded.ranges()?;
        Ok(loaded)
    }

    /// A path of the configuration: relative ones start at the first file's folder.
    pub(crate) fn path(&self, path: &Path) -> PathBuf {
        let base = self
            .files
            .first()
            .and_then(|f| f.parent())
            .unwrap_or(Path::new(""));
        base.join(path)
    }

    fn ranges(&self) -> Result<(), Mistake> {
        let mut wrong: Vec<(&str, &str, String)> = self
            .config
            .voice
            .problems()
            .into_iter()
            .map(|(key, problem)| ("voice", key, problem))
            .collect();
        let privacy = self.config.privacy.problems().into_iter();
        wrong.extend(privacy.map(|(key, problem)| ("privacy", key, problem)));
        if !(1..=64).contains(&self.config.speech.cores) {
            wrong.push((
                "speech",
                "cores",
                format!("{} is not within 1 to 64", self.config.speech.cores),
            ));
        }
        if self.config.sip.max_calls == 0 {
            wrong.push(("sip", "max_calls", "0 would refuse every call".to_owned()));
        }
        match wrong.into_iter().next() {
            None => Ok(()),
            Some((section, key, problem)) => Err(self.mistake(section, key, problem)),
        }
    }

    /// A mistake in a key's value.
    pub(crate) fn mistake(&self, section: &str, key: &str, problem: String) -> Mistake {
        let (file, place) = self.find(section, key);
        Mistake {
            file,
            place,
            problem: format!("[{section}] {key}: {problem}"),
            remedy: None,
        }
    }

    /// Where a key is set last.
    fn find(&self, section: &str, key: &str) -> (PathBuf, Option<(usize, usize)>) {
        for file in self.files.iter().rev() {
            let Ok(text) = std::fs::read_to_string(file) else {
                continue;
            };
            let mut inside = false;
            for (number, line) in text.lines().enumerate() {
                let line = line.trim_start();
                if line.starts_with('[') {
                    inside = line.trim_end().starts_with(&format!("[{section}]"));
                } else if inside && line.split('=').next().is_some_and(|k| k.trim() == key) {
                    return (file.clone(), Some((number + 1, 1)));
                }
            }
        }
        (self.files.first().cloned().unwrap_or_default(), None)
    }
}

fn merge(into: &mut toml::Table, from: toml::Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(toml::Value::Table(old)), toml::Value::Table(new)) => merge(old, new),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

/// Line and column of a byte, from 1.
fn place(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    (line, before.chars().rev().take_while(|c| *c != '\n').count() + 1)
}

fn mistake(file: &Path, text: &str, error: &toml::de::Error) -> Mistake {
    let message = error.message();
    let (problem, remedy) = match unknown(message) {
        Some((what, key, known)) => {
            let near = nearest(&key, &known);
            let remedy = near.map_or_else(
                || format!("known here: {}", known.join(", ")),
                |n| format!("did you mean `{n}`?"),
            );
            (format!("unknown {what} `{key}`"), Some(remedy))
        }
        None => (message.replace('\n', " "), None),
    };
    let place = error.span().map(|span| place(text, span.start));
    Mistake {
        file: file.to_owned(),
        place,
        problem,
        remedy,
    }
}

/// What is unknown (`key`, `value`), its name and those that exist, out of serde's "unknown field `x`, expected one of
/// `a`, `b`".
fn unknown(message: &str) -> Option<(&'static str, String, Vec<String>)> {
    let (what, rest) = message
        .strip_prefix("unknown field `")
        .map(|rest| ("key", rest))
        .or_else(|| {
            message
                .strip_prefix("unknown variant `")
                .map(|rest| ("value", rest))
        })?;
    let (key, rest) = rest.split_once('`')?;
    let known = rest.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    Some((what, key.to_owned(), known))
}

/// The known key that looks most like `key`, if any does.
fn nearest(key: &str, known: &[String]) -> Option<String> {
    let scored = known.iter().map(|k| (strsim::jaro_winkler(key, k), k));
    scored
        .filter(|(s, _)| *s > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, k)| k.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Loaded, Mistake> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("roomtone.toml");
        std::fs::write(&file, text).unwrap();
        Loaded::read(&file).map_err(|m| Mistake {
            file: PathBuf::from("f"),
            ..m
        })
    }

    #[test]
    fn mistakes_are_told_with_place_and_remedy() {
        let cases = [
            (
                "[sip]\nlisen = \"0.0.0.0:5060\"\n",
                "f:2:1: unknown key `lisen` → did you mean `listen`?",
            ),
            ("[spech]\n", "f:1:2: unknown key `spech` → did you mean `speech`?"),
            (
                "[voice]\nendpoint_ms = 30\n",
                "f:2:1: [voice] endpoint_ms: 30 is not within 100 to 3000",
            ),
            (
                "[voice]\ninterruption = \"confirm\"\n",
                "f:2:16: unknown value `confirm` → did you mean `confirmed`?",
            ),
        ];
        for (text, want) in cases {
            assert_eq!(read(text).unwrap_err().to_string(), want);
        }
        let broken = read("[sip\n").unwrap_err().to_string();
        assert!(broken.starts_with("f:1:5: "), "{broken}");
    }

    #[test]
    fn an_empty_file_is_a_configuration() {
        assert_eq!(read("").unwrap().config, Config::default());
    }

    #[test]
    fn later_files_win_key_by_key() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("roomtone.toml");
        std::fs::create_dir(folder.path().join("conf.d")).unwrap();
        std::fs::write(&file, "[voice]\nendpoint_ms = 400\nmin_speech_ms = 200\n").unwrap();
        std::fs::write(
            folder.path().join("conf.d/10-a.toml"),
            "[voice]\nendpoint_ms = 500\n",
        )
        .unwrap();
        let voice = Loaded::read(&file).unwrap().config.voice;
        assert_eq!((voice.endpoint_ms, voice.min_speech_ms), (500, 200));
    }
}
