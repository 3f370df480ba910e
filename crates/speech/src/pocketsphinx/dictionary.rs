//! Pronunciations: the model's dictionary and a desk's own additions.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use crate::Error;

/// The 39 phones of the English model.
pub(crate) const PHONES: [&str; 39] = [
    "AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH", "IH", "IY",
    "JH", "K", "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W", "Y",
    "Z", "ZH",
];

/// Words and how they sound, in the model's phones. One text and an index into it: the model's 134,000 entries take
/// 4 MB.
#[derive(Clone, Debug, Default)]
pub struct Dictionary {
    text: String,
    /// Starts of lines, in the order of their words.
    lines: Vec<u32>,
    added: HashMap<String, Vec<String>>,
}

impl Dictionary {
    /// Reads a dictionary in CMU's format: `word PH ON ES`, variants as `word(2)`.
    ///
    /// # Errors
    /// [`Error::ModelMissing`] if the file cannot be read.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let bytes = std::fs::read(path).map_err(|_| Error::ModelMissing {
            engine: "pocketsphinx",
            path: PathBuf::from(path),
            package: Some("pocketsphinx-en-us"),
        })?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let start = |line: &str| line.as_ptr() as usize - text.as_ptr() as usize;
        let mut lines: Vec<u32> = text
            .lines()
            .filter_map(|l| u32::try_from(start(l)).ok())
            .collect();
        lines.sort_by(|a, b| word_at(&text, *a).cmp(word_at(&text, *b)));
        Ok(Dictionary {
            text,
            lines,
            added: HashMap::new(),
        })
    }

    /// Adds a pronunciation.
    pub fn add(&mut self, word: &str, phones: &str) {
        self.added
            .entry(word.to_owned())
            .or_default()
            .push(phones.to_owned());
    }

    /// All pronunciations of a word, a desk's own first; none if it is not known.
    pub fn pronunciations(&self, word: &str) -> Vec<&str> {
        let own = self.added.get(word).into_iter().flatten().map(String::as_str);
        let first = self.lines.partition_point(|l| word_at(&self.text, *l) < word);
        let lines = self.lines[first..]
            .iter()
            .take_while(|l| word_at(&self.text, **l) == word);
        own.chain(lines.map(|l| phones_at(&self.text, *l))).collect()
    }

    /// Is there a pronunciation?
    pub fn knows(&self, word: &str) -> bool {
        !self.pronunciations(word).is_empty()
    }

    /// Number of phones of a word, of its longest pronunciation; 0 if it is not known.
    pub fn phones(&self, word: &str) -> usize {
        self.pronunciations(word)
            .iter()
            .map(|p| p.split_whitespace().count())
            .max()
            .unwrap_or(0)
    }
}

fn line_at(text: &str, start: u32) -> &str {
    text[start as usize..].lines().next().unwrap_or("")
}

fn word_at(text: &str, start: u32) -> &str {
    let line = line_at(text, start);
    &line[..line
        .find(|c: char| c.is_whitespace() || c == '(')
        .unwrap_or(line.len())]
}

fn phones_at(text: &str, start: u32) -> &str {
    line_at(text, start)
        .split_once(char::is_whitespace)
        .map_or("", |(_, phones)| phones.trim())
}

/// The words of a grammar in JSGF: what stands on the right-hand sides and is no rule, tag or weight.
pub fn grammar_words(jsgf: &str) -> Vec<String> {
    let mut words = Vec::new();
    let body = jsgf
        .split(';')
        .skip(1)
        .filter(|s| !s.trim_start().starts_with("grammar"));
    for rule in body {
        let right = rule.split_once('=').map_or("", |(_, right)| right);
        let mut rest = right;
        while let Some(start) = rest.find(|c: char| c.is_alphabetic() || matches!(c, '<' | '{' | '/')) {
            let tail = &rest[start..];
            let close = match tail.as_bytes().first() {
                Some(b'<') => tail.find('>'),
                Some(b'{') => tail.find('}'),
                Some(b'/') => tail[1..].find('/').map(|i| i + 1),
                _ => {
                    let end =
                        tail.find(|c: char| !(c.is_alphabetic() || matches!(c, '\'' | '-' | '.' | '_')));
                    let end = end.unwrap_or(tail.len());
                    words.push(tail[..end].to_owned());
                    rest = &tail[end..];
                    continue;
                }
            };
            rest = close.map_or("", |end| &tail[end + 1..]);
        }
    }
    words.sort_unstable();
    words.dedup();
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_and_additions_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d");
        std::fs::write(&path, "b B IY\na AH\na(2) EY\nab AE B\n").unwrap();
        let mut d = Dictionary::read(&path).unwrap();
        d.add("ab", "EY B IY");
        assert_eq!(d.pronunciations("a"), ["AH", "EY"]);
        assert_eq!(d.pronunciations("ab"), ["EY B IY", "AE B"]);
        assert!(d.knows("b") && !d.knows("c") && !d.knows(""));
        assert_eq!(d.phones("ab"), 3);
    }

    #[test]
    fn only_words_are_words() {
        let jsgf = "#JSGF V1.0;\ngrammar desk;\npublic <s> = [<polite>] (yes | /0.5/ o'clock {tag}) * ;\n<polite> = please;";
        assert_eq!(grammar_words(jsgf), ["o'clock", "please", "yes"]);
    }
}
