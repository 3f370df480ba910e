//! Keyword patterns: `+(late) +(check|leave) -(bag|luggage)`.

use std::collections::BTreeSet;

use super::weights::Weights;

/// Score of a pattern whose sentence holds nothing foreign.
const FULL: f32 = 0.9;
/// What a content word costs that neither the pattern nor the intent's phrases know.
const FOREIGN: f32 = 0.09;

/// What is wrong with a pattern's text, if anything.
pub(crate) fn check_pattern(text: &str) -> Option<String> {
    Pattern::new(text).err()
}

/// A compiled pattern.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    pub(crate) text: String,
    required: Vec<Vec<String>>,
    excluded: Vec<String>,
}

impl Pattern {
    /// Reads a pattern; the error says what is wrong with it.
    pub(crate) fn new(text: &str) -> Result<Pattern, String> {
        let mut p = Pattern {
            text: text.to_owned(),
            required: Vec::new(),
            excluded: Vec::new(),
        };
        let mut rest = text.trim();
        while let Some(sign) = rest.chars().next() {
            if sign != '+' && sign != '-' {
                return Err(format!("`{rest}` must begin with + or -"));
            }
            rest = &rest[1..];
            let (words, tail) = match rest.strip_prefix('(') {
                Some(inside) => inside.split_once(')').ok_or("a bracket has no partner")?,
                None => rest.split_once(' ').unwrap_or((rest, "")),
            };
            let words: Vec<String> = words.split('|').map(|w| w.trim().to_owned()).collect();
            let spoken = |w: &String| !w.is_empty() && w.chars().all(|c| c.is_lowercase() || c == '\'');
            if let Some(w) = words.iter().find(|w| !spoken(w)) {
                return Err(format!("`{w}` is no word"));
            }
            match sign {
                '+' => p.required.push(words),
                _ => p.excluded.extend(words),
            }
            rest = tail.trim_start();
        }
        if p.required.is_empty() {
            Err("nothing is required".to_owned())
        } else {
            Ok(p)
        }
    }

    /// All words that are required in some way.
    pub(crate) fn words(&self) -> impl Iterator<Item = &String> {
        self.required.iter().flatten()
    }

    /// How well `words` fit; `known` are the words of the intent's phrases, `taken` tokens that hold values.
    pub(crate) fn fit(
        &self,
        words: &[&str],
        known: &BTreeSet<String>,
        taken: &[bool],
        weights: &Weights,
    ) -> Option<f32> {
        let holds = |w: &String| words.contains(&w.as_str());
        if self.excluded.iter().any(holds) || !self.required.iter().all(|any| any.iter().any(holds)) {
            return None;
        }
        let foreign = |(i, w): &(usize, &&str)| !taken[*i] && weights.is_content(w) && !known.contains(**w);
        let foreign = words.iter().enumerate().filter(foreign).count();
        Some(FULL - FOREIGN * foreign as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::Lexicon;

    #[test]
    fn required_excluded_and_foreign_words() {
        let weights = Weights::new(&Lexicon {
            light: vec!["we".into(), "the".into()],
            ..Lexicon::default()
        });
        let p = Pattern::new("+late +(check|leave) -bags").unwrap();
        let known = p.words().cloned().collect();
        let fit = |text: &str| {
            let words: Vec<&str> = text.split(' ').collect();
            p.fit(&words, &known, &vec![false; words.len()], &weights)
        };
        assert_eq!(fit("we leave late"), Some(FULL));
        assert_eq!(fit("we leave late bags"), None);
        assert_eq!(fit("we leave"), None);
        assert!(fit("late elephants leave the harbour") < Some(0.75));
    }

    #[test]
    fn mistakes_are_named() {
        for bad in ["", "late", "+(late", "-late", "+Late", "+(a|)"] {
            assert!(Pattern::new(bad).is_err(), "{bad}");
        }
    }
}
