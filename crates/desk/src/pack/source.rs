//! A file's text and the way from a place in it to a finding.

use std::{ops::Range, path::Path};

use serde::de::DeserializeOwned;

use crate::{Error, pack::Finding};

/// A file of the desk folder.
pub(crate) struct Source {
    /// Path inside the folder.
    pub(crate) file: String,
    pub(crate) text: String,
}

impl Source {
    pub(crate) fn read(dir: &Path, file: &str) -> Result<Source, Error> {
        let path = dir.join(file);
        let text = std::fs::read_to_string(&path).map_err(|source| Error::Read { path, source })?;
        Ok(Source {
            file: file.to_owned(),
            text,
        })
    }

    /// Names without ending of the files in a sub-folder, sorted; none if there is no such folder.
    pub(crate) fn names(dir: &Path, folder: &str, ending: &str) -> Result<Vec<String>, Error> {
        let path = dir.join(folder);
        if !path.exists() {
            return Ok(Vec::new());
        }
        let failed = |source| Error::Read {
            path: path.clone(),
            source,
        };
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&path).map_err(failed)? {
            let file = entry.map_err(failed)?.path();
            if file.extension().is_some_and(|e| e == ending) {
                names.extend(file.file_stem().map(|s| s.to_string_lossy().into_owned()));
            }
        }
        names.sort();
        Ok(names)
    }

    /// Line of a byte, from 1.
    pub(crate) fn line(&self, byte: usize) -> usize {
        let before = self.text.get(..byte.min(self.text.len())).unwrap_or(&self.text);
        before.bytes().filter(|b| *b == b'\n').count() + 1
    }

    /// Refuses the file because of something at `span`.
    pub(crate) fn refuse(
        &self,
        span: Range<usize>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Error {
        Error::File(Finding::error(&self.file, self.line(span.start), message, remedy))
    }

    /// Reads the file as TOML.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, Error> {
        toml::from_str(&self.text).map_err(|e| self.toml_error(&e))
    }

    pub(crate) fn toml_error(&self, e: &toml::de::Error) -> Error {
        let message = e.message().trim().to_owned();
        // serde lists what it would have taken between backticks, the offender first.
        let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
        let remedy = match quoted.as_slice() {
            [unknown, known @ ..] if message.starts_with("unknown") && !known.is_empty() => {
                match nearest(unknown, known.iter().copied()) {
                    Some(n) => format!("did you mean `{n}`"),
                    None => format!("use one of {}", known.join(", ")),
                }
            }
            _ => "correct the line; docs/reference/desk.md lists what may stand there".to_owned(),
        };
        self.refuse(e.span().unwrap_or(0..0), message, remedy)
    }
}

/// The name most like `name`, if one is like it at all.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let scored = known.into_iter().map(|k| (strsim::jaro_winkler(name, k), k));
    scored
        .filter(|(score, _)| *score > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, k)| k)
}
